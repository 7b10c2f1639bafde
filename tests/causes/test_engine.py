"""The engine as a whole: what it finds, what it refuses to say, and the edge cases that have to be right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.signal import lfilter

from unaji.causes import engine
from unaji.causes.attribution import SignalState, Verdict
from unaji.causes.design import Course, Design, Onset, Trigger
from unaji.causes.engine import attribute
from unaji.causes.grid import make_grid, with_observed
from unaji.causes.marks import episode_marks
from unaji.records.timeline import Zones

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
DAYS = 70


@pytest.fixture(autouse=True, scope="module")
def shorter_chains():
    """A quarter of the sweeps: enough for what is asked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "SWEEPS", 1000)
        patch.setattr(engine, "BURN_IN", 500)
        patch.setattr(engine, "RERUN_SWEEPS", 1500)
        yield


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def ou(rng: np.random.Generator, n: int, tau_min: float) -> np.ndarray:
    keep = np.exp(-5 / tau_min)
    return lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(n))


@pytest.fixture(scope="module")
def grid():
    whole = make_grid(START, at(DAYS - 0.1), Zones(("Asia/Tokyo",)))
    return with_observed(whole, (whole.local_hour >= 7) & (whole.local_hour < 23))


@pytest.fixture(scope="module")
def person(grid):
    """Three of four episodes an hour after a rise of `guilty`; `bystander` has nothing to do with them."""
    rng = np.random.default_rng(8)
    guilty, bystander = ou(rng, grid.n_bins, 240), ou(rng, grid.n_bins, 240)
    driver = np.maximum(0, guilty - np.quantile(guilty, 0.7))
    rate = np.convolve(driver, np.ones(18) / 18)[: grid.n_bins] * grid.observed
    caused = rng.choice(grid.n_bins, 40, replace=False, p=rate / rate.sum())
    others = rng.choice(grid.n_bins, 14, replace=False, p=grid.observed / grid.observed.sum())
    bins = np.unique(np.concatenate([caused, others]))
    bins = bins[np.concatenate([[True], np.diff(bins) > 4])]  # none so close that they would be merged
    onsets = tuple(Onset(at((b * 5 + 2) / 1440)) for b in bins)
    triggers = (Trigger("guilty", "level", guilty, (30, 240)), Trigger("bystander", "level", bystander, (30, 240)))
    return Design(grid, triggers, onsets)


@pytest.fixture(scope="module")
def found(person):
    return attribute(person, seed=1)


def of(result, name):
    return next(c for c in result.causes if c.id == name)


def test_a_true_cause_is_found_and_a_bystander_is_not(found):
    assert of(found, "guilty").verdict is Verdict.CAUSE
    assert of(found, "guilty").share.p5 < 0.73 < of(found, "guilty").share.p95  # about 37 of 50 by construction
    assert of(found, "bystander").verdict in (Verdict.OPEN, Verdict.UNLIKELY, Verdict.CANNOT_TELL)
    assert of(found, "guilty").shift_p <= 0.05
    assert of(found, "guilty").rate_ratio.p5 > 1
    assert of(found, "bystander").rate_ratio is None


def test_every_episode_has_a_distribution_over_sources(found):
    assert found.episodes.p.shape == (found.n_episodes, 4)
    assert found.episodes.p.sum(axis=1) == pytest.approx(np.ones(found.n_episodes))


def test_shares_and_intensity_account_for_the_episodes(found, person):
    """The posterior mean intensity over observed time adds up to about the number of episodes."""
    assert found.intensity.sum() == pytest.approx(found.n_episodes, rel=0.15)
    assert found.intensity.shape == (4, person.grid.n_bins)
    assert (found.intensity >= 0).all()


def test_the_share_of_a_cause_is_its_share_if_it_is_one_times_the_probability_that_it_is(found):
    for cause in found.causes:
        assert cause.share.mean == pytest.approx(cause.p_cause * cause.share_if_cause.mean, abs=0.01)
    bystander = of(found, "bystander")
    assert bystander.share_if_cause.p95 > bystander.share.p95


