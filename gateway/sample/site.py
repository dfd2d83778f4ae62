"""The public pages of a publicity site: search, list, record, in Chinese and English."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException, Query
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import FileResponse, HTMLResponse, Response

from gateway.sample.store import Store

_PAGES = Path(__file__).parent / "pages"
_LOCAL = ZoneInfo("Asia/Shanghai")
_SIZE = 25
# The pages load nothing but their own style sheet and run no script, whatever a record's text holds.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_REASONS = {
    "repair": ("信用修复", "credit repair"),
    "objection": ("异议", "objection"),
    "correction": ("更正", "correction"),
    "revocation": ("撤销", "revocation"),
    "expiry": ("公示期满", "publicity ended"),
    "consent-ended": ("授权终止", "consent ended"),
    "catalogue-changed": ("目录调整", "catalogue changed"),
}
_READ = "SELECT entry, handle, fields, received_at, notice FROM records LEFT JOIN marks USING (entry, handle)"
_TEMPLATES = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class Shown:
    """How an entry is called on the site, in Chinese and English, and its fields; `heads` are shown in the list."""

    titles: tuple[str, str]
    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    heads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What a visitor asked for."""

    q: str
    entry: str
    page: int


def add_pages(app: FastAPI, store: Store, shown: Mapping[str, Shown]) -> None:
    """Adds GET /, /records/{entry}/{handle} and /style.css to a recipient's application."""

    @app.get("/")
    def home(
        q: str = "", entry: str = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1, lang: str = "zh"
    ) -> Response:
        search = Search(q.strip(), entry if entry in shown else "", page)
        total, rows = find(store, search)
        place = {"search": search, "total": total, "rows": rows, "last": max(1, -(-total // _SIZE))}
        return _render("list.html", lang, shown, place)

    @app.get("/records/{entry}/{handle}")
    def record(entry: str, handle: str, lang: str = "zh") -> Response:
        found = read(store, entry, handle)
        if found is None:
            raise HTTPException(404, "no such record is public")
        return _render("record.html", lang, shown, {"entry": entry, "record": found})

    @app.get("/style.css")
    def style() -> FileResponse:
        return FileResponse(_PAGES / "style.css", media_type="text/css")


def find(store: Store, search: Search) -> tuple[int, list[dict[str, Any]]]:
    """How many public records fit, and one page of them: entry, handle, fields, mark (why, in both languages, or None)."""
    where, values = _public(store)
    if search.q:
        where, values = where + " AND words LIKE ? ESCAPE '!'", [*values, f"%{_literal(search.q)}%"]
    if search.entry:
        where, values = where + " AND entry = ?", [*values, search.entry]
    with store.open() as database:
        total = database.execute(f"SELECT count(*) FROM records WHERE {where}", values).fetchone()[0]
        order = "ORDER BY received_at DESC, entry, handle LIMIT ? OFFSET ?"
        rows = database.execute(
            f"{_READ} WHERE {where} {order}",
            [*values, _SIZE, (search.page - 1) * _SIZE],
        ).fetchall()
    return total, [_record(row) for row in rows]


def read(store: Store, entry: str, handle: str) -> dict[str, Any] | None:
    """One record if it is public today."""
    where, values = _public(store)
    with store.open() as database:
        row = database.execute(
            f"{_READ} WHERE {where} AND entry = ? AND handle = ?",
            [*values, entry, handle],
        ).fetchone()
    return _record(row) if row else None


def _public(store: Store) -> tuple[str, list[str]]:
    """The condition under which a record may be shown: publicity has not ended, asked at every read.

    Where an entry has an end of publicity, a record without one is not shown either.
    """
    today: date = store.clock().astimezone(_LOCAL).date()
    marks = ", ".join("?" * len(store.publicity_ends))
    return (
        f"((ends_on IS NULL AND entry NOT IN ({marks})) OR ends_on >= ?)",
        [*store.publicity_ends, today.isoformat()],
    )


def _record(row: sqlite3.Row | tuple[Any, ...]) -> dict[str, Any]:
    mark = _REASONS.get(row[4], (row[4], row[4])) if row[4] else None
    return {"entry": row[0], "handle": row[1], "fields": json.loads(row[2]), "received_at": row[3], "mark": mark}


def _literal(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _render(page: str, lang: str, shown: Mapping[str, Shown], place: dict[str, Any]) -> HTMLResponse:
    language = "en" if lang == "en" else "zh"
    html = _TEMPLATES.get_template(page).render(
        lang=language, word=0 if language == "zh" else 1, shown=shown, unnamed=Shown(("", "")), **place
    )
    return HTMLResponse(html, headers=_HEADERS)
