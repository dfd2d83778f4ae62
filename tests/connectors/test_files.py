"""The drop folder: what is read, what waits, what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import threading

import pytest

from connectors import ContractBreach, Partition, SourceUnavailable, collect, collect_file, partitions
from connectors import files as exchange
from records.stages import DAMAGE, LINE, RAW

HEADER = "企业名称,统一社会信用代码,列入日期,列入原因\n"
GOOD = HEADER + "甲公司,A1,2020-01-01,住所\n乙公司,B2,2020-01-02,\n"


def reason_of(call, *arguments):
    with pytest.raises(ContractBreach) as breach:
        call(*arguments)
    assert "office.trial" in str(breach.value)
    return breach.value.reason


def test_each_matching_file_is_a_partition_by_name(tmp_path, file_source, window):
    for name in ("b.csv", "a.CSV", "c.xlsx", "notes.txt", ".~lock.b.csv#", ".hidden.csv", "~$c.xlsx", "d.csv.part", "e.csv.tmp"):
        (tmp_path / name).write_text(GOOD)
    found = partitions(file_source(), window)
    assert [one.name for one in found] == ["a.CSV", "b.csv", "c.xlsx"]
    assert [Partition.from_json(json.loads(json.dumps(one.as_json()))) for one in found] == found


def test_a_file_comes_back_as_text_with_its_lines_and_the_digest_of_its_bytes(tmp_path, file_source, window):
    (tmp_path / "a.csv").write_text(GOOD)
    source = file_source()
    collected = collect(source, partitions(source, window)[0], window)
    assert list(collected.rows.columns) == ["name", "uscc", "listed_on", "reason", LINE, DAMAGE, RAW]
    assert collected.rows["name"].tolist() == ["甲公司", "乙公司"]
    assert collected.rows["reason"].isna().tolist() == [False, True]
    assert collected.rows[LINE].tolist() == [2, 3] and str(collected.rows[LINE].dtype) == "int64"
    assert {str(collected.rows[name].dtype) for name in ("name", DAMAGE, RAW)} == {"string[pyarrow]"}
    assert (collected.feed, collected.entry, collected.partition) == ("office.trial", "trial", "a.csv")
    assert collected.digest == hashlib.sha256(GOOD.encode()).hexdigest()


def test_i1_an_uncatalogued_column_is_left_at_the_threshold_and_named(tmp_path, file_source, window):
    (tmp_path / "a.csv").write_text("联系电话,企业名称\n13800000000,甲公司\n")
    collected = collect_file(file_source(), tmp_path / "a.csv")
    assert collected.dropped == ("联系电话",) and collected.missing == ("uscc", "listed_on", "reason")
    assert "13800000000" not in collected.rows.to_csv()


def test_a_file_at_hand_is_read_as_if_it_had_been_dropped(tmp_path, file_source):
    path = tmp_path / "any name.txt"
    path.write_bytes(GOOD.encode("gb18030"))
    assert len(collect_file(file_source(), path).rows) == 2


def test_a_missing_folder_is_a_breach(tmp_path, file_source, window):
    tmp_path.rmdir()
    assert reason_of(partitions, file_source(), window) == "missing-folder"
    tmp_path.mkdir()


def test_no_matching_file_is_a_breach(file_source, window):
    assert reason_of(partitions, file_source(), window) == "no-file"


def test_a_connection_that_is_no_folder_is_a_breach(file_source, window):
    source = file_source()
    other = type(source)(source.feed_key, source.feed, source.entry, type(source.connection)("trial_door", "http://elsewhere/x"))
    assert reason_of(partitions, other, window) == "wrong-connection"


@pytest.mark.parametrize("content", ["", "\n\n", HEADER, HEADER + "\n\n,,,\n", "\ufeff", "\ufeff\n"])
def test_i7_an_empty_file_is_never_believed_of_a_whole_stock(tmp_path, file_source, content):
    (tmp_path / "a.csv").write_text(content)
    assert reason_of(collect_file, file_source(), tmp_path / "a.csv") == "empty-file"


def test_a_night_without_changes_is_an_empty_reading(tmp_path, file_source):
    (tmp_path / "a.csv").write_text(HEADER)
    assert len(collect_file(file_source(reading="window"), tmp_path / "a.csv").rows) == 0


def test_a_link_in_the_drop_folder_is_refused(tmp_path, file_source, window):
    outside = tmp_path.parent / "outside.csv"
    outside.write_text(GOOD)
    (tmp_path / "a.csv").symlink_to(outside)
    assert reason_of(partitions, file_source(), window) == "irregular-file"
    assert reason_of(collect, file_source(), Partition("a.csv", {"file": "a.csv"}), window) == "irregular-file"


@pytest.mark.timeout(10)
def test_a_pipe_or_a_folder_under_a_file_name_is_refused(tmp_path, file_source, window):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv"):
        assert reason_of(collect, file_source(), Partition(name, {"file": name}), window) == "irregular-file"
    assert reason_of(partitions, file_source(), window) == "irregular-file"


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "x/../../y.csv", "..", ""])
def test_a_partition_cannot_lead_out_of_the_drop_folder(tmp_path, file_source, window, name):
    (tmp_path.parent / "secret.csv").write_text(GOOD)
    assert reason_of(collect, file_source(), Partition("p", {"file": name}), window) == "irregular-file"


def test_a_file_that_is_gone_since_the_plan_is_tried_again(file_source, window):
    with pytest.raises(SourceUnavailable, match="office.trial"):
        collect(file_source(), Partition("a.csv", {"file": "a.csv"}), window)


def test_a_file_beyond_the_limit_is_refused_before_it_fills_the_memory(tmp_path, file_source):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(exchange.MAX_BYTES + 1)
    assert reason_of(collect_file, file_source(), tmp_path / "a.csv") == "too-large"


def test_a_file_that_still_grows_is_tried_again(tmp_path, file_source):
    path, is_read = tmp_path / "a.csv", threading.Event()
    path.write_text(GOOD + "x" * (32 << 20))

    def keep_writing():
        with path.open("ab", buffering=0) as file:
            while not is_read.is_set():
                file.write(b"x")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        with pytest.raises(SourceUnavailable, match="still being written"):
            collect_file(file_source(), path)
    finally:
        is_read.set()
        writer.join()


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_text_named_as_a_workbook_is_refused(tmp_path, file_source, name):
    (tmp_path / name).write_text(GOOD)
    assert reason_of(collect_file, file_source(), tmp_path / name) == "unreadable-file"