def test_half_the_exposure_avoids_less_than_all_of_it_and_echoes_go_with_their_parents(found):
    guilty = of(found, "guilty")
    assert 0 < guilty.avoidable_half.mean < guilty.avoidable.mean
    assert guilty.avoidable.mean >= guilty.episodes_explained.mean * 0.99
    assert guilty.avoidable.p95 <= found.n_episodes


def test_the_same_seed_gives_the_same_numbers_and_another_seed_nearly_the_same(person, found):
    again, other = attribute(person, seed=1), attribute(person, seed=2)
    assert repr(again.causes) == repr(found.causes)
    assert np.array_equal(again.cause_draws, found.cause_draws)
    for one, two in zip(found.causes, other.causes, strict=True):
        assert one.p_cause == pytest.approx(two.p_cause, abs=0.06)


def test_the_order_of_episodes_and_triggers_does_not_matter(person, found):
    turned = attribute(replace(person, onsets=person.onsets[::-1], triggers=person.triggers[::-1]), seed=1)
    for cause in found.causes:
        error = 4 * np.hypot(cause.p_cause_mcse, of(turned, cause.id).p_cause_mcse)
        assert of(turned, cause.id).p_cause == pytest.approx(cause.p_cause, abs=max(error, 0.02))


def test_no_episodes_gives_an_upper_bound_of_the_rate_and_no_verdict(person):
    result = attribute(replace(person, onsets=()))
    assert not result.fitted
    assert {c.verdict for c in result.causes} == {Verdict.CANNOT_TELL}
    # The rule of three: 3 / T, with T the 70 days of 16 observed hours.
    assert result.rate_upper_per_week == pytest.approx(3 / (DAYS * 16 / 24 / 7))


@pytest.mark.parametrize("n", [1, 4])
def test_with_one_to_four_episodes_nothing_is_said_beyond_open(person, n):
    result = attribute(replace(person, onsets=person.onsets[:n]))
    assert result.fitted
    assert {c.verdict for c in result.causes} <= {Verdict.OPEN, Verdict.CANNOT_TELL}
    assert result.episodes.p.shape[0] == n


def test_one_bad_day_is_not_a_cause(person, grid):
    """Ten episodes on the one day on which the exposure was high."""
    level = np.where(grid.day == 20, 5.0, np.random.default_rng(1).normal(size=grid.n_bins) * 0.1)
    onsets = tuple(Onset(at(20 + 8 / 24 + 1.3 * k / 24)) for k in range(10))
    result = attribute(Design(grid, (Trigger("that_day", "level", level, (30, 240)),), onsets))
    assert of(result, "that_day").verdict in (Verdict.OPEN, Verdict.CANNOT_TELL)
    assert result.checks["distinct_days"] == 1


def test_triggers_without_contrast_or_signal_leave_the_model_and_say_why(person, grid):
    steady = Trigger("steady", "level", np.full(grid.n_bins, 2.0))
    lost = Trigger("lost", "level", np.where(grid.day < 20, grid.local_hour, np.nan))
    result = attribute(replace(person, triggers=(*person.triggers, steady, lost)))
    assert of(result, "steady").signal is SignalState.NO_CONTRAST
    assert of(result, "lost").signal is SignalState.INSUFFICIENT
    assert {of(result, n).verdict for n in ("steady", "lost")} == {Verdict.CANNOT_TELL}
    assert np.isnan(of(result, "lost").p_cause)
    assert of(result, "guilty").p_cause > 0.9


def test_a_trigger_that_stands_still_until_a_date_is_judged_by_what_varies(person, grid):
    late = np.where(grid.day < 40, 0.0, person.triggers[0].value)
    result = attribute(replace(person, triggers=(Trigger("late", "level", late, (30, 240)),)))
    assert of(result, "late").signal is SignalState.OK
    assert 0 < of(result, "late").exposed_share < 0.4


