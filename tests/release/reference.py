"""May this record go to this recipient on this day? The duties one after the other, for one record, in plain words."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from catalog.base import is_within
from catalog.load import Catalog
from tests.release.reference_clock import clock

CENTRAL = ["law", "administrative_regulation", "state_council_decision", "central_policy"]
LEVELS = ["county", "city", "province"]
KINDS = {"legal_person": "企业", "natural_person": "个人"}


def day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def within(thing: Any, on: date) -> bool:
    return thing.in_force_from <= on <= (thing.in_force_to or date.max)


def cited(catalog: Catalog, bases: Any, on: date) -> list[tuple[Any, tuple[str, ...]]]:
    found = [(catalog.instruments[b.instrument], b.article) for b in bases if b.instrument in catalog.instruments]
    return [(one, one.articles[article].allows if article in one.articles else ()) for one, article in found if within(one, on)]


def borne(instruments: list[tuple[Any, Any]], levels: list[str], region: str | None) -> bool:
    return any(one.level in levels or (one.level == "local_regulation" and region and is_within(region, one.region)) for one, _ in instruments)


def why_not(row: dict[str, str | None], catalog: Catalog, to: str, on: date, withdrawn: set[str], consents: list[tuple[Any, ...]]) -> str | None:
    """The entry is "sample"; its fields stand in `row` beside the record id and the subject's name."""
    entry, recipient = catalog.entries["sample"], catalog.recipients[to]
    grant, is_site = entry.grants.get(to), recipient.kind == "publicity_site"
    if row["_record"] in withdrawn or grant is None:
        return "withdrawn" if row["_record"] in withdrawn else "no-grant"
    editions = [catalog.editions[name] for name in entry.editions if name in catalog.editions]
    if not within(entry, on) or not any(e.announced_on and e.announced_on <= on and within(e, on) for e in editions):
        return "entry-not-in-force"
    kind = {None: "legal_person" if row["uscc"] else "natural_person" if row["id_number"] else None, "人": "natural_person"}.get(row["category"], "legal_person")
    if kind not in grant.subjects and not (kind is None and len(grant.subjects) == 2):
        return "subject-kind"
    grounds, is_person = cited(catalog, grant.basis, on), kind != "legal_person"
    publishes = any("publish_people" in says and one.level in CENTRAL[:3] for one, says in grounds)
    if not borne(cited(catalog, entry.basis, on), CENTRAL, entry.region) or not borne(grounds, [*CENTRAL, "departmental_rule"], entry.region) or (
            is_site and is_person and not publishes):  # fmt: skip
        return "basis-lapsed"
    if grant.condition and not grant.condition.approved_on <= on <= grant.condition.until:
        return "condition-ended"
    if grant.consent and not any(who == row["_subject"] and purpose == grant.consent.purpose and since <= on <= until and not (revoked and revoked <= on)
                                 and until - since <= timedelta(grant.consent.max_days) for who, purpose, since, until, revoked in consents):  # fmt: skip
        return "no-consent"
    if row["state"] and row["state"] not in entry.document.in_effect:
        return "document-held" if row["state"] in entry.document.held else "document-not-in-effect"
    born = (found := re.fullmatch(r"\d{6}((?:18|19|20)\d\d)(\d\d)(\d\d)\d{3}[\dX]", row["id_number"] or "")) and tuple(map(int, found.groups()))
    is_opened = not is_site and any("share_minors" in says and one.level in [*CENTRAL, "departmental_rule"] for one, says in grounds)
    if is_person and born and (born[0] + 18, *born[1:]) > (on.year, on.month, on.day) and not is_opened:
        return "minor"
    if is_site and is_person and not born:
        return "age-unknown"
    if is_site and row["mark"]:
        return "lenient"
    known = catalog.lists.get(entry.listing.list)
    if known is None:
        return "listing-not-registered"
    rule = known.standard
    if ((rule.comment_to - rule.comment_from).days < 30 or on < rule.on_credit_china or on < rule.on_department_site or not cited(catalog, [rule.basis], on)
            or (known.transition_to and on > known.transition_to and not (known.renewed_on and known.renewed_on <= known.transition_to))):  # fmt: skip
        return "listing-standard-not-in-force"
    if row["level"] not in LEVELS[LEVELS.index(known.level):] and not (known.other_body and cited(catalog, [known.other_body], on)):
        return "decided-below-level"
    decided, told, end, ended = day(row["decided"]), day(row["told"]), day(row["end"]), day(row["ended"])
    if not told or not decided or told > decided:
        return "subject-not-told"
    if row["objection"] not in entry.listing.settled:
        return "objection-open"
    if any(not row[name] for name in entry.listing.stated):
        return "decision-incomplete"
    fine = Decimal(row["fine"]) if row["fine"] else None
    told_by_clock = clock(decided, (row["class"] or "").split(";") if row["class"] else [], fine, row["sector"], bool(row["mark"]), [*catalog.repair_rules.values()])
    lists = [one for one in catalog.measures.values() if one.announced_on and decided >= one.announced_on and within(one, decided)]
    for code in (row["measures"] or "").split(";") if row["measures"] else []:
        held = [one.measures[code] for one in lists if code in one.measures]
        if not held or "sample" not in held[-1].conduct or any(word not in held[-1].subjects for word in ([KINDS[kind]] if kind else KINDS.values())):
            return "measure-not-in-list"
    if any(told_by_clock.grade not in one.measures[code].grades for code in (row["measures"] or "").split(";") for one in lists if code in one.measures):
        return "measure-too-heavy"
    if is_site and not told_by_clock.is_published:
        return "not-published"
    if is_site and ((row["end"] and not end) or on > min(end or date.max, told_by_clock.latest or date.max)):
        return "publicity-ended"
    return "listing-ended" if is_site and row["ended"] and (not ended or ended <= on) else None
