"""The command `ledger-audit`: check an export, prove a line, keep a witness."""

from __future__ import annotations

import argparse
import json
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger_audit.check import Keys, check, open_ends
from ledger_audit.exported import Unreadable, canonical, parse, read
from ledger_audit.notes import Checkpoint, Key, NoteRefused, expect_signed, hashes, read_checkpoint, read_key
from ledger_audit.tree import ProofRefused, inclusion_proof, leaf_hash, root_from_inclusion
from ledger_audit.witness import Witness, WitnessRefuses, server

CLEAN, FINDINGS, UNUSABLE = 0, 1, 2
# What a class of findings means to whoever reads it in Chinese.
_CHINESE = {
    "leaf": "账目行不合格式", "checkpoint": "检查点不合格式", "opening": "承诺值不符", "origin": "未给出该账本公钥",
    "signature": "签名不符",
    "truncated": "账本被截短", "root": "账目被改动", "split-view": "账本出现两个版本", "balance": "数目不平", "no-intent": "无意向而有结果",
    "receipt": "回执不符", "no-checkpoint": "没有检查点", "beyond-checkpoint": "末尾未签检查点",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 clean, 1 findings, 2 unusable input."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except OSError as error:
        print(f"ledger-audit: {error.filename or error}: {error.strerror}; name the right file or folder", file=sys.stderr)
        return UNUSABLE
    except (Unreadable, NoteRefused, ProofRefused, ValueError) as error:
        print(f"ledger-audit: {error}", file=sys.stderr)
        return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledger-audit", description="Audits the gateway's exported ledger. 审计网关导出的台账。")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("check", help="derive the tree and every balance of an export again")
    one.add_argument("export", type=Path)
    one.add_argument("--key", action="append", required=True, help="public key of the ledger, as `gateway ledger key` prints it")
    one.add_argument("--witness", action="append", default=[], help="public key of a witness")
    one.add_argument("--seen", action="append", default=[], type=Path, help="a checkpoint that a witness or recipient kept")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=_check)
    one = commands.add_parser("prove", help="print the proof that a line is in the ledger")
    one.add_argument("export", type=Path)
    one.add_argument("--line", type=int, required=True)
    one.set_defaults(run=_prove)
    one = commands.add_parser("inclusion", help="verify such a proof alone")
    one.add_argument("proof", type=Path)
    one.add_argument("--key", required=True)
    one.set_defaults(run=_inclusion)
    _add_witness(commands)
    return parser


def _add_witness(commands: Any) -> None:
    for name, run, about in (("witness", _serve, "cosign as a service"), ("cosign", _cosign, "cosign a request held as a file"),
                             ("register", _register, "make a ledger known to the witness"),
                             ("witness-key", _witness_key, "print the witness's public key")):
        one = commands.add_parser(name, help=about)
        one.add_argument("--state", type=Path, required=True, help="the witness's own folder, on storage of its own")
        one.add_argument("--name", required=True, help="the witness's name, as credit.example.gov.cn/witness")
        one.set_defaults(run=run)
        if name == "register":
            one.add_argument("key", help="public key of the ledger, as `gateway ledger key` prints it")
        if name == "witness":
            one.add_argument("--listen", default="127.0.0.1:8440", help="HOST:PORT")
        if name == "cosign":
            one.add_argument("request", type=Path)


def _check(asked: argparse.Namespace) -> int:
    keys = Keys(tuple(map(read_key, asked.key)), tuple(map(read_key, asked.witness)))
    export = read(asked.export)
    found = check(export, keys, [read_checkpoint(path.read_text(encoding="utf-8")) for path in asked.seen])
    if asked.json:
        print(json.dumps({"lines": len(export.hashes), "checkpoints": len(export.checkpoints), "open": open_ends(export),
                          "findings": [{"kind": each.kind, "line": each.line, "words": each.words} for each in found]}, ensure_ascii=False))
        return FINDINGS if found else CLEAN
    for each in found:
        print(f"line {each.line} 第{each.line}行  {each.kind} {_CHINESE[each.kind]}  {each.words}")
    for words in open_ends(export):
        print(f"open 未了  {words}")
    print(f"{len(export.hashes)} lines 行, {len(export.checkpoints)} checkpoints 检查点, {len(found)} findings 问题; "
          + _witnessed(export.checkpoints, keys))
    return FINDINGS if found else CLEAN


