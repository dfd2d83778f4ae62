"""The witness 见证: somebody else keeps the ledger's checkpoints, and without it nothing is brought to anybody (fail closed).

A witness remembers how long the ledger was and cosigns only what continues it (C2SP tlog-witness): a ledger that was rewritten,
cut short or restored from an older backup is found out by somebody who has no part in it. Compliance runs it, on a machine of
its own; the connection `witness` names its address, its name (key_id) and its public key.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import requests
import urllib3

from delivery.exchange import within
from gateway.settings import Gateway
from keys.connection import Connection, ConnectionUnknown
from keys.notes import NoteKey, cosigned_at, text_of
from keys.sign import BadSignature, Ed25519Signer
from ledger import checkpoints
from ledger.log import LedgerBroken, origin
from records import journal
from records.database import writing

NAME = "witness"
_TIMEOUT = (5.0, 10.0)
_DEADLINE = 10.0
_LARGEST_ANSWER = 64 * 1024
# Other tasks may have theirs witnessed between our question and the answer.
_TRIES = 5


class NotWitnessed(Exception):
    """Nobody else vouches for the ledger as it stands: nothing is brought. `reason` is the code that goes on the ledger, `zh` and `en`
    say why."""

    def __init__(self, reason: str, zh: str, en: str) -> None:
        self.reason = reason
        super().__init__(f"{zh} {en}")


class WitnessUnavailable(NotWitnessed):
    """The witness did not answer, or not now: within the time allowed deliveries go on."""


def expect_witnessed(gateway: Gateway) -> str:
    """The checkpoint that goes along with a delivery, "" where no witness is required.

    The witness is asked each time: a backup restored an hour ago looks as if it had been witnessed lately. Raises NotWitnessed
    if it does not vouch for this ledger, or did not answer for longer than allowed.
    """
    expect_nothing_lost(gateway)
    if not gateway.witness_within:
        return ""
    try:
        return ask(gateway)
    except WitnessUnavailable as error:
        with gateway.engine.connect() as connection:
            (note, at), name = checkpoints.last_witnessed(connection), origin(connection)
        if note.split("\n")[0] != name:  # renewed since, as after a backup was restored: of this ledger nobody has seen anything
            at = ""
        # Either way: after the clock was set back, what was witnessed in the future says nothing of the time since.
        if not at or abs(gateway.clock() - datetime.fromisoformat(at)) > gateway.witness_within:
            raise NotWitnessed("not-witnessed", f"总账自 {at or '建立'} 起未经见证，允许时限为 {gateway.witness_within}；见证之前不推送。",
                               f"No checkpoint of the ledger was witnessed since {at or 'ever'}, allowed are {gateway.witness_within}: "
                               f"nothing is brought until it is. {error}") from error
        return note


def expect_nothing_lost(gateway: Gateway) -> None:
    """Returns if the database has every order of the journal and its ledger continues its anchor, or no journal is kept.

    Raises NotWitnessed if not, or if the journal's disk cannot be written: what is brought could not be noted there.
    """
    with gateway.engine.connect() as connection:
        if not gateway.journal_file and not journal.is_kept(connection):
            return
    try:
        with writing(gateway.engine) as connection:
            behind = gateway.journal.behind(connection)
            gateway.anchor.expect(connection)
        gateway.anchor.move(gateway.engine)
    except (journal.JournalBroken, LedgerBroken) as error:
        raise NotWitnessed("backup-restored", f"处理完毕之前不推送，请运行 gateway restore check。{error};",
                           "nothing is brought until that is settled: gateway restore check") from None
    except OSError as error:
        raise NotWitnessed("journal-away", "日志所在磁盘无法写入，恢复之前不推送。",
                           f"journal {gateway.journal_file}: {error.strerror}; nothing is brought until its disk can be written") from None
    if behind:
        raise NotWitnessed("backup-restored", (
            f"日志中有 {len(behind)} 条命令为数据库所无：恢复过备份，或者命令中断；补录之前不推送，请运行 gateway restore check。"), (
            f"the journal has {len(behind)} orders that came after what the database knows: a backup was restored, or a command died; "
            "nothing is brought until they are entered: gateway restore check"))


def move_anchor(gateway: Gateway) -> None:
    """Notes outside the database how far the ledger has come. A disk that does not take it is told before the next delivery."""
    if gateway.journal_file:
        with suppress(OSError):
            gateway.anchor.move(gateway.engine)


def vouch(gateway: Gateway) -> None:
    """Has what a run wrote witnessed at its end, where a witness is required. Raises NotWitnessed if it refuses.

    One that does not answer is asked again by the next delivery, which is held up when the time allowed is over.
    """
    move_anchor(gateway)
    if gateway.witness_within:
        with suppress(WitnessUnavailable):
            ask(gateway)


def ask(gateway: Gateway) -> str:
    """Has the ledger as it stands witnessed and returns the checkpoint with its cosignature.

    Raises WitnessUnavailable if the witness does not answer, NotWitnessed if none is registered, it refuses, or it has seen a
    longer ledger than ours.
    """
    door, signer = _door(gateway), ledger_signer(gateway)
    with gateway.engine.connect() as connection:
        old = checkpoints.size_of(checkpoints.last_witnessed(connection)[0])
    try:
        for _ in range(_TRIES):
            with writing(gateway.engine) as connection:
                note = checkpoints.sign(connection, signer, signer.public_key, gateway.clock())
                question = checkpoints.request(connection, old, note)
            status, answer = _post(door, question)
            if status == requests.codes.ok:
                return _take(gateway, note, answer, door)
            old = _known(status, answer, old)
    except LedgerBroken as error:
        raise NotWitnessed("ledger-not-continued", "总账已不连续，停止推送。", f"the ledger is not continued. {error}") from None
    raise WitnessUnavailable("witness-busy", "见证方忙，请重试。", "witness: other checkpoints came before this one each time; try again")


def ledger_signer(gateway: Gateway) -> Ed25519Signer:
    """What signs the ledger's checkpoints."""
    key = gateway.keyring.derive("sign", "ledger")
    return Ed25519Signer.from_seed(key.secret, key.id)


