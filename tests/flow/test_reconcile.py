"""What recipients hold is compared with what they should hold, and put right, seen in the recipients' own databases."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from console.report import write_report
from delivery import Effect, RecipientUnavailable, ask
from delivery.outbox import Errand
from delivery.statements import Inquiry
from gateway.cli import app
from gateway.discrepancies import Kind, compared, standing_discrepancies
from gateway.effects import everywhere
from gateway.night import decide_all, reconcile_all, run_night, take_back_all
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from gateway.takedown import open_takedown, status
from gateway.way import way_of
from ledger.holdings import count
from ledger.log import verify
from records.database import writing
from records.schema import holdings, outbox
from records.stages import Notice
from tests.catalog.altered import GONE
from tests.flow.conftest import with_another_handle_key
from tests.flow.held_content import ON, TABLES, content
from tests.flow.test_again import under
from tests.flow.test_story import ENTRY, FEED, held_by_all
from tests.flow.test_takedown import REPAIR

SITE, PACKAGE, FRONT = "credit_china", "gsxt", "public_resources"
ALL = sorted(TABLES)


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


def database(home: Path, recipient: str) -> sqlite3.Connection:
    name = "frontend.db" if recipient == FRONT else "holdings.db"
    found = list((home / "sample" / "recipients" / recipient).glob("*.db"))
    path = next((path for path in found if path.name == name), found[0])
    return sqlite3.connect(path, timeout=30)


def tamper(home: Path, recipient: str, statement: str, *values: str) -> None:
    """Somebody at the recipient changes its table; {table} is the one that the gateway asks about."""
    table = f"share_{ENTRY}" if recipient == FRONT else "records"
    with closing(database(home, recipient)) as there, there:
        assert there.execute(statement.format(table=table), values).rowcount > 0


def handles_of(home: Path, recipient: str) -> list[str]:
    return sorted(handle for name, entry, handle in content(home) if (name, entry) == (recipient, ENTRY))


def kinds(gateway: Gateway, recipient: str) -> dict[str, int]:
    figures = reconcile_all(gateway, [ENTRY])[recipient]
    return {str(kind): figures[str(kind)] for kind in Kind if figures[str(kind)]} | {"repaired": figures["repaired"]}


def test_recipients_that_hold_what_they_should_differ_in_nothing_by_all_three_methods(served: Gateway) -> None:
    before, told = content(served.home), list[str]()
    figures = reconcile_all(served, [ENTRY], told.append)
    assert sorted(figures) == ALL and not told
    assert all(each["held"] == each["found"] > 0 and sum(each[str(kind)] for kind in Kind) == 0 for each in figures.values())
    assert all(each["records_sent"] == 0 for each in figures.values()), "equal segments are not asked for one by one"
    assert content(served.home) == before and standing_discrepancies(served) == []
    verify(served.engine)


def test_a_mark_on_what_never_arrived_is_taken_out_of_the_holdings_once_the_recipient_says_what_it_has(served: Gateway) -> None:
    record = held_by_all(served)
    with writing(served.engine) as connection:  # as if its connection had broken off before anything arrived there
        handle = connection.execute(sa.select(holdings.c.handle).where(
            holdings.c.recipient == SITE, holdings.c.record == record)).scalar_one()
        connection.execute(sa.delete(holdings).where(holdings.c.recipient == SITE))
        connection.execute(sa.update(outbox).where(outbox.c.recipient == SITE).values(state="sent"))
    tamper(served.home, SITE, 'DELETE FROM "{table}" WHERE handle = ?', handle)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    take_back_all(served, [ENTRY])
    assert kinds(served, SITE)["missing"] == 1
    assert kinds(served, SITE) == {"repaired": 0} and standing_discrepancies(served) == []


@pytest.mark.parametrize("recipient", [SITE, PACKAGE, FRONT])
def test_a_record_that_a_recipient_lost_is_missing_and_brought_anew(served: Gateway, recipient: str) -> None:
    before, lost = content(served.home), handles_of(served.home, recipient)[0]
    tamper(served.home, recipient, 'DELETE FROM "{table}" WHERE handle = ?', lost)
    assert kinds(served, recipient) == {"missing": 1, "repaired": 1}
    assert content(served.home) == before
    assert kinds(served, recipient) == {"repaired": 0}, "put right, it is found no more"


@pytest.mark.parametrize("recipient", [SITE, PACKAGE])
def test_a_record_that_was_altered_there_is_found_and_brought_as_it_should_be(served: Gateway, recipient: str) -> None:
    before, one = content(served.home), handles_of(served.home, recipient)[0]
    fields = json.loads(before[recipient, ENTRY, one]) | {"CF_SY": "另一事实"}
    tamper(served.home, recipient, "UPDATE {table} SET fields = ? WHERE handle = ?", json.dumps(fields), one)
    assert kinds(served, recipient) == {"altered": 1, "repaired": 1}
    assert content(served.home) == before


def test_a_column_that_was_altered_in_a_front_end_database_is_found_and_mended(served: Gateway) -> None:
    one = handles_of(served.home, FRONT)[0]
    tamper(served.home, FRONT, 'UPDATE "{table}" SET CF_XDR_MC = ? WHERE handle = ?', "另一名称", one)
    assert kinds(served, FRONT) == {"altered": 1, "repaired": 1}
    assert kinds(served, FRONT) == {"repaired": 0}


def test_another_end_of_publicity_at_a_site_is_told_apart_and_mended(served: Gateway) -> None:
    before, one = content(served.home), handles_of(served.home, SITE)[0]
    fields = json.loads(before[SITE, ENTRY, one]) | {"CF_GSJZQ": "2099-12-31"}
    tamper(served.home, SITE, "UPDATE {table} SET fields = ?, ends_on = '2099-12-31' WHERE handle = ?", json.dumps(fields), one)
    assert kinds(served, SITE) == {"publicity-end": 1, "repaired": 1}
    assert content(served.home) == before


def test_what_was_never_sent_is_reported_and_left_to_a_person(served: Gateway) -> None:
    number = "330106199001011234"
    tamper(served.home, SITE, "INSERT INTO {table} SELECT entry, ?, batch, received_at, ends_on, words, fields FROM records WHERE entry = ? LIMIT 1",
           number, ENTRY)
    told: list[str] = []
    figures = reconcile_all(served, [ENTRY], told.append)[SITE]
    assert (figures["extra"], figures["repaired"]) == (1, 0) and any("reconcile status" in words for words in told)
    [row] = standing_discrepancies(served)
    assert (row["recipient"], row["kind"], row["record"], row["repaired_at"]) == (SITE, "extra", "", None)
    page = write_report(served, ON.isoformat(), served.home / "reports").read_text()
    assert "当日未对账" not in page and "待处理" in page and number not in page
    assert number not in json.dumps(row), "I8: a handle that is not ours may be somebody's number"


def test_i6_after_a_takedown_a_recipient_that_obeyed_differs_in_nothing(served: Gateway) -> None:
    open_takedown(served, [held_by_all(served)], REPAIR)
    decide_all(served, [ENTRY])
    assert [kinds(served, recipient) for recipient in ALL] == [{"repaired": 0}] * 4


def test_i6_a_restored_copy_of_a_site_does_not_keep_what_was_taken_back(served: Gateway) -> None:
    before, record = content(served.home), held_by_all(served)
    with closing(database(served.home, SITE)) as there:
        rows = there.execute("SELECT * FROM records WHERE entry = ?", [ENTRY]).fetchall()
    open_takedown(served, [record], REPAIR)
    decide_all(served, [ENTRY])
    after = content(served.home)
    with closing(database(served.home, SITE)) as there, there:
        there.executemany(f"INSERT OR REPLACE INTO records VALUES ({', '.join('?' * len(rows[0]))})", rows)
    assert content(served.home) != after
    assert kinds(served, SITE) == {"resurrected": 1, "repaired": 1}
    assert content(served.home) == after and len(before) == len(after) + 4
    assert {row["recipient"]: row["state"] for row in status(served, ON)}[SITE] == "confirmed"


def test_i6_i11_a_restored_copy_of_before_the_handles_key_was_rotated_is_taken_back_too(served: Gateway) -> None:
    record = held_by_all(served)
    with closing(database(served.home, SITE)) as there:
        rows = there.execute("SELECT * FROM records WHERE entry = ?", [ENTRY]).fetchall()
    rotated = with_another_handle_key(served)
    open_takedown(rotated, [record], REPAIR)
    decide_all(rotated, [ENTRY])
    after = content(served.home)
    with closing(database(served.home, SITE)) as there, there:
        there.executemany(f"INSERT OR REPLACE INTO records VALUES ({', '.join('?' * len(rows[0]))})", rows)
    assert kinds(rotated, SITE) == {"resurrected": 1, "repaired": 1} and content(served.home) == after


def test_i11_after_the_handles_key_was_rotated_a_record_is_compared_as_before_and_mended_under_its_old_handle(served: Gateway) -> None:
    before, rotated, lost = content(served.home), with_another_handle_key(served), handles_of(served.home, SITE)[0]
    tamper(served.home, SITE, "DELETE FROM {table} WHERE handle = ?", lost)
    assert kinds(rotated, SITE) == {"missing": 1, "repaired": 1} and content(served.home) == before
    assert kinds(rotated, PACKAGE) == {"repaired": 0}


def test_a_recipient_that_is_down_holds_up_nobody_and_nothing_is_concluded_from_its_silence(served: Gateway) -> None:
    before, told = content(served.home), list[str]()
    Faults(served.home / "sample" / "faults.json").set(SITE, Fault.DOWN)
    figures = reconcile_all(served, [ENTRY], told.append)
    assert sorted(figures) == [name for name in ALL if name != SITE] and any(SITE in words for words in told)
    assert content(served.home) == before and standing_discrepancies(served) == []
    with served.engine.connect() as connection:
        held = count(connection).set_index("recipient")["records"]
    assert held[SITE] == len(handles_of(served.home, SITE)), "no holding is given up because nobody answered"


def test_an_inbox_whose_owner_does_not_answer_is_left_without_inquiries(served: Gateway) -> None:
    catalog = served.catalog.recipients[PACKAGE]
    inbox = served.home / "sample" / "recipients" / PACKAGE
    Faults(served.home / "sample" / "faults.json").set(PACKAGE, Fault.DOWN)
    way = way_of(served, Errand("2026-11-23.x", FEED, ENTRY, PACKAGE, served.catalog.edition))
    hurried = replace(way.door, recipient=catalog.model_copy(update={"deadline": 1}))
    with pytest.raises(RecipientUnavailable):
        ask(Inquiry("a" * 64, ("",), 3), hurried)
    assert not [path for name in ("incoming", "receipts") for path in inbox.rglob(f"{name}/{'a' * 64}.*")]


def test_an_answer_with_a_wrong_signature_changes_nothing(served: Gateway) -> None:
    before, told = content(served.home), list[str]()
    Faults(served.home / "sample" / "faults.json").set(SITE, Fault.WRONG_SIGNATURE)
    assert SITE not in reconcile_all(served, [ENTRY], told.append) and any("signature" in words for words in told)
    assert content(served.home) == before


def test_who_does_not_answer_is_told_by_when_it_was_compared_and_not_as_one_without_differences(
        served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))
    assert all("尚未全部对账 not all of it was ever compared" in line for line in CliRunner().invoke(app, ["reconcile", "status"]).output.splitlines()[1:])
    reconcile_all(served, [ENTRY])
    first = compared(served)
    Faults(served.home / "sample" / "faults.json").set(SITE, Fault.DOWN)
    reconcile_all(replace(served, clock=lambda: served.clock() + timedelta(days=1)), [ENTRY], lambda _: None)
    assert {name for name, at in compared(served).items() if at == first[name]} == {SITE}
    assert f"{SITE:<20} 全部对账于 all compared since 2026-11-23T02:30:00+08:00" in CliRunner().invoke(app, ["reconcile", "status"]).output


def test_i1_what_a_front_end_took_and_then_refused_in_another_version_comes_back_when_its_grant_ends(served: Gateway, tmp_path: Path) -> None:
    table = f"share_{ENTRY}"
    with closing(database(served.home, FRONT)) as there, there:
        there.execute(f'CREATE TRIGGER refuse AFTER UPDATE OF taken_flag ON "{table}" WHEN NEW.taken_flag = 1 AND NEW.effect IS NULL '
                      f'BEGIN UPDATE "{table}" SET taken_flag = 2, failure_reason = \'full\' WHERE rowid = NEW.rowid; END')
    decide_all(under(served, tmp_path / "narrowed", {f"grants.{FRONT}.fields.CF_YJ": GONE}), [ENTRY], lambda _: None)
    reconcile_all(served, [ENTRY], lambda _: None)
    assert handles_of(served.home, FRONT), "it took them once, and its own systems show them still"
    decide_all(under(served, tmp_path / "ended", {f"grants.{FRONT}": GONE}), [ENTRY], lambda _: None)
    assert handles_of(served.home, FRONT) == []
