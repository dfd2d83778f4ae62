"""Staged batches: sealed, whole, handed on by reference."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from keys.keyring import Keyring
from keys.whole import whole
from records.identity import TEXT
from records.staging import Reference, Staging, StagingDamaged

PERSON = "欧阳静好"


@pytest.fixture
def staging(tmp_path: Path, keyring: Keyring) -> Staging:
    return Staging(tmp_path, keyring)


def frame() -> pd.DataFrame:
    return pd.DataFrame({"name": pd.array([PERSON, None], dtype=TEXT), "_line": [2, 3]})


def test_a_staged_frame_comes_back_equal_with_text_as_arrow_strings(staging: Staging) -> None:
    back = staging.read(staging.write(frame(), "run", "部分.csv", "collected"))
    assert back["name"].dtype == TEXT and back["_line"].to_list() == [2, 3]
    assert back["name"].isna().to_list() == [False, True]


def test_i8_no_value_lies_open_in_the_staging_folder(staging: Staging, tmp_path: Path) -> None:
    staging.write(frame(), "run", "part", "collected")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files and not any(PERSON.encode() in file.read_bytes() for file in files)


def test_what_is_staged_is_on_the_disk_with_its_name_before_its_reference_is_told(
        staging: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a recipient is owed lies there and nowhere else: the database that names it survives a power cut, and so must it."""
    synced, sync, replace = list[Path](), os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(Path(os.readlink(f"/proc/self/fd/{file}"))), sync(file)))
    monkeypatch.setattr(os, "replace", lambda source, target: (synced.append(target), replace(source, target)))
    reference = staging.write(frame(), "run", "owed", "gsxt")
    file = tmp_path / reference.path
    assert synced[-2:] == [file, file.parent] and len(synced) == 3


def test_a_changed_or_missing_batch_is_refused(staging: Staging, tmp_path: Path) -> None:
    reference = staging.write(frame(), "run", "part", "collected")
    (tmp_path / reference.path).write_bytes(b"something else")
    with pytest.raises(StagingDamaged, match="not the one handed on"):
        staging.read(reference)
    with pytest.raises(StagingDamaged, match="missing"):
        staging.read(Reference("run/none.sealed", 1, ""))


def test_a_file_whose_writing_fails_is_not_there_and_the_former_one_stays(tmp_path: Path) -> None:
    for name, former in (("new", None), ("old", b"as it was")):
        if former is not None:
            (tmp_path / name).write_bytes(former)
        with pytest.raises(RuntimeError), whole(tmp_path / name) as file:
            file.write(b"half")
            raise RuntimeError("disk full")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"old": b"as it was"}


def test_names_that_point_outside_stay_inside(staging: Staging, tmp_path: Path) -> None:
    reference = staging.write(frame(), "run", "../../outside", "collected")
    assert (tmp_path / reference.path).resolve().is_relative_to(tmp_path.resolve())


def test_two_names_that_look_alike_do_not_share_a_place(staging: Staging) -> None:
    assert staging.write(frame(), "run", "甲.csv").path != staging.write(frame(), "run", "乙.csv").path


def test_clearing_a_run_keeps_what_a_recipient_waits_for(staging: Staging, tmp_path: Path) -> None:
    kept = staging.write(frame(), "run", "owed", "gsxt")
    staging.write(frame(), "run", "part", "collected")
    staging.clear("run", {kept.path})
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["gsxt.sealed"]
    staging.clear("run", set())
    assert not any(tmp_path.iterdir())
