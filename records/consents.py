"""Consents of subjects (D51, D52): for one purpose, for a set time, and never under the subject's own number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from records.schema import consents

COLUMNS = ("subject", "purpose", "issued_on", "expires_on", "revoked_on")
_TEXT = pd.ArrowDtype(pa.string())
_ONE_PURPOSE = re.compile(r"[a-z][a-z0-9_]*")


class ConsentRefused(ValueError):
    """A consent that may not be taken in, or one to revoke that is not there. The message says what is wrong, and never
    names the subject otherwise than by its keyed name, and says it in Chinese and English: clerks read it."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a subject has consented to. `subject` is its keyed name (records/identity.py `subjects`). `document` refers to
    the evidence; it holds from `issued_on` to `expires_on`, both included."""

    subject: str
    purpose: str
    issued_on: date
    expires_on: date | None
    scope: str
    method: str
    document: str


def give(connection: Connection, consent: Consent, max_days: int) -> None:
    """Takes a consent in, inside the caller's transaction.

    Raises ConsentRefused for one without an end or for life, one longer than `max_days`, one for several purposes (in one
    breath, or in one document), one that does not say how far it reaches, how it was given and where the evidence is,
    and one that stands already.
    """
    for wrong in _faults(connection, consent, max_days):
        raise ConsentRefused(wrong)
    row = {"subject": consent.subject, "purpose": consent.purpose, "issued_on": consent.issued_on.isoformat(),
           "expires_on": consent.expires_on.isoformat() if consent.expires_on else "", "revoked_on": None,
           "scope": consent.scope, "method": consent.method, "document": consent.document}
    connection.execute(sa.insert(consents), [row])


def _faults(connection: Connection, consent: Consent, max_days: int) -> list[str]:
    faults = []
    if not _ONE_PURPOSE.fullmatch(consent.purpose):
        faults.append(f"purpose {consent.purpose}: 一份同意只对应目录中的一个用途，请逐项录入。 "
                      "a consent is for one purpose of the catalogue; take one in for each (D52)")
    if consent.expires_on is None:
        faults.append("未写明截止日的同意不予录入，请问明期限。 a consent without an end is refused; ask the subject until when (D52)")
    elif consent.expires_on < consent.issued_on:
        faults.append("同意的截止日早于起始日，请更正日期。 the consent ends before it begins; correct the dates")
    elif (consent.expires_on - consent.issued_on).days > max_days:
        faults.append(f"同意期限超过授权允许的 {max_days} 天，请取得期限较短的同意。 "
                      f"the consent is longer than the {max_days} days that the grant allows; ask for a shorter one (D52)")
    if not all(text.strip() for text in (consent.scope, consent.method, consent.document)):
        faults.append("须写明同意的范围、方式和证明材料所在。 "
                      "a consent says its scope, its method and where the evidence lies; write all three (D51)")
    known = consents.c
    same = connection.execute(sa.select(known.purpose, known.document, known.issued_on, known.revoked_on).where(
        known.subject == consent.subject)).all()
    if any(row.purpose != consent.purpose and row.document == consent.document for row in same):
        faults.append("该文件已载有另一用途的同意，不接受捆绑同意。 "
                      "the same document already bears a consent for another purpose; bundled consent is refused (D52)")
    faults += [_taken_in(row.revoked_on) for row in same
               if row.purpose == consent.purpose and row.issued_on == consent.issued_on.isoformat()]
    return faults


def _taken_in(revoked_on: str | None) -> str:
    """Why a second consent from the same day is refused, and what to do: one that was revoked cannot be revoked once more."""
    if revoked_on is None:
        return ("该用途自该日起的同意已在册，请先撤销或更正日期。 "
                "a consent for this purpose from that day stands already; revoke it first, or mend the date")
    return (f"该用途自该日起的同意已录入过，并自 {revoked_on} 起撤销；重新给予的同意请以另一日为起始日。 "
            f"a consent for this purpose from that day was revoked from {revoked_on}; let the one given anew begin on another day")


def revoke(connection: Connection, subject: str, purpose: str, on: date) -> int:
    """Ends every consent of a subject for a purpose from the day `on`, also one that was to end by a revocation of a later day;
    returns how many.

    Raises ConsentRefused if none stands.
    """
    stands = sa.or_(consents.c.revoked_on.is_(None), consents.c.revoked_on > on.isoformat())
    mine = (consents.c.subject == subject, consents.c.purpose == purpose, stands)
    ended = connection.execute(sa.update(consents).where(*mine).values(revoked_on=on.isoformat()))
    if not ended.rowcount:
        raise ConsentRefused(f"purpose {purpose}: {subject} 没有可撤销的同意，请用 gateway consent list 查询。 "
                             "has no consent to revoke; look it up with `gateway consent list`")
    return ended.rowcount


def valid(connection: Connection, purpose: str, on: date) -> pd.DataFrame:
    """The consents for a purpose that hold on a day: COLUMNS as Arrow strings, days as YYYY-MM-DD."""
    day, known = on.isoformat(), consents.c
    holds = (known.purpose == purpose, known.issued_on <= day, day <= known.expires_on,
             sa.or_(known.revoked_on.is_(None), known.revoked_on > day))
    return frame(connection.execute(sa.select(*(known[name] for name in COLUMNS)).where(*holds)).all())


def everything(connection: Connection, purpose: str | None = None) -> pd.DataFrame:
    """Every consent ever taken in, the oldest first: COLUMNS, scope, method, document."""
    query = sa.select(*(consents.c[name] for name in (*COLUMNS, "scope", "method", "document")))
    if purpose is not None:
        query = query.where(consents.c.purpose == purpose)
    rows = connection.execute(query.order_by(consents.c.issued_on, consents.c.subject)).all()
    return pd.DataFrame([*map(tuple, rows)], columns=[*COLUMNS, "scope", "method", "document"], dtype=_TEXT)


def of_subject(connection: Connection, subject: str) -> list[dict[str, str]]:
    """What a subject ever consented to, the oldest first: purpose, issued_on, expires_on, revoked_on ("" if it was not), scope, method,
    document."""
    names = ("purpose", "issued_on", "expires_on", "revoked_on", "scope", "method", "document")
    query = sa.select(*(consents.c[name] for name in names)).where(consents.c.subject == subject)
    rows = connection.execute(query.order_by(consents.c.issued_on, consents.c.purpose)).mappings()
    return [{name: row[name] or "" for name in names} for row in rows]


def frame(rows: Iterable[Iterable[Any]]) -> pd.DataFrame:
    """Rows of COLUMNS as a frame of Arrow strings, also where there are none."""
    return pd.DataFrame([*map(tuple, rows)], columns=[*COLUMNS], dtype=_TEXT)
