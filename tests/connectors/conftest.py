"""The window of a night, and a drop folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import Source, Window
from tests.connectors import trial_feed


@pytest.fixture
def window() -> Window:
    return Window(datetime(2026, 11, 21, 16, tzinfo=UTC), datetime(2026, 11, 22, 16, tzinfo=UTC))


@pytest.fixture
def file_source(tmp_path: Path) -> Callable[..., Source]:
    def make(**feed: Any) -> Source:
        return trial_feed.file_source(tmp_path.as_uri(), **feed)

    return make
