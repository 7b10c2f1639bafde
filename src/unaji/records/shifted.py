"""Do two devices that recorded the same heart disagree about what time it is? Told, and never put right by itself.

A wrong time zone shifts a record by whole quarter hours, a clock that was never set by minutes. The heart rates of two
devices on one person rise and fall together, so that the shift at which they agree best is that of their clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Kind
from unaji.records.store.reading import Store

MINUTE_MS = 60_000
COMPARED_DAYS = 14
"""The last days that two devices share; enough to tell, and quick."""

FEWEST_MINUTES = 180
"""Minutes that both must have [min]: below it chance alone correlates."""

BEST_AT_LEAST = 0.8
BETTER_BY = 0.2
"""Correlation at the best shift, and by how much it must beat the one without shift."""

SHIFTS_MIN: tuple[int, ...] = tuple(sorted({*range(-10, 11), *range(-14 * 60, 14 * 60 + 1, 15)}, key=abs))
"""Shifts that are tried [min]: clocks a little off, and time zones of whole quarter hours."""

FloatArray = NDArray[np.float64]


def shift_min(one: FloatArray, other: FloatArray) -> int | None:
    """Return by how many minutes the second of two heart rates seems to be stamped too late.

    Parameters
    ----------
    one, other : ndarray, shape (n_minutes,)
        Heart rate of the same minutes as each device stamps them [1/min]; NaN where it has none.

    Returns
    -------
    int or None
        None where they agree as they are or nearly so (heart rate changes little within a few minutes), or cannot be
        compared.
    """
    unshifted = _correlation(one, other, 0)
    best, shift = max(((_correlation(one, other, shift), shift) for shift in SHIFTS_MIN), key=lambda tried: tried[0])
    if shift == 0 or best < BEST_AT_LEAST or (np.isfinite(unshifted) and best - unshifted < BETTER_BY):
        return None
    return shift


def suspected_shifts(store: Store, sources: Sequence[int]) -> Iterator[str]:
    """Say which of some sources' clocks seem to differ from those of the others in the store."""
    rates = _minute_rates(store)
    for one in sorted(rates.keys() - set(sources)):
        for new in (number for number in sources if number in rates):
            shift = shift_between(rates[one], rates[new])
            if shift is not None:
                told = [f"{store.sources[n].source} ({store.sources[n].role or 'device'} {n})" for n in (new, one)]
                when = "later" if shift > 0 else "earlier"
                yield (
                    f"the heart rate of {told[0]} agrees with that of {told[1]} only if it is stamped {abs(shift)} min "
                    f"{when} than it happened: was its clock or time zone wrong? Nothing was changed"
                )


def shift_between(one: pl.DataFrame, other: pl.DataFrame) -> int | None:
    """Return by how many minutes the second of two heart rates seems to be stamped too late, as in `shift_min`.

    Parameters
    ----------
    one, other : polars.DataFrame
        Columns ``minute`` (since 1970) and ``rate`` [1/min], a row for each minute that there is.
    """
    pair = _shared(one, other)
    return None if pair is None else shift_min(*pair)


def _correlation(one: FloatArray, other: FloatArray, shift: int) -> float:
    """Return the correlation of `one` with `other` moved `shift` minutes earlier; -inf where too few are left."""
    n = one.size - abs(shift)
    if n < FEWEST_MINUTES:
        return -np.inf
    first = one[-shift:] if shift < 0 else one[:n]
    second = other[:n] if shift < 0 else other[shift:]
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < FEWEST_MINUTES:
        return -np.inf
    first, second = first[both] - first[both].mean(), second[both] - second[both].mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else -np.inf


def _minute_rates(store: Store) -> dict[int, pl.DataFrame]:
    """Return the mean heart rate of each minute, by source, over the last days of the store."""
    kinds = ((Kind.SERIES, "hr_bpm"), (Kind.INTERVAL, "hr_bpm"), (Kind.BEATS, "rri_ms"))
    last = max((file.last_ms for kind in kinds for file in store.files(*kind)), default=0)
    minutes = []
    for kind, quantity in kinds:
        rows = store.read(kind, quantity, last - COMPARED_DAYS * 24 * 60 * MINUTE_MS, last + 1)
        rate = 60_000 / pl.col("value") if kind is Kind.BEATS else pl.col("value")
        minutes.append(rows.select("source_id", minute=pl.col("time") // MINUTE_MS, rate=rate))
    means = pl.concat(minutes).filter(pl.col("rate").is_finite()).group_by("source_id", "minute").mean()
    return {int(str(number)): rows for (number,), rows in means.group_by("source_id")}


def _shared(one: pl.DataFrame, other: pl.DataFrame) -> tuple[FloatArray, FloatArray] | None:
    """Put two heart rates on the minutes from the first to the last of either; None where they are far apart."""
    first = min(_edge(one, "min"), _edge(other, "min"))
    n = max(_edge(one, "max"), _edge(other, "max")) - first + 1
    if n > 2 * COMPARED_DAYS * 24 * 60 or min(one.height, other.height) < FEWEST_MINUTES:
        return None
    grids = []
    for rows in (one, other):
        grid = np.full(n, np.nan)
        grid[rows["minute"].to_numpy() - first] = rows["rate"].to_numpy()
        grids.append(grid)
    return grids[0], grids[1]


def _edge(rows: pl.DataFrame, which: str) -> int:
    edge = rows["minute"].min() if which == "min" else rows["minute"].max()
    assert isinstance(edge, int)
    return edge
