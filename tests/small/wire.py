"""What went over the wire, kept by somebody who listens, to be sent once more."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import requests

_PATIENCE, _PAUSE = 30.0, 0.003


class Wire:
    """Keeps every request to a REST recipient and every file put into an inbox by this process."""

    def __init__(self) -> None:
        self.requests: list[requests.PreparedRequest] = []
        self.files: dict[Path, bytes] = {}
        self._send, self._replace = requests.Session.send, os.replace
        requests.Session.send = lambda session, request, **named: self._sending(session, request, **named)
        os.replace = self._replacing

    def forget(self) -> None:
        self.requests.clear()
        self.files.clear()

    def replay(self) -> list[int]:
        """Sends everything once more, the oldest last, and waits until it was taken; the answers of the REST recipients."""
        answers = []
        for request in reversed(self.requests):
            with requests.Session() as session:
                answers.append(self._send(session, request, timeout=30).status_code)
        for path, content in self.files.items():
            path.write_bytes(content)
        ends_at = time.monotonic() + _PATIENCE
        while any(path.exists() for path in self.files):
            if time.monotonic() > ends_at:
                raise TimeoutError("the inbox did not take what was replayed")
            time.sleep(_PAUSE)
        return answers

    def _sending(self, session: requests.Session, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        self.requests.append(request.copy())
        return self._send(session, request, **named)

    def _replacing(self, source: Any, target: Any, **named: Any) -> None:
        if Path(target).parent.name == "incoming":
            self.files[Path(target)] = Path(source).read_bytes()
        self._replace(source, target, **named)
