"""The autonomic state of simulated people: stress is seen, movement and time of day are not, gaps stay gaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.records.timeline import Beats, Exposure, FloatArray, Person, Series, TimeArray, Timeline, Zones
from unaji.signals.latent import latent_state
from unaji.signals.reasons import StateReason
from unaji.signals.state import LATENT, AutonomicState, autonomic_state

MIDNIGHT_IN_TOKYO = datetime(2024, 3, 1, 15, 0, tzinfo=UTC)
VALUES = (
    "hr_bpm",
    "rmssd_ms",
    "sdnn_ms",
    "scl_microsiemens",
    "scr_microsiemens",
    "skin_temp_c",
    "activity",
    "sympathetic_index",
)


def minutes(days: int) -> TimeArray:
    start = np.datetime64(MIDNIGHT_IN_TOKYO.replace(tzinfo=None), "ms")
    return start + 60_000 * np.arange(days * 1440).astype("timedelta64[ms]")


def minute_series(quantity: str, minute: TimeArray, value: FloatArray, site: str = "") -> Series:
    return Series(quantity, minute, value, minute + np.timedelta64(1, "m"), site)


def beats_from(rng: np.random.Generator, minute: TimeArray, hr_bpm: FloatArray, jitter_ms: FloatArray) -> Beats:
    """Give 40 beats at the start of every tenth minute, each stretch a piece of its own."""
    rows = np.arange(0, minute.size, 10)
    rri_ms = 60_000 / hr_bpm[rows, None] + jitter_ms[rows, None] * rng.standard_normal((rows.size, 40))
    when = minute[rows, None] + np.round(np.cumsum(rri_ms, axis=1)).astype("timedelta64[ms]")
    gap = np.zeros(rri_ms.shape, dtype=bool)
    gap[:, 0] = True
    return Beats(when.ravel(), rri_ms.ravel(), gap.ravel(), "strap", "no")


def simulated(days: int = 14, seed: int = 1) -> tuple[Timeline, np.ndarray]:
    """Give a person with walks, nights, warm afternoons and three stressful half hours a day, and those minutes."""
    rng = np.random.default_rng(seed)
    minute = minutes(days)
    hour = np.arange(minute.size) / 60 % 24
    awake = (hour >= 7) & (hour < 23)
    walking = awake & (np.sin(np.arange(minute.size) / 37) > 0.9)
    stress = np.zeros(minute.size, dtype=bool)
    for day in range(days):
        for at in rng.choice(np.arange(8, 22), 3, replace=False):
            stress[day * 1440 + at * 60 + 5 :][:30] = True
    moved_mg = np.where(walking, 150, np.where(awake, 15, 2)) * np.exp(0.3 * rng.standard_normal(minute.size))
    warmth_c = 33 + 1.5 * np.sin(2 * np.pi * (hour - 9) / 24) + 0.2 * rng.standard_normal(minute.size)
    noise = np.repeat(rng.standard_normal(minute.size // 5), 5)
    hr_bpm = 58 + 8 * awake + 6 * np.sin(2 * np.pi * (hour - 9) / 24) + 2.2 * np.sqrt(moved_mg) + 9 * stress + 3 * noise
    jitter_ms = np.exp(3.3 - 0.4 * awake - 0.03 * np.sqrt(moved_mg) - 0.4 * stress)
    scl = np.exp(0.5 + 0.3 * (warmth_c - 33) + 0.4 * stress + 0.1 * np.repeat(rng.standard_normal(minute.size // 5), 5))
    nights = tuple(
        Exposure(
            MIDNIGHT_IN_TOKYO + timedelta(days=d - 1, hours=23), "sleep", MIDNIGHT_IN_TOKYO + timedelta(days=d, hours=7)
        )
        for d in range(days + 1)
    )
    timeline = Timeline(
        Person("p", "Asia/Tokyo", simulated=True),
        Zones(("Asia/Tokyo",)),
        series=(
            minute_series("hr_bpm", minute, hr_bpm, "wrist"),
            minute_series("activity_mg", minute, moved_mg, "wrist"),
            minute_series("scl_microsiemens", minute, scl, "wrist"),
            minute_series("skin_temp_c", minute, warmth_c, "wrist"),
        ),
        beats=beats_from(rng, minute, hr_bpm, jitter_ms),
        exposures=nights,
    )
    return timeline, stress


def state_of(timeline: Timeline, step_s: float = 300.0) -> AutonomicState:
    state = autonomic_state(timeline, step_s=step_s)
    assert state is not None
    return state


def test_stress_is_seen_and_movement_and_time_of_day_are_not():
    timeline, stress = simulated()
    state = state_of(timeline)
    index, stressed = state.sympathetic_index, stress.reshape(-1, 5).mean(axis=1) > 0.5
    assert state.channels == ("hr", "rmssd", "scl")
    assert np.isfinite(index).all()
    assert index[stressed].mean() > 2.5
    assert abs(index[~stressed].mean()) < 0.4
    assert index[~stressed].std() == pytest.approx(1.0, abs=0.25)

    calm_hour = (np.arange(index.size) / 12 % 24)[~stressed]
    by_hour = [index[~stressed][calm_hour // 1 == h].mean() for h in range(24)]
    assert np.ptp(by_hour) < 1.0
    assert abs(np.corrcoef(index[~stressed], np.sqrt(state.activity[~stressed]))[0, 1]) < 0.1
    # The raw heart rate is a clock and a pedometer.
    raw = [state.hr_bpm[~stressed][calm_hour // 1 == h].mean() for h in range(24)]
    assert np.ptp(raw) > 15


def test_conductance_that_follows_warmth_is_not_called_arousal():
    timeline, stress = simulated()
    alone = state_of(replace(timeline, series=tuple(s for s in timeline.series if s.quantity != "hr_bpm"), beats=None))
    assert alone.channels == ("scl",)
    calm = stress.reshape(-1, 5).mean(axis=1) == 0
    assert abs(np.corrcoef(alone.sympathetic_index[calm], alone.skin_temp_c[calm])[0, 1]) < 0.1
    assert np.corrcoef(np.log(alone.scl_microsiemens[calm]), alone.skin_temp_c[calm])[0, 1] > 0.8


@pytest.mark.parametrize("without", ["hr_bpm", "scl_microsiemens", "beats"])
def test_its_spread_does_not_depend_on_which_signals_there_are(without: str):
    timeline, stress = simulated()
    calm = stress.reshape(-1, 5).mean(axis=1) == 0
    kept = tuple(s for s in timeline.series if s.quantity != without)
    state = state_of(replace(timeline, series=kept, beats=None if without == "beats" else timeline.beats))
    assert np.nanstd(state.sympathetic_index[calm]) == pytest.approx(1.0, abs=0.3)


def test_the_hours_are_those_of_the_persons_clock():
    """The same person with the same clock readings in New York has the same state."""
    timeline, _ = simulated(days=5)
    shift = np.timedelta64(14, "h")  # early March: Tokyo is 14 hours ahead
    moved = replace(
        timeline,
        zones=Zones(("America/New_York",)),
        series=tuple(
            replace(s, time=s.time + shift, end=None if s.end is None else s.end + shift) for s in timeline.series
        ),
        beats=replace(timeline.beats, time=timeline.beats.time + shift) if timeline.beats else None,
        exposures=tuple(
            replace(e, start=e.start + timedelta(hours=14), end=e.end and e.end + timedelta(hours=14))
            for e in timeline.exposures
        ),
    )
    here, there = state_of(timeline), state_of(moved)
    np.testing.assert_allclose(there.sympathetic_index, here.sympathetic_index, atol=1e-8)
    other_clock = state_of(replace(moved, zones=Zones(("Asia/Tokyo",)), exposures=()))
    assert np.abs(other_clock.sympathetic_index - here.sympathetic_index).max() > 0.05


def test_gaps_stay_gaps():
    timeline, _ = simulated(days=4)
    off = slice(2000, 2600)  # the minutes in which nothing was worn; 2000 and 2600 are edges of steps
    worn = np.ones(4 * 1440, dtype=bool)
    worn[off] = False
    assert timeline.beats is not None
    first, last = minutes(4)[off.start], minutes(4)[off.stop]
    on = (timeline.beats.time < first) | (timeline.beats.time >= last)
    beats = replace(
        timeline.beats, time=timeline.beats.time[on], rri_ms=timeline.beats.rri_ms[on], gap=timeline.beats.gap[on]
    )
    series = tuple(replace(s, time=s.time[worn], value=s.value[worn], end=s.end[worn]) for s in timeline.series)
    state = state_of(replace(timeline, series=series, beats=beats))
    for name in VALUES:
        assert np.isnan(getattr(state, name)[400:520]).all(), name
        assert (state.quality[name][400:520] == 0).all(), name
    assert np.isfinite(state.sympathetic_index[:400]).all()
    assert np.isfinite(state.sympathetic_index[520:]).all()


def test_quality_says_how_much_was_measured():
    timeline, _ = simulated(days=4)
    assert timeline.beats is not None
    state = state_of(timeline)
    for name in VALUES:
        assert state.quality[name].shape == state.time.shape
        assert ((state.quality[name] >= 0) & (state.quality[name] <= 1)).all()
    np.testing.assert_allclose(state.quality["hr_bpm"], 1.0)
    # Beats were taken for about half a minute of every second step.
    assert 0.08 < state.quality["rmssd_ms"][::2].mean() < 0.2
    assert (state.quality["rmssd_ms"][1::2] == 0).all()
    np.testing.assert_allclose(state.quality["sympathetic_index"], np.tile([1.0, 2 / 3], state.time.size // 2))


def test_nothing_of_heart_sweat_or_skin_gives_no_state():
    timeline, _ = simulated(days=1)
    moved_only = tuple(s for s in timeline.series if s.quantity == "activity_mg")
    assert autonomic_state(replace(timeline, series=moved_only, beats=None)) is None
    assert autonomic_state(Timeline(Person("p"))) is None


def test_skin_temperature_alone_gives_a_state_without_an_index():
    timeline, _ = simulated(days=1)
    state = state_of(
        replace(timeline, series=tuple(s for s in timeline.series if s.quantity == "skin_temp_c"), beats=None)
    )
    assert state.channels == ()
    assert np.isnan(state.sympathetic_index).all()
    assert np.isfinite(state.skin_temp_c).all()
    assert (state.quality["sympathetic_index"] == 0).all()


def test_heart_rate_comes_from_beats_where_there_are_enough_and_from_the_series_elsewhere():
    when = np.datetime64("2024-03-01T12:00", "ms") + 800 * np.arange(1, 375).astype("timedelta64[ms]")
    beats = Beats(when, np.full(374, 800.0), np.zeros(374, dtype=bool), "ecg", "no")
    minute = np.datetime64("2024-03-01T12:00", "ms") + 60_000 * np.arange(10).astype("timedelta64[ms]")
    state = state_of(Timeline(Person("p"), series=(minute_series("hr_bpm", minute, np.full(10, 70.0)),), beats=beats))
    np.testing.assert_allclose(state.hr_bpm, [75.0, 70.0])
    assert state.sdnn_ms[0] == 0.0
    assert np.isnan(state.sdnn_ms[1])


def test_an_artefact_among_the_beats_does_not_reach_the_indices():
    rng = np.random.default_rng(7)
    rri_ms = 800 + 20 * rng.standard_normal(370)
    when = np.datetime64("2024-03-01T12:00", "ms") + np.round(np.cumsum(rri_ms)).astype("timedelta64[ms]")
    wrong_ms = rri_ms.copy()
    wrong_ms[[50, 150, 250]] = [1600.0, 350.0, 1500.0]
    clean, dirty = (
        state_of(Timeline(Person("p"), beats=Beats(when, x, np.zeros(370, dtype=bool)))) for x in (rri_ms, wrong_ms)
    )
    assert dirty.rmssd_ms[0] == pytest.approx(clean.rmssd_ms[0], rel=0.02)
    assert dirty.sdnn_ms[0] == pytest.approx(clean.sdnn_ms[0], rel=0.02)
    assert dirty.quality["rmssd_ms"][0] < clean.quality["rmssd_ms"][0]


def test_rmssd_of_a_pulse_wave_needs_most_of_the_step():
    """A minute and a half of beats is plenty from a chest strap, and a sign of movement from a wrist."""
    rri_ms = 800 + 20 * np.random.default_rng(8).standard_normal(112)
    when = np.datetime64("2024-03-01T12:00", "ms") + np.round(np.cumsum(rri_ms)).astype("timedelta64[ms]")
    strap, wrist = (
        state_of(Timeline(Person("p"), beats=Beats(when, rri_ms, np.zeros(112, dtype=bool), origin)))
        for origin in ("strap", "ppg")
    )
    assert np.isfinite(strap.rmssd_ms).all()
    assert np.isnan(wrist.rmssd_ms).all()
    np.testing.assert_allclose(wrist.hr_bpm, strap.hr_bpm)


def test_a_makers_variability_is_used_only_without_beats():
    timeline, _ = simulated(days=1)
    night = minute_series("rmssd_ms", minutes(1), np.full(1440, 200.0))
    both = replace(timeline, series=(*timeline.series, night))
    assert np.nanmax(state_of(both).rmssd_ms) < 100
    np.testing.assert_allclose(state_of(replace(both, beats=None)).rmssd_ms, 200.0)


def test_steps_stand_in_for_acceleration():
    timeline, _ = simulated(days=4)
    steps = replace(next(s for s in timeline.series if s.quantity == "activity_mg"), quantity="steps")
    others = tuple(s for s in timeline.series if s.quantity != "activity_mg")
    state = state_of(replace(timeline, series=(*others, steps)))
    assert state.activity_unit == "steps/min"
    np.testing.assert_allclose(state.activity, state_of(timeline).activity)
    np.testing.assert_allclose(state.sympathetic_index, state_of(timeline).sympathetic_index)


def test_shorter_steps_tell_the_same_story():
    timeline, stress = simulated(days=5)
    state = state_of(timeline, step_s=60.0)
    assert state.time.size == 5 * 1440
    assert np.nanmean(state.sympathetic_index[stress]) > np.nanmean(state.sympathetic_index[~stress]) + 2


def test_the_hidden_curves_are_on_the_same_steps_with_honest_doubt_and_a_reason():
    timeline, stress = simulated(days=10)
    state = state_of(timeline)
    stressed = stress.reshape(-1, 5).mean(axis=1) > 0.5
    for name in LATENT:
        assert getattr(state, name).shape == state.time.shape, name
    assert (state.latent_reason == StateReason.NONE).all()
    assert state.sympathetic[stressed].mean() > state.sympathetic[~stressed].mean() + 0.5
    assert state.additional_hr_bpm[stressed].mean() > state.additional_hr_bpm[~stressed].mean() + 5.0
    assert ((state.sympathetic_sd > 0.0) & (state.sympathetic_sd < 1.0)).all()
    assert (state.balance_sd < np.maximum(state.sympathetic_sd, state.vagal_sd)).all()
    np.testing.assert_allclose(state.balance, (state.sympathetic - state.vagal) / np.sqrt(2.0), atol=1e-12)


def test_the_hidden_curves_are_the_averages_of_the_minutes_that_the_latent_model_gives():
    timeline, _ = simulated(days=3)
    minutes_, state = latent_state(timeline), state_of(timeline)
    assert minutes_ is not None
    assert minutes_.time[0] == state.time[0]
    for name in ("sympathetic", "vagal", "balance", "additional_hr_bpm"):
        expected = getattr(minutes_, name).reshape(-1, 5).mean(axis=1)
        np.testing.assert_allclose(getattr(state, name), expected, atol=1e-9)


def test_without_heart_and_sweat_the_hidden_curves_are_silent_and_say_why():
    timeline, _ = simulated(days=1)
    skin = tuple(s for s in timeline.series if s.quantity == "skin_temp_c")
    state = state_of(replace(timeline, series=skin, beats=None))
    assert np.isnan(state.sympathetic).all()
    assert (state.latent_reason == StateReason.NO_SIGNAL).all()


def test_a_step_is_whole_minutes():
    with pytest.raises(ValueError, match="whole minutes"):
        autonomic_state(simulated(days=1)[0], step_s=90.0)
