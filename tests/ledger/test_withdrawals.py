"""What a recipient is asked to take back: asked once, kept until it confirms, forgotten when the record goes out again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger import withdrawals
from ledger.holdings import TEXT, Holder
from ledger.withdrawals import EFFECT, State
from records import schema
from records.database import writing
from records.stages import HANDLE, NOTICE, RECORD

SITE = Holder("site", "penalty")
MONDAY = datetime(2026, 11, 23, 4, tzinfo=UTC)


def rows(*names: str, effect: str = "delete") -> pd.DataFrame:
    return pd.DataFrame([(f"r{name}", f"h{name}", "repair", effect) for name in names], columns=[RECORD, HANDLE, NOTICE, EFFECT], dtype=TEXT)


def row(engine: Engine, handle: str) -> dict[str, object]:
    with engine.connect() as connection:
        return dict(connection.execute(sa.select(schema.withdrawals).where(schema.withdrawals.c.handle == handle)).mappings().one())


def test_who_is_asked_twice_keeps_the_first_deadline_and_who_had_confirmed_gets_a_new_one(engine: Engine) -> None:
    with writing(engine) as connection:
        withdrawals.ask(connection, SITE, rows("1", "2"), (MONDAY, "2026-11-26"))
        withdrawals.tried(connection, SITE, pd.Series(["h1", "h2"]))
        withdrawals.confirm(connection, SITE, pd.Series(["h2"]), ("delete", MONDAY))
        withdrawals.ask(connection, SITE, rows("1", "2"), (MONDAY + timedelta(days=1), "2026-11-27"))
    first, second = row(engine, "h1"), row(engine, "h2")
    assert (first["deadline"], first["tries"], first["state"]) == ("2026-11-26", 1, State.OUTSTANDING)
    assert (second["deadline"], second["tries"], second["state"], second["confirmed_at"]) == ("2026-11-27", 0, State.OUTSTANDING, None)


def test_another_effect_is_asked_for_anew(engine: Engine) -> None:
    with writing(engine) as connection:
        withdrawals.ask(connection, SITE, rows("1", effect="mark"), (MONDAY, "2026-11-26"))
        withdrawals.tried(connection, SITE, pd.Series(["h1"]))
        withdrawals.ask(connection, SITE, rows("1"), (MONDAY, "2026-11-30"))
        assert list(withdrawals.outstanding(connection, SITE, only_fresh=True)[EFFECT]) == ["delete"]
    assert row(engine, "h1")["deadline"] == "2026-11-30"


def test_i6_the_receipt_of_a_mark_confirms_no_deletion_that_was_ordered_since(engine: Engine) -> None:
    with writing(engine) as connection:
        withdrawals.ask(connection, SITE, rows("1", effect="mark"), (MONDAY, "2026-11-26"))
        withdrawals.ask(connection, SITE, rows("1"), (MONDAY, "2026-11-30"))
        withdrawals.confirm(connection, SITE, pd.Series(["h1"]), ("mark", MONDAY))
        assert list(withdrawals.outstanding(connection, SITE)[EFFECT]) == ["delete"]
        withdrawals.confirm(connection, SITE, pd.Series(["h1"]), ("delete", MONDAY))
    assert row(engine, "h1")["state"] == State.CONFIRMED


def test_i6_what_is_brought_beside_a_takedown_is_still_to_be_taken_back_and_all_else_is_forgotten(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.insert(schema.withdrawn).values(
            entry="penalty", record="r1", reason="repair", document="某号", since=MONDAY.isoformat()))
        withdrawals.ask(connection, SITE, rows("1", "2"), (MONDAY, "2026-11-26"))
        withdrawals.confirm(connection, SITE, pd.Series(["h1", "h2"]), ("delete", MONDAY))
        withdrawals.brought(connection, SITE, pd.Series(["h1", "h2"]))
        assert list(withdrawals.outstanding(connection, SITE)[HANDLE]) == ["h1"]
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.withdrawals)).scalar_one() == 1


def test_a_page_that_shows_a_record_counts_only_after_the_site_confirmed(engine: Engine) -> None:
    with writing(engine) as connection:
        withdrawals.ask(connection, SITE, rows("1", "2"), (MONDAY, "2026-11-26"))
        withdrawals.confirm(connection, SITE, pd.Series(["h1"]), ("delete", MONDAY))
        assert [each["handle"] for each in withdrawals.unread(connection, "site", 10)] == ["h1"]
        for handle in ("h1", "h2"):
            withdrawals.probed(connection, SITE, handle, (False, MONDAY))
        assert withdrawals.unread(connection, "site", 10) == []
    assert row(engine, "h1")["state"] == State.VERIFIED and row(engine, "h2")["state"] == State.OUTSTANDING
