"""The whole path, from a folder of records to findings."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from unaji.causes.attribution import Verdict
from unaji.claims.graph import load_claims
from unaji.errors import InputError
from unaji.explain import enough_verdict, explain
from unaji.people.records import to_timeline
from unaji.people.simulate import simulate_person
from unaji.records.folder import read_folder
from unaji.records.timeline import Episode, Exposure, Interval, Person, Series, Timeline, Zones, utc_ms
from unaji.report.json import dumps, to_json

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "person"
START = datetime(2026, 3, 1, 15, tzinfo=UTC)
ZONES = Zones(("Asia/Tokyo",))


def at(day: float, hour: float = 0.0) -> datetime:
    return START + timedelta(days=day, hours=hour)


@pytest.fixture(scope="module")
def claims():
    return load_claims("neck_heat")


@pytest.fixture(scope="module")
def example(claims):
    return explain(read_folder(EXAMPLE), claims, seed=0)


def bare(**parts) -> Timeline:
    return Timeline(Person("p", timezone="Asia/Tokyo"), ZONES, **parts)


def test_the_example_shows_every_part_at_work(example):
    assert example.enough.verdict == "rank"
    assert [raised.flag.threshold is not None for raised in example.red_flags] == [True]
    assert example.state is not None
    assert example.treatments[0].kind == "acupuncture"
    assert example.more_data
    assert any(e.fever for e in example.episodes)
    assert {max(e.pathway, key=e.pathway.get) for e in example.episodes} >= {"sensory", "core", "undetermined"}


def test_a_stated_cause_of_the_example_is_named_and_no_bystander_is(example):
    """By the example's own truth.toml; what is not found yet must at least not be a false alarm."""
    true = {"pressure_drop", "desk_load", "stress"}
    named = {c.id for c in example.attribution.causes if c.verdict in (Verdict.CAUSE, Verdict.LIKELY)}
    assert named
    assert named <= true


def test_fever_episodes_are_told_apart_and_take_no_part_in_the_fit(example):
    fever = [e for e in example.episodes if e.fever]
    assert all(e.p == {} and e.named == () for e in fever)
    assert all(e.pathway["core"] > 0.5 for e in fever)
    assert example.attribution.n_episodes <= len(example.episodes) - len(fever)


def test_every_fitted_episode_has_sources_that_sum_to_one_and_no_other_has_any(example):
    """Within half a day of a fever but not feverish itself: not fitted, and nobody else's sources either."""
    fitted = [e for e in example.episodes if e.p]
    assert all(sum(e.p.values()) == pytest.approx(1) for e in fitted)
    assert len(fitted) == example.attribution.n_episodes + example.attribution.merged
    beside = [e for e in example.episodes if not e.fever and not e.p]
    assert all(any(i.start <= e.episode.start < i.end for i in example.observed.fever) for e in beside)


def test_every_episode_has_pathways_that_sum_to_one(example):
    assert all(sum(e.pathway.values()) == pytest.approx(1) for e in example.episodes)


def test_every_undetermined_episode_says_what_to_measure_next(example):
    undetermined = [e for e in example.episodes if e.pathway["undetermined"] > 0.5 and not e.fever]
    assert undetermined
    for episode in undetermined:
        bits = list(episode.would_tell.values())
        assert bits == sorted(bits, reverse=True)
        assert bits[0] > 0.05


def test_fever_is_answered_by_the_thermometer_and_not_by_the_fit(example):
    fever = next(c for c in example.attribution.causes if c.id == "fever")
    assert fever.told_apart
    assert fever.verdict is Verdict.CANNOT_TELL
    assert len(example.observed.fever) <= 3  # ten readings of one fever are one stretch of time


def test_the_same_records_and_seed_give_the_same_bytes(claims, example):
    again = explain(read_folder(EXAMPLE), claims, seed=0)
    assert dumps(again, "ja") == dumps(example, "ja")


def test_the_json_has_the_keys_other_programs_call_for(example):
    said = json.loads(dumps(example, "en"))
    assert set(said) >= {
        "unaji", "article", "person", "period", "enough", "red_flags", "causes", "background", "echo", "pairs",
        "episodes", "treatments", "more_data", "checks", "warnings",
    }  # fmt: skip
    assert set(said["period"]) >= {"start", "end", "days", "observed_days", "episodes"}
    assert set(said["enough"]) >= {"verdict", "say"}
    assert set(said["causes"][0]) >= {
        "id", "p_cause", "verdict", "episodes_explained", "share", "rate_ratio", "lag_h", "driver", "signal", "shift_p",
        "grade", "in_article",
    }  # fmt: skip
    assert set(said["episodes"][0]) >= {"start", "p", "named", "pathway"}
    assert set(said["treatments"][0]) >= {"kind", "ratio", "p_better", "p_worse", "before_after_ratio"}
    assert said["red_flags"][0]["act"] in ("now", "soon")
    assert said["period"]["start"].endswith("+09:00")
    assert said["simulated"] is True


