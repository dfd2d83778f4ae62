"""Tables of departments, on a real SQLite file, a real PostgreSQL and a real MariaDB."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import ContractBreach, SourceUnavailable, Window, collect, partitions
from connectors.mariadb import open_for_reading
from records.stages import LINE
from tests.connectors.trial_feed import TITLES, database_source, entry
from tests.sockets import way_into

ROWS = [(n, f"公司{n}", f"C{n}", f"2026-11-{n:02d}", None if n % 3 else "住所", "13800000000") for n in range(1, 11)]


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request, tmp_path):
    return f"sqlite:///{tmp_path}/office.db" if request.param == "sqlite" else request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def table(url):
    """A table with an uncatalogued column and one whose name must be quoted."""
    execute(
        url,
        'DROP TABLE IF EXISTS listing',
        'CREATE TABLE listing (id integer, name text, "统一社会信用代码" text, listed_on varchar(19), reason text, "Mobile; --" text)',
    )
    insert(url, ROWS)
    return url


def execute(url, *statements):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET SESSION sql_mode = 'ANSI_QUOTES', SESSION time_zone = '+08:00'")
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def insert(url, rows):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        named = [dict(zip("abcdef", row, strict=True)) for row in rows]
        connection.execute(sa.text("INSERT INTO listing VALUES (:a, :b, :c, :d, :e, :f)"), named)
    engine.dispose()


def all_of(source, window):
    return [collect(source, partition, window) for partition in partitions(source, window)]


def reason_of(source, window):
    with pytest.raises(ContractBreach) as breach:
        all_of(source, window)
    assert "office.trial" in str(breach.value)
    return breach.value.reason


def test_a_table_comes_as_text_and_only_its_catalogued_columns(table, window):
    (collected,) = all_of(database_source(table), window)
    rows = collected.rows.sort_values("uscc", key=lambda c: c.str[1:].astype(int))
    assert rows["name"].tolist() == [row[1] for row in ROWS]
    assert rows["reason"].isna().tolist() == [row[4] is None for row in ROWS]
    assert collected.rows[LINE].tolist() == list(range(1, 11))
    assert collected.dropped == ("id", "Mobile; --") and collected.missing == ()
    assert "13800000000" not in collected.rows.to_csv()
    assert collected.partition == "listing" and len(collected.digest) == 64


@pytest.mark.parametrize(("database", "kind", "zone"), [("postgresql", "timestamptz", "+08"), ("mariadb", "timestamp", "")])
def test_typed_columns_come_as_plain_text(database, kind, zone, request, window):
    url = request.getfixturevalue(f"{database}_url")
    execute(
        url,
        "DROP TABLE IF EXISTS listing",
        f"CREATE TABLE listing (name numeric(20, 2), uscc bigint, listed_on {kind}, reason date)",
        f"INSERT INTO listing VALUES (1234567.10, 330106198001011234, '2026-11-23 00:00:00{zone}', '2026-11-22')",
    )
    (collected,) = all_of(database_source(url), window)
    cells = collected.rows[list(TITLES)].iloc[0].tolist()
    assert cells == ["1234567.10", "330106198001011234", f"2026-11-23 00:00:00{zone}", "2026-11-22"]


def test_a_day_that_no_calendar_has_comes_as_it_stands_to_be_quarantined(mariadb_url, window):
    execute(mariadb_url, "DROP TABLE IF EXISTS listing", "CREATE TABLE listing (name text, reason date, listed_on datetime)",
            "INSERT INTO listing VALUES ('甲', '0000-00-00', '2026-00-15 00:00:00'), ('乙', '2026-11-22', NULL)")
    (collected,) = all_of(database_source(mariadb_url), window)
    assert collected.rows["reason"].tolist() == ["0000-00-00", "2026-11-22"]
    assert collected.rows["listed_on"].iloc[0] == "2026-00-15 00:00:00"


def test_names_outside_the_first_plane_come_out_of_mariadb_whatever_the_table_is_written_in(mariadb_url, window):
    for charset, names in (("utf8mb4", ["𠮷野", "张三"]), ("gbk", ["李四", "张三"])):
        execute(mariadb_url, "DROP TABLE IF EXISTS listing", f"CREATE TABLE listing (name text, uscc text) CHARACTER SET {charset}")
        execute(mariadb_url, *(f"INSERT INTO listing VALUES ('{name}', 'C1')" for name in names))
        assert all_of(database_source(mariadb_url), window)[0].rows["name"].tolist() == names


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_i2_ranges_cover_every_row_once_also_those_outside_the_plan(table, window, count):
    source = database_source(table, partition_column="id", partitions=count)
    planned = partitions(source, window)
    assert len(planned) <= count and len({one.name for one in planned}) == len(planned)
    insert(table, [(None, "无号", "C0", "x", None, None), (-5, "新前", "C-5", "x", None, None), (99, "新后", "C99", "x", None, None)])
    codes = [code for one in planned for code in collect(source, one, window).rows["uscc"]]
    assert sorted(codes) == sorted([row[2] for row in ROWS] + ["C0", "C-5", "C99"])


def test_a_range_between_two_others_may_have_become_empty(table, window):
    source = database_source(table, partition_column="id", partitions=5)
    planned = partitions(source, window)
    execute(table, "DELETE FROM listing WHERE id IN (5, 6)")
    assert [len(collect(source, one, window).rows) for one in planned] == [2, 2, 0, 2, 2]


@pytest.mark.parametrize("feed", [{}, {"partition_column": "id", "partitions": 4}])
def test_i7_an_empty_table_is_never_believed_of_a_whole_stock(table, window, feed):
    execute(table, "DELETE FROM listing")
    assert reason_of(database_source(table, **feed), window) == "empty-source"


def test_i7_a_table_emptied_between_plan_and_reading_is_a_breach(table, window):
    source = database_source(table, partition_column="id", partitions=4)
    planned = partitions(source, window)
    execute(table, "DELETE FROM listing")
    with pytest.raises(ContractBreach, match="empty-source"):
        collect(source, planned[0], window)


def test_a_missing_table_is_a_breach(table, window):
    assert reason_of(database_source(table, table="renamed"), window) == "missing-table"


@pytest.mark.parametrize(
    "feed", [{"partition_column": "gone", "partitions": 2}, {"reading": "window", "window_column": "gone"}, {"reading": "window"}]
)
def test_a_column_the_feed_names_but_the_table_lacks_is_a_breach(table, window, feed):
    assert reason_of(database_source(table, **feed), window) == "wrong-table"


def test_a_window_column_that_holds_no_time_is_a_breach(table, window):
    assert reason_of(database_source(table, reading="window", window_column="id"), window) == "wrong-table"


TIMES = ["2026-11-21 23:59:59", "2026-11-22 00:00:00", "2026-11-22 23:59:59", "2026-11-23 00:00:00"]


@pytest.mark.parametrize("kind", ["text", "varchar(19)", "char(19)", "timestamp", "timestamptz", "date"])
def test_a_window_takes_its_start_and_leaves_its_end_in_local_time(url, window, kind):
    database = sa.make_url(url).get_backend_name()
    if kind == "timestamptz" and database == "sqlite":
        pytest.skip("SQLite has no such type")
    zone = "+08" if kind == "timestamptz" and database == "postgresql" else ""
    kind = {"timestamptz": "timestamp", "timestamp": "datetime"}.get(kind, kind) if database == "mysql" else kind
    execute(url, "DROP TABLE IF EXISTS listing", f"CREATE TABLE listing (name text, uscc text, updated_at {kind})")
    execute(url, *(f"INSERT INTO listing VALUES ('甲', 'C{n}', '{time}{zone}')" for n, time in enumerate(TIMES)))
    if kind == "date" and url.startswith("sqlite"):
        execute(url, "UPDATE listing SET updated_at = substr(updated_at, 1, 10)")
        execute(url, "UPDATE listing SET updated_at = updated_at || ' 00:00:00'")
    (collected,) = all_of(database_source(url, reading="window", window_column="updated_at"), window)
    assert sorted(collected.rows["uscc"]) == ["C1", "C2"]


def test_a_night_without_changes_is_an_empty_reading(table):
    source = database_source(table, reading="window", window_column="listed_on", partition_column="id", partitions=3)
    longago = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 1, 2, tzinfo=UTC))
    (collected,) = all_of(source, longago)
    assert len(collected.rows) == 0 and list(collected.rows.columns)[:4] == list(TITLES)


@given(days=st.lists(st.integers(0, 40), max_size=12), cuts=st.sets(st.integers(0, 40), min_size=2, max_size=5))
@settings(max_examples=25, deadline=None)
def test_i2_windows_that_follow_each_other_read_every_change_once(tmp_path_factory, days, cuts):
    url = f"sqlite:///{tmp_path_factory.mktemp('days')}/office.db"
    start = datetime(2025, 12, 31, 16, tzinfo=UTC)
    execute(url, "CREATE TABLE listing (name text, uscc text, updated_at text)")
    local = [(start + timedelta(days=day, hours=8)).strftime("%Y-%m-%d %H:%M:%S") for day in days]
    execute(url, *(f"INSERT INTO listing VALUES ('甲', 'C{n}', '{text}')" for n, text in enumerate(local)))
    ends = [start + timedelta(days=cut) for cut in sorted(cuts)]
    source = database_source(url, reading="window", window_column="updated_at")
    found = [code for pair in pairwise(ends) for one in all_of(source, Window(*pair)) for code in one.rows["uscc"]]
    inside = [f"C{n}" for n, day in enumerate(days) if min(cuts) <= day < max(cuts)]
    assert sorted(found) == sorted(inside)


@given(cells=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_any_text_of_a_database_comes_back(database, request, cells):
    url = request.getfixturevalue(f"{database}_url")
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    execute(url, "DROP TABLE IF EXISTS listing", "CREATE TABLE listing (name text)")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO listing VALUES (:a)"), [{"a": cell} for cell in cells])
    engine.dispose()
    (collected,) = all_of(database_source(url), window)
    assert [cell if isinstance(cell, str) else "" for cell in collected.rows["name"]] == cells


def test_names_that_need_quoting_cannot_change_the_question(url, window):
    name = 'a"; DROP TABLE listing; --%s%(x)s'
    quoted = name.replace('"', '""')
    execute(url, "DROP TABLE IF EXISTS listing", f'CREATE TABLE listing ("{quoted}" text)', "INSERT INTO listing VALUES ('甲')")
    source = database_source(url, columns={"name": (name,)})
    assert all_of(source, window)[0].rows["name"].tolist() == ["甲"]
    assert all_of(source, window)[0].rows["name"].tolist() == ["甲"]


def test_the_database_of_a_department_is_opened_for_reading_only(tmp_path, window):
    with pytest.raises(SourceUnavailable, match="office.trial"):
        all_of(database_source(f"sqlite:///{tmp_path}/mistyped.db"), window)
    assert not (tmp_path / "mistyped.db").exists()


@pytest.mark.parametrize(("database", "stranger"), [
    ("postgresql", "DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"),
    ("mariadb", "CREATE USER IF NOT EXISTS stranger@localhost")])
def test_an_account_without_the_right_to_read_is_a_breach(database, stranger, request, window):
    url = request.getfixturevalue(f"{database}_url")
    execute(url, "DROP TABLE IF EXISTS listing", "CREATE TABLE listing (name text)", stranger)
    strangers = sa.make_url(url).set(username="stranger", password=None).render_as_string(hide_password=False)
    assert reason_of(database_source(strangers), window) == "refused"


def test_a_department_s_mariadb_takes_nothing_from_us(mariadb_url):
    execute(mariadb_url, "DROP TABLE IF EXISTS listing", "CREATE TABLE listing (name text)")
    engine = open_for_reading(sa.make_url(mariadb_url))
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="READ ONLY"):
        connection.exec_driver_sql("INSERT INTO listing VALUES ('甲')")


@pytest.mark.parametrize("url", ["not an address", "nosuch://x/y", "oracle+nodriver://x/y"])
def test_an_address_that_is_none_is_a_breach(url, window):
    assert reason_of(database_source(url), window) == "wrong-connection"


def test_i8_a_database_that_is_down_is_named_without_its_address(window):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable) as blip:
        all_of(database_source(f"postgresql://user:hidden-word@127.0.0.1:{port}/x"), window)
    assert "office.trial" in str(blip.value) and blip.value.__cause__ is None and blip.value.__suppress_context__
    assert "hidden-word" not in str(blip.value)


class Cut:
    """A way into a database that breaks after so many bytes of answer."""

    def __init__(self, place: Path, target: str, after: int) -> None:
        self.passed, self._after, self._target = 0, after, target
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(place))
        self._door.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._door.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
            self._answer(client, server)

    def _ask(self, client, server):
        try:
            while block := client.recv(65536):
                server.sendall(block)
        except OSError:
            return

    def _answer(self, client, server):
        try:
            while block := server.recv(64):
                left = self._after - self.passed
                client.sendall(block[: max(left, 0)])
                self.passed += len(block)
                if self.passed >= self._after:
                    break
        except OSError:
            return
        finally:
            for side in (client, server):
                side.shutdown(socket.SHUT_RDWR) if side.fileno() >= 0 else None
                side.close()


@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_i4_a_connection_that_breaks_anywhere_gives_nothing_rather_than_a_part(database, request, tmp_path_factory, window):
    url = request.getfixturevalue(f"{database}_url")
    execute(url, "DROP TABLE IF EXISTS listing", "CREATE TABLE listing (name text, uscc text)",
            "INSERT INTO listing VALUES " + ", ".join(f"('公司{n}', 'C{n}')" for n in range(200)))

    def attempt(after):
        target, place, through = way_into(url, tmp_path_factory.mktemp("cut"))
        door = Cut(place, target, after)
        try:
            return len(all_of(database_source(through.render_as_string(hide_password=False)), window)[0].rows), door.passed
        except SourceUnavailable:
            return None, door.passed
        finally:
            door.close()

    whole, length = attempt(1 << 30)
    assert whole == 200
    answers = {attempt(after)[0] for after in range(100, length - 4000, 400)}
    assert answers == {None}
    assert {attempt(after)[0] for after in range(length - 4000, length, 250)} <= {None, 200}


def test_an_entry_of_many_columns_keeps_the_order_of_the_entry(url, window):
    codes = [f"c{n}" for n in range(30)]
    execute(url, "DROP TABLE IF EXISTS listing", f"CREATE TABLE listing ({', '.join(f'{c} text' for c in reversed(codes))})")
    execute(url, f"INSERT INTO listing VALUES ({', '.join(repr(c) for c in reversed(codes))})")
    (collected,) = all_of(database_source(url, entry(**{code: f"题{code}" for code in codes})), window)
    assert collected.rows[codes].iloc[0].tolist() == codes
