"""The client against a server of our own that answers right, fails, stalls, breaks off and lies."""

from __future__ import annotations

import contextlib
import gzip
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unaji.errors import ExitCode, InputError
from unaji.records.weather.client import Client, FetchError, Patience, Request

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
BODY = b'{"hourly": [1, 2, 3]}'
QUICK = Patience(connect_s=0.5, read_s=0.3, whole_s=0.8, largest_bytes=100_000)


@dataclass
class Server:
    """Serves one script after the other, the last one again and again; remembers what it was asked."""

    port: int
    scripts: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/archive?latitude=35.7"

    def will(self, *scripts: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.scripts = list(scripts)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.headers.append(dict(self.headers.items()))
            self.close_connection = True
            (state.scripts.pop(0) if len(state.scripts) > 1 else state.scripts[0])(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    state.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def answer(
    body: bytes = BODY, status: int = 200, kind: str = "application/json", length: int | None = None, **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def script(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return script


def stall(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.6)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"this is no HTTP\r\n\r\n")


def trickle(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    with contextlib.suppress(OSError):  # the client goes, as it should
        for _ in range(40):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)


def flood(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


@dataclass
class Waiting:
    """Time that passes only in sleep, so that pauses of minutes cost nothing."""

    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
def client(tmp_path: Path, waiting: Waiting) -> Client:
    return Client(
        tmp_path / "cache", patience=QUICK, now=lambda: NOW, monotonic=waiting.monotonic, sleep=waiting.sleep,
        rng=random.Random(1),
    )  # fmt: skip


def whole(data: bytes) -> bool:
    if not data.startswith(b"{") or not data.rstrip().endswith(b"}"):
        raise InputError("it is no whole JSON")
    return True


def request(server: Server, last_day: date = date(2025, 5, 31), check: Callable[[bytes], bool] = whole) -> Request:
    return Request(server.url, last_day, ("application/json",), check)


def kept(client: Client) -> list[Path]:
    return sorted(client.cache.iterdir()) if client.cache and client.cache.exists() else []


# -- what goes right ---------------------------------------------------------------------------------------------------


def test_a_right_answer_is_returned_and_asked_for_once(server, client):
    server.will(answer())
    assert client.get(request(server)) == client.get(request(server)) == BODY
    assert server.asked == ["/v1/archive?latitude=35.7"]
    assert len(kept(client)) == 1


def test_it_says_who_asks_and_nothing_of_the_person(server, client):
    server.will(answer())
    client.get(request(server))
    assert set(server.headers[0]) == {"Host", "User-Agent", "Accept-Encoding"}
    assert server.headers[0]["User-Agent"].startswith("unaji/")


def test_a_compressed_answer_is_unpacked(server, client):
    server.will(answer(gzip.compress(BODY), Content_Encoding="gzip"))
    assert client.get(request(server)) == BODY


def test_what_speaks_of_today_is_not_kept(server, client):
    server.will(answer())
    for _ in range(2):
        assert client.get(request(server, last_day=NOW.date())) == BODY
    assert len(server.asked) == 2
    assert kept(client) == []


def test_what_does_not_reach_to_the_end_of_its_period_is_given_but_not_kept(server, client):
    server.will(answer())
    assert client.get(request(server, check=lambda data: False)) == BODY
    assert kept(client) == []


def test_offline_gives_only_what_was_kept(server, client):
    server.will(answer())
    client.get(request(server))
    offline = Client(client.cache, offline=True)
    assert offline.get(request(server)) == BODY
    other = Request(server.url + "&x=1", date(2025, 5, 31), ("application/json",), whole)
    with pytest.raises(FetchError, match="not in the cache, and --offline forbids"):
        offline.get(other)
    assert len(server.asked) == 1


def test_a_kept_file_that_was_damaged_is_asked_for_anew(server, client):
    server.will(answer())
    client.get(request(server))
    kept(client)[0].write_bytes(BODY[:5])
    assert client.get(request(server)) == BODY
    assert len(server.asked) == 2
    assert kept(client)[0].read_bytes() == BODY


def test_a_cache_that_cannot_be_written_is_no_obstacle(server, client, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    server.will(answer())
    assert client.get(request(server)) == BODY


def test_a_redirection_on_the_same_server_is_followed(server, client):
    server.will(answer(b"", 302, Location="/elsewhere"), answer())
    assert client.get(request(server)) == BODY
    assert server.asked[1] == "/elsewhere"


# -- what may pass -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [answer(b"", 500), answer(b"", 503), answer(b"", 429), stall, answer(length=999)],
                         ids=["500", "503", "429", "stall", "cut"])  # fmt: skip
def test_trouble_that_passes_is_borne(server, client, trouble):
    server.will(trouble, trouble, answer())
    assert client.get(request(server)) == BODY
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("trouble", "part"),
    [
        (answer(b"", 500), "the server answered 500"),
        (answer(b"", 429), "the server answered 429"),
        (stall, "the server said nothing for 0.3 s"),
        (trickle, "the answer was not whole after 0.8 s"),
        (answer(length=999), "the answer broke off"),
        (nonsense, "the answer broke off"),
        (answer(b"\x1f\x8bno gzip at all", Content_Encoding="gzip"), "the answer's compression is damaged"),
    ],
    ids=["500", "429", "stall", "trickle", "cut", "no http", "garbage"],
)
def test_trouble_that_stays_ends_after_four_tries_and_says_which(server, client, trouble, part):
    server.will(trouble)
    with pytest.raises(FetchError, match=f"127.0.0.1: 4 回試しました.*4 tries failed, the last because {part}"):
        client.get(request(server))
    assert len(server.asked) == 4
    assert kept(client) == []


def test_pauses_grow_and_are_spread(server, client, waiting):
    server.will(answer(b"", 500))
    with pytest.raises(FetchError):
        client.get(request(server))
    chance = random.Random(1)  # that of the client
    pauses = [base * chance.uniform(0.5, 1.5) for base in (1, 2, 4)]
    assert [s for s in waiting.slept if s in pauses] == pauses


def test_the_server_may_say_how_long_to_wait(server, client, waiting):
    server.will(
        answer(b"", 429, Retry_After="37"), answer(b"", 503, Retry_After="Sun, 01 Jun 2025 12:01:30 GMT"), answer()
    )
    assert client.get(request(server)) == BODY
    assert [s for s in waiting.slept if s > 5] == [37.0, 90.0]


def test_an_unreadable_wait_is_ours_to_choose(server, client, waiting):
    server.will(answer(b"", 429, Retry_After="soon"), answer())
    assert client.get(request(server)) == BODY
    assert all(s <= 1.5 for s in waiting.slept)


def test_a_wait_of_more_than_two_minutes_is_told_instead(server, client, waiting):
    server.will(answer(b"", 429, Retry_After="121"))
    with pytest.raises(FetchError, match=r"121 秒後.*asks to wait 121 s"):
        client.get(request(server))
    assert len(server.asked) == 1
    assert waiting.slept == []


def test_a_server_is_asked_at_most_once_a_second(server, client, waiting):
    server.will(answer())
    for day in (28, 29, 30):
        client.get(Request(f"{server.url}&day={day}", date(2025, 5, day), ("application/json",), whole))
    assert [round(s, 1) for s in waiting.slept] == [1.0, 1.0]


def test_nobody_at_the_address(client):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="there is no connection to the server"):
        client.get(request(Server(port)))


def test_a_server_without_a_certificate_is_not_believed(server, client):
    server.will(answer())
    url = server.url.replace("http:", "https:")
    with pytest.raises(FetchError, match="no connection that can be trusted"):
        client.get(Request(url, date(2025, 5, 31), ("application/json",), whole))
    assert server.asked == []


# -- what is wrong for good --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "part"),
    [
        (answer(b"", 404), "it has no weather of this station, year or place"),
        (answer(b'{"error":true,"reason":"Parameter start_date is out of range"}', 400),
         "refused the question with 400: .*start_date is out of range"),
        (answer(b"<html>log in</html>", kind="text/html"), "it sent text/html, not application/json.*ask for a login"),
        (answer(kind=""), "it sent something without a type"),
        (answer(b"x" * 10, length=200_000), "larger than 0 MB"),
        (flood, "larger than 0 MB"),
        (answer(b"\x00\xff garbage"), "not what was asked for and was not kept: it is no whole JSON"),
        (answer(BODY[:-1]), "it is no whole JSON"),
        (answer(b"", 302, Location="http://localhost:1/other"), r"it sends elsewhere \(http://localhost:1\)"),
        (answer(b"", 301, Location="file:///etc/passwd"), "it sends elsewhere \\(no web address: 'file:///etc/passwd'\\)"),
        (answer(b"", 302), "it sends elsewhere"),
        (answer(b"", 302, Location="http://[half an address"), "it sends elsewhere"),
        (answer(length=5), "it is no whole JSON"),
        (answer(b"", 302, Location="/again"), "from one address to the next without end"),
    ],
    ids=["404", "400", "web page", "no type", "says it is large", "flood", "garbage", "short", "other host", "file",
         "redirection to nowhere", "redirection to nonsense", "says it is short", "redirection without end"],
)  # fmt: skip
def test_what_is_wrong_for_good_is_told_at_once_and_nothing_is_kept(server, client, script, part):
    server.will(script)
    with pytest.raises(FetchError, match=f"(?s)127.0.0.1: .*{part}") as told:
        client.get(request(server))
    assert told.value.exit_code == ExitCode.INPUT
    assert len(server.asked) <= 4
    assert len(set(server.asked)) <= 2
    assert kept(client) == []
