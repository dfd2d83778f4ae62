"""The connections file: readable by its owner only, closed, and silent about its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from keys import connection
from keys.connection import ConnectionUnknown


def test_a_saved_connection_comes_back_and_shows_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "connections.yml"
    connection.save(path, {"gsxt": {"url": "http://127.0.0.1:1", "token": "hush", "key_id": "k1"}})
    known = connection.load(path)["gsxt"]
    assert (known.url, known.token, known.key_id) == ("http://127.0.0.1:1", "hush", "k1")
    assert "hush" not in repr(known) and "127.0.0.1" not in repr(known)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "connections.yml"
    connection.save(path, {})
    path.chmod(0o640)
    with pytest.raises(ConnectionUnknown, match="chmod 600"):
        connection.load(path)


@pytest.mark.parametrize(("text", "words"), [
    ("a: {url: x, tokn: y}", "unknown key tokn"), ("a: {token: y}", "url is missing"), ("a: {url: x, token: 7}", "token is not text"),
    ("a: {url: x, token:}", "token is not text"), ("a: {url: x, client_key: y}", "come together"), ("a: x", "connection a: url and the rest"), ("x", "names no connections"),
])
def test_a_misspelt_or_missing_key_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "connections.yml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConnectionUnknown, match=words):
        connection.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectionUnknown, match="no connections file"):
        connection.load(tmp_path / "connections.yml")


def test_i8_a_file_that_is_no_yaml_is_told_by_its_line_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "connections.yml"
    path.write_text('a:\n  url: x\n  token: "hush\n')
    path.chmod(0o600)
    with pytest.raises(ConnectionUnknown, match="not readable as YAML at line 4") as told:
        connection.load(path)
    assert "hush" not in str(told.value)


def test_a_slip_in_one_party_s_entry_cuts_off_that_party_alone(tmp_path: Path) -> None:
    path = tmp_path / "connections.yml"
    path.write_text("a: {url: x}\nb: {url: y, tokn: z}\n")
    path.chmod(0o600)
    assert connection.find(path, "a").url == "x"
    for name, words in (("b", "unknown key tokn"), ("c", "connection c is not registered")):
        with pytest.raises(ConnectionUnknown, match=words):
            connection.find(path, name)
