"""The states of a case, which follow which, and all that can go wrong with one. What is not written here cannot happen.

    CaseFailed
    ├── NoCase        the case, or the record it is about, is not known
    └── CaseRefused   the law, the clock or the unit stands against it: a person must act
        └── NotDue    the application cannot be taken up: one reason code and one sentence for each ground
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from console.words import wording
from gateway.refusal import Refusal

# One in Chinese, one in English.
Sentences = tuple[str, str]


class CaseFailed(Refusal):
    """A step that was not taken. The message says why and what to do next, and nothing has changed."""


class NoCase(CaseFailed, LookupError):
    """The case named is not known, or the store never had its record."""


class CaseRefused(CaseFailed):
    """The step is not open to this person, on this day, or from this state."""


class NotDue(CaseRefused):
    """The application cannot be taken up. `grounds` maps a code of `Ground` to a sentence in Chinese and one in English."""

    def __init__(self, case: str, grounds: Mapping[Ground, Sentences]) -> None:
        self.grounds = dict(grounds)
        zh = "；".join(chinese for chinese, _ in self.grounds.values())
        en = "; ".join(f"{code}: {english}" for code, (_, english) in self.grounds.items())
        super().__init__(f"case {case}", f"{zh}。请补正材料，或者以其中一项为由不予受理。",
                         f"{en}. Add what is missing, or refuse it for one of these grounds")


class Kind(StrEnum):
    """What is asked for: 信用修复, or 异议."""

    REPAIR = "repair"
    OBJECTION = "objection"


class State(StrEnum):
    """How far a case is."""

    APPLIED = "applied"  # 已申请: received, not yet taken up
    ACCEPTED = "accepted"  # 已受理: taken up; of an objection, the record is held and marked from here on
    HANDED_ON = "handed_on"  # 已转办: it lies at the unit that determined the record
    DECIDED = "decided"  # 已决定
    PROPAGATING = "propagating"  # 传播中: some recipient has not confirmed
    CONFIRMED = "confirmed"  # 已确认: every recipient has
    CORRECTED = "corrected"  # 已更正: the corrected version was let go to everybody
    DENIED = "denied"  # 不予修复, 异议不成立
    REFUSED = "refused"  # 不予受理: incomplete, or not due
    WITHDRAWN = "withdrawn"  # 已撤回申请: by the applicant


class Decision(StrEnum):
    """What was decided: on a repair `grant` or `deny`, on an objection `dismiss`, or upheld as a correction or a revocation."""

    GRANT = "grant"
    DENY = "deny"
    DISMISS = "dismiss"
    CORRECT = "correct"
    REVOKE = "revoke"


ENDS_REPAIR = (Decision.GRANT, Decision.DENY)
ENDS_OBJECTION = (Decision.DISMISS, Decision.CORRECT, Decision.REVOKE)


class Ground(StrEnum):
    """Why an application is not taken up: a closed list, since it stands open on the ledger."""

    INCOMPLETE = "incomplete"
    NOTHING_TO_REPAIR = "nothing-to-repair"
    FORBIDDEN = "repair-forbidden"
    TOO_EARLY = "minimum-period"
    PERIOD_UNKNOWN = "period-unknown"
    NOT_PERFORMED = "performance-not-shown"
    NO_COMMITMENT = "no-commitment"
    REPAIRED = "repaired-already"


NEXT: Mapping[State, frozenset[State]] = {
    State.APPLIED: frozenset({State.ACCEPTED, State.REFUSED, State.WITHDRAWN}),
    State.ACCEPTED: frozenset({State.HANDED_ON, State.DECIDED, State.WITHDRAWN}),
    State.HANDED_ON: frozenset({State.DECIDED, State.WITHDRAWN}),
    State.DECIDED: frozenset({State.PROPAGATING, State.DENIED}),
    State.PROPAGATING: frozenset({State.CONFIRMED}),
    State.CONFIRMED: frozenset({State.CORRECTED}),
    State.CORRECTED: frozenset(), State.DENIED: frozenset(), State.REFUSED: frozenset(), State.WITHDRAWN: frozenset(),
}  # fmt: skip
"""Which state may follow which. Only an objection that was upheld as a correction goes on from confirmed."""

OPEN = (State.APPLIED, State.ACCEPTED, State.HANDED_ON, State.DECIDED, State.PROPAGATING)
"""States in which somebody still has to act."""


def expect_next(case: str, state: State, to: State) -> None:
    """Returns if `to` may follow `state`; raises CaseRefused naming the case and both."""
    if to not in NEXT[state]:
        zh = f"下一步只能为：{'、'.join(map(in_chinese, sorted(NEXT[state])))}" if NEXT[state] else "本案已办结"
        en = f"it can become {' or '.join(sorted(NEXT[state]))} next" if NEXT[state] else "it is over, nothing follows"
        raise CaseRefused(f"case {case}", f"当前状态为“{in_chinese(state)}”，不能转为“{in_chinese(to)}”；{zh}。",
                          f"it is {state} and cannot become {to}; {en}")


def in_chinese(state: State) -> str:
    """A state as a clerk reads it."""
    return wording(f"case.{state}").zh
