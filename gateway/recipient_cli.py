"""`gateway recipient …`: what a recipient must know of the gateway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.manners import AsJson, opened, usage

if TYPE_CHECKING:
    from gateway.settings import Gateway

recipient_app = typer.Typer(no_args_is_help=True, help="What a recipient must know of the gateway.")


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