def ledger_key(gateway: Gateway) -> NoteKey:
    """The key that a witness, a recipient and the auditor register for this ledger."""
    with gateway.engine.connect() as connection:
        return NoteKey(origin(connection), ledger_signer(gateway).public_key)


def _door(gateway: Gateway) -> Connection:
    try:
        return gateway.connection(NAME)
    except ConnectionUnknown as error:
        raise NotWitnessed("no-witness", "未登记见证方，登记之前不推送。", f"{error}; until then nothing is brought") from None


def _post(door: Connection, question: str) -> tuple[int, str]:
    try:
        # As a whole: takedowns wait for the answer too, and a socket's timeout starts anew with every byte.
        return within(_DEADLINE, lambda: _exchange(door, question))
    # urllib3's own: what breaks off in the midst of an answer that is read raw comes as one of these.
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise WitnessUnavailable("witness-unavailable", "见证方没有应答。",
                                 f"witness: {type(error).__name__} at the address of connection {NAME}") from None


def _exchange(door: Connection, question: str) -> tuple[int, str]:
    with requests.Session() as session:
        session.trust_env = False
        with session.post(f"{door.url.rstrip('/')}/add-checkpoint", data=question.encode(), timeout=_TIMEOUT, allow_redirects=False,
                          stream=True) as answer:
            return answer.status_code, answer.raw.read(_LARGEST_ANSWER, decode_content=True).decode("utf-8", "replace")


def _known(status: int, answer: str, old: int) -> int:
    """The size that the witness knows, where it only missed that. Raises WitnessUnavailable or NotWitnessed for all else."""
    said = answer.strip()
    if status == requests.codes.conflict and said.isascii() and said.isdigit() and int(said) != old:
        return int(said)
    if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
        raise WitnessUnavailable("witness-unavailable", "见证方暂不可用。", f"witness: not now, it answered {status}")
    raise NotWitnessed("witness-refuses", "见证方不为此总账作证；请停止推送，联系合规人员，并运行 gateway ledger verify。",
                       f"witness: answered {status}, so it does not vouch for this ledger; stop deliveries, call compliance, and run "
                       "gateway ledger verify")


def _take(gateway: Gateway, note: str, answer: str, door: Connection) -> str:
    key = NoteKey(door.key_id, door.public_key, is_witness=True)
    line = next((line for line in answer.splitlines() if line.startswith(f"— {key.name} ")), "")
    try:
        cosigned_at(text_of(note), line, key)
    except (BadSignature, ValueError):
        raise NotWitnessed("wrong-cosignature", "见证方的应答不是登记的密钥所签，无人为总账作证；请联系合规人员。",
                           f"witness: its answer is not signed by the key of connection {NAME}; nobody vouches for the ledger; call "
                           "compliance") from None
    with writing(gateway.engine) as connection:
        checkpoints.take_cosignature(connection, note, line, gateway.clock())
    return f"{note}{line}\n"
