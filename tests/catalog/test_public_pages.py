"""Where a public site shows and searches is written as paths that can be filled in, or the catalogue refuses it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from catalog.parties import PublicPages

RECORD, SEARCH = "/records/{entry}/{handle}", "/?q={text}"


def test_paths_with_their_places_are_taken() -> None:
    assert PublicPages(record=RECORD, search=SEARCH).record.format(entry="e", handle="h") == "/records/e/h"


@pytest.mark.parametrize(("record", "search"), [
    ("https://elsewhere.example/{handle}", SEARCH), ("/records/{record}", SEARCH), ("/records/", SEARCH), ("/records/{handle", SEARCH),
    (RECORD, "/?q="), (RECORD, "/?q={handle}"), (RECORD, "?q={text}"),
])
def test_another_address_an_unknown_place_or_none_is_refused(record: str, search: str) -> None:
    with pytest.raises(ValidationError):
        PublicPages(record=record, search=search)
