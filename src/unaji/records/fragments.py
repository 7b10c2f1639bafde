"""Rows of many sources become one timeline, and back: what is kept in columns, and what `merge` puts together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl

from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.barometer import AIR, BAROMETERS, MOVED, moves, segment_name
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.merge import BEST_ORIGIN_FIRST, Fragment, union
from unaji.records.preferred import ORDER, PLACE_MATTERS, Recorder, preferred
from unaji.records.timeline import (
    Beats,
    Episode,
    Exposure,
    Interval,
    Rating,
    Series,
    TimeArray,
    from_utc_ms,
    utc_ms,
)
from unaji.records.waves import Aside, is_wave

NECK_HEAT = "neck_heat"
"""Name of the symptom that a timeline's episodes are of."""

OBSERVED = "observed"
"""Name of the stretches in which an episode would have been logged."""

TABLE = "table"
"""Source of what a mapping reads out of a person's own tables; each of their columns is a recorder by itself."""

WHOLE_DAY = "whole_day"
"""Label of an episode of which only the day is known."""

ASLEEP = ("asleep", "light", "deep", "rem")
LONGEST_WAKING_MS = 60 * 60_000
"""Waking for less than this is part of one sleep: nobody writes a diary then [ms]."""

SPOKEN = ("time", "end", "value", "low_quality", "source_id")
"""Columns of what was measured that a timeline needs; a day of an electrocardiogram has eleven million rows."""

ROLE_OF = {"e4": "watch", "fitbit": "watch", "ibutton": "logger", "jma": "station", "purpleair": "station"}
ROLE_OF_BEATS = {"ecg": "ecg", "strap": "strap", "ppg": "watch", "app": "phone", "": ""}


Table = tuple[Kind, str, pl.DataFrame]
"""Kind, quantity, and rows with the columns of a batch and ``source_id``, in order of time."""


# -- rows into a fragment ----------------------------------------------------------------------------------------------


def fragment_of(batches: Iterable[Batch]) -> Fragment:
    """Gather batches into a fragment; waveforms are put aside on the disk."""
    ids: dict[Device, int] = {}
    gathered: dict[tuple[Kind, str], list[pl.DataFrame]] = {}
    aside: Aside | None = None
    for batch in batches:
        number = ids.setdefault(batch.device, len(ids) + 1)
        if is_wave(batch.kind, batch.quantity):
            aside = aside or Aside()
            aside.add(batch, number)
            continue
        rows = batch.rows.with_columns(pl.lit(number, dtype=pl.UInt32).alias("source_id"))
        gathered.setdefault((batch.kind, batch.quantity), []).append(rows)
    tables = (
        (kind, quantity, pl.concat(parts).unique(maintain_order=True).sort("time", maintain_order=True))
        for (kind, quantity), parts in gathered.items()
    )
    recorders = {number: device for device, number in ids.items()}
    fragment = fragment_of_tables(tables, recorders)
    return fragment if aside is None else replace(fragment, waves=tuple(aside.waves(recorders)))


def fragment_of_tables(
    tables: Iterable[Table], recorders: Mapping[int, Recorder], orders: Mapping[str, Sequence[str]] | None = None
) -> Fragment:
    """Put the rows of all sources together, taking at each time the word of the best one.

    Parameters
    ----------
    tables : iterable of Table
        Rows by kind and quantity.
    recorders : dict of int to Recorder
        Who wrote them, by ``source_id``.
    orders : dict of str to sequence of str, optional
        For single quantities, which roles are better than which; `unaji.records.preferred.ORDER` for the others.
    """
    measured: dict[str, list[pl.DataFrame]] = {}
    series: list[Series] = []
    beats: list[Beats] = []
    episodes: list[Episode] = []
    ratings: list[Rating] = []
    exposures: list[Exposure] = []
    observed: list[Interval] = []
    moved: list[pl.DataFrame] = []
    for kind, quantity, rows in tables:
        order = (orders or {}).get(quantity, ORDER)
        if kind in (Kind.SERIES, Kind.INTERVAL):
            spoken = (*SPOKEN, "zone_min") if quantity in BAROMETERS else SPOKEN
            measured.setdefault(quantity, []).append(rows.select(spoken))
        elif kind is Kind.BEATS:
            beats += _beats(rows, recorders, order)
        elif kind is Kind.SLEEP:
            exposures += _sleep(rows, recorders, order)
        elif kind is Kind.RATING:
            ratings += _ratings(quantity, rows)
        elif quantity == OBSERVED:
            observed += _observed(rows)
        elif quantity == MOVED:
            moved.append(rows)
        elif kind is Kind.SYMPTOM and quantity == NECK_HEAT:
            episodes += _episodes(rows)
        elif kind is Kind.WORKOUT:
            exposures += _exposures("exercise", _taken(rows, recorders, order))
        else:
            exposures += _exposures(quantity, _added_up(quantity, rows, recorders))
    gathered = {quantity: pl.concat(parts) for quantity, parts in measured.items()}
    parted = moves({quantity: gathered[quantity] for quantity in (*BAROMETERS, AIR) if quantity in gathered}, moved)
    for quantity, rows in gathered.items():
        series += _series(quantity, rows, recorders, (orders or {}).get(quantity, ORDER), parted)
    return Fragment(
        tuple(series), tuple(beats), tuple(episodes), tuple(ratings), tuple(exposures), observed=union(observed)
    )


