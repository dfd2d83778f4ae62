"""Which exchange method serves a feed: the one place that knows all three."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from catalog.model import DatabaseFeed, FileFeed, ServiceFeed
from connectors import database, files, service
from connectors.base import Partition, Source, Window
from records.stages import Collected


def partitions(source: Source, window: Window) -> list[Partition]:
    """The parts in which a feed is collected tonight; at least one.

    Raises SourceUnavailable where the source cannot be asked, ContractBreach where it has nothing to offer.
    """
    match source.feed:
        case FileFeed():
            return files.partitions(source)
        case DatabaseFeed():
            return database.partitions(source, window)
        case ServiceFeed():
            return service.partitions()
        case unknown:
            assert_never(unknown)


def collect(source: Source, partition: Partition, window: Window) -> Collected:
    """One partition, whole or not at all: catalogued columns as text, uncatalogued ones left behind and named.

    `window` bounds a reading of changes; a reading of the whole stock takes no notice of it.
    Raises SourceUnavailable for a blip, ContractBreach where the source does not keep to what was agreed.
    """
    match source.feed:
        case FileFeed():
            return files.collect(source, partition)
        case DatabaseFeed():
            return database.collect(source, partition, window)
        case ServiceFeed():
            return service.collect(source, partition, window)
        case unknown:
            assert_never(unknown)


def collect_file(source: Source, path: Path) -> Collected:
    """A file at hand, read as if the department had dropped it, whatever the feed's exchange method.

    Raises ContractBreach as `collect` does for a file feed.
    """
    return files.collect_path(source, path)
