"""The access register 查询使用登记和审查: every look-up of a subject's data is on the ledger before anything is read, refusals too,
and compliance reviews each (clause 13; D46, D47)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from gateway.people import COMPLIANCE, PURPOSES, ROLES, Person, allowed, person, refusal, register, unreadable
from gateway.refusal import Refusal
from gateway.settings import SHANGHAI, Gateway
from ledger import log
from ledger.events import Event, Line
from records.database import writing
from records.schema import lines
from records.workdays import add_working_days

Json = dict[str, Any]
# Working days within which compliance looks at a look-up.
REVIEW_DAYS = 5
OVER_QUOTA = "over-quota"
WRONG_NUMBER = "wrong-number"
_ASKED = (Event.LOOKED_UP, Event.LOOK_UP_REFUSED)


class Refused(Refusal):
    """The look-up is not allowed. It stands on the ledger all the same."""


class WrongNumber(Refused):
    """What was typed can be no subject's number. The message does not repeat it."""


class NotReviewed(Refusal):
    """The review cannot be entered."""


class Finding(StrEnum):
    """What a review came to: in order, to be explained by the person, or misuse."""

    OK = "ok"
    QUERY = "query"
    ABUSE = "abuse"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who looks something up, for which purpose, and on which document it rests ("" if none). `is_number_wrong`: what was typed
    can be no subject's number."""

    person: str
    purpose: str
    document: str = ""
    is_number_wrong: bool = False


def look_up(gateway: Gateway, asker: Asker, what: str, about: Mapping[str, str], shows_values: bool = False) -> int:
    """Puts a look-up on the ledger before anything is read, and returns its line; `answered` adds what it came to.

    `what` is the command, `about` names what is looked up: a record, the keyed name of a subject, a recipient, an entry.
    Raises Refused, of which WrongNumber is a kind, and the refusal is on the ledger with its reason.
    """
    who, at = person(gateway, asker.person), gateway.clock()
    with writing(gateway.engine) as connection:
        log.queue(connection)  # two at once are counted one after the other
        refused = (refusal(who.role, asker.purpose, shows_values) or (OVER_QUOTA if _today(gateway, connection, who) >= who.daily else "")
                   or (WRONG_NUMBER if asker.is_number_wrong else ""))
        notes = {**about, "what": what, "person": asker.person, "role": who.role, "purpose": asker.purpose, "document": asker.document,
                 "reason": refused}
        log.append(connection, [Line(Event.LOOK_UP_REFUSED if refused else Event.LOOKED_UP, "", "", notes=notes)], at)
        seq = log.head(connection).size
    if refused == WRONG_NUMBER:
        raise WrongNumber(asker.person, "不予查询；所输入的不是任何主体可有的号码，请核对后重新输入。",
                          f"no look-up ({refused}); what was typed can be no subject's number; compare it with the paper and type it again")
    if refused:
        zh, en = _over_quota(gateway, who) if refused == OVER_QUOTA else _remedy(gateway, who.role, shows_values)
        raise Refused(asker.person or "nobody", f"不予查询；{zh}", f"no look-up ({refused}); {en}")
    return seq


def _today(gateway: Gateway, connection: Connection, who: Person) -> int:
    midnight = datetime.combine(gateway.today, time(), SHANGHAI).astimezone(UTC).isoformat()
    return sum(line.notes["person"] == who.name for line in log.read(
        connection, lines.c.event == str(Event.LOOKED_UP), lines.c.at >= midnight))


def answered(gateway: Gateway, seq: int, records: int) -> None:
    """Adds to a look-up how many records it showed."""
    line = Line(Event.LOOK_UP_ANSWERED, "", "", figures={"records": records}, notes={"look_up": seq})
    with writing(gateway.engine) as connection:
        log.append(connection, [line], gateway.clock())