def by_device(tables: Iterable[Table], recorders: Mapping[int, Recorder]) -> Iterator[Fragment]:
    """Give the series of each device by itself; a number tells apart those of one source and place.

    Beats go by how exact they are, as in the folder's one table of them: where two devices of one kind recorded the
    same heart, the better one's are given.
    """
    alike = Counter((one.source, one.site) for one in recorders.values())
    kept = list(tables)
    for kind, quantity, rows in kept:
        if kind is Kind.BEATS:
            of_kind: dict[tuple[str, str], list[int]] = {}
            for number, one in recorders.items():
                of_kind.setdefault((one.origin, one.corrected), []).append(number)
            for numbers in of_kind.values():
                yield fragment_of_tables([(kind, quantity, rows.filter(pl.col("source_id").is_in(numbers)))], recorders)
    measured = [one for one in kept if one[0] in (Kind.SERIES, Kind.INTERVAL) or one[1] == MOVED]
    for number, one in recorders.items():
        name = one.source if alike[one.source, one.site] == 1 else f"{one.source}:{number}"
        device = Device(name, one.role, site=one.site, origin=one.origin, corrected=one.corrected)
        own = [(kind, quantity, rows.filter(pl.col("source_id") == number)) for kind, quantity, rows in measured]
        if any(rows.height for _, _, rows in own):
            yield fragment_of_tables(own, {number: device})


def _series(
    quantity: str,
    rows: pl.DataFrame,
    recorders: Mapping[int, Recorder],
    order: Sequence[str],
    parted: Mapping[int, TimeArray],
) -> Iterator[Series]:
    """Give the series of one quantity: instants and intervals, of each place where that matters.

    The pressure of a barometer, by its ``source_id``, is parted at some moments.
    """
    known = QUANTITIES.get(quantity)
    if known is None:
        return
    rows = _where(rows, rows["value"].is_not_null())
    numbers = rows["source_id"].unique().to_list()
    for ids in _kept_apart(quantity, rows, recorders):
        of_these = _where(rows, rows["source_id"].is_in(ids))
        taken = _taken(of_these, recorders, order)
        for with_end in (False, True):
            part = _where(taken, taken["end"].is_not_null() if with_end else taken["end"].is_null())
            part = part if part["time"].is_sorted() else part.sort("time", maintain_order=True)
            if part.height:
                first, name = _most_often(part, recorders), _sources(part, recorders)
                if quantity in BAROMETERS and sum(recorders[n].source == name for n in numbers) > 1:
                    name = f"{name}:{ids[0]}"  # two stations of one service must not be joined again
                segments = _segments(name, part, parted.get(ids[0])) if quantity in BAROMETERS else [(name, part)]
                for source, of_one in segments:
                    yield Series(
                        quantity, _times(of_one, "time"), of_one["value"].to_numpy(),
                        _times(of_one, "end") if with_end else None, first.site, source,
                    )  # fmt: skip


def _segments(name: str, rows: pl.DataFrame, moved: TimeArray | None) -> Iterator[tuple[str, pl.DataFrame]]:
    """Part the rows of one barometer, in order of time, where it was moved, and name each part after its beginning."""
    if moved is None or not moved.size:
        yield name, rows
        return
    number = pl.Series(np.searchsorted(moved, _times(rows, "time"), side="right"))
    for part in number.unique(maintain_order=True):
        of_part = rows.filter(number == part)
        zone_min = of_part["zone_min"][0] or 0
        yield (segment_name(name, moved[part - 1], zone_min) if part else name), of_part


