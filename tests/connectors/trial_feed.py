"""A small invented entry and the sources that hand it in."""

from __future__ import annotations

from datetime import date
from typing import Any

from catalog.model import DatabaseFeed, Entry, FileFeed, ServiceFeed
from connectors import Source
from keys.connection import Connection

TITLES = {"name": "企业名称", "uscc": "统一社会信用代码", "listed_on": "列入日期", "reason": "列入原因"}
BASIS = [{"instrument": "invented", "article": "1"}]


def entry(**titles: str) -> Entry:
    """An entry of open text fields, by code and Chinese title."""
    fields = {
        code: {"title": {"zh": zh, "en": code}, "type": "text", "sensitivity": "open", "publish": True}
        for code, zh in titles.items()
    }
    first = next(iter(titles))
    return Entry.model_validate({
        "title": {"zh": "试例", "en": "Trial"}, "category": 6, "nature": "adverse", "basis": BASIS,
        "in_force_from": date(2020, 1, 1), "subject": {"name": first}, "fields": fields, "natural_key": [first],
        "thresholds": {"max_quarantined": 0.1, "min_sample": 10, "min_kept": 0.5},
        "grants": {"anyone": {"basis": BASIS, "subjects": ["legal_person"], "fields": {first: "open"}}},
    })


ENTRY = entry(**TITLES)
COMMON: dict[str, Any] = {"entry": "trial", "connection": "trial_door", "reading": "snapshot"}


def file_source(folder_url: str, **feed: Any) -> Source:
    settings = {**COMMON, "files": ("*.csv", "*.xlsx"), **feed}
    return Source("office.trial", FileFeed(method="file", **settings), ENTRY, Connection("trial_door", folder_url))


def database_source(url: str, of: Entry = ENTRY, **feed: Any) -> Source:
    settings = {**COMMON, "table": "listing", **feed}
    return Source("office.trial", DatabaseFeed(method="database", **settings), of, Connection("trial_door", url))


def service_source(url: str, **feed: Any) -> Source:
    settings = {**COMMON, "path": "/api/listing", "page_size": 2, **feed}
    return Source("office.trial", ServiceFeed(method="service", **settings), ENTRY, Connection("trial_door", url, token="invented-token"))
