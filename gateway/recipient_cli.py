"""`gateway recipient …`: what a recipient must know of the gateway, and how each one stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import FAILED, AsJson, opened, usage

if TYPE_CHECKING:
    from gateway.settings import Gateway

recipient_app = typer.Typer(no_args_is_help=True, help="Recipients 接收方: what they must know of the gateway, how they stand.")
_DOORS = {"closed": "正常 asked", "open": "暂停推送 not asked", "half-open": "试推中 one trial under way"}


@recipient_app.command()
def keys(name: str = typer.Argument("", help="Only this recipient."), as_json: AsJson = False) -> None:
    """Print the public keys (raw Ed25519, base64) that recipients register, each its own, to check what the gateway signs."""
    gateway = opened("catalog", "keyring")
    known = sorted(gateway.catalog.recipients)
    usage([name] * (name not in ("", *known)), f"unknown recipient; the catalogue knows {', '.join(known)}")
    signers = {one: gateway.signer(one) for one in known if name in ("", one)}
    if as_json:
        typer.echo(json.dumps({one: {"key_id": made.key_id, "public_key": made.public_key} for one, made in signers.items()}, indent=1))
        return
    for one, made in signers.items():
        typer.echo(f"{one:<24}{made.key_id:<10}{made.public_key}")


@recipient_app.command()
def contract(name: Annotated[str, typer.Argument(metavar="RECIPIENT", help="The recipient's code.")]) -> None:
    """Print the whole contract in Chinese and English (Markdown) for the recipient's engineers, with the keys in use."""
    from catalog.contract import contract as written

    gateway = opened("catalog", "keyring")
    known = sorted(gateway.catalog.recipients)
    usage([name] * (name not in known), f"unknown recipient; the catalogue knows {', '.join(known)}")
    typer.echo(written(gateway.catalog, name, _keys(gateway, name)))


def _keys(gateway: Gateway, name: str) -> str:
    """The keys of both sides, as far as they are registered."""
    from catalog.docs import table
    from keys.connection import ConnectionUnknown

    ours, recipient = gateway.signer(name), gateway.catalog.recipients[name]
    try:
        theirs = gateway.connection(recipient.connection)
        key_id, key = theirs.key_id, theirs.public_key
    except ConnectionUnknown:
        key_id = key = ""
    rows = [("我方签名 ours, over what is sent", f"`{ours.key_id}`", f"`{ours.public_key}`")]
    if recipient.method != "frontend":
        registered = (f"`{key_id}`", f"`{key}`") if key else ("—", "未登记 not registered yet")
        rows.append(("贵方回执 theirs, over receipts", *registered))
    return table(("公钥 public key (raw Ed25519, base64)", "编号 key id", "公钥 key"), rows)


@recipient_app.command()
def status(as_json: AsJson = False) -> None:
    """List how each recipient stands: asked or not, last receipt, batches by state, records owed, and whom to call.

    Ends with 3 if one is not asked for now, or owes a receipt that is overdue.
    """
    from gateway.recipient_status import standing_recipients

    rows = standing_recipients(opened("catalog"))
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=1) if as_json else "\n".join(map(_lines, rows)))
    raise typer.Exit(FAILED if any(row["door"] != "closed" or row["overdue"] for row in rows) else 0)


@recipient_app.command()
def resume(name: str) -> None:
    """Ask a recipient again at once, after it was not asked for a while 恢复推送: once it says that it is well."""
    from delivery.doors import answered
    from records.database import writing

    gateway = opened("catalog")
    known = sorted(gateway.catalog.recipients)
    usage([name] * (name not in known), f"unknown recipient; the catalogue knows {', '.join(known)}")
    with writing(gateway.engine) as connection:
        answered(connection, name, gateway.clock())
    typer.echo(f"{name}: 恢复推送 asked again with the next run")


def _lines(row: dict[str, Any]) -> str:
    from console.words import both
    from gateway.settings import in_shanghai

    until = f", until {in_shanghai(row['next_try_at'])}; {row['failures']} × {row['reason']}" if row["door"] != "closed" else ""
    batches = ", ".join(f"{both('batch.' + state)} {n}" for state, n in row["batches"].items()) or "无 none"
    return (f"{row['recipient']} {row['title']['zh']} {row['title']['en']}\n"
            f"  推送 door        {_DOORS[row['door']]}{until}\n"
            f"  回执 receipt     {in_shanghai(row['last_receipt_at']) if row['last_receipt_at'] else '无 none'}\n"
            f"  批次 batches     {batches}\n"
            f"  待补 owed        {row['owed']}  存疑 in doubt {row['in_doubt']}  逾期 overdue {row['overdue']}\n"
            f"  联系 contact     {row['contact']}")
