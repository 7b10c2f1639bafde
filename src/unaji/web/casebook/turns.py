"""When a server of others may be asked next: known to all processes that ask, also to those that come after.

Each job is done in a process of its own, so what one of them remembers of its last question is gone with it. Here lie
names of servers and moments, and nothing of whose sake they were asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from unaji.errors import OutputError
from unaji.records.store.lock import only_writer
from unaji.records.weather.client import put_file

LOOK_EVERY_S = 0.01
LONGEST_S = 24 * 3600.0
"""Nobody is put off for longer. A moment further ahead than this was written before the clock was set right."""


class SharedTurns:
    """Turns of asking that lie in a file; see `unaji.records.weather.client.Turns`.

    Parameters
    ----------
    folder : Path
        Where the file lies; made where it is not there.
    clock : callable
        Seconds since 1970: the clock that all processes share.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._file, self._lock, self._clock = folder / "turns.json", folder / "turns.lock", clock

    def take(self, host: str, distance_s: float) -> float:
        """Take the turn if it has come, and return 0; else return how long to wait before trying again [s]."""
        with self._alone():
            known, now = self._known(), self._clock()
            asked, not_before = known.get(host, (0.0, 0.0))
            next_s = max(
                asked + distance_s if asked <= now else 0.0, not_before if not_before <= now + LONGEST_S else 0.0
            )
            if next_s > now:
                return next_s - now
            self._keep({**known, host: (now, 0.0)})
            return 0.0

    def put_off(self, host: str, wait_s: float) -> None:
        """Let nobody ask for so long [s]."""
        with self._alone():
            known, until = self._known(), self._clock() + min(wait_s, LONGEST_S)
            self._keep({**known, host: (known.get(host, (0.0, 0.0))[0], until)})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only one for a moment; others are so for no longer than it takes to write a few words."""
        self._lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as held:
            while True:
                with suppress(OutputError):
                    held.enter_context(only_writer(self._lock))
                    break
                time.sleep(LOOK_EVERY_S)
            yield

    def _known(self) -> dict[str, tuple[float, float]]:
        with suppress(OSError, ValueError, TypeError, AttributeError):  # not there yet, or damaged
            said = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(host): (float(asked), float(not_before)) for host, (asked, not_before) in said.items()}
        return {}

    def _keep(self, known: dict[str, tuple[float, float]]) -> None:
        put_file(self._file, json.dumps(known).encode())
