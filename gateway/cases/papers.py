"""The papers of a case: sealed as they come in, and opened only for a registered person with a purpose (D46, D47, D50)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.cases.book import Case
from gateway.lookups import Asker, answered, look_up
from gateway.settings import Gateway
from keys.seal import key_id, seal, unseal
from records.schema import case_papers


class PaperKind(StrEnum):
    """What a paper shows: the request itself, that the duties were performed, or the public commitment."""

    STATEMENT = "statement"
    PERFORMANCE = "performance"
    COMMITMENT = "commitment"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper with the name of its file; both are the applicant's own and are sealed together."""

    kind: PaperKind
    name: str = field(repr=False)
    content: bytes = field(repr=False)


def put(connection: Connection, gateway: Gateway, case: str, papers: Sequence[Paper], at: datetime) -> None:
    """Adds papers to a case, each sealed for its place, within the caller's transaction."""
    key = gateway.keyring.derive("case", "paper", case)
    query = sa.select(sa.func.coalesce(sa.func.max(case_papers.c.paper), 0)).where(case_papers.c.case == case)
    first = connection.execute(query).scalar_one() + 1
    rows = [{"case": case, "paper": number, "kind": str(paper.kind), "at": at.isoformat(),
             "sealed": seal(paper.name.encode() + b"\x00" + paper.content, key, _place(case, number))}
            for number, paper in enumerate(papers, first)]
    if rows:
        connection.execute(sa.insert(case_papers), rows)


def kinds(connection: Connection, case: str) -> frozenset[PaperKind]:
    """Which kinds of papers a case has."""
    found = connection.execute(sa.select(case_papers.c.kind).where(case_papers.c.case == case).distinct()).scalars()
    return frozenset(map(PaperKind, found))


def show(gateway: Gateway, case: Case, name: str, purpose: str) -> list[Paper]:
    """The papers of a case in the order in which they came.

    The look-up is put on the ledger before anything is opened, refusals too. Raises Refused, SealBroken.
    """
    seq = look_up(gateway, Asker(name, purpose), f"{case.kind} papers", {"subject": case.subject, "case": case.case}, shows_values=True)
    with gateway.engine.connect() as connection:
        query = sa.select(case_papers).where(case_papers.c.case == case.case).order_by(case_papers.c.paper)
        rows = connection.execute(query).mappings().all()
    answered(gateway, seq, 1)
    return [_opened(gateway, case.case, row["paper"], (row["kind"], row["sealed"])) for row in rows]


def _opened(gateway: Gateway, case: str, number: int, what: tuple[str, bytes]) -> Paper:
    kind, sealed = what
    key = gateway.keyring.reopen(key_id(sealed), "paper", case)
    file, _, content = unseal(sealed, key, _place(case, number)).partition(b"\x00")
    return Paper(PaperKind(kind), file.decode(), content)


def _place(case: str, number: int) -> bytes:
    return f"{case}|{number}".encode()
