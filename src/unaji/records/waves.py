"""Waveforms of several sources, read part by part: at each time the best one's, as `preferred` says of rows at once."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch, Kind
from unaji.records.preferred import (
    NOTHING,
    ORDER,
    PLACE_MATTERS,
    IntArray,
    Recorder,
    Stretches,
    Voice,
    overlap,
    ranked,
    united,
)
from unaji.records.store.spool import Spool
from unaji.records.timeline import BoolArray, FloatArray, Piece, Wave

WAVES = ("ecg_mv", "bvp", "acc_g")
"""Quantities that are recorded many times a second, and are never in memory as a whole."""

COLUMNS = ("time", "value", "low_quality", "source_id")
"""What is read of their rows."""

_DOUBTED = "doubted"

Rows = Callable[[], Iterator[pl.DataFrame]]
"""Reads rows anew, with `COLUMNS` at least, in pieces and in order of time; rows of one time are in one piece."""


def is_wave(kind: Kind, quantity: str) -> bool:
    """Say whether rows are those of a waveform."""
    return kind is Kind.SERIES and quantity in WAVES


def waves_of(
    quantity: str, rows: Rows, recorders: Mapping[int, Recorder], order: Sequence[str] = ORDER
) -> Iterator[Wave]:
    """Give the waveforms of one quantity, of each place where that matters.

    Parameters
    ----------
    rows : callable
        As `Rows`.
    recorders : dict of int to Recorder
        Who wrote them, by ``source_id``.
    order : sequence of str
        Roles of devices, the best first.
    """
    heard = _voices(rows)
    places: dict[str, dict[int, Voice]] = {}
    for key in sorted(heard):
        place = recorders[key // 2].site if quantity in PLACE_MATTERS else ""
        places.setdefault(place, {})[key] = heard[key]
    for there in places.values():
        yield _wave(quantity, rows, there, recorders, order)


def _wave(
    quantity: str, rows: Rows, heard: dict[int, Voice], recorders: Mapping[int, Recorder], order: Sequence[str]
) -> Wave:
    """Put sources together: of each, what lies outside the stretches in which a better one speaks."""
    roles = {key: _DOUBTED if key % 2 else recorders[key // 2].role for key in heard}
    taken, better = NOTHING, dict[int, Stretches]()
    for key in ranked({key: voice.spacing.rows for key, voice in heard.items()}, roles, (*order, _DOUBTED)):
        better[key] = taken
        if taken[0].size:
            heard[key] = _voices(_Chosen(rows, {key: taken}).rows).get(key, Voice())
        taken = united(taken, heard[key].stretches)
    there = {key: voice.spacing for key, voice in heard.items() if voice.spacing.rows}
    numbers = sorted({key // 2 for key in there})
    counts = {n: sum(one.rows for key, one in there.items() if key // 2 == n) for n in numbers}
    by_share = sorted(numbers, key=lambda n: -counts[n])
    return Wave(
        quantity,
        recorders[by_share[0]].site,
        "+".join(dict.fromkeys(recorders[n].source for n in by_share)),
        np.datetime64(min(one.first_ms for one in there.values()), "ms"),
        np.datetime64(max(one.last_ms for one in there.values()), "ms"),
        _Chosen(rows, better).pieces,
    )


def _voices(rows: Rows) -> dict[int, Voice]:
    """Say when each source speaks, by its key; what it doubts itself is a source of its own."""
    voices: dict[int, Voice] = {}
    for time_ms, _, key in map(_columns, rows()):
        for one in np.unique(key).tolist():
            voices.setdefault(one, Voice()).add(time_ms[key == one])
    return voices


def _columns(rows: pl.DataFrame) -> tuple[IntArray, FloatArray, IntArray]:
    """Return time [ms], value and key of rows; what has no value is left out."""
    rows = rows if not rows["value"].null_count() else rows.filter(pl.col("value").is_not_null())
    doubted = rows["low_quality"].fill_null(value=False).cast(pl.Int64)
    key: NDArray[np.int64] = (rows["source_id"].cast(pl.Int64) * 2 + doubted).to_numpy()
    return rows["time"].to_numpy(), rows["value"].to_numpy(), key


@dataclass(frozen=True, eq=False, slots=True)
class _Chosen:
    """The rows of some sources, but for the stretches in which each gives way to a better one."""

    source: Rows
    better: Mapping[int, Stretches]

    def pieces(self) -> Iterator[Piece]:
        for time_ms, value, key in map(_columns, self.source()):
            keep = self._keep(time_ms, key)
            if keep.all():
                yield time_ms.astype("datetime64[ms]"), value
            elif keep.any():
                yield time_ms[keep].astype("datetime64[ms]"), value[keep]

    def rows(self) -> Iterator[pl.DataFrame]:
        for rows in self.source():
            there = rows.filter(pl.col("value").is_not_null())
            time_ms, _, key = _columns(there)
            yield there.filter(pl.Series(self._keep(time_ms, key)))

    def _keep(self, time_ms: IntArray, key: IntArray) -> BoolArray:
        keep = np.zeros(time_ms.size, dtype=bool)
        for one, taken in self.better.items():
            own = np.flatnonzero(key == one)
            keep[own] = ~overlap(time_ms[own], time_ms[own], taken)
        return keep


# -- on their way from a file ------------------------------------------------------------------------------------------


class Aside:
    """Waveforms of files that are read but not imported, put aside on the disk for as long as somebody reads them."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="unaji-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._spool = Spool(self._folder)

    def add(self, batch: Batch, source_id: int) -> None:
        """Take in the rows of a batch."""
        self._spool.add(batch, source_id)

    def waves(self, recorders: Mapping[int, Recorder]) -> Iterator[Wave]:
        """Give what was taken in."""
        self._spool.put_aside()
        for group in self._spool.groups():
            yield from waves_of(group[1], partial(self._rows, group), recorders)

    def _rows(self, group: tuple[str, str]) -> Iterator[pl.DataFrame]:
        for piece in self._spool.pieces(group, COLUMNS):
            repeats = (piece["time"].diff() == 0).any()
            yield piece.unique(maintain_order=True) if repeats else piece