def _kept_apart(quantity: str, rows: pl.DataFrame, recorders: Mapping[int, Recorder]) -> list[list[int]]:
    """Part the sources into those that measure the same thing."""
    groups: dict[str, list[int]] = {}
    for number in rows["source_id"].unique().sort().to_list():
        one = recorders[number]
        apart = str(number) if quantity in BAROMETERS else one.site if quantity in PLACE_MATTERS else ""
        groups.setdefault(apart, []).append(number)
    return list(groups.values())


def _taken(
    rows: pl.DataFrame, recorders: Mapping[int, Recorder], order: Sequence[str], start: pl.Expr | None = None
) -> pl.DataFrame:
    """Return the rows of the best source at each time; what a source itself doubts comes after all else."""
    if rows["source_id"].n_unique() < 2 and not rows["low_quality"].any():
        return rows
    doubted = pl.col("low_quality").fill_null(value=False)
    columns = rows.select(
        start=start if start is not None else pl.col("time"),
        end=pl.coalesce("end", "time"),
        source=pl.col("source_id").cast(pl.Int64) * 2 + doubted.cast(pl.Int64),
    )
    roles = {2 * number: one.role for number, one in recorders.items()}
    roles |= {2 * number + 1: _DOUBTED for number in recorders}
    start_ms, end_ms, source = (columns[name].to_numpy() for name in columns.columns)
    return rows.filter(pl.Series(preferred(start_ms, end_ms, source, roles, (*order, _DOUBTED))))


_DOUBTED = "doubted"


def _where(rows: pl.DataFrame, keep: pl.Series) -> pl.DataFrame:
    """Return some of the rows, and no copy where all of them are meant."""
    return rows if keep.all() else rows.filter(keep)


def _most_often(rows: pl.DataFrame, recorders: Mapping[int, Recorder]) -> Recorder:
    return recorders[_by_share(rows)[0]]


def _sources(rows: pl.DataFrame, recorders: Mapping[int, Recorder]) -> str:
    """Name the sources, the one with most rows first."""
    return "+".join(dict.fromkeys(recorders[number].source for number in _by_share(rows)))


def _by_share(rows: pl.DataFrame) -> list[int]:
    numbers: list[int] = (
        rows["source_id"].value_counts().sort(["count", "source_id"], descending=[True, False])["source_id"].to_list()
    )
    return numbers


def _beats(rows: pl.DataFrame, recorders: Mapping[int, Recorder], order: Sequence[str]) -> Iterator[Beats]:
    """Give the beats of the best source at each time; where the source changes, a beat is missing.

    Their origin is that of the least exact source among them, and so what is made of them is as careful as it needs.
    """
    began = pl.col("time") - pl.col("value").fill_null(0.0).round().cast(pl.Int64)
    rows = _taken(rows, recorders, order, began)
    if not rows.height:
        return
    source = rows["source_id"].to_numpy()
    changes = np.append(True, source[1:] != source[:-1])
    devices = [recorders[number] for number in _by_share(rows)]
    origin = max((one.origin for one in devices), key=BEST_ORIGIN_FIRST.index)
    corrected = {one.corrected for one in devices}
    yield Beats(
        _times(rows, "time"),
        rows["value"].fill_null(np.nan).to_numpy(),
        rows["gap"].fill_null(value=True).to_numpy() | (changes & (len(devices) > 1)),
        origin,
        corrected.pop() if len(corrected) == 1 else "unknown",
    )


def _sleep(rows: pl.DataFrame, recorders: Mapping[int, Recorder], order: Sequence[str]) -> Iterator[Exposure]:
    """Give the spans asleep; time in bed counts only where nobody recorded stages."""
    asleep = rows.filter(pl.col("label").is_in(ASLEEP) & pl.col("end").is_not_null())
    in_bed = rows.filter((pl.col("label") == "in_bed") & pl.col("end").is_not_null())
    spans = _spans(_taken(asleep, recorders, order))
    nights = [span for span in _spans(in_bed) if not any(span[0] < end and start < span[1] for start, end in spans)]
    for start, end in sorted((*spans, *nights)):
        yield Exposure(_moment(start), "sleep", _moment(end))


def _spans(rows: pl.DataFrame) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in rows.select("time", "end").sort("time").rows():
        if spans and start <= spans[-1][1] + LONGEST_WAKING_MS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _episodes(rows: pl.DataFrame) -> Iterator[Episode]:
    for time, end, value, label in rows.select("time", "end", "value", "label").rows():
        yield Episode(_moment(time), _maybe(end), value, whole_day=label == WHOLE_DAY)


def _ratings(quantity: str, rows: pl.DataFrame) -> Iterator[Rating]:
    if quantity in RATINGS:
        for time, value in rows.select("time", "value").drop_nulls().rows():
            yield Rating(_moment(time), quantity, value)


