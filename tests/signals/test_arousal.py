"""The index against its definition, against people who obey it, and where signals are missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from unaji.records.timeline import Person, Series, Timeline
from unaji.signals.adjust import unexplained
from unaji.signals.arousal import (
    AUROC,
    FEWEST_MIN,
    IN_SHORT,
    WEIGHTS,
    Arousal,
    Learnt,
    arousal_index,
    arousal_of_minutes,
    learn,
    log_likelihood_ratio,
    rise,
    signals_of_minutes,
)
from unaji.signals.latent_inputs import Input
from unaji.signals.minutes import Minutes
from unaji.signals.reasons import ArousalReason

START = np.datetime64("2024-05-01T00:00", "ms")
N = 60


def an_hour(n: int = N, *, seed: int = 3, **given: object) -> Minutes:
    """Minutes of a person at rest: heart rate about 70, a level of skin conductance that wanders about 1 µS."""
    rng = np.random.default_rng(seed)
    values: dict[str, object] = {
        "hr_bpm": 70.0 * np.exp(0.05 * rng.standard_normal(n)),
        "tonic_microsiemens": np.exp(np.cumsum(0.03 * rng.standard_normal(n))),
        "movement": rng.gamma(2.0, 10.0, n),
    }
    time = START + np.arange(n) * np.timedelta64(60_000, "ms")
    return Minutes(time=time, local_hour=np.arange(n) / 60.0 % 24.0, **(values | given))  # type: ignore[arg-type]


def same(one: Arousal, other: Arousal) -> None:
    np.testing.assert_allclose(one.index, other.index, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(one.reason, other.reason)


# ---- the definition


@given(st.lists(st.one_of(st.none(), st.floats(-10, 10)), min_size=1, max_size=12), st.integers(1, 3))
def test_the_rise_is_that_of_a_fitted_line(values: list[float | None], reach: int):
    y = np.array([np.nan if v is None else v for v in values])
    expected = np.full(y.size, np.nan)
    for t in np.flatnonzero(np.isfinite(y)):
        near = [k for k in range(max(0, t - reach), min(y.size, t + reach + 1)) if np.isfinite(y[k])]
        if len(near) > reach:
            expected[t] = np.polyfit(near, y[near], 1)[0]
    np.testing.assert_allclose(rise(y, reach), expected, rtol=0, atol=1e-9)


def test_the_index_is_the_logarithm_of_how_much_likelier_tasks_are():
    """Against the normal densities themselves, signal by signal, as scipy has them."""
    found = arousal_of_minutes(an_hour())
    expected = np.zeros(N)
    for z, learnt in zip((found.heart_rate, found.conductance_rise), WEIGHTS, strict=True):
        sd = np.sqrt(learnt.variance)
        expected += norm.logpdf(z, learnt.task, sd) - norm.logpdf(z, learnt.rest, sd)
    np.testing.assert_allclose(found.index, expected, atol=1e-12)
    np.testing.assert_allclose(found.chance, np.exp(expected) / (1.0 + np.exp(expected)))


def test_signals_are_what_movement_leaves_unexplained_smoothed_over_three_minutes():
    minutes = an_hour()
    assert minutes.movement is not None
    assert minutes.hr_bpm is not None
    root = np.sqrt(minutes.movement)
    late = [np.concatenate((np.full(k, np.nan), root[: N - k])) for k in (0, 5, 10)]
    left = np.clip(unexplained(np.log(minutes.hr_bpm), late), -4.0, 4.0)
    middle = (left[:-2] + 2.0 * left[1:-1] + left[2:]) / 4.0
    found = signals_of_minutes(minutes).heart_rate
    np.testing.assert_allclose(found[1:-1], middle, atol=1e-12)
    assert found[0] == pytest.approx((2.0 * left[0] + left[1]) / 3.0)


def test_learning_gives_back_what_people_were_made_with():
    rng = np.random.default_rng(5)
    task, rest = rng.normal(0.6, 1.2, 40_000), rng.normal(-0.3, 1.2, 60_000)
    task[::7] = np.nan
    learnt = learn(task, rest)
    assert learnt.rest == pytest.approx(-0.3, abs=0.02)
    assert learnt.task == pytest.approx(0.6, abs=0.02)
    assert learnt.variance == pytest.approx(1.44, abs=0.03)


def test_learning_asks_for_minutes_of_both_kinds():
    with pytest.raises(ValueError, match="1 of tasks and 3 of rest"):
        learn(np.array([0.4, np.nan]), np.arange(3.0))


def test_what_is_said_is_calibrated_in_people_who_obey_the_model():
    rng = np.random.default_rng(6)
    learnt = (Learnt(-0.3, 0.5, 1.0), Learnt(-0.4, 0.8, 1.2))
    task = rng.random(200_000) < 0.5
    z = [rng.normal(np.where(task, one.task, one.rest), np.sqrt(one.variance)) for one in learnt]
    z[0][rng.random(task.size) < 0.3] = np.nan
    chance = 1.0 / (1.0 + np.exp(-log_likelihood_ratio(z, learnt)))
    for low in np.arange(0.1, 0.9, 0.1):
        inside = (chance >= low) & (chance < low + 0.1)
        assert task[inside].mean() == pytest.approx(chance[inside].mean(), abs=0.02)


# ---- what must hold for any person


@settings(max_examples=25)
@given(st.floats(0.6, 1.6), st.floats(0.05, 20.0), st.integers(-1000, 1000))
def test_the_index_does_not_see_a_persons_usual_level_nor_the_date(faster: float, wetter: float, days: int):
    minutes = an_hour()
    assert minutes.hr_bpm is not None
    assert minutes.tonic_microsiemens is not None
    other = replace(
        minutes,
        time=minutes.time + np.timedelta64(days, "D"),
        hr_bpm=faster * minutes.hr_bpm,
        tonic_microsiemens=wetter * minutes.tonic_microsiemens,
    )
    same(arousal_of_minutes(other), arousal_of_minutes(minutes))


def test_a_faster_heart_and_a_rising_level_raise_the_index():
    minutes = an_hour()
    assert minutes.hr_bpm is not None
    assert minutes.tonic_microsiemens is not None
    task = slice(30, 40)
    faster, rising = minutes.hr_bpm.copy(), np.zeros(N)
    faster[task] *= 1.15
    rising[task] = 0.1
    for changed in ({"hr_bpm": faster}, {"tonic_microsiemens": minutes.tonic_microsiemens * np.exp(rising.cumsum())}):
        other = arousal_of_minutes(replace(minutes, **changed))
        assert other.index[task].mean() > arousal_of_minutes(minutes).index[task].mean() + 0.5


def test_a_heart_that_only_follows_movement_is_no_arousal():
    movement = np.full(N, 4.0)
    movement[30:40] = 400.0
    rng = np.random.default_rng(8)
    hr_bpm = 65.0 * np.exp(0.012 * np.sqrt(movement) + 0.02 * rng.standard_normal(N))
    minutes = an_hour(movement=movement, hr_bpm=hr_bpm)
    adjusted = arousal_of_minutes(minutes).heart_rate[31:39]
    taken_as_it_is = arousal_of_minutes(minutes, adjust_for=frozenset()).heart_rate[31:39]
    assert taken_as_it_is.mean() > 3.0
    assert adjusted.mean() < 0.5 * taken_as_it_is.mean()


# ---- what is missing


def test_one_signal_alone_speaks_for_itself_and_says_so():
    minutes = an_hour()
    both = arousal_of_minutes(minutes)
    heart = arousal_of_minutes(replace(minutes, tonic_microsiemens=None))
    skin = arousal_of_minutes(replace(minutes, hr_bpm=None))
    np.testing.assert_allclose(heart.index + skin.index, both.index)
    assert (heart.reason == ArousalReason.HEART_RATE_ONLY).all()
    assert (skin.reason == ArousalReason.CONDUCTANCE_ONLY).all()
    assert (both.reason == ArousalReason.NONE).all()
    assert AUROC[ArousalReason.NONE] > max(AUROC[ArousalReason.HEART_RATE_ONLY], AUROC[ArousalReason.CONDUCTANCE_ONLY])
    assert heart.index.std() < both.index.std()


def test_a_gap_is_a_gap():
    minutes = an_hour()
    assert minutes.hr_bpm is not None
    assert minutes.tonic_microsiemens is not None
    hr_bpm, level = minutes.hr_bpm.copy(), minutes.tonic_microsiemens.copy()
    hr_bpm[20:25] = np.nan
    level[22:30] = np.nan
    found = arousal_of_minutes(replace(minutes, hr_bpm=hr_bpm, tonic_microsiemens=level))
    assert np.isnan(found.index[22:25]).all()
    assert (found.reason[22:25] == ArousalReason.NO_SIGNAL).all()
    assert (found.reason[20:22] == ArousalReason.CONDUCTANCE_ONLY).all()
    assert (found.reason[25:30] == ArousalReason.HEART_RATE_ONLY).all()
    assert np.isfinite(np.delete(found.index, slice(22, 25))).all()


@pytest.mark.parametrize(
    "minutes",
    [
        an_hour(FEWEST_MIN - 1),
        an_hour(hr_bpm=None, tonic_microsiemens=None),
        an_hour(hr_bpm=np.full(N, 70.0), tonic_microsiemens=np.full(N, 1.0)),
        an_hour(hr_bpm=np.full(N, 7.0), tonic_microsiemens=np.zeros(N)),
        an_hour(hr_quality=np.full(N, 0.4), tonic_quality=np.full(N, 0.4)),
        an_hour(0),
    ],
    ids=["too short", "neither", "never changing", "impossible", "hardly measured", "empty"],
)
def test_where_nothing_can_be_said_there_is_a_reason(minutes: Minutes):
    found = arousal_of_minutes(minutes)
    assert np.isnan(found.index).all()
    assert np.isnan(found.chance).all()
    assert (found.reason == ArousalReason.NO_SIGNAL).all()
    assert ArousalReason.NO_SIGNAL.ja


def test_a_record_of_days_is_adjusted_for_time_of_day_and_a_short_one_is_not():
    n = 4 * 24 * 60
    hour = np.arange(n) / 60.0 % 24.0
    rng = np.random.default_rng(9)
    daily = 70.0 * np.exp(0.2 * np.cos(2.0 * np.pi * hour / 24.0) + 0.05 * rng.standard_normal(n))
    minutes = an_hour(n, hr_bpm=daily)
    wave = np.cos(2.0 * np.pi * hour / 24.0)
    assert abs(np.corrcoef(arousal_of_minutes(minutes).heart_rate, wave)[0, 1]) < 0.02
    assert np.corrcoef(arousal_of_minutes(minutes, adjust_for=IN_SHORT).heart_rate, wave)[0, 1] > 0.9
    two_hours = an_hour(120)
    same(arousal_of_minutes(two_hours), arousal_of_minutes(two_hours, adjust_for=IN_SHORT))


def test_warmth_posture_and_sleep_are_taken_out_where_they_are_known():
    n = 6 * 60
    rng = np.random.default_rng(10)
    skin_c = 33.0 + np.cumsum(0.1 * rng.standard_normal(n))
    posture_deg = 45.0 + 40.0 * np.sign(np.sin(np.arange(n) / 5.0))
    asleep = (np.arange(n) >= n // 2).astype(float)
    upright, warming = np.sin(np.radians(posture_deg)), rise(skin_c)
    minutes = an_hour(
        n,
        tonic_microsiemens=np.exp(0.3 * (skin_c - 33.0) + 0.01 * np.cumsum(rng.standard_normal(n))),
        hr_bpm=60.0 * np.exp(0.1 * upright - 0.1 * asleep + 0.04 * rng.standard_normal(n)),
        skin_temp_c=skin_c,
        air_temp_c=np.full(n, 21.0),
        posture_deg=posture_deg,
        asleep=asleep,
    )
    plain = signals_of_minutes(minutes, adjust_for=frozenset())
    less = signals_of_minutes(minutes, adjust_for=frozenset({Input.WARMTH, Input.POSTURE, Input.SLEEP}))
    for before, after, cause in (
        (plain.heart_rate, less.heart_rate, upright),
        (plain.heart_rate, less.heart_rate, asleep),
        (plain.conductance_rise, less.conductance_rise, warming),
    ):
        assert abs(np.corrcoef(before, cause)[0, 1]) > 0.5
        assert abs(np.corrcoef(after, cause)[0, 1]) < 0.25


# ---- from a timeline


def test_a_timeline_of_heart_rate_alone_gives_an_index_and_an_empty_one_none():
    time = START + np.arange(3600) * np.timedelta64(1000, "ms")
    rng = np.random.default_rng(11)
    hr_bpm = np.repeat(70.0 * np.exp(0.05 * rng.standard_normal(60)), 60)
    found = arousal_index(Timeline(Person("P"), series=(Series("hr_bpm", time, hr_bpm, site="wrist", source="made"),)))
    assert found is not None
    assert (found.reason == ArousalReason.HEART_RATE_ONLY).all()
    assert arousal_index(Timeline(Person("P"))) is None
