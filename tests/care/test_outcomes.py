from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, truncnorm

from unaji.care.outcomes import (
    WINDOW_D,
    adjusted_difference,
    error_of_mean,
    expected_regression,
    has_responded,
    item_course,
    item_courses,
    neighbour_correlation,
    regression_of_selected,
    reliable_change,
    responder_share,
)
from unaji.care.overlap import nonoverlap_of_all_pairs, tau, tau_u
from unaji.care.treatment import began_at_worst
from unaji.records.timeline import Person, Rating, Timeline, Treatment, Zones

START = datetime(2026, 3, 1, 3, tzinfo=UTC)


def rated(values: np.ndarray, sessions: list[int], item: str = "neck_stiffness") -> Timeline:
    """One rating a day (NaN: none) and sessions on days counted from 0, at noon in Tokyo."""
    return Timeline(
        Person("p", "Asia/Tokyo"), Zones(("Asia/Tokyo",)),
        ratings=tuple(
            Rating(START + timedelta(days=k), item, float(v)) for k, v in enumerate(values) if np.isfinite(v)
        ),
        treatments=tuple(Treatment(START + timedelta(days=k), "acupuncture") for k in sessions),
    )  # fmt: skip


def days_like_their_neighbours(rng: np.random.Generator, n: int, rho: float, sd: float) -> np.ndarray:
    out = rng.normal(0, sd * np.sqrt(1 - rho**2), n)
    out[0] = rng.normal(0, sd)
    for k in range(1, n):
        out[k] += rho * out[k - 1]
    return out


# -- one person --------------------------------------------------------------------------------------------------------


def test_the_windows_are_the_fortnight_before_and_the_last_one():
    values = np.concatenate([np.full(30, 7.0), np.full(6, 0.0), np.full(20, 4.0)])
    course = item_course(rated(values, [30, 35]), "neck_stiffness", "acupuncture")
    assert (course.before, course.after, course.change) == (7.0, 4.0, -3.0)
    assert (course.days_before, course.days_after) == (14, 14)
    assert course.important
    assert course.responded


def test_better_sleep_is_a_rise():
    values = np.concatenate([np.full(30, 4.0), np.full(30, 6.0)])
    course = item_course(rated(values, [30], "sleep_quality"), "sleep_quality", "acupuncture")
    assert course.important
    assert course.responded
    fall = item_course(rated(values[::-1], [30], "sleep_quality"), "sleep_quality", "acupuncture")
    assert not fall.important


@pytest.mark.parametrize(
    ("values", "sessions"),
    [
        (np.full(40, 5.0), []),
        (np.full(40, 5.0), [2]),
        (np.full(40, 5.0), [38]),
        (np.array([]), [3]),
        (np.full(40, 5.0), [90]),
    ],
)
def test_without_days_on_both_sides_there_is_no_course(values, sessions):
    assert item_course(rated(values, sessions), "neck_stiffness", "acupuncture") is None


def test_a_short_record_before_says_nothing_of_regression():
    values = np.concatenate([np.full(15, 7.0), np.full(30, 4.0)])
    course = item_course(rated(values, [15]), "neck_stiffness", "acupuncture")
    assert np.isnan(course.regression)
    assert np.isnan(course.beyond_regression)


def test_what_passes_by_itself_is_not_put_down_to_the_course():
    # Nobody is treated with effect; everyone begins right after the worst fortnight of ten weeks.
    rng = np.random.default_rng(2)
    changes, expected = [], []
    for _ in range(400):
        values = np.clip(5 + days_like_their_neighbours(rng, 126, 0.85, 1.2), 0, 10)
        means = np.convolve(values[:70], np.ones(WINDOW_D) / WINDOW_D, "valid")
        start = int(np.argmax(means[21:])) + 21 + WINDOW_D
        course = item_course(rated(values, [start]), "neck_stiffness", "acupuncture")
        changes.append(course.change)
        expected.append(course.regression)
    assert np.mean(changes) < -0.7  # most of a point, though nothing was done
    assert 0.7 <= np.mean(expected) / np.mean(changes) <= 1.1
    assert np.corrcoef(changes, expected)[0, 1] > 0.3


