"""What is decided about a person: the distributions of the specification, kernels, intensities, treatment."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.people.triggers import BACKGROUND, CANDIDATES
from unaji.people.truth import causal_filter, lag_kernel, treatment_dose

STATED = {"pressure_drop": 0.3, "caffeine": 0.2}


def test_a_lag_kernel_sums_to_one_and_has_its_mean():
    rng = np.random.default_rng(0)
    for _ in range(50):
        mean, shape = np.exp(rng.uniform(np.log(15), np.log(1440))), rng.uniform(1, 4)
        kernel = lag_kernel(mean, shape)
        middle = (np.arange(kernel.size) + 0.5) * 5
        assert kernel.sum() == pytest.approx(1)
        assert (kernel >= 0).all()
        # The cut at 99.9 % takes away the tail.
        assert (kernel * middle).sum() == pytest.approx(mean, rel=0.02, abs=0.3)


def test_a_lag_kernel_of_shape_one_is_exponential():
    kernel = lag_kernel(60, 1)
    assert_allclose(kernel[1:30] / kernel[:29], np.exp(-5 / 60))


def test_filtering_is_convolution_that_hears_only_the_past():
    rng = np.random.default_rng(1)
    signal, kernel = rng.random(300), lag_kernel(90, 2.5)
    assert_allclose(causal_filter(signal, kernel), np.convolve(signal, kernel)[:300], atol=1e-12)
    pulse = np.zeros(300)
    pulse[100] = 1
    assert_allclose(causal_filter(pulse, kernel)[:100], 0, atol=1e-15)


def test_treatment_dose_matches_a_loop():
    sessions, tau_d = (30.0, 100.0, 107.0), 5.0
    dose = treatment_dose(sessions, tau_d, 2000)
    for i in (0, 359, 360, 1200, 1999):
        at = (i + 0.5) / 12
        total = sum(np.exp(-(at - s) / 24 / tau_d) for s in sessions if s < at)
        assert dose[i] == pytest.approx(1 - np.exp(-total))
    assert dose[:360].max() == 0


def test_people_are_drawn_from_the_stated_distributions(population: list[SimulatedPerson]):
    truths = [person.truth for person in population]
    n = len(truths)
    counts = np.bincount([len(t.causes) for t in truths], minlength=5) / n
    assert_allclose(counts, [0, 0.30, 0.35, 0.20, 0.15], atol=0.09)
    assert np.mean([t.generator == "additive" for t in truths]) == pytest.approx(0.75, abs=0.08)
    assert np.mean([t.echo is not None for t in truths]) == pytest.approx(0.40, abs=0.09)
    assert np.mean([t.frailty_shape is not None for t in truths]) == pytest.approx(0.40, abs=0.09)
    assert np.mean([t.drift_sd is not None for t in truths]) == pytest.approx(0.50, abs=0.09)
    assert np.mean([t.treatment is not None for t in truths]) == pytest.approx(0.50, abs=0.09)
    several = [t for t in truths if len(t.causes) >= 2]
    assert np.mean([t.hidden_cause is not None for t in several]) == pytest.approx(0.10, abs=0.06)
    target = np.log([t.target_episodes for t in truths])
    assert np.log(10) <= target.min()
    assert target.max() <= np.log(80)
    assert target.mean() == pytest.approx((np.log(10) + np.log(80)) / 2, abs=0.12)
    assert np.mean([t.rounding_min > 0 for t in truths]) == pytest.approx(0.5, abs=0.09)
    assert {t.rounding_min for t in truths} == {0, 15, 30}
    assert np.mean([t.omission_share for t in truths]) == pytest.approx(0.125, abs=0.02)


def test_treatments_are_drawn_from_the_stated_distributions(population: list[SimulatedPerson]):
    plans = [(person.truth.treatment, person) for person in population if person.truth.treatment]
    assert np.mean([plan.full_dose_ratio == 1 for plan, _ in plans]) == pytest.approx(0.35, abs=0.12)
    assert np.mean([plan.triggers_only for plan, _ in plans]) == pytest.approx(0.30, abs=0.12)
    for plan, person in plans:
        assert 3 <= plan.tau_d <= 14
        assert plan.full_dose_ratio == 1 or 0.25 <= plan.full_dose_ratio <= 0.85
        assert plan.full_dose_ratio <= plan.mean_ratio <= 1 + 1e-12
        assert 1 <= len(plan.session_h) <= 10
        if not plan.after_worst_week:
            begun = plan.session_h[0] / 24 / person.world.n_days
            assert 0.2 <= begun <= 0.55
        gaps = np.diff([h // 24 for h in plan.session_h])
        assert set(gaps) <= {3, 4, 7}


def test_causes_stay_inside_their_ranges(population: list[SimulatedPerson]):
    for person in population:
        for cause in person.truth.causes:
            low, high = CANDIDATES[cause.id].lag_min
            assert low <= cause.lag_mean_min <= high
            assert 1 <= cause.lag_shape <= 4
            assert (cause.hinge is None) == (CANDIDATES[cause.id].kind == "dose")
            assert cause.hinge in (None, 0.5, 0.7, 0.85)
            assert (cause.rate_ratio is None) == (person.truth.generator == "additive")
            assert cause.rate_ratio is None or 3 <= cause.rate_ratio <= 12
        total = sum(cause.share for cause in person.truth.causes)
        if person.truth.generator == "additive":
            assert 0.35 - 1e-9 <= total <= 0.85 + 1e-9
        assert 0 < total < 1


def test_every_candidate_becomes_a_cause_about_equally_often(population: list[SimulatedPerson]):
    drawn = [cause.id for person in population for cause in person.truth.causes]
    counts = np.array([drawn.count(name) for name in CANDIDATES])
    # Alcohol and heat are without contrast in some lives; nothing else is.
    assert counts.min() > 0.4 * counts.mean()
    assert counts.max() < 1.6 * counts.mean()


def plain_person(**settings: object) -> SimulatedPerson:
    """Return a person without bad days, drift or echo, so that the intensity is what was stated and no more."""
    for seed in range(200):
        person = simulate_person(np.random.default_rng(seed), **settings)
        if person.truth.frailty_shape is None and person.truth.drift_sd is None and person.truth.echo is None:
            return person
    raise AssertionError("no seed below 200 gives a plain person")


def test_stated_shares_are_the_expected_counts():
    person = plain_person(causes=list(STATED), shares=STATED, target_episodes=40, treatment=False)
    for name, share in STATED.items():
        assert person.truth.expected[name] == pytest.approx(40 * share)
    assert person.truth.expected[BACKGROUND] == pytest.approx(20)
    assert not person.intensity.rate[:, ~person.world.awake[person.world.period]].any()


def test_the_additive_rate_is_the_lagged_driver_above_its_hinge():
    person = plain_person(causes=["pressure_drop"], shares={"pressure_drop": 0.5}, target_episodes=30, treatment=False)
    (cause,) = person.truth.causes
    world = person.world
    awake = world.awake[world.period]
    exposure = world.exposure("pressure_drop")
    hinge = np.quantile(exposure[world.period][awake], cause.hinge)
    kernel = lag_kernel(cause.lag_mean_min, cause.lag_shape)
    lagged = np.convolve(np.maximum(exposure - hinge, 0), kernel)[world.period.start : world.n_bins] * awake
    assert_allclose(person.intensity.rate[0], 15 * lagged / lagged.sum(), atol=1e-12)


def test_the_log_linear_rate_is_the_background_times_the_product_of_ratios():
    person = plain_person(causes=["stress", "caffeine"], generator="log_linear", treatment=False)
    world, truth = person.world, person.truth
    awake = world.awake[world.period]
    product = np.ones(awake.size)
    for cause in truth.causes:
        exposure = world.exposure(cause.id)
        if cause.hinge is not None:
            exposure = np.maximum(exposure - np.quantile(exposure[world.period][awake], cause.hinge), 0)
        kernel = lag_kernel(cause.lag_mean_min, cause.lag_shape)
        lagged = np.convolve(exposure, kernel)[world.period.start : world.n_bins]
        product *= cause.rate_ratio ** np.minimum(lagged / np.quantile(lagged[awake], 0.99), 1.2)
    rate = person.intensity.rate
    assert_allclose(rate.sum(axis=0)[awake], (rate[-1] * product)[awake], rtol=1e-8)


def test_the_background_has_its_daily_wave():
    person = plain_person(null=True, treatment=False, target_episodes=20)
    rate, truth = person.intensity.rate[0], person.truth
    hour = np.arange(rate.size) / 12 % 24
    wave = 1 + truth.background_amplitude * np.cos(2 * np.pi * (hour - truth.background_peak_h) / 24)
    awake = rate > 0
    assert_allclose(rate[awake] / wave[awake], rate.sum() / wave[awake].sum())


@pytest.mark.parametrize("triggers_only", [True, False])
def test_treatment_damps_what_it_is_said_to_damp(triggers_only: bool):
    settings = {"causes": list(STATED), "shares": STATED, "full_dose_ratio": 0.4}
    for seed in range(100):
        treated = simulate_person(np.random.default_rng(seed), treatment=True, **settings)
        if treated.truth.treatment.triggers_only == triggers_only:
            break
    plain = simulate_person(np.random.default_rng(seed), treatment=False, **settings)
    plan = treated.truth.treatment
    dose = treatment_dose(plan.session_h, plan.tau_d, treated.observed.size)
    damped = plain.intensity.rate * 0.4**dose
    if triggers_only:
        damped[-1] = plain.intensity.rate[-1]
    assert_allclose(treated.intensity.rate, damped)


def test_shares_must_leave_some_background():
    with pytest.raises(ValueError, match="background"):
        simulate_person(np.random.default_rng(0), causes=["stress"], shares={"stress": 1.0})
    with pytest.raises(ValueError, match="additive"):
        simulate_person(np.random.default_rng(0), causes=["stress"], shares={"stress": 0.5}, generator="log_linear")
