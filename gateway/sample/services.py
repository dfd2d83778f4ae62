"""A department that hands in over a paged JSON service, with the records in its own SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel
from pydantic import Field as Key

from gateway.sample.credentials import Credential
from gateway.sample.rest import add_health, check_token, misbehave

_LOCAL = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the service's records lie and under which path it serves them."""

    database: Path
    table: str
    path: str


class Ask(BaseModel):
    """One request: the page, the fields wanted, and the span of time in which a row changed."""

    page: int = Key(default=1, ge=1)
    page_size: int = Key(default=1000, ge=1, le=10_000)
    fields: str = ""
    since: str = Key(default="", alias="from")
    until: str = Key(default="", alias="to")


def department(credential: Credential, shelf: Shelf) -> FastAPI:
    """The web application of a department: GET on the shelf's path, GET /health."""
    app = FastAPI(title=credential.name, docs_url=None, redoc_url=None, openapi_url=None)
    misbehave(app, credential)
    add_health(app)

    @app.get(shelf.path)
    def rows(request: Request, ask: Annotated[Ask, Query()]) -> dict[str, Any]:
        check_token(request, credential)
        return _page(shelf, ask)

    return app


def _page(shelf: Shelf, ask: Ask) -> dict[str, Any]:
    with closing(sqlite3.connect(f"file:{shelf.database}?mode=ro", uri=True)) as database:
        columns = [row[1] for row in database.execute(f'PRAGMA table_info("{shelf.table}")')]
        where, bounds = _span(ask) if "updated_at" in columns else ("1", [])
        total = database.execute(f'SELECT count(*) FROM "{shelf.table}" WHERE {where}', bounds).fetchone()[0]
        wanted = _wanted(ask, columns)
        query = f'SELECT {", ".join(wanted)} FROM "{shelf.table}" WHERE {where} ORDER BY id LIMIT ? OFFSET ?'
        rows = database.execute(query, [*bounds, ask.page_size, (ask.page - 1) * ask.page_size]).fetchall()
    names = [name.strip('"') for name in wanted]
    return {"total": total, "page": ask.page, "rows": [dict(zip(names, row, strict=True)) for row in rows]}


def _wanted(ask: Ask, columns: list[str]) -> list[str]:
    """The columns asked for that exist; all of them if none was asked for or none is known."""
    asked = set(ask.fields.split(","))
    return [f'"{name}"' for name in columns if name in asked] or [f'"{name}"' for name in columns if name != "id"]


def _span(ask: Ask) -> tuple[str, list[str]]:
    """The condition on the time of change: from up to but without to, in local time as the table keeps it."""
    bounds = [_local(text) for text in (ask.since, ask.until) if text]
    parts = [f"updated_at {sign} ?" for sign, text in ((">=", ask.since), ("<", ask.until)) if text]
    return " AND ".join(parts) or "1", bounds


def _local(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(400, "from and to are ISO 8601 times") from error
    return f"{moment.astimezone(_LOCAL) if moment.tzinfo else moment:%Y-%m-%d %H:%M:%S}"
