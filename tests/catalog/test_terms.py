"""A recipient's contract that nobody could keep is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.diff import Effect, diff
from catalog.load import load
from tests.catalog.altered import LICENCE, alter, copied, problems

SITE, PACKAGE, FRONTEND = "recipients/credit_china.yml", "recipients/gsxt.yml", "recipients/public_resources.yml"
PAGES = {"record": "/r/{handle}", "search": "/?q={text}"}


@pytest.mark.parametrize(("file", "changes", "words"), [
    (SITE, {"format": "csv"}, "format: csv is a file's, and method rest hands over none"),
    (FRONTEND, {"format": "xlsx"}, "format: xlsx is a file's, and method frontend hands over none"),
    (PACKAGE, {"public": PAGES}, "public: paths on a web address, and connection gsxt is none with method package"),
    ("recipients/national_platform.yml", {"public": PAGES}, "public: a sharing_platform shows nothing to the public"),
    (PACKAGE, {"format": "xlsx", "batch_size": 60_000}, "batch_size: 60000 records make no workbook"),
    (PACKAGE, {"rate": 0}, "rate: Input should be greater than or equal to 1"),
    (PACKAGE, {"format": "parquet"}, "format: Input should be 'jsonl', 'csv' or 'xlsx'"),
])
def test_a_contract_that_contradicts_itself_is_refused(tmp_path: Path, file: str, changes: dict[str, Any], words: str) -> None:
    root = copied(tmp_path)
    alter(root, file, changes)
    found = problems(root)
    assert any(problem.startswith(file) and words in problem for problem in found), found


def test_a_field_longer_than_a_cell_goes_to_nobody_as_xlsx(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, LICENCE, {"fields.XK_NR.length": 20_000})
    load(root)
    alter(root, PACKAGE, {"format": "xlsx"})
    assert [problem for problem in problems(root) if "XK_NR" in problem and "a cell of xlsx holds 16383" in problem]


def test_how_fast_and_in_which_format_a_recipient_is_served_discloses_nothing_more(tmp_path: Path) -> None:
    before, root = load(), copied(tmp_path, local=True)
    alter(root, PACKAGE, {"format": "csv", "rate": 30})
    assert {(change.key, change.effect) for change in diff(before, load(root))} == {("format", Effect.WORDING), ("rate", Effect.WORDING)}
