"""Which rows of an import are new, which the store has already, and which it has with another value?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

KEY = ("source_id", "time", "end", "value", "label", "vendor_id")
"""What makes two rows the same row; everything else may differ from one export to the next."""

INSTANT = ("source_id", "time", "end")
NAME = ("source_id", "vendor_id")
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MANY_AT_ONCE = 16
"""Rows of one time, from which on a general join is faster."""

FILE, ROW = "_file", "_row"
"""Columns of held rows: which file of the store, counted from 0, and which row in it."""


@dataclass(frozen=True, eq=False, slots=True)
class Joined:
    """Rows of an import beside those that are held.

    Attributes
    ----------
    new : polars.DataFrame
        Rows that are not held, in their order.
    seen : polars.DataFrame
        The held rows that the import has too, with `KEY`, `FILE` and `ROW`.
    others : polars.DataFrame
        The held rows that it has not, with the same columns.
    """

    new: pl.DataFrame
    seen: pl.DataFrame
    others: pl.DataFrame


def first_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows without those that repeat an earlier one; `rows` are in order of time."""
    time = pl.col("time")
    shared = ((time == time.shift(1)) | (time == time.shift(-1))).fill_null(value=False)
    numbered = rows.select(*KEY).with_row_index(ROW).filter(shared)
    if not numbered.height:
        return rows
    first = numbered.unique(subset=_telling(numbered), keep="first")
    repeats = numbered.join(first, on=ROW, how="anti")[ROW]
    return rows.with_row_index(ROW).filter(~pl.col(ROW).is_in(repeats.implode())).drop(ROW) if len(repeats) else rows


def join(rows: pl.DataFrame, held: pl.DataFrame) -> Joined:
    """Part the rows of an import, each there once, into new ones and held ones; all are in order of time."""
    known, seen = _matches(rows, held)
    return Joined(rows.filter(~pl.Series(known)), held.filter(pl.Series(seen)), held.filter(~pl.Series(seen)))


def _matches(one: pl.DataFrame, other: pl.DataFrame) -> tuple[BoolArray, BoolArray]:
    """Say which rows of each frame are in the other one too, by `KEY`.

    Rows of equal time lie together in both, so those of one time are compared by their place among these: a general
    join by six columns takes five times as long. Where very many share a time, that join is the better one.
    """
    in_one, in_other = np.zeros(one.height, dtype=bool), np.zeros(other.height, dtype=bool)
    times = other["time"].to_numpy()
    from_, to = (np.searchsorted(times, one["time"].to_numpy(), side=side) for side in ("left", "right"))
    if (most := int((to - from_).max(initial=0))) > MANY_AT_ONCE:
        return _matches_of_any(one, other)
    pairs = [_comparable(one[name], other[name]) for name in _telling(one, other) if name != "time"]
    for k in range(most):
        candidates = np.flatnonzero(from_ + k < to)
        beside = from_[candidates] + k
        for ours, theirs in pairs:
            same = ours[candidates] == theirs[beside]
            candidates, beside = candidates[same], beside[same]
        in_one[candidates] = True
        in_other[beside] = True
    return in_one, in_other


def _matches_of_any(one: pl.DataFrame, other: pl.DataFrame) -> tuple[BoolArray, BoolArray]:
    key = _telling(one, other)
    return _is_in(one, other, key), _is_in(other, one, key)


def _is_in(one: pl.DataFrame, other: pl.DataFrame, key: list[str]) -> BoolArray:
    numbered = one.select(*key).with_row_index("_number")
    there = numbered.join(other.select(*key), on=key, how="semi", nulls_equal=True)["_number"].to_numpy()
    found = np.zeros(one.height, dtype=bool)
    found[there] = True
    return found


def _comparable(one: pl.Series, other: pl.Series) -> tuple[IntArray, IntArray]:
    """Return two columns as whole numbers that are equal where the values are, null being equal to null."""
    if one.dtype == pl.String:
        codes = pl.concat([one, other]).rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        return codes[: len(one)], codes[len(one) :]
    if one.dtype == pl.Float64:
        first, second = (column.fill_null(np.nan).to_numpy().view(np.int64) for column in (one, other))
        return first, second
    lowest = np.iinfo(np.int64).min
    first, second = (column.cast(pl.Int64).fill_null(lowest).to_numpy() for column in (one, other))
    return first, second


def edited(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return those of `rows` that speak of the same as one of `others`: of its name or, nameless, of its instants.

    Both have the columns `KEY`.
    """
    named, nameless = pl.col("vendor_id").is_not_null(), pl.col("vendor_id").is_null()
    by_instant = rows.filter(nameless).join(
        others.filter(nameless), on=list(INSTANT), how="semi", nulls_equal=True, maintain_order="left"
    )
    if rows["vendor_id"].null_count() == rows.height:
        return by_instant
    by_name = rows.filter(named).join(others.filter(named), on=list(NAME), how="semi", maintain_order="left")
    return pl.concat([by_instant, by_name])


def _telling(*frames: pl.DataFrame) -> list[str]:
    """Return the columns of the key that are not empty everywhere: joining is several times faster without those."""
    return [name for name in KEY if any(frame[name].null_count() < frame.height for frame in frames)]
