"""What lies in quarantine, by department and age: counts only, the rows themselves stay sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from catalog.model import Title
from console.departments import department_of
from gateway.settings import Gateway
from records.schema import quarantine

# Upper ends in days, both included; the last bucket is open. Items expire after 90 days.
AGES = (1, 7, 30, 60)
SOON = 7


@dataclass(frozen=True, slots=True)
class StockView:
    """A department's rows in quarantine: `by_age` has a count per bucket of AGES and one for what is older; `soon` is
    how many will be deleted within a week, uncorrected."""

    title: Title
    by_age: tuple[int, ...]
    soon: int

    @property
    def total(self) -> int:
        return sum(self.by_age)


def stock(gateway: Gateway, today: date) -> list[StockView]:
    """The quarantine as it stands now, department by department."""
    first_seen = sa.func.substr(quarantine.c.first_seen, 1, 10)
    query = sa.select(quarantine.c.feed, first_seen, quarantine.c.expires_on, sa.func.count()).group_by(
        quarantine.c.feed, first_seen, quarantine.c.expires_on)
    ages: dict[str, list[int]] = {}
    soon: dict[str, int] = {}
    with gateway.engine.connect() as connection:
        for feed, seen, expires, rows in connection.execute(query):
            code = department_of(feed)
            buckets = ages.setdefault(code, [0] * (len(AGES) + 1))
            buckets[_bucket((today - date.fromisoformat(seen)).days)] += rows
            soon[code] = soon.get(code, 0) + (rows if (date.fromisoformat(expires) - today).days <= SOON else 0)
    return [StockView(_title(gateway, code), tuple(buckets), soon[code]) for code, buckets in sorted(ages.items())]


def _title(gateway: Gateway, code: str) -> Title:
    # Rows may outlast their department's place in the catalogue.
    known = gateway.catalog.departments.get(code)
    return known.title if known else Title(zh=code, en=code)


def _bucket(days: int) -> int:
    return next((place for place, end in enumerate(AGES) if days <= end), len(AGES))
