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
    runs = questions.nights(gateway.engine).set_index("run").loc[chosen]
    source = questions.source_figures(gateway.engine, chosen).set_index("run")
    out = questions.recipient_figures(gateway.engine, chosen)
    feeds = [_feed(gateway, runs.loc[run], source, out[out["run"] == run]) for run in chosen]
    recipients = out.groupby("recipient")[["accepted", *OUT]].sum()
    return {
        "feeds": feeds,
        "recipients": [{"recipient": name, **_ints(row)} for name, row in recipients.iterrows()],
        "totals": _ints(source[SOURCE].sum()) | _ints(out[OUT].sum()),
        "balanced": bool(feeds) and all(feed["balanced"] for feed in feeds),
    }


def _feed(gateway: Gateway, run: pd.Series, source: pd.DataFrame, out: pd.DataFrame) -> dict[str, Any]:
    own = _ints(source.loc[run.name, SOURCE]) if run.name in source.index else dict.fromkeys(SOURCE, 0)
    expected = set(gateway.catalog.recipients_of(gateway.catalog.feeds[run["feed"]].entry))
    served = {row["recipient"]: _ints(row[["accepted", *OUT]]) for _, row in out.sort_values("recipient").iterrows()}
    reasons = questions.reasons(gateway.engine, [str(run.name)], Event.CHECKED, "reasons")
    # The ledger refuses a line that does not add up (I2), so what is left to show is whether every line is there and
    # each recipient was served with all that was accepted.
    whole = run.name in source.index and expected == set(served)
    return {"feed": run["feed"], "run": run.name, "state": run["state"], **own,
            "by_reason": {str(k): int(v) for k, v in reasons.groupby("reason")["records"].sum().items()},
            "recipients": served, "balanced": whole and all(f["accepted"] == own["accepted"] for f in served.values())}


def _ints(row: pd.Series) -> dict[str, int]:
    return {str(name): int(value) for name, value in row.items()}


def table(figures: dict[str, Any]) -> str:
    """The balance as a table: a line per feed, below it a line per recipient."""
    head = f"{'feed / recipient':<58}{'collected':>10}{'accepted':>10}{'quarant.':>10}{'delivered':>10}{'unchanged':>10}{'withheld':>10}{'pending':>9}"
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
