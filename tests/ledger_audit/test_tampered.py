"""A ledger that was tampered with is found out (T13): by its own checkpoints, or by what somebody else kept of it."""

from __future__ import annotations

import json
import random
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_audit.check import Keys, check
from ledger_audit.command import main
from ledger_audit.exported import canonical, read
from ledger_audit.notes import key, read_checkpoint
from tests.ledger_audit.written import SIZE, Written


def leaves(folder: Path) -> list[bytes]:
    return (folder / "leaves.jsonl").read_bytes().split(b"\n")[:-1]


@pytest.fixture
def altered(whole: Written, tmp_path: Path) -> Callable[[Iterable[bytes]], list[str]]:
    """The classes of findings in a copy of the export with other leaves."""
    shutil.copytree(whole.folder, tmp_path / "export")
    (tmp_path / "export" / "openings.jsonl").unlink()

    def findings(changed: Iterable[bytes]) -> list[str]:
        (tmp_path / "export" / "leaves.jsonl").write_bytes(b"".join(line + b"\n" for line in changed))
        return [each.kind for each in check(read(tmp_path / "export"), whole.keys)]

    return findings


def test_a_ledger_that_nobody_touched_is_clean(whole: Written) -> None:
    export = read(whole.folder)
    assert len(export.hashes) == SIZE and check(export, whole.keys) == []


def test_t13_a_flipped_byte_in_any_leaf_is_found(whole: Written, altered: Callable[[Iterable[bytes]], list[str]]) -> None:
    """Every byte of every leaf changes its hash, and so the signed root; the whole check judges one byte of each leaf."""
    from ledger_audit.tree import leaf_hash, roots

    lines, chance = leaves(whole.folder), random.Random(13)
    for number, line in enumerate(lines):
        true = leaf_hash(line)
        for place in range(len(line)):
            flipped = line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
            assert leaf_hash(flipped) != true
        place = chance.randrange(len(line))
        flipped = line[:place] + bytes([line[place] ^ chance.randrange(1, 256)]) + line[place + 1 :]
        assert {"root", "truncated", "leaf"} & set(altered([*lines[:number], flipped, *lines[number + 1 :]])), (number, place)
    assert roots([leaf_hash(line) for line in lines])[-1] == max(read(whole.folder).checkpoints, key=lambda one: one.size).root


@pytest.mark.parametrize("tamper", ["delete", "duplicate", "swap", "insert"])
def test_t13_a_leaf_deleted_doubled_moved_or_put_in_is_found(whole: Written, altered, tamper: str) -> None:
    lines = leaves(whole.folder)
    for n in range(0, SIZE - 1):
        changed = {"delete": [*lines[:n], *lines[n + 1 :]], "duplicate": [*lines[: n + 1], *lines[n:]],
                   "swap": [*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]],
                   "insert": [*lines[:n], lines[n].replace(b'"gsxt"', b'"none"'), *lines[n:]]}[tamper]
        assert {"root", "truncated"} & set(altered(changed)), n


def test_t13_a_ledger_cut_short_is_found_by_its_later_checkpoints(whole: Written, altered) -> None:
    lines = leaves(whole.folder)
    for size in range(SIZE):
        assert "truncated" in altered(lines[:size]), size


def test_t13_a_ledger_cut_short_with_its_checkpoints_is_found_only_by_what_somebody_else_kept(whole: Written, tmp_path: Path) -> None:
    """The one thing that the export alone cannot tell: leaves and checkpoints cut at one place make a sound shorter ledger."""
    seen = read(whole.folder).checkpoints[-1]
    said = (whole.folder / "checkpoints.jsonl").read_bytes().split(b"\n")[:-1]
    for kept in range(1, len(said)):
        size = json.loads(said[kept - 1])["size"]
        folder = tmp_path / str(kept)
        folder.mkdir()
        (folder / "leaves.jsonl").write_bytes(b"".join(line + b"\n" for line in leaves(whole.folder)[:size]))
        (folder / "checkpoints.jsonl").write_bytes(b"".join(line + b"\n" for line in said[:kept]))
        assert check(read(folder), whole.keys) == []
        assert [each.kind for each in check(read(folder), whole.keys, [seen])] == ["truncated"]


