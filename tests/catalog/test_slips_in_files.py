"""Slips within one file: each is named with its file and its key, and the catalogue is not used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from catalog.load import load
from tests.catalog.altered import (
    CREDIT_OFFICE,
    ENFORCEMENT,
    GONE,
    LICENCE,
    MARKET,
    PENALTY,
    REGISTER,
    TAXATION,
    alter,
    copied,
    problems,
)

FIELD = "fields.XK_NR"

# what was slipped: the file, what is altered in it, the key and the words of the message
SLIPS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a misspelt key of an entry": (LICENCE, {"natur": "neutral"}, "natur", "unknown key; did you mean nature?"),
    "a misspelt key of a field": (LICENCE, {f"{FIELD}.sensitvity": "open"}, f"{FIELD}.sensitvity", "did you mean sensitivity?"),
    "a misspelt key of a grant": (LICENCE, {"grants.gsxt.subject": []}, "grants.gsxt.subject", "did you mean subjects?"),
    "a misspelt key of a feed": (MARKET, {"feeds.0.fils": ["*.csv"]}, "feeds.0.file.fils", "did you mean files?"),
    "a misspelt key of a rule": (LICENCE, {"rules.1.othr": "XK_NR"}, "rules.1.not_before.othr", "did you mean other?"),
    "a misspelt key of a recipient": ("recipients/gsxt.yml", {"dedline": 1}, "dedline", "did you mean deadline?"),
    "a misspelt key of an instrument": ("instruments/pipl.yml", {"isuer": "1"}, "isuer", "unknown key; did you mean issuer?"),
    "a key like no other": (LICENCE, {"xyz": 1}, "xyz", "unknown key"),
    "an entry without a title": (LICENCE, {"title": GONE}, "title", "missing; write it"),
    "an entry without a basis": (LICENCE, {"basis": []}, "basis", "at least 1 item"),
    "an entry granted to nobody": (LICENCE, {"grants": {}}, "grants", "at least 1 item"),
    "an entry outside the twelve categories": (LICENCE, {"category": 13}, "category", "less than or equal to 12"),
    "a title in one language": (REGISTER, {"title.en": GONE}, "title.en", "missing; write it"),
    "a field that does not say whether it may be published": (LICENCE, {f"{FIELD}.publish": GONE}, f"{FIELD}.publish", "missing"),
    "a field that does not say how sensitive it is": (LICENCE, {f"{FIELD}.sensitivity": GONE}, f"{FIELD}.sensitivity", "missing"),
    "a type that does not exist": (LICENCE, {f"{FIELD}.type": "words"}, f"{FIELD}.type", "should be 'text'"),
    "a unit that does not exist": (PENALTY, {"fields.CF_NR_FK.unit": "万元"}, "fields.CF_NR_FK.unit", "'10k_yuan'"),
    "a grant without a basis": (LICENCE, {"grants.gsxt.basis": GONE}, "grants.gsxt.basis", "missing; write it"),
    "a grant with an empty basis": (LICENCE, {"grants.gsxt.basis": []}, "grants.gsxt.basis", "at least 1 item"),
    "a grant without subjects": (LICENCE, {"grants.gsxt.subjects": GONE}, "grants.gsxt.subjects", "missing; write it"),
    "a mask that does not exist": (LICENCE, {"grants.gsxt.fields.XK_NR": "preserve"}, "grants.gsxt.fields.XK_NR", "should be 'open'"),
    "a field granted without a mask": (LICENCE, {"grants.gsxt.fields.XK_NR": None}, "grants.gsxt.fields.XK_NR", "should be 'open'"),
    "a kind of rule that does not exist": (LICENCE, {"rules.0.kind": "sounds_right"}, "rules.0", "sounds_right"),
    "a threshold that lets everything fail": (LICENCE, {"thresholds.max_quarantined": 1.5}, "thresholds.max_quarantined", "equal to 1"),
    "an exchange method that does not exist": (MARKET, {"feeds.0.method": "post"}, "feeds.0", "'post'"),
    "a setting of another exchange method": (CREDIT_OFFICE, {"feeds.0.table": "t"}, "feeds.0.service.table", "unknown key"),
    "a region that is no number of six digits": (TAXATION, {"region": "3301"}, "region", "should match pattern"),
    "a department without feeds": (TAXATION, {"feeds": []}, "feeds", "at least 1 item"),
    "a recipient of no known kind": ("recipients/gsxt.yml", {"kind": "site"}, "kind", "'publicity_site'"),
    "an instrument of no known level": ("instruments/pipl.yml", {"level": "notice"}, "level", "'law'"),
    "an instrument whose evidence is not told": ("instruments/pipl.yml", {"evidence": GONE}, "evidence", "missing; write it"),
    "a partition count of nought": (ENFORCEMENT, {"feeds.0.partitions": 0}, "feeds.0.database.partitions", "equal to 1"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "changes", "key", "words"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_file_and_key(
    tmp_path: Path, file: str, changes: dict[str, Any], key: str, words: str
) -> None:
    root = copied(tmp_path)
    alter(root, file, changes)
    told = problems(root)
    assert any(problem.startswith(f"{file}: {key}: ") and words in problem for problem in told), told


# what was slipped: the file, the bytes before and after, the words of the message
BYTES: dict[str, tuple[str, str, bytes, str]] = {
    "a key written twice": (LICENCE, "nature: neutral", b"nature: neutral\nnature: adverse", "key nature is written twice"),
    "a key written twice in one line": (LICENCE, "XK_FRDB: name,", b"XK_FRDB: name, XK_FRDB: open,", "key XK_FRDB is written twice"),
    "YAML that does not parse": (LICENCE, "nature: neutral", b"nature: [neutral", "not readable as YAML"),
    "two documents in one file": (LICENCE, "nature: neutral", b"nature: neutral\n---\na: 1", "not readable as YAML"),
    "a date that is in no calendar": (LICENCE, "2021-12-16", b"2021-13-16", "not readable as YAML"),
    "a file that is not UTF-8": (LICENCE, "行政许可（法人）", "行政许可".encode("gb18030"), "not readable as YAML"),
    "a code set that is not UTF-8": ("codes/performance.csv", "部分履行", "部分履行".encode("gb18030"), "not readable as CSV"),
    "a code set without its heading": ("codes/performance.csv", "code,zh,en\n", b"", "line 2: wants code,zh,en"),
    "a code set with a wrong heading": ("codes/performance.csv", "code,zh,en", b"code,name,en", "wants code,zh,en"),
    "a code without a name": ("codes/licence_state.csv", "2,无效,", b"2,,", "line 3: wants code,zh,en, each filled"),
    "a code line that is too short": ("codes/licence_state.csv", ",not in force", b"", "line 3: wants code,zh,en"),
    "a code line that is too long": ("codes/licence_state.csv", "not in force", b"not, in force", "line 3: wants code,zh,en"),
    "a code with a blank at its edge": ("codes/licence_state.csv", "2,无效", b"2 ,\xe6\x97\xa0\xe6\x95\x88", "line 3: wants code,zh,en"),
    "a code written twice": ("codes/licence_state.csv", "2,无效", b"1,\xe6\x97\xa0\xe6\x95\x88", "line 3: 1 is written twice"),
    "a code line with an open quote": ("codes/licence_state.csv", "not in force", b'"not in force', "not readable as CSV"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after", "words"), BYTES.values(), ids=BYTES)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, file: str, before: str, after: bytes, words: str) -> None:
    root = copied(tmp_path)
    content = (root / file).read_bytes()
    assert before.encode() in content
    (root / file).write_bytes(content.replace(before.encode(), after, 1))
    told = problems(root)
    assert any(problem.startswith(f"{file}: ") and words in problem for problem in told), told


@pytest.mark.parametrize("content", ["", "- a list\n", "a word\n"])
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, content: str) -> None:
    root = copied(tmp_path)
    (root / LICENCE).write_text(content, "utf-8")
    [told] = problems(root)
    assert told.startswith(f"{LICENCE}: the whole file: ")


def test_a_code_set_without_codes_is_named(tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "codes/performance.csv").write_text("code,zh,en\n", "utf-8")
    assert problems(root) == ["codes/performance.csv: no codes; write code,zh,en and a line for each"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (LICENCE, LICENCE.replace(".yml", ".yaml")),
        (LICENCE, "entries/administrative_licence_legal.yml"),
        (LICENCE, "entries/03_administrative_acts/city/administrative_licence_legal.yml"),
        (LICENCE, "administrative_licence_legal.yml"),
        (LICENCE, "entires/03_administrative_acts/administrative_licence_legal.yml"),
        (TAXATION, "departments/city/taxation.yml"),
        ("codes/performance.csv", "codes/performance.tsv"),
        ("codes/performance.csv", "recipients/performance.csv"),
        ("recipients/gsxt.yml", "codes/gsxt.yml"),
    ],
)
def test_a_file_where_none_belongs_is_named(tmp_path: Path, source: str, target: str) -> None:
    root = copied(tmp_path)
    (root / target).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(root / source, root / target)
    assert any(problem.startswith(f"{target}: does not belong here") for problem in problems(root))


def test_a_stray_file_is_named(tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "entries/03_administrative_acts/notes.txt").write_text("ask the legal division", "utf-8")
    [told] = problems(root)
    assert told == "entries/03_administrative_acts/notes.txt: does not belong here; entries holds */*.yml"


@pytest.mark.parametrize("name", ["Tax.yml", "tax.office.yml", "tax-office.yml", "税务.yml", "2tax.yml"])
def test_a_file_name_that_cannot_be_a_key_is_named(tmp_path: Path, name: str) -> None:
    root = copied(tmp_path)
    (root / TAXATION).rename(root / "departments" / name)
    [told] = problems(root)
    assert told.startswith(f"departments/{name}: the file's name is the key")


def test_one_entry_in_two_folders_is_named_with_both(tmp_path: Path) -> None:
    root = copied(tmp_path)
    second = "entries/11_honours/administrative_licence_legal.yml"
    shutil.copy(root / LICENCE, root / second)
    assert f"{second}: administrative_licence_legal is already {LICENCE}; one key, one file" in problems(root)


@pytest.mark.parametrize("folder", ["entries", "departments", "recipients", "instruments", "codes"])
def test_a_missing_folder_is_named(tmp_path: Path, folder: str) -> None:
    root = copied(tmp_path)
    shutil.rmtree(root / folder)
    [told] = problems(root)
    assert told.startswith(f"{folder}: missing or empty below {root}")


def test_a_catalogue_that_is_nowhere_is_not_an_empty_one(tmp_path: Path) -> None:
    assert len(problems(tmp_path / "nowhere")) == 9


def test_a_file_that_starts_with_a_dot_is_left_alone(tmp_path: Path) -> None:
    root = copied(tmp_path, local=True)
    (root / "entries" / ".DS_Store").write_bytes(b"\0")
    assert load(root).edition == load().edition


def test_all_slips_in_files_come_at_once(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, LICENCE, {"natur": "neutral", "title": GONE, f"{FIELD}.type": "words"})
    alter(root, TAXATION, {"region": "3301"})
    (root / "codes/notes.txt").touch()
    (root / "instruments/pipl.yml").write_text("number: [", "utf-8")
    assert sorted(problem.partition(": ")[0] for problem in problems(root)) == sorted(
        [LICENCE] * 3 + [TAXATION, "codes/notes.txt", "instruments/pipl.yml"]
    )
