"""What the tests of vendors' importers share: files from bytes, and mutations of valid ones."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from types import ModuleType

import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.quantities import QUANTITIES
from unaji.records.batch import SLEEP_STAGES, Batch, Kind
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.timeline import Problem, Zones

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EARLIEST_MS = int(np.datetime64("1990-01-01", "ms").astype(int))
LATEST_MS = int(np.datetime64("2026-06-03", "ms").astype(int))


def source(content: object, name: str = "file.json") -> Source:
    """Return bytes, text, or anything JSON can write as a file."""
    data = content if isinstance(content, bytes) else content if isinstance(content, str) else json.dumps(content)
    data = data if isinstance(data, bytes) else data.encode()
    return Source(name, data[:HEAD_BYTES], partial(io.BytesIO, data), len(data))


def brought(
    module: ModuleType, *files: Source, zone: str | None = "Asia/Tokyo"
) -> tuple[list[Batch], tuple[Problem, ...]]:
    """Read files that the importer must claim."""
    for file in files:
        assert module.claims_file(file.head), f"{file.name} is not claimed"
    log = ProblemLog()
    clock = Clock(Zones((zone,)) if zone else None, NOW)
    batches = list(module.read(files, clock, log))
    for batch in batches:
        assert_well_formed(batch)
    return batches, log.problems()


def table(batches: list[Batch], quantity: str) -> pl.DataFrame:
    """Return all rows of a quantity with what their device says, times as text in UTC."""
    parts = [
        batch.rows.with_columns(
            pl.lit(batch.kind.value).alias("kind"),
            *(pl.lit(getattr(batch.device, name)).alias(name) for name in ("role", "site", "method", "name", "app")),
        )
        for batch in batches
        if batch.quantity == quantity
    ]
    assert parts, f"no {quantity} among {sorted({batch.quantity for batch in batches})}"
    stamps = [pl.col(name).cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M:%S") for name in ("time", "end")]
    return pl.concat(parts).with_columns(stamps)


def count(problems: tuple[Problem, ...]) -> int:
    """Return how many rows were left out."""
    return sum(problem.count for problem in problems if problem.rejected)


def assert_well_formed(batch: Batch) -> None:
    """Times that can be, ends behind beginnings, plausible values, stages of sleep that are known."""
    rows = batch.rows
    assert rows.height
    assert rows["time"].null_count() == 0
    assert rows["time"].min() >= EARLIEST_MS
    assert rows["time"].max() <= LATEST_MS
    if batch.kind not in (Kind.SERIES, Kind.BEATS):
        assert (rows["end"] >= rows["time"]).fill_null(value=False).all()
    if batch.quantity in QUANTITIES and batch.kind is not Kind.BEATS:
        known = QUANTITIES[batch.quantity]
        assert rows["value"].is_between(known.low, known.high).fill_null(value=False).all()
    if batch.kind is Kind.SLEEP:
        assert set(rows["label"].unique()) <= set(SLEEP_STAGES)


def withstands(module: ModuleType, files: Mapping[str, bytes], rounds: int = 300, seed: int = 1) -> None:
    """Read mutated files: nothing but `InputError` may come out, and what is read must be well-formed."""
    rng = random.Random(seed)
    clock = Clock(Zones(("Europe/Paris",)), NOW)
    for _ in range(rounds):
        name = rng.choice(sorted(files))
        data = mutated(files[name], rng)
        began = time.process_time()
        try:
            module.claims_file(data[:HEAD_BYTES])
            batches = list(module.read([source(data, name)], clock, ProblemLog()))
        except InputError:
            batches = []
        assert time.process_time() - began < 2, f"{name} took too long: {data[:200]!r}"
        for batch in batches:
            assert_well_formed(batch)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Flip bits, cut, leave out, double, or write digits and brackets over a part of some bytes."""
    text = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not text:
            break
        a = rng.randrange(len(text))
        b = min(len(text), a + rng.randint(1, 40))
        match rng.randrange(6):
            case 0:
                text[a] ^= 1 << rng.randrange(8)
            case 1:
                del text[a:]
            case 2:
                del text[a:b]
            case 3:
                text[a:a] = text[a:b]
            case 4:
                text[a:b] = bytes(rng.choice(b'0123456789-.eE"{}[]:,\\ \n') for _ in range(b - a))
            case _:
                text[a : a + 1] = rng.choice([b"null", b"1e308", b"-1", b"9" * 30, b'""', b"[]", b"true", b"\xff"])
    return bytes(text)
