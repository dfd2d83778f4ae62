"""The figures of a night, for people and programs: read from the ledger, never from memory."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gateway.settings import Gateway
from ledger import questions
from ledger.events import Event

SOURCE = ["collected", "accepted", "quarantined"]
OUT = ["delivered", "unchanged", "withheld", "pending"]


def night_figures(gateway: Gateway, chosen: list[str]) -> dict[str, Any]:
    """What the runs of a night add up to: feeds, recipients, totals, and whether all of it balances (I2).

    `balanced` is true only if every run settled its source and every recipient of every run has a balance.
    """
    runs = questions.nights(gateway.engine).set_index("run")
    source = questions.source_figures(gateway.engine, chosen).set_index("run")
    out = questions.recipient_figures(gateway.engine, chosen)
    feeds = [_feed(gateway, run, str(runs.at[run, "feed"]), (source, out[out["run"] == run]))
             | {"state": str(runs.at[run, "state"])} for run in chosen]
    recipients = out.groupby("recipient")[["accepted", *OUT]].sum()
    return {
        "feeds": feeds,
        "recipients": [{"recipient": name, **_ints(row)} for name, row in recipients.iterrows()],
        "totals": _ints(source[SOURCE].sum()) | _ints(out[OUT].sum()),
        "balanced": bool(feeds) and all(feed["balanced"] for feed in feeds),
    }


def _feed(gateway: Gateway, run: str, feed: str, figures: tuple[pd.DataFrame, pd.DataFrame]) -> dict[str, Any]:
    """One feed's figures. figures: those of all sources by run, and those of this run's recipients."""
    source, out = figures
    own = dict.fromkeys(SOURCE, 0) | _ints(source[source.index == run][SOURCE].sum())
    expected = set(gateway.catalog.recipients_of(gateway.catalog.feeds[feed].entry))
    served = {str(row["recipient"]): _ints(row[["accepted", *OUT]]) for _, row in out.sort_values("recipient").iterrows()}
    reasons = questions.reasons(gateway.engine, [run], Event.CHECKED, "reasons")
    # The ledger refuses a line that does not add up (I2), so what is left to show is whether every line is there and
    # each recipient was served with all that was accepted.
    whole = run in source.index and expected == set(served)
    return {"feed": feed, "run": run, **own, "by_reason": _ints(reasons.groupby("reason")["records"].sum()),
            "recipients": served, "balanced": whole and all(each["accepted"] == own["accepted"] for each in served.values())}


def _ints(row: pd.Series[Any]) -> dict[str, int]:
    return {str(name): int(value) for name, value in row.items()}


def table(figures: dict[str, Any]) -> str:
    """The balance as a table: a line per feed, below it a line per recipient."""
    names = ("collected", "accepted", "quarant.", "delivered", "unchanged", "withheld")
    head = f"{'feed / recipient':<58}" + "".join(f"{name:>10}" for name in names) + f"{'pending':>9}"
    rows = [head, "-" * len(head)]
    for feed in figures["feeds"]:
        mark = "" if feed["state"] == "complete" else f"  [{feed['state']}]"
        rows.append(f"{feed['feed']:<58}{feed['collected']:>10,}{feed['accepted']:>10,}{feed['quarantined']:>10,}{mark}")
        for name, out in feed["recipients"].items():
            rows.append(f"{'    → ' + name:<58}{'':>10}{out['accepted']:>10,}{'':>10}{out['delivered']:>10,}"
                        f"{out['unchanged']:>10,}{out['withheld']:>10,}{out['pending']:>9,}")
    return "\n".join(rows)


def last_line(figures: dict[str, Any]) -> str:
    """The night in one line. Deliveries count once per recipient."""
    totals = figures["totals"]
    return ("night: " + " ".join(f"{name}={totals[name]}" for name in [*SOURCE, *OUT])
            + f" balanced={'yes' if figures['balanced'] else 'no'}")
