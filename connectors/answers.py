"""What a service answers: strict JSON, numbers as they are written, each record an object of plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any

from connectors.base import Source
from connectors.header import Header, match
from connectors.rows import UNDECODABLE, Damaged, Received, lines_of, text_array, without_nul

_CHARSETS = {"utf-8": "utf-8-sig", "utf8": "utf-8-sig", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}


class Number(str):
    """A JSON number as it was written: 1.10 stays 1.10, and 18 digits stay 18 digits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `mark` is the same for two pages with the same records."""

    number: int
    total: int
    rows: list[Any]
    body: bytes
    mark: bytes


def to_utf8(body: bytes, content_type: str, source: Source, partition: str) -> bytes:
    """The body in UTF-8, from the charset the service names. Raises ContractBreach `not-json` if it does not fit."""
    header = Message()
    header["Content-Type"] = content_type
    charset = _CHARSETS.get(str(header.get_content_charset("utf-8")))
    if charset is None:
        raise _not_json(source, partition)
    try:
        return body.decode(charset, "strict").encode()
    except UnicodeError:
        raise _not_json(source, partition) from None


def page(body: bytes, source: Source, partition: str) -> Page:
    """The page in a body. Raises ContractBreach: `not-json`, or `page-count` if it does not have the agreed shape."""
    try:
        answer = json.loads(
            body, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError):
        raise _not_json(source, partition) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("rows"), list):
        raise _shapeless(source, partition)
    number, total = _count(answer.get("page")), _count(answer.get("total"))
    if number is None or total is None:
        raise _shapeless(source, partition)
    mark = hashlib.sha256(json.dumps(answer["rows"]).encode()).digest()
    return Page(number, total, answer["rows"], body, mark)


def received(rows: Sequence[Any], source: Source, partition: str) -> Received:
    """Catalogued values by field; a record that is not an object of plain values is a damaged row.

    Raises ContractBreach as `header.match` does.
    """
    sound, lines, damaged = list[dict[str, Any]](), list[int](), list[Damaged]()
    for line, row in enumerate(rows, 1):
        if _is_plain(row):
            sound.append(row)
            lines.append(line)
        else:
            damaged.append(Damaged(line, UNDECODABLE, json.dumps(row)))
    names = list(dict.fromkeys(name for row in sound for name in row))
    header = match(names, source, partition) if rows else _nothing(source)
    columns = {field: text_array([_word(row.get(names[place])) for row in sound]) for field, place in header.positions.items() if rows}
    columns = columns or {field: text_array([]) for field in header.positions}
    return without_nul(Received(header, columns, lines_of(lines), damaged))


def _nothing(source: Source) -> Header:
    """No record names no column; none is missing, for none was asked in vain."""
    return Header({field: place for place, field in enumerate(source.entry.fields)}, (), (), len(source.entry.fields))


def _is_plain(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    return all(value is None or isinstance(value, bool) or isinstance(value, str) and _is_text(value) for value in row.values())


def _is_text(value: str) -> bool:
    """Half a surrogate pair, which JSON can write as an escape, is no character."""
    return value.isascii() or value.isprintable() or not any("\ud800" <= c <= "\udfff" for c in value)


def _word(value: str | bool | None) -> str | None:
    return json.dumps(value) if isinstance(value, bool) else value


def _count(value: Any) -> int | None:
    is_count = isinstance(value, Number) and value.isascii() and value.isdigit() and len(value) <= 12
    return int(value) if is_count else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _not_json(source: Source, partition: str) -> Exception:
    remedy = "the service does not answer in sound JSON; ask the department whether the path leads to its service or to a page"
    return source.breach("not-json", partition, remedy)


def _shapeless(source: Source, partition: str) -> Exception:
    remedy = "the answer must hold the numbers `total` and `page` and the list `rows`; ask the department"
    return source.breach("page-count", partition, remedy)