def test_a_change_of_an_untreated_steady_person_is_seldom_called_reliable():
    rng = np.random.default_rng(3)
    called = [
        item_course(
            rated(5 + days_like_their_neighbours(rng, 84, 0.5, 1.0), [42]), "neck_stiffness", "acupuncture"
        ).reliable
        for _ in range(500)
    ]
    assert 0.05 <= np.mean(called) <= 0.16


def test_the_error_of_a_mean_is_that_of_the_effective_number_of_days():
    rng = np.random.default_rng(4)
    series = days_like_their_neighbours(rng, 4000, 0.6, 1.0)
    assert neighbour_correlation(series) == pytest.approx(0.6, abs=0.05)
    means = series.reshape(-1, 20).mean(axis=1)
    assert error_of_mean(series[:20], series) == pytest.approx(means.std(), rel=0.15)


def test_an_exponential_memory_fades_to_the_usual_level():
    earlier = np.array([4.0, 6.0] * 20 + [9.0])  # neighbours differ: no memory
    usual = earlier.mean()
    assert expected_regression(earlier, days_ahead=1, window_d=14) == pytest.approx(usual - earlier[-14:].mean())


@pytest.mark.parametrize(("start", "worst"), [(20, True), (31, True), (33, False), (10, False), (60, False)])
def test_the_worst_fortnight_reaches_three_days_further(start, worst):
    series = np.full(80, 3.0)
    series[14:28] = 8.0
    assert began_at_worst(series, np.ones(80), start) is worst


def test_every_item_is_compared_around_every_kind_of_treatment():
    one, other = rated(np.full(60, 5.0), [30]), rated(np.full(60, 3.0), [20], "felt_heat")
    both = replace(
        one,
        ratings=(*one.ratings, *other.ratings, Rating(START, "stress", 4.0)),  # once: too little to compare
        treatments=(*one.treatments, replace(other.treatments[0], kind="massage")),
    )
    courses = item_courses(both)
    assert [(c.kind, c.item) for c in courses] == [
        ("acupuncture", "felt_heat"), ("acupuncture", "neck_stiffness"), ("massage", "felt_heat"),
        ("massage", "neck_stiffness"),
    ]  # fmt: skip
    assert all(c.low <= c.change <= c.high for c in courses)


# -- responding and reliable change ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "responded"),
    [(6, 4.2, True), (6, 4.3, False), (2, 1, True), (2, 1.2, False), (5, float("nan"), False)],
)
def test_a_response_is_thirty_percent_and_a_point(before, after, responded):
    assert has_responded(before, after) is responded


def test_reliable_change_is_that_of_jacobson_and_truax():
    # Their worked example: sd 7.5, reliability 0.80, standard error of a difference 4.74, from 47.5 to 32.5.
    assert reliable_change(47.5, 32.5, sd=7.5, reliability=0.8) == pytest.approx(-15 / 4.74, abs=0.005)


# -- regression to the mean of selected people -------------------------------------------------------------------------


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("n_baseline", [1, 3])
def test_the_regression_of_selected_people_is_that_of_a_truncated_normal(above, n_baseline):
    between, within, mean, cut = 11.0, 9.0, 60.0, 70.0 if above else 45.0
    noise = within**2 / n_baseline
    total = np.sqrt(between**2 + noise)
    z = (cut - mean) / total
    chosen = truncnorm(z, np.inf, mean, total) if above else truncnorm(-np.inf, z, mean, total)
    # What is seen later lies nearer to the mean by the unreliable share of the baseline.
    expected = (mean - chosen.mean()) * noise / total**2
    found = regression_of_selected(
        cut, mean=mean, between_sd=between, within_sd=within, above=above, n_baseline=n_baseline
    )
    assert found == pytest.approx(expected)


