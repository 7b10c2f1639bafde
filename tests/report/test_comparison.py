"""Two reports of one person: what may be called a change, and what may not."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy.stats import binomtest

from unaji.errors import InputError
from unaji.report import json as reports
from unaji.report.comparison import compare, rate_ratio, read_report, sentences, to_json, weekly_rate, weekly_spread
from unaji.report.words import catalogue

JA, EN = catalogue("ja"), catalogue("en")


@pytest.fixture(scope="module")
def spring(people):
    return json.loads(reports.dumps(people["rich"]()))


def later(report, days, *, keep=None):
    """The same report as if it had all happened later; with only some of its episodes."""
    moved = deepcopy(report)

    def at(text):
        return (datetime.fromisoformat(text) + timedelta(days=days)).isoformat()

    moved["period"] |= {"start": at(report["period"]["start"]), "end": at(report["period"]["end"])}
    moved["episodes"] = [one | {"start": at(one["start"])} for one in report["episodes"][:keep]]
    return moved


@pytest.mark.parametrize(("before", "after"), [(40, 20), (3, 9), (7, 0), (0, 4)])
def test_the_interval_of_a_ratio_is_the_exact_one_of_a_binomial_share(before, after):
    """Against scipy's Clopper-Pearson interval of the later count's share."""
    ratio, low, high = rate_ratio((before, 80.0), (after, 60.0))
    share = binomtest(after, before + after).proportion_ci(0.90, "exact")
    assert low == pytest.approx(share.low / (1 - share.low) * 80 / 60)
    assert high == (math.inf if share.high == 1 else pytest.approx(share.high / (1 - share.high) * 80 / 60))
    assert ratio == (math.inf if not before else pytest.approx(after / 60 / (before / 80)))


@pytest.mark.parametrize(
    ("n", "low", "high"), [(0, 0.0, 3.00), (1, 0.0513, 4.74), (5, 1.97, 10.51), (10, 5.43, 16.96), (20, 13.25, 29.06)]
)
def test_the_interval_of_a_rate_is_that_of_the_published_table_of_poisson_limits(n, low, high):
    """Pearson and Hartley, Biometrika Tables for Statisticians I, table 40: 90 % limits of a Poisson mean."""
    mean, *ends = weekly_rate((n, 7.0))
    assert mean == n
    assert ends == pytest.approx([low, high], abs=0.006)


def test_the_interval_of_a_rate_is_wider_where_episodes_come_in_clusters():
    assert weekly_rate((10, 70.0))[0] == pytest.approx(1.0)
    assert weekly_rate((10, 70.0), 2.5)[1] < weekly_rate((10, 70.0))[1]
    assert weekly_rate((10, 70.0), 2.5)[2] > weekly_rate((10, 70.0))[2]


def test_the_interval_holds_nine_times_in_ten_also_where_counts_vary_more_than_by_chance():
    """Weekly counts of a Poisson rate that itself varies from week to week: variance over mean is 2.5."""
    rng, weeks, held, held_bare = np.random.default_rng(5), 12, 0, 0
    for _ in range(1000):
        counts = rng.negative_binomial(2.0, 0.4, (2, weeks))
        reports_ = tuple(report_of(one) for one in counts)
        n = [int(one.sum()) for one in counts]
        for spread, name in ((weekly_spread(reports_), "own"), (1.0, "bare")):
            _, low, high = rate_ratio((n[0], 7.0 * weeks), (n[1], 7.0 * weeks), spread)
            held += name == "own" and low <= 1 <= high
            held_bare += name == "bare" and low <= 1 <= high
    assert 0.87 < held / 1000 < 0.96
    assert held_bare / 1000 < 0.82


def report_of(counts):
    start = datetime(2025, 1, 6, tzinfo=JST)
    onsets = [start + timedelta(weeks=i, hours=9 + j) for i, n in enumerate(counts) for j in range(int(n))]
    return {
        "period": {"start": start.isoformat(), "end": (start + timedelta(weeks=len(counts))).isoformat()},
        "episodes": [{"start": one.isoformat(), "fever": False} for one in onsets],
    }


JST = datetime.fromisoformat("2025-01-06T00:00+09:00").tzinfo


def test_half_as_many_episodes_later_are_fewer_than_chance_brings(spring):
    found = compare(later(spring, 100, keep=len(spring["episodes"]) // 4), spring)
    assert found.shared_days == 0
    assert found.old is spring
    assert found.rate.ratio == pytest.approx(0.25, abs=0.03)
    assert found.rate.beyond_chance
    assert EN("compare.rate_fewer") in sentences(found, EN)[1]
    same = compare(spring, later(spring, 100))
    assert not same.rate.beyond_chance
    assert sentences(same, EN)[-1] == EN("compare.same")


def test_a_share_that_leaves_its_interval_is_a_change_and_one_that_moves_within_is_not(spring):
    """The verdict may be another word in both."""
    new = later(spring, 100)
    first, second = new["causes"][:2]
    first |= {"verdict": "unlikely", "p_cause": 0.02, "share": {"mean": 0.0, "p5": 0.0, "p95": 0.01}}
    second |= {"verdict": "unlikely"}
    found = compare(spring, new)
    by_id = {one.after["id"]: one for one in found.causes}
    assert spring["causes"][0]["share"]["p5"] > 0.01
    assert by_id[first["id"]].beyond_chance is True
    assert by_id[second["id"]].beyond_chance is False
    told = "\n".join(sentences(found, JA))
    assert JA("compare.beyond") in told
    assert JA("compare.within") in told


def test_days_in_both_reports_make_no_change_of_the_person(spring):
    """A longer report that begins with the earlier one: only its new days are counted, and estimates were learnt."""
    longer = deepcopy(spring)
    end = datetime.fromisoformat(spring["period"]["end"])
    longer["period"] |= {"end": (end + timedelta(days=28)).isoformat()}
    longer["period"]["observed_days"] = spring["period"]["observed_days"] + 28
    extra = [{"start": (end + timedelta(days=d)).isoformat(), "fever": False} for d in range(1, 8)]
    longer["episodes"] = [*spring["episodes"], *extra]
    longer["causes"][0] |= {"verdict": "open", "p_cause": 0.4}
    found = compare(spring, longer)
    assert found.rate.after == (7, 28)
    assert {one.beyond_chance for one in found.causes} == {None}
    assert JA("compare.learnt") in "\n".join(sentences(found, JA))
    assert compare(spring, later(spring, 10)).rate is None


def test_why_episodes_cannot_be_compared_is_said(spring):
    assert EN("compare.no_rate") in sentences(compare(spring, later(spring, 10)), EN)
    assert EN("compare.no_days") in sentences(compare(spring, spring), EN)


def test_a_factor_no_longer_recorded_has_not_been_learnt(spring):
    new = later(spring, 100)
    new["causes"][0] |= {"verdict": "cannot_tell", "signal": "insufficient", "p_cause": None, "share": None}
    assert any(one.endswith(EN("compare.apart")) for one in sentences(compare(spring, new), EN))


def test_a_report_too_short_to_rank_lends_no_verdict(spring):
    """Its probabilities are mostly the prior's: the report itself gives none, nor does the comparison."""
    short = later(spring, 100)
    short["enough"] |= {"verdict": "more"}
    told = [one for one in sentences(compare(spring, short), JA) if " → " in one]
    assert told
    for one in told:
        assert one.split(" → ")[1].startswith((JA("verdict.too_early"), JA("verdict.told_apart")))


