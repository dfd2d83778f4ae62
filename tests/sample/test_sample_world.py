"""The running world: recipients that take a batch once, a public site that forgets in time, departments that page."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures import InvalidSignature as Unsigned
from http_message_signatures.algorithms import ED25519

from catalog.model import Entry
from delivery.messages import ANSWER_COVERED
from gateway.sample import World, creation, site, state
from gateway.sample.site import Search
from gateway.sample.store import Parcel, Store, content_digest
from gateway.settings import Gateway, set_up
from keys import connection
from keys.connection import Connection
from tests.delivery import signed_push

ON = date(2026, 11, 20)


def entry(publicity_end: str | None, *recipients: str) -> Entry:
    fields = {
        code: {
            "title": {"zh": f"{code}项", "en": f"field {code}"},
            "type": kind,
            "sensitivity": "open",
            "publish": True,
        }
        for code, kind in {"name": "text", "number": "identifier", "until": "date"}.items()
    }
    basis = [{"instrument": "a_law", "article": "1"}]
    grant = {"basis": basis, "subjects": ["legal_person"], "fields": dict.fromkeys(fields, "open")}
    return Entry.model_validate(
        {
            "title": {"zh": "处罚", "en": "Penalty"},
            "category": 3,
            "nature": "adverse",
            "basis": basis,
            "in_force_from": ON,
            "subject": {"name": "name"},
            "fields": fields,
            "natural_key": ["number"],
            "publicity_end": publicity_end,
            "thresholds": {"max_quarantined": 0.5, "min_sample": 10, "min_kept": 0.5},
            "grants": dict.fromkeys(recipients, grant),
        }
    )


ENTRIES = {"penalty": entry("until", "credit_china", "public_resources"), "praise": entry(None, "credit_china")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    set_up(Gateway(home, f"sqlite:///{home / 'gateway.db'}"))
    creation.create(home, ON, scale=0.1)
    with World(home, ENTRIES) as running:
        yield running


def reached(world: World, name: str) -> Connection:
    return connection.load(world.home / "secrets" / "connections.yml")[name]


def batch_bytes(batch: str, *records: dict[str, Any], entry: str = "penalty") -> bytes:
    return json.dumps(
        {"batch": batch, "entry": entry, "records": records}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def record(handle: str, name: str = "云上公司", until: str | None = "2999-01-01") -> dict[str, Any]:
    return {"handle": handle, "fields": {"name": name, "number": f"号{handle}", "until": until}}


def push(world: World, name: str, batch: str, body: bytes, **headers: str) -> requests.Response:
    return signed_push.push(reached(world, name), Gateway(world.home, "").signer(name), batch, body, **headers)


def verify_answer(at: Connection, answer: requests.Response) -> None:
    keys = {at.key_id: Ed25519PublicKey.from_public_bytes(b64decode(at.public_key))}
    resolver = MappingKeyResolver(public_keys=keys, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=resolver)
    verifier.verify(answer, expect_tag="pcg-receipt", require_components=ANSWER_COVERED, body=answer.content)


def verify(at: Connection, body: bytes, signature: str) -> None:
    key_id, _, encoded = signature.partition(":")
    assert key_id == at.key_id
    Ed25519PublicKey.from_public_bytes(b64decode(at.public_key)).verify(b64decode(encoded), body)


def soon(question: Callable[[], Any]) -> Any:
    """Asks until the answer is something, ten seconds at most."""
    ends_at = time.monotonic() + 10
    while not (answer := question()) and time.monotonic() < ends_at:
        time.sleep(0.05)
    return answer


def test_a_receipt_names_every_record_and_verifies_under_the_registered_key(world: World) -> None:
    body = batch_bytes("b1", record("h1"), {"handle": "", "fields": {}}, {"handle": "h2", "fields": {"name": 3}})
    answer = push(world, "national_platform", "b1", body)
    verify_answer(reached(world, "national_platform"), answer)
    assert answer.json()["content_digest"] == content_digest(body)
    assert [(line["handle"], line["status"]) for line in answer.json()["records"]] == [
        ("h1", "accepted"),
        ("", "refused"),
        ("h2", "refused"),
    ]


def test_i4_the_same_batch_again_gets_the_same_receipt_byte_for_byte(world: World) -> None:
    body = batch_bytes("b2", record("h3"))
    first, second = push(world, "national_platform", "b2", body), push(world, "national_platform", "b2", body)
    assert first.content == second.content


def test_a_batch_id_that_comes_with_other_content_is_refused_with_409(world: World) -> None:
    push(world, "national_platform", "b3", batch_bytes("b3", record("h4")))
    assert push(world, "national_platform", "b3", batch_bytes("b3", record("h5"))).status_code == 409
    assert "h5" not in state.handles(world.home, "national_platform", "penalty")


def test_i4_a_record_that_comes_in_a_later_batch_replaces_itself(world: World) -> None:
    for batch, name in (("b4", "旧名公司"), ("b5", "新名公司")):
        push(world, "credit_china", batch, batch_bytes(batch, record("h6", name)))
    page = requests.get(world.urls["credit_china"] + "/records/penalty/h6", timeout=10).text
    assert "新名公司" in page and "旧名公司" not in page
    assert sum(handle == "h6" for handle in state.handles(world.home, "credit_china", "penalty")) == 1


@pytest.mark.parametrize(
    "header, value, status",
    [
        ("Authorization", "Bearer wrong", 401),
        ("Content-Digest", content_digest(b"another body"), 401),
        ("Idempotency-Key", "other", 400),
    ],
)
def test_a_request_that_does_not_hold_together_is_refused(world: World, header: str, value: str, status: int) -> None:
    body = batch_bytes("b6", record("h7"))
    assert push(world, "national_platform", "b6", body, **{header: value}).status_code == status


def test_the_site_finds_a_record_by_part_of_its_text_in_both_languages(world: World) -> None:
    push(world, "credit_china", "s1", batch_bytes("s1", record("s1", "汐桥百分%号公司"), record("s2", "无关公司")))
    for lang, title in (("zh", "处罚"), ("en", "Penalty")):
        page = requests.get(world.urls["credit_china"], params={"q": "分%号", "lang": lang}, timeout=10).text
        assert "汐桥百分%号公司" in page and "无关公司" not in page and title in page


def test_a_percent_sign_in_a_search_stands_for_itself(world: World) -> None:
    push(world, "credit_china", "s7", batch_bytes("s7", record("s7", "起点终点公司")))
    assert "0 条" in requests.get(world.urls["credit_china"], params={"q": "起点%公司"}, timeout=10).text


def test_the_site_escapes_what_a_record_holds_and_runs_no_script(world: World) -> None:
    push(world, "credit_china", "s3", batch_bytes("s3", record("s3", "<script>alert(1)</script>")))
    page = requests.get(world.urls["credit_china"], params={"q": "alert"}, timeout=10)
    assert "&lt;script&gt;" in page.text and "<script" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_i9_a_record_whose_publicity_ended_is_held_but_not_shown(world: World) -> None:
    push(
        world,
        "credit_china",
        "s4",
        batch_bytes("s4", record("s4", "期满公司", "2020-01-01"), record("s5", "无期公司", None)),
    )
    assert {"s4", "s5"} <= state.handles(world.home, "credit_china", "penalty")
    for handle, name in (("s4", "期满公司"), ("s5", "无期公司")):
        assert requests.get(f"{world.urls['credit_china']}/records/penalty/{handle}", timeout=10).status_code == 404
        listed = requests.get(world.urls["credit_china"], params={"q": name}, timeout=10).text
        assert "0 条" in listed


def test_i9_a_record_leaves_the_site_when_its_last_day_is_over_though_nothing_runs(tmp_path: Path) -> None:
    ends = {"penalty": "until"}
    parcel = Parcel("b", "penalty", "d", [record("h", until="2026-11-20")])
    # 16:00 UTC is midnight in Shanghai: the last day itself still counts.
    for moment, shown in (("2026-11-20T15:59:00+00:00", 1), ("2026-11-20T16:00:00+00:00", 0)):
        store = Store(tmp_path / "holdings.db", ends, partial(datetime.fromisoformat, moment))
        store.take(parcel)
        assert site.find(store, Search("", "", 1))[0] == shown
        assert (site.read(store, "penalty", "h") is not None) == bool(shown)


def test_an_entry_without_an_end_of_publicity_stays_on_the_site(world: World) -> None:
    push(world, "credit_china", "s6", batch_bytes("s6", record("s6", "常在公司", None), entry="praise"))
    assert requests.get(f"{world.urls['credit_china']}/records/praise/s6", timeout=10).status_code == 200


def ask(world: World, **query: str) -> dict[str, Any]:
    at = reached(world, "court_service")
    answer = requests.get(
        f"{at.url}/api/judgment-defaulters", params=query, timeout=10, headers={"Authorization": f"Bearer {at.token}"}
    )
    answer.raise_for_status()
    read: dict[str, Any] = answer.json()
    return read


def test_the_pages_of_a_service_add_up_to_its_total_without_repetition(world: World) -> None:
    first = ask(world, page="1", page_size="50")
    pages = [ask(world, page=str(number), page_size="50")["rows"] for number in range(1, -(-first["total"] // 50) + 1)]
    cases = [row["case_code"] for page in pages for row in page]
    assert len(cases) == first["total"] and len(set(cases)) >= first["total"] - 2  # two rows are planted twice


def test_three_nights_of_a_service_hold_all_its_rows_once(world: World) -> None:
    nights = [
        ask(world, **{"from": f"2026-11-{day}T02:00:00+08:00", "to": f"2026-11-{day + 1}T02:00:00+08:00"})["total"]
        for day in (17, 18, 19)
    ]
    assert min(nights) > 0 and sum(nights) == ask(world)["total"]


def test_a_row_changed_at_the_very_end_of_a_window_belongs_to_the_next(world: World) -> None:
    moment = ask(world, fields="updated_at")["rows"][0]["updated_at"]
    day = "2026-11-01 00:00:00"
    before = ask(world, **{"from": day, "to": moment, "fields": "updated_at", "page_size": "5000"})["rows"]
    after = ask(world, **{"from": moment, "to": "2026-12-01 00:00:00", "fields": "updated_at", "page_size": "5000"})[
        "rows"
    ]
    assert {"updated_at": moment} in after and {"updated_at": moment} not in before


def test_a_service_gives_only_the_fields_asked_for_and_overlooks_unknown_ones(world: World) -> None:
    assert set(ask(world, fields="case_code,performance,nonsense")["rows"][0]) == {"case_code", "performance"}


def test_a_service_refuses_whoever_has_no_token(world: World) -> None:
    assert requests.get(reached(world, "court_service").url + "/api/judgment-defaulters", timeout=10).status_code == 401


def test_the_front_end_takes_rows_and_refuses_one_without_a_handle(world: World) -> None:
    path = world.root / "recipients" / "public_resources" / "holdings.db"
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.executemany(
            "INSERT INTO share_penalty (handle, batch, name) VALUES (?, 'f1', '云上公司')", [("f1",), ("",)]
        )

    def flags() -> dict[str, tuple[int, str]]:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            rows = database.execute(
                "SELECT handle, taken_flag, failure_reason FROM share_penalty WHERE taken_flag IS NOT NULL"
            )
            return {row[0]: row[1:] for row in rows}

    assert soon(flags) == {"f1": (1, None), "": (2, "no-handle")}
    assert state.handles(world.home, "public_resources", "penalty") == {"f1"}


def drop_package(world: World, batch: str, body: bytes, digest: str | None = None, signed_for: str = "gsxt") -> Path:
    folder = world.root / "recipients" / "gsxt"
    (folder / "incoming" / f"{batch}.jsonl").write_bytes(body)
    file = {"name": f"{batch}.jsonl", "sha256": digest or hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    draft = folder / "incoming" / f"{batch}.manifest.json.tmp"
    draft.write_text(json.dumps({"batch": batch, "entry": "penalty", "records": 1, "files": [file]}))
    signer = Gateway(world.home, "").signer(signed_for)
    announced = draft.read_bytes()
    signature = f"{signer.key_id}:{b64encode(signer.sign(announced)).decode()}"
    (folder / "incoming" / f"{batch}.{hashlib.sha256(announced).hexdigest()[:16]}.sig").write_text(signature)
    draft.rename(folder / "incoming" / f"{batch}.manifest.json")
    return folder


def test_t14_a_package_whose_manifest_is_signed_for_another_recipient_is_rejected(world: World) -> None:
    folder = drop_package(world, "p9", json.dumps(record("p9")).encode(), signed_for="credit_china")
    assert soon((folder / "rejected" / "p9.manifest.json").exists)
    assert not (folder / "receipts" / "p9.receipt.json").exists()


def test_a_package_gets_a_signed_receipt_and_leaves_the_inbox(world: World) -> None:
    body = json.dumps(record("p1")).encode() + b"\n"
    folder = drop_package(world, "p1", body)
    receipt = folder / "receipts" / "p1.receipt.json"
    assert soon(receipt.exists)
    verify(reached(world, "gsxt"), receipt.read_bytes(), receipt.with_name("p1.receipt.sig").read_text())
    assert json.loads(receipt.read_bytes())["content_digest"] == content_digest(body)
    assert not list((folder / "incoming").glob("p1.*")) and "p1" in state.handles(world.home, "gsxt", "penalty")


def test_a_package_that_does_not_fit_its_manifest_gets_no_receipt(world: World) -> None:
    folder = drop_package(world, "p2", json.dumps(record("p2")).encode(), digest="0" * 64)
    assert soon((folder / "rejected" / "p2.manifest.json").exists)
    assert not (folder / "receipts" / "p2.receipt.json").exists() and "p2" not in state.handles(
        world.home, "gsxt", "penalty"
    )


def test_a_recipient_misbehaves_while_told_to_and_then_recovers(world: World) -> None:
    body, name = batch_bytes("f1", record("f1")), "national_platform"
    world.fault(name, "down")
    assert push(world, name, "f1", body).status_code == 503
    world.fault(name, "html")
    assert "text/html" in push(world, name, "f1", body).headers["Content-Type"]
    world.fault(name, "wrong-signature")
    answer = push(world, name, "f1", body)
    with pytest.raises(Unsigned):
        verify_answer(reached(world, name), answer)
    world.fault(name, "none")
    answer = push(world, name, "f1", body)
    verify_answer(reached(world, name), answer)


def test_a_package_answered_with_a_wrong_signature_gets_the_right_one_later(world: World) -> None:
    world.fault("gsxt", "wrong-signature")
    folder = drop_package(world, "p3", json.dumps(record("p3")).encode())
    receipt = folder / "receipts" / "p3.receipt.json"
    assert soon(receipt.exists)
    with pytest.raises(InvalidSignature):
        verify(reached(world, "gsxt"), receipt.read_bytes(), receipt.with_name("p3.receipt.sig").read_text())
    world.fault("gsxt", "none")
    assert soon(lambda: not (folder / "receipts" / "p3.spoiled").exists())
    verify(reached(world, "gsxt"), receipt.read_bytes(), receipt.with_name("p3.receipt.sig").read_text())


def test_a_restart_keeps_addresses_keys_holdings_and_other_peoples_connections(tmp_path: Path) -> None:
    set_up(Gateway(tmp_path, f"sqlite:///{tmp_path / 'gateway.db'}"))
    creation.create(tmp_path, ON, scale=0.01)
    path = tmp_path / "secrets" / "connections.yml"
    connection.save(path, {"somebody_else": {"url": "http://127.0.0.1:9", "token": "theirs"}})
    with World(tmp_path, ENTRIES) as first:
        push(first, "national_platform", "r1", batch_bytes("r1", record("r1")))
        before = dict(connection.load(path))
    with World(tmp_path, ENTRIES):
        assert dict(connection.load(path)) == before and "somebody_else" in before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert state.held(tmp_path)["national_platform"] == {"penalty": 1}


def test_nothing_answers_after_the_world_has_stopped(tmp_path: Path) -> None:
    creation.create(tmp_path, ON, scale=0.01)
    with World(tmp_path, ENTRIES) as world:
        url = world.urls["court"]
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/health", timeout=2)
