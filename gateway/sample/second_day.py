"""The departments' second day: some records changed, some are new, a penalty is revoked, a listing ends, a person strays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from gateway.sample import acts, codes, creation, handover, names
from gateway.sample.dirt import Planter
from gateway.sample.names import DISTRICTS

# Serials of firms of the first day stay below 800,000, those of public bodies begin at 900,001.
_FIRST_NEW_FIRM = 850_000
# Document numbers of the first day count from 1.
_FIRST_NEW_NUMBER = 90_001


class Turn(StrEnum):
    """What became of a row since the first day."""

    CHANGED = "changed"  # the same record with another value
    NEW = "new"
    REVOKED = "revoked"  # a penalty that was annulled after it was shared
    REMOVED = "removed"  # a listing that ended
    STRAY_PERSON = "stray-person"  # new, and about a natural person in a table of legal persons: nobody may have it


Turned = dict[Turn, list[int]]
Account = dict[str, dict[str, list[int]]]


@dataclass(frozen=True, slots=True)
class Morning:
    """One part of what was handed in on the first day, the night that is to read the second, and the draw of lots."""

    planter: Planter
    on: date
    rng: Generator


def next_day(home: Path, on: date) -> Account:
    """Rewrites what five feeds hand in as it stands by the night `on`; the other feeds and the recipients stay as they are.

    Equal worlds and nights give equal content, so a second call changes nothing more. Returns row numbers by feed and turn
    and keeps them as home/sample/second_day.json; home/sample/planted.json then counts the new rows too. Raises NoWorld.
    """
    made, root = creation.Making.of(home), home / "sample"
    parts = creation.invent(made.on, made.seed, made.scale)
    rng = np.random.default_rng([made.seed, 2])
    account: Account = {}
    for part in parts:
        if part.feed not in _TURNS or part.feed in account:
            continue
        turned = _TURNS[part.feed](Morning(part.planter, on, rng))
        account[part.feed] = {turn: [position + part.first for position in rows] for turn, rows in turned.items()}
        handover.write(part, root / "departments" / part.feed.partition(".")[0])
    (root / "second_day.json").write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")
    handover.write_account(parts, root / "planted.json")
    return account


def _registration(morning: Morning) -> Turned:
    """Firms moved within their district, and firms were founded."""
    planter, rng = morning.planter, morning.rng
    moved, like = planter.spare(5), planter.spare(3)
    districts = {district.name: place for place, district in enumerate(DISTRICTS)}
    places = np.array([districts[str(planter.frame.at[position, "region"])] for position in moved])
    for position, address in zip(moved, names.addresses(rng, places), strict=True):
        planter.put(position, "address", address)
    regions = [DISTRICTS[districts[str(region)]].code for region in planter.frame.loc[like, "region"]]
    founded = planter.frame.loc[like].assign(
        name=[names.firm("91", brand, "商贸") for brand in names.brands(rng, len(like))],
        uscc=codes.usccs(["91"] * len(like), regions, np.arange(len(like)) + _FIRST_NEW_FIRM),
        legal_representative=names.people(rng, len(like)),
        registered_on=_day_before(morning).isoformat(),
    )
    return {Turn.CHANGED: moved, Turn.NEW: planter.append(founded)}


def _listings(morning: Morning) -> Turned:
    """One listing ended, and a firm was listed, told three weeks before."""
    planter, on = morning.planter, morning.on
    open_ = planter.frame["removed_on"].isna()
    removed, like = planter.spare(1, open_), planter.spare(1, open_)
    for position in removed:
        planter.put(position, "removed_on", on.isoformat())
        planter.put(position, "removal_reason", "列入事由消失，经申请移出")
        planter.put(position, "removed_by", names.MARKET.name)
    listed = planter.frame.loc[like].assign(
        listed_on=_day_before(morning).isoformat(), notified_on=(on - timedelta(days=22)).isoformat(), objection="未提出异议"
    )
    return {Turn.REMOVED: removed, Turn.NEW: planter.append(listed)}


def _penalties_legal(morning: Morning) -> Turned:
    """A penalty that every recipient has was revoked, and a clerk filed a person with the code of a firm."""
    planter = morning.planter
    revoked = planter.spare(1, _is_public(morning))
    for position in revoked:
        planter.put(position, "CF_ZT", "撤销")
    turned = _penalties(morning)
    is_company = planter.frame["CF_XDR_LB"] == "法人及非法人组织"
    stray = _decided(morning, planter.spare(1, _is_public(morning) & is_company), _FIRST_NEW_NUMBER + 500)
    stray = stray.assign(CF_XDR_MC=names.people(morning.rng, len(stray)), CF_XDR_LB="自然人")
    return turned | {Turn.REVOKED: revoked, Turn.STRAY_PERSON: planter.append(stray)}


def _penalties_natural(morning: Morning) -> Turned:
    return _touched(morning, _penalties(morning))


def _penalties(morning: Morning) -> Turned:
    """Facts were corrected, and penalties were decided."""
    planter = morning.planter
    corrected = planter.spare(4, _is_public(morning))
    for position in corrected:
        planter.put(position, "CF_SY", str(planter.frame.at[position, "CF_SY"]) + "（经更正）")
    decided = _decided(morning, planter.spare(3, _is_public(morning)), _FIRST_NEW_NUMBER)
    return {Turn.CHANGED: corrected, Turn.NEW: planter.append(decided)}


def _defaulters(morning: Morning) -> Turned:
    """Some have performed their duty, and some were published."""
    planter = morning.planter
    open_ = planter.frame["performance"] == "全部未履行"
    performed, like = planter.spare(4, open_), planter.spare(3, open_)
    for position in performed:
        planter.put(position, "performance", "全部已履行")
    numbers = range(_FIRST_NEW_NUMBER, _FIRST_NEW_NUMBER + len(like))
    published = planter.frame.loc[like].assign(
        case_code=[f"（{morning.on.year}）云01执{number}号" for number in numbers],
        publish_date=_day_before(morning).isoformat(),
    )
    return _touched(morning, {Turn.CHANGED: performed, Turn.NEW: planter.append(published)})


def _is_public(morning: Morning) -> pd.Series:
    """Penalties that a site shows on the second day: a fine, with months of publicity to come."""
    frame, ahead = morning.planter.frame, morning.on + timedelta(days=60)
    return (frame["CF_CFLB"] == "罚款") & (frame["CF_GSJZQ"] > f"{ahead:%Y/%m/%d}")


def _decided(morning: Morning, like: list[int], first: int) -> pd.DataFrame:
    """New penalties on the subjects and for the conduct of others, decided the day before and public for a year."""
    rows, day = morning.planter.frame.loc[like], _day_before(morning)
    until = f"{day + timedelta(days=365):%Y/%m/%d}"
    numbers = [f"澜综执罚续〔{day.year}〕第{number}号" for number in range(first, first + len(like))]
    return rows.assign(CF_WSH=numbers, CF_JDRQ=f"{day:%Y/%m/%d}", CF_YXQ=until, CF_GSJZQ=until)


def _touched(morning: Morning, turned: Turned) -> Turned:
    """The same, after the rows were given a time of change within the night's window."""
    rows = [position for positions in turned.values() for position in positions]
    for position, moment in zip(rows, acts.changed(morning.rng, morning.on, len(rows), days=1), strict=True):
        morning.planter.put(position, "updated_at", moment)
    return turned


def _day_before(morning: Morning) -> date:
    return morning.on - timedelta(days=1)


_TURNS: dict[str, Callable[[Morning], Turned]] = {
    "market_regulation.enterprise_registration": _registration,
    "market_regulation.serious_violation": _listings,
    "law_enforcement.administrative_penalty_legal": _penalties_legal,
    "law_enforcement.administrative_penalty_natural": _penalties_natural,
    "court.judgment_defaulter": _defaulters,
}
