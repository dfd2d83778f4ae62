"""Why a record left, or would leave, to a recipient on a day, and why not: rule, edition, instrument, mask, period (I12)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

import masking
import release
from catalog.load import Catalog
from catalog.model import Basis, Entry, Grant
from gateway.settings import SHANGHAI, Gateway
from gateway.way import under_each_handle
from ledger import editions
from ledger.disclosed import history
from ledger.holdings import TEXT, Holder
from records import consents
from records.schema import runs, withdrawn
from records.stages import HANDLE, REASON, RECORD
from records.store import Erased

Json = dict[str, Any]


class NotExplained(LookupError):
    """The question names something that the gateway does not know. The message says what it knows."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked: a record, a recipient, a day (the end of it, Shanghai), and perhaps one field."""

    record: str
    recipient: str
    on: date
    field: str | None = None


def explain(gateway: Gateway, inquiry: Inquiry) -> Json:
    """The decision on one record for one recipient on one day, with its legal chain, and what the account says.

    It is taken again by the catalogue that decided on that day, over the content that the record had then, with the same
    code that decides for deliveries. Holds no value of the record. Raises NotExplained, StoreDamaged, EditionUnknown.
    """
    entry_code = _entry_of(gateway, inquiry.record)
    with _catalog_on(gateway, inquiry.on) as catalog:
        entry = catalog.entries.get(entry_code)
        if entry is None or inquiry.recipient not in catalog.recipients:
            missing = inquiry.recipient if entry is not None else f"entry {entry_code}"
            raise NotExplained(f"{missing}: not in the catalogue of {inquiry.on}; it knows {', '.join(sorted(catalog.recipients))}")
        if inquiry.field is not None and inquiry.field not in entry.fields:
            raise NotExplained(f"{inquiry.field}: not a field of {entry_code} on {inquiry.on}; it has {', '.join(entry.fields)}")
        question = release.Question(catalog, entry_code, inquiry.recipient, inquiry.on)
        decision = _decided(gateway, question, inquiry)
        return {"record": inquiry.record, "recipient": inquiry.recipient, "on": inquiry.on.isoformat(), "edition": catalog.edition,
                "entry": entry_code, "title": entry.title.model_dump(), "version": entry.in_force_from.isoformat(), **decision,
                **_law(catalog, entry, question.grant), "fields": _fields(question, inquiry, decision["reason"]),
                "account": _account(gateway, question, inquiry)}


def _entry_of(gateway: Gateway, record: str) -> str:
    try:
        with gateway.engine.connect() as connection:
            return gateway.store.entry_of(connection, record)
    except KeyError:
        raise NotExplained(f"record {record}: the store never had it; `gateway record` gives the id of a record from its key") from None


@contextmanager
def _catalog_on(gateway: Gateway, on: date) -> Iterator[Catalog]:
    """Today's catalogue for today and days to come; for a past day that by which the last run of the day decided."""
    if on >= gateway.today:
        yield gateway.catalog.as_of(on)
        return
    with gateway.engine.connect() as connection:
        query = sa.select(runs.c.edition).where(runs.c.opened_at <= _end(on).isoformat()).order_by(runs.c.opened_at.desc()).limit(1)
        edition = connection.execute(query).scalar_one_or_none()
        if edition is None:
            raise NotExplained(f"{on}: the gateway had no run until then, so nothing had left; name a later day")
        with tempfile.TemporaryDirectory() as folder:
            yield editions.restore(connection, edition, Path(folder)).as_of(on)


def _end(on: date) -> datetime:
    return datetime.combine(on + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)


