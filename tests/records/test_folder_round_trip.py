"""What is written reads back as it was: for any person, any zone, any clock change, CSV and Parquet."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.folder import read_folder, write_folder
from unaji.records.timeline import (
    Beats,
    Episode,
    Exposure,
    Interval,
    Outcome,
    Person,
    Rating,
    Series,
    Timeline,
    Treatment,
    Zones,
    utc_ms,
)

NOW = datetime(2025, 6, 1, tzinfo=UTC)
PLACES = (
    "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata",
    "Pacific/Kiritimati", "Pacific/Honolulu", "Africa/Casablanca", "America/Havana", "UTC",
)  # fmt: skip
# Times are drawn around clock changes as often as from anywhere.
CHANGES = [datetime(2024, 3, 10, 7), datetime(2024, 11, 3, 6), datetime(2024, 3, 31, 1), datetime(2024, 10, 27, 1)]
EPOCH = datetime(2010, 1, 1)
moments = st.one_of(
    st.integers(0, 14 * 365 * 86_400_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms)),
    st.tuples(st.sampled_from(CHANGES), st.integers(-7200, 7200)).map(lambda t: t[0] + timedelta(seconds=t[1])),
).map(lambda t: t.replace(tzinfo=UTC))
lengths = st.integers(0, 36 * 3_600_000).map(lambda ms: timedelta(milliseconds=ms))
words = st.text("abcdefghij_0123456789:", min_size=1, max_size=8)
notes = st.text(st.characters(codec="utf-8"), max_size=12)
amounts = st.none() | st.floats(0, 1e6)


@st.composite
def zones(draw: st.DrawFn) -> Zones:
    starts = tuple(sorted(draw(st.lists(moments, max_size=2, unique=True))))
    names = draw(st.lists(st.sampled_from(PLACES), min_size=len(starts) + 1, max_size=len(starts) + 1))
    return Zones(tuple(names), starts)


@st.composite
def episodes(draw: st.DrawFn, where: Zones) -> Episode:
    start = draw(moments)
    whole_day = draw(st.booleans())
    if whole_day:
        start = where.to_utc(datetime(start.year, start.month, start.day))
    end = draw(st.none() | lengths.map(lambda d: start + d))
    return Episode(start, end, draw(st.none() | st.floats(0, 10)), draw(notes), whole_day)


@st.composite
def exposures(draw: st.DrawFn) -> Exposure:
    start = draw(moments)
    end = draw(st.none() | lengths.map(lambda d: start + d))
    return Exposure(start, draw(st.sampled_from(sorted(EXPOSURES)) | words), end, draw(amounts))


@st.composite
def series(draw: st.DrawFn, quantity: str, site: str, source: str, *, with_end: bool) -> Series:
    n = draw(st.integers(1, 30)) if draw(st.integers(0, 8)) else 5_001  # the latter is written as Parquet
    seed = np.random.default_rng(draw(st.integers(0, 1000)))
    time = utc_ms(draw(moments)) - np.cumsum(seed.integers(1, 600_000, n))[::-1].astype("timedelta64[ms]")
    known = QUANTITIES[quantity]
    value = seed.uniform(known.low, known.high, n)
    value[0] = draw(st.floats(known.low, known.high))
    end = time + seed.integers(0, 36 * 3_600_000, n).astype("timedelta64[ms]") if with_end else None
    return Series(quantity, time, value, end, site, source)


@st.composite
def beats(draw: st.DrawFn) -> Beats:
    n = draw(st.integers(1, 40)) if draw(st.integers(0, 8)) else 5_001
    seed = np.random.default_rng(draw(st.integers(0, 1000)))
    rri_ms = seed.uniform(260, 2000, n)
    rejected = seed.random(n) < draw(st.sampled_from([0, 0.3]))
    rejected[0] = False
    time = utc_ms(draw(moments)) + np.cumsum(seed.integers(200, 3000, n)).astype("timedelta64[ms]")
    origin = draw(st.sampled_from(["", "ecg", "strap", "ppg", "app"]))
    corrected = draw(st.sampled_from(["no", "device", "unknown"]))
    return Beats(time, np.where(rejected, np.nan, rri_ms), seed.random(n) < 0.1, origin, corrected)


@st.composite
def people(draw: st.DrawFn, home: str) -> Person:
    return Person(
        id=draw(notes),
        timezone=draw(st.just(home) | st.sampled_from(PLACES)),
        birth_year=draw(st.none() | st.integers(1900, 2020)),
        sex=draw(st.none() | words),
        height_cm=draw(st.none() | st.floats(100, 220)),
        latitude=draw(st.none() | st.floats(-90, 90).map(lambda degrees: round(degrees, 1))),
        simulated=draw(st.booleans()),
        unsafe=draw(st.lists(words, max_size=2).map(tuple)),
    )


def some(rows: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(rows, max_size=4, unique=True).map(tuple)


ratings = st.builds(Rating, moments, st.sampled_from(sorted(RATINGS)), st.floats(0, 10))
points = st.lists(words, max_size=2).map(tuple)
treatments = st.builds(Treatment, moments, words, points, notes)
outcomes = st.builds(Outcome, moments, words, st.floats(-1e9, 1e9))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    where = draw(zones())
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(set(QUANTITIES) - {"rri_ms"})), st.just("") | words,
                      st.just("folder") | words, st.booleans()),
            max_size=3, unique=True,
        )
    )  # fmt: skip
    return Timeline(
        person=draw(people(where.names[0])),
        zones=where,
        series=tuple(draw(series(q, site, source, with_end=e)) for q, site, source, e in sorted(keys)),
        beats=draw(st.none() | beats()),
        episodes=(draw(episodes(where)), *draw(some(episodes(where)))),
        ratings=draw(some(ratings)),
        exposures=draw(some(exposures())),
        treatments=draw(some(treatments)),
        outcomes=draw(some(outcomes)),
        observed=draw(st.none() | moments.map(lambda t: (Interval(t, t + timedelta(days=9)),))),
    )  # fmt: skip


def facts(timeline: Timeline) -> dict[str, object]:
    """Everything in a timeline in a form that == compares; rows of equal time may stand in any order."""
    return {
        "person": timeline.person,
        "zones": timeline.zones,
        "observed": timeline.observed,
        **{
            name: sorted({repr(row) for row in getattr(timeline, name)})
            for name in ("episodes", "ratings", "exposures", "treatments", "outcomes")
        },
        "series": [
            (s.quantity, s.site, s.source, s.time.tolist(), s.value.tolist(), None if s.end is None else s.end.tolist())
            for s in timeline.series
        ],
        "beats": timeline.beats
        and (
            timeline.beats.time.tolist(),
            [repr(v) for v in timeline.beats.rri_ms],
            timeline.beats.gap.tolist(),
            timeline.beats.origin,
            timeline.beats.corrected,
        ),
    }


@settings(max_examples=60, deadline=None)
@given(timelines())
def test_what_is_written_reads_back_as_it_was(timeline):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "person"
        write_folder(timeline, place)
        again = read_folder(place, now=NOW)
        assert facts(again) == facts(timeline)
        write_folder(again, place)  # into the folder that exists
        assert facts(read_folder(place, now=NOW)) == facts(timeline)
