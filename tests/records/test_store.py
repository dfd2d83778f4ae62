"""The sealed store: what was accepted can be decided again, a past day can be answered, and what is erased is gone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from records.blocks import StoreDamaged
from records.database import connect, writing
from records.schema import METADATA, stored
from records.stages import LINE, RECORD
from records.store import Erased, Origin, Store

TEXT = pd.ArrowDtype(pa.string())
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
ORIGIN = Origin("penalty", "2026-11-24.law.penalty.1", "e1")
CELLS = st.one_of(st.none(), st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12))


def frame(rows: dict[str, tuple[str | None, ...]], *fields: str) -> pd.DataFrame:
    named = fields or ("name", "fine")
    columns = {name: pd.Series([cells[n] for cells in rows.values()], dtype=TEXT) for n, name in enumerate(named)}
    return pd.DataFrame({RECORD: pd.Series(list(rows), dtype=TEXT), LINE: range(len(rows))} | columns)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", Keyring.for_tests())


def put(engine: Engine, store: Store, rows: dict[str, tuple[str | None, ...]], at: datetime = NOW, fields: tuple[str, ...] = ()) -> int:
    with writing(engine) as connection:
        return store.put(connection, ORIGIN, frame(rows, *fields), at)


def current(engine: Engine, store: Store, *fields: str) -> dict[str, tuple[str | None, ...]]:
    names = fields or ("name", "fine")
    with engine.connect() as connection:
        chunks = list(store.current(connection, "penalty", names))
    return {row[RECORD]: tuple(None if pd.isna(row[name]) else row[name] for name in names)
            for chunk in chunks for row in chunk.to_dict("records")}


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.from_regex(r"1-[0-9a-f]{8}", fullmatch=True), st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_what_was_put_is_what_is_read_with_nothing_apart_from_empty(rows: dict[str, tuple[str | None, ...]]) -> None:
    import tempfile

    engine = connect("sqlite://")
    METADATA.create_all(engine)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), Keyring.for_tests())
        put(engine, store, rows)
        assert current(engine, store) == rows
    engine.dispose()


def test_what_comes_again_unchanged_is_not_written_again(engine: Engine, store: Store) -> None:
    assert put(engine, store, {"1-a": ("甲", None), "1-b": ("乙", "0.2")}) == 2
    assert put(engine, store, {"1-a": ("甲", None), "1-b": ("乙", "0.2")}, NOW + timedelta(days=1)) == 0
    assert len(list(store.folder.glob("*/*.block"))) == 1


def test_many_records_keep_each_its_own_content_and_only_what_changed_is_written(engine: Engine, store: Store) -> None:
    rows: dict[str, tuple[str | None, ...]] = {f"1-{n:05x}": (f"试样{n}", None if n % 3 else "") for n in range(20_001)}
    assert put(engine, store, rows) == len(rows)
    changed = dict.fromkeys(list(rows)[9990:10010], ("丁", "0.9"))
    assert put(engine, store, rows | changed, NOW + timedelta(days=1)) == len(changed)
    assert put(engine, store, dict(list(changed.items())[:3]), NOW + timedelta(days=2)) == 0
    assert current(engine, store) == rows | changed


def test_a_change_makes_a_version_and_the_old_day_is_still_answered(engine: Engine, store: Store) -> None:
    put(engine, store, {"1-a": ("甲", "0.2")})
    assert put(engine, store, {"1-a": ("甲", "0.3")}, NOW + timedelta(days=1)) == 1
    assert current(engine, store) == {"1-a": ("甲", "0.3")}
    with engine.connect() as connection:
        assert store.at(connection, "penalty", "1-a", NOW + timedelta(hours=1))["fine"].tolist() == ["0.2"]
        assert store.at(connection, "penalty", "1-a", NOW + timedelta(days=1))["fine"].tolist() == ["0.3"]
        with pytest.raises(KeyError):
            store.at(connection, "penalty", "1-a", NOW - timedelta(seconds=1))


def test_a_clock_that_stands_still_or_went_back_does_not_mix_up_the_versions(engine: Engine, store: Store) -> None:
    for fine, hours in (("1", 0), ("2", 0), ("3", -5)):
        put(engine, store, {"1-a": ("甲", fine)}, NOW + timedelta(hours=hours))
    assert current(engine, store) == {"1-a": ("甲", "3")}


def test_i7_a_record_that_did_not_come_stays(engine: Engine, store: Store) -> None:
    put(engine, store, {"1-a": ("甲", None)})
    put(engine, store, {"1-b": ("乙", None)}, NOW + timedelta(days=1))
    assert set(current(engine, store)) == {"1-a", "1-b"}


def test_a_field_that_the_entry_gained_later_is_empty_and_one_it_lost_is_left_out(engine: Engine, store: Store) -> None:
    put(engine, store, {"1-a": ("甲", "0.2")})
    assert current(engine, store, "name", "sector") == {"1-a": ("甲", None)}


def test_what_is_erased_is_unreadable_although_block_and_keys_are_kept(engine: Engine, store: Store) -> None:
    put(engine, store, {"1-a": ("甲", None), "1-b": ("乙", None)})
    put(engine, store, {"1-a": ("丙", None)}, NOW + timedelta(days=1))
    with writing(engine) as connection:
        assert store.erase(connection, "penalty", ["1-a"]) == 2
    assert set(current(engine, store)) == {"1-b"}
    with engine.connect() as connection:
        assert connection.execute(sa.select(stored.c.salt).where(stored.c.record == "1-a")).scalars().all() == [None, None]
        with pytest.raises(Erased):
            store.at(connection, "penalty", "1-a", NOW)


def test_a_transaction_that_fails_leaves_the_store_as_it_was_and_its_block_is_swept(engine: Engine, store: Store) -> None:
    put(engine, store, {"1-a": ("甲", None)})
    with pytest.raises(RuntimeError), writing(engine) as connection:
        store.put(connection, ORIGIN, frame({"1-a": ("乙", None), "1-b": ("丙", None)}), NOW + timedelta(days=1))
        raise RuntimeError("killed")
    assert current(engine, store) == {"1-a": ("甲", None)}
    orphan = max(store.folder.glob("*/*.block"), key=lambda file: file.stat().st_mtime_ns)
    with engine.connect() as connection:
        assert store.sweep(connection, datetime.now(UTC)) == 0, "a transaction may still be open"
        old = (datetime.now(UTC) - timedelta(days=2)).timestamp()
        for file in store.folder.glob("*/*.block"):
            os.utime(file, (old, old))
        assert store.sweep(connection, datetime.now(UTC)) == 1
    assert not orphan.exists() and current(engine, store) == {"1-a": ("甲", None)}


def test_i8_no_value_lies_open_in_blocks_or_tables(engine: Engine, store: Store) -> None:
    canary = "金丝雀" * 9
    put(engine, store, {"1-a": (canary, "330102199003077134")})
    bytes_kept = b"".join(file.read_bytes() for file in store.folder.glob("*/*"))
    assert canary.encode() not in bytes_kept and b"330102199003077134" not in bytes_kept
    with engine.connect() as connection:
        assert all("330102" not in str(cell) and canary not in str(cell) for row in connection.execute(sa.select(stored)) for cell in row)


@pytest.mark.parametrize("harm", ["altered", "missing", "cut"])
def test_a_damaged_block_is_told_with_what_to_do(engine: Engine, store: Store, harm: str) -> None:
    put(engine, store, {"1-a": ("甲", None)})
    (block,) = store.folder.glob("*/*.block")
    content = bytearray(block.read_bytes())
    if harm == "missing":
        block.unlink()
    else:
        with_seal = content.find(b"\x00" * 8) if harm == "cut" else content.rfind(b"PAR1") // 3
        block.write_bytes(bytes(content[:with_seal]) if harm == "cut" else bytes(content[:with_seal]) + b"\xff" + bytes(content[with_seal + 1 :]))
    with pytest.raises(StoreDamaged, match="entry penalty: block .* restore it from its backup"):
        current(engine, store)


def test_a_sealed_record_moved_to_another_record_does_not_open(engine: Engine, store: Store) -> None:
    put(engine, store, {"1-a": ("甲", None), "1-b": ("乙", None)})
    with writing(engine) as connection:
        salts = dict(connection.execute(sa.select(stored.c.record, stored.c.salt)).all())  # type: ignore[arg-type]
        for record, other in (("1-a", "1-b"), ("1-b", "1-a")):
            connection.execute(sa.update(stored).where(stored.c.record == record).values(salt=salts[other]))
    with pytest.raises(StoreDamaged, match="was altered"):
        current(engine, store)
