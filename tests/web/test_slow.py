"""The server of `unaji serve` while people send files over slow networks: pages go on, and what broke off is gone."""

from __future__ import annotations

import socket
import time
import urllib.request
from contextlib import ExitStack, suppress

import pytest

from benchmarks.web_load import running
from benchmarks.web_people import make
from unaji.web.casebook.lasting import PLACES
from unaji.web.serving import WEB_WORKERS

SLOW = WEB_WORKERS * PLACES + 4
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def begin_upload(port: int, cookies: dict[str, str]) -> socket.socket:
    """Say that much is coming, send a little of it, and then nothing."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(20)
    said = {
        "Host": f"localhost:{port}", "Content-Type": "multipart/form-data; boundary=x", "Content-Length": "9000000",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    with suppress(OSError):  # it may be refused before it is all sent
        connection.sendall(f"POST /data/upload HTTP/1.1\r\n{lines}\r\n".encode() + HEAD + b"x" * 5_000_000)
    return connection


def seconds_for_now(port: int, cookies: dict[str, str]) -> float:
    request = urllib.request.Request(f"http://localhost:{port}/now")
    request.add_header("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert "/now/log" in answer.read().decode()
    return time.monotonic() - began


def refused(connection: socket.socket) -> bool:
    connection.settimeout(0.5)
    try:
        return connection.recv(12) == b"HTTP/1.1 503"
    except OSError:
        return False


@pytest.fixture
def served(tmp_path):
    port = free_port()
    with running(tmp_path / "home", "", port) as env:
        yield port, env, tmp_path / "home"


def test_while_many_send_slowly_pages_are_answered_and_some_are_asked_to_wait(served):
    port, env, home = served
    people = make(SLOW + 1, env)
    uploads = lambda: list((home / "people").glob("*/uploads/*"))  # noqa: E731
    with ExitStack() as stack:
        connections = [stack.enter_context(begin_upload(port, cookies)) for cookies in people[:-1]]
        took_s = [seconds_for_now(port, people[-1]) for _ in range(10)]
        waiting = sum(refused(one) for one in connections)

        assert max(took_s) < 10
        assert 4 <= waiting < SLOW  # each process has its own places, and clients choose none
        assert len(uploads()) == SLOW - waiting > 0

    until = time.monotonic() + 20
    while uploads() and time.monotonic() < until:
        time.sleep(0.1)
    assert uploads() == []