def _decided(gateway: Gateway, question: release.Question, inquiry: Inquiry) -> Json:
    """`leaves`, and if not the first reason; "not-stored-then" and "erased" where there is nothing to decide on."""
    instant = min(_end(inquiry.on), gateway.clock().astimezone(UTC))
    try:
        with gateway.engine.connect() as connection:
            row = gateway.store.at(connection, question.entry_code, inquiry.record, instant)
            listed = sa.select(withdrawn.c.record).where(
                withdrawn.c.entry == question.entry_code, withdrawn.c.record == inquiry.record, withdrawn.c.since <= instant.isoformat(),
                sa.or_(withdrawn.c.lifted_at.is_(None), withdrawn.c.lifted_at > instant.isoformat()))
            suppressed = pd.Index(list(connection.execute(listed).scalars()), dtype=TEXT)
            given = consents.everything(connection)[[*consents.COLUMNS]]
    except KeyError:
        return {"leaves": False, "reason": "not-stored-then", "period": None}
    except Erased:
        return {"leaves": False, "reason": "erased", "period": None}
    terms = _terms(gateway, question, given)
    absent = pd.Series([pd.NA], dtype=TEXT)
    whole = pd.DataFrame({RECORD: row[RECORD]} | {code: row.get(code, absent) for code in question.entry.fields})
    permitted = release.permit(whole, terms, pd.Series([], index=pd.Index([], dtype=TEXT), dtype=TEXT), suppressed)
    token = gateway.keyring.derive("token", inquiry.recipient)
    masked = masking.mask(permitted, masking.MaskContext(token, question.is_publicity, question.entry))
    reasons = [*permitted.withheld[REASON], *masked.withheld[REASON]]
    return {"leaves": not reasons, "reason": reasons[0] if reasons else "", "period": _period(whole, question)}


def _period(whole: pd.DataFrame, question: release.Question) -> Json | None:
    """The repair rule that reckons how long the decision is public, its grade, and the last days of the two periods."""
    known = release.periods(whole, question)
    if known is None:
        return None
    decided = whole[question.entry.document.date if question.entry.document else str(question.entry.decided_on)].iloc[0]
    rules = [key for key, rule in question.catalog.repair_rules.items() if not pd.isna(decided)
             and str(rule.decided_from or "0001-01-01") <= decided <= str(rule.decided_to or "9999-12-31")]
    row = known.iloc[0]
    return {"rule": rules[0] if rules else None, **{name: None if pd.isna(row[name]) else str(row[name]) for name in known.columns}}


def _terms(gateway: Gateway, question: release.Question, given: pd.DataFrame) -> release.Terms:
    keyring, recipient, entry = gateway.keyring, question.recipient_code, question.entry_code
    return release.Terms(
        question.catalog, entry, recipient, question.on, handle_key=keyring.derive("handle", recipient, entry),
        digest_key=keyring.derive("digest", recipient, entry), subject_key=keyring.derive("identity", "subject"),
        terms_digest="", consents=given)


def _law(catalog: Catalog, entry: Entry, grant: Grant | None) -> Json:
    condition = grant.condition if grant else None
    return {
        "basis_of_the_entry": [cited(catalog, basis) for basis in entry.basis],
        "basis_of_the_grant": [cited(catalog, basis) for basis in grant.basis] if grant else [],
        "condition": condition.model_dump(mode="json") if condition else None,
        "consent": grant.consent.model_dump(mode="json") if grant and grant.consent else None}


def cited(catalog: Catalog, basis: Basis) -> Json:
    """A legal basis as its instrument words it: instrument, number, title, article, says (None where only the article is known),
    level, in_force (first and last day)."""
    instrument = catalog.instruments[basis.instrument]
    says = instrument.articles.get(basis.article)
    until = instrument.in_force_to.isoformat() if instrument.in_force_to else None
    return {"instrument": basis.instrument, "number": instrument.number, "title": instrument.title.model_dump(),
            "article": basis.article, "says": {"zh": says.zh, "en": says.en} if says else None, "level": instrument.level,
            "in_force": [instrument.in_force_from.isoformat(), until]}


def _fields(question: release.Question, inquiry: Inquiry, reason: str) -> list[Json]:
    found = release.outcomes(question.entry, question.recipient, question.grant)
    chosen = [inquiry.field] if inquiry.field else list(question.entry.fields)
    return [{"field": code, "title": question.entry.fields[code].title.model_dump(),
             "outcome": "withheld" if reason and found[code] == "permitted" else str(found[code]),
             "mask": str(question.masks[code]) if code in question.masks else None,
             "share": str(question.entry.fields[code].share), "publish": question.entry.fields[code].publish} for code in chosen]


def _account(gateway: Gateway, question: release.Question, inquiry: Inquiry) -> list[Json]:
    """What the recipient was given and what was taken back until the end of the day, the oldest first."""
    holder = Holder(inquiry.recipient, question.entry_code)
    named = under_each_handle(gateway, holder, pd.DataFrame({RECORD: [inquiry.record]}, dtype=TEXT))[HANDLE]
    with gateway.engine.connect() as connection:
        told = history(connection, holder, named.to_list())
    until: list[Json] = told[told["at"] <= _end(inquiry.on).isoformat()].to_dict("records")  # type: ignore[assignment]
    return until
