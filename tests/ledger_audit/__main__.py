"""`python -m tests.ledger_audit`: flips every byte of every leaf of a ledger, one at a time, and has the auditor look at the whole (T13)."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from ledger_audit.check import check
from ledger_audit.exported import read
from tests.ledger_audit.written import SIZE, written


def main() -> int:
    """Prints how many flips there were and how many the auditor found; returns 1 if it missed one."""
    began, tried, missed = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        whole = written(Path(folder), SIZE // 5)
        (whole.folder / "openings.jsonl").unlink()
        file = whole.folder / "leaves.jsonl"
        text = bytearray(file.read_bytes())
        for place in range(len(text)):
            text[place] ^= 1
            file.write_bytes(text)
            missed, tried = missed + (not check(read(whole.folder), whole.keys)), tried + 1
            text[place] ^= 1
    print(json.dumps({"leaves": SIZE, "flipped": tried, "found": tried - missed, "seconds": round(time.monotonic() - began, 1)}))
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
