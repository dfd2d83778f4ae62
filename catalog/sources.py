"""The duties on feeds: one collector per entry, names that lead to one field, settings that go together (D12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from catalog.model import DatabaseFeed, Department, Feed, Field, FileFeed
from catalog.nearest import normal_name, unknown

if TYPE_CHECKING:
    from catalog.load import Catalog


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every problem of the departments' feeds, each with its file and key."""
    for name, department in catalog.departments.items():
        file = catalog.files["departments", name]
        yield from (f"{file}: {problem}" for problem in _feeds(catalog, department))
    sources = Counter(feed.entry for department in catalog.departments.values() for feed in department.feeds)
    for entry in (entry for entry, count in sources.items() if count > 1):
        files = [catalog.files["departments", name] for name, department in catalog.departments.items()
                 for feed in department.feeds if feed.entry == entry]
        yield f"{files[-1]}: feeds: {entry} already comes from {files[0]}; an entry has one collector (I10, D12)"


def _feeds(catalog: Catalog, department: Department) -> Iterator[str]:
    for place, feed in enumerate(department.feeds):
        if feed.entry not in catalog.entries:
            yield f"feeds.{place}.entry: {unknown(feed.entry, catalog.entries)}"
            continue
        fields = catalog.entries[feed.entry].fields
        yield from (f"feeds.{place}.columns: {unknown(name, fields)}" for name in feed.columns if name not in fields)
        yield from (f"feeds.{place}.columns{problem}" for problem in _columns(feed, fields))
        yield from (f"feeds.{place}.{problem}" for problem in _method(feed))


def _columns(feed: Feed, fields: Mapping[str, Field]) -> Iterator[str]:
    """Names that would lead to two fields, compared as a header is read: width, case and edge blanks aside."""
    names = Counter(name for written in feed.columns.values() for name in {normal_name(name) for name in written})
    yield from (f": {name} stands for two fields" for name, count in names.items() if count > 1)
    own = {normal_name(name): code for code, field in fields.items() for name in (field.title.zh, code)}
    for code, written in feed.columns.items():
        for name in written:
            if own.get(normal_name(name), code) != code:
                yield f".{code}: {name} is already what {own[normal_name(name)]} is called in the entry"


def _method(feed: Feed) -> Iterator[str]:
    if isinstance(feed, FileFeed) and feed.reading == "window":
        yield "reading: a drop folder has no window; write snapshot"
    if isinstance(feed, FileFeed):
        yield from (f"encodings: {name} is not an encoding" for name in feed.encodings if not _is_encoding(name))
    if isinstance(feed, DatabaseFeed):
        if (feed.reading == "window") != (feed.window_column is not None):
            yield "window_column: goes together with reading: window"
        if (feed.partitions > 1) != (feed.partition_column is not None):
            yield "partition_column: goes together with partitions above 1"


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True
