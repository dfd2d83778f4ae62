"""The duties on the lists of measures: their basis, whom they meet, who carries them out (clauses 9 and 10; D31–D36)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.duties.authority import CENTRAL, RULES, bears
from catalog.duties.versions import each_version
from catalog.duties.windows import window_of
from catalog.measures import Measure, MeasureClass, MeasuresList
from catalog.nearest import hint, unknown
from catalog.repair import Grade

if TYPE_CHECKING:
    from catalog.load import Catalog

# Whom nobody may force to punish (clause 9). The central bank and the supervisors of banking are authorities.
_FREE = re.compile(
    r"(?<!人民)银行(?!业)|金融机构|保险公司|证券公司|征信机构|信用服务机构|信用评级机构|协会|商会|学会|媒体|新闻机构|平台企业|企业自主"
    r"|(?<!people's )\bbanks?\b|\bfinancial institutions?\b|\binsurers?\b|\bcredit (?:reporting|rating|service|reference)\b"
    r"|\b(?:associations?|chambers? of commerce|media|newspapers?)\b", re.IGNORECASE)  # fmt: skip


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every problem of the lists of measures and of the codes by which records carry them, each with its file and key."""
    for name, known in catalog.measures.items():
        for code, measure in known.measures.items():
            for problem in (*_basis(catalog, known, measure), *_target(catalog, measure), *_implementer(measure)):
                yield f"{catalog.files['measures', name]}: measures.{code}.{problem}"
    yield from _codes(catalog)


def _basis(catalog: Catalog, known: MeasuresList, measure: Measure) -> Iterator[str]:
    levels = CENTRAL if measure.kind is MeasureClass.RIGHTS else RULES
    for problem in bears(catalog, measure.basis, levels, "the measure", known.region, window_of(known)):
        yield f"{problem} (D31, D36)" if measure.kind is MeasureClass.RIGHTS else problem


def _target(catalog: Catalog, measure: Measure) -> Iterator[str]:
    for place, name in enumerate(measure.conduct):
        if name not in catalog.entries:
            yield f"conduct.{place}: {unknown(name, catalog.entries)}"
        elif catalog.entries[name].nature != "adverse":
            yield f"conduct.{place}: {name} records nothing adverse, so nothing follows from it (D35); leave it out"
    if measure.kind is MeasureClass.RIGHTS and Grade.SLIGHT in measure.grades:
        yield "grades: slight conduct gets no measure that cuts rights (D35); leave slight out"
    if measure.kind is MeasureClass.RIGHTS and measure.max_months is None:
        yield "max_months: missing; a measure that cuts rights says how long its basis lets it last (D36)"


def _implementer(measure: Measure) -> Iterator[str]:
    free = _FREE.search(measure.implementer.zh) or _FREE.search(measure.implementer.en)
    if free and measure.kind is not MeasureClass.ADVICE:
        yield f"implementer: nobody forces {free.group()} to punish (D34); make it advice, or name the authority that carries it out"
    if not free and measure.kind is MeasureClass.ADVICE:
        yield "implementer: advice is for banks, credit agencies, associations or media (D34); name one, or mend the kind"


def _codes(catalog: Catalog) -> Iterator[str]:
    """The codes that a record may carry are the measures of the lists, no more and no fewer."""
    listed = {code: catalog.files["measures", name] for name, known in catalog.measures.items() for code in known.measures}
    sets = dict[str, str]()
    for file, entry in each_version(catalog):
        field = entry.fields.get(entry.measures or "")
        if field is not None and field.codes is not None and field.codes in catalog.codes:
            sets.setdefault(field.codes, file)
    for name in sets:
        codes = catalog.codes[name]
        for code in codes:
            if code not in listed:
                yield f"{catalog.files['codes', name]}: {code} is a measure of no list (D31, D36){hint(code, listed)}; remove it"
        for code, file in listed.items():
            if code not in codes:
                yield (f"{file}: measures.{code}: is not in {catalog.files['codes', name]}, so no record could carry it (D31)"
                       f"{hint(code, codes)}; add it there")
