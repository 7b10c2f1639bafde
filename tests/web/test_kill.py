"""The whole app: many send slowly, and pages go on; processes are killed, and what was acknowledged is there once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import UUID

import pytest

from benchmarks.web_load import await_health
from benchmarks.web_people import Walker, make, stored
from tests.web.processes import FOUND, children, job_worker, servers, web_workers
from unaji.web.casebook.lasting import PLACES
from unaji.web.serving import WEB_WORKERS

PEOPLE, LOGGING_S = 20, 15.0
KILLS = 3
SLOW = WEB_WORKERS * PLACES + 4
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
JOB_PATIENCE_S = 240.0
ASK = """
import django
django.setup()
from unaji.web.casebook.actions.explanations import ask_why
from unaji.web.casebook.models import Person
person = Person.objects.get(user__email="walker0@unaji.invalid")
print(ask_why(person, by=person.user).pk)
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Start `unaji serve` with a home of its own; give its process, port, environment and people who are signed in."""
    tmp_path = tmp_path_factory.mktemp("app")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    home = tmp_path / "served"
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNAJI_")}
    env |= {"UNAJI_HOME": str(home), "UNAJI_ORIGIN": f"http://localhost:{port}"}
    env["DJANGO_SETTINGS_MODULE"] = "unaji.web.settings"
    command = [sys.executable, "-m", "unaji.cli", "serve", "--home", str(home), "--port", str(port), "--no-example"]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, env=env, stdout=said, stderr=said)
    try:
        await_health(port, 180)
        yield process, port, env, make(PEOPLE, env)
    finally:
        process.terminate()
        process.wait(timeout=60)


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


def job_in(home: str, job: str) -> tuple[str, int]:
    with sqlite3.connect(f"file:{home}/unaji.sqlite3?mode=ro", uri=True) as there:
        row = there.execute("SELECT state, tries FROM casebook_job WHERE id = ?", [UUID(job).hex]).fetchone()
    return row[0], row[1]


async def first_tap(walker: Walker) -> None:
    await walker.tap(time.monotonic() + 60)
    walker.close()


async def tap_and_kill(walkers: list[Walker], served: int, home: str, job: str) -> list[str]:
    until = time.monotonic() + LOGGING_S
    killed: list[str] = []

    async def live(walker: Walker, rng: random.Random) -> None:
        while time.monotonic() < until:
            await walker.tap(until + 60)
            await asyncio.sleep(rng.uniform(0, 0.3))
        walker.close()

    async def kill_web() -> None:
        for n in range(KILLS):
            await asyncio.sleep(LOGGING_S / (KILLS + 1))
            while not (workers := web_workers(served)):  # on a busy machine the last one is not started anew yet
                await asyncio.sleep(0.05)
            os.kill(workers[n % len(workers)], signal.SIGKILL)
            killed.append("web")

    async def kill_worker() -> None:
        while job_in(home, job)[0] == "waiting":
            await asyncio.sleep(0.05)
        number = job_worker(served)
        if job_in(home, job)[0] == "running" and number is not None:
            os.kill(number, signal.SIGKILL)
            killed.append("job")

    await asyncio.gather(*(live(one, random.Random(i)) for i, one in enumerate(walkers)), kill_web(), kill_worker())
    return killed


def test_while_many_send_slowly_pages_are_answered_and_some_are_asked_to_wait(app):
    _, port, env, people = app
    home = Path(env["UNAJI_HOME"])
    uploads = lambda: list((home / "people").glob("*/uploads/*"))  # noqa: E731
    with ExitStack() as stack:
        connections = [stack.enter_context(begin_upload(port, cookies)) for cookies in people[:SLOW]]
        took_s = [seconds_for_now(port, people[-1]) for _ in range(10)]
        waiting = sum(refused(one) for one in connections)

        assert max(took_s) < 10
        assert 4 <= waiting < SLOW  # each process has its own places, and clients choose none
        assert len(uploads()) == SLOW - waiting > 0

    until = time.monotonic() + 20
    while uploads() and time.monotonic() < until:
        time.sleep(0.1)
    assert uploads() == []


@pytest.mark.skipif(not FOUND, reason="finds the processes to kill in /proc")
def test_killed_processes_lose_no_entry_that_was_acknowledged_and_double_none(app):
    process, port, env, people = app
    walkers = [Walker(port, cookies) for cookies in people]
    asyncio.run(first_tap(walkers[0]))  # something to explain
    asked = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True)
    job = asked.stdout.strip()

    killed = asyncio.run(tap_and_kill(walkers, process.pid, env["UNAJI_HOME"], job))

    assert sorted(killed) == ["job"] + ["web"] * KILLS
    there = stored(env)
    acknowledged = [str(number) for one in walkers for number in one.acknowledged]
    assert len(acknowledged) > PEOPLE
    assert [number for number in acknowledged if there.get(number) != 1] == []
    assert [number for number, count in there.items() if count > 1] == []

    until = time.monotonic() + JOB_PATIENCE_S
    while (state := job_in(env["UNAJI_HOME"], job))[0] in ("waiting", "running") and time.monotonic() < until:
        time.sleep(0.5)
    assert state == ("done", 2)

    check = [sys.executable, "-m", "unaji.cli", "web", "check", "--home", env["UNAJI_HOME"], "--json"]
    said = json.loads(subprocess.run(check, env=env, capture_output=True, text=True, check=False).stdout)
    assert {one["id"] for one in said["checks"] if one["state"] == "wrong"} <= {"clock", "worker"}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends a process with its parent")
def test_what_answers_ends_with_its_server(app):
    process, port, _, _ = app
    answering = web_workers(process.pid)
    assert answering

    for one in servers(process.pid):
        os.kill(one, signal.SIGKILL)

    until = time.monotonic() + 10
    while (left := [one for one in answering if runs(one)]) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []
    await_health(port)  # the next one
    assert not set(web_workers(process.pid)) & set(answering)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends a process with its parent")
def test_nothing_goes_on_when_all_of_it_is_killed(app):
    process, *_ = app
    started = [*children(process.pid), *web_workers(process.pid)]
    assert len(started) >= 5

    process.kill()

    until = time.monotonic() + 10
    while (left := [one for one in started if runs(one)]) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []


def runs(number: int) -> bool:
    try:
        return (Path("/proc") / str(number) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
