"""A recipient that takes packages from a folder: checks manifest and digests, stores, answers with a signed receipt."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.sample import statement, tables
from gateway.sample.credentials import Credential, Fault
from gateway.sample.store import BatchConflict, Parcel, Store, content_digest


class BadPackage(Exception):
    """A package does not fit its manifest. It goes to rejected/ and gets no receipt."""


@dataclass(frozen=True)
class Inbox:
    """The folder of one recipient: incoming/, receipts/, and for what was handled archive/ and rejected/."""

    folder: Path
    credential: Credential
    store: Store

    def create(self) -> None:
        for name in ("incoming", "receipts", "archive", "rejected"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def take(self) -> int:
        """Takes the packages and inquiries that are waiting and returns how many; does nothing while the fault is `down`."""
        if self.credential.fault is Fault.DOWN:
            return 0
        if self.credential.fault is Fault.NONE:
            self._mend()
        # In the order in which they were pushed: a record brought and then withdrawn must not come back.
        manifests = sorted((self.folder / "incoming").glob("*.manifest.json"), key=_pushed_at)
        for manifest in manifests:
            if self.credential.fault is Fault.SLOW:
                time.sleep(self.credential.faults.pause)
            self._take_package(manifest)
        inquiries = sorted((self.folder / "incoming").glob("*.inquiry.json"))
        for inquiry in inquiries:
            self._state(inquiry)
        return len(manifests) + len(inquiries)

    def _state(self, inquiry: Path) -> None:
        """Answers an inquiry of the gateway; anybody else's gets no answer."""
        body, name = inquiry.read_bytes(), inquiry.name.removesuffix(".inquiry.json")
        signature = inquiry.with_suffix(".sig")
        is_ours = signature.is_file() and self.credential.is_gateways(body, signature.read_text("ascii", "replace"))
        for path in (inquiry, signature):
            path.unlink(missing_ok=True)
        if is_ours:
            said = statement.answer(body, self.store)
            _put(self.folder / "receipts" / f"{name}.statement.sig", self.credential.signature(said).encode())
            _put(self.folder / "receipts" / f"{name}.statement.json", said)

    def _take_package(self, manifest: Path) -> None:
        batch = manifest.name.removesuffix(".manifest.json")
        try:
            announced = manifest.read_bytes()
            self._expect_signed(announced, batch)
            receipt = self.store.take(_parcel(announced, manifest, batch))
        except (BadPackage, BatchConflict):
            for path in (manifest, *self._rest(batch)):
                self._move(path, "rejected")
            return
        # The package leaves the way before its receipt stands there: one that comes again is then a new one. Its data is
        # in the store by now, and a copy beside it would outlive a deletion.
        self._move(manifest, "archive")
        for path in self._rest(batch):
            path.unlink(missing_ok=True)
        if self.credential.fault in (Fault.HTML, Fault.WRONG_SIGNATURE):
            (self.folder / "receipts" / f"{batch}.spoiled").touch()
        html = self.credential.fault is Fault.HTML
        self._answer(batch, b"<!doctype html><title>error</title>" if html else receipt)

    def _rest(self, batch: str) -> list[Path]:
        """What lies beside the manifest of a batch: its data, and a signature for each manifest that was put."""
        incoming = self.folder / "incoming"
        return [*incoming.glob(f"{batch}.*.sig"), *(incoming / f"{batch}.{kind}" for kind in tables.FORMATS)]

    def _expect_signed(self, announced: bytes, batch: str) -> None:
        signature = self.folder / "incoming" / f"{batch}.{hashlib.sha256(announced).hexdigest()[:16]}.sig"
        if not signature.is_file() or not self.credential.is_gateways(announced, signature.read_text("ascii", "replace")):
            raise BadPackage(f"manifest of {batch} is not signed by the gateway's registered key")

    def _mend(self) -> None:
        """Gives the right receipt for what was answered wrongly while a fault was on."""
        for mark in (self.folder / "receipts").glob("*.spoiled"):
            self._answer(mark.stem, self.store.receipt(mark.stem))
            mark.unlink()

    def _answer(self, batch: str, receipt: bytes) -> None:
        receipts = self.folder / "receipts"
        _put(receipts / f"{batch}.receipt.sig", self.credential.signature(receipt).encode())
        _put(receipts / f"{batch}.receipt.json", receipt)

    def _move(self, source: Path, place: str) -> None:
        if source.exists():
            os.replace(source, self.folder / place / source.name)


def _pushed_at(manifest: Path) -> tuple[str, str]:
    try:
        return str(json.loads(manifest.read_bytes())["pushed_at"]), manifest.name
    except (ValueError, KeyError, TypeError):
        return "", manifest.name  # what cannot be read is rejected in its turn


def _parcel(announced: bytes, manifest: Path, batch: str) -> Parcel:
    """Reads a package; raises BadPackage if anything in it does not fit."""
    try:
        content: dict[str, Any] = json.loads(announced)
        entry, count, files = str(content["entry"]), int(content["records"]), list(content["files"])
        named = [(str(file["name"]), str(file["sha256"]), int(file["bytes"])) for file in files]
        data = manifest.with_name(f"{batch}.{content.get('format', 'jsonl')}")
        body = data.read_bytes() if data.is_file() else b""
        parcel = Parcel(batch, entry, content_digest(body), tables.records(body, content), content.get("effect", "bring"))
    except (ValueError, KeyError, TypeError) as error:
        raise BadPackage(f"manifest of {batch} cannot be read") from error
    if content.get("batch") != batch or named != [(data.name, hashlib.sha256(body).hexdigest(), len(body))]:
        raise BadPackage(f"manifest of {batch} names another batch or file, or another digest or size of it")
    if len(parcel.records) != count:
        raise BadPackage(f"manifest of {batch} announces another number of records")
    if any(isinstance(record, dict) and record.get("effect", "bring") != parcel.effect for record in parcel.records):
        raise BadPackage(f"manifest of {batch} announces another effect than its file")
    return parcel


def _put(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.write_bytes(content)
    os.replace(draft, path)
