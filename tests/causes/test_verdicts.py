from __future__ import annotations

from dataclasses import replace

import pytest

from unaji.causes.attribution import CauseResult, Estimate, SignalState, Verdict
from unaji.causes.verdicts import verdict_of


def result(
    p: float,
    *,
    bound: float = 0.4,
    shift_p: float = 0.01,
    signal: SignalState = SignalState.OK,
    exposed: float = 0.3,
) -> CauseResult:
    share = Estimate(bound / 2, 0.0, bound)
    return CauseResult(
        "k", signal, Verdict.OPEN, p, 0.0, share, share, share, share, None, None, "any", shift_p, 0.0, 0.0,
        exposed_share=exposed,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "n", "days", "verdict"),
    [
        (result(0.95), 30, 20, Verdict.CAUSE),
        (result(0.95, shift_p=0.06), 30, 20, Verdict.LIKELY),
        (result(0.95, shift_p=float("nan")), 30, 20, Verdict.LIKELY),
        (result(0.95), 30, 3, Verdict.LIKELY),
        (result(0.95), 30, 2, Verdict.OPEN),
        (result(0.95), 4, 4, Verdict.OPEN),
        (result(0.7), 30, 20, Verdict.LIKELY),
        (result(0.69), 30, 20, Verdict.OPEN),
        (result(0.1), 30, 20, Verdict.OPEN),
        (result(0.09, bound=0.14), 30, 20, Verdict.UNLIKELY),
        (result(0.09, bound=0.14, exposed=0.05), 30, 20, Verdict.CANNOT_TELL),
        (result(0.09, bound=0.14, exposed=0.05), 50, 20, Verdict.UNLIKELY),
        (result(0.09, bound=0.15), 30, 20, Verdict.CANNOT_TELL),
        (result(0.02, bound=0.0), 4, 4, Verdict.CANNOT_TELL),
        (result(float("nan"), signal=SignalState.NO_CONTRAST), 30, 20, Verdict.CANNOT_TELL),
        (result(0.99), 0, 0, Verdict.CANNOT_TELL),
    ],
)
def test_the_word_follows_from_probability_bound_and_amount_of_data(given, n, days, verdict):
    assert verdict_of(given, n_episodes=n, distinct_days=days) is verdict


def test_without_time_free_of_episodes_nothing_can_be_compared():
    for p in (0.02, 0.95):
        assert verdict_of(result(p), n_episodes=30, distinct_days=20, near_onset=0.85) is Verdict.CANNOT_TELL


def test_a_cause_that_a_placebo_outdoes_drops_one_word():
    for p, shift_p, verdict in ((0.95, 0.01, Verdict.LIKELY), (0.95, 0.2, Verdict.OPEN), (0.75, 0.01, Verdict.OPEN)):
        given = result(p, shift_p=shift_p)
        assert verdict_of(given, n_episodes=30, distinct_days=20, placebo_best=0.96) is verdict
    assert verdict_of(result(0.95), n_episodes=30, distinct_days=20, placebo_best=0.94) is Verdict.CAUSE


def test_what_explains_the_episodes_before_it_better_may_be_a_companion():
    assert replace(result(0.6), p_backwards=0.95).may_be_companion
    assert not replace(result(0.97), p_backwards=0.95).may_be_companion
    assert not replace(result(0.2), p_backwards=0.8).may_be_companion
    assert not replace(result(0.2), p_backwards=float("nan")).may_be_companion
