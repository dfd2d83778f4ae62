"""Reads the files of a catalogue folder and lays its local layers over it; gathers every problem within the files."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from catalog.layers import (
    Above,
    Supplement,
    chain_problems,
    instrument_problems,
    laid_over,
    problems_of,
    regions_below,
)
from catalog.load import Catalog
from catalog.model import (
    Department,
    Edition,
    Entry,
    Instrument,
    MeasuresList,
    Recipient,
    RepairRule,
    SeriousList,
)
from catalog.nearest import hint
from catalog.places import Places

Model = TypeVar("Model", bound=BaseModel)

_FOLDERS = ("entries", "departments", "recipients", "instruments", "editions", "lists", "measures", "repair_rules", "codes")
# What a local supplementary catalogue may hold; it hands in nothing and receives nothing of its own.
_LOCAL_FOLDERS = ("entries", "supplements", "instruments", "editions", "lists", "measures", "codes")
_COLUMNS = {"code", "zh", "en"}
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_REGION = re.compile(r"[0-9]{6}")
_VERSIONED = re.compile(r"(?P<key>[a-z][a-z0-9_]*)@(?P<from>\d{4}-\d{2}-\d{2})")


class Reader:
    """One reading of a catalogue folder; gathers problems instead of stopping at the first."""

    def __init__(self, root: Path, region: str = "") -> None:
        self._root, self._region = root, region
        self._base = root / "local" / region if region else root
        self.problems: list[str] = []
        self._files: dict[tuple[str, str], str] = {}
        self._digest = hashlib.sha256()

    def read(self) -> Catalog:
        self._strays()
        versions = self._versions(self._models("entries", Entry, "*/*"))
        national = Catalog(
            entries={key: known[-1] for key, known in versions.items()}, versions=versions, supplements={},
            departments=self._models("departments", Department), recipients=self._models("recipients", Recipient),
            instruments=self._models("instruments", Instrument), editions=self._models("editions", Edition),
            lists=self._models("lists", SeriousList), measures=self._models("measures", MeasuresList),
            repair_rules=self._models("repair_rules", RepairRule), codes=self._codes(),
            digest=self._digest.hexdigest(), root=self._root, files=self._files)
        return self._local(national)

    def _local(self, national: Catalog) -> Catalog:
        """The catalogue with every local layer laid over it, the widest region first."""
        merged, regions = national, regions_below(self._root)
        self.problems += chain_problems(regions)
        for region in regions:
            layer = Reader(self._root, region)
            layer.problems, layer._files, layer._digest = self.problems, self._files, self._digest
            merged = layer.laid_over(merged)
        return replace(merged, digest=self._digest.hexdigest())

    def laid_over(self, above: Catalog) -> Catalog:
        """The catalogue above with this reader's layer in it."""
        entries = {key: entry.model_copy(update={"region": self._region}) for key, entry in self._models("entries", Entry, "*/*").items()}
        instruments = self._models("instruments", Instrument)
        for name, instrument in instruments.items():
            self.problems += instrument_problems(self._files["instruments", name], instrument, self._region)
        supplements = self._models("supplements", Supplement)
        versions = {**above.versions, **self._versions(entries)}
        for key, supplement in supplements.items():
            versions |= self._supplemented(above, key, supplement)
        return replace(
            above, versions=versions, entries={key: known[-1] for key, known in versions.items()},
            instruments={**above.instruments, **instruments}, editions={**above.editions, **self._models("editions", Edition)},
            lists={**above.lists, **self._models("lists", SeriousList)},
            measures={**above.measures, **self._models("measures", MeasuresList)},
            codes={**above.codes, **self._codes()},
            supplements={**above.supplements, **{f"{self._region}.{key}": each for key, each in supplements.items()}})

    def _supplemented(self, above: Catalog, key: str, supplement: Supplement) -> dict[str, tuple[Entry, ...]]:
        file = self._files["supplements", f"{self._region}.{key}"]
        if key not in above.versions:
            self.problems.append(f"{file}: no entry {key} above it{hint(key, above.versions)}; a new entry stands in entries/")
            return {}
        places = Places(self._root)
        found = [problem for entry in above.versions[key]
                 for problem in problems_of(file, supplement, Above(entry, self._files["entries", key], places))]
        self.problems += dict.fromkeys(found)
        return {} if found else {key: laid_over(above.versions[key], supplement)}

    def _versions(self, read: Mapping[str, Entry]) -> dict[str, tuple[Entry, ...]]:
        """Every version of each entry, the oldest first; a former one is written in <key>@<in_force_from>.yml."""
        versions: dict[str, list[Entry]] = {}
        for stem, entry in read.items():
            key, _, since = stem.partition("@")
            versions.setdefault(key, []).append(entry)
            if since and since != entry.in_force_from.isoformat():
                self.problems.append(f"{self._files['entries', stem]}: in_force_from: is not {since}, which the file's name says")
            if key not in read:
                self.problems.append(f"{self._files['entries', stem]}: a former version of {key}, which has no {key}.yml")
        return {key: tuple(sorted(known, key=lambda entry: entry.in_force_from)) for key, known in versions.items()}

    def _strays(self) -> None:
        """A catalogue file outside the five folders would say nothing, as in a folder whose name is misspelt."""
        for path in sorted(self._root.rglob("*")):
            if path.suffix not in (".yml", ".yaml", ".csv"):
                continue
            first, *rest = path.relative_to(self._root).parts
            is_local = first == "local" and len(rest) > 2 and bool(_REGION.fullmatch(rest[0])) and rest[1] in _LOCAL_FOLDERS
            if first not in _FOLDERS and not is_local:
                self.problems.append(f"{self._name(path)}: does not belong here; the folders are {', '.join(_FOLDERS)}, and below "
                                     f"local/<region> {', '.join(_LOCAL_FOLDERS)}")

    def _models(self, folder: str, model: type[Model], pattern: str = "*") -> dict[str, Model]:
        read = (self._model(path, model) for path in self._listed(folder, pattern, ".yml"))
        return {path.stem: made for path, made in read if made is not None}

    def _listed(self, folder: str, pattern: str, suffix: str) -> list[Path]:
        """The files of a folder in order; anything that does not belong there is a problem."""
        place = self._base / folder
        wanted, listed = set(place.glob(pattern)), []
        for path in sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith(".")):
            if path in wanted and path.suffix == suffix:
                listed.append(path)
                self._digest.update(f"{self._name(path)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
                self._file(folder, path)
            else:
                self.problems.append(f"{self._name(path)}: does not belong here; {folder} holds {pattern}{suffix}")
        if not listed and not self._region:
            self.problems.append(f"{folder}: missing or empty below {self._root}; a catalogue without {folder} decides nothing")
        return listed

    def _file(self, folder: str, path: Path) -> None:
        if not _KEY.fullmatch(path.stem) and not (folder == "entries" and _VERSIONED.fullmatch(path.stem)):
            self.problems.append(f"{self._name(path)}: the file's name is the key: small letters, digits and _ only")
        key = f"{self._region}.{path.stem}" if folder == "supplements" else path.stem  # two layers may supplement one entry
        if (other := self._files.setdefault((folder, key), self._name(path))) != self._name(path):
            self.problems.append(f"{self._name(path)}: {path.stem} is already {other}; one key, one file")

    def _model(self, path: Path, model: type[Model]) -> tuple[Path, Model | None]:
        try:
            return path, model.model_validate(yaml.load(path.read_text(encoding="utf-8"), _Strict))
        except ValidationError as error:
            self.problems += [f"{self._name(path)}: {_words(fault, model)}" for fault in error.errors(include_url=False)]
        except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that is in no calendar
            self.problems.append(f"{self._name(path)}: not readable as YAML: {' '.join(str(error).split())}")
        return path, None

    def _codes(self) -> dict[str, dict[str, str]]:
        return {path.stem: self._code_set(path) for path in self._listed("codes", "*", ".csv")}

    def _code_set(self, path: Path) -> dict[str, str]:
        codes: dict[str, str] = {}
        try:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file, strict=True)
                for row in reader:
                    if set(row) != _COLUMNS or not all(word and word == word.strip() for word in row.values()):
                        self.problems.append(f"{self._name(path)}: line {reader.line_num}: wants code,zh,en, each filled and trimmed")
                    elif row["code"] in codes:
                        self.problems.append(f"{self._name(path)}: line {reader.line_num}: {row['code']} is written twice")
                    else:
                        codes[row["code"]] = row["zh"]
        except (csv.Error, ValueError) as error:
            self.problems.append(f"{self._name(path)}: not readable as CSV: {error}")
        if not codes:
            self.problems.append(f"{self._name(path)}: no codes; write code,zh,en and a line for each")
        return codes

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._root))


class _Strict(yaml.CSafeLoader):
    """YAML in which a key written twice is an error, not a silent last word."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise yaml.constructor.ConstructorError(None, None, f"key {key} is written twice", node.value[position][0].start_mark)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _words(fault: Any, model: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "the whole file"
    if fault["type"] == "extra_forbidden":
        word = str(fault["loc"][-1])
        # A key of another place is no help: `subject` in a grant wants to be `subjects`.
        return f"{place}: unknown key{hint(word, _keys(model) - {word})}"
    if fault["type"] == "missing":
        return f"{place}: missing; write it"
    return f"{place}: {fault['msg']}"


def _keys(model: type[BaseModel]) -> set[str]:
    """Every key that may stand in a file of this kind, at any depth."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}
