"""A gateway whose one recipient takes everything at once, so that thousands of decisions can be compared without a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from delivery import outbox
from gateway.preparing import Desk, Prepared, desk
from gateway.settings import Gateway, set_up
from gateway.way import way_of
from keys import connection
from keys.keyring import PURPOSES, Keyring
from ledger.holdings import TEXT
from records.database import writing
from records.schema import METADATA, holdings, withdrawn
from records.stages import DIGEST, HANDLE, REASON, RECORD, Receipt
from records.store import Origin
from tests.catalog.altered import GONE, PERSON, alter, copied

ENTRY, SITE = "administrative_penalty_natural", "credit_china"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
ABOUT = {"CF_XDR_MC": "试某", "CF_XDR_LB": "自然人", "CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": "110101199001011237", "CF_WSH": "试罚〔2026〕第1号", "CF_WFXW": "未按规定公示",
         "CF_CFLB": "罚款", "CF_NR": "罚款3万元", "CF_NR_FK": "3", "CF_JDRQ": "2026-10-12", "CF_YXQ": "2029-10-12", "CF_CFJG": "试样局"}


@dataclass
class Deciding:
    """The house on a day that can be set, under one of two catalogues."""

    gateway: Gateway
    other_root: Path
    day: list[date] = field(default_factory=lambda: [NOON.date()])
    is_other: bool = False
    runs: int = 0

    @property
    def now(self) -> Gateway:
        return self.other if self.is_other else self.gateway

    @cached_property
    def other(self) -> Gateway:
        return replace(self.gateway, catalog_root=self.other_root)

    def close(self) -> None:
        for one in (self.gateway, self.other):
            one.engine.dispose()

    def desk(self, run: str = "store", everything: bool = False) -> Desk:
        errand = outbox.Errand(run, f"store.{ENTRY}", ENTRY, SITE, "edition")
        return desk(way_of(self.now, errand), everything)

    def store(self, rows: dict[str, dict[str, str | None]]) -> str:
        """Stores records by id, with what differs from ABOUT; returns the run."""
        self.runs += 1
        run = f"run-{self.runs}"
        with writing(self.gateway.engine) as state:
            self.gateway.store.put(state, Origin(ENTRY, run, "edition"), self.frame(rows), self.gateway.clock())
        return run

    def frame(self, rows: dict[str, dict[str, str | None]]) -> pd.DataFrame:
        fields = list(self.gateway.catalog.entries[ENTRY].fields)
        named = {code: pd.Series([(ABOUT | said).get(code) for said in rows.values()], dtype=TEXT) for code in fields}
        return pd.DataFrame({RECORD: pd.Series(list(rows), dtype=TEXT)} | named)

    def settle(self, table: Desk, ready: Prepared) -> None:
        """The recipient takes what it is brought and gives back what it may not hold."""
        sent = ready.masked.rows[[RECORD, HANDLE, DIGEST]].merge(ready.about, on=RECORD, how="left")
        receipt = Receipt(SITE, "batch", tuple(sent[HANDLE]), {}, "", "", self.gateway.clock())
        gone = withheld(ready)
        with writing(self.gateway.engine) as state:
            outbox.settle(state, table.way.errand, sent, receipt)
            state.execute(sa.delete(holdings).where(holdings.c.record.in_(list(gone))))

    def suppress(self, record: str, lifted: bool) -> None:
        with writing(self.gateway.engine) as state:
            state.execute(sa.delete(withdrawn).where(withdrawn.c.record == record))
            state.execute(sa.insert(withdrawn).values(entry=ENTRY, record=record, reason="repair", document="d", since="",
                                                      lifted_at="then" if lifted else None))

    def lose(self, record: str) -> None:
        with writing(self.gateway.engine) as state:
            state.execute(sa.delete(holdings).where(holdings.c.record == record))

    def take_keys(self, token: int) -> None:
        """From now on the house has known keys, of which that of tokens is in so many versions."""
        roots = {purpose: {1: purpose.encode().ljust(32, b".")} for purpose in PURPOSES}
        roots["token"] = {version: bytes([version]) * 32 for version in range(1, token + 1)}
        vars(self.gateway)["keyring"] = Keyring(roots)

    def wipe(self) -> None:
        self.day[0], self.is_other = NOON.date(), False
        with writing(self.gateway.engine) as state:
            for name in ("holdings", "withheld", "terms", "stored", "blocks", "withdrawn", "outbox"):
                state.execute(sa.delete(METADATA.tables[name]))


def withheld(ready: Prepared) -> dict[str, str]:
    both = pd.concat([ready.permitted.withheld, ready.masked.withheld])
    return dict(zip(both[RECORD], both[REASON], strict=True))


def outcome(ready: Prepared) -> dict[str, str]:
    """What becomes of each record: a reason, `bring` with the digest, or `held`."""
    found = withheld(ready) | dict.fromkeys(ready.unchanged["record"], "held")
    return found | {record: f"bring {digest}" for record, digest in zip(ready.masked.rows[RECORD], ready.masked.rows[DIGEST], strict=True)}


def noted(table: Desk) -> dict[str, str]:
    """What need not be decided again, as the database says."""
    since = table.since
    query = sa.select(METADATA.tables["stored"].c.record, since.settled()).select_from(since.of_store())
    with table.way.gateway.engine.connect() as state:
        return {record: word for record, word in state.execute(query.where(*since.current())) if word is not None}


def decided(table: Desk) -> Iterator[tuple[Prepared, bool]]:
    for chunk, as_of in table.to_decide(table.settled()):
        yield table.prepare(chunk, as_of), as_of is not None


def house(home: Path, url: str) -> Deciding:
    day = [NOON.date()]
    gateway = Gateway(home, url, clock=lambda: datetime.combine(day[0], NOON.timetz()))
    set_up(gateway)
    connection.save(home / "secrets" / "connections.yml", {SITE: {"url": "http://127.0.0.1:9", "token": "t"}})
    root = copied(home)
    alter(root, PERSON, {"grants.credit_china.fields.CF_WFXW": GONE})
    return Deciding(gateway, root, day)
