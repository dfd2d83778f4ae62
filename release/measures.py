"""Measures attached to a record: which the list in force allows, and in which words they leave (D31–D36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from catalog.base import is_within
from catalog.load import Catalog
from catalog.measures import Measure, MeasureClass, MeasuresList
from catalog.model import Body, SubjectKind
from release.clock import GRADES
from release.columns import Bools, Codes, Ints, codes, days, texts

ADVICE = "（建议，由接收方自主决定 advice, not an order）"

# How the column 惩戒对象 of the list names the kinds of subject.
_SUBJECTS = {"企业": SubjectKind.LEGAL_PERSON, "个人": SubjectKind.NATURAL_PERSON}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the lists in force say of each record's measures. `is_unlisted`: one of them is not in a list in force on the day
    of the decision, not for this entry's conduct, or not for this kind of subject. `is_too_heavy`: one is not for the
    record's grade. `texts` is what leaves to an authority, `advice` what leaves to any other body, null for no measure."""

    is_unlisted: Bools
    is_too_heavy: Bools
    texts: pa.Array
    advice: pa.Array


def measured(catalog: Catalog, entry_code: str, columns: tuple[pa.Array, pa.Array | None], kind: Ints, grade: Ints) -> Measured:
    """Judges and words the measures of an entry's records by column.

    columns: the measures (codes joined by `;`) and the decision dates. kind: place in SubjectKind, or its length where
    it is not known, for which a measure must be open to every kind. grade: place in GRADES, or its length where nobody
    can tell, for which every measure is too heavy. Each distinct set of measures is judged once for each list.
    """
    joined, decided = codes(columns[0]), columns[1]
    days_known = codes(decided) if decided is not None else Codes([], np.zeros(len(columns[0]), np.int64))
    lists, which = _lists_by_day(_lists_for(catalog, entry_code), days_known)
    words: list[str | None] = [*joined.words, None]
    found = [_judge(known, entry_code, each) for known in lists for each in words]
    place = which[days_known.places] * len(words) + joined.places
    return Measured(
        np.array([each.unlisted for each in found]).reshape(len(found), -1)[place, kind],
        np.array([each.too_heavy for each in found]).reshape(len(found), -1)[place, grade],
        texts([each.text for each in found]).take(pa.array(place)), texts([each.advice for each in found]).take(pa.array(place)))


@dataclass(frozen=True, slots=True)
class _Judged:
    """One set of measures under one list: unlisted by kind of subject, too heavy by grade, and both ways of wording it."""

    unlisted: tuple[bool, ...]
    too_heavy: tuple[bool, ...]
    text: str | None
    advice: str | None


def _judge(known: dict[str, Measure], entry_code: str, joined: str | None) -> _Judged:
    attached = joined.split(";") if joined else []
    listed = [known[code] for code in attached if code in known and entry_code in known[code].conduct]
    whole = len(listed) == len(attached)
    fits = [all(kind in _kinds(measure) for measure in listed) for kind in SubjectKind]
    bears = [all(grade in measure.grades for measure in listed) for grade in GRADES]
    plain, advice = ("；".join(_worded(code, known.get(code), is_order) for code in attached) or None for is_order in (True, False))
    return _Judged(tuple(not (whole and fit) for fit in [*fits, all(fits)]),
                   tuple(not fit for fit in [*bears, not attached]), plain, advice)


def _kinds(measure: Measure) -> set[SubjectKind]:
    return {_SUBJECTS[word] for word in measure.subjects if word in _SUBJECTS}


def _worded(code: str, measure: Measure | None, is_authority: bool) -> str:
    """Code and Chinese title. Advice, and whatever goes to a body that no one may order about, says so in the value (D34)."""
    if measure is None:
        return code
    is_advice = measure.kind is MeasureClass.ADVICE or not is_authority
    return f"{code} {measure.title.zh}{ADVICE if is_advice else ''}"


def _lists_for(catalog: Catalog, entry_code: str) -> Mapping[str, MeasuresList]:
    """The announced lists: the national ones, and the supplements of the region whose department hands the entry in (D33)."""
    regions = {department.region for department in catalog.departments.values() for feed in department.feeds if feed.entry == entry_code}
    return {name: known for name, known in catalog.measures.items() if known.announced_on is not None
            and (known.region is None or any(is_within(region, known.region) for region in regions))}


def _lists_by_day(known: Mapping[str, MeasuresList], decided: Codes) -> tuple[list[dict[str, Measure]], Ints]:
    """What may be attached, and which of it holds for each distinct decision date; nothing holds where there is no date."""
    lists: dict[tuple[str, ...], dict[str, Measure]] = {(): {}}
    keys = [_in_force(known, None if np.isnat(day) else day.item()) for day in days(texts(decided.words))]
    for key in keys:
        lists[key] = {code: measure for name in key for code, measure in known[name].measures.items()}
    places = {key: place for place, key in enumerate(lists)}
    return list(lists.values()), np.array([*(places[key] for key in keys), places[()]])


def _in_force(known: Mapping[str, MeasuresList], on: date | None) -> tuple[str, ...]:
    return tuple(name for name, one in known.items() if on is not None and one.announced_on is not None
                 and max(one.announced_on, one.in_force_from) <= on and (one.in_force_to is None or on <= one.in_force_to))


def is_ordered_about(body: Body) -> bool:
    """Whether a body may be told to act; all others decide for themselves (D34)."""
    return body is Body.AUTHORITY
