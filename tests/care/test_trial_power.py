from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from scipy.stats import nct, t

from unaji.care import trial_power
from unaji.care.trial import Change, TrialPlan, design_trial
from unaji.care.trial_effect import TrialVerdict
from unaji.care.trial_power import Assumed, power


def plan(outcome: str, blocks: int, **changes: object) -> TrialPlan:
    asked: dict[str, object] = {
        "question": "?", "change": Change.AVOID, "kind": "caffeine", "start": date(2026, 4, 6), "timezone": "UTC",
        "registered_at": datetime(2026, 4, 1, tzinfo=UTC), "seed": 3,
    }  # fmt: skip
    return design_trial(outcome=outcome, blocks=blocks, **(asked | changes))  # type: ignore[arg-type]


def test_the_power_for_ratings_is_that_of_the_paired_t_test():
    # Independent days, all but a tenth of them logged: the pairs that are left have a noncentral t distribution.
    found = power(plan("felt_heat", 20), 1.0, Assumed(rating_sd=1.5, autocorrelation=0.0))
    pairs = 20 * 0.9**2
    expected = nct.sf(t.ppf(0.9, pairs - 1), pairs - 1, 1.0 / (1.5 * 2**0.5 / pairs**0.5))
    assert found.tells == pytest.approx(expected, abs=0.06)


def test_a_short_trial_of_a_rare_symptom_says_that_it_can_hardly_tell():
    found = power(plan("episodes", 7), 0.5, Assumed(per_day=0.3))
    assert found.tells < 0.4
    assert found.blocks_needed is None or found.blocks_needed > 30


def test_a_longer_trial_tells_more_and_none_misleads_often():
    short, long = (power(plan("episodes", blocks), 0.5) for blocks in (10, 40))
    assert long.tells > short.tells + 0.15
    assert max(short.misleads, long.misleads) <= 0.13
    assert long.helps <= long.tells


def test_three_blocks_never_say_helps():
    found = power(plan("neck_stiffness", 3, change=Change.TREAT, kind="acupuncture"), 3.0)
    assert found.helps == 0
    assert found.tells > 0.7


def test_the_same_plan_has_the_same_chances():
    assert power(plan("felt_heat", 8), 1.0) == power(plan("felt_heat", 8), 1.0)


def test_more_sleep_is_looked_for_upwards():
    assert power(plan("sleep_quality", 20), 2.0).tells > 0.9


@pytest.mark.parametrize(("outcome", "blocks"), [("episodes", 12), ("episodes", 20), ("felt_heat", 12)])
def test_the_test_by_orders_parts_helps_from_probably_helps_and_nothing_else(outcome, blocks, monkeypatch):
    monkeypatch.setattr(trial_power, "N_SIMULATED", 60)
    good = (TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS)
    tried = plan(outcome, blocks)
    effect = 0.75 if tried.counts else 1.0
    with_orders, without = (trial_power._verdicts(tried, effect, Assumed(), seed) for seed in (3, None))
    assert TrialVerdict.HELPS in with_orders
    assert TrialVerdict.HELPS not in without
    assert [one in good for one in with_orders] == [one in good for one in without]