def test_nothing_recorded_is_refused_with_a_word_what_is_missing(claims):
    with pytest.raises(InputError, match="nothing to explain"):
        explain(bare(), claims)


def test_no_episodes_says_so_and_bounds_the_rate(claims):
    findings = explain(bare(exposures=tuple(Exposure(at(d, 20), "check_in") for d in range(30))), claims)
    assert findings.enough.verdict == "none"
    assert not findings.attribution.fitted
    assert findings.attribution.rate_upper_per_week == pytest.approx(3 / (30 * 16 / 24 / 7))
    assert findings.episodes == ()
    to_json(findings, "ja")


def test_one_episode_without_any_signal_is_undetermined_and_open_at_most(claims):
    findings = explain(bare(episodes=(Episode(at(3, 10), intensity=4),)), claims)
    assert findings.episodes[0].pathway["undetermined"] == pytest.approx(1)
    assert {c.verdict for c in findings.attribution.causes} == {Verdict.CANNOT_TELL}
    assert "every_day_assumed" in findings.warnings
    to_json(findings, "en")


def test_measurements_without_a_diary_are_no_error(claims):
    time = np.array([utc_ms(at(0, h)) for h in range(72)])
    findings = explain(bare(series=(Series("hr_bpm", time, 60 + np.arange(72.0) % 9),)), claims)
    assert findings.enough.verdict == "none"
    assert findings.state is not None


def test_a_logged_warning_sign_is_raised_and_emergencies_come_first(claims):
    emergency = next(f for f in claims.red_flags if f.urgency == "emergency")
    later = next(f for f in claims.red_flags if f.urgency == "days")
    marks = (Exposure(at(1, 9), later.id), Exposure(at(2, 9), emergency.id), Exposure(at(3, 9), emergency.id))
    findings = explain(bare(exposures=marks), claims)
    assert [raised.flag.id for raised in findings.red_flags] == [emergency.id, later.id]
    assert findings.red_flags[0].times == (at(2, 9), at(3, 9))


@pytest.mark.parametrize(("value", "raised"), [(37.9, 0), (38.0, 1)])
def test_fever_is_a_red_flag_from_38_degrees(claims, value, raised):
    series = Series("core_temp_c", [utc_ms(at(1, 9))], [value])
    found = explain(bare(series=(series,), exposures=(Exposure(at(1, 20), "check_in"),)), claims).red_flags
    assert len(found) == raised
    assert all(flag.value == 38.0 for flag in found)


@pytest.mark.parametrize(
    ("episodes", "weeks", "verdict"),
    [
        (40, 12.0, "conclude"),
        (39, 12.0, "rank"),
        (40, 11.5, "rank"),
        (15, 6.0, "rank"),
        (15, 5.9, "more"),
        (0, 20, "none"),
    ],
)
def test_enough_to_conclude_to_rank_or_not_yet(episodes, weeks, verdict):
    assert enough_verdict(episodes, weeks) == verdict


def test_an_episode_at_every_observed_moment_leaves_nothing_to_compare(claims):
    check_ins = tuple(Exposure(at(d, 20), "check_in") for d in range(3))
    one = bare(episodes=tuple(Episode(at(d, 10 + h)) for d in range(12) for h in (0, 2)), exposures=check_ins)
    reach = timedelta(minutes=15)
    windows = tuple(Interval(e.start - reach, e.start + reach) for e in one.episodes)
    findings = explain(replace(one, observed=windows), claims)
    assert "saturated" in findings.warnings
    assert {c.verdict for c in findings.attribution.causes} == {Verdict.CANNOT_TELL}


@pytest.mark.parametrize("seed", range(3))
def test_any_simulated_person_is_explained_without_a_false_word(claims, seed):
    """Persons drawn at large, through their raw records: no named cause that is none (rates are measured elsewhere)."""
    person = simulate_person(np.random.default_rng(seed), weeks=6, null=True)
    findings = explain(to_timeline(person, np.random.default_rng(seed + 100)), claims, seed=seed)
    assert not [c.id for c in findings.attribution.causes if c.verdict is Verdict.CAUSE]
    assert len(findings.episodes) == len(person.onsets)
