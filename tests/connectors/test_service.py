"""A pretend court that offers its records over HTTP, well-behaved or not."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import ContractBreach, SourceUnavailable, collect, partitions, service
from records.stages import DAMAGE, LINE, RAW
from tests.connectors.trial_feed import TITLES, service_source

RECORDS = [{"name": f"公司{n}", "uscc": f"C{n}", "listed_on": "2026-11-22", "reason": None} for n in range(5)]


@pytest.fixture
def serve():
    """Starts a server whose answers are one function of the query; asked for the queries and headers it saw."""
    with contextlib.ExitStack() as open_servers:

        def start(answer):
            server = ThreadingHTTPServer(("127.0.0.1", 0), door(answer))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            open_servers.callback(server.server_close)
            open_servers.callback(server.shutdown)
            server.seen = server.RequestHandlerClass.seen
            server.url = f"http://127.0.0.1:{server.server_address[1]}"
            return server

        yield start


def door(answer):
    queries: list[tuple[str, dict[str, str], dict[str, str]]] = []

    class Door(BaseHTTPRequestHandler):
        seen = queries

        def do_GET(self):
            url = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(url.query).items()}
            self.seen.append((url.path, query, dict(self.headers)))
            status, headers, body = answer(query)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    return Door


def page(number, rows, total):
    return 200, {}, json.dumps({"total": total, "page": number, "rows": rows}, ensure_ascii=False).encode()


def court(query, records=RECORDS):
    number, size = int(query["page"]), int(query["page_size"])
    return page(number, records[(number - 1) * size : number * size], len(records))


def read(server, window, limits=service.LIMITS, **feed):
    source = service_source(server.url, **feed)
    (partition,) = partitions(source, window)
    return service.collect(source, partition, window, limits)


def reason_of(server, window, **feed):
    with pytest.raises(ContractBreach) as breach:
        read(server, window, **feed)
    assert "office.trial" in str(breach.value) and "invented-token" not in str(breach.value)
    return breach.value.reason


def test_pages_are_asked_for_until_every_record_is_here(serve, window):
    server = serve(court)
    collected = read(server, window)
    assert collected.rows["uscc"].tolist() == [f"C{n}" for n in range(5)]
    assert collected.rows["reason"].isna().all() and collected.rows[LINE].tolist() == [1, 2, 3, 4, 5]
    assert collected.missing == () and collected.dropped == ()
    assert [query["page"] for _, query, _ in server.seen] == ["1", "2", "3"]


def test_i1_only_catalogued_fields_are_asked_for_and_others_are_dropped_by_name(serve, window):
    server = serve(lambda query: court(query, [{**row, "mobile": "13800000000"} for row in RECORDS]))
    collected = read(server, window, columns={"uscc": ("uscc", "tyshxydm")})
    path, query, headers = server.seen[0]
    assert path == "/api/listing" and query["fields"] == "name,uscc,tyshxydm,listed_on,reason" and query["page_size"] == "2"
    assert headers["Authorization"] == "Bearer invented-token" and "from" not in query
    assert collected.dropped == ("mobile",) and "13800000000" not in collected.rows.to_csv()


def test_a_reading_of_changes_names_its_window(serve, window):
    server = serve(court)
    read(server, window, reading="window")
    assert server.seen[0][1]["from"] == "2026-11-21T16:00:00+00:00" and server.seen[0][1]["to"] == "2026-11-22T16:00:00+00:00"


def test_the_exported_collect_leads_to_the_service(serve, window):
    source = service_source(serve(court).url)
    assert len(collect(source, partitions(source, window)[0], window).rows) == 5


def test_i7_an_empty_answer_is_never_believed_of_a_whole_stock_but_of_a_night_without_changes(serve, window):
    server = serve(lambda query: page(1, [], 0))
    assert reason_of(server, window) == "empty-source"
    collected = read(server, window, reading="window")
    assert len(collected.rows) == 0 and list(collected.rows.columns)[:4] == list(TITLES) and collected.missing == ()


def test_numbers_come_as_they_were_written(serve, window):
    body = '{"total": 1, "page": 1, "rows": [{"name": 1.10, "uscc": 330106198001011234, "listed_on": true, "reason": 1E5}]}'
    rows = read(serve(lambda query: (200, {}, body.encode())), window).rows
    assert rows[list(TITLES)].iloc[0].tolist() == ["1.10", "330106198001011234", "true", "1E5"]


@pytest.mark.parametrize("row", [3, "甲", None, ["甲"], {"name": {"first": "甲"}}, {"name": ["甲"]}, {"name": "\ud800"}, {"name": "甲\0"}])
def test_a_record_that_cannot_be_read_stays_a_row(serve, window, row):
    body = json.dumps({"total": 2, "page": 1, "rows": [RECORDS[0], row]}).encode()
    rows = read(serve(lambda query: (200, {}, body)), window).rows
    assert rows[DAMAGE].tolist()[1] == "undecodable" and isinstance(rows[RAW].tolist()[1], str) and rows[LINE].tolist() == [1, 2]


def test_records_that_leave_keys_out_have_gaps_and_fields_never_seen_are_missing(serve, window):
    collected = read(serve(lambda query: page(1, [{"name": "甲"}, {"uscc": "C1"}], 2)), window)
    assert collected.missing == ("listed_on", "reason") and collected.rows["uscc"].isna().tolist() == [True, False]


MISCOUNTED = {
    "the total is higher than what comes": lambda q: page(int(q["page"]), RECORDS[:2] if q["page"] == "1" else [], 5),
    "the total is lower than what comes": lambda q: page(int(q["page"]), RECORDS[:2], 1),
    "the total changes": lambda q: page(int(q["page"]), RECORDS[2 * int(q["page"]) - 2 :][:2], 2 + int(q["page"])),
    "the first page comes for ever": lambda q: page(int(q["page"]), RECORDS[:2], 5000),
    "two pages take turns": lambda q: page(int(q["page"]), RECORDS[2 * (int(q["page"]) % 2) :][:2], 5000),
    "the cursor starts anew": lambda q: page(1, RECORDS[:2], 4),
    "the page is not the one asked for": lambda q: page(1, RECORDS[2 * int(q["page"]) - 2 :][:2], 5),
    "the rows are an object": lambda q: (200, {}, b'{"total": 1, "page": 1, "rows": {"name": "x"}}'),
    "the answer is a list": lambda q: (200, {}, b"[1]"),
    "there is no total": lambda q: (200, {}, b'{"page": 1, "rows": [{"name": "x"}]}'),
    "the total is text": lambda q: (200, {}, b'{"total": "1", "page": 1, "rows": [{"name": "x"}]}'),
    "the total is below nothing": lambda q: (200, {}, b'{"total": -1, "page": 1, "rows": [{"name": "x"}]}'),
    "the total is a fraction": lambda q: (200, {}, b'{"total": 1.0, "page": 1, "rows": [{"name": "x"}]}'),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("answer", MISCOUNTED.values(), ids=MISCOUNTED.keys())
def test_pages_that_do_not_add_up_are_refused_whole(serve, window, answer):
    assert reason_of(serve(answer), window) == "page-count"


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>maintenance</body></html>", b"", b"null and void", b'{"total": 1, "page": 1, "rows": [{"name": "x"}',
        b'{"total": 1, "page": 1, "rows": [{"name": NaN}]}', b'{"total": 1, "page": 1, "rows": [{"name": "a", "name": "b"}]}',
        b'{"total": 1, "page": 1, "rows": [{"name": "\xff"}]}', b"[" * 100_000, gzip.compress(b'{"total": 0}', mtime=0),
    ],
)  # fmt: skip
def test_what_is_not_sound_json_is_a_breach(serve, window, body):
    assert reason_of(serve(lambda query: (200, {"Content-Type": "application/json"}, body)), window) == "not-json"


def test_a_packed_answer_that_nobody_asked_for_is_refused(serve, window):
    packed = gzip.compress(json.dumps({"total": 1, "page": 1, "rows": RECORDS[:1]}).encode())
    assert reason_of(serve(lambda query: (200, {"Content-Encoding": "gzip"}, packed)), window) == "not-json"


@pytest.mark.parametrize("charset", ["gb18030", "GBK", "gb2312", "utf-8"])
def test_the_charset_a_service_names_is_believed(serve, window, charset):
    body = court({"page": "1", "page_size": "9"})[2].decode().encode(charset)
    rows = read(serve(lambda query: (200, {"Content-Type": f"application/json; charset={charset}"}, body)), window).rows
    assert rows["name"].tolist()[0] == "公司0"


def test_gb18030_that_says_it_is_utf8_is_not_passed_as_rubbish(serve, window):
    body = court({"page": "1", "page_size": "9"})[2].decode().encode("gb18030")
    assert reason_of(serve(lambda query: (200, {}, body)), window) == "not-json"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_tried_again(serve, window, status):
    with pytest.raises(SourceUnavailable, match=f"office.trial.*{status}"):
        read(serve(lambda query: (status, {}, b"{}")), window)


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 418])
def test_any_other_status_is_a_refusal(serve, window, status):
    assert reason_of(serve(lambda query: (status, {}, b"")), window) == "refused"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_for_it_would_take_the_token_along(serve, window, status):
    elsewhere = serve(court)
    assert reason_of(serve(lambda query: (status, {"Location": elsewhere.url}, b"")), window) == "refused"
    assert elsewhere.seen == []


def test_a_service_that_fails_on_a_later_page_gives_nothing_rather_than_a_part(serve, window):
    with pytest.raises(SourceUnavailable):
        read(serve(lambda query: court(query) if query["page"] == "1" else (500, {}, b"")), window)


def test_an_answer_cut_short_is_tried_again(serve, window):
    body = court({"page": "1", "page_size": "9"})[2]
    with pytest.raises(SourceUnavailable):
        read(serve(lambda query: (200, {"Content-Length": str(len(body) + 100), "Connection": "close"}, body)), window)


def test_the_environment_cannot_put_a_proxy_or_another_credential_in_between(serve, window, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login stranger password stranger\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = serve(court)
    assert len(read(server, window).rows) == 5
    assert server.seen[0][2]["Authorization"] == "Bearer invented-token"


def test_nobody_listening_is_tried_again(window):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    source = service_source(url)
    with pytest.raises(SourceUnavailable, match="office.trial") as blip:
        collect(source, partitions(source, window)[0], window)
    assert url not in str(blip.value) and blip.value.__suppress_context__


def test_a_silent_server_is_given_up_after_the_time_limit(serve, window):
    with pytest.raises(SourceUnavailable):
        read(serve(lambda query: time.sleep(1) or court(query)), window, service.Limits(read_seconds=0.2))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_server_that_sends_byte_by_byte_is_given_up_after_the_time_limit(window, chunked):
    with trickle(chunked) as url, pytest.raises(SourceUnavailable, match="too slowly"):
        source = service_source(url)
        service.collect(source, partitions(source, window)[0], window, service.Limits(page_seconds=0.3))


@contextlib.contextmanager
def trickle(chunked):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            with contextlib.suppress(OSError):
                client, _ = listening.accept()
                client.recv(65536)
                how = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 100000"
                client.sendall(b"HTTP/1.1 200 OK\r\n" + how + b"\r\n\r\n")
                while True:
                    client.sendall(b"1\r\n \r\n" if chunked else b" ")
                    time.sleep(0.02)

        threading.Thread(target=drip, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_answer_beyond_the_limit_is_refused(serve, window):
    with pytest.raises(ContractBreach, match="too-large"):
        read(serve(court), window, service.Limits(page_bytes=50))
    with pytest.raises(ContractBreach, match="too-large"):
        read(serve(court), window, service.Limits(total_bytes=250))


def test_records_without_any_catalogued_key_are_a_breach(serve, window):
    assert reason_of(serve(lambda query: page(1, [{"mobile": "13800000000"}], 1)), window) == "wrong-header"


def test_an_address_that_is_not_http_is_a_breach(window):
    source = service_source("file:///etc")
    with pytest.raises(ContractBreach, match="wrong-connection"):
        collect(source, partitions(source, window)[0], window)
