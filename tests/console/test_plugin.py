"""The reports inside Airflow, asked over HTTP with tokens that Airflow's own auth manager made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

import console

PAGES = ["/quality/", "/quality/index.html", "/quality/2026-11-23.html"]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]


Ask = Callable[[str, str | None], Answer]
Told = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gateway's home with two pages, and things beside them that nobody is to get."""
    made = tmp_path_factory.mktemp("home")
    reports = made / "reports"
    reports.mkdir()
    (reports / "index.html").write_text("the index", encoding="utf-8")
    (reports / "2026-11-23.html").write_text("the report", encoding="utf-8")
    (reports / "notes.txt").write_text("secret", encoding="utf-8")
    (made / "2026-11-24.html").write_text("secret", encoding="utf-8")
    (reports / "2026-11-25.html").symlink_to(made / "2026-11-24.html")
    return made


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Told]:
    """What the running server said of itself: port, tokens, views."""
    settings = {
        "AIRFLOW_HOME": str(home), "GATEWAY_HOME": str(home), "PYTHONPATH": str(Path(console.__file__).parents[1]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of this test, and long enough for a signature: 0123456789abcdef0123456789abcdef",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ann:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "false",
    }
    command = [sys.executable, str(Path(__file__).with_name("reports_server.py"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=os.environ | settings, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin and process.stdout
        yield json.loads(next(line for line in process.stdout if line.startswith('{"port"')))
        process.stdin.close()


@pytest.fixture(scope="module")
def ask(server: Told) -> Ask:
    """`ask(path, role)` sends the path as it stands, as somebody of that role, or as nobody for None."""

    def get(path: str, role: str | None) -> Answer:
        headers = {} if role is None else {"Authorization": f"Bearer {server['tokens'][role]}"}
        with closing(HTTPConnection("127.0.0.1", server["port"], timeout=30)) as connection:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.read().decode(), told)

    return get


@pytest.mark.parametrize("path", [*PAGES, "/quality/2020-01-01.html", "/quality/nothing", "/quality/notes.txt"])
def test_nobody_gets_in_without_a_login(ask: Ask, path: str) -> None:
    assert ask(path, None).status == 401


@pytest.mark.parametrize("path", ["/quality/docs", "/quality/redoc", "/quality/openapi.json"])
def test_the_application_describes_itself_to_nobody(ask: Ask, path: str) -> None:
    assert ask(path, None).status == 401 and ask(path, "admin").status == 404


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["op", "user", "nonsense", ""])
def test_other_roles_are_refused(ask: Ask, path: str, role: str) -> None:
    assert ask(path, role).status == 403


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_viewers_and_administrators_read(ask: Ask, role: str) -> None:
    assert [ask(path, role).text for path in PAGES] == ["the index", "the index", "the report"]


def test_a_page_may_load_nothing_and_is_not_kept_by_the_browser(ask: Ask) -> None:
    headers = ask("/quality/2026-11-23.html", "viewer").headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [
    "/quality/notes.txt", "/quality/2020-01-01.html", "/quality/../2026-11-24.html", "/quality/..%2F2026-11-24.html",
    "/quality/%2e%2e/2026-11-24.html", "/quality/%2e%2e%2f2026-11-24.html", "/quality/....//2026-11-24.html",
    "/quality/2026-11-25.html", "/quality/2026-11-23.html%00.txt", "/quality/2026-11-23.html%0a",
    "/quality/reports/2026-11-23.html"])
def test_only_reports_are_served_and_nothing_beside_them(ask: Ask, path: str) -> None:
    answer = ask(path, "admin")
    assert answer.status == 404 and "secret" not in answer.text


def test_the_menu_item_leads_to_the_pages(server: Told) -> None:
    (item,) = server["views"]
    assert (item["name"], item["href"], item["destination"]) == ("质量报告", "/quality/", "nav")
