"""What was decided again and reconciled on a day, and who has not confirmed a takedown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.model import Title
from gateway import takedown
from gateway.discrepancies import Kind
from gateway.settings import Gateway
from ledger import questions


@dataclass(frozen=True, slots=True)
class AgainView:
    """One recipient's figures over all entries: records considered, brought, taken back, and still to be confirmed."""

    title: Title
    considered: int
    brought: int
    taken_back: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class OverdueView:
    """A recipient that has not confirmed takedowns by their deadline: how many, since when, and whom to call."""

    title: Title
    contact: str
    records: int
    since: str


@dataclass(frozen=True, slots=True)
class ClearView:
    """How long a recipient took to confirm takedowns: how many, and the hours within which half, 95 % and 99 % of them were."""

    title: Title
    records: int
    hours: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ReconciledView:
    """What one recipient should hold and says it holds, over all entries, how many records differ in which way, and how many of
    them could not be put right."""

    title: Title
    held: int
    found: int
    differing: dict[str, int]
    left: int


def reconciled(gateway: Gateway, night: str) -> list[ReconciledView]:
    """The newest reconciliation of each entry on a day, summed up by recipient."""
    kinds = [str(kind) for kind in Kind]
    found = questions.reconciled(gateway.engine, night, ["held", "found", "repaired", *kinds])
    rows = found.groupby("recipient")[["held", "found", "repaired", *kinds]].sum()
    return [ReconciledView(_title(gateway, str(name)), int(row["held"]), int(row["found"]), {kind: int(row[kind]) for kind in kinds},
                           int(row[kinds].sum() - row["repaired"])) for name, row in rows.iterrows()]


def cleared(gateway: Gateway) -> list[ClearView]:
    """Every recipient that has confirmed one of the open takedowns."""
    rows: list[dict[str, Any]] = takedown.clear_times(gateway).to_dict("records")  # type: ignore[assignment]
    return [ClearView(_title(gateway, row["recipient"]), row["records"], (row["p50"], row["p95"], row["p99"])) for row in rows]


def again(gateway: Gateway, night: str) -> list[AgainView]:
    """The newest re-decision of each entry on a day, and all that was taken back on it, summed up by recipient."""
    figures = questions.decided_again(gateway.engine, night).groupby("recipient")[["accepted", "delivered", "outstanding"]].sum()
    figures = figures.join(questions.taken_back(gateway.engine, night).rename("withdrawn"), how="outer").fillna(0).astype(int)
    columns = ["accepted", "delivered", "withdrawn", "outstanding"]
    return [AgainView(_title(gateway, str(name)), *row) for name, *row in figures[columns].itertuples()]


def overdue(gateway: Gateway) -> list[OverdueView]:
    """Who is late with a takedown, as of today."""
    late: dict[str, list[str]] = {}
    for row in takedown.status(gateway, gateway.today):
        if row["overdue"]:
            late.setdefault(row["recipient"], []).append(row["deadline"])
    contacts = {name: known.contact or "" for name, known in gateway.catalog.recipients.items()}
    return [OverdueView(_title(gateway, name), contacts.get(name, ""), len(days), min(days)) for name, days in sorted(late.items())]


def _title(gateway: Gateway, name: str) -> Title:
    # A recipient may hold records after it left the catalogue.
    known = gateway.catalog.recipients.get(name)
    return known.title if known else Title(zh=name, en=name)
