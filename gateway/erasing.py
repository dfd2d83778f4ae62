"""Erasing 删除: once everybody has given a record back, its content is destroyed in the store as well, and stays so (D58; PIPL art. 47)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import orders, suppressed
from gateway.cases.states import OPEN, Decision, State
from gateway.refusal import Refusal
from gateway.restore import ERASED_FROM_STORE
from gateway.settings import Gateway
from ledger import log
from ledger.events import Event, Line
from records.database import writing
from records.schema import cases, holdings, withdrawn
from records.stages import Notice

# What these take back may have to come again, as it was or corrected.
_FOR_NOW = (Notice.OBJECTION, Notice.CORRECTION)


class NotErased(Refusal):
    """The record cannot be erased yet, or was erased before."""


def erase(gateway: Gateway, record: str, document: str, by: str) -> int:
    """Destroys every version that the store has of a taken back record, under each name of its act; returns how many.

    From then on no takedown of it can be lifted and no source brings it into the store again; backups that are restored erase it
    again. What the ledger's lines name it by goes by `gateway ledger erase`, what lies in quarantine with its days of keeping. Raises
    NotErased if somebody has not confirmed, a case about it is open or there is nothing left of it, NoTakedown if it is not taken back.
    """
    with writing(gateway.engine) as connection:
        log.queue(connection)  # nothing is lifted, brought or put in the store from here on
        entry = orders.entry_of(gateway, connection, record)
        records = orders.names_of_act(connection, entry, record, ("删除", "erased"))
        for each in records:
            _expect_done(connection, gateway, entry, each)
        counted = {each: gateway.store.erase(connection, entry, [each]) for each in records}
        erased = {each: versions for each, versions in counted.items() if versions}
        if not erased:
            raise NotErased(_about(entry, record), "库中已无其内容：此前已删除。", "nothing is left of it in the store: erased before")
        said = {"document": document, "by": by}
        gateway.journal.keep(connection, [{"table": ERASED_FROM_STORE, "row": {"entry": entry, "record": each} | said} for each in erased])
        log.append(connection, [Line(Event.CONTENT_ERASED, "", f"store.{entry}", figures={"versions": versions},
                                     notes={"entry": entry, "record": each} | said) for each, versions in erased.items()], gateway.clock())
    return sum(erased.values())


def _expect_done(connection: Connection, gateway: Gateway, entry: str, record: str) -> None:
    about = _about(entry, record)
    if late := _with(connection, gateway, entry, record):
        raise NotErased(about, f"尚有接收方未确认撤回或公示网站未核实：{'、'.join(late)}；请见 gateway takedown status、probe。",
                        f"not given back by, or not verified on the site of, {', '.join(late)}; see gateway takedown status and probe")
    query = sa.select(withdrawn).where(withdrawn.c.entry == entry, withdrawn.c.record == record)
    order = connection.execute(query).mappings().one()
    if order["reason"] in _FOR_NOW:
        raise NotErased(about, f"其撤回原因为 {order['reason']}，尚待核实或更正；最终决定后请用 gateway takedown change 变更原因。",
                        f"taken back for {order['reason']}, until that is settled; give the order its last reason: gateway takedown change")
    if order["act"] and not order["sought_at"]:
        raise NotErased(about, "尚未在库中查找同一行为的其他名称；请运行 gateway decide-again。",
                        f"its act was not yet looked for under other names; run gateway decide-again --entry {entry}")
    if found := _open_cases(connection, entry, record):
        raise NotErased(about, f"尚有未办结的修复或异议：{'、'.join(found)}。", f"cases about it are open: {', '.join(found)}")


def _about(entry: str, record: str) -> str:
    return f"entry {entry}, record {record}"


def _with(connection: Connection, gateway: Gateway, entry: str, record: str) -> list[str]:
    """Who holds the record still, be it marked, or has not confirmed."""
    held = sa.select(holdings.c.recipient).where(holdings.c.entry == entry, holdings.c.record == record)
    return sorted({*connection.execute(held).scalars(), *suppressed.waited_for(connection, gateway, entry, record)})


def _open_cases(connection: Connection, entry: str, record: str) -> list[str]:
    # A correction that was upheld holds the record until a person lets the corrected one go.
    is_open = sa.or_(cases.c.state.in_(OPEN), sa.and_(cases.c.state == State.CONFIRMED, cases.c.decision == Decision.CORRECT))
    query = sa.select(cases.c.case).where(cases.c.entry == entry, cases.c.record == record, is_open)
    return sorted(connection.execute(query).scalars())