def test_a_new_warning_sign_is_told_first(spring, people):
    new = later(json.loads(reports.dumps(people["emergency"]())), 100)
    new["person"] = spring["person"]
    found = compare(spring, new)
    assert found.new_flags
    assert sentences(found, JA)[1] == JA("compare.flags")


def test_two_people_are_not_compared(spring):
    with pytest.raises(InputError, match="the reports are of two: person is"):
        compare(spring, spring | {"person": "someone else"})


def test_the_object_for_programs_can_be_written_as_json(spring):
    new = later(spring, 100, keep=0)
    found = to_json(compare(spring, new), EN)
    assert found["rate"]["after"] == {"episodes": 0, "days": spring["period"]["observed_days"]}
    assert found["rate"]["p5"] == 0.0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("red_flags", None, "red_flags lacks the object"),
        ("enough", {}, "enough lacks verdict"),
        ("causes", [{"id": "sweat"}], r"causes\[0\] lacks name, p_cause, share, signal, told_apart, verdict"),
        ("episodes", [7], r"episodes\[0\] lacks the object"),
        ("episodes", [{"start": "yesterday", "fever": False}], r"episodes\[0\].start is 'yesterday'"),
        ("period", {"start": "2025-03-01", "end": "2025-04-01", "observed_days": 3}, "period.start is '2025-03-01'"),
    ],
)
def test_a_report_that_was_edited_is_refused_with_the_place_and_what_it_lacks(tmp_path, spring, key, value, told):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(spring | {key: value}), encoding="utf-8")
    with pytest.raises(InputError, match=f"r.json: {told}"):
        compare(read_report(path), spring)


@pytest.mark.parametrize(("text", "told"), [("[1]", "no report"), ("{", "no JSON"), ('{"person": "a"}', "no report")])
def test_what_is_no_report_is_refused_with_how_to_write_one(tmp_path, text, told):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(InputError, match=f"{told}.*unaji explain PERSON --json"):
        read_report(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_report(tmp_path / "gone.json")
