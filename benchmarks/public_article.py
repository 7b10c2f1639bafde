"""How many public pages a second, and how soon one can be read: the article beside an empty Django page, in one run.

Both are served by granian as `unaji serve` starts it (two processes of one thread). The empty page is Django with two
addresses and no middleware, so that the difference is what the app itself costs. `wrk` asks where it is installed, else
threads of this process; both take processor time from the same machine as the server, so more would be served if they
ran elsewhere. Turn by turn, ROUNDS times; medians and the best.

Then the article is opened by somebody who was never there, on a phone and at a desk, behind a slow network and on a
slow processor (`benchmarks.paints`), beside a page of one word from the empty server; medians, best and worst of
OPENINGS.

    python -m benchmarks.public_article [served] [opened]
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.paints import EMPTY_PAGE, SLOWER, Device, Opened, opened

PARTS = ("served", "opened")
ROUNDS, SECONDS, CONNECTIONS = 3, 5, 8
OPENINGS = 12
NETWORK = {"delay_ms": 40, "mbit_s": 10}
DEVICES = {"phone": Device(360, 740, pixels=3, **NETWORK), "desk": Device(1200, 800, pixels=1, **NETWORK)}
WARMED = 40
GZIP = {"Accept-Encoding": "gzip"}


def main() -> None:
    parts = sys.argv[1:] or PARTS
    with tempfile.TemporaryDirectory() as home:
        env = _environment(home)
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", "from unaji.web.serving import prepare; prepare()"], env=env, check=True)
        print(f"made ready in {time.monotonic() - started:.1f} s (database, static files, situations and pictures)")
        ports = {"app": _free_port(), "empty": _free_port()}
        targets = {"app": "unaji.web.wsgi:application", "empty": "benchmarks.public_article:empty_django"}
        servers = [_started(targets[name], port, env) for name, port in ports.items()]
        try:
            if "served" in parts:
                _measure(ports)
            if "opened" in parts:
                _open(ports)
        finally:
            for one in servers:
                one.terminate()
            for one in servers:
                one.wait()


def empty_django(environ, start_response):
    """Answer with an empty page: Django with nothing around it."""
    return _empty_application()(environ, start_response)


def _empty_application():
    if not _made:
        import django
        from django.conf import settings
        from django.core.handlers.wsgi import WSGIHandler
        from django.http import HttpResponse
        from django.urls import path

        pages = {"": "", "page": EMPTY_PAGE}
        settings.configure(
            ROOT_URLCONF=type("Addresses", (), {"urlpatterns": [
                path(address, lambda _, text=text: HttpResponse(text)) for address, text in pages.items()
            ]}),
            ALLOWED_HOSTS=["localhost"], SECRET_KEY="empty", MIDDLEWARE=[],
        )  # fmt: skip
        django.setup()
        _made.append(WSGIHandler())
    return _made[0]


_made: list = []


def _measure(ports: dict[str, int]) -> None:
    tag = _headers(ports["app"], "/ja/neck-heat/", GZIP)["ETag"]
    asked = {
        "empty Django page": (ports["empty"], "/", {}),
        "article, compressed": (ports["app"], "/ja/neck-heat/", GZIP),
        "article, as it is": (ports["app"], "/ja/neck-heat/", {}),
        "article, not changed": (ports["app"], "/ja/neck-heat/", GZIP | {"If-None-Match": tag}),
        "form for a question": (ports["app"], "/ja/neck-heat/ask/", {}),
        "one drawing": (ports["app"], "/ja/neck-heat/neck/scarf-phone-light.svg", GZIP),
    }
    for port, path, headers in asked.values():
        for _ in range(WARMED):  # each on a connection of its own, so that both processes have made the page
            _get(port, path, headers)
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (port, path, headers) in asked.items():
            found[name].append(_per_second(port, path, headers))
    print(f"{'page':24s} {'kB sent':>8s} {'pages/s':>9s} {'best':>7s}   asked by {_asker()}, {CONNECTIONS} connections")
    for name, (port, path, headers) in asked.items():
        size = len(_get(port, path, headers)[1]) / 1000
        print(f"{name:24s} {size:8.1f} {statistics.median(found[name]):9.0f} {max(found[name]):7.0f}")


def _open(ports: dict[str, int]) -> None:
    pages = {"empty page": (ports["empty"], "/page"), "article, ja": (ports["app"], "/ja/neck-heat/"),
             "article, en": (ports["app"], "/en/neck-heat/")}  # fmt: skip
    for port, path in pages.values():
        for _ in range(WARMED):
            _get(port, path, GZIP)
    found: dict[tuple[str, str], list[Opened]] = {}
    for _ in range(OPENINGS):
        for on, device in DEVICES.items():
            for name, (port, path) in pages.items():
                found.setdefault((on, name), []).append(opened(f"http://localhost:{port}{path}", device))
    network = f"{NETWORK['mbit_s']} Mbit/s, {NETWORK['delay_ms']} ms, processor {SLOWER} times slower"
    print(f"\nopened {OPENINGS} times: {network}; ms: median (best to worst)")
    head = f"{'on':6s} {'page':12s} {'kB sent':>8s} {'first paint':>22s} {'largest paint':>22s}"
    print(f"{head} {'x empty':>8s} {'moved':>7s}")
    for (on, name), rows in found.items():
        largest = [one.largest_ms for one in rows]
        beside = statistics.median(one.largest_ms for one in found[on, "empty page"])
        print(
            f"{on:6s} {name:12s} {statistics.median(one.sent_kb for one in rows):8.1f}"
            f" {_spread([one.first_ms for one in rows]):>22s} {_spread(largest):>22s}"
            f" {statistics.median(largest) / beside:8.2f} {max(one.moved for one in rows):7.4f}"
        )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def _environment(home: str) -> dict[str, str]:
    os.environ["UNAJI_HOME"] = home
    from unaji.web.serving import environment

    return environment(Path(home), "http://localhost:8000", example=False)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _started(target: str, port: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    from unaji.web.serving import server_command

    command = [*server_command("127.0.0.1", port)[:-1], target]
    server = subprocess.Popen(command, env=env)
    for _ in range(200):
        try:
            _get(port, "/", {})
        except OSError:
            time.sleep(0.1)
        else:
            return server
    raise RuntimeError(f"{target} does not answer")


def _get(port: int, path: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("localhost", port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def _headers(port: int, path: str, headers: dict[str, str]) -> http.client.HTTPMessage:
    answer, _ = _get(port, path, headers)
    assert answer.status == 200, f"{path} answers {answer.status}"
    return answer.headers


def _asker() -> str:
    return "wrk" if shutil.which("wrk") else "threads of Python"


def _per_second(port: int, path: str, headers: dict[str, str]) -> float:
    return _by_wrk(port, path, headers) if shutil.which("wrk") else _by_threads(port, path, headers)


def _by_wrk(port: int, path: str, headers: dict[str, str]) -> float:
    said = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *said, f"http://localhost:{port}{path}"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in told or "If-None-Match" in headers, told
    assert "Socket errors" not in told, told
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])


def _by_threads(port: int, path: str, headers: dict[str, str]) -> float:
    counted, until = [0] * CONNECTIONS, time.monotonic() + SECONDS

    def ask(i: int) -> None:
        connection = http.client.HTTPConnection("localhost", port, timeout=30)
        while time.monotonic() < until:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 304)
            counted[i] += 1

    threads = [threading.Thread(target=ask, args=[i]) for i in range(CONNECTIONS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(counted) / SECONDS


if __name__ == "__main__":
    main()
