"""What each recipient must show, by a few rules of its own: no digest, no outbox, no database."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

from tests.small.place import ALL, PACKAGE, document, penalty

# What the catalogue keeps from each recipient.
_KEPT_BACK = {
    "national_platform": {"CF_AJCX"},
    "credit_china": {"CF_AJCX", "CF_ZT", "CF_HYLY"},
    "gsxt": {"CF_AJCX", "CF_ZT", "CF_HYLY", "CF_FRDB", "CF_SJLY", "CF_SJLYDM"},
    "public_resources": {"CF_AJCX", "CF_ZT", "CF_HYLY", "CF_FRDB", "CF_SJLY", "CF_SJLYDM", "CF_SY"},
}
_MASKED = "秦*"
# What the catalogue's code lists call it.
_CODES = {"CF_ZT": "in_effect", "CF_HYLY": "fire"}
Place = tuple[str, str]
Fields = dict[str, str]


@dataclass
class Reference:
    """The department, the store, the suppression list, who is down, and what every recipient shows."""

    source: dict[int, int]
    catalogue: str = "full"
    store: dict[int, int] = field(default_factory=dict)
    suppressed: dict[int, str] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    held: dict[tuple[str, int], Fields] = field(default_factory=dict)
    marked: set[tuple[str, int]] = field(default_factory=set)
    owed: dict[str, set[int]] = field(default_factory=lambda: {recipient: set() for recipient in ALL})
    asked: set[tuple[str, int]] = field(default_factory=set)  # to be given back since the catalogue changed, while it was down
    free: set[tuple[str, int]] = field(default_factory=set)  # what may be given back already, and need not be yet

    def copy(self) -> Reference:
        return deepcopy(self)

    def shown(self) -> dict[Place, Fields]:
        return {(recipient, document(number)): fields for (recipient, number), fields in self.held.items()}

    def marks(self) -> set[Place]:
        return {(recipient, document(number)) for recipient, number in self.marked}

    def night(self) -> None:
        """Who is up gets what came in and what it was owed; what vanished from the source stays. A takedown may go along."""
        self.store |= self.source
        for recipient in self._granted():
            due = {number for number in self.owed[recipient] | self.source.keys() if number not in self.suppressed}
            if recipient in self.down:
                self.owed[recipient] = {number for number in due if self.held.get((recipient, number)) != self._fields(recipient, number)}
            else:
                self._bring(recipient, due)
                self.owed[recipient] = set()
                self.free |= {(recipient, number) for number in self.suppressed if (recipient, number) in self.held}

    def take_back(self) -> None:
        """Who is up gives back what takedowns name, and what it was asked for while it was down."""
        for recipient in set(ALL) - self.down:
            for number in self.suppressed:
                if (recipient, number) in self.held:
                    self._take_back((recipient, number), True)
            self.free |= {place for place in self.asked if place[0] == recipient}

    def adopt(self, shown: set[Place], marked: set[Place]) -> None:
        """Takes over what was free to be given back or not."""
        for recipient, number in self.free & self.held.keys():
            if (recipient, document(number)) not in shown:
                del self.held[recipient, number]
            elif (recipient, document(number)) in marked and self.suppressed.get(number) == "mark":
                self.marked.add((recipient, number))
        self.marked &= self.held.keys()
        self.free.clear()

    def decide(self) -> None:
        """Who is up gets all of the store that it may have, and gives back all that it may not."""
        for recipient in ALL:
            is_granted = recipient in self._granted()
            if recipient in self.down:
                self.asked |= {place for place in self.held if place[0] == recipient and not is_granted}
                continue
            self.asked = {place for place in self.asked if place[0] != recipient}
            if is_granted:
                self._bring(recipient, {number for number in self.store if number not in self.suppressed})
            for number in self.store:
                place = recipient, number
                if place in self.held and not (is_granted and number not in self.suppressed):
                    self._take_back(place, is_granted)

    def takedown(self, number: int, effect: str) -> bool:
        if number not in self.store or number in self.suppressed:
            return False
        self.suppressed[number] = effect
        return True

    def lift(self, number: int) -> bool:
        return self.suppressed.pop(number, None) is not None

    def _bring(self, recipient: str, numbers: set[int]) -> None:
        for number in numbers:
            self.held[recipient, number] = self._fields(recipient, number)
            self.marked.discard((recipient, number))

    def _take_back(self, place: tuple[str, int], is_granted: bool) -> None:
        if self.suppressed.get(place[1]) == "mark" and is_granted:
            self.marked.add(place)
        else:
            del self.held[place]
            self.marked.discard(place)

    def _granted(self) -> set[str]:
        return set(ALL) - ({PACKAGE} if "ended" in self.catalogue else set())

    def _fields(self, recipient: str, number: int) -> Fields:
        row = penalty(number, self.store[number]) | _CODES
        if recipient == "credit_china" or (recipient == "national_platform" and self.catalogue == "masked"):
            row["CF_FRDB"] = _MASKED
        hidden = _KEPT_BACK[recipient] | ({"CF_SY"} if recipient == "credit_china" and "narrowed" in self.catalogue else set())
        return {name: value for name, value in row.items() if name not in hidden}
