"""A mistyped number is not a subject of whom nothing is held: what no record can bear is refused, what looks wrong is told (D46, D47)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.lookups import look_ups
from gateway.settings import Gateway
from gateway.typed_number import doubt, is_holdable
from tests.gateway.case_gateway import CLERK, PENALTY, gateway_at

CODE = PENALTY["CF_XDR_SHXYM"]
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return gateway_at(tmp_path_factory.mktemp("typed"), {"1-" + "a" * 32: {}})


@pytest.fixture
def show(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("GATEWAY_HOME", str(gateway.home))

    def invoke(typed: str, what: str = "show", person: str = CLERK) -> Result:
        more = ["--out", str(tmp_path / "page.html")] if what == "report" else []
        told = CliRunner().invoke(app, ["subject", what, *more, "--person", person, "--purpose", "repair"], input=f"{typed}\n")
        assert told.exception is None or isinstance(told.exception, SystemExit), told.output
        assert typed.strip() not in told.stderr
        return told

    return invoke


@pytest.mark.parametrize("what", ["show", "report"])
@pytest.mark.parametrize("typed", ["9.13301E+17", "9" * 65, f"{CODE[:9]}\u200b{CODE[9:]}", f"{CODE}\x07"])
def test_d47_what_no_record_can_bear_is_refused_and_the_refusal_is_on_the_ledger(gateway: Gateway, show: Run, typed: str, what: str) -> None:
    asked = len(look_ups(gateway))
    told = show(typed, what)
    assert told.exit_code == 2 and told.stdout == "" and "请核对后重新输入" in told.stderr and "can be no subject's number" in told.stderr
    assert [(row["what"], row["person"], row["outcome"]) for row in look_ups(gateway)[asked:]] == [(what, CLERK, "wrong-number")]


def test_d46_who_may_not_look_up_learns_nothing_of_the_number(gateway: Gateway, show: Run) -> None:
    told = show("9.13301E+17", person="某人")
    assert told.exit_code == 3 and "no look-up (no-role)" in told.stderr and look_ups(gateway)[-1]["outcome"] == "no-role"


@pytest.mark.parametrize(("typed", "words"), [(CODE[:-1] + ("0" if CODE[-1] != "0" else "1"), "校验码不符"), (CODE[:-1], "不符合")])
def test_nothing_held_under_a_number_that_looks_mistyped_says_so(gateway: Gateway, show: Run, typed: str, words: str) -> None:
    told = show(typed)
    assert told.exit_code == 0 and "0 records" in told.stdout and words in told.stderr and "typing mistake" in told.stderr
    assert look_ups(gateway)[-1]["outcome"] == "answered"


def test_what_is_found_is_not_doubted(show: Run) -> None:
    told = show(f" {CODE.lower()} ")
    assert told.exit_code == 0 and "1 records" in told.stdout and told.stderr == ""


@pytest.mark.parametrize(("number", "why"), [
    (CODE, ""), ("330106198001014216", "check-digit"), ("11010519491231002X", ""), ("1101051949****002X", ""), ("330100000012345", ""),
    ("3301000012345", ""), ("110105491231002", ""), ("10774368-0", ""), ("107743680", ""), ("10774368-1", "check-digit"),
    ("E12345678", "no-known-form"), ("军字第1234567号", "no-known-form"), ("H0123456789", "no-known-form")])
def test_every_number_that_an_old_register_or_another_document_has_is_looked_up(gateway: Gateway, number: str, why: str) -> None:
    """Old registration numbers, ID numbers of 15 places, organisation codes, what a court starred out, passports, permits."""
    assert is_holdable(gateway, number) and doubt(gateway, number) == why