def test_exact_duplicates_share_one_component(person):
    twin = replace(person.triggers[0], id="twin")
    result = attribute(replace(person, triggers=(*person.triggers, twin)))
    assert of(result, "twin").alias_of == "guilty"
    assert of(result, "twin").p_cause == of(result, "guilty").p_cause
    assert result.episodes.p.sum(axis=1) == pytest.approx(np.ones(result.n_episodes))


def test_two_triggers_that_go_together_are_reported_as_one_of_the_two(person, grid):
    noise = np.random.default_rng(3).normal(size=grid.n_bins)
    near = Trigger("near", "level", person.triggers[0].value + 0.05 * noise, (30, 240))
    result = attribute(replace(person, triggers=(*person.triggers, near)), seed=5)
    p = {c.id: c.p_cause for c in result.causes}
    assert min(p["near"], p["guilty"]) > 0.1  # neither is dropped silently
    assert max(p["near"], p["guilty"]) < 0.8
    assert [set(pair.ids) for pair in result.pairs] == [{"guilty", "near"}]
    assert result.pairs[0].correlation < 0
    assert result.pairs[0].p_either > 0.95


def test_two_episodes_within_a_quarter_hour_count_once(person):
    extra = Onset(person.onsets[3].time + timedelta(minutes=9))
    result = attribute(replace(person, onsets=(*person.onsets, extra)))
    assert result.n_episodes == len(person.onsets)
    assert result.merged == 1


def test_a_night_episode_is_kept_and_counted(person):
    night = Onset(at(10 + 3 / 24))
    result = attribute(replace(person, onsets=(*person.onsets, night)))
    assert result.n_episodes == len(person.onsets) + 1
    assert result.checks["onsets_in_unobserved_time"] == 1


def test_an_episode_known_by_its_date_alone_takes_part(person):
    result = attribute(replace(person, onsets=(*person.onsets[:8], Onset(at(33), whole_day=True))))
    assert result.n_episodes == 9


@pytest.mark.parametrize(("days_with", "comparable"), [(35, True), (66, False)])
def test_days_of_which_only_the_date_of_an_episode_is_known_saturate_a_record_too(person, days_with, comparable):
    """With an episode on 66 of 70 days hardly a day is left to compare with: not even "unlikely" may be said."""
    onsets = tuple(Onset(at(d + 0.5), whole_day=True) for d in range(days_with))
    result = attribute(replace(person, onsets=onsets))
    assert result.checks["near_onset_share"] == pytest.approx(days_with / DAYS, abs=0.01)
    assert all((c.verdict is not Verdict.CANNOT_TELL) == comparable for c in result.causes)


def test_sessions_before_the_recording_still_act_in_it(person):
    treated = replace(person, courses=(Course("acupuncture", (at(-2),)),))
    result = attribute(treated)
    (treatment,) = result.treatments
    assert treatment.dose[:, 0].min() > 0
    assert treatment.dose[0, 60] < 1e-6


def test_nothing_tracked_explains_is_said_when_it_is_so(grid):
    rng = np.random.default_rng(2)
    onsets = tuple(Onset(at(d + 0.3 + 0.5 * rng.random())) for d in rng.permutation(DAYS)[:40])
    dull = tuple(Trigger(f"t{k}", "level", ou(rng, grid.n_bins, 30), (5, 40)) for k in range(2))
    result = attribute(Design(grid, dull, onsets), seed=4)
    assert result.background.mean > 0.6
    assert max(c.p_cause for c in result.causes) < 0.1
    assert result.checks["nothing_tracked_explains"] == 1


def test_nothing_tracked_is_not_said_when_nothing_could_be_fitted(person, grid):
    steady = (Trigger("steady", "level", np.full(grid.n_bins, 1.0)),)
    assert attribute(replace(person, triggers=steady)).checks["nothing_tracked_explains"] == 0


