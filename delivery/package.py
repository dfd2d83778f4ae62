"""File packages: data (JSON lines, or a table for clerks), the manifest's signature, the manifest last, all by rename; then the
signed receipt file is awaited."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from delivery import sheets
from delivery.base import TOO_LATE, Asked, Batch, Door, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest, json_lines
from delivery.receipts import read, verify_detached
from delivery.statements import Inquiry, read_statement
from records.stages import Receipt

_PAUSE = 0.1


def deliver(batch: Batch, door: Door) -> Receipt:
    """Puts the package into the recipient's inbox and returns the verified receipt.

    A package that was receipted before is not put there again. Raises RecipientContractBreach (no inbox, or a value
    that its format cannot hold), RecipientUnavailable (no space, or no receipt within the deadline), ReceiptMismatch.
    """
    receipt, data = _folder(batch, door) / "receipts" / f"{batch.id}.receipt.json", _data(batch, door)
    if not receipt.is_file():
        _put(_package(batch, door, data), batch, door)
    return read(_answered(receipt, batch, door), content_digest(data), batch, door)


def ask(inquiry: Inquiry, door: Door) -> pd.DataFrame:
    """Puts the inquiry into the recipient's inbox and returns the verified statement, which it takes away. Raises as `deliver` does."""
    asked, folder = inquiry.body(door.entry_code), _folder(inquiry, door)
    files = {f"{inquiry.id}.inquiry.sig": _signature(door, asked), f"{inquiry.id}.inquiry.json": asked}
    statement = folder / "receipts" / f"{inquiry.id}.statement.json"
    try:
        _put(files, inquiry, door)
        return read_statement(_answered(statement, inquiry, door), content_digest(asked), inquiry, door)
    finally:
        # Nobody reads an answer that comes later: the next reconciliation asks by another name.
        for path in (*(folder / "incoming" / name for name in files), statement, statement.with_suffix(".sig")):
            path.unlink(missing_ok=True)


def _folder(asked: Asked, door: Door) -> Path:
    folder = Path(unquote(urlsplit(door.connection.url).path))
    if not all((folder / name).is_dir() for name in ("incoming", "receipts")):
        raise RecipientContractBreach("no-inbox", f"{door.names(asked)}: its inbox has no incoming/ or receipts/; check the "
                                                  f"url of connection {door.connection.name}")
    return folder


def _data(batch: Batch, door: Door) -> bytes:
    make = sheets.MAKERS.get(door.recipient.format)
    return make(batch, door) if make else json_lines(batch)


def _package(batch: Batch, door: Door, data: bytes) -> dict[str, bytes]:
    """The files of a package by name. The manifest is last: a recipient that sees it finds the rest whole.

    The signature's name says which manifest it is of: one that is put again, at another moment, over one that still lies there
    takes nothing away from the first, wherever the writing stops.
    """
    kind = door.recipient.format
    file = {"name": f"{batch.id}.{kind}", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest = {"batch": batch.id, "entry": door.entry_code, "records": len(batch.payload), "files": [file],
                "pushed_at": door.clock().isoformat(), **batch.says()}
    manifest |= sheets.announced(batch, door) if kind in sheets.MAKERS else {}
    manifest |= {"checkpoint": door.checkpoint} if door.checkpoint else {}
    announced = json.dumps(manifest, sort_keys=True).encode()
    signature = f"{batch.id}.{hashlib.sha256(announced).hexdigest()[:16]}.sig"
    return {f"{batch.id}.{kind}": data, signature: _signature(door, announced), f"{batch.id}.manifest.json": announced}


def _signature(door: Door, content: bytes) -> bytes:
    return f"{door.signer.key_id}:{b64encode(door.signer.sign(content)).decode()}".encode()


def _put(files: dict[str, bytes], asked: Asked, door: Door) -> None:
    try:
        for name, data in files.items():
            _write(_folder(asked, door) / "incoming" / name, data)
    except OSError as error:
        raise RecipientUnavailable("inbox-not-writable", f"{door.names(asked)}: it could not be written into its inbox "
                                   f"({type(error).__name__}, code {error.errno}); {asked.later}") from None


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _answered(answer: Path, asked: Asked, door: Door) -> bytes:
    """The bytes of the answer, once it lies there whole and its signature is verified."""
    until = door.monotonic() + door.recipient.deadline
    while not answer.is_file():
        if door.monotonic() >= until:
            raise RecipientUnavailable(TOO_LATE, f"{door.names(asked)}: no receipt within {door.recipient.deadline} s; "
                                       f"{asked.later}")
        door.sleep(_PAUSE)
    said, signature = answer.read_bytes(), answer.with_suffix(".sig")
    verify_detached(said, signature.read_text("ascii", "replace") if signature.is_file() else "", asked, door)
    return said
