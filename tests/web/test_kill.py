"""Processes are killed while people log: what was acknowledged is there once, and a job that was begun ends."""

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
from uuid import UUID

import pytest

from benchmarks.web_load import await_health
from benchmarks.web_people import Walker, make, stored
from tests.web.processes import FOUND, job_worker, web_workers

PEOPLE, LOGGING_S = 20, 15.0
KILLS = 3
JOB_PATIENCE_S = 240.0
ASK = """
import django
django.setup()
from unaji.web.casebook.actions.explanations import ask_why
from unaji.web.casebook.models import Person
person = Person.objects.get(user__email="walker0@unaji.invalid")
print(ask_why(person, by=person.user).pk)
"""


@pytest.fixture
def app(tmp_path):
    """Start `unaji serve` with a home of its own; give its process, port, environment."""
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
        yield process, port, env
    finally:
        process.terminate()
        process.wait(timeout=60)


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


@pytest.mark.skipif(not FOUND, reason="finds the processes to kill in /proc")
def test_killed_processes_lose_no_entry_that_was_acknowledged_and_double_none(app):
    process, port, env = app
    walkers = [Walker(port, cookies) for cookies in make(PEOPLE, env)]
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
