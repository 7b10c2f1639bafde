"""Work in a process of its own: what it takes is watched, and it can be stopped in the middle of anything.

A process that has imported the app and done nothing else gives birth to one child for each piece of work. Nothing that
works has threads or connections of another by that, and what a piece of work took is gone when it ends. Where the
worker dies, its child ends too.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Any

LOOK_EVERY_S = 0.2
"""How often the memory of a child is looked at. It can take a few hundred megabytes more in between."""
ENDS_WITHIN_S = 5.0
"""How long a child may take to end when it has nothing more to say."""
WARM = "unaji.web.casebook.warm"
FIRST_TO_GO = "1000"
PROC = Path("/proc")

logger = logging.getLogger(__name__)
_worker: Connection[Any, Any] | None = None  # in a child: by which it talks with the worker


@dataclass(frozen=True, slots=True)
class Limits:
    """What a piece of work may take.

    Attributes
    ----------
    memory_mb : float
        Memory of its own [MiB], without files that are mapped; looked at where there is ``/proc``, as on Linux.
    minutes : float
        Time by the wall [min]; once more as much from when it keeps what it did.
    """

    memory_mb: float
    minutes: float


class End(StrEnum):
    """How a piece of work ended."""

    ANSWERED = "answered"
    UNWANTED = "unwanted"  # nobody wants it any more
    TOO_LARGE = "too_large"
    TOO_LONG = "took_too_long"
    DIED = "died"  # of itself, or it was stopped while it kept what it did: it is not known how far that got


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a piece of work.

    Attributes
    ----------
    answer
        What it returned, where it answered.
    number : int
        The number its process had.
    most_mb : float
        The most memory that was seen of it [MiB]; 0 where memory is not looked at.
    """

    how: End
    number: int
    most_mb: float
    answer: Any = None


def done_apart(work: str, args: tuple[object, ...], *, start: str, limits: Limits, wanted: Callable[[], bool]) -> Ended:
    """Have something done in a process of its own, and wait for its end.

    Parameters
    ----------
    work : str
        Function that does it, as ``module:name``; what it returns must be picklable.
    start : str
        How the process is started: a start method of `multiprocessing`.
    wanted : callable
        Asked several times a second whether it is still wanted.
    """
    context = multiprocessing.get_context(start)
    get_ready(start)
    ours, theirs = context.Pipe()
    is_there, we_are_here = context.Pipe(duplex=False)
    process = context.Process(  # type: ignore[attr-defined]  # every context has it
        target=_do, args=(work, args, theirs, is_there), daemon=True
    )
    process.start()
    theirs.close()
    is_there.close()
    watch = _Watch(process, ours, limits, wanted)
    try:
        ended = watch.until_it_ends()
        if watch.silent:
            process.join(ENDS_WITHIN_S)
        return ended
    finally:
        if process.exitcode is None:  # else its number may be another's by now
            process.kill()
        process.join()
        process.close()
        ours.close()
        we_are_here.close()


def get_ready(start: str) -> None:
    """Begin what children are born of, if it has not begun: importing the app takes it seconds, once."""
    if start == "forkserver":
        multiprocessing.get_context(start).set_forkserver_preload([WARM])
        forkserver.ensure_running()


def may_keep() -> bool:
    """Ask, before anything is kept, whether it is still wanted; from then on nobody stops it but for its limits."""
    if _worker is None:
        return True
    _worker.send((False, None))
    return bool(_worker.recv())


# -- in the worker -----------------------------------------------------------------------------------------------------


class _Watch:
    def __init__(
        self, process: BaseProcess, ours: Connection[Any, Any], limits: Limits, wanted: Callable[[], bool]
    ) -> None:
        self.number, self.ours, self.limits, self.wanted = process.pid or 0, ours, limits, wanted
        self.until = monotonic() + 60 * limits.minutes
        self.most_mb, self.keeps, self.silent = 0.0, False, False

    def until_it_ends(self) -> Ended:
        while True:
            if self.ours.poll(LOOK_EVERY_S):
                try:
                    ended, answer = self.ours.recv()
                except (EOFError, OSError):
                    self.silent = True
                    return self._ended(End.DIED)
                if ended:
                    self.silent = True
                    return self._ended(End.ANSWERED, answer)
                self._answer_whether_to_keep()
            elif (broken := self._broken()) is not None:
                return self._ended(End.DIED if self.keeps else broken)
            elif not self.keeps and not self.wanted():
                return self._ended(End.UNWANTED)

    def _answer_whether_to_keep(self) -> None:
        self.keeps = self.wanted()
        self.until = max(self.until, monotonic() + 60 * self.limits.minutes)
        with suppress(OSError):  # it died a moment ago, which the next look finds
            self.ours.send(self.keeps)

    def _broken(self) -> End | None:
        now_mb = memory_mb(self.number)
        self.most_mb = max(self.most_mb, now_mb)
        if now_mb > self.limits.memory_mb:
            return End.TOO_LARGE
        return End.TOO_LONG if monotonic() > self.until else None

    def _ended(self, how: End, answer: Any = None) -> Ended:
        return Ended(how, self.number, self.most_mb, answer)


def memory_mb(number: int) -> float:
    """Return how much memory of its own a process has [MiB]; 0 where that cannot be seen."""
    with suppress(OSError):
        for line in (PROC / str(number) / "status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0


# -- in the child ------------------------------------------------------------------------------------------------------


def _do(work: str, args: tuple[object, ...], worker: Connection[Any, Any], is_there: Connection[Any, Any]) -> None:
    global _worker  # noqa: PLW0603  # a child does one piece of work, and has one worker
    for one in (signal.SIGINT, signal.SIGTERM):  # said to all processes at once; the worker decides what ends
        signal.signal(one, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(is_there,), daemon=True).start()
    with suppress(OSError):  # should the machine run out of memory, this is what it ends first, not the web server
        (PROC / "self" / "oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")
    _worker = worker
    import_module(WARM)
    module, _, name = work.partition(":")
    try:
        worker.send((True, getattr(import_module(module), name)(*args)))
    except BaseException as error:  # a library's panic is no Exception, and its message may hold what was in a file
        logger.error("work apart ended with %s", type(error).__name__)
        os._exit(1)


def _end_with(is_there: Connection[Any, Any]) -> None:
    """End at once when the worker does: nothing is ever sent, so what comes is its end."""
    with suppress(EOFError, OSError):
        is_there.recv()
    os._exit(1)
