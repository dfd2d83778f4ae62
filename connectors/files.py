"""File exchange 文件方式: CSV and XLSX files in a drop folder, each read once and whole."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote, urlsplit

from catalog.model import FileFeed
from connectors import delimited, workbook
from connectors.base import Partition, Source
from connectors.rows import Received, collected
from records.stages import Collected

MAX_BYTES = 512 << 20
# What a program writes beside or before the file it means to hand in.
_UNFINISHED_ENDS, _UNFINISHED_STARTS = (".tmp", ".part", ".partial", ".crdownload", ".filepart", "~"), (".", "~$")
_ENCODINGS = ("utf-8-sig", "gb18030")


def partitions(source: Source) -> list[Partition]:
    """One partition for each file of the drop folder that matches, by name; unfinished files wait for the next reading.

    Raises ContractBreach: `missing-folder`, `no-file`, or `irregular-file` for a link or anything else that only looks
    like a file.
    """
    folder = _folder(source)
    if not folder.is_dir():
        raise source.breach("missing-folder", "", f"the drop folder of connection {source.connection.name} is missing; restore it")
    with os.scandir(folder) as entries:
        found = sorted((entry for entry in entries if _is_wanted(entry.name, source)), key=lambda entry: entry.name)
    if not found:
        raise source.breach("no-file", "", "no file matches; ask the department whether it handed in tonight")
    for entry in found:
        if not entry.is_file(follow_symlinks=False):
            raise _irregular(source, entry.name)
    return [Partition(entry.name, {"file": entry.name}) for entry in found]


def collect(source: Source, partition: Partition) -> Collected:
    """One file of the drop folder. Raises as `collect_path` does."""
    name = str(partition.spec["file"])
    if Path(name).name != name:
        raise _irregular(source, partition.name)
    return collect_path(source, _folder(source) / name)


def collect_path(source: Source, path: Path) -> Collected:
    """A file, read once: what is checked, hashed and parsed are the same bytes, so it cannot be exchanged in between.

    Raises SourceUnavailable if the file is gone or still growing, ContractBreach: `irregular-file`, `too-large`,
    `empty-file`, and as the readers of the two formats do.
    """
    raw = _bytes(source, path)
    if not raw or raw.isspace():
        raise source.breach("empty-file", path.name, "the file is empty; ask the department to hand it in again")
    received = _parse(raw, source, path)
    if not received and source.hands_in_stock:
        raise source.breach("empty-file", path.name, "the file has no row below its header; ask the department to hand it in again")
    return collected(source, path.name, received, hashlib.sha256(raw).hexdigest())


def _parse(raw: bytes, source: Source, path: Path) -> Received:
    if raw.startswith(workbook.MARK):
        return workbook.read(raw, source, path.name)
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm"):
        remedy = "the file is named as a workbook but is not an XLSX one; ask the department to save it again as XLSX or CSV"
        raise source.breach("unreadable-file", path.name, remedy)
    return delimited.read(raw, _encodings(source), source, path.name)


def _encodings(source: Source) -> Sequence[str]:
    return source.feed.encodings if isinstance(source.feed, FileFeed) else _ENCODINGS


def _bytes(source: Source, path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe would hold the task until somebody wrote into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise source.unavailable(path.name, "the file was there and is gone; the next try lists the folder anew") from None
    except OSError:
        raise _irregular(source, path.name) from None
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise _irregular(source, path.name)
    with os.fdopen(descriptor, "rb") as file:
        raw = file.read(MAX_BYTES + 1)
        after = os.fstat(descriptor)
    if len(raw) > MAX_BYTES:
        raise source.breach("too-large", path.name, f"the file is larger than {MAX_BYTES >> 20} MiB; ask for smaller files")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(raw) != after.st_size:
        raise source.unavailable(path.name, "the file is still being written; try again when it is whole")
    return raw


def _is_wanted(name: str, source: Source) -> bool:
    lower = name.lower()
    if lower.startswith(_UNFINISHED_STARTS) or lower.endswith(_UNFINISHED_ENDS) or not isinstance(source.feed, FileFeed):
        return False
    return any(fnmatchcase(lower, pattern.lower()) for pattern in source.feed.files)


def _folder(source: Source) -> Path:
    url = urlsplit(source.connection.url)
    if url.scheme != "file" or url.netloc not in ("", "localhost"):
        name = source.connection.name
        raise source.breach("wrong-connection", "", f"connection {name} of a file feed must be file:///folder; correct it")
    return Path(unquote(url.path))


def _irregular(source: Source, name: str) -> Exception:
    remedy = "this is a link, a folder or cannot be opened, and only plain files are read; remove it and ask who put it there"
    return source.breach("irregular-file", name, remedy)
