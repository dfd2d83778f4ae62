"""The catalogue's pages say what the catalogue says."""

from __future__ import annotations

from pathlib import Path

from catalog.docs import pages
from catalog.load import load

FOLDER = Path(__file__).parents[2] / "docs" / "catalogue"


def test_the_committed_pages_are_those_of_the_catalogue() -> None:
    made = pages(load())
    assert {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.md")} == made, "run `gateway catalog docs` and commit the pages"


def test_every_field_grant_and_citation_of_an_entry_is_on_its_page() -> None:
    catalog = load()
    for key, text in pages(catalog).items():
        if (entry := catalog.entries.get(key.removesuffix(".md"))) is None:
            continue
        assert all(f"`{code}`" in text for code in entry.fields)
        assert all(f"(`{name}`)" in text for name in entry.grants)
        cited = [*entry.basis, *(basis for grant in entry.grants.values() for basis in grant.basis)]
        assert all(catalog.instruments[basis.instrument].number in text for basis in cited)


def test_what_was_not_checked_against_the_original_says_so() -> None:
    made = pages(load())
    assert "待核对原文 recalled" in made["tax_arrears.md"] and "待核对 recalled" in made["lists-and-measures.md"]
