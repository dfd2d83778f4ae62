"""A small world: the gateway's public steps over a few records. What else knows the gateway's own names is not to be found here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd

from delivery import Effect
from gateway.effects import everywhere
from gateway.lanes import Lanes
from gateway.night import backfill, decide_all, run_night, take_back_all
from gateway.settings import Gateway, set_up
from gateway.takedown import NoTakedown, Order, lift, open_takedown, status
from gateway.witness import ledger_key, ledger_signer
from ledger import checkpoints
from ledger.export import export
from records.database import writing
from records.identity import record_ids
from records.stages import Notice
from tests.known_keys import known_keys
from tests.small.place import ENTRY, FEED, ON, clock, penalty
from tests.small.recipients import Recipients

Told = list[str]
# An effect has one number in every run.
IN_TURN = Lanes(side_by_side=False)


class SmallWorld:
    """One home, and the gateway under any of the catalogues."""

    def __init__(self, home: Path, roots: dict[str, Path]) -> None:
        self.home, self._roots = home, roots
        self._gateways: dict[str, Gateway] = {}

    def copy(self, home: Path) -> SmallWorld:
        """The same world elsewhere, as a process that was killed would leave it."""
        self.close()
        shutil.copytree(self.home, home)
        return SmallWorld(home, self._roots)

    def gateway(self, catalogue: str = "full") -> Gateway:
        if catalogue not in self._gateways:
            url = f"sqlite:///{self.home / 'gateway.db'}"
            self._gateways[catalogue] = Gateway(self.home, url, self._roots[catalogue], clock=clock)
        return self._gateways[catalogue]

    def close(self) -> None:
        for gateway in self._gateways.values():
            gateway.engine.dispose()

    def set_up(self) -> None:
        known_keys(self.gateway())
        set_up(self.gateway())

    def recipients(self) -> Recipients:
        return Recipients(self.gateway(), self.gateway().catalog)

    def night(self, catalogue: str = "full", days: int = 0) -> Told:
        """The night so many days later than the first; what the gateway tells of trouble."""
        return _telling(lambda tell: run_night(self.gateway(catalogue), ON + timedelta(days=days), [FEED], tell, IN_TURN))

    def backfill(self, catalogue: str) -> Told:
        return _telling(lambda tell: backfill(self.gateway(catalogue), [FEED], (ON - timedelta(days=2), ON - timedelta(days=1)), tell))

    def take_back(self, catalogue: str = "full") -> Told:
        """Asks for what takedowns name and nobody has confirmed yet."""
        return _telling(lambda tell: take_back_all(self.gateway(catalogue), [ENTRY], tell, IN_TURN))

    def decide(self, catalogue: str = "full") -> Told:
        """Decides everything again, which also takes back what is to be taken back."""
        return _telling(lambda tell: decide_all(self.gateway(catalogue), [ENTRY], tell, IN_TURN))

    def record(self, number: int) -> str:
        """The gateway's own id of a penalty."""
        gateway, row = self.gateway(), penalty(number, 0)
        key = gateway.keyring.derive("identity", ENTRY)
        named = gateway.catalog.entries[ENTRY].natural_key
        return str(record_ids(pd.DataFrame({name: [row[name]] for name in named}), ENTRY, named, key)[0])

    def takedown(self, number: int, reason: str = "repair", effect: str = "") -> bool:
        """Opens the takedown of a penalty; False if it is open already or was never known."""
        order = Order(Notice(reason), "云信修〔2026〕7号", "李某", everywhere(Effect(effect)) if effect else {})
        try:
            open_takedown(self.gateway(), [self.record(number)], order)
        except NoTakedown:
            return False
        return True

    def lift(self, number: int) -> bool:
        try:
            lift(self.gateway(), self.record(number), "异议处理〔2026〕1号", "李某")
        except NoTakedown:
            return False
        return True

    def erase(self, number: int) -> None:
        """Nobody can read the penalty from the store any more."""
        with writing(self.gateway().engine) as connection:
            self.gateway().store.erase(connection, ENTRY, [self.record(number)])

    def takedowns(self) -> list[tuple[str, str, str]]:
        """Record, recipient and state of every takedown that stands open."""
        return [(row["record"], row["recipient"], row["state"]) for row in status(self.gateway(), self.gateway().today)]

    def export(self) -> Path:
        """The ledger as an auditor gets it, and its key beside it."""
        gateway, folder = self.gateway(), self.home / "export"
        signer = ledger_signer(gateway)
        with writing(gateway.engine) as connection:
            checkpoints.sign(connection, signer, signer.public_key, gateway.clock())
            export(connection, folder, with_openings=True)
        (folder / "key").write_text(ledger_key(gateway).text, encoding="utf-8")
        return folder


def _telling(step: Callable[[Callable[[str], None]], object]) -> Told:
    told: Told = []
    step(told.append)
    return told
