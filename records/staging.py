"""Batches at rest between two tasks: sealed Parquet files, handed on by reference (path, rows, digest), never by value."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from keys.keyring import Derived, Keyring
from keys.seal import key_id, seal, unseal
from keys.whole import write_whole


class StagingDamaged(Exception):
    """A staged batch is gone or is not the one that was handed on. Run the night again; the source is read anew."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a staged frame lies. `path` is relative to the staging folder."""

    path: str
    rows: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Staging:
    """The staging folder and the key of what lies in it."""

    folder: Path
    keyring: Keyring

    def write(self, frame: pd.DataFrame, *place: str) -> Reference:
        """Stages a frame under `place` (run, feed, partition, stage) and returns its reference.

        The file appears whole or not at all; writing the same place again replaces it.
        """
        path = Path(*(plain_part(part) for part in place)).with_suffix(".sealed")
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), buffer, compression="lz4")
        sealed = seal(buffer.getvalue().to_pybytes(), self._key(), str(path).encode())
        write_whole(self.folder / path, sealed)
        return Reference(str(path), len(frame), hashlib.sha256(sealed).hexdigest())

    def read(self, reference: Reference) -> pd.DataFrame:
        """The frame of a reference, text columns as Arrow strings.

        Raises StagingDamaged if the file is missing or differs from what the reference names.
        """
        file = self.folder / reference.path
        if not file.is_file():
            raise StagingDamaged(f"{reference.path}: staged batch is missing; run the feed again")
        sealed = file.read_bytes()
        if hashlib.sha256(sealed).hexdigest() != reference.sha256:
            raise StagingDamaged(f"{reference.path}: staged batch is not the one handed on; run the feed again")
        key = self.keyring.reopen(key_id(sealed), "staged")
        table = pq.read_table(pa.BufferReader(unseal(sealed, key, reference.path.encode())))
        frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
        return frame

    def _key(self) -> Derived:
        return self.keyring.derive("staging", "staged")

    def clear(self, run: str, keep: set[str]) -> None:
        """Deletes what a run staged, but for the paths in `keep` (batches a recipient still waits for)."""
        for file in sorted((self.folder / plain_part(run)).rglob("*")):
            if file.is_file() and str(file.relative_to(self.folder)) not in keep:
                self._remove(file)

    def discard(self, reference: Reference) -> None:
        """Deletes one staged batch that nobody waits for any more."""
        self._remove(self.folder / reference.path)

    def _remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self.folder or not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()


def plain_part(part: str) -> str:
    """A path part that stays inside its folder, and differs where the original differs."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in part)
    return plain if plain == part else f"{plain[:40]}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"
