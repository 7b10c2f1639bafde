"""Two devices on one heart whose clocks differ are told of; two that agree, or cannot be compared, are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.shifted import SHIFTS_MIN, shift_min, suspected_shifts
from unaji.records.store.reading import Store
from unaji.records.store.writing import Origin, writing

MAY = 1_714_521_600_000
DAY_MIN = 1440


def heart(seed: int, minutes: int = 2 * DAY_MIN) -> np.ndarray:
    """Make up a heart rate that wanders within a day."""
    steps = np.random.default_rng(seed).normal(0, 3, minutes)
    return 70 + 10 * np.convolve(steps, np.exp(-np.arange(60) / 15), mode="same") / 10


@given(st.sampled_from([s for s in SHIFTS_MIN if s and s % 15 == 0]), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_a_wrong_zone_is_found_with_its_sign(shift, seed):
    rate = heart(seed)
    other = np.roll(rate, shift) + np.random.default_rng(seed + 1).normal(0, 1, rate.size)
    other[: max(shift, 0)] = np.nan
    assert shift_min(rate, other) == shift


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_clocks_that_agree_and_hearts_that_differ_are_not_suspected(seed):
    rate = heart(seed)
    assert shift_min(rate, rate + np.random.default_rng(seed + 1).normal(0, 2, rate.size)) is None
    assert shift_min(rate, heart(seed + 2000)) is None
    assert shift_min(rate[:150], np.roll(rate, 60)[:150]) is None  # too short to tell


@pytest.mark.parametrize(("shift_h", "said"), [(0, None), (9, "stamped 540 min later"), (-1, "stamped 60 min earlier")])
def test_a_wrong_time_zone_is_told_after_the_import(tmp_path, shift_h, said):
    rate = heart(3)
    minutes = MAY + np.arange(rate.size) * 60_000
    watch, strap = Device("apple_health", "watch"), Device("polar", "strap", origin="strap")
    worn = slice(300, 1300)
    batches = (
        Batch(Kind.SERIES, "hr_bpm", watch, frame(time=minutes, value=rate)),
        Batch(Kind.BEATS, "rri_ms", strap, frame(time=minutes[worn] + shift_h * 3_600_000, value=60_000 / rate[worn])),
    )
    for batch in batches:
        with writing(tmp_path) as store, store.incoming() as incoming:
            incoming.add(batch)
            kept = incoming.commit(Origin(0, 0, ("test",), "", ""))
    told = list(suspected_shifts(Store.open(tmp_path), kept.sources))
    assert [said in one for one in told] == ([True] if said else [])
