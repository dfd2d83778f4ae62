"""What changes between two catalogues, graded: does it widen disclosure, narrow it, break a source, or only reword?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from catalog.load import Catalog


class Effect(StrEnum):
    """The gravest first. What nobody graded counts as widening."""

    WIDENS = "widens disclosure"
    BREAKS = "breaks a source"
    NARROWS = "narrows"
    WORDING = "wording"


@dataclass(frozen=True, slots=True)
class Change:
    """One key that differs: in which file, what stood there and what stands there now ("" for nothing)."""

    effect: Effect
    file: str
    key: str
    old: str
    new: str

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


Leaves = dict[str, Any]
Grading = Callable[[Any, Any], Effect]
_ABSENT = object()
_MASKS = {"open": 0, "token": 2}
_SHARES = ("not_shared", "conditional", "unconditional")
_SENSITIVITIES = ("open", "business_secret", "personal", "sensitive_personal")


def diff(old: Catalog, new: Catalog) -> list[Change]:
    """Every difference in meaning between two catalogues, the gravest first, then by file and key."""
    found = [change for folder, stem in sorted({*old.files, *new.files}) for change in _of_file(old, new, folder, stem)]
    return sorted(found, key=lambda change: (list(Effect).index(change.effect), change.file, change.key))


def widens(changes: list[Change]) -> bool:
    """Whether any of the changes widens disclosure."""
    return any(change.effect is Effect.WIDENS for change in changes)


def _of_file(old: Catalog, new: Catalog, folder: str, stem: str) -> Iterator[Change]:
    before, after = _leaves(old, folder, stem), _leaves(new, folder, stem)
    file = new.files.get((folder, stem)) or old.files[folder, stem]
    for key in _tops(before, after):
        one, other = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if one != other:
            yield Change(_graded(folder, key, one, other), file, key, _word(one), _word(other))


def _tops(before: Leaves, after: Leaves) -> list[str]:
    """The keys to compare, without those below a key that came or went as a whole."""
    whole = {key for key in {*before, *after} if (key in before) != (key in after)}
    return sorted(key for key in {*before, *after}
                  if not key or not any(".".join(parts[:n]) in whole for parts in [key.split(".")] for n in range(len(parts))))


def _leaves(catalog: Catalog, folder: str, stem: str) -> Leaves:
    if (folder, stem) not in catalog.files:
        return {}
    if folder == "codes":
        return {"": "file"} | {re.sub(r"\.", "·", code): title for code, title in catalog.codes[stem].items()}
    model = catalog.model(folder, stem)
    leaves: Leaves = {"": "file"}
    _walk(model.model_dump(mode="json", exclude_defaults=True) if model else {}, "", leaves)
    return leaves


def _walk(value: Any, key: str, leaves: Leaves) -> None:
    """Mappings by key, lists as the set of what they hold, so that their order says nothing; a container is a leaf, too."""
    if isinstance(value, dict):
        if key:
            leaves[key] = {}
        for name, part in value.items():
            plain = str(name).replace(".", "·")
            _walk(part, f"{key}.{plain}" if key else plain, leaves)
    elif isinstance(value, list):
        for part in value:
            leaves[f"{key}.[{re.sub(r'[.]', '·', json.dumps(part, sort_keys=True, ensure_ascii=False))}]"] = "listed"
    else:
        leaves[key] = value


def _word(value: Any) -> str:
    return "" if value is _ABSENT else "present" if value in ({}, "listed", "file") else str(value)


def _graded(folder: str, key: str, old: Any, new: Any) -> Effect:
    for folders, pattern, grading in _GRADES:
        if re.fullmatch(folders, folder) and re.fullmatch(pattern, key):
            return grading(old, new)
    return Effect.WIDENS


def _wording(old: Any, new: Any) -> Effect:
    return Effect.WORDING


def _breaks(old: Any, new: Any) -> Effect:
    return Effect.BREAKS


def _grant(old: Any, new: Any) -> Effect:
    """What is there lets through: it widens when it comes, and narrows when it goes."""
    return Effect.NARROWS if new is _ABSENT else Effect.WIDENS


def _guard(old: Any, new: Any) -> Effect:
    """What is there holds back: it narrows when it comes, and widens when it goes or becomes another."""
    return Effect.NARROWS if old is _ABSENT else Effect.WIDENS


def _check(old: Any, new: Any) -> Effect:
    """A check of what comes in: a new one may break a source, and one that goes lets more in."""
    return Effect.BREAKS if old is _ABSENT else Effect.WIDENS


def _rising(ranks: Callable[[Any], Any]) -> Grading:
    """A value of which more gives more away."""
    def grading(old: Any, new: Any) -> Effect:
        if old is _ABSENT or new is _ABSENT:
            return _grant(old, new)
        return Effect.WIDENS if ranks(new) >= ranks(old) else Effect.NARROWS

    return grading


def _falling(ranks: Callable[[Any], Any]) -> Grading:
    """A value of which more holds more back."""
    def grading(old: Any, new: Any) -> Effect:
        if old is _ABSENT or new is _ABSENT:
            return _guard(old, new)
        return Effect.WIDENS if ranks(new) <= ranks(old) else Effect.NARROWS

    return grading


def _until(value: Any) -> str:
    """The end of something: none is later than any."""
    return "9999" if value is _ABSENT else str(value)


def _end(old: Any, new: Any) -> Effect:
    return Effect.WIDENS if _until(new) > _until(old) else Effect.NARROWS


def _required(old: Any, new: Any) -> Effect:
    return Effect.BREAKS if new is True else Effect.WIDENS


def _published(old: Any, new: Any) -> Effect:
    return Effect.WIDENS if new is True else Effect.NARROWS


def _mask(old: Any, new: Any) -> Effect:
    if old is _ABSENT or new is _ABSENT:
        return _grant(old, new)
    return Effect.WIDENS if _MASKS.get(new, 1) <= _MASKS.get(old, 1) else Effect.NARROWS


_any = r"[^.]+"
# The first that fits grades a difference.
_GRADES: tuple[tuple[str, str, Grading], ...] = (
    ("entries", r"", _grant), ("entries", r"title(\..*)?", _wording),
    ("entries", rf"grants\.{_any}\.fields\.{_any}", _mask), ("entries", rf"grants\.{_any}", _grant),
    ("entries", rf"grants\.{_any}\.(basis|subjects)\.\[.*", _grant),
    ("entries", rf"grants\.{_any}\.condition\.until", _end), ("entries", rf"grants\.{_any}\.(condition|consent)", _guard),
    ("entries", rf"grants\.{_any}\.consent\.max_days", _rising(int)),
    ("entries", rf"grants\.{_any}\.(condition|consent)\.purpose\.(zh|en)", _guard),
    ("entries", rf"fields\.{_any}\.title\.en", _wording),
    ("entries", rf"fields\.{_any}\.(type|length|codes|unit|title|title\.zh)", _breaks),
    ("entries", rf"fields\.{_any}\.required", _required), ("entries", rf"fields\.{_any}\.publish", _published),
    ("entries", rf"fields\.{_any}\.share", _rising(_SHARES.index)),
    ("entries", rf"fields\.{_any}\.sensitivity", _falling(_SENSITIVITIES.index)),
    ("entries", rf"fields\.{_any}", _grant), ("entries", r"(natural_key|subject|decided_on)(\..*)?", _breaks),
    ("entries", r"in_force_from", _falling(str)), ("entries", r"in_force_to", _end),
    ("entries", r"(basis|editions)\.\[.*|legacy", _grant), ("entries", r"rules\.\[.*", _check),
    ("entries", rf"publicity_max_months\.{_any}", _rising(int)),
    ("entries", r"(publicity_end|clock|ended_on|leniency|listing|measures|document|grade)(\..*)?", _guard),
    ("entries", r"thresholds\.(max_quarantined|min_sample)", _rising(float)), ("entries", r"thresholds\.min_kept", _falling(float)),
    ("entries", r"repair\..*", _wording),
    ("supplements", r"", _guard), ("supplements", r"(share|publish|masks|withhold|publicity_max_months)(\..*)?", _guard),
    ("departments", r"title(\..*)?|contact", _wording), ("departments", r"feeds\.\[.*", _check),
    ("recipients", r"title(\..*)?|contact|batch_size|deadline|rate|format", _wording),
    ("instruments", r"title(\..*)?|number|issuer|evidence|articles\..*\.(zh|en)", _wording),
    ("instruments", r"in_force_to", _end), ("instruments", r"|articles\.[^\[]*(\.allows\.\[.*)?", _grant),
    ("(editions|lists|measures|repair_rules)", r"title(\..*)?|evidence|recalled\..*|document", _wording),
    ("codes", r"", _check), ("codes", _any, lambda old, new: Effect.WIDENS if old is _ABSENT else Effect.BREAKS),
)