def test_t13_two_views_of_one_ledger_are_found_by_whoever_saw_the_other(whole: Written, write: Callable[[int], Written]) -> None:
    other = write(SIZE // 5)  # its salts differ, so every root does
    theirs = read(other.folder).checkpoints[-1]
    found = [each.kind for each in check(read(whole.folder), Keys((*whole.keys.logs, *other.keys.logs)), [theirs])]
    assert found == ["split-view"]


def test_t13_a_checkpoint_under_another_key_or_origin_is_refused(whole: Written) -> None:
    [log] = whole.keys.logs
    forged = key(log.name, 1, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert {each.kind for each in check(read(whole.folder), Keys((forged,)))} == {"signature"}
    stranger = key("another/ledger", 1, log.raw)
    assert {each.kind for each in check(read(whole.folder), Keys((stranger,)))} == {"origin"}


def test_t13_every_byte_of_a_checkpoint_is_signed_or_refused(whole: Written, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "export")
    *others, last = (whole.folder / "checkpoints.jsonl").read_bytes().split(b"\n")[:-1]
    for place in range(len(last)):
        flipped = last[:place] + bytes([last[place] ^ 1]) + last[place + 1 :]
        (tmp_path / "export" / "checkpoints.jsonl").write_bytes(b"".join(line + b"\n" for line in (*others, flipped)))
        assert check(read(tmp_path / "export"), whole.keys), place


@pytest.mark.parametrize(("event", "figures", "kind"), [
    ("recipient_balanced", {"accepted": 6, "delivered": 3, "unchanged": 1, "withheld": 1, "pending": 0}, "balance"),
    ("delivered", {"accepted": 2, "refused": 0, "silent": 0}, "receipt"),
])
def test_i2_figures_that_the_writer_itself_got_wrong_are_found(whole: Written, altered, event: str, figures: dict[str, int],
                                                               kind: str) -> None:
    lines = leaves(whole.folder)
    n = next(n for n, line in enumerate(lines) if f'"event":"{event}"'.encode() in line)
    wrong = canonical(json.loads(lines[n]) | {"figures": figures}).encode()
    assert kind in altered([*lines[:n], wrong, *lines[n + 1 :]])


def test_i5_a_delivery_without_an_intent_is_found(whole: Written, altered) -> None:
    lines = leaves(whole.folder)
    n = next(n for n, line in enumerate(lines) if b'"event":"intended"' in line)
    assert "no-intent" in altered([*lines[:n], lines[n].replace(b"intended", b"planned_"), *lines[n + 1 :]])


def test_an_opening_that_was_altered_is_found_and_one_that_was_erased_is_not_missed(whole: Written, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "export")
    first, *rest = (whole.folder / "openings.jsonl").read_bytes().split(b"\n")[:-1]
    (tmp_path / "export" / "openings.jsonl").write_bytes(b"".join(line + b"\n" for line in rest))
    assert check(read(tmp_path / "export"), whole.keys) == []
    (tmp_path / "export" / "openings.jsonl").write_bytes(first.replace(b"command:0", b"command:9") + b"\n")
    assert [each.kind for each in check(read(tmp_path / "export"), whole.keys)] == ["opening"]


def test_a_line_is_proved_to_somebody_who_has_nothing_but_the_proof_and_the_key(whole: Written, tmp_path: Path,
                                                                               capsys: pytest.CaptureFixture[str]) -> None:
    [log] = whole.keys.logs
    for line in (1, 57, SIZE):
        capsys.readouterr()
        assert main(["prove", str(whole.folder), "--line", str(line)]) == 0
        proof = tmp_path / "proof.json"
        proof.write_text(capsys.readouterr().out)
        assert main(["inclusion", str(proof), "--key", log.text]) == 0
        proof.write_text(proof.read_text().replace("gsxt", "none").replace("command", "cammond").replace("complete", "complexe")
                         .replace("2026-11-24.feed", "2026-11-25.feed"))
        assert main(["inclusion", str(proof), "--key", log.text]) == 1


def test_the_command_says_what_it_found_in_both_languages(whole: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [log] = whole.keys.logs
    seen = tmp_path / "seen.note"
    seen.write_text(json.loads((whole.folder / "checkpoints.jsonl").read_text().splitlines()[-1])["note"])
    assert read_checkpoint(seen.read_text()).size == SIZE
    assert main(["check", str(whole.folder), "--key", log.text, "--seen", str(seen)]) == 0
    assert "无见证" in capsys.readouterr().out
    shutil.copytree(whole.folder, tmp_path / "export")
    (tmp_path / "export" / "openings.jsonl").unlink()
    (tmp_path / "export" / "leaves.jsonl").write_bytes(b"".join(line + b"\n" for line in leaves(whole.folder)[:-1]))
    assert main(["check", str(tmp_path / "export"), "--key", log.text]) == 1
    assert "truncated 账本被截短" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nowhere"), "--key", log.text]) == 2


def test_a_line_that_only_bears_the_witness_s_name_vouches_for_nothing(whole: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [log], witness = whole.keys.logs, key("credit.example/witness", 4, b"w" * 32)
    forged = f"— {witness.name} {b64encode(witness.id + bytes(72)).decode()}\n"
    shutil.copytree(whole.folder, tmp_path / "export")
    said = [json.loads(line) for line in (whole.folder / "checkpoints.jsonl").read_text().splitlines()]
    (tmp_path / "export" / "checkpoints.jsonl").write_text(
        "".join(canonical(each | {"note": each["note"] + forged}) + "\n" for each in said), "utf-8")
    assert main(["check", str(tmp_path / "export"), "--key", log.text, "--witness", witness.text]) == 1
    told = capsys.readouterr().out
    assert "signature 签名不符" in told and "无见证" in told and "已见证" not in told


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"checkpoint":1,"leaf":2,"line":"3","proof":4}',
                                  '{"checkpoint":"","leaf":"","line":1,"proof":[1]}', '{"checkpoint":"a","leaf":"","line":1,"proof":[]}'])
def test_what_is_no_proof_is_unusable_and_no_finding(
    whole: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str,
) -> None:
    [log] = whole.keys.logs
    (tmp_path / "proof").write_text(text)
    assert main(["inclusion", str(tmp_path / "proof"), "--key", log.text]) == 2
    assert "Expecting" not in capsys.readouterr().err  # Python's own words for an empty file
    assert main(["inclusion", str(tmp_path / "nowhere"), "--key", log.text]) == 2
    assert "nowhere: No such file or directory; name the right file" in capsys.readouterr().err
