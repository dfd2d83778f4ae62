"""`gateway holdings`: who holds what, since when, under which terms, and until when it is public."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from gateway.manners import FAILED, AsJson, complain, opened

_STATES = {"held": "持有 held", "marked": "已标注 marked"}


def holdings(
    recipient: Annotated[str | None, typer.Argument(help="Only this recipient.")] = None,
    entry: Annotated[str | None, typer.Option(help="Only this entry.")] = None,
    record: Annotated[str | None, typer.Option(help="All of this one record; `gateway record` gives its id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who holds what: how many records of each entry under which terms, or everything of one record.

    Never a value. Ends with 3 if nobody holds anything of it.
    """
    from ledger.account import by_terms, of_record

    gateway = opened("catalog", "keyring")
    with gateway.engine.connect() as connection:
        rows = by_terms(connection, recipient, entry) if record is None else of_record(connection, record, recipient, entry)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join(_counted(row) if record is None else _whole(row) for row in rows) or "无持有 nobody holds anything of it")
    if not rows:
        complain("nothing is held; look at the spelling, or what a night has delivered: gateway ledger verify")
        raise typer.Exit(FAILED)


def _counted(row: dict[str, Any]) -> str:
    told = f"目录 edition {row['edition']}，密钥 keys {row['key_versions']}\n    字段 fields: {row['fields']}"
    if row["terms"] is None:
        told = "条件未知，将重新核准 terms not known; the next night decides it again"
    return (f"{row['recipient']:<20} {row['entry']}  {_STATES.get(row['state'], row['state'])}  {row['records']} 条 records  "
            f"公示截止 publicity ends {row['first_end'] or '—'} – {row['last_end'] or '—'}\n    {told}")


def _whole(row: dict[str, Any]) -> str:
    from gateway.settings import in_shanghai

    state, version = _STATES.get(row["state"], row["state"]), in_shanghai(row["version"]) if row["version"] else "—"
    said = [("事项 entry", row["entry"]), ("状态 state", state), ("自 since", in_shanghai(row["since"])),
            ("批次运行 run", row["run"]), ("版本 version", version), ("内容摘要 digest", row["digest"] or "—"),
            ("接收方编号 handle", row["handle"]), ("目录 edition", row["edition"]), ("密钥 keys", row["key_versions"] or "—"),
            ("字段与脱敏 fields and masks", row["fields"] or "—"), ("公示截止 publicity end", row["ends_on"] or "—"),
            ("重新核准日 decided again on", row["due_on"] or "—")]
    return "\n".join([f"接收方 recipient {row['recipient']}", *(f"  {name}: {value}" for name, value in said)])
