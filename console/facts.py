"""What happened in a night, as the ledger tells it: one reading that every part of the report works from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from console.words import wording
from gateway.figures import night_figures
from gateway.settings import Gateway
from ledger import questions
from ledger.checkpoints import standing
from ledger.events import Event, Imbalance
from ledger.log import LedgerBroken


class NightUnknown(Exception):
    """No run was opened for that night. Run it, or name another night."""


@dataclass(frozen=True, slots=True)
class Account:
    """What verifying the whole ledger said: its lines and root, up to which line and when a witness vouched for it ("" for never),
    or in `broken` why it does not hold; `has_journal`: whether a restored backup is noticed without a witness."""

    lines: int
    root: str
    witnessed_lines: int = 0
    witnessed_at: str = ""
    broken: str = ""
    has_journal: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something of a feed that a person should know of. `message` says more where the code alone does not."""

    feed: str
    recipient: str
    code: str
    records: int
    message: str

    @property
    def is_hard(self) -> bool:
        """Whether a person must act; false for what the next run mends by itself."""
        return not wording(self.code).waits


@dataclass(frozen=True, slots=True)
class Facts:
    """One night. runs: the newest run of each feed, indexed by run; earlier: the runs of the night before those.
    figures: as the command line shows them. withheld: columns feed, recipient, reason, records. findings: as
    questions.rule_results, with feed. story: the lines of COLLECTED, DELIVERED, UNDELIVERED and CAUGHT_UP by event."""

    night: str
    runs: pd.DataFrame
    earlier: pd.DataFrame
    figures: dict[str, Any]
    withheld: pd.DataFrame
    findings: pd.DataFrame
    story: dict[Event, pd.DataFrame]
    troubles: tuple[Trouble, ...]
    account: Account

    @property
    def feeds(self) -> list[dict[str, Any]]:
        """Per feed what night_figures says of it, in the order of departments and entries."""
        return sorted(self.figures["feeds"], key=lambda feed: str(feed["feed"]))


def read(gateway: Gateway, night: str) -> Facts:
    """The facts of a night, YYYY-MM-DD. Raises NightUnknown."""
    known = questions.nights(gateway.engine)
    tonight = known[known["night"] == night]
    if tonight.empty:
        raise NightUnknown(f"no run of the night {night} is on the ledger; run `gateway night --on {night}` first")
    newest = tonight.drop_duplicates("feed")
    chosen = newest["run"].to_list()
    figures = night_figures(gateway, chosen)
    told = (Event.COLLECTED, Event.DELIVERED, Event.UNDELIVERED, Event.CAUGHT_UP)
    story = {event: questions.events(gateway.engine, chosen, event) for event in told}
    feed_of = newest.set_index("run")["feed"]
    findings = questions.rule_results(gateway.engine, chosen)
    return Facts(
        night, newest.set_index("run"), tonight[~tonight["run"].isin(chosen)], figures,
        questions.reasons(gateway.engine, chosen, Event.RECIPIENT_BALANCED, "withheld"),
        findings.assign(feed=findings["run"].map(feed_of)), story,
        tuple(_troubles(gateway, figures, story)), _account(gateway))


def grouped(troubles: tuple[Trouble, ...]) -> dict[tuple[str, str], list[Trouble]]:
    """Troubles by code and recipient, what needs a person first: one thing to do may concern many feeds."""
    found: dict[tuple[str, str], list[Trouble]] = {}
    for trouble in sorted(troubles, key=lambda each: not each.is_hard):
        found.setdefault((trouble.code, trouble.recipient), []).append(trouble)
    return found


def _account(gateway: Gateway) -> Account:
    try:
        stands = standing(gateway.engine)
    except (LedgerBroken, Imbalance) as error:
        return Account(0, "", broken=str(error))
    return Account(stands.verified.lines, stands.verified.root, stands.witnessed_lines, stands.witnessed_at,
                   has_journal=gateway.journal_file is not None)


def _troubles(gateway: Gateway, figures: dict[str, Any], story: dict[Event, pd.DataFrame]) -> Iterator[Trouble]:
    settled = set(questions.source_figures(gateway.engine, [feed["run"] for feed in figures["feeds"]])["run"])
    for feed in figures["feeds"]:
        failed = [Trouble(feed["feed"], "", reason, 0, message or partition)
                  for partition, (reason, message) in questions.failures(gateway.engine, feed["run"]).items()]
        if not failed and feed["run"] not in settled:
            failed = [Trouble(feed["feed"], "", "not-settled", 0, "")]
        yield from failed
        if feed["run"] in settled:
            yield from _unserved(gateway, feed, story)


def _unserved(gateway: Gateway, feed: dict[str, Any], story: dict[Event, pd.DataFrame]) -> Iterator[Trouble]:
    """The recipients that have not everything of a feed, each with the last reason the ledger knows."""
    delivered = _notes(story[Event.DELIVERED], feed["run"])
    known = {recipient: "refused-by-recipient" for recipient, notes in delivered if notes.get("refused")}
    known |= {recipient: notes["reason"] for recipient, notes in _notes(story[Event.UNDELIVERED], feed["run"])}
    for recipient in gateway.catalog.recipients_of(gateway.catalog.feeds[feed["feed"]].entry):
        out = feed["recipients"].get(recipient)
        if out is None:
            yield Trouble(feed["feed"], recipient, "not-served", 0, "")
        elif out["pending"]:
            yield Trouble(feed["feed"], recipient, known.get(recipient, "pending"), out["pending"], "")


def _notes(story: pd.DataFrame, run: str) -> Iterator[tuple[str, dict[str, Any]]]:
    own = story[story["run"] == run]
    return zip(own["recipient"], own["notes"], strict=True)
