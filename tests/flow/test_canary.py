"""No value leaves for whom it is not granted, and none stays in the margins (I1, I3, I8)."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest

from console.report import write_report
from gateway.figures import night_figures
from gateway.night import run_night
from gateway.sample import World
from gateway.settings import Gateway
from tests.flow import canaries
from tests.flow.held_content import content as holdings_of

RECIPIENTS = ("national_platform", "credit_china", "gsxt", "public_resources")


@pytest.fixture
def planted(gateway: Gateway, tmp_path: Path) -> tuple[Gateway, dict[tuple[str, str], str]]:
    made = canaries.file_catalogue(tmp_path / "catalogue")
    folder = tmp_path / "sample/departments/market_regulation"
    for file in folder.iterdir():
        file.unlink()
    return Gateway(gateway.home, gateway.database, tmp_path / "catalogue", gateway.clock), canaries.plant(made, folder)


def bytes_below(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def found_in(values: dict[tuple[str, str], str], content: bytes) -> list[tuple[str, str]]:
    return [place for place, value in values.items() if value.encode() in content]


def test_i1_i8_a_canary_is_found_only_where_its_field_is_granted_open(
        planted: tuple[Gateway, dict[tuple[str, str], str]], caplog: pytest.LogCaptureFixture) -> None:
    gateway, values = planted
    caplog.set_level(logging.INFO)
    told: list[str] = []
    with World(gateway.home, gateway.catalog.entries):
        runs = run_night(gateway, date(2026, 11, 23), sorted(gateway.catalog.feeds), told.append)
    figures = night_figures(gateway, runs)
    assert figures["totals"]["accepted"] == len(gateway.catalog.entries) and told == []
    assert figures["totals"]["withheld"] == figures["totals"]["pending"] == 0
    for recipient in RECIPIENTS:
        content = bytes_below(gateway.home / "sample/recipients" / recipient)
        granted = {(code, name) for code, entry in gateway.catalog.entries.items() if recipient in entry.grants
                   for name, mask in entry.grants[recipient].fields.items() if mask == "open"}
        allowed = {values[place] for place in granted if place in values}
        assert set(found_in(values, content)) == {place for place in values if values[place] in allowed}
    report = write_report(gateway, "2026-11-23", gateway.home / "reports")
    margins = {"log": caplog.text.encode(), "report": report.read_bytes()} | {
        name: bytes_below(gateway.home / name) for name in ("staging", "reports", "locks")} | {
        "state": b"".join(file.read_bytes() for file in gateway.home.glob("gateway.db*"))}
    for margin, content in margins.items():
        assert found_in(values, content) == [], margin


def test_i3_a_value_that_is_not_granted_changes_no_byte_that_a_recipient_gets(
        planted: tuple[Gateway, dict[tuple[str, str], str]]) -> None:
    """Two nights that differ only in the remark of every licence and penalty, which no site and no department gets."""
    gateway, _ = planted
    folder = gateway.home / "sample/departments/market_regulation"
    feeds = [feed for feed in gateway.catalog.feeds if ".administrative_" in feed]
    with World(gateway.home, gateway.catalog.entries):
        run_night(gateway, date(2026, 11, 23), feeds, print)
        before = {name: held(gateway.home, name) for name in RECIPIENTS}
        for feed in feeds:
            file = folder / f"{gateway.catalog.feeds[feed].entry}.csv"
            file.write_text(file.read_text("utf-8").replace(remark(file), "another remark"), "utf-8")
        figures = night_figures(gateway, run_night(gateway, date(2026, 11, 23), feeds, print))
        after = {name: held(gateway.home, name) for name in RECIPIENTS}
    delivered = {each["recipient"]: each["delivered"] for each in figures["recipients"]}
    assert delivered == {"national_platform": 4, "credit_china": 0, "gsxt": 0, "public_resources": 0}
    changed = {name for name in RECIPIENTS if before[name] != after[name]}
    assert changed == {"national_platform"}


def remark(file: Path) -> str:
    header, row = file.read_text("utf-8").splitlines()
    return dict(zip(header.split(","), row.split(","), strict=True))["BZ"]


def held(home: Path, recipient: str) -> dict[tuple[str, str, str], str]:

    return {place: fields for place, fields in holdings_of(home).items() if place[0] == recipient}
