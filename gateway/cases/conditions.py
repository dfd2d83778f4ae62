"""Under which conditions an application for repair is taken up, each with its ground in the law (D38, D39; Order 36 of 2025)."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.model import Entry
from gateway.cases.about import About, about
from gateway.cases.acting import reason_of_open
from gateway.cases.desk import Desk
from gateway.cases.papers import PaperKind, kinds
from gateway.cases.states import CaseRefused, Ground, Sentences
from records.stages import Notice


def unmet(desk: Desk) -> dict[Ground, Sentences]:
    """The conditions that an application does not meet today, by ground; empty if it can be taken up.

    The minimum period of publicity is over, the duties were performed, the commitment was made in public, and no provision
    forbids the repair. Whether what the papers say is true, the unit judges, never the gateway.
    """
    known = about(desk.gateway, desk.connection, desk.case.record)
    entry = desk.gateway.catalog.entries[known.entry]
    found = [*_of_entry(entry), *_of_period(desk, entry, known), *_of_papers(desk)]
    if reason_of_open(desk.connection, desk.case.entry, desk.case.record) == Notice.REPAIR:
        found.append((Ground.REPAIRED, ("该记录已因信用修复撤回", "the record was taken back for a repair already")))
    return dict(found)


def expect_ground(desk: Desk, ground: Ground) -> None:
    """Returns if an application may be refused on a ground; what the gateway can see for itself must be so. Raises CaseRefused."""
    if ground is not Ground.INCOMPLETE and ground not in unmet(desk):
        raise CaseRefused(f"case {desk.case.case}", f"所称理由 {ground} 不成立；请予受理，或者写明成立的理由。",
                          f"{ground} does not stand against it; take it up, or name the ground that does")


def _of_entry(entry: Entry) -> Iterator[tuple[Ground, Sentences]]:
    if entry.repair is None:
        yield Ground.NOTHING_TO_REPAIR, ("该事项不属于失信信息；记录有误的，应提出异议",
                                         "records of this entry are not adverse; an error in one is for an objection")
    elif entry.repair.forbidden_by:
        cited = entry.repair.forbidden_by
        yield Ground.FORBIDDEN, (f"依 {cited.instrument} {cited.article} 不予修复", f"{cited.instrument} {cited.article} forbids it")


def _of_period(desk: Desk, entry: Entry, known: About) -> Iterator[tuple[Ground, Sentences]]:
    if entry.clock is None:
        return
    if known.earliest is None:
        yield Ground.PERIOD_UNKNOWN, ("依其类别或日期无法确定最短公示期；请报送部门先更正记录",
                                      "its class or date leaves the minimum period open; the department corrects the record first")
    elif desk.gateway.today <= known.earliest:
        yield Ground.TOO_EARLY, (f"最短公示期至 {known.earliest} 届满", f"its minimum period of publicity lasts until {known.earliest}")


def _of_papers(desk: Desk) -> Iterator[tuple[Ground, Sentences]]:
    there = kinds(desk.connection, desk.case.case)
    if PaperKind.PERFORMANCE not in there:
        yield Ground.NOT_PERFORMED, ("缺少已履行义务、纠正失信行为的证明材料",
                                     "no paper shows that the duties were performed and the conduct corrected")
    if PaperKind.COMMITMENT not in there:
        yield Ground.NO_COMMITMENT, ("缺少公开的信用承诺", "the public commitment is missing")