def _exposures(kind: str, rows: pl.DataFrame) -> Iterator[Exposure]:
    for time, end, value in rows.select("time", "end", "value").unique(maintain_order=True).rows():
        yield Exposure(_moment(time), kind, _maybe(end), value)


def _added_up(kind: str, rows: pl.DataFrame, recorders: Mapping[int, Recorder]) -> pl.DataFrame:
    """Add up doses that several columns of a person's tables have for one time: coffee and tea are two cups.

    Two devices that tell the same dose are two accounts of one; two columns that a person keeps are not.
    """
    known = EXPOSURES.get(kind)
    tables = [number for number, one in recorders.items() if one.source == TABLE]
    if known is None or known.shape != "dose" or rows["source_id"].is_in(tables).sum() < 2:
        return rows
    own = pl.col("source_id").is_in(tables)
    if known.unit == "min":  # an amount left empty is then the minutes that the row lasts
        own &= pl.col("value").is_not_null()
    doses = (
        rows.filter(own)
        .group_by("time", "end", maintain_order=True)
        .agg(
            pl.when(pl.len() > 1)
            .then(pl.col("value").fill_null(1.0).sum())
            .otherwise(pl.col("value").first())
            .alias("value")
        )
    )
    columns = ["time", "end", "value"]
    return pl.concat([rows.filter(~own).select(columns), doses.select(columns)]).sort("time", maintain_order=True)


def _observed(rows: pl.DataFrame) -> Iterator[Interval]:
    for time, end in rows.select("time", "end").drop_nulls().rows():
        if end > time:
            yield Interval(_moment(time), _moment(end))


def _times(rows: pl.DataFrame, column: str) -> TimeArray:
    return rows[column].to_numpy().astype("datetime64[ms]")


def _moment(ms: int) -> datetime:
    return from_utc_ms(np.datetime64(ms, "ms"))


def _maybe(ms: int | None) -> datetime | None:
    return None if ms is None else _moment(ms)


# -- a fragment into rows ----------------------------------------------------------------------------------------------


def batches_of(fragment: Fragment, importer: str) -> Iterator[Batch]:
    """Give a fragment as batches.

    Raises
    ------
    ValueError
        It holds treatments or outcomes, which no device writes.
    """
    if fragment.treatments or fragment.outcomes:
        raise ValueError(f"{importer}: treatments and outcomes are written by people, into the folder's tables")
    source = importer.lower().replace(" ", "_")
    for series in fragment.series:
        role = ROLE_OF.get(series.source.partition(":")[0], "")
        kind = Kind.SERIES if series.end is None else Kind.INTERVAL
        rows = frame(time=series.time, end=series.end, value=series.value)
        yield Batch(kind, series.quantity, Device(series.source, role, site=series.site), rows)
    for beats in fragment.beats:
        device = Device(source, ROLE_OF_BEATS[beats.origin], origin=beats.origin, corrected=beats.corrected)
        yield Batch(Kind.BEATS, "rri_ms", device, frame(time=beats.time, value=beats.rri_ms, gap=beats.gap))
    yield from _told(fragment, Device(source))


_Told = tuple[datetime, datetime | None, float | None, str | None]
"""Time, end, value, label."""


def _told(fragment: Fragment, device: Device) -> Iterator[Batch]:
    """Give what people said or did."""
    rows: dict[tuple[Kind, str], list[_Told]] = {}
    for episode in fragment.episodes:
        label = WHOLE_DAY if episode.whole_day else None
        row = (episode.start, episode.end, episode.intensity, label)
        rows.setdefault((Kind.SYMPTOM, NECK_HEAT), []).append(row)
    for rating in fragment.ratings:
        rows.setdefault((Kind.RATING, rating.quantity), []).append((rating.time, None, rating.value, None))
    for exposure in fragment.exposures:
        row = (exposure.start, exposure.end, exposure.amount, None)
        rows.setdefault((Kind.EXPOSURE, exposure.kind), []).append(row)
    for interval in fragment.observed:
        rows.setdefault((Kind.EXPOSURE, OBSERVED), []).append((interval.start, interval.end, None, None))
    for (kind, quantity), table in rows.items():
        columns = {
            "time": _ms(row[0] for row in table), "end": _ms(row[1] for row in table),
            "value": [row[2] for row in table], "label": [row[3] for row in table],
        }  # fmt: skip
        yield Batch(kind, quantity, device, frame(**columns))


def _ms(moments: Iterable[datetime | None]) -> list[int | None]:
    return [None if moment is None else int(utc_ms(moment).astype(np.int64)) for moment in moments]
