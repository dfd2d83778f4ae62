"""File packages: data (JSON lines, or a table for clerks), the manifest's signature, the manifest last, all by rename; then the
signed receipt file is awaited."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from delivery import sheets
from delivery.base import TOO_LATE, Asked, Batch, Door, ReceiptMismatch, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest, json_lines
from delivery.receipts import read, verify_detached
from delivery.statements import Inquiry, read_statement
from records.stages import Receipt

_PAUSE = 0.1
_NEXT = timedelta(microseconds=1)


def deliver(batch: Batch, door: Door) -> Receipt:
    """Puts the package into the recipient's inbox and returns the verified receipt.

    A package that was receipted before is not put there again. Raises RecipientContractBreach (no inbox, or a value
    that its format cannot hold), RecipientUnavailable (no space, or no receipt within the deadline), ReceiptMismatch.
    """
    receipt, data = _folder(batch, door) / "receipts" / f"{batch.id}.receipt.json", _data(batch, door)
    if not os.path.isfile(receipt):  # where we may not look, too
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
            with suppress(OSError):  # receipts/ may be the recipient's alone
                path.unlink()


def place(door: Door) -> Path:
    """The recipient's folder, with incoming/ and receipts/ in it."""
    return Path(unquote(urlsplit(door.connection.url).path))


def _folder(asked: Asked, door: Door) -> Path:
    folder = place(door)
    if not all(os.path.isdir(folder / name) for name in ("incoming", "receipts")):
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
                "pushed_at": _pushed_at(batch, door).isoformat(), **batch.says()}
    manifest |= sheets.announced(batch, door) if kind in sheets.MAKERS else {}
    manifest |= {"checkpoint": door.checkpoint} if door.checkpoint else {}
    announced = json.dumps(manifest, sort_keys=True).encode()
    signature = f"{batch.id}.{hashlib.sha256(announced).hexdigest()[:16]}.sig"
    return {f"{batch.id}.{kind}": data, signature: _signature(door, announced), f"{batch.id}.manifest.json": announced}


def _pushed_at(batch: Batch, door: Door) -> datetime:
    """Now, and later than all of the entry that still waits there: packages are taken in this order, and a withdrawal that left from
    a host whose clock is behind, or after it was set back, would be taken before what it takes back (I6)."""
    now = door.clock()
    return max([now, *(_after(manifest, now, door) for manifest in (_folder(batch, door) / "incoming").glob("*.manifest.json"))])


def _after(manifest: Path, now: datetime, door: Door) -> datetime:
    """The first moment after a package of the entry was pushed by its own word; of any other, now."""
    try:
        content = json.loads(manifest.read_bytes())
        moment = datetime.fromisoformat(content["pushed_at"]) + _NEXT
        return moment if content["entry"] == door.entry_code and moment.tzinfo else now
    except (OSError, ValueError, KeyError, TypeError, OverflowError):  # taken meanwhile, or not of our making
        return now


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
    """The bytes of the answer, once it lies there whole and its signature is verified.

    One that does not fit its signature is looked at once more: its recipient may just be writing over it.
    """
    until, before = door.monotonic() + door.recipient.deadline, None
    while True:
        found, is_late = _found(answer, asked, door), door.monotonic() >= until
        if found is not None:
            try:
                verify_detached(*found, asked, door)
                return found[0]
            except ReceiptMismatch:
                if found == before or is_late:
                    raise
        elif is_late:
            raise RecipientUnavailable(TOO_LATE, f"{door.names(asked)}: no receipt within {door.recipient.deadline} s; {asked.later}")
        before = found
        door.sleep(_PAUSE)


def _found(answer: Path, asked: Asked, door: Door) -> tuple[bytes, str] | None:
    """The bytes of the answer and its signature, "" where there is none; None if there is no answer."""
    signature = answer.with_suffix(".sig")
    try:
        said = answer.read_bytes()
        return said, signature.read_text("ascii", "replace") if signature.is_file() else ""
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecipientUnavailable("receipt-not-readable", f"{door.names(asked)}: the answer in its receipts/ could not be read "
                                   f"({type(error).__name__}, code {error.errno}); have the recipient let the gateway's user read it; "
                                   f"{asked.later}") from None
