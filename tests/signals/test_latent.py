"""Is the posterior exact, are its intervals honest, and does it say less where less was measured?"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator, default_rng
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from pytest import approx  # noqa: PT013

from unaji.records.timeline import Beats, FloatArray, Person, Series, Timeline
from unaji.signals import latent_fit
from unaji.signals.adjust import day_waves
from unaji.signals.latent import (
    CHANNELS,
    EVERY_INPUT,
    LONGEST_GAP_MIN,
    Channel,
    Input,
    Minutes,
    latent_of_minutes,
    latent_state,
    minutes_of,
)
from unaji.signals.latent_fit import DRIFT_MIN, FAST_MIN, FAST_SHARE, LONG_MIN, SLOW_MIN
from unaji.signals.reasons import StateReason

DAY = 1440
START = np.datetime64("2026-03-02T00:00", "ms")
HR, RMSSD, TONIC, DRIVE = CHANNELS[:4]


@dataclass(frozen=True)
class Simulated:
    """A person whose curves are known."""

    minutes: Minutes
    sympathetic: FloatArray
    vagal: FloatArray


def wander(rng: Generator, n: int, minutes: float) -> FloatArray:
    """Draw an AR(1) curve with variance 1 (the obvious loop)."""
    keep = np.exp(-1.0 / minutes)
    x = np.empty(n)
    x[0] = rng.normal()
    for t in range(1, n):
        x[t] = keep * x[t - 1] + np.sqrt(1.0 - keep**2) * rng.normal()
    return x


def simulate(
    seed: int,
    n: int = DAY,
    *,
    fast_min: float = FAST_MIN,
    scale: float = 1.0,
    heavy_tails: bool = False,
    unmeasured: float = 0.0,
) -> Simulated:
    """Draw a person from the model, or from one with other time constants, loadings and noise."""
    rng = default_rng(seed)
    fast, slow = np.sqrt(FAST_SHARE), np.sqrt(1.0 - FAST_SHARE)
    s, v = (fast * wander(rng, n, fast_min) + slow * wander(rng, n, SLOW_MIN) for _ in range(2))
    hour = np.arange(n) / 60.0 % 24.0
    moved = 400.0 * rng.random(n) ** 2 * (rng.random(n) < 0.3)
    waves = np.column_stack(day_waves(hour))

    def signal(c: Channel) -> FloatArray:
        noise = rng.standard_t(4.0, n) / np.sqrt(2.0) if heavy_tails else rng.normal(size=n)
        inputs = rng.normal(0.0, 0.3) * np.sqrt(moved) / 10.0 + waves @ rng.normal(0.0, 0.3, 4)
        other = unmeasured * wander(rng, n, 15.0)  # what nobody measured: a meal, talking
        curves = scale * (c.sympathetic * s + c.vagal * v) + c.drift * wander(rng, n, DRIFT_MIN)
        return c.spread * (curves + inputs + other + np.sqrt(c.noise_variance) * noise)

    minutes = Minutes(
        time=START + np.arange(n) * np.timedelta64(60_000, "ms"),
        local_hour=hour,
        hr_bpm=np.exp(np.log(70.0) + signal(HR)),
        rmssd_ms=np.exp(np.log(30.0) + signal(RMSSD)),
        tonic_microsiemens=np.exp(np.log(3.0) + signal(TONIC)),
        drive_microsiemens_min=np.maximum(np.exp(np.log(1.0) + signal(DRIVE)) - 0.05, 0.0),
        movement=moved,
    )
    return Simulated(minutes, s, v)


def covered(person: Simulated, z: float = 1.6449) -> tuple[float, float]:
    """Return the shares of minutes whose 90 % intervals hold the truth."""
    found = latent_of_minutes(person.minutes)
    inside_s = np.abs(found.sympathetic - person.sympathetic) < z * found.sympathetic_sd
    inside_v = np.abs(found.vagal - person.vagal) < z * found.vagal_sd
    return float(inside_s.mean()), float(inside_v.mean())


def only(minutes: Minutes, *names: str) -> Minutes:
    """Leave out all signals but those named."""
    signals = ("hr_bpm", "rmssd_ms", "tonic_microsiemens", "drive_microsiemens_min")
    return replace(minutes, **{name: None for name in signals if name not in names})


def with_gap(minutes: Minutes, begin: int, end: int) -> Minutes:
    """Lose every signal from one minute to another."""

    def cut(values: FloatArray) -> FloatArray:
        values = values.copy()
        values[begin:end] = np.nan
        return values

    names = ("hr_bpm", "rmssd_ms", "tonic_microsiemens", "drive_microsiemens_min")
    return replace(minutes, **{name: cut(getattr(minutes, name)) for name in names})


@pytest.mark.parametrize("per_step", [1, 5])
@pytest.mark.parametrize("borders", [(0, 30), (0, 10, 20, 30)], ids=str)
def test_the_posterior_is_that_of_the_joint_normal_distribution_by_brute_force(per_step: int, borders: tuple[int, ...]):
    """One dense normal distribution over all curves, effects and measurements, conditioned with linear algebra.

    In one stretch or in three, by the minute or on average over five.
    """
    from unaji.signals._kernels_latent import filter_forward, smooth_backward

    rng = default_rng(5)
    n, d, n_signals, n_effects = 30, 3, 2, 6
    keep, variance = np.array([0.9, 0.99, 0.5]), np.array([0.6, 0.4, 1.5])
    load, noise = rng.normal(size=(n_signals, d)), rng.uniform(0.2, 2.0, (n, n_signals))
    load[1, 0] = 0.0
    see = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    seen, own = rng.random((n, n_signals)) < 0.7, np.array([0, 4, 6])
    y, inputs = rng.normal(size=(n, n_signals)), rng.normal(size=(n, n_effects))
    effect_sd = np.array([3.0, 1.0, 0.5, 1.0, 3.0, 1.0])

    mean, cov = np.zeros((d, 1 + n_effects)), np.diag(variance)
    parts, moments = [], np.zeros((1 + n_effects, 1 + n_effects))
    for piece in (slice(a, b) for a, b in pairwise(borders)):
        run = filter_forward(
            y[piece], inputs[piece], own, seen[piece], noise[piece], load, keep, variance, mean, cov, moments
        )
        parts.append((piece, run))
    effect_cov = np.linalg.inv(moments[1:, 1:] + np.diag(effect_sd**-2.0))
    effect = effect_cov @ moments[1:, 0]
    r, big_n = np.zeros_like(mean), np.zeros_like(cov)
    smoothed = [
        smooth_backward(*run, seen[piece], load, keep, see, per_step, r, big_n) for piece, run in reversed(parts)
    ]
    view, view_cov = (np.concatenate(x[::-1]) for x in zip(*smoothed, strict=True))
    by_effect = view[:, :, 1:]
    found = view[:, :, 0] - by_effect @ effect
    found_cov = view_cov + by_effect @ effect_cov @ by_effect.transpose(0, 2, 1)

    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    prior = np.zeros((n, d, n, d))
    for i in range(d):
        prior[:, i, :, i] = variance[i] * keep[i] ** apart
    prior = prior.reshape(n * d, n * d)
    observe, x = np.zeros((n, n_signals, n, d)), np.zeros((n, n_signals, n_effects))
    for t in range(n):
        observe[t, :, t, :] = load
    x[:, 0, :4], x[:, 1, 4:] = inputs[:, :4], inputs[:, 4:]
    at = seen.ravel()
    h, big_x = observe.reshape(n * n_signals, n * d)[at], x.reshape(-1, n_effects)[at]
    of_y = h @ prior @ h.T + big_x @ np.diag(effect_sd**2) @ big_x.T + np.diag(noise.ravel()[at])
    gain = prior @ h.T @ np.linalg.inv(of_y)
    expected, left = gain @ y.ravel()[at], prior - gain @ h @ prior
    average = np.kron(np.kron(np.eye(n // per_step), np.ones((1, per_step)) / per_step), see)
    assert_allclose(found.ravel(), average @ expected, atol=1e-9)
    blocks = (average @ left @ average.T).reshape(n // per_step, 2, n // per_step, 2)
    assert_allclose(found_cov, np.stack([blocks[t, :, t, :] for t in range(n // per_step)]), atol=1e-9)
    assert_allclose(effect, np.diag(effect_sd**2) @ big_x.T @ np.linalg.inv(of_y) @ y.ravel()[at], atol=1e-9)


def test_the_compiled_loops_do_what_they_do_in_plain_python(monkeypatch: pytest.MonkeyPatch):
    from unaji.signals import _kernels_latent as kernels

    rng = default_rng(6)
    y, inputs, own = rng.normal(size=(12, 2)), rng.normal(size=(12, 3)), np.array([0, 2, 3])
    noise, load, see = np.ones((12, 2)), rng.normal(size=(2, 3)), np.array([[1.0, 1.0, 0.0]])
    seen, keep, variance = rng.random((12, 2)) < 0.8, np.array([0.9, 0.5, 0.99]), np.ones(3)

    def run() -> list[NDArray[np.float64]]:
        mean, cov, moments = np.zeros((3, 4)), np.eye(3), np.zeros((4, 4))
        forward = kernels.filter_forward(y, inputs, own, seen, noise, load, keep, variance, mean, cov, moments)
        r, big_n = np.zeros((3, 4)), np.zeros((3, 3))
        back = kernels.smooth_backward(*forward, seen, load, keep, see, 3, r, big_n)
        kernels.filter_one(y[0], inputs[0], own, seen[0], noise[0], load, np.ones(3), 6.0, mean, cov, moments)
        kernels.predict(mean, cov, keep, variance)
        return [*forward, *back, mean, cov, moments, r, big_n, kernels.quadratic(inputs, np.eye(3) + 0.5)]

    compiled = run()
    for name in vars(kernels).copy():
        if hasattr(getattr(kernels, name), "py_func"):
            monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    for one, other in zip(compiled, run(), strict=True):
        assert_allclose(one, other, atol=1e-12)


def test_ninety_percent_intervals_hold_ninety_percent_of_the_truth_where_the_model_is_right():
    shares = np.array([covered(simulate(seed)) for seed in range(12)])
    assert shares.mean(axis=0) == approx([0.9, 0.9], abs=0.04)


@pytest.mark.parametrize(
    "wrong",
    [{"fast_min": 20.0}, {"fast_min": 5.0}, {"scale": 0.7}, {"heavy_tails": True}, {"unmeasured": 0.3}],
    ids=str,
)
def test_intervals_hold_eighty_percent_where_the_model_is_somewhat_wrong(wrong: dict[str, float]):
    shares = np.array([covered(simulate(100 + seed, **wrong)) for seed in range(6)])  # type: ignore[arg-type]
    assert (shares.mean(axis=0) >= 0.8).all(), shares.mean(axis=0)


def test_an_hour_is_calibrated_too_and_wider_than_a_day():
    people = [simulate(200 + seed, 60) for seed in range(60)]
    shares = np.array([covered(person) for person in people])
    assert shares.mean(axis=0) == approx([0.9, 0.9], abs=0.05)
    hour = np.mean([latent_of_minutes(p.minutes).sympathetic_sd.mean() for p in people[:10]])
    assert hour > latent_of_minutes(simulate(1).minutes).sympathetic_sd.mean()


def test_the_curves_are_found_again():
    person = simulate(3)
    found = latent_of_minutes(person.minutes)
    assert np.corrcoef(found.sympathetic, person.sympathetic)[0, 1] > 0.6
    assert np.corrcoef(found.vagal, person.vagal)[0, 1] > 0.6


def test_signs_are_fixed_whatever_the_data():
    person = simulate(4)
    mirrored = replace(person.minutes, rmssd_ms=900.0 / person.minutes.rmssd_ms)  # type: ignore[operator]
    for fitted in latent_of_minutes(mirrored).fitted:
        assert fitted.sympathetic >= 0.0
        assert (fitted.vagal < 0.0) if fitted.name == "hr" else (fitted.vagal >= 0.0)


def test_with_skin_conductance_alone_vagal_activity_is_at_its_prior():
    found = latent_of_minutes(only(simulate(7).minutes, "tonic_microsiemens", "drive_microsiemens_min"))
    assert_allclose(found.vagal, 0.0, atol=1e-9)
    assert_allclose(found.vagal_sd, 1.0, atol=1e-9)
    assert (found.vagal_quality < 1e-9).all()
    assert (found.reason == StateReason.NO_VAGAL_SIGNAL).all()
    assert np.isnan(found.additional_hr_bpm).all()
    assert found.sympathetic_quality.mean() > 0.2


def test_with_heart_rate_alone_both_are_wide_and_the_intervals_still_hold():
    people = [simulate(20 + seed) for seed in range(6)]
    alone = [replace(p, minutes=only(p.minutes, "hr_bpm")) for p in people]
    assert (np.mean([covered(p) for p in alone], axis=0) >= 0.8).all()
    full, less = latent_of_minutes(people[0].minutes), latent_of_minutes(alone[0].minutes)
    assert less.sympathetic_sd.mean() > full.sympathetic_sd.mean() + 0.05
    assert less.vagal_sd.mean() > full.vagal_sd.mean() + 0.05
    assert less.vagal_sd.mean() > 0.7


def test_rmssd_alone_says_nothing_of_sympathetic_activity():
    found = latent_of_minutes(only(simulate(8).minutes, "rmssd_ms"))
    assert_allclose(found.sympathetic_sd, 1.0, atol=1e-9)
    assert (found.reason == StateReason.NO_SYMPATHETIC_SIGNAL).all()


def test_in_a_gap_the_uncertainty_grows_until_nothing_is_said():
    found = latent_of_minutes(with_gap(simulate(9).minutes, 600, 800))
    edge = np.arange(600, 600 + LONGEST_GAP_MIN)
    assert (np.diff(found.sympathetic_sd[edge]) > 0.0).all()
    assert (found.reason[edge] == StateReason.CARRIED).all()
    silent = slice(600 + LONGEST_GAP_MIN, 800 - LONGEST_GAP_MIN)
    assert np.isnan(found.sympathetic[silent]).all()
    assert np.isnan(found.vagal_sd[silent]).all()
    assert (found.reason[silent] == StateReason.GAP).all()
    assert (found.sympathetic_quality[silent] == 0.0).all()
    assert np.isfinite(found.sympathetic[[600 + LONGEST_GAP_MIN - 1, 800 - LONGEST_GAP_MIN]]).all()
    assert np.isnan(found.additional_hr_bpm[600:800]).all()


def test_additional_heart_rate_is_what_movement_does_not_explain():
    """Movement adds up to 26 % to the heart rate; an hour of 12 bpm without movement stands out."""
    rng = default_rng(11)
    person = simulate(11).minutes
    moved = person.movement
    assert moved is not None
    hr = 65.0 * np.exp(0.13 * np.sqrt(moved) / 10.0 + rng.normal(0.0, 0.02, DAY))
    hr[700:760] += 12.0
    record = only(replace(person, hr_bpm=hr), "hr_bpm")
    whatever_the_hour = EVERY_INPUT - {Input.TIME_OF_DAY}
    found = latent_of_minutes(record, adjust_for=whatever_the_hour)
    calm = np.delete(np.arange(DAY), np.arange(680, 780))
    assert found.additional_hr_bpm[700:760].mean() == approx(12.0, abs=1.5)
    assert abs(found.additional_hr_bpm[calm].mean()) < 1.5
    moving = calm[moved[calm] > 200.0]
    assert abs(found.additional_hr_bpm[moving].mean() - found.additional_hr_bpm[calm].mean()) < 1.0
    unadjusted = latent_of_minutes(record, adjust_for=whatever_the_hour - {Input.MOVEMENT})
    assert unadjusted.additional_hr_bpm[moving].mean() > 5.0
    assert found.sympathetic[700:760].mean() > found.sympathetic[calm].mean() + 0.5


def test_the_balance_is_surer_than_either_with_heart_rate_alone_and_its_intervals_hold():
    people = [simulate(1000 + seed) for seed in range(30)]
    shares = []
    for person in people:
        found = latent_of_minutes(only(person.minutes, "hr_bpm"))
        truth = (person.sympathetic - person.vagal) / np.sqrt(2.0)
        shares.append(np.mean(np.abs(found.balance - truth) < 1.6449 * found.balance_sd))
        assert found.balance_sd.mean() < min(found.sympathetic_sd.mean(), found.vagal_sd.mean()) - 0.1
    assert np.mean(shares) == approx(0.9, abs=0.05)


def test_less_rmssd_than_expected_is_a_reduction():
    rng = default_rng(12)
    rmssd = 40.0 * np.exp(rng.normal(0.0, 0.1, DAY))
    rmssd[300:330] *= 0.5
    found = latent_of_minutes(only(replace(simulate(12).minutes, rmssd_ms=rmssd), "rmssd_ms"))
    assert found.rmssd_reduction_ms[300:330].mean() == approx(20.0, abs=3.0)
    assert found.vagal[305:325].mean() < -1.0


def test_the_trunks_angle_explains_a_heart_rate_that_follows_it():
    rng = default_rng(13)
    upright = np.repeat(rng.random(DAY // 20) < 0.5, 20) * 90.0
    minutes = only(replace(simulate(13).minutes, hr_bpm=65.0 * np.exp(0.12 * upright / 90.0)), "hr_bpm")
    minutes = replace(minutes, hr_bpm=minutes.hr_bpm * np.exp(rng.normal(0.0, 0.02, DAY)))  # type: ignore[operator]
    without = latent_of_minutes(minutes)
    with_angle = latent_of_minutes(replace(minutes, posture_deg=upright))
    assert with_angle.sympathetic.std() < 0.5 * without.sympathetic.std()


def test_warm_air_explains_a_level_of_conductance_that_follows_it():
    rng = default_rng(18)
    air = 22.0 + 6.0 * np.repeat(rng.random(DAY // 60), 60)
    minutes = only(simulate(18).minutes, "tonic_microsiemens")
    minutes = replace(minutes, tonic_microsiemens=2.0 * np.exp(0.15 * (air - 22.0) + rng.normal(0.0, 0.02, DAY)))
    without, with_air = latent_of_minutes(minutes), latent_of_minutes(replace(minutes, air_temp_c=air))
    assert with_air.sympathetic.std() < 0.5 * without.sympathetic.std()


def test_skin_that_cools_speaks_of_sympathetic_activity_where_asked_for():
    rng = default_rng(19)
    n = 180
    time_ms = START + np.arange(n) * np.timedelta64(60_000, "ms")
    cooling = np.zeros(n)
    cooling[90:110] = -0.1
    skin_c = 33.0 + np.cumsum(cooling) + rng.normal(0.0, 0.005, n)
    hr = Series("hr_bpm", time_ms, 65.0 + rng.normal(0.0, 2.0, n))
    timeline = Timeline(Person("p"), series=(hr, Series("skin_temp_c", time_ms, skin_c, site="wrist")))
    plain, with_slope = latent_state(timeline), latent_state(timeline, skin_slope=True)
    assert plain is not None
    assert with_slope is not None
    assert [f.name for f in plain.fitted] == ["hr"]
    assert [f.name for f in with_slope.fitted] == ["hr", "skin_slope"]
    rise = with_slope.sympathetic - plain.sympathetic
    assert rise[92:110].mean() > rise[:80].mean() + 0.3


def test_a_doubled_unit_of_conductance_changes_nothing():
    minutes = simulate(14).minutes
    tonic = minutes.tonic_microsiemens
    assert tonic is not None
    one, other = latent_of_minutes(minutes), latent_of_minutes(replace(minutes, tonic_microsiemens=2.0 * tonic))
    assert_allclose(one.sympathetic, other.sympathetic, atol=1e-9)


@pytest.mark.parametrize("value", [60.0, np.nan, np.inf, 0.0, -1.0, 1e9], ids=str)
def test_a_flat_or_impossible_signal_gives_a_reason(value: float):
    person = simulate(15, 100).minutes
    found = latent_of_minutes(only(replace(person, hr_bpm=np.full(100, value)), "hr_bpm"))
    assert np.isnan(found.sympathetic).all()
    assert (found.reason == StateReason.NO_SIGNAL).all()
    assert StateReason(found.reason[0]).ja
    assert found.fitted == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 60), st.sampled_from([1e-6, 1.0, 1e6]))
def test_any_noise_gives_finite_numbers_or_a_reason(seed: int, n: int, scale: float):
    rng = default_rng(seed)
    with_holes = [np.where(rng.random(n) < 0.3, np.nan, scale * rng.standard_cauchy(n)) for _ in range(5)]
    minutes = Minutes(
        START + np.arange(n) * np.timedelta64(60_000, "ms"),
        np.zeros(n),
        *with_holes,
        movement=scale * rng.standard_cauchy(n),
        air_temp_c=np.full(n, np.nan),
    )
    found = latent_of_minutes(minutes)
    said = np.isfinite(found.sympathetic)
    assert said.shape == (n,)
    assert (np.isin(found.reason[~said], [StateReason.GAP, StateReason.NO_SIGNAL])).all()
    assert (found.sympathetic_sd[said] <= 1.0 + 1e-9).all()
    assert (found.sympathetic_sd[said] > 0.0).all()


def test_three_beats_are_too_few_for_anything():
    time_ms = START + np.array([0, 800, 1600], dtype="timedelta64[ms]")
    beats = Beats(time_ms, np.array([800.0, 800.0, 800.0]), np.zeros(3, dtype=bool))
    found = latent_state(Timeline(Person("p"), beats=beats))
    assert found is not None
    assert (found.reason == StateReason.NO_SIGNAL).all()


def test_nothing_recorded_gives_nothing():
    assert latent_state(Timeline(Person("p"))) is None


def test_a_timeline_is_read_by_the_minute():
    time_ms = START + np.arange(0, 3_600_000, 1000).astype("timedelta64[ms]")
    hr = 70.0 + 5.0 * np.sin(np.arange(3600) / 300.0)
    minutes = minutes_of(Timeline(Person("p"), series=(Series("hr_bpm", time_ms, hr),)))
    assert minutes is not None
    assert minutes.hr_bpm is not None
    assert_allclose(minutes.hr_bpm, hr.reshape(60, 60).mean(axis=1))
    assert minutes.tonic_microsiemens is None
    found = latent_state(Timeline(Person("p"), series=(Series("hr_bpm", time_ms, hr),)))
    assert found is not None
    assert [f.name for f in found.fitted] == ["hr"]


def test_a_long_record_has_no_seams(monkeypatch: pytest.MonkeyPatch):
    """Worked on day by day it has the curves it has in one go, to the last digits."""
    minutes = with_gap(simulate(16, 3 * DAY + 200).minutes, 2 * DAY - 100, 2 * DAY + 50)
    at_once = latent_of_minutes(minutes)
    with monkeypatch.context() as patched:
        patched.setattr(
            latent_fit.Fit,
            "blocks",
            lambda self, per_step=1: [slice(0, DAY), slice(DAY, 2 * DAY), slice(2 * DAY, 3 * DAY + 200)],
        )
        patched.setattr(latent_fit.Fit, "learn", lambda self: None)
        in_parts = latent_of_minutes(minutes)
        patched.setattr(latent_fit.Fit, "blocks", lambda self, per_step=1: [slice(0, 3 * DAY + 200)])
        whole = latent_of_minutes(minutes)
    assert at_once.time.size == 3 * DAY + 200
    for name in ("sympathetic", "sympathetic_sd", "vagal", "vagal_sd", "balance_sd", "additional_hr_bpm"):
        assert_allclose(getattr(in_parts, name), getattr(whole, name), atol=1e-9)


def test_more_than_a_week_is_one_record_with_one_zero():
    """Twelve days whose heart rate rises by 0.8 spreads from one week to the next: the curves tell of it."""
    person = simulate(16, 12 * DAY)
    later = np.arange(12 * DAY) >= LONG_MIN
    minutes = only(person.minutes, "hr_bpm", "rmssd_ms")
    whole = latent_of_minutes(minutes)
    assert len(whole.fitted) == 2
    inside = np.abs(whole.sympathetic - person.sympathetic) < 1.6449 * whole.sympathetic_sd
    assert inside.mean() == approx(0.9, abs=0.04)
    near = slice(LONG_MIN - 60, LONG_MIN + 60)
    assert inside[near].mean() > 0.6
    moved = latent_of_minutes(replace(minutes, hr_bpm=minutes.hr_bpm * np.where(later, np.exp(0.8 * 0.12), 1.0)))  # type: ignore[operator]
    rise = moved.balance - whole.balance
    assert rise[later].mean() - rise[~later].mean() > 0.3


def test_the_average_of_five_minutes_is_that_of_its_minutes_and_its_interval_holds_ninety_percent():
    shares = []
    for seed in range(12):
        person = simulate(300 + seed)
        steps = latent_of_minutes(person.minutes, per_step=5)
        minutes = latent_of_minutes(person.minutes)
        assert_allclose(steps.sympathetic, minutes.sympathetic.reshape(-1, 5).mean(axis=1), atol=1e-9)
        assert_allclose(steps.additional_hr_bpm, minutes.additional_hr_bpm.reshape(-1, 5).mean(axis=1), atol=1e-9)
        # Minutes err together: surer than a minute, by far less than if they erred each by itself.
        assert (steps.vagal_sd <= minutes.vagal_sd.reshape(-1, 5).max(axis=1)).all()
        assert (steps.vagal_sd > 1.2 * minutes.vagal_sd.reshape(-1, 5).mean(axis=1) / np.sqrt(5.0)).all()
        for name in ("sympathetic", "vagal"):
            truth = getattr(person, name).reshape(-1, 5).mean(axis=1)
            shares.append(np.mean(np.abs(getattr(steps, name) - truth) < 1.6449 * getattr(steps, f"{name}_sd")))
    assert np.mean(shares) == approx(0.9, abs=0.03)


def test_a_step_may_be_longer_than_a_day_and_must_divide_the_record():
    minutes = simulate(22, 4 * DAY).minutes
    half, parts = latent_of_minutes(minutes, per_step=2 * DAY), latent_of_minutes(minutes)
    assert_allclose(half.vagal, parts.vagal.reshape(2, -1).mean(axis=1), atol=1e-9)
    with pytest.raises(ValueError, match="per_step"):
        latent_of_minutes(minutes, per_step=7)


def test_a_mean_over_five_minutes_counts_once():
    """The same heart rate as one mean of five minutes is less sure than as five measurements."""
    begin = START + np.arange(0, 600, 5) * np.timedelta64(60_000, "ms")
    hr = 65.0 + default_rng(21).normal(0.0, 4.0, begin.size)
    means = Series("hr_bpm", begin, hr, begin + np.timedelta64(300_000, "ms"))
    minutes = minutes_of(Timeline(Person("p"), series=(means,)))
    assert minutes is not None
    assert minutes.hr_bpm is not None
    assert np.flatnonzero(np.isfinite(minutes.hr_bpm)).tolist() == list(range(2, 600, 5))
    assert_allclose(minutes.hr_bpm[2::5], hr)


def test_shapes_that_differ_and_missing_minutes_are_refused():
    grid = START + np.array([0, 1, 3]) * np.timedelta64(60_000, "ms")
    with pytest.raises(ValueError, match="hr_bpm"):
        Minutes(grid, np.zeros(3), hr_bpm=np.zeros(4))
    with pytest.raises(ValueError, match="consecutive"):
        latent_of_minutes(Minutes(grid, np.zeros(3)))


def test_the_import_does_not_load_the_compiler():
    code = "import sys, unaji.signals.latent; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
