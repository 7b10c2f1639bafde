from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.care.treatment import treatment_effects
from unaji.causes.attribution import Attribution, EpisodeSources, Estimate, TreatmentDraws
from unaji.causes.design import Design, Onset, courses_of
from unaji.causes.features import treatment_dose
from unaji.causes.grid import make_grid
from unaji.records.timeline import Zones

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
TAUS = (3.0, 6.0, 12.0)
NOTHING = Estimate(0, 0, 0)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def person(onset_days: list[float], sessions: tuple[float, ...]) -> Design:
    grid = make_grid(START, at(55.9), Zones(("Asia/Tokyo",)))
    courses = courses_of(("acupuncture", at(s)) for s in sessions)
    return Design(grid, (), tuple(Onset(at(d)) for d in onset_days), courses)


def dose_of(design: Design, tau_d: float) -> np.ndarray:
    return treatment_dose(design.grid, design.courses[0].sessions, tau_d)


def fitted(design: Design, delta: np.ndarray, tau: int = 1) -> Attribution:
    dose = np.stack([dose_of(design, t) for t in TAUS])
    draws = TreatmentDraws("acupuncture", delta, np.full(delta.size, tau), TAUS, dose)
    nobody = EpisodeSources((), (), np.zeros((0, 0)), np.zeros((0, 0)))
    return Attribution(True, len(design.onsets), (), NOTHING, NOTHING, (), nobody, (draws,), (),
                       None, 0, 0.0, 0, {}, np.zeros((0, 0)), np.zeros((0, 0), dtype=np.float32))  # fmt: skip


def test_the_ratio_is_the_mean_over_days_of_what_the_dose_leaves():
    design = person([d + 0.5 for d in range(0, 56, 2)], (28, 31, 35))
    delta = np.array([0.0, 0.5, 1.0])
    effect = treatment_effects(design, fitted(design, delta))[0]
    days = dose_of(design, 6.0)[28:]
    by_draw = [np.exp(-d * days).mean() for d in delta]
    assert effect.ratio.mean == pytest.approx(np.mean(by_draw))
    assert effect.p_better == pytest.approx(2 / 3)
    assert effect.p_worse == 0
    assert effect.sessions == 3


def test_the_crude_ratio_compares_rates_not_counts():
    design = person([0.5, 3.5, 7.5, 10.5, 30.5, 50.5], (14,))
    effect = treatment_effects(design, fitted(design, np.zeros(2)))[0]
    assert effect.before_after_ratio == pytest.approx((2 / 42) / (4 / 14))


def test_a_course_begun_after_the_worst_fortnight_is_marked():
    bad = [14 + 0.5 + k for k in range(12)] + [40.5]
    design = person(bad, (28,))
    assert treatment_effects(design, fitted(design, np.zeros(2)))[0].after_worst_fortnight
    early = replace(design, courses=courses_of([("acupuncture", at(3))]))
    assert not treatment_effects(early, fitted(early, np.zeros(2)))[0].after_worst_fortnight


def test_without_time_before_it_there_is_no_crude_ratio():
    design = person([5.5, 9.5], (0,))
    assert np.isnan(treatment_effects(design, fitted(design, np.zeros(2)))[0].before_after_ratio)


def test_without_sessions_nothing_is_said():
    design = person([5.5], ())
    assert treatment_effects(design, replace(fitted(person([5.5], (9,)), np.zeros(2)), treatments=())) == ()
