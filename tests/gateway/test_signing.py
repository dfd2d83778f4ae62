"""With signing required nothing runs under a catalogue that compliance has not signed, or that was touched since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from catalog.load import CatalogError
from gateway.cli import app
from gateway.settings import Gateway, set_up
from gateway.signing import Unsigned, make_key
from ledger import editions
from records.database import writing
from tests.catalog.altered import GONE, LICENCE, alter, copied

Sign = Callable[..., Result]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'gateway.db'}", copied(tmp_path), require_signed=True)
    set_up(made)
    keys = {name: {"public_key": make_key(tmp_path / f"{name}.pem"), "person": person}
            for name, person in (("li", "李某"), ("wang", "王某"), ("li_too", "李某"))}
    made.compliance_keys.write_text(yaml.safe_dump(keys, allow_unicode=True), "utf-8")
    return made


@pytest.fixture
def sign(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sign:
    def signed(*names: str) -> Result:
        for name, value in (("GATEWAY_HOME", gateway.home), ("GATEWAY_CATALOG", gateway.catalog_root), ("GATEWAY_DATABASE_URL", gateway.database)):
            monkeypatch.setenv(name, str(value))
        results = [CliRunner().invoke(app, ["catalog", "sign", "--key", str(tmp_path / f"{name}.pem")]) for name in names]
        return results[-1]

    return signed


def anew(gateway: Gateway) -> Gateway:
    """The same house in another process."""
    return Gateway(gateway.home, gateway.database, gateway.catalog_root, require_signed=True)


def decided(gateway: Gateway) -> None:
    """The catalogue as it lies there has decided something: it is in the archive."""
    with writing(gateway.engine) as connection:
        editions.keep(connection, anew(gateway).catalog, datetime.now(UTC))


def test_an_unsigned_catalogue_runs_nothing(gateway: Gateway) -> None:
    with pytest.raises(Unsigned, match="is not signed"):
        _ = gateway.catalog


def test_the_first_catalogue_widens_and_needs_two_persons(gateway: Gateway, sign: Sign) -> None:
    assert "needs two persons" in sign("li").output
    with pytest.raises(Unsigned, match="signed by 1 of 2 persons"):
        _ = anew(gateway).catalog
    sign("li_too")
    with pytest.raises(Unsigned, match="signed by 1 of 2 persons"):
        _ = anew(gateway).catalog
    sign("wang")
    assert anew(gateway).catalog.entries


def test_one_person_is_enough_for_what_narrows_and_two_are_needed_for_what_widens(gateway: Gateway, sign: Sign) -> None:
    sign("li", "wang")
    decided(gateway)
    alter(gateway.catalog_root or Path(), LICENCE, {"grants.gsxt.fields.XK_NR": GONE})
    assert "needs one person" in sign("wang").output
    decided(gateway)
    alter(gateway.catalog_root or Path(), LICENCE, {"grants.gsxt.fields.XK_NR": "open"})
    assert "needs two persons" in sign("wang").output
    with pytest.raises(Unsigned, match="since it widens disclosure"):
        _ = anew(gateway).catalog


def test_who_claims_that_nothing_widens_is_found_out(gateway: Gateway, sign: Sign) -> None:
    sign("li")
    place = (gateway.catalog_root or Path()) / "signature.json"
    place.write_text(place.read_text("utf-8").replace("true", "false"), "utf-8")
    with pytest.raises(Unsigned, match="says widens=False"):
        _ = anew(gateway).catalog


@pytest.mark.parametrize("file", [LICENCE, "recipients/gsxt.yml", "codes/performance.csv", "instruments/pipl.yml", "departments/court.yml"])
def test_any_byte_changed_after_the_signature_is_noticed(gateway: Gateway, sign: Sign, file: str) -> None:
    sign("li", "wang")
    path = (gateway.catalog_root or Path()) / file
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CatalogError):
        _ = anew(gateway).catalog


def test_a_key_that_is_not_registered_signs_nothing(gateway: Gateway, sign: Sign, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger.pem")
    told = sign("stranger")
    assert told.exit_code == 3 and "is not registered" in told.output
    sign("li", "wang")
    known = yaml.safe_load(gateway.compliance_keys.read_text("utf-8"))
    gateway.compliance_keys.write_text(yaml.safe_dump({"li": known["li"]}, allow_unicode=True), "utf-8")
    with pytest.raises(Unsigned, match="signed with wang, which is not registered"):
        _ = anew(gateway).catalog


def test_a_signature_taken_from_another_key_does_not_hold(gateway: Gateway, sign: Sign) -> None:
    sign("li", "wang")
    known = yaml.safe_load(gateway.compliance_keys.read_text("utf-8"))
    known["li"]["public_key"] = known["li_too"]["public_key"]
    gateway.compliance_keys.write_text(yaml.safe_dump(known, allow_unicode=True), "utf-8")
    with pytest.raises(Unsigned, match="the signature of li does not hold"):
        _ = anew(gateway).catalog


def test_a_night_with_signing_required_ends_before_it_begins(gateway: Gateway, sign: Sign, monkeypatch: pytest.MonkeyPatch) -> None:
    sign("li")
    monkeypatch.setenv("GATEWAY_REQUIRE_SIGNED", "0")
    told = CliRunner().invoke(app, ["night", "--require-signed"])
    assert told.exit_code == 3 and "signed by 1 of 2 persons" in told.output


def test_ci_learns_from_the_exit_code_whether_disclosure_widens(tmp_path: Path) -> None:
    old, new = copied(tmp_path / "old"), copied(tmp_path / "new")
    alter(new, LICENCE, {"grants.gsxt.fields.XK_NR": GONE})
    narrowed, widened = (CliRunner().invoke(app, ["catalog", "diff", *map(str, pair)]) for pair in ((old, new), (new, old)))
    assert narrowed.exit_code == 0 and "narrows" in narrowed.output and "grants.gsxt.fields.XK_NR" in narrowed.output
    assert widened.exit_code == 6 and "widens disclosure" in widened.output
    assert CliRunner().invoke(app, ["catalog", "diff", str(old), "no-such-revision"]).exit_code == 2
