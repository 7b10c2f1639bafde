"""Start everything: the database brought up to date, the web server, the worker and the clock beside it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from unaji.web.casebook.lasting import THREADS

WEB_WORKERS = 2
CONNECTIONS = 1024
"""So many a process holds open. Phones keep theirs open between two taps; one more would wait for others to end."""
RESTART_AFTER_S = 2.0
PR_SET_PDEATHSIG = 1  # of prctl(2): which signal a process gets when its parent ends


def environment(home: Path, origin: str, *, example: bool) -> dict[str, str]:
    """Return the environment of the processes: what the operator set, and what is not set yet."""
    chosen = dict(os.environ)
    chosen.setdefault("UNAJI_ORIGIN", origin)
    chosen["UNAJI_HOME"] = str(home)
    if example:
        chosen["UNAJI_EXAMPLE"] = "1"
    chosen["DJANGO_SETTINGS_MODULE"] = "unaji.web.settings"
    return chosen


def prepare() -> None:
    """Make the folder, bring the database up to date, lay out the static files, sweep what was left over."""
    import django  # noqa: PLC0415  # the settings are read only when the environment is complete

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    settings.HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)

    from unaji.web.account.sessions import sweep_sessions  # noqa: PLC0415
    from unaji.web.casebook.files import sweep_scratch  # noqa: PLC0415
    from unaji.web.casebook.keys import master_ring  # noqa: PLC0415
    from unaji.web.public import cards  # noqa: PLC0415
    from unaji.web.public.situations import play_all  # noqa: PLC0415

    master_ring()
    sweep_scratch()
    sweep_sessions()
    play_all()  # so that no reader waits for the figure of an article
    cards.make_all()


def warm() -> None:
    """Compile the neck simulator's loops, if they are not yet, before two processes would do so side by side."""
    from unaji.body.what_if import WhatIf, usual_crowd, what_if  # noqa: PLC0415  # compiling begins with the import

    what_if(WhatIf(stress=1.0), usual_crowd())


def server_command(host: str, port: int) -> list[str]:
    """Return the command of the web server: granian, WSGI, two processes of a few threads."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(WEB_WORKERS), "--blocking-threads", str(THREADS), "--backpressure", str(CONNECTIONS),
        "--log-level", "warning", "--respawn-failed-workers", "unaji.web.wsgi:application",
    ]  # fmt: skip


def worker_command() -> list[str]:
    """Return the command of the worker."""
    return [sys.executable, "-m", "django", "db_worker", "--queue-name", "*", "--interval", "1", "--verbosity", "1"]


def clock_command() -> list[str]:
    """Return the command of the clock, which looks for what is due."""
    return [sys.executable, "-m", "django", "clock"]


def end_with_parent() -> None:
    """Let this process be killed when the one that started it ends, by whatever: Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def run_all(commands: Sequence[list[str]], env: dict[str, str], told: Callable[[str], None]) -> int:
    """Run the processes until one is told to stop; one that falls is started anew.

    Returns
    -------
    int
        0 after a stop by a signal.
    """
    running = {i: _start(command, env) for i, command in enumerate(commands)}
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)
    while not stopping:
        for i, process in running.items():
            if process.poll() is not None and not stopping:
                told(f"{commands[i][2]} {commands[i][3]} ended with {process.returncode}; starting it anew")
                time.sleep(RESTART_AFTER_S)
                running[i] = _start(commands[i], env)
        time.sleep(0.2)
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
    return 0


def _start(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=env, preexec_fn=end_with_parent)  # noqa: PLW1509  # no other thread runs yet