def test_more_baselines_regress_less():
    once, thrice = (regression_of_selected(7, mean=5, between_sd=1, within_sd=1.5, n_baseline=n) for n in (1, 3))
    assert once < thrice < 0


# -- a group trial -----------------------------------------------------------------------------------------------------


def headache_trial(shared_data: Path) -> tuple[dict[str, np.ndarray], dict]:
    folder = shared_data / "acupuncture-headache-trial"
    if not folder.is_dir():
        pytest.skip("the headache trial is not here")
    with (folder / "acupuncture.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    columns = {k: np.array([float(r[k]) if r[k] else np.nan for r in rows]) for k in ("group", "pk1", "pk5")}
    return columns, json.loads((folder / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.shared
def test_the_headache_trial_gives_the_published_difference(shared_data):
    trial, expected = headache_trial(shared_data)
    found = adjusted_difference(trial["pk1"], trial["pk5"], trial["group"])
    r = expected["recomputed_from_this_file"]["ancova_pk5_on_group_pk1"]
    assert found.estimate == pytest.approx(r["estimate"], abs=1e-5)
    assert found.standard_error == pytest.approx(r["se"], abs=1e-5)
    assert (found.low, found.high) == pytest.approx(r["ci95"], abs=1e-5)
    assert -found.estimate == pytest.approx(expected["published"]["adjusted_difference"], abs=0.05)
    assert found.n == 301
    assert 0 < found.slope < 1


@pytest.mark.shared
def test_the_headache_trial_gives_the_published_share_of_responders(shared_data):
    # Vickers et al. 2004: 54 % with acupuncture and 32 % of the controls got better by 35 % or more.
    trial, _ = headache_trial(shared_data)
    shares = [
        responder_share(trial["pk1"][trial["group"] == g], trial["pk5"][trial["group"] == g], 0.35) for g in (1, 0)
    ]
    assert shares == pytest.approx([0.54, 0.32], abs=0.005)


def test_a_difference_needs_both_groups():
    with pytest.raises(ValueError, match="both groups"):
        adjusted_difference(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 2, 3]), np.ones(4))


# -- overlap -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "values"),
    # NAP, Tau and Tau-U as the R package SingleCaseES gives them (its tests of Parker et al. 2011 and of Tarlow 2017).
    [
        ([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29], (38.5 / 42, 35 / 42, 0.7380952)),
        ([3, 3, 4, 5], [4, 5, 6, 7, 7], (0.9, 16 / 20, 11 / 20)),
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], (1.0, 1.0, 0.6)),
    ],
)
def test_the_overlap_measures_are_those_of_a_peer(before, after, values):
    a, b = np.array(before, float), np.array(after, float)
    found = [measure(a, b, lower_is_better=False) for measure in (nonoverlap_of_all_pairs, tau, tau_u)]
    assert found == pytest.approx(values)
    turned = [measure(-a, -b) for measure in (nonoverlap_of_all_pairs, tau, tau_u)]
    assert turned == pytest.approx(values)


@pytest.mark.shared
def test_nonoverlap_of_real_cases_is_the_rank_sum_statistic(shared_data):
    file = shared_data / "single-case-designs" / "Grosche2011.csv"
    if not file.is_file():
        pytest.skip("the single-case studies are not here")
    with file.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    for case in ("Eva", "Georg", "Olaf"):
        a, b = (np.array([float(r["values"]) for r in rows if (r["case"], r["phase"]) == (case, p)]) for p in "AB")
        expected = mannwhitneyu(b, a).statistic / (a.size * b.size)
        assert nonoverlap_of_all_pairs(a, b, lower_is_better=False) == pytest.approx(expected)


def test_gaps_are_left_out_and_an_empty_phase_has_no_overlap():
    gap = np.array([np.nan, 5.0, 6.0])
    assert nonoverlap_of_all_pairs(gap, np.array([1.0, np.nan])) == 1.0
    assert np.isnan(nonoverlap_of_all_pairs(np.array([np.nan]), gap))
    assert np.isnan(tau_u(gap, np.array([])))
