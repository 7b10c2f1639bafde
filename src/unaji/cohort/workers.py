"""Do the same for many persons, in this process or in several on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from signal import SIG_IGN, SIGINT, signal
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Workers:
    """Hands tasks out and their results back in the order in which they are done."""

    def __init__(self, executor: ProcessPoolExecutor | None) -> None:
        """Work in this process where there is no executor."""
        self._executor = executor

    def each(self, work: Callable[[str, Task], Result], tasks: Mapping[str, Task]) -> Iterator[tuple[str, Result]]:
        """Yield the name of each task and what `work(name, task)` returned."""
        if self._executor is None:
            for name, task in tasks.items():
                yield name, work(name, task)
            return
        names = {self._executor.submit(work, name, task): name for name, task in tasks.items()}
        for future in as_completed(names):
            yield names[future], future.result()


@contextmanager
def hire(workers: int) -> Iterator[Workers]:
    """Yield so many workers; on leaving, what has not begun is dropped and what has begun is waited for."""
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if workers == 1:
        yield Workers(None)
        return
    # An interrupt from the keyboard reaches every process: only this one is to act on it.
    executor = ProcessPoolExecutor(workers, initializer=signal, initargs=(SIGINT, SIG_IGN))
    try:
        yield Workers(executor)
    finally:
        executor.shutdown(cancel_futures=True)
