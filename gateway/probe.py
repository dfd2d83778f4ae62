"""Purge probes: after a public site confirmed a takedown the gateway reads its pages as any visitor would; only what they no
longer show is verified (D41; a receipt says what the site meant to do, the page says what it did)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from catalog.parties import PublicPages
from delivery import awaited
from gateway.failing import account
from gateway.settings import Gateway
from keys.connection import Connection, ConnectionUnknown
from ledger import withdrawals
from ledger.events import Event, Line
from ledger.holdings import Holder
from records.blocks import StoreDamaged
from records.database import writing

_TIMEOUT = (5.0, 15.0)
_LARGEST_PAGE = 4 * 1024 * 1024
# With each record one or two pages are read; the rest is read with the next probe, ten minutes later.
AT_MOST = 500
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
    """Reads the public pages of what a site confirmed to have taken back and nobody has verified since, at most 500 records of a
    site, ordered takedowns first; puts it on the ledger.

    Returns what needs a person, in words: a record that is still shown, a site or a block of the store that could not be read.
    """
    told: list[str] = []
    for recipient, known in gateway.catalog.recipients.items():
        if known.public:
            with gateway.engine.connect() as connection:
                rows = withdrawals.unread(connection, recipient, AT_MOST)
            try:
                if rows:
                    told += _probe(gateway, _Site(recipient, known.public, gateway.connection(known.connection)), rows)
            except ConnectionUnknown as error:
                told.append(f"recipient {recipient}: {error}; nothing is verified")
    return told


def _probe(gateway: Gateway, site: _Site, rows: list[dict[str, Any]]) -> list[str]:
    figures, told = {"gone": 0, "visible": 0, "unread": 0}, []
    for row in rows:
        try:
            visible = _is_visible(gateway, site, row)
        except (SiteUnreadable, StoreDamaged) as error:
            figures["unread"] += 1
            told.append(str(error))
            continue
        figures["visible" if visible else "gone"] += 1
        _keep(gateway, site, row, visible)
        if visible:
            told.append(f"recipient {site.recipient}, entry {row['entry']}, record {row['record']}: it confirmed the takedown and still "
                        "shows the record 已确认撤回但网页仍可见; call its contact")
    account(gateway, [Line(Event.PROBED, "", "", site.recipient, figures)])
    return list(dict.fromkeys(told))


def _keep(gateway: Gateway, site: _Site, row: dict[str, Any], visible: bool) -> None:
    with writing(gateway.engine) as connection:
        withdrawals.probed(connection, Holder(site.recipient, row["entry"]), row["handle"], (visible, gateway.clock()))
        if not visible:
            awaited.confirm_gone(connection, Holder(site.recipient, row["entry"]))


def _is_visible(gateway: Gateway, site: _Site, row: dict[str, Any]) -> bool:
    """Whether the record's own page is there, or the site's search still finds it by what it was granted."""
    entry, handle = row["entry"], row["handle"]
    status, _ = _read(site, site.pages.record.format(entry=quote(entry, safe=""), handle=quote(handle, safe="")))
    if status not in (requests.codes.ok, *_GONE):
        raise SiteUnreadable(f"recipient {site.recipient}: its public page answered {status}; nothing is verified")
    if status == requests.codes.ok:
        return True
    term = _term(gateway, site, entry, row["record"])
    if not term:
        return False
    status, page = _read(site, site.pages.search.format(entry=quote(entry, safe=""), text=quote(term, safe="")))
    if status != requests.codes.ok:
        raise SiteUnreadable(f"recipient {site.recipient}: its public search answered {status}; nothing is verified")
    return handle in page


def _term(gateway: Gateway, site: _Site, entry: str, record: str) -> str:
    """What a visitor would search for: a field of the natural key that the site was granted as it is, never a masked one; "" if
    there is none, the entry left the catalogue or the record was erased, so that only the record's own page can be read."""
    known = gateway.catalog.entries.get(entry)
    grant = known.grants.get(site.recipient) if known else None
    shown = [name for name in known.natural_key if grant.fields.get(name) == "open"] if known and grant else []
    with gateway.engine.connect() as connection:
        content = gateway.store.some(connection, entry, [record], shown[:1])
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
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:  # a page read raw breaks off in urllib3's words
        # Not the error itself: it quotes the address, and with it the term that was searched for.
        raise SiteUnreadable(f"recipient {site.recipient}: {type(error).__name__} at its public pages; nothing is verified") from None
