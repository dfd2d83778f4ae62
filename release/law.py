"""What the catalogue says of an entry, a grant and a list on a day, before any record is looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from catalog.duties.authority import CENTRAL, RULES, is_local
from catalog.duties.authority import allows as says
from catalog.duties.disclosure import PUBLISHES_PEOPLE
from catalog.duties.listings import COMMENT_DAYS
from catalog.duties.windows import InForce, window_of
from catalog.load import Catalog
from catalog.model import Allowance, Basis, Entry, Grant, Level, SeriousList
from release.terms import Question


def is_in_force(question: Question) -> bool:
    """Whether the version of the entry and an announced edition that holds it are in force that day (D3, D4)."""
    catalog, on = question.catalog, question.on
    editions = [catalog.editions[name] for name in question.entry.editions if name in catalog.editions]
    return question.entry.is_in_force(on) and any(
        edition.announced_on is not None and edition.announced_on <= on and _covers(edition, on) for edition in editions)


def is_carried(question: Question) -> bool:
    """Whether an instrument of the level that clause (1) asks for is in force among the entry's basis, and one that may say
    how it is shared among the grant's (D2, D10). What is not in the catalogue carries nothing."""
    return _is_borne(question, question.entry.basis, CENTRAL) and _is_borne(question, _grounds(question), RULES)


def may_publish_people(question: Question) -> bool:
    """Whether an article among the grant's basis, in force that day, lets people be published (D15)."""
    return _allows(question, Allowance.PUBLISH_PEOPLE, PUBLISHES_PEOPLE)


def may_share_minors(question: Question) -> bool:
    """Whether an article among the grant's basis, in force that day, opens the records of minors (D57)."""
    return _allows(question, Allowance.SHARE_MINORS, RULES)


def has_condition_ended(grant: Grant, on: date) -> bool:
    """Whether the approved application is over, or not approved yet (D10)."""
    condition = grant.condition
    return condition is not None and not condition.approved_on <= on <= condition.until


def list_of(catalog: Catalog, entry: Entry) -> SeriousList | None:
    """The registered list that an entry's listings belong to; None if it is not registered (D20)."""
    return catalog.lists.get(entry.listing.list) if entry.listing else None


def is_standard_in_force(catalog: Catalog, known: SeriousList, on: date) -> bool:
    """Whether a list's standard was consulted on for 30 days, is published on both sites, and was renewed where the
    transition is over (D22–D24, D66)."""
    standard = known.standard
    is_published = max(standard.on_credit_china, standard.on_department_site) <= on
    was_consulted = (standard.comment_to - standard.comment_from).days >= COMMENT_DAYS
    is_over = known.transition_to is not None and known.transition_to < on
    was_renewed = known.transition_to is not None and known.renewed_on is not None and known.renewed_on <= known.transition_to
    is_founded = any(_in_force(catalog, [standard.basis], on))
    return is_published and was_consulted and is_founded and (was_renewed or not is_over)


def may_other_body_decide(catalog: Catalog, known: SeriousList, on: date) -> bool:
    """Whether a rule in force lets a body below the list's level decide (D30)."""
    return known.other_body is not None and any(_in_force(catalog, [known.other_body], on))


def _grounds(question: Question) -> tuple[Basis, ...]:
    return question.grant.basis if question.grant else ()


def _is_borne(question: Question, bases: Iterable[Basis], levels: Collection[Level]) -> bool:
    known, region = question.catalog.instruments, question.entry.region
    cited = [known[basis.instrument] for basis in _in_force(question.catalog, bases, question.on)]
    return any(instrument.level in levels or is_local(instrument, region) for instrument in cited)


def _allows(question: Question, allowance: Allowance, levels: Collection[Level]) -> bool:
    cited = _in_force(question.catalog, _grounds(question), question.on)
    return any(says(question.catalog, basis, allowance, levels) for basis in cited)


def _in_force(catalog: Catalog, bases: Iterable[Basis], on: date) -> Iterator[Basis]:
    for basis in bases:
        instrument = catalog.instruments.get(basis.instrument)
        if instrument is not None and instrument.is_in_force(on):
            yield basis


def _covers(thing: InForce, on: date) -> bool:
    first, last = window_of(thing)
    return first <= on <= last
