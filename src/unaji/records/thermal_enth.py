"""Files of thermal comfort studies with a watch: Cozie votes, Fitbit heart rate and steps, a PurpleAir sensor.

The layout is that of the ENTH study's raw files (Singapore 2021, doi:10.5281/zenodo.5502441).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from unaji.records.clock import MINUTE, Clock
from unaji.records.measured import checked_series, possible_times
from unaji.records.merge import Fragment, union
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, csv_table
from unaji.records.timeline import BoolArray, Episode, Exposure, Interval, Series, TimeArray, from_utc_ms

PREFERS_WARMER, NO_CHANGE, PREFERS_COOLER = 9, 10, 11
OBSERVED_AROUND_VOTE = timedelta(minutes=15)
WORN_WITHIN = 5 * MINUTE
PURPLEAIR = (  # column, quantity
    ("purpleair.temperature", "air_temp_c"),
    ("purpleair.humidity", "rel_humidity_pct"),
    ("purpleair.pressure", "station_pressure_hpa"),
)


def claims_votes(head: bytes) -> bool:
    """Say whether the header is that of votes on a watch."""
    return _has_columns(head, b"time", b"fitbit.thermal")


def claims_fitbit(head: bytes) -> bool:
    """Say whether the header is that of heart rate and steps."""
    return _has_columns(head, b"time", b"fitbit_api.HR", b"fitbit_api.Steps")


def claims_purpleair(head: bytes) -> bool:
    """Say whether the header is that of an outdoor sensor."""
    return _has_columns(head, b"time", b"purpleair.temperature", b"purpleair.pressure")


def read_votes(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read votes: "prefer cooler" is an episode of feeling too warm, "warmer" and "no change" are check-ins.

    An episode would have been logged only around a vote, so 15 minutes to either side of each vote are observed time.
    Not read: clothing, activity, air movement and change (ordinal answers whose steps the export does not put in clo
    or met), and the heart rate at the vote, which the minute file holds.
    """
    episodes: list[Episode] = []
    exposures: list[Exposure] = []
    for table, time in _tables(files, clock, log):
        thermal = table.numbers("fitbit.thermal", log)
        strange = ~np.isin(thermal, (PREFERS_WARMER, NO_CHANGE, PREFERS_COOLER))
        rule = "a vote must be 9 (warmer), 10 (no change) or 11 (cooler)"
        log.rows(table.file, table.lines[strange], np.array(table.text("fitbit.thermal"))[strange], rule)
        episodes += [Episode(from_utc_ms(t)) for t in time[thermal == PREFERS_COOLER]]
        exposures += [Exposure(from_utc_ms(t), "check_in") for t in time[~strange & (thermal != PREFERS_COOLER)]]
    votes = [episode.start for episode in episodes] + [exposure.start for exposure in exposures]
    observed = union(Interval(vote - OBSERVED_AROUND_VOTE, vote + OBSERVED_AROUND_VOTE) for vote in votes)
    return Fragment(episodes=tuple(episodes), exposures=tuple(exposures), observed=observed)


def read_fitbit(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read heart rate, a value every 5 to 15 s, and the steps of each minute.

    The two stand in rows of their own. The export writes 0 steps also while the watch lies on a table; a 0 without a
    heart rate within 5 minutes is therefore no value.
    """
    series: list[Series] = []
    for table, time in _tables(files, clock, log):
        heart_rate, steps = table.numbers("fitbit_api.hr", log), table.numbers("fitbit_api.steps", log)
        worn = (steps > 0) | _near(time, np.sort(time[~np.isnan(heart_rate)]), WORN_WITHIN)
        for quantity, value, end in (
            ("hr_bpm", heart_rate, None),
            ("steps", np.where(worn, steps, np.nan), time + MINUTE),
        ):
            series += checked_series(
                quantity, time, value, end=end, lines=table.lines, site="wrist", source="fitbit",
                file=table.file, log=log,
            )  # fmt: skip
    return Fragment(series=tuple(series))


def _near(time: TimeArray, events: TimeArray, within: np.timedelta64) -> BoolArray:
    """Say which instants have an event before or after them within a time; `events` ascend."""
    return np.searchsorted(events, time - within) < np.searchsorted(events, time + within, side="right")


def read_purpleair(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read temperature [°C], humidity and pressure of an outdoor sensor.

    Temperature and humidity are those inside the sensor's housing, which reads warm and dry; the pressure is that at
    the sensor. Every second row comes from a second counter and has none of the three.
    """
    series: list[Series] = []
    for table, time in _tables(files, clock, log):
        for column, quantity in PURPLEAIR:
            series += checked_series(
                quantity, time, table.numbers(column, log), lines=table.lines, site="outdoor", source="purpleair",
                file=table.file, log=log,
            )  # fmt: skip
    return Fragment(series=tuple(series))


def _has_columns(head: bytes, *columns: bytes) -> bool:
    first_line = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    if not all(column in first_line for column in columns):
        return False  # also of a JSON file, whose one line is all of it
    names = {name.strip().strip(b'"') for name in first_line.split(b",")}
    return names.issuperset(columns)


def _tables(files: Sequence[Source], clock: Clock, log: ProblemLog) -> list[tuple[Table, TimeArray]]:
    """Give each file's rows that have a possible time, with that time."""
    read: list[tuple[Table, TimeArray]] = []
    for file in files:
        table = csv_table(file.load(), file.name, log)
        if table is not None:
            time = clock.read(table.cells("time"), file.name, log).time
            ok = possible_times(time, table, "time", clock, log)
            read.append((table.where(ok), time[ok]))
    return read
