"""What must hold of a ledger, derived again from its leaves alone: tree, checkpoints, balances, intents and receipts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ledger_audit.exported import Export, Finding
from ledger_audit.notes import Checkpoint, Key, NoteRefused, expect_signed
from ledger_audit.tree import roots

_PARTS = ("delivered", "unchanged", "withheld", "pending")
_BALANCED = {"source_balanced": ("collected", ("accepted", "quarantined")),
             **dict.fromkeys(("recipient_balanced", "caught_up", "decided_again"), ("accepted", _PARTS))}
_INTENTS, _SETTLEMENTS = ("intended", "withdraw_intended"), ("delivered", "withdrawn", "undelivered")


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose signatures count: the ledger's, and those of witnesses. The ledger's keys name the origins it ever went by."""

    logs: tuple[Key, ...]
    witnesses: tuple[Key, ...] = ()


def check(export: Export, keys: Keys, seen: Sequence[Checkpoint] = ()) -> list[Finding]:
    """Everything that does not hold, in the order of the lines. seen: checkpoints that somebody else kept."""
    known = roots(export.hashes)
    found = [*export.findings, *_signed(export.checkpoints, keys), *_on_tree(export.checkpoints, known), *_seen(seen, keys, known)]
    found += _figures(export)
    found += _deliveries(export)
    if not export.checkpoints:
        found.append(Finding("no-checkpoint", 0, "no checkpoint was exported: nothing says what the ledger is"))
    elif max(one.size for one in export.checkpoints) < len(export.hashes):
        found.append(Finding("beyond-checkpoint", len(export.hashes), "its last lines stand under no checkpoint"))
    return sorted(found, key=lambda each: each.line)


def open_ends(export: Export) -> list[str]:
    """What is open and no fault by itself: runs that never closed, intents without an answer."""
    runs, batches = dict[str, None](), dict[tuple[str, ...], int]()
    for leaf in filter(None, export.leaves):
        match leaf["event"]:
            case "run_opened":
                runs[leaf["run"]] = None
            case "run_closed":
                runs.pop(leaf["run"], None)
            case event if event in _INTENTS:
                batches[_batch(leaf)] = leaf["seq"]
            case event if event in _SETTLEMENTS:
                batches.pop(_batch(leaf), None)
    return [*(f"run {run} was opened and never closed" for run in runs),
            *(f"line {line}: an intent to deliver without receipt or failure" for line in batches.values())]


def _signed(notes: Sequence[Checkpoint], keys: Keys) -> Iterator[Finding]:
    for note in notes:
        logs = [key for key in keys.logs if key.name == note.origin]
        if not logs:
            yield Finding("origin", note.size, "a checkpoint of a ledger whose key was not given")
        for key in (*logs, *(key for key in keys.witnesses if any(name == key.name for name, _ in note.signatures))):
            try:
                expect_signed(note, key)
            except NoteRefused as error:
                yield Finding("signature", note.size, str(error))


def _on_tree(notes: Sequence[Checkpoint], known: Sequence[bytes]) -> Iterator[Finding]:
    for note in notes:
        if note.size >= len(known):
            yield Finding("truncated", note.size, f"the ledger signed {note.size} lines, and {len(known) - 1} were exported")
        elif known[note.size] != note.root:
            yield Finding("root", note.size, "the lines are not those that were signed: one was changed, lost, put in or moved")


def _seen(notes: Sequence[Checkpoint], keys: Keys, known: Sequence[bytes]) -> Iterator[Finding]:
    yield from _signed(notes, keys)
    for note in notes:
        if note.size >= len(known):
            yield Finding("truncated", note.size, f"somebody else has seen {note.size} lines, and {len(known) - 1} were exported")
        elif known[note.size] != note.root:
            yield Finding("split-view", note.size, "somebody else was shown another ledger of this size")


def _figures(export: Export) -> Iterator[Finding]:
    for leaf in filter(None, export.leaves):
        if leaf["event"] in _BALANCED:
            whole, parts = _BALANCED[leaf["event"]]
            figures: dict[str, int] = leaf["figures"]
            if not {whole, *parts} <= figures.keys() or figures[whole] != sum(figures[part] for part in parts) or min(figures.values()) < 0:
                yield Finding("balance", leaf["seq"], f"{leaf['event']}: {whole} is not {' + '.join(parts)}")


def _deliveries(export: Export) -> Iterator[Finding]:
    """Every settlement follows an intent of the same run, recipient and batch, and accounts for all its records."""
    intended: dict[tuple[str, ...], int] = {}
    for leaf in filter(None, export.leaves):
        if leaf["event"] in _INTENTS:
            intended[_batch(leaf)] = leaf["figures"].get("records", -1)
        elif leaf["event"] in _SETTLEMENTS:
            records, is_settled = intended.pop(_batch(leaf), None), leaf["event"] != "undelivered"
            if records is not None and leaf["notes"].get("state") == "overdue":
                intended[_batch(leaf)] = records  # its receipt may still come
            told = sum(leaf["figures"].get(name, 0) for name in ("accepted", "refused", "silent"))
            if records is None:
                yield Finding("no-intent", leaf["seq"], f"{leaf['event']}: no intent stands before it")
            elif is_settled and told != records:
                yield Finding("receipt", leaf["seq"], f"{leaf['event']}: it does not account for the records of its intent")
            elif is_settled and not leaf["notes"].get("receipt"):
                yield Finding("receipt", leaf["seq"], f"{leaf['event']}: it names no receipt")


def _batch(leaf: dict[str, Any]) -> tuple[str, ...]:
    return leaf["run"], leaf["recipient"], str(leaf["notes"].get("batch"))
