"""What is out is decided again from the store: the source is not asked, and a reader of its own counts what recipients hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from catalog.load import load
from gateway import again
from gateway.night import decide_all, run_night
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from ledger import log
from ledger.holdings import TEXT
from ledger.questions import decided_again
from records.database import writing
from records.schema import holdings, outbox
from records.stages import HANDLE, NOTICE, REASON, RECORD
from tests.catalog.altered import GONE, PENALTY, alter, copied
from tests.flow.conftest import with_another_handle_key
from tests.flow.held_content import ON, content

FEED, ENTRY = "law_enforcement.administrative_penalty_legal", "administrative_penalty_legal"
ALL = {"credit_china", "gsxt", "national_platform", "public_resources"}


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    """Everybody holds tonight's penalties; from here on the department hands in nothing any more."""
    run_night(gateway, ON, [FEED], print)
    secrets = gateway.home / "secrets" / "connections.yml"
    secrets.write_text(secrets.read_text("utf-8").replace("law_enforcement_db:", "gone_db:"), "utf-8")
    return gateway


def held(gateway: Gateway) -> dict[str, dict[str, dict[str, str | None]]]:
    """Fields by recipient and handle."""
    found: dict[str, dict[str, dict[str, str | None]]] = {}
    for (recipient, _, handle), fields in content(gateway.home).items():
        found.setdefault(recipient, {})[handle] = json.loads(fields)
    return found


def under(gateway: Gateway, tmp_path: Path, changes: dict[str, object]) -> Gateway:
    """The same house under a catalogue altered in the penalty entry."""
    root = copied(tmp_path)
    alter(root, PENALTY, changes)
    load(root)
    return replace(gateway, catalog_root=root)


def decided(gateway: Gateway) -> dict[str, dict[str, int]]:
    told: list[str] = []
    figures = decide_all(gateway, [ENTRY], told.append)
    assert told == []
    return figures


def test_nothing_changes_where_nothing_changed(served: Gateway) -> None:
    before = content(served.home)
    for figures in decided(served).values():
        assert (figures["delivered"], figures["withdrawn"], figures["outstanding"], figures["unseen"]) == (0, 0, 0, 0)
        assert figures["accepted"] == figures["unchanged"] + figures["withheld"] > 0
    assert content(served.home) == before


def test_i1_a_field_taken_out_of_a_grant_leaves_the_recipient_the_next_night_without_asking_the_source(
        served: Gateway, tmp_path: Path) -> None:
    before = held(served)
    narrowed = under(served, tmp_path, {"grants.credit_china.fields.CF_SY": GONE})
    figures = decided(narrowed)
    after = held(served)
    assert figures["credit_china"]["delivered"] == len(before["credit_china"]) > 0
    assert all("CF_SY" not in fields or fields["CF_SY"] is None for fields in after["credit_china"].values())
    assert {name: after[name] for name in ALL - {"credit_china"}} == {name: before[name] for name in ALL - {"credit_china"}}
    assert all(figures[name]["delivered"] == figures[name]["withdrawn"] == 0 for name in ALL - {"credit_china"})


def test_i11_after_the_handles_key_was_rotated_what_changes_comes_under_the_handle_that_is_known(served: Gateway, tmp_path: Path) -> None:
    before = held(served)
    rotated = with_another_handle_key(under(served, tmp_path, {"grants.credit_china.fields.CF_SY": GONE}))
    assert decided(rotated)["credit_china"]["delivered"] == len(before["credit_china"]) > 0
    after = held(served)
    assert after["credit_china"].keys() == before["credit_china"].keys(), "nobody has a record twice"
    assert all(fields.get("CF_SY") is None for fields in after["credit_china"].values())


def test_i1_i11_after_the_handles_key_was_rotated_an_ended_grant_still_takes_back_what_may_have_arrived(
        served: Gateway, tmp_path: Path) -> None:
    with writing(served.engine) as connection:  # as if no receipt had come
        connection.execute(sa.delete(holdings).where(holdings.c.recipient == "gsxt"))
        connection.execute(sa.update(outbox).where(outbox.c.recipient == "gsxt").values(state="sent"))
    decided(with_another_handle_key(under(served, tmp_path, {"grants.gsxt": GONE})))
    assert "gsxt" not in held(served)


def test_i1_a_grant_taken_away_takes_every_record_back_and_only_there(served: Gateway, tmp_path: Path) -> None:
    before = held(served)
    figures = decided(under(served, tmp_path, {"grants.gsxt": GONE}))
    after = held(served)
    assert figures["gsxt"]["withdrawn"] == len(before["gsxt"]) > 0 and "gsxt" not in after
    assert {name: after[name] for name in ALL - {"gsxt"}} == {name: before[name] for name in ALL - {"gsxt"}}
    assert decided(under(served, tmp_path / "again", {"grants.gsxt": GONE})).get("gsxt") is None, "nobody asks it twice"


