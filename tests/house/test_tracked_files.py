"""What is in the repository names no machine of ours, and holds no secret and no state."""

from __future__ import annotations

import re
import stat
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from gateway import secret

ROOT = Path(__file__).parents[2]
# Split, so that this file does not find itself.
REGISTRIES = re.compile("|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "deb" + r"ian\.org")))
PLACES = re.compile("|".join((
    r"/work" + r"/(?:main|shared)", "/tmp" + "/boot", r"/(?:home|Users)" + r"/[a-z]+/", r"\.\./" + "shared")))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git work tree")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(("what", "pattern"), [("a package registry", REGISTRIES), ("a place of one machine", PLACES)])
def test_no_tracked_file_names(what: str, pattern: re.Pattern[str]) -> None:
    found = [f"{path.relative_to(ROOT)}: {hit.group()}" for path in tracked()
             if (hit := pattern.search(path.read_bytes().decode("utf-8", "ignore")))]
    assert found == [], f"names {what}"


def test_no_state_is_tracked() -> None:
    kept = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert kept.isdisjoint({"var", "logs", ".venv", "airflow.db"})


def test_airflow_cfg_holds_no_secret_and_no_trailing_comment() -> None:
    config = RawConfigParser()
    config.read(ROOT / "airflow.cfg", encoding="utf-8")
    asked = {config[section][option].rpartition(" ")[2] for section in config.sections()
             for option in config[section] if option.endswith("_cmd")}
    assert asked == set(secret.NAMES)
    for section in config.sections():
        assert {"fernet_key", "jwt_secret", "secret_key"}.isdisjoint(config[section])
        assert [value for value in config[section].values() if "#" in value or ";" in value] == []


def test_airflow_cfg_listens_on_this_machine_alone_and_keeps_its_plugins_out_of_the_dags() -> None:
    config = RawConfigParser()
    config.read(ROOT / "airflow.cfg", encoding="utf-8")
    assert config["api"]["host"] == "127.0.0.1"
    assert config.get("core", "plugins_folder", fallback="") != config["core"]["dags_folder"]


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    first = {name: secret.secret(name) for name in secret.NAMES}
    assert {name: secret.secret(name) for name in secret.NAMES} == first
    assert len(set(first.values())) == len(secret.NAMES)
    made = [*secret.folder().iterdir(), secret.passwords()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    with pytest.raises(KeyError):
        secret.secret("another")
