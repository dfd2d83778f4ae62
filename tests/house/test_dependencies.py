"""The locks hold everything with hashes and name no place; what must not be installed is not."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "bootstrap.lock")


def named(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def locked(lock: str) -> dict[str, str]:
    """Each pinned package of a lock with what follows it."""
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text(encoding="utf-8"))
    return {named(block): block for block in blocks if re.match(r"[a-z0-9]", block)}


def asked() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"] + [one for extra in project["optional-dependencies"].values() for one in extra]


def test_the_lock_holds_every_dependency_that_the_project_asks_for() -> None:
    assert {named(requirement) for requirement in asked()} <= set(locked("requirements.lock"))


def test_every_dependency_has_a_lower_bound() -> None:
    assert [requirement for requirement in asked() if ">=" not in requirement] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_pinned_and_hashed(lock: str) -> None:
    blocks = locked(lock)
    assert blocks
    assert [name for name, block in blocks.items() if "==" not in block.splitlines()[0] or "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|index-url|find-links| @ ", text)


def test_great_expectations_is_of_major_version_one() -> None:
    assert importlib.metadata.version("great-expectations").partition(".")[0] == "1"


def test_the_great_expectations_provider_which_drags_in_an_old_one_is_absent() -> None:
    there = {named(one.metadata["Name"]) for one in importlib.metadata.distributions()}
    assert "airflow-provider-great-expectations" not in there
    assert "airflow-provider-great-expectations" not in locked("requirements.lock")
