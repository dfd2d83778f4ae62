"""`gateway recipient …`: what a recipient must know of the gateway."""

from __future__ import annotations

import json

import typer

from gateway.manners import AsJson, opened, usage

recipient_app = typer.Typer(no_args_is_help=True, help="What a recipient must know of the gateway.")


@recipient_app.callback()
def _group() -> None:
    """Keeps `keys` a command of its own while it is the only one."""


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
