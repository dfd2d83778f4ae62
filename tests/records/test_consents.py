"""Consents: for one purpose, for a set time, under a keyed name (D51, D52)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from records import consents
from records.consents import Consent, ConsentRefused
from records.database import writing
from records.identity import TEXT, subjects

SOUND = Consent("1-ab", "loans", date(2026, 1, 1), date(2026, 12, 31), "号码以外的处罚信息", "书面", "同意书〔2026〕1号")
YEAR = 366


def given(engine: Engine, *many: Consent, max_days: int = YEAR) -> None:
    for one in many:
        with writing(engine) as connection:
            consents.give(connection, one, max_days)


def valid(engine: Engine, on: date, purpose: str = "loans") -> list[str]:
    with engine.connect() as connection:
        return consents.valid(connection, purpose, on)["subject"].tolist()


def test_a_consent_holds_from_its_first_day_to_its_last(engine: Engine) -> None:
    given(engine, SOUND)
    held = [bool(valid(engine, on)) for on in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))]
    assert held == [False, True, True, False]
    assert valid(engine, date(2026, 5, 1), "rent") == []


def test_d52_a_revoked_consent_holds_no_longer_from_that_day_on(engine: Engine) -> None:
    given(engine, SOUND)
    with writing(engine) as connection:
        assert consents.revoke(connection, "1-ab", "loans", date(2026, 6, 1)) == 1
    assert valid(engine, date(2026, 5, 31)) == ["1-ab"] and valid(engine, date(2026, 6, 1)) == []
    with pytest.raises(ConsentRefused, match="no consent to revoke"), writing(engine) as connection:
        consents.revoke(connection, "1-ab", "loans", date(2026, 6, 1))


def test_d52_a_subject_may_revoke_earlier_than_it_first_said_and_not_later(engine: Engine) -> None:
    given(engine, SOUND)
    for on in (date(2026, 8, 1), date(2026, 6, 1)):
        with writing(engine) as connection:
            consents.revoke(connection, "1-ab", "loans", on)
    assert valid(engine, date(2026, 5, 31)) == ["1-ab"] and valid(engine, date(2026, 6, 1)) == []
    with pytest.raises(ConsentRefused, match="no consent to revoke"), writing(engine) as connection:
        consents.revoke(connection, "1-ab", "loans", date(2026, 8, 1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expires_on": None}, "without an end"),
        ({"expires_on": date(2027, 1, 3)}, "longer than the 366 days"),
        ({"expires_on": date(2025, 12, 31)}, "ends before it begins"),
        ({"purpose": "loans, rent"}, "one purpose"),
        ({"scope": " "}, "scope"), ({"method": ""}, "method"), ({"document": ""}, "evidence"),
    ],
)  # fmt: skip
def test_d52_open_ended_too_long_and_bundled_consents_are_refused(engine: Engine, changes: dict[str, object], why: str) -> None:
    with pytest.raises(ConsentRefused, match=why):
        given(engine, replace(SOUND, **changes))
    assert valid(engine, date(2026, 5, 1)) == []


def test_d52_one_document_bears_one_purpose(engine: Engine) -> None:
    given(engine, SOUND)
    with pytest.raises(ConsentRefused, match="bundled"):
        given(engine, replace(SOUND, purpose="rent"))
    given(engine, replace(SOUND, purpose="rent", document="同意书〔2026〕2号"))
    with pytest.raises(ConsentRefused, match="stands already"):
        given(engine, SOUND)


def test_a_subject_has_one_name_however_the_number_was_typed() -> None:
    key = Keyring.for_tests().derive("identity", "subject")
    typed = pd.Series(["33999919900301101x", " 33999919900301101X", "３３９９９９１９９００３０１１０１Ｘ", None], dtype=TEXT)
    names = subjects(typed, key)
    assert names[0] == names[1] == names[2] and pd.isna(names[3])
    assert "1990" not in names[0] and names[0].startswith("1-")