def test_i9_a_record_past_its_publicity_end_is_taken_back_from_the_sites_only(served: Gateway) -> None:
    before = held(served)
    later = replace(served, clock=lambda: served.clock() + timedelta(days=365 * 20))
    figures = decided(later)
    after = held(served)
    assert "credit_china" not in after and "gsxt" not in after
    assert set(after["public_resources"]) <= set(before["public_resources"])
    assert figures["credit_china"]["withdrawn"] == len(before["credit_china"])


def test_a_new_recipient_is_filled_from_the_store(served: Gateway, tmp_path: Path) -> None:
    without = under(served, tmp_path, {"grants.gsxt": GONE})
    decided(without)
    assert "gsxt" not in held(served)
    decided(served)
    assert len(held(served)["gsxt"]) > 0


def test_i4_a_recipient_that_is_down_keeps_what_it_has_until_it_confirms(gateway: Gateway, tmp_path: Path) -> None:
    with World(gateway.home, gateway.catalog.entries):
        run_night(gateway, ON, [FEED], print)
    narrowed = under(gateway, tmp_path, {"grants.credit_china": GONE})
    told: list[str] = []
    figures = decide_all(narrowed, [ENTRY], told.append)
    assert "credit_china" not in figures and any("credit_china" in words for words in told)
    open_ = decided_again(gateway.engine, gateway.today.isoformat()).set_index("recipient")
    assert int(open_.at["credit_china", "outstanding"]) > 0 and int(open_.at["credit_china", "withdrawn"]) == 0
    with World(gateway.home, gateway.catalog.entries):
        assert decide_all(narrowed, [ENTRY])["credit_china"]["outstanding"] == 0
    assert "credit_china" not in held(gateway)
    assert log.verify(gateway.engine).open_runs == ()


def test_a_recipient_that_left_the_catalogue_while_it_holds_records_is_told(served: Gateway, tmp_path: Path) -> None:
    root = copied(tmp_path)
    for entry in sorted(root.glob("entries/*/*.yml")):
        name = str(entry.relative_to(root))
        if "  gsxt:" in entry.read_text("utf-8"):
            alter(root, name, {"grants.gsxt": GONE})
    (root / "recipients" / "gsxt.yml").unlink()
    told: list[str] = []
    decide_all(replace(served, catalog_root=root), [ENTRY], told.append)
    assert any("recipient gsxt left the catalogue" in words for words in told)
    assert held(served)["gsxt"]


def test_every_entry_of_the_catalogue_and_every_entry_somebody_holds_is_gone_through(served: Gateway) -> None:
    assert again.entries(served) == sorted(served.catalog.entries)


def test_i4_what_went_out_without_a_receipt_and_may_have_arrived_is_taken_back_too(served: Gateway, tmp_path: Path) -> None:
    """Killed between the door and the receipt: the site shows the records, the holdings do not know them."""
    with writing(served.engine) as connection:
        connection.execute(sa.delete(holdings).where(holdings.c.recipient == "credit_china"))
        connection.execute(sa.update(outbox).where(outbox.c.recipient == "credit_china").values(state="intended"))
    figures = decided(under(served, tmp_path, {"grants.credit_china": GONE}))
    assert figures["credit_china"]["withdrawn"] > 0
    assert "credit_china" not in held(served)


def test_i1_a_field_that_arrived_without_a_receipt_leaves_the_recipient_when_the_catalogue_is_put_back(
        served: Gateway, tmp_path: Path) -> None:
    without = under(served, tmp_path, {"grants.credit_china.fields.CF_SY": GONE})
    decided(without)
    faults = Faults(served.home / "sample" / "faults.json")
    faults.set("credit_china", Fault.WRONG_SIGNATURE)
    decide_all(served, [ENTRY], lambda _: None)
    assert all(fields["CF_SY"] for fields in held(served)["credit_china"].values()), "it took the batch, and its receipt counts for nothing"
    faults.set("credit_china", Fault.NONE)
    decided(without)
    assert all(fields.get("CF_SY") is None for fields in held(served)["credit_china"].values())


def test_what_was_lifted_while_it_was_decided_is_not_asked_for_and_holds_up_nothing() -> None:
    held = pd.DataFrame({RECORD: ["r1", "r2"], HANDLE: ["h1", "h2"], "state": "held"}, dtype=TEXT)
    withheld = pd.DataFrame({RECORD: ["r1", "r2"], REASON: ["withdrawn", "no-grant"]}, dtype=TEXT)
    nothing_listed = pd.DataFrame(columns=["reason", "effects", "deadline"], index=pd.Index([], dtype=TEXT), dtype=TEXT)
    rows = again.to_withdraw(held, withheld, nothing_listed)
    assert rows.to_dict("records") == [{RECORD: "r2", HANDLE: "h2", "effects": "", "deadline": "", NOTICE: "catalogue-changed"}]
