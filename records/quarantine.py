"""Quarantine 问题数据区: rows that failed, sealed, with reason codes, until the department corrects them or they expire."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from keys.keyring import Derived, Keyring
from keys.seal import key_id, seal, unseal
from records.database import writing
from records.schema import quarantine
from records.stages import LINE, REASONS, Checked

EXPIRES_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Store:
    """The quarantine and the key of what lies in it."""

    engine: Engine
    keyring: Keyring

    def put(self, connection: Connection, checked: Checked, run: str, at: datetime) -> None:
        """Keeps the quarantined rows of a partition.

        A row that comes again unchanged on a later night is the same item: it is marked as seen again, not kept twice.
        """
        name_key = self.keyring.derive("quarantine", "name", checked.feed)
        payload_key = self.keyring.derive("quarantine", "payload", checked.feed)
        common = {"feed": checked.feed, "run": run, "partition": checked.partition, "first_seen": at.isoformat(),
                  "last_seen": at.isoformat(), "expires_on": (at.date() + EXPIRES_AFTER).isoformat()}
        rows: list[dict[str, Any]] = checked.quarantined.to_dict("records")  # type: ignore[assignment]
        items = list({(item := common | _item(row, name_key, payload_key))["id"]: item for row in rows}.values())
        if not items:
            return
        insert = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(quarantine)
        again = {"run": insert.excluded.run, "last_seen": insert.excluded.last_seen, "line": insert.excluded.line,
                 "partition": insert.excluded.partition, "expires_on": insert.excluded.expires_on}
        connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=again), items)

    def items(self, feed: str | None = None) -> pd.DataFrame:
        """What lies in quarantine: id, feed, partition, line, reasons and dates, never the content."""
        columns = [c for c in quarantine.c if c.name != "sealed"]
        query = sa.select(*columns).order_by(quarantine.c.feed, quarantine.c.partition, quarantine.c.line)
        with self.engine.connect() as connection:
            return pd.read_sql(query.where(quarantine.c.feed == feed) if feed else query, connection)

    def open(self, item: str) -> dict[str, str]:
        """The content of one item. Raises KeyError if there is none. Callers account for the look-up (D47)."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(quarantine).where(quarantine.c.id == item)).mappings().one_or_none()
        if row is None:
            raise KeyError(item)
        key = self.keyring.reopen(key_id(row["sealed"]), "payload", row["feed"])
        content: dict[str, str] = json.loads(unseal(row["sealed"], key, item.encode()))
        return content

    def expire(self, today: date) -> int:
        """Deletes the items past their date and returns how many (I8)."""
        with writing(self.engine) as connection:
            return connection.execute(sa.delete(quarantine).where(quarantine.c.expires_on < today.isoformat())).rowcount


def _item(row: dict[str, Any], name_key: Derived, payload_key: Derived) -> dict[str, Any]:
    reasons = row[REASONS]
    content = {name: value for name, value in row.items() if isinstance(value, str) and name != REASONS}
    payload = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
    # The line is part of the name: two equal rows in one file are two items, the same row on the next night is one.
    named = hashlib.blake2b(f"{row[LINE]}|{reasons}|".encode() + payload, key=name_key.secret, digest_size=16)
    sealed = seal(payload, payload_key, named.hexdigest().encode())
    return {"id": named.hexdigest(), "line": int(row[LINE]), "reason": reasons.split(";")[0], "reasons": reasons, "sealed": sealed}