def test_an_exposure_that_is_nearly_always_there_takes_part_and_disturbs_nobody(person, grid):
    """On two days of three: its median is its maximum, so the contrast is being without it."""
    mostly = Trigger("mostly", "level", (np.arange(grid.n_bins) // 288 % 3 > 0).astype(float), (30, 240))
    without, with_it = (
        attribute(person, seed=3),
        attribute(replace(person, triggers=(*person.triggers, mostly)), seed=3),
    )
    assert of(with_it, "mostly").signal is SignalState.OK
    assert np.isfinite(of(with_it, "mostly").exposed_share)
    assert of(with_it, "guilty").p_cause == pytest.approx(of(without, "guilty").p_cause, abs=0.05)


def test_doses_after_all_observed_time_have_no_contrast(person, grid):
    late = np.zeros(grid.n_bins)
    late[-12:] = 1.0  # the last hour before midnight, asleep
    result = attribute(replace(person, triggers=(*person.triggers, Trigger("late", "dose", late))))
    assert of(result, "late").signal is SignalState.NO_CONTRAST


def test_twins_must_be_alike_in_kind_and_lag_too(person):
    other = replace(person.triggers[0], id="slow", lag_min=(120, 1440))
    assert of(attribute(replace(person, triggers=(*person.triggers, other))), "slow").alias_of is None


def test_with_few_episodes_none_is_named_and_that_is_marked(person):
    result = attribute(replace(person, onsets=person.onsets[:4]))
    assert result.checks["prior_dominated"] == 1
    assert all(result.episodes.named(i) == () for i in range(4))


def test_a_rare_dose_has_a_rate_ratio_above_one(grid):
    """Exposed for less than a twentieth of the time: the 95 % quantile of the feature would be nothing."""
    rng = np.random.default_rng(6)
    doses = rng.choice(np.flatnonzero(grid.observed)[:-10], 25, replace=False)
    value = np.zeros(grid.n_bins)
    value[doses] = 1.0
    onsets = tuple(Onset(at((b * 5 + 17) / 1440)) for b in np.sort(doses))
    result = attribute(Design(grid, (Trigger("dose", "dose", value, (5, 40)),), onsets))
    assert of(result, "dose").verdict is Verdict.CAUSE
    assert of(result, "dose").rate_ratio.p5 > 5


def test_progress_rises_to_one_and_may_stop_the_run(person):
    seen: list[float] = []
    attribute(person, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)

    class StoppedError(Exception):
        pass

    def stop(_: float) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        attribute(person, progress=stop)


def test_chains_that_disagree_are_run_again_longer(person, monkeypatch):
    monkeypatch.setattr(engine, "MAX_CHAIN_GAP", -1.0)
    assert attribute(person).sweeps == engine.RERUN_SWEEPS


def protected(grid, rate_when_much: float, seed: int) -> Design:
    """Episodes on half of the days with much of something, at a rate relative to that of the other days."""
    rng = np.random.default_rng(seed)
    much = rng.random(grid.n_days) < 0.5
    rate = np.where(much, rate_when_much, 1.0)[grid.day] * grid.observed
    bins = np.sort(rng.choice(grid.n_bins, 60, replace=False, p=rate / rate.sum()))
    onsets = tuple(Onset(at((b * 5 + 2) / 1440)) for b in bins)
    level = np.where(much, 8.0, 2.0)[grid.day]
    return Design(grid, (Trigger("sleep_quality", "protector", level), Trigger("idle", "level", level * 0)), onsets)


def test_what_protects_is_found_and_is_no_candidate_for_having_set_off_an_episode(grid):
    result = attribute(protected(grid, 0.2, seed=3), seed=1)
    (protector,) = result.protectors
    assert protector.p_protects > 0.95
    assert protector.ratio.mean == pytest.approx(0.2, abs=0.15)
    assert protector.ratio.p95 < 0.6
    assert [c.id for c in result.causes] == ["idle"]
    assert "sleep_quality" not in result.episodes.sources


def test_what_does_not_protect_is_not_said_to(grid):
    (protector,) = attribute(protected(grid, 1.0, seed=4), seed=1).protectors
    assert protector.p_protects < 0.7
    assert protector.ratio.p5 < 1 <= protector.ratio.p95


def test_a_protector_without_contrast_is_not_fitted(grid):
    onsets = tuple(Onset(at(d + 0.5)) for d in range(20))
    result = attribute(Design(grid, (Trigger("flat", "protector", np.full(grid.n_bins, 3.0)),), onsets), seed=1)
    assert [(p.signal, p.ratio) for p in result.protectors] == [(SignalState.NO_CONTRAST, None)]
    nothing = attribute(Design(grid, (Trigger("flat", "protector", np.full(grid.n_bins, 3.0)),), ()), seed=1)
    assert [p.signal for p in nothing.protectors] == [SignalState.NO_CONTRAST]


def test_two_kinds_of_treatment_are_told_apart(grid):
    """The first kind, in the second third, does nothing; the second kind, in the last third, all but ends it."""
    rng = np.random.default_rng(6)
    rate = np.where(grid.day > 48, 0.05, 1.0) * grid.observed
    bins = np.sort(rng.choice(grid.n_bins, 90, replace=False, p=rate / rate.sum()))
    idle = tuple(at(24 + 3 * k) for k in range(7))
    works = tuple(at(47 + 3 * k) for k in range(8))
    design = Design(grid, (), tuple(Onset(at((b * 5 + 2) / 1440)) for b in bins),
                    (Course("massage", idle), Course("needles", works)))  # fmt: skip
    massage, needles = attribute(design, seed=2).treatments
    assert (massage.kind, needles.kind) == ("massage", "needles")
    assert needles.delta.mean() > 1.0
    assert massage.delta.mean() < 0.5


def marked(grid, strong_share: float, seed: int) -> Design:
    """Half of the episodes follow doses; these are strong ones with a given probability, the others with 1/3."""
    rng = np.random.default_rng(seed)
    doses = np.sort(rng.choice(np.flatnonzero(grid.observed), 60, replace=False))
    amount = np.bincount(doses, minlength=grid.n_bins).astype(float)
    caused = rng.choice(doses, 16, replace=False) + rng.integers(3, 18, 16)
    others = rng.choice(np.flatnonzero(grid.observed), 24, replace=False)
    strong = np.concatenate([rng.random(16) < strong_share, rng.random(24) < 1 / 3])
    onsets = tuple(
        Onset(at((b * 5 + 2) / 1440), intensity=float(rng.integers(7, 10) if s else rng.integers(1, 6)))
        for b, s in zip(np.concatenate([caused, others]), strong, strict=True)
    )
    return Design(grid, (Trigger("dose", "dose", amount, (20, 120)),), onsets)


def test_how_strong_an_episode_was_speaks_for_the_source_whose_episodes_are_strong(grid):
    told, silent = [], []
    for seed in range(3):
        design = marked(grid, 0.95, seed)
        result = attribute(design, seed=1)
        unmarked = attribute(replace(design, onsets=tuple(replace(o, intensity=None) for o in design.onsets)), seed=1)
        order = sorted(design.onsets, key=lambda o: o.time)
        strong = np.array([o.intensity for o in order if o.time in result.episodes.onset]) > 6
        gain = (result.episodes.p - unmarked.episodes.p)[:, 0]
        told.append(gain[strong].mean())
        silent.append(gain[~strong].mean())
    assert np.mean(told) > 0.02
    assert np.mean(silent) < -0.01


def test_marks_sort_into_the_persons_own_thirds():
    onsets = [Onset(at(d), intensity=float(d % 9), end=at(d + (d + 1) / 96)) for d in range(18)]
    strength, length = episode_marks(onsets)
    assert np.bincount(strength).tolist() == [6, 6, 6]
    assert length.tolist() == sorted(length)
    assert episode_marks([replace(o, intensity=5.0, end=None) for o in onsets]).shape == (0, 18)
    some = [o if k < 10 else replace(o, intensity=None, end=None) for k, o in enumerate(onsets)]
    assert episode_marks(some)[0].tolist()[10:] == [-1] * 8