def look_ups(gateway: Gateway) -> list[Json]:
    """Every look-up and refusal, the oldest first, with its review.

    seq, at, event, outcome ("answered", "unfinished" or the reason of the refusal), records (None if unfinished or refused), what,
    person, role, purpose, document, about (what was looked up), due (date), finding ("" if not reviewed), reviewed_by, overdue.
    """
    events = [str(event) for event in (*_ASKED, Event.LOOK_UP_ANSWERED, Event.LOOK_UP_REVIEWED)]
    found: dict[int, Json] = {}
    with gateway.engine.connect() as connection:
        for line in log.read(connection, lines.c.event.in_(events)):
            match line.event:
                case Event.LOOK_UP_ANSWERED:
                    found[line.notes["look_up"]] |= {"outcome": "answered", "records": line.figures["records"]}
                case Event.LOOK_UP_REVIEWED:
                    found[line.notes["look_up"]] |= {"finding": line.notes["finding"], "reviewed_by": line.notes["by"]}
                case _:
                    found[line.seq] = _asked(line)
    today = gateway.today.isoformat()
    return [row | {"overdue": is_open(row) and today > row["due"]} for row in found.values()]


def is_open(row: Json) -> bool:
    """Whether nobody has reviewed a look-up, or the review waits for the person's explanation."""
    return row["finding"] in ("", Finding.QUERY)


def counts(gateway: Gateway) -> dict[str, int]:
    """How many look-ups there are, how many of them were refused, refused for their number and not yet reviewed, are unreviewed, are
    overdue, and were found to be misuse."""
    rows = look_ups(gateway)
    return {"look_ups": len(rows), "refused": sum(row["event"] == Event.LOOK_UP_REFUSED for row in rows),
            "over_quota": sum(row["outcome"] == OVER_QUOTA and is_open(row) for row in rows),
            "unreviewed": sum(map(is_open, rows)), "overdue": sum(row["overdue"] for row in rows),
            "abuse": sum(row["finding"] == Finding.ABUSE for row in rows)}


def review(gateway: Gateway, seq: int, by: str, finding: Finding) -> None:
    """Puts the review of a look-up on the ledger; a later review takes the place of an earlier one.

    Raises NotReviewed if the line is no look-up, or the reviewer is not of compliance or looked up himself.
    """
    asked = {row["seq"]: row for row in look_ups(gateway)}.get(seq)
    if asked is None:
        raise NotReviewed(f"line {seq}", "不是查询记录；请见 gateway subject lookups。", "no look-up; `gateway subject lookups` lists them")
    if person(gateway, by).role != COMPLIANCE:
        raise NotReviewed(by or "nobody", f"不是合规人员；请在 {register(gateway)} 中登记其角色。",
                          f"not of compliance; register the role in {register(gateway)}")
    if asked["person"] == by:
        raise NotReviewed(f"line {seq}", f"查询人即为{by}；须由其他合规人员审查。",
                          f"{by} looked up; somebody else of compliance reviews it")
    line = Line(Event.LOOK_UP_REVIEWED, "", "", notes={"look_up": seq, "finding": str(finding), "by": by})
    with writing(gateway.engine) as connection:
        log.append(connection, [line], gateway.clock())


def _asked(line: log.Told) -> Json:
    notes = dict(line.notes)
    asked = {name: str(notes.pop(name, "")) for name in ("what", "person", "role", "purpose", "document", "reason")}
    on = datetime.fromisoformat(line.at).astimezone(SHANGHAI).date()
    outcome = asked.pop("reason") or "unfinished"
    return {"seq": line.seq, "at": line.at, "event": str(line.event), "outcome": outcome, "records": None, **asked, "about": notes,
            "due": add_working_days(on, REVIEW_DAYS).isoformat(), "finding": "", "reviewed_by": ""}


def _over_quota(gateway: Gateway, who: Person) -> tuple[str, str]:
    return (f"每日限 {who.daily} 次；请明日再查，或者由合规人员在 {register(gateway)} 中调高 daily。",
            f"{who.daily} a day are allowed; tomorrow again, or compliance raises `daily` in {register(gateway)}")


def _remedy(gateway: Gateway, role: str, shows_values: bool) -> tuple[str, str]:
    if role not in ROLES:
        return unreadable(gateway) or (f"请在 {register(gateway)} 中登记其角色（{'、'.join(ROLES)}）。",
                                       f"register the person with one of the roles {', '.join(ROLES)} in {register(gateway)}")
    mine = "；".join(f"{purpose} {PURPOSES[purpose]}" for purpose in sorted(allowed(role, shows_values)))
    return f"请写明角色 {role} 可用的查询目的。", f"name a purpose of the role {role}: {mine}"
