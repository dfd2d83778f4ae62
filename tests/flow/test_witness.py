"""Somebody else vouches for the ledger, or nothing is brought: a witness that is the auditor's own program, over HTTP."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from base64 import b64decode
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar

import pytest
import sqlalchemy as sa

from gateway import closing, intake, outgo
from gateway.night import decide_all, run_night
from gateway.sample import World, held, know_ledger
from gateway.settings import Gateway
from gateway.takedown import Order, open_takedown
from gateway.witness import NotWitnessed, WitnessUnavailable, ask, expect_witnessed, ledger_key, ledger_signer
from keys import connection as kept
from ledger import checkpoints, log
from ledger.erasure import renew
from ledger.events import Line
from ledger.export import export
from ledger_audit.check import Keys, check
from ledger_audit.exported import read
from ledger_audit.notes import expect_signed, read_checkpoint, read_key
from records.database import writing
from records.schema import runs
from records.stages import Notice
from tests.flow.conftest import NIGHT
from tests.flow.held_content import ON
from tests.flow.test_story import ENTRY, FEED, held_by_all
from tests.flow.test_takedown import number, showing, states

HOURS = timedelta(hours=4)


@pytest.fixture
def watched(gateway: Gateway) -> Gateway:
    know_ledger(gateway)
    return replace(gateway, witness_within=HOURS)


def test_a_night_is_witnessed_and_its_export_is_clean_for_the_auditor(watched: Gateway, world: World, tmp_path: Path) -> None:
    run_night(watched, ON, [FEED], print)
    with watched.engine.connect() as connection:
        export(connection, tmp_path / "export", with_openings=True)
    keys = Keys((read_key(ledger_key(watched).text),), (world.witness.key,))
    exported, kept = read(tmp_path / "export"), world.witness.last(ledger_key(watched).name)
    assert kept is not None and check(exported, keys, [kept]) == []
    assert kept.size == len(exported.hashes) > 10 and expect_signed(exported.checkpoints[-1], world.witness.key) > 0


def test_every_delivery_carries_a_checkpoint_that_the_witness_cosigned(watched: Gateway, world: World) -> None:
    run_night(watched, ON, [FEED], print)
    manifests = [json.loads(path.read_text()) for path in (watched.home / "sample").rglob("*.manifest.json")]
    assert manifests
    for manifest in manifests:
        note = read_checkpoint(manifest["checkpoint"])
        assert expect_signed(note, read_key(ledger_key(watched).text)) == 0 and expect_signed(note, world.witness.key) > 0


def test_without_a_witness_nothing_is_brought_and_the_run_says_so(watched: Gateway, world: World) -> None:
    world.stop_witness()
    told: list[str] = []
    [run] = run_night(watched, ON, [FEED], told.append)
    assert not any(any(entries.values()) for entries in held(watched.home).values())
    assert any("nothing is brought" in words for words in told)
    with watched.engine.connect() as connection:
        assert connection.execute(sa.select(runs.c.state).where(runs.c.run == run)).scalar_one() == "failed"
    log.verify(watched.engine)


def test_i6_a_takedown_goes_on_where_no_witness_answers(watched: Gateway, world: World) -> None:
    run_night(watched, ON, [FEED], print)
    record = held_by_all(watched)
    document = number(watched, record)
    world.stop_witness()
    later = replace(watched, clock=lambda: NIGHT + timedelta(hours=5))
    open_takedown(later, [record], Order(Notice.REPAIR, "云信修〔2026〕9号", "李某"))
    decide_all(later, [ENTRY], print)
    assert showing(later, document) == set() and {state for state, _ in states(later).values()} == {"confirmed"}


def test_i6_a_takedown_goes_on_where_no_witness_is_registered(watched: Gateway, world: World) -> None:
    run_night(watched, ON, [FEED], print)
    record = held_by_all(watched)
    document = number(watched, record)
    known = registered(watched)
    del known["witness"]
    kept.save(watched.home / "secrets" / "connections.yml", known)
    with pytest.raises(NotWitnessed, match="not registered"):
        expect_witnessed(watched)
    open_takedown(watched, [record], Order(Notice.REPAIR, "云信修〔2026〕10号", "李某"))
    decide_all(watched, [ENTRY], print)
    assert showing(watched, document) == set()


def test_a_run_that_no_witness_vouches_for_at_its_end_does_not_end_as_complete(watched: Gateway, world: World) -> None:
    run = intake.open_run(watched, FEED, intake.night_window(ON), "x")
    checked = [intake.check_part(watched, run, intake.collect_part(watched, run, part)) for part in intake.plan(watched, run)]
    settled = intake.settle(watched, run, checked)
    for recipient in outgo.recipients(watched, run):
        outgo.send(watched, run, settled, recipient)
    known = registered(watched)
    del known["witness"]
    kept.save(watched.home / "secrets" / "connections.yml", known)
    with pytest.raises(closing.NightIncomplete, match="nothing is brought"):
        closing.close_run(watched, run)


def test_i4_a_witness_that_died_before_it_answered_is_asked_again_and_vouches(watched: Gateway, world: World) -> None:
    """It remembers what it was asked before it signs: the same question again is no other view."""
    ask(watched)
    with writing(watched.engine) as connection:
        log.append(connection, [log_line(next(log.read(connection)))], NIGHT)
        signer = ledger_signer(watched)
        note = checkpoints.sign(connection, signer, signer.public_key, NIGHT)
        world.witness.add_checkpoint(checkpoints.request(connection, checkpoints.size_of(note) - 1, note).encode())
    assert checkpoints.size_of(ask(watched)) == checkpoints.size_of(note)


def test_a_witness_that_is_away_for_less_than_allowed_stops_nothing(watched: Gateway, world: World) -> None:
    first = expect_witnessed(watched)
    world.stop_witness()
    assert expect_witnessed(replace(watched, clock=lambda: NIGHT + timedelta(hours=3))) == first
    with pytest.raises(NotWitnessed, match="nothing is brought"):
        expect_witnessed(replace(watched, clock=lambda: NIGHT + timedelta(hours=5)))
    with pytest.raises(NotWitnessed, match="nothing is brought"):  # a clock set back a day makes a day of nothing witnessed
        expect_witnessed(replace(watched, clock=lambda: NIGHT - timedelta(hours=24)))
    with pytest.raises(WitnessUnavailable):
        ask(watched)


def test_a_renewed_ledger_brings_nothing_before_a_witness_vouches_for_it_under_its_new_name(watched: Gateway, world: World) -> None:
    """The hours that a witness may be away count from when it saw this ledger, not the one of before the backup was restored."""
    expect_witnessed(watched)
    with writing(watched.engine) as connection:
        renew(connection, "decision 12", NIGHT)
    world.stop_witness()
    with pytest.raises(NotWitnessed, match="nothing is brought"):
        expect_witnessed(watched)


def registered(gateway: Gateway) -> dict[str, dict[str, str]]:
    """The connections as they stand in their file."""
    known = kept.load(gateway.home / "secrets" / "connections.yml")
    return {name: {key: said for key, said in asdict(one).items() if key != "name" and said} for name, one in known.items()}


def copy_state(from_: Path, to: Path) -> None:
    with contextlib.closing(sqlite3.connect(from_)) as source, contextlib.closing(sqlite3.connect(to)) as target:
        source.backup(target)


def test_i6_a_restored_backup_that_is_older_than_what_the_witness_saw_brings_nothing(watched: Gateway, world: World) -> None:
    """The suppression list in the backup lacks the last takedowns: what they withdrew must not go out again."""
    run_night(watched, ON, [FEED], print)
    copy_state(watched.home / "gateway.db", watched.home / "backup.db")
    record = held_by_all(watched)
    open_takedown(watched, [record], Order(Notice.REPAIR, "云信修〔2026〕8号", "李某"))
    decide_all(watched, [ENTRY], print)
    ask(watched)
    copy_state(watched.home / "backup.db", watched.home / "gateway.db")
    restored = replace(watched)
    with pytest.raises(NotWitnessed, match="older backup was restored"):
        expect_witnessed(restored)
    before = held(watched.home)
    told: list[str] = []
    run_night(restored, ON, [FEED], told.append)
    assert held(watched.home) == before and any("older backup was restored" in words for words in told)
    # Compliance decides, enters the takedowns of the lost time again, and the ledger goes on under a new name.
    open_takedown(restored, [record], Order(Notice.REPAIR, "云信修〔2026〕8号", "李某"))
    with writing(restored.engine) as connection:
        renew(connection, "decision 12", NIGHT)
    know_ledger(restored)
    run_night(restored, ON, [FEED], print)
    assert held(watched.home) == before
    assert checkpoints.size_of(expect_witnessed(restored)) > 0


def test_an_unregistered_ledger_is_not_witnessed(gateway: Gateway, world: World) -> None:
    with pytest.raises(NotWitnessed, match="answered 404"):
        expect_witnessed(replace(gateway, witness_within=HOURS))


def test_a_ledger_rewritten_behind_the_witness_is_not_witnessed(watched: Gateway, world: World) -> None:
    """Whoever owns database and keys rewrites a line, the tree and every checkpoint: only the witness can tell."""
    ask(watched)
    with writing(watched.engine) as connection:
        row = list(log.read(connection))
        for table in ("ledger", "openings", "checkpoints"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
        connection.execute(sa.text("UPDATE ledger_head SET seq = 0, frontier = ''"))
        log.append(connection, [log_line(line) for line in row], NIGHT + timedelta(seconds=1))
        log.append(connection, [log_line(row[0])], NIGHT)
    log.verify(watched.engine)
    with pytest.raises(NotWitnessed, match="answered 422"):
        ask(watched)


def log_line(told: log.Told) -> Line:
    return Line(told.event, told.run, told.feed, told.recipient, told.figures, told.notes)


def test_an_answer_under_another_key_is_no_witness(watched: Gateway, world: World) -> None:
    known = registered(watched)
    known["witness"]["public_key"] = known["gsxt"]["public_key"]
    kept.save(watched.home / "secrets" / "connections.yml", known)
    assert b64decode(known["witness"]["public_key"]) != world.witness.key.raw
    with pytest.raises(NotWitnessed, match="not signed by the key"):
        ask(watched)


class Half(BaseHTTPRequestHandler):
    """A witness, or a firewall before it, that begins to answer and never comes to an end."""

    head: ClassVar[dict[str, str]]
    body: ClassVar[bytes]
    pause: ClassVar[float]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        for name, said in self.head.items():
            self.send_header(name, said)
        self.end_headers()
        with suppress(OSError):
            for byte in self.body:
                self.wfile.write(bytes([byte]))
                self.server.asked_no_more.wait(self.pause)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class HangsUp(Half):
    head, body, pause = {"Content-Length": "400"}, "— sample".encode(), 0.0


class Garbled(Half):
    head, body, pause = {"Content-Length": "8", "Content-Encoding": "gzip"}, b"no gzip!", 0.0


class Dribbles(Half):
    head, body, pause = {"Content-Length": "60"}, b"." * 60, 1.0


@pytest.mark.parametrize("door", [HangsUp, Garbled, Dribbles])
def test_a_witness_that_does_not_end_its_answer_is_one_that_did_not_answer(watched: Gateway, world: World, door: type[Half]) -> None:
    """Takedowns wait for this answer too: it must neither end their run nor hold them for long."""
    first = expect_witnessed(watched)
    with ThreadingHTTPServer(("127.0.0.1", 0), door) as service:
        service.asked_no_more = Event()  # type: ignore[attr-defined]
        Thread(target=service.serve_forever, daemon=True).start()
        known = registered(watched)
        known["witness"]["url"] = f"http://127.0.0.1:{service.server_port}"
        kept.save(watched.home / "secrets" / "connections.yml", known)
        assert expect_witnessed(watched) == first, "within the time allowed deliveries go on"
        service.asked_no_more.set()  # type: ignore[attr-defined]
        service.shutdown()
