"""What a journey goes on after: troubles of one source, recipient or entry, told in words, that stop no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import connectors
import delivery
from gateway import again, closing, failing, intake
from gateway.witness import NotWitnessed
from keys.connection import ConnectionUnknown
from keys.keyring import KeyringClosed
from ledger.events import Imbalance
from records.stages import Unbalanced
from records.staging import StagingDamaged

Tell = Callable[[str], None]

# What the steps of a feed may raise: told in the ledger, and no reason to stop other feeds.
TROUBLES = (connectors.SourceUnavailable, connectors.ContractBreach, delivery.DeliveryFailed, intake.MassDisappearance,
            closing.NightIncomplete, again.NoDoor, StagingDamaged, Imbalance, Unbalanced, ConnectionUnknown, KeyringClosed, NotWitnessed,
            failing.Defect)


class NightBroken(Exception):
    """A feed could not even be accounted for: its run is missing, or open, on the ledger. The other feeds had their night.

    `feeds` names them, `runs` the runs that were closed.
    """

    def __init__(self, feeds: list[str], runs: list[str]) -> None:
        self.feeds, self.runs = feeds, runs
        super().__init__(f"{', '.join(feeds)}: could not be accounted for, see above; mend disk or database and run again")


def once_each(tell: Tell) -> Tell:
    """Tells nothing twice: what ails the source and every recipient alike is one trouble."""
    told: set[str] = set()

    def once(words: str) -> None:
        if words not in told:
            told.add(words)
            tell(words)

    return once


@contextmanager
def going_on(tell: Tell) -> Iterator[None]:
    """Tells a trouble instead of raising it."""
    try:
        yield
    except TROUBLES as error:
        tell(str(error))