def _witnessed(notes: Sequence[Checkpoint], keys: Keys) -> str:
    sizes = [note.size for note in notes for key in keys.witnesses if _is_signed(note, key)]
    return f"witnessed 已见证 {max(sizes)} lines" if sizes else "no witness vouches for it 无见证"


def _is_signed(note: Checkpoint, key: Key) -> bool:
    try:
        expect_signed(note, key)
    except NoteRefused:
        return False
    return True


def _prove(asked: argparse.Namespace) -> int:
    export = read(asked.export)
    note = max(export.checkpoints, key=lambda each: each.size, default=None)
    if note is None or not 0 < asked.line <= note.size <= len(export.hashes):
        raise ProofRefused(f"line {asked.line}: no checkpoint of this export covers it")
    leaf = (asked.export / "leaves.jsonl").read_bytes().split(b"\n")[asked.line - 1].decode()
    proof = inclusion_proof(export.hashes[: note.size], asked.line - 1)
    print(canonical({"leaf": leaf, "line": asked.line, "proof": [b64encode(one).decode() for one in proof], "checkpoint": _note(note)}))
    return CLEAN


def _note(note: Checkpoint) -> str:
    return f"{note.text}\n" + "".join(f"— {name} {b64encode(signature).decode()}\n" for name, signature in note.signatures)


def _inclusion(asked: argparse.Namespace) -> int:
    said = _proof(asked.proof)
    note = read_checkpoint(said["checkpoint"])
    expect_signed(note, read_key(asked.key))
    root = root_from_inclusion(leaf_hash(said["leaf"].encode()), (said["line"] - 1, note.size), hashes(said["proof"]))
    if root != note.root or parse(said["leaf"].encode()).get("seq") != said["line"]:
        print(f"line {said['line']}: the proof does not lead to the signed root 证明不成立")
        return FINDINGS
    print(f"line {said['line']} is in the ledger of {note.size} lines that {note.origin} signed 证明成立")
    return CLEAN


def _proof(path: Path) -> dict[str, Any]:
    """What `prove` printed, each part of its kind. Raises ProofRefused."""
    try:
        said = parse(path.read_bytes().rstrip(b"\n"))
    except ValueError:
        raise ProofRefused(f"{path}: not a proof as `ledger-audit prove` prints it") from None
    kinds = {"leaf": str, "line": int, "checkpoint": str, "proof": list}
    if said.keys() != kinds.keys() or not all(type(said[name]) is kind for name, kind in kinds.items()) or not all(
            isinstance(one, str) for one in said["proof"]):
        raise ProofRefused(f"{path}: not a proof as `ledger-audit prove` prints it")
    return said


def _witness(asked: argparse.Namespace) -> Witness:
    return Witness(asked.name, asked.state)


def _serve(asked: argparse.Namespace) -> int:
    host, _, port = asked.listen.rpartition(":")
    witness = _witness(asked)
    print(f"witness {witness.key.text} listens on {asked.listen}", flush=True)
    with server(witness, host, int(port)) as service:
        try:
            service.serve_forever()
        except KeyboardInterrupt:
            return CLEAN
    return CLEAN


def _cosign(asked: argparse.Namespace) -> int:
    try:
        print(_witness(asked).add_checkpoint(asked.request.read_bytes()), end="")
    except WitnessRefuses as refusal:
        print(f"{refusal.status} {refusal.answer.strip()}", file=sys.stderr)
        return FINDINGS
    return CLEAN


def _witness_key(asked: argparse.Namespace) -> int:
    print(_witness(asked).key.text)
    return CLEAN


def _register(asked: argparse.Namespace) -> int:
    _witness(asked).register(read_key(asked.key))
    return CLEAN
