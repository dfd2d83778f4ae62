"""What a recipient says it holds is compared by segments: little travels, every difference is found, and PostgreSQL reckons the same."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from delivery import ReceiptMismatch, RecipientContractBreach, RecipientUnavailable, ask
from delivery.comparison import OURS, THEIRS, compare
from delivery.frontend_statement import ask as ask_front_end
from delivery.statements import CONTENT, ENDS, TEXT, Inquiry, contents, read_statement, segments
from records.stages import HANDLE
from tests.delivery.platform_server import Platform, answer, door, running
from tests.delivery.test_package import door as package_door


def holding(content: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({HANDLE: pd.Series(list(content), dtype=TEXT), CONTENT: pd.Series(list(content.values()), dtype=TEXT)})


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def recipient(theirs: pd.DataFrame) -> Callable[[Inquiry], pd.DataFrame]:
    """A recipient that answers rightly from what it holds."""
    def answer(inquiry: Inquiry) -> pd.DataFrame:
        length = len(inquiry.prefixes[0]) if inquiry.prefixes else 0
        part = theirs[theirs[HANDLE].str.slice(0, length).isin(inquiry.prefixes)]
        return segments(part, inquiry.length) if inquiry.length else part.assign(**{ENDS: pd.Series(pd.NA, index=part.index, dtype=TEXT)})
    return answer


def differing(ours: dict[str, str], theirs: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    rows = compare(holding(ours), recipient(holding(theirs))).rows
    return {row[HANDLE]: (None if pd.isna(row[OURS]) else row[OURS], None if pd.isna(row[THEIRS]) else row[THEIRS])
            for row in rows.to_dict("records")}


HANDLES = st.integers(0, 400).map(lambda n: f"1-{digest(str(n))[:32]}")
# As in the canonical form, the handle is part of what is digested.
HOLDINGS = st.dictionaries(HANDLES, st.sampled_from("ab"), max_size=150).map(
    lambda content: {handle: digest(handle + said) for handle, said in content.items()})


@settings(max_examples=60, deadline=None)
@given(HOLDINGS, HOLDINGS)
def test_every_difference_is_found_and_nothing_else(ours: dict[str, str], theirs: dict[str, str]) -> None:
    wanted = {handle: (ours.get(handle), theirs.get(handle)) for handle in ours.keys() | theirs.keys()
              if ours.get(handle) != theirs.get(handle)}
    assert differing(ours, theirs) == wanted


def test_of_a_million_records_with_a_thousand_differences_less_than_two_in_a_hundred_travel() -> None:
    rng = random.Random(7)
    names = [f"1-{rng.getrandbits(128):032x}" for _ in range(1_000_000)]
    held = pd.DataFrame({HANDLE: pd.Series(names, dtype=TEXT), CONTENT: pd.Series([digest(name) for name in names], dtype=TEXT)})
    theirs = held.copy()
    wrong = rng.sample(range(len(names)), 1000)
    theirs.loc[wrong[:600], CONTENT] = digest("altered")
    theirs = theirs.drop(index=wrong[600:])
    told = compare(held, recipient(theirs))
    assert set(told.rows[HANDLE]) == {names[place] for place in wrong} and told.found == 999_600
    assert told.sent["records"] < 20_000 and told.sent["segments"] < 20_000, told.sent


@pytest.mark.parametrize("spoilt", [
    {"inquiry": "another"}, {"entry": "another"}, {"content_digest": "sha-256=:another:"}, {"segments": None}, {"segments": [{"prefix": "1-a"}]},
    {"segments": [{"prefix": "2-a", "records": 1, "digest": "0" * 64}]}, {"segments": [{"prefix": "1-a", "records": 0, "digest": "0" * 64}]},
    {"segments": [{"prefix": "1-a", "records": 1, "digest": "short"}]}, {"segments": [{"prefix": "1-a", "records": 1, "digest": "0" * 64}] * 2},
])
def test_a_statement_that_says_what_was_not_agreed_is_none(tmp_path: Path, spoilt: dict[str, object]) -> None:
    inquiry, at = Inquiry("q" * 64, ("1-",), 3), package_door(tmp_path)
    said = {"inquiry": inquiry.id, "entry": at.entry_code, "content_digest": "sha-256=:x:",
            "segments": [{"prefix": "1-a", "records": 1, "digest": "0" * 64}]}
    assert len(read_statement(json.dumps(said).encode(), "sha-256=:x:", inquiry, at)) == 1
    with pytest.raises(ReceiptMismatch):
        read_statement(json.dumps(said | spoilt).encode(), "sha-256=:x:", inquiry, at)


def test_a_front_end_database_reckons_the_same_digests_as_the_gateway(theirs: Engine, tmp_path: Path) -> None:
    at = package_door(tmp_path)
    table = sa.Table(f"share_{at.entry_code}", sa.MetaData(), sa.Column("handle", sa.String(80), primary_key=True), *(
        sa.Column(name, sa.Text) for name in ("batch", "pushed_at", "effect", "notice", "taken_at", "failure_reason", "uscc", "name")),
        sa.Column("taken_flag", sa.Integer), sa.Column("their_own", sa.Integer, server_default="7"))
    rows = [{"handle": f"1-{digest(str(n))[:32]}", "name": None if n % 3 else "甲𠮷 'x'", "uscc": f"{n}", "taken_flag": 1, "effect": None}
            for n in range(300)]
    hidden = [{"handle": "1-f", "taken_flag": None}, {"handle": "1-e", "taken_flag": 2}, {"handle": "1-d", "taken_flag": 1, "effect": "delete"}]
    table.metadata.create_all(theirs)
    try:
        with theirs.begin() as connection:
            connection.execute(sa.insert(table), rows)
            for row in hidden:
                connection.execute(sa.insert(table).values(row))
        url = theirs.url.render_as_string(hide_password=False)
        there = replace(at, connection=replace(at.connection, url=url))
        payload = pd.DataFrame({HANDLE: [row["handle"] for row in rows], "name": [row["name"] for row in rows],
                                "uscc": [row["uscc"] for row in rows]}, dtype=TEXT)
        held = pd.DataFrame({HANDLE: payload[HANDLE], CONTENT: contents(payload)})
        told = compare(held, lambda inquiry: ask_front_end(inquiry, there))
        assert told.rows.empty and told.found == 300 and told.sent["records"] == 0
        one = ask_front_end(Inquiry("q", (rows[0]["handle"],), 0, "uscc"), there)
        assert one[[HANDLE, ENDS]].to_numpy().tolist() == [[rows[0]["handle"], "0"]]
        assert one[CONTENT][0] == held[CONTENT][0]
    finally:
        table.drop(theirs)


def test_a_front_end_table_that_cannot_say_what_is_withdrawn_is_not_as_agreed(theirs: Engine, tmp_path: Path) -> None:
    at = package_door(tmp_path)
    table = sa.Table(f"share_{at.entry_code}", sa.MetaData(), sa.Column("handle", sa.String(80), primary_key=True))
    table.metadata.create_all(theirs)
    there = replace(at, connection=replace(at.connection, url=theirs.url.render_as_string(hide_password=False)))
    try:
        with pytest.raises(RecipientContractBreach, match="inquiry .* lacks .*effect"):
            ask_front_end(Inquiry("q" * 64, ("",), 3), there)
    finally:
        table.drop(theirs)


@pytest.mark.parametrize(("asked_for", "pauses"), [("2", [2, 2]), ("3600", [])])
def test_an_inquiry_waits_as_shortly_as_a_busy_recipient_asks_for_and_no_longer(asked_for: str, pauses: list[float]) -> None:
    waited = list[float]()
    with (running(Platform(lambda handler, body: answer(handler, 429, Retry_After=asked_for))) as platform,
          pytest.raises(RecipientUnavailable, match="inquiry qqq.* asked after again")):
        ask(Inquiry("q" * 64, ("",), 3), replace(door(f"http://127.0.0.1:{platform.server_port}"), sleep=waited.append))
    assert waited == pauses
