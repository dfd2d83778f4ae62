"""Rooms import only what is below them; pyproject.toml says the order and import-linter proves it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def linted(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run([*command, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=120, check=False)


def test_no_room_imports_a_room_beside_or_above_it() -> None:
    done = linted(ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_an_import_of_a_sibling_is_found(tmp_path: Path) -> None:
    for room in rooms():
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "masking" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\nimport delivery\n")
    done = linted(tmp_path)
    assert done.returncode == 1, done.stdout[-3000:]
    assert "masking is not allowed to import delivery" in done.stdout


def test_every_room_is_installed_and_bound_by_the_contract() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    # bench is a tool of the house, run from its root.
    there = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert there == set(rooms()) == {name for name in told["setuptools"]["packages"] if "." not in name}


def rooms() -> list[str]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return list(told["importlinter"]["root_packages"])
