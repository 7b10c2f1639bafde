"""Many people log at the same time: is anything lost or doubled, and how long does each wait?

python -m benchmarks.web_load [--minutes 5] [--people 200] [--every 10] [--kill-every 30]
                              [--database sqlite] [--database postgresql]

Each person opens Now, taps, and sends the tap again until it is acknowledged; then rests for `--every` seconds on
average (0: not at all). Once in each round they also ask for an empty page of the same server, without a cookie. The
server is that of `unaji serve`, with worker and clock beside it. Server and people share the processors of one machine:
how busy the people kept one of them is told. With `--kill-every`, in turn a process that answers, the worker and the
whole web server are killed (SIGKILL) every so many seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np

from benchmarks.web_people import Walker, make, stored
from tests.web import postgres, processes

PREPARE = "from unaji.web import serving; serving.prepare()"
RUN = """
import os, sys
from unaji.web import serving
commands = [serving.server_command("127.0.0.1", int(sys.argv[1])), serving.worker_command(), serving.clock_command()]
serving.run_all(commands, dict(os.environ), lambda text: None)
"""
SHOWN = {"now": "GET /now", "log": "POST /now/log", "empty": "an empty page"}


@contextmanager
def running(home: Path, url: str, port: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Start everything, as `unaji serve` does; yield the number of its process, and the environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNAJI_")}
    env |= {"UNAJI_HOME": str(home), "UNAJI_ORIGIN": f"http://localhost:{port}", "UNAJI_DATABASE_URL": url}
    env["DJANGO_SETTINGS_MODULE"] = "benchmarks.web_load_settings"
    subprocess.run([sys.executable, "-c", PREPARE], env=env, check=True)
    served = subprocess.Popen([sys.executable, "-c", RUN, str(port)], env=env, stderr=subprocess.DEVNULL)
    try:
        await_health(port)
        yield served.pid, env
    finally:
        served.terminate()
        served.wait(timeout=30)


def await_health(port: int, patience_s: float = 90) -> None:
    """Wait until the app answers."""
    until = time.monotonic() + patience_s
    while True:
        try:
            urllib.request.urlopen(f"http://localhost:{port}/health", timeout=5).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
        else:
            return


async def live(walker: Walker, every_s: float, until: float, rng: random.Random) -> None:
    """Tap and rest until time is over."""
    await asyncio.sleep(rng.uniform(0, every_s))
    while time.monotonic() < until:
        await walker.tap(until + 30)
        await walker.ask("GET", "/empty", "empty", known=False)
        await asyncio.sleep(rng.uniform(0, 2 * every_s))
    walker.close()


async def warm(walkers: list[Walker]) -> None:
    """Let every process of the server load what it needs, which is not what is measured."""
    for _ in range(2):
        await asyncio.gather(*(one.ask("GET", "/now", "warm") for one in walkers[:32]))
    for one in walkers[:32]:
        one.close()
        one.broken = 0


async def kill(served: int, every_s: float, until: float) -> int:
    """Kill a process that answers, the worker, the whole web server, and so on; return how many there were."""
    killed = 0
    while every_s and time.monotonic() + every_s < until:
        await asyncio.sleep(every_s)
        kinds = (processes.web_workers(served)[:1], [processes.job_worker(served)], processes.servers(served))
        for number in kinds[killed % 3]:
            if number is not None:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
        killed += 1
    return killed


async def crowd(walkers: list[Walker], every_s: float, minutes: float, served: int, kill_every_s: float) -> int:
    until = time.monotonic() + 60 * minutes
    people = (live(one, every_s, until, random.Random(i)) for i, one in enumerate(walkers))
    return (await asyncio.gather(kill(served, kill_every_s, until), *people))[0]


def measure(database: str, url: str, chosen: argparse.Namespace) -> None:
    people, every_s, port = chosen.people, chosen.every, chosen.port
    with tempfile.TemporaryDirectory() as place, running(Path(place) / "home", url, port) as (served, env):
        walkers = [Walker(port, cookies) for cookies in make(people, env)]
        asyncio.run(warm(walkers))
        began, busy = time.perf_counter(), time.process_time()
        killed = asyncio.run(crowd(walkers, every_s, chosen.minutes, served, chosen.kill_every))
        wall, busy = time.perf_counter() - began, time.process_time() - busy
        there = stored(env)
    acknowledged = [str(number) for one in walkers for number in one.acknowledged]
    lost = sum(number not in there for number in acknowledged)
    doubled = sum(count > 1 for count in there.values())
    refused: dict[int, int] = {}
    for one in walkers:
        for status, count in one.refused.items():
            refused[status] = refused.get(status, 0) + count
    rest = f"every {every_s:g} s" if every_s else "without rest"
    print(f"\n{database}: {people} people, {rest}, {wall:.0f} s; load of the machine {os.getloadavg()[0]:.1f}")
    again = sum(one.resent for one in walkers)
    if killed:
        print(f"  killed {killed} times")
    print(f"  taps acknowledged {len(acknowledged)} ({len(acknowledged) / wall:.0f}/s), sent again {again}")
    broken = sum(one.broken for one in walkers)
    print(f"  lost {lost}, doubled {doubled}; refused {refused or 'none'}, broken or without answer in 30 s {broken}")
    print(f"  {'':16}{'number':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}  ms")
    for what, shown in SHOWN.items():
        took_ms = 1000 * np.array([t for one in walkers for t in one.took_s.get(what, [])])
        if took_ms.size:
            p50, p95, p99 = np.percentile(took_ms, [50, 95, 99])
            print(f"  {shown:16}{took_ms.size:8d}{p50:8.0f}{p95:8.0f}{p99:8.0f}{took_ms.max():8.0f}")
    print(f"  the people took {100 * busy / wall:.0f} % of one processor", flush=True)


def main() -> None:
    said = argparse.ArgumentParser(description="Many people log at the same time.")
    said.add_argument("--minutes", type=float, default=5)
    said.add_argument("--people", type=int, default=200)
    said.add_argument("--every", type=float, default=10, help="seconds of rest on average; 0 for none")
    said.add_argument("--kill-every", type=float, default=0, help="seconds between two kills; 0 for none")
    said.add_argument("--database", action="append", choices=["sqlite", "postgresql"])
    said.add_argument("--port", type=int, default=8124)
    chosen = said.parse_args()
    for database in chosen.database or ["sqlite", "postgresql"]:
        if database == "postgresql" and not postgres.available():
            print(postgres.MISSING)
            continue
        with postgres.server(careful=True) if database == "postgresql" else nullcontext("") as url:
            address = f"{url}/postgres" if url else ""
            measure(database, address, chosen)


if __name__ == "__main__":
    main()
