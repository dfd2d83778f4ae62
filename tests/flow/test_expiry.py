"""What is past its last day of publicity comes back from the sites on the short road; who shares and does not publish keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from gateway import expiry
from gateway.night import decide_all, run_night, take_back_all
from gateway.sample import World
from gateway.settings import Gateway
from gateway.takedown import status
from records.schema import holdings
from tests.flow.held_content import ON, content
from tests.flow.test_story import ENTRY, FEED

SITES = {"credit_china", "gsxt"}


def last_days(gateway: Gateway, site: str) -> dict[str, str]:
    query = sa.select(holdings.c.handle, holdings.c.ends_on).where(holdings.c.recipient == site, holdings.c.entry == ENTRY)
    with gateway.engine.connect() as connection:
        return dict(map(tuple, connection.execute(query)))


def showing(gateway: Gateway) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for recipient, entry, handle in content(gateway.home):
        if entry == ENTRY:
            found.setdefault(recipient, set()).add(handle)
    return found


def test_d19_on_the_day_after_its_last_a_record_comes_back_from_the_sites_alone_and_no_store_is_read(gateway: Gateway, world: World) -> None:
    run_night(gateway, ON, [FEED], print)
    ends, before = last_days(gateway, "credit_china"), showing(gateway)
    last = sorted(set(ends.values()))[len(set(ends.values())) // 2]
    the_day = replace(gateway, clock=lambda: gateway.clock() + (date.fromisoformat(last) - ON))
    assert ends and all(value is not None for value in ends.values())
    for later, gone in ((the_day, lambda end: end < last), (replace(the_day, clock=lambda: the_day.clock() + timedelta(days=1)), lambda end: end <= last)):
        for entry in expiry.entries(later):
            expiry.expire(later, entry)
        take_back_all(later, [ENTRY])
        assert showing(gateway)["credit_china"] == {handle for handle, end in ends.items() if not gone(end)}
    after = showing(gateway)
    assert {name: after[name] for name in set(after) - SITES} == {name: before[name] for name in set(before) - SITES}
    assert {row["reason"] for row in status(later, later.today)} <= {"expiry"} and expiry.entries(later) == []
    again = decide_all(later, [ENTRY])
    assert all(figures["delivered"] == 0 for figures in again.values()), "the re-decision brings nothing of it back"
