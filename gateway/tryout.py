"""What would happen to a file if a department handed it in: collects and checks it, sends and stores nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import connectors
import expectations
from catalog.model import FileFeed
from gateway import duplicates
from gateway.intake import FeedUnknown, context
from gateway.settings import Gateway
from keys.connection import Connection
from keys.keyring import Keyring
from ledger.log import now
from records.stages import LINE, REASONS


def try_file(gateway: Gateway, file: Path, entry: str, rows: bool = False) -> dict[str, Any]:
    """Figures of one file: collected, accepted, quarantined, by_reason, refused, dropped and missing columns, warnings.

    With `rows` also the number and reasons of each quarantined row (`header` is row 1). Needs no set-up: the keys are
    throw-away ones. Raises FeedUnknown if no department hands in the entry, ContractBreach if the file cannot be read.
    """
    feed_key = next((key for key, feed in gateway.catalog.feeds.items() if feed.entry == entry), None)
    if feed_key is None:
        known = ", ".join(sorted(gateway.catalog.entries))
        raise FeedUnknown(f"entry {entry} is not in the catalogue; it knows {known}")
    trial = Gateway(gateway.home, gateway.database, gateway.catalog_root, now)
    trial.__dict__["keyring"] = Keyring.for_tests()
    feed = gateway.catalog.feeds[feed_key]
    as_file = FileFeed(method="file", entry=feed.entry, connection=feed.connection, reading="snapshot",
                       columns=feed.columns, sentinels=feed.sentinels, files=("*",))
    source = connectors.Source(feed_key, as_file, gateway.catalog.entries[entry], Connection(feed.connection, ""))
    collected = connectors.collect_file(source, file)
    checked = expectations.check(collected, context(trial, feed_key))
    report: dict[str, Any] = {
        "file": file.name, "entry": entry, "feed": feed_key, "collected": checked.collected,
        "accepted": len(checked.accepted), "quarantined": len(checked.quarantined), "refused": checked.refused,
        "by_reason": duplicates.by_reason(checked.quarantined), "dropped_columns": list(collected.dropped),
        "missing_columns": list(collected.missing),
        "warnings": {f"{found.field}: {found.rule}": found.failed for found in checked.findings
                     if found.failed and found.severity != "critical"}}
    if rows:
        bad = checked.quarantined.sort_values(LINE)
        report["rows"] = [{"row": int(line), "reasons": reasons.split(";")}
                          for line, reasons in zip(bad[LINE], bad[REASONS], strict=True)]
    return report
