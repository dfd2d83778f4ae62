"""Why a record may not leave to a recipient on a day: one reason for each record, or none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Consent, Grant, SubjectKind
from records.stages import RECORD, SUBJECT
from release.columns import Bools, bools
from release.facts import Facts
from release.law import (
    has_condition_ended,
    is_carried,
    is_in_force,
    is_standard_in_force,
    list_of,
    may_other_body_decide,
    may_publish_people,
    may_share_minors,
)
from release.subjects import is_minor
from release.terms import Question
from release.withdrawn import is_withdrawn

REASONS = (
    "withdrawn",  # on the suppression list (I6)
    "no-grant",  # the entry grants the recipient nothing (I1)
    "entry-not-in-force",  # neither version nor an announced edition is in force that day (D2, D3)
    "subject-kind",  # the grant leaves this kind of subject out
    "basis-lapsed",  # no instrument of sufficient level; on a site, no article that lets people be published (D2, D15)
    "condition-ended",  # the approved application is over, or not approved yet (D10)
    "no-consent",  # the grant rests on the subject's consent, and there is none that day (D51, D52)
    "document-not-in-effect",  # revoked, or a state that nobody calls effective (D7)
    "document-held",  # under objection
    "minor",  # under 18: to nobody, unless an article opens it to one who is no site (D57)
    "age-unknown",  # on a site, where the age of a person cannot be read (D57)
    "lenient",  # on a site, where leniency is marked (D57)
    "listing-not-registered",  # no such list (D20)
    "listing-standard-not-in-force",  # D22–D25, D66
    "decided-below-level",  # D30
    "subject-not-told",  # not, or only after the decision (D28)
    "objection-open",  # or nobody says that it is settled (D28)
    "decision-incomplete",  # D29
    "measure-not-in-list",  # D31
    "measure-too-heavy",  # D35
    "not-published",  # on a site, a grade that is not published (Order 36 of 2025)
    "publicity-ended",  # on a site (D19, I9)
    "listing-ended",  # on a site (D40)
)
"""Every reason, in the order in which they are asked: the first that holds of a record is its reason."""


def decide(facts: Facts, question: Question, withdrawn: pd.Index, consents: pd.DataFrame) -> pa.Array:
    """The first of REASONS that keeps each record back, null for a record that may leave.

    Pure, by column, and without keys. facts: of records of the question's entry under the question's catalogue; they may
    be shared between recipients. withdrawn: record ids on the suppression list. consents: the columns of
    records/consents.py; a grant that rests on consent finds the subject's name in the column SUBJECT of the table.
    Minors go to nobody, since no instrument in the catalogue opens their records (D57, house reading).
    """
    size = len(facts.table)
    found = np.zeros(size, np.int64)
    for reason, hit in reversed([*_reasons(facts, question, withdrawn, consents)]):
        found[hit] = REASONS.index(reason) + 1
    words = pa.array([None, *REASONS], pa.string())
    return words.take(pa.array(found))


def _reasons(facts: Facts, question: Question, withdrawn: pd.Index, consents: pd.DataFrame) -> Iterator[tuple[str, Bools]]:
    everything, grant = np.ones(len(facts.table), np.bool_), question.grant
    yield "withdrawn", bools(is_withdrawn(facts.table[RECORD], withdrawn))
    if grant is None:
        yield "no-grant", everything
        return
    yield "entry-not-in-force", everything & (not is_in_force(question))
    yield from _of_grant(facts, question, grant)
    if grant.consent:
        yield "no-consent", ~_has_consent(facts, grant.consent, question, consents)
    yield from facts.of_document
    yield from _of_subject(facts, question)
    yield from _of_listing(facts, question)
    yield from facts.of_measures
    if question.is_publicity:
        yield from _of_publicity(facts, question)


def _of_grant(facts: Facts, question: Question, grant: Grant) -> Iterator[tuple[str, Bools]]:
    given = [kind in grant.subjects for kind in SubjectKind]
    yield "subject-kind", ~np.array([*given, all(given)])[facts.kinds]  # any kind may go, so an unknown one too
    lapsed = np.full(len(facts.table), not is_carried(question))
    if question.is_publicity and not may_publish_people(question):
        lapsed |= facts.may_be_person
    yield "basis-lapsed", lapsed
    yield "condition-ended", np.full(len(facts.table), has_condition_ended(grant, question.on))


def _has_consent(facts: Facts, consent: Consent, question: Question, consents: pd.DataFrame) -> Bools:
    """Whether each subject has a consent for the purpose that began, has not ended, and is no longer than the grant allows."""
    on, mine = question.on.isoformat(), consents[consents["purpose"] == consent.purpose]
    terms = pd.to_datetime(mine["expires_on"]) - pd.to_datetime(mine["issued_on"])
    holds = (mine["issued_on"] <= on) & (on <= mine["expires_on"]) & (terms <= pd.Timedelta(days=consent.max_days))
    holds &= mine["revoked_on"].isna() | (on < mine["revoked_on"].fillna(""))
    return bools(pc.is_in(facts.table[SUBJECT], value_set=pa.array(mine["subject"][holds.fillna(False).astype(bool)], pa.string())))


def _of_subject(facts: Facts, question: Question) -> Iterator[tuple[str, Bools]]:
    if question.entry.subject.id_number:
        if question.is_publicity or not may_share_minors(question):
            yield "minor", facts.may_be_person & bools(is_minor(facts.births, question.on))
        if question.is_publicity:
            yield "age-unknown", facts.may_be_person & bools(pc.is_null(facts.births))
    if question.is_publicity:
        yield "lenient", facts.is_lenient


def _of_listing(facts: Facts, question: Question) -> Iterator[tuple[str, Bools]]:
    if question.entry.listing is None:
        return
    everything, known = np.ones(len(facts.table), np.bool_), list_of(question.catalog, question.entry)
    if known is None:
        yield "listing-not-registered", everything
        return
    yield "listing-standard-not-in-force", everything & (not is_standard_in_force(question.catalog, known, question.on))
    yield from facts.of_listing(None if may_other_body_decide(question.catalog, known, question.on) else known.level)


def _of_publicity(facts: Facts, question: Question) -> Iterator[tuple[str, Bools]]:
    on, entry = question.on.isoformat(), question.entry
    if facts.clocked:
        yield "not-published", ~facts.clocked.is_published
    if facts.publicity_end is not None:
        yield "publicity-ended", facts.is_over(facts.publicity_end, on, is_last_day_in=True)
    if entry.ended_on:
        yield "listing-ended", facts.is_over(facts.table[entry.ended_on], on, is_last_day_in=False)
