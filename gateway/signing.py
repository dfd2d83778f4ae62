"""The catalogue under the signature of compliance: with signing required, an unsigned or altered one runs nothing (D3, D59).

    catalog/signature.json    {"catalogue": digest, "previous": digest of the edition it follows, "widens": …, "signatures": […]}
    secrets/compliance_keys.yml    key id → public_key (raw Ed25519, base64) and person
"""

from __future__ import annotations

import json
import os
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Engine

from catalog.diff import diff, widens
from catalog.load import Catalog, CatalogError
from keys.sign import BadSignature, Ed25519Signer, Ed25519Verifier, Signer
from ledger import editions
from records.schema import editions as kept

SIGNATURE = "signature.json"
Keys = Mapping[str, Mapping[str, str]]


class Unsigned(CatalogError):
    """The catalogue is not signed as it must be. Nothing runs with it."""

    def __init__(self, words: str) -> None:
        super().__init__([words])


def expect_signed(catalog: Catalog, keys: Path, engine: Engine) -> None:
    """Returns if compliance signed exactly this catalogue: one signer, two different persons where it widens disclosure.

    Whether it widens is worked out again against the edition it follows; one that follows none widens. Raises Unsigned.
    """
    place = catalog.root / SIGNATURE
    said = _read(place)
    if said.get("catalogue") != catalog.digest:
        raise Unsigned(f"{place}: signs another catalogue than the one that lies there; have it signed: gateway catalog sign")
    is_wider = _widens(catalog, str(said.get("previous", "")), engine)
    if said.get("widens") is not is_wider:
        raise Unsigned(f"{place}: says widens={said.get('widens')}, and it is {is_wider}; have it signed anew")
    persons = _persons(said, registered(keys), place)
    if len(persons) < (2 if is_wider else 1):
        raise Unsigned(f"{place}: signed by {len(persons)} of {2 if is_wider else 1} persons"
                       f"{', since it widens disclosure' if is_wider else ''}; have another registered person sign it")


def sign(catalog: Catalog, signer: Signer, previous: str, engine: Engine) -> tuple[int, bool]:
    """Adds a signature to the catalogue's file, which begins anew for another catalogue.

    previous: the digest of the edition it follows, "" for none. Returns how many signatures there are, and whether the
    catalogue widens disclosure, so that it needs two persons.
    """
    place = catalog.root / SIGNATURE
    said = _read(place) if place.is_file() else {}
    if said.get("catalogue") != catalog.digest:
        said = {"catalogue": catalog.digest, "previous": previous, "widens": _widens(catalog, previous, engine), "signatures": []}
    others = [one for one in said["signatures"] if one["key_id"] != signer.key_id]
    said["signatures"] = [*others, {"key_id": signer.key_id, "signature": b64encode(signer.sign(_statement(said))).decode()}]
    place.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return len(said["signatures"]), bool(said["widens"])


def last_edition(catalog: Catalog, engine: Engine) -> str:
    """The digest of the edition that decided last and is not this one, "" if there was none."""
    query = sa.select(kept.c.digest).where(kept.c.edition != catalog.edition).order_by(kept.c.first_seen.desc()).limit(1)
    with engine.connect() as connection:
        return str(connection.execute(query).scalar_one_or_none() or "")


def make_key(path: Path) -> str:
    """Writes a new private key, mode 0600, and returns its public key in base64. Raises FileExistsError rather than overwrite."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(pem)
    return Ed25519Signer(key, "").public_key


def signer_of(path: Path, keys: Path) -> Ed25519Signer:
    """The signer of a private key file, under the id by which its public key is registered. Raises Unsigned."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise Unsigned(f"{path}: not an Ed25519 private key")
    public = Ed25519Signer(key, "").public_key
    name = next((name for name, known in registered(keys).items() if known["public_key"] == public), None)
    if name is None:
        raise Unsigned(f"{path}: its public key {public} is not registered in {keys}; add it there with the person it belongs to")
    return Ed25519Signer(key, name)


def registered(keys: Path) -> Keys:
    """The registered keys: public_key and person by key id. Raises Unsigned."""
    try:
        known = yaml.safe_load(keys.read_text(encoding="utf-8"))
        return {str(name): {"public_key": str(one["public_key"]), "person": str(one["person"])} for name, one in known.items()}
    except FileNotFoundError:
        raise Unsigned(f"{keys}: no compliance keys are registered; write key id: {{public_key, person}} there") from None
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        raise Unsigned(f"{keys}: not readable; it holds key id: {{public_key, person}}") from None


def _persons(said: Mapping[str, Any], keys: Keys, place: Path) -> set[str]:
    """Whose valid signatures there are. Any that is not valid refuses the whole."""
    persons = set()
    for one in said.get("signatures", []):
        key = keys.get(str(one.get("key_id")))
        if key is None:
            raise Unsigned(f"{place}: signed with {one.get('key_id')}, which is not registered")
        try:
            Ed25519Verifier(key["public_key"]).verify(_statement(said), b64decode(str(one.get("signature")), validate=True))
        except (BadSignature, ValueError):
            raise Unsigned(f"{place}: the signature of {one.get('key_id')} does not hold; have it signed anew") from None
        persons.add(key["person"])
    return persons


def _statement(said: Mapping[str, Any]) -> bytes:
    return json.dumps({name: said[name] for name in ("catalogue", "previous", "widens")}, sort_keys=True).encode()


def _widens(catalog: Catalog, previous: str, engine: Engine) -> bool:
    with engine.connect() as connection, tempfile.TemporaryDirectory() as folder:
        try:
            before = editions.restore(connection, previous[:16], Path(folder))
        except editions.EditionUnknown:
            return True
        return before.digest != previous or widens(diff(before, catalog))


def _read(place: Path) -> dict[str, Any]:
    try:
        said = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unsigned(f"{place}: missing; the catalogue is not signed. Have it signed: gateway catalog sign --key FILE") from None
    except ValueError:
        raise Unsigned(f"{place}: not readable; have the catalogue signed anew") from None
    if not isinstance(said, dict):
        raise Unsigned(f"{place}: not readable; have the catalogue signed anew")
    return said
