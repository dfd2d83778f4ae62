"""The duties on what is collected of people: purpose, method and scope, and what may never be collected (clause 14; D50, D51)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.duties.versions import each_version
from catalog.model import Entry
from catalog.nearest import unknown

if TYPE_CHECKING:
    from catalog.load import Catalog

# What no catalogue may hold. The first five stand in 征信业管理条例 art. 14 and again, with the last three, in the preface of the
# national basic catalogue (recalled, not checked against the text). English words are whole words: `gene` is not in `general`.
_PROHIBITED = {
    "religion": r"宗教|信教|\breligio(?:n|us)\b",
    "genes": r"基因|\bgen(?:e|es|etic|etics|ome)\b|\bdna\b",
    "fingerprints": r"指纹|\bfinger ?prints?\b",
    "blood type": r"血型|\bblood (?:type|group)s?\b",
    "disease and medical history":
        r"疾病(?!预防|控制)|病史|\b(?:diseases?(?! (?:prevention|control))|illness(?:es)?|medical histor(?:y|ies))\b",
    "petitions": r"信访|\bpetitions?\b|\bxinfang\b",
    "waste sorting": r"垃圾分类|\b(?:waste|garbage|rubbish|refuse) (?:sorting|separation|classification)\b",
    "blood donation": r"献血|\bblood donations?\b",
}
_MATCHES = [(what, re.compile(pattern)) for what, pattern in _PROHIBITED.items()]
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def of_entry(entry: Entry) -> Iterator[str]:
    """Whether an entry says of each personal field, and of no other, how far it is collected."""
    personal = [code for code, field in entry.fields.items() if field.sensitivity.is_personal]
    if entry.collection is None:
        if personal:
            yield f"collection: {', '.join(personal)} are personal; write purpose, method and, for each, its scope (D51)"
        return
    for code in entry.collection.scope:
        if code not in entry.fields:
            yield f"collection.scope: {unknown(code, entry.fields)}"
        elif code not in personal:
            yield f"collection.scope.{code}: is not personal, so it needs no scope; mend its sensitivity, or remove the line (D51)"
    for code in personal:
        if code not in entry.collection.scope:
            yield f"collection.scope: {code} is personal and has no scope; write how far it is collected (D50, D51)"


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every name in the catalogue that tells of something no catalogue may hold."""
    for file, entry in each_version(catalog):
        yield from _told(file, "title", entry.title.zh, entry.title.en)
        for code, field in entry.fields.items():
            yield from _told(file, f"fields.{code}", code, field.title.zh, field.title.en)
    for (folder, stem), file in catalog.files.items():
        if folder in ("entries", "codes"):
            yield from _told(file, "its name", stem)
    for name, codes in catalog.codes.items():
        for code, title in codes.items():
            yield from _told(catalog.files["codes", name], code, code, title)
    for name, department in catalog.departments.items():
        for place, feed in enumerate(department.feeds):
            for code, written in feed.columns.items():
                yield from _told(catalog.files["departments", name], f"feeds.{place}.columns.{code}", *written)


def _told(file: str, key: str, *names: str) -> Iterator[str]:
    text = "\n".join(_HUMP.sub(" ", unicodedata.normalize("NFKC", name)).replace("_", " ").lower() for name in names)
    for what, pattern in _MATCHES:
        if pattern.search(text):
            yield f"{file}: {key}: tells of {what}, which no catalogue of credit information may hold (D50); remove it"
