"""Purge probes: after a public site confirmed a takedown the gateway reads its pages as any visitor would; only what they no
longer show is verified (D41; a receipt says what the site meant to do, the page says what it did)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd
import requests
import sqlalchemy as sa

from catalog.parties import PublicPages
from delivery import Effect
from gateway import takedown
from gateway.failing import account
from gateway.settings import Gateway
from keys.connection import Connection
from ledger.events import Event, Line
from ledger.holdings import TEXT
from records.identity import handles
from records.schema import probes, writing

_TIMEOUT = (5.0, 15.0)
_LARGEST_PAGE = 4 * 1024 * 1024
_GONE = (requests.codes.not_found, requests.codes.gone)


class SiteUnreadable(Exception):
    """A public page could not be read, so nothing is known of it: the takedown stays confirmed and unverified."""


@dataclass(frozen=True, slots=True)
class _Site:
    """A public site: its key, where its pages are, and how it is reached."""

    recipient: str
    pages: PublicPages
    connection: Connection


def probe(gateway: Gateway) -> list[str]:
    """Reads the public pages of every takedown that a site confirmed and nobody has verified since; puts it on the ledger.

    Returns what needs a person, in words: a record that is still shown, a site that could not be read.
    """
    rows = pd.DataFrame(takedown.status(gateway, gateway.today))
    told: list[str] = []
    for recipient, known in gateway.catalog.recipients.items():
        if known.public and len(rows):
            site = _Site(recipient, known.public, gateway.connection(known.connection))
            is_unread = rows["state"].isin(["confirmed", "visible"]) & (rows["effect"] != str(Effect.MARK))
            mine = rows[(rows["recipient"] == recipient) & is_unread]
            told += _probe(gateway, site, mine)
    return told


def _probe(gateway: Gateway, site: _Site, rows: pd.DataFrame) -> list[str]:
    figures, told = {"gone": 0, "visible": 0, "unread": 0}, []
    records: list[dict[str, Any]] = rows.to_dict("records")  # type: ignore[assignment]
    for row in records:
        try:
            visible = _is_visible(gateway, site, row["entry"], row["record"])
        except SiteUnreadable as error:
            figures["unread"] += 1
            told.append(str(error))
            continue
        figures["visible" if visible else "gone"] += 1
        _keep(gateway, site, row, visible)
        if visible:
            told.append(f"recipient {site.recipient}, entry {row['entry']}, record {row['record']}: it confirmed the takedown and still "
                        "shows the record 已确认撤回但网页仍可见; call its contact")
    if records:
        account(gateway, [Line(Event.PROBED, "", "", site.recipient, figures)])
    return list(dict.fromkeys(told))


def _keep(gateway: Gateway, site: _Site, row: dict[str, Any], visible: bool) -> None:
    place = {"recipient": site.recipient, "entry": row["entry"], "record": row["record"]}
    with writing(gateway.engine) as connection:
        connection.execute(sa.delete(probes).where(*(probes.c[name] == value for name, value in place.items())))
        connection.execute(sa.insert(probes).values(**place, at=gateway.clock().isoformat(), visible=visible))


def _is_visible(gateway: Gateway, site: _Site, entry: str, record: str) -> bool:
    """Whether the record's own page is there, or the site's search still finds it by what it was granted."""
    key = gateway.keyring.derive("handle", site.recipient, entry)
    handle = str(handles(pd.Series([record], dtype=TEXT), key)[0])
    status, _ = _read(site, site.pages.record.format(entry=quote(entry, safe=""), handle=quote(handle, safe="")))
    if status not in (requests.codes.ok, *_GONE):
        raise SiteUnreadable(f"recipient {site.recipient}: its public page answered {status}; nothing is verified")
    if status == requests.codes.ok:
        return True
    term = _term(gateway, site, entry, record)
    if not term:
        return False
    status, page = _read(site, site.pages.search.format(entry=quote(entry, safe=""), text=quote(term, safe="")))
    if status != requests.codes.ok:
        raise SiteUnreadable(f"recipient {site.recipient}: its public search answered {status}; nothing is verified")
    return handle in page


def _term(gateway: Gateway, site: _Site, entry: str, record: str) -> str:
    """What a visitor would search for: a field of the natural key that the site was granted as it is, never a masked one; "" if
    there is none, or the entry left the catalogue, so that only the record's own page can be read."""
    known = gateway.catalog.entries.get(entry)
    grant = known.grants.get(site.recipient) if known else None
    shown = [name for name in known.natural_key if grant.fields.get(name) == "open"] if known and grant else []
    with gateway.engine.connect() as connection:
        content = gateway.store.at(connection, entry, record, gateway.clock())
    return str(content[shown[0]].iloc[0]) if shown and len(content) else ""


def _read(site: _Site, path: str) -> tuple[int, str]:
    """Status and text of a public page of the registered address; no redirect is followed, no credential goes along."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = site.connection.ca or True
            with session.get(f"{site.connection.url.rstrip('/')}{path}", timeout=_TIMEOUT, allow_redirects=False, stream=True,
                             headers={"Cache-Control": "no-cache"}) as answer:
                return answer.status_code, answer.raw.read(_LARGEST_PAGE, decode_content=True).decode("utf-8", "replace")
    except (requests.RequestException, OSError) as error:
        # Not the error itself: it quotes the address, and with it the term that was searched for.
        raise SiteUnreadable(f"recipient {site.recipient}: {type(error).__name__} at its public pages; nothing is verified") from None
