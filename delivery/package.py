"""File packages: data, the manifest's signature, the manifest last, all by rename; then the signed receipt file is awaited."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit

from delivery.base import Batch, Door, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest, json_lines
from delivery.receipts import read, verify_detached
from records.stages import Receipt

_PAUSE = 0.1


def deliver(batch: Batch, door: Door) -> Receipt:
    """Puts the package into the recipient's inbox and returns the verified receipt.

    A package that was receipted before is not put there again. Raises RecipientContractBreach (no inbox),
    RecipientUnavailable (no space, or no receipt within the deadline), ReceiptMismatch.
    """
    folder = _folder(batch, door)
    data = json_lines(batch)
    if not _receipt(folder, batch).is_file():
        try:
            _put(folder / "incoming", batch, door, data)
        except OSError as error:
            raise RecipientUnavailable("inbox-not-writable", f"{door.names(batch)}: the package could not be written "
                                       f"({type(error).__name__}, code {error.errno}); its records stay pending") from None
        _await(folder, batch, door)
    body, signature = _receipt(folder, batch).read_bytes(), _receipt(folder, batch).with_suffix(".sig")
    verify_detached(body, signature.read_text("ascii", "replace") if signature.is_file() else "", batch, door)
    return read(body, content_digest(data), batch, door)


def _folder(batch: Batch, door: Door) -> Path:
    folder = Path(unquote(urlsplit(door.connection.url).path))
    if not all((folder / name).is_dir() for name in ("incoming", "receipts")):
        raise RecipientContractBreach("no-inbox", f"{door.names(batch)}: its inbox has no incoming/ or receipts/; check the "
                                                  f"url of connection {door.connection.name}")
    return folder


def _receipt(folder: Path, batch: Batch) -> Path:
    return folder / "receipts" / f"{batch.id}.receipt.json"


def _put(incoming: Path, batch: Batch, door: Door, data: bytes) -> None:
    file = {"name": f"{batch.id}.jsonl", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest = {"batch": batch.id, "entry": door.entry_code, "records": len(batch.payload), "files": [file],
                "pushed_at": door.clock().isoformat(), **batch.says()} | ({"checkpoint": door.checkpoint} if door.checkpoint else {})
    announced = json.dumps(manifest, sort_keys=True).encode()
    signature = f"{door.signer.key_id}:{b64encode(door.signer.sign(announced)).decode()}"
    _write(incoming / f"{batch.id}.jsonl", data)
    _write(incoming / f"{batch.id}.manifest.sig", signature.encode())
    # Last: a recipient that sees the manifest finds the rest whole.
    _write(incoming / f"{batch.id}.manifest.json", announced)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _await(folder: Path, batch: Batch, door: Door) -> None:
    until = door.monotonic() + door.recipient.deadline
    while not _receipt(folder, batch).is_file():
        if door.monotonic() >= until:
            raise RecipientUnavailable("no-receipt-in-time", f"{door.names(batch)}: no receipt within {door.recipient.deadline} s; "
                                       "its records stay pending and the next run looks for the receipt again")
        door.sleep(_PAUSE)
