"""Whoever is refused reads why in Chinese and in English: compliance and clerks are the ones who do (clauses 11, 12)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway

ROOM = Path(gateway.__file__).parent
MODULES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOM.rglob("*.py")) if "sample" not in path.parts}
COMMANDS = [ROOM / name for name in ("takedown_cli.py", "restore_cli.py", "subject_cli.py", "cases/command.py", "cases/objection_cli.py",
                                     "cases/repair_cli.py")]
HAN, LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[a-z]{2,}[ -][a-z]{2,}")


def said(node: ast.AST) -> str:
    """The words that stand in the code, without what is put in between."""
    return "".join(part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def refusals() -> set[str]:
    """The names of Refusal and of all that derive from it."""
    classes = [node for tree in MODULES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found, size = {"Refusal"}, 0
    while size != len(found):
        size = len(found)
        found |= {node.name for node in classes if {base.id for base in node.bases if isinstance(base, ast.Name)} & found}
    return found


def calls(path: Path, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(MODULES[path]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def test_every_refusal_says_why_in_chinese_and_in_english() -> None:
    names, seen = refusals() - {"NotDue"}, 0
    assert {"NoCase", "CaseRefused", "NoTakedown", "NotRestored", "NotReviewed", "Refused", "NoIdentifiers"} <= names
    for path in MODULES:
        for call in calls(path, names):
            seen, place = seen + 1, f"{path.name}:{call.lineno}"
            _, zh, en = call.args
            assert HAN.search(said(zh)), f"{place}: no Chinese"
            assert LATIN.search(said(en)) and not HAN.search(said(en)), f"{place}: no English"
    assert seen > 30


BROKEN = {"LedgerBroken", "JournalBroken", "NotWitnessed", "WitnessUnavailable"}


def test_whatever_stops_all_deliveries_says_why_in_chinese_and_in_english() -> None:
    """Journal, ledger and witness: compliance is called for each of them."""
    rooms = [ROOM / "witness.py", ROOM.parent / "records" / "journal.py", *sorted((ROOM.parent / "ledger").glob("*.py"))]
    found = [(path, node) for path in rooms for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BROKEN]
    for path, call in found:
        *_, zh, en = call.args
        place = f"{path.name}:{call.lineno}"
        assert HAN.search(said(zh)), f"{place}: no Chinese"
        assert LATIN.search(said(en)) and not HAN.search(said(en)), f"{place}: no English"
    assert len(found) > 25


def test_every_ground_against_an_application_is_told_in_both() -> None:
    pairs = [node.elts for node in ast.walk(MODULES[ROOM / "cases" / "conditions.py"])
             if isinstance(node, ast.Tuple) and isinstance(node.elts[0], ast.Attribute) and isinstance(node.elts[1], ast.Tuple)]
    assert len(pairs) == 7
    for ground, sentences in pairs:
        zh, en = sentences.elts  # type: ignore[attr-defined]
        assert HAN.search(said(zh)) and LATIN.search(said(en)) and not HAN.search(said(en)), ast.unparse(ground)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_what_a_command_of_theirs_says_of_wrong_use_is_in_both(path: Path) -> None:
    for call in calls(path, {"usage", "complain"}):
        words = said(call.args[-1])
        if LATIN.search(words):
            assert HAN.search(words), f"{path.name}:{call.lineno}: no Chinese"
