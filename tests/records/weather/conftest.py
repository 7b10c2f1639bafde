"""What the tests of weather share: a file from text, an importer run on it, and files broken on purpose."""

from __future__ import annotations

import contextlib
import io
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from unaji.errors import InputError
from unaji.quantities import QUANTITIES
from unaji.records.barometer import MOVED
from unaji.records.batch import Batch, Kind
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.timeline import Zones

NOW = datetime(2025, 6, 1, tzinfo=UTC)
CLOCK = Clock(Zones(("Asia/Tokyo",)), NOW)
LONGEST_S = 2.0


@dataclass(frozen=True, eq=False)
class Outcome:
    batches: list[Batch]
    log: ProblemLog

    def of(self, quantity: str, **device: str) -> Batch:
        (found,) = [
            b
            for b in self.batches
            if b.quantity == quantity and all(getattr(b.device, k) == v for k, v in device.items())
        ]
        return found

    def values(self, quantity: str, **device: str) -> list[float]:
        return self.of(quantity, **device).rows["value"].to_list()

    def rows(self, quantity: str, **device: str) -> list[tuple[str, str | None, float]]:
        """Start, end and value of each row, times as text in UTC."""
        rows = self.of(quantity, **device).rows
        return [
            (utc(start), None if end is None else utc(end), value)
            for start, end, value in zip(rows["time"], rows["end"], rows["value"], strict=True)
        ]

    @property
    def quantities(self) -> set[str]:
        return {b.quantity for b in self.batches}

    @property
    def told(self) -> list[tuple[bool, int, str]]:
        """Whether it was left out, how often, and the sentence."""
        return [(p.rejected, p.count, str(p)) for p in self.log.problems()]

    def sentence(self, part: str) -> tuple[bool, int, str]:
        (found,) = [told for told in self.told if part in told[2]]
        return found


def utc(ms: int) -> str:
    return str(np.datetime64(ms, "ms"))[:16]


def source(data: bytes, name: str = "weather") -> Source:
    return Source(name, data[:HEAD_BYTES], lambda: io.BytesIO(data), len(data))


@pytest.fixture
def importing() -> Callable[..., Outcome]:
    """Run an importer on files given as bytes by name."""

    def run(read: Callable[..., Iterator[Batch]], files: dict[str, bytes] | bytes) -> Outcome:
        log = ProblemLog()
        named = files if isinstance(files, dict) else {"weather": files}
        return Outcome(list(read([source(data, name) for name, data in named.items()], CLOCK, log)), log)

    return run


def well_formed(batches: Sequence[Batch]) -> None:
    for batch in batches:
        assert len(batch) > 0
        if batch.quantity == MOVED:
            assert not CLOCK.impossible(batch.rows["time"].to_numpy().astype("datetime64[ms]"))[0].any()
            continue
        known = QUANTITIES[batch.quantity]
        assert batch.rows["value"].is_between(known.low, known.high).all()
        assert batch.rows["time"].null_count() == 0
        assert (batch.rows["end"].null_count() == 0) == (batch.kind == Kind.INTERVAL)
        if batch.kind == Kind.INTERVAL:
            assert (batch.rows["end"] > batch.rows["time"]).all()


def broken(data: bytes, rng: random.Random) -> bytes:
    """Flip bits, cut, drop, double or shuffle pieces, or put in bytes that mean something to a parser."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not changed:
            break
        at, length = rng.randrange(len(changed)), rng.randint(1, 1 + len(changed) // 4)
        what = rng.randrange(6)
        if what == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            del changed[at:]
        elif what == 2:
            del changed[at : at + length]
        elif what == 3:
            changed[at:at] = changed[at : at + length]
        elif what == 4:
            changed[at : at + 1] = rng.choice(
                (b'"', b"\n", b",", b"\x00", b"\xff\xfe", b"9" * 40, b"[" * 3000, b"-", b"e9")
            )
        else:
            changed += changed[:length]
    return bytes(changed)


@pytest.fixture
def survives() -> Callable[..., None]:
    """Require that an importer bears some hundred broken copies of a file."""

    def check(read: Callable[..., Iterator[Batch]], claims: Callable[[bytes], bool], data: bytes, name: str) -> None:
        rng = random.Random(20_240_501)
        for _ in range(200):
            hostile = broken(data, rng)
            started = time.process_time()
            claims(hostile[:HEAD_BYTES])
            with contextlib.suppress(InputError):
                well_formed(list(read([source(hostile, name)], CLOCK, ProblemLog())))
            assert time.process_time() - started < LONGEST_S

    return check
