"""One simulated person as a whole."""

from __future__ import annotations

import pickle
from datetime import date, timedelta

import numpy as np
import pytest

from unaji.errors import UsageError
from unaji.people.observe import record, signal
from unaji.people.pathways import PATHWAYS_OF
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.people.triggers import BACKGROUND, CANDIDATES, ECHO, FEVER
from unaji.people.truth import usable
from unaji.people.world import live


def test_the_same_seed_gives_the_same_bytes():
    one, other = (simulate_person(np.random.default_rng(11)) for _ in range(2))
    assert pickle.dumps(one) == pickle.dumps(other)
    assert pickle.dumps(one) != pickle.dumps(simulate_person(np.random.default_rng(12)))


def test_recordings_last_four_to_sixteen_weeks(population: list[SimulatedPerson]):
    weeks = np.array([person.world.n_days / 7 for person in population])
    assert weeks.min() >= 4
    assert weeks.max() <= 16
    assert weeks.mean() == pytest.approx(10, abs=0.7)


def test_eight_to_twelve_candidates_are_shown_with_all_causes_but_the_hidden_one(population: list[SimulatedPerson]):
    for person in population:
        assert 8 <= len(person.signals) <= 12
        assert set(person.truth.shown_causes) <= set(person.signals)
        assert person.truth.hidden_cause not in person.signals
        assert all(s.kind == CANDIDATES[name].kind for name, s in person.signals.items())


def test_the_middle_person_logs_about_as_many_episodes_as_the_specification_says(population: list[SimulatedPerson]):
    assert 19 <= np.median([len(person.onsets) for person in population]) <= 27


def test_arrays_cover_the_grid_and_levels_are_sane(population: list[SimulatedPerson]):
    for person in population[:60]:
        n = person.world.n_days * 288
        assert person.observed.shape == (n,)
        assert 0.5 < person.observed.mean() < 0.72
        assert list(person.onsets) == sorted(person.onsets)
        assert len(person.parents) == len(person.pathways) == len(person.onsets)
        for s in person.signals.values():
            assert s.value.shape == (n,)
            assert np.isfinite(s.value).any()


def test_gaps_and_noise_are_as_stated():
    missing = {name: [] for name in CANDIDATES}
    ratings_a_day, forgotten = [], []
    for seed in range(80):
        world = live(np.random.default_rng(seed), 56)
        recording = record(np.random.default_rng(seed + 1000), world)
        for name in CANDIDATES:
            missing[name].append(np.isnan(signal(world, recording, name).value).mean())
        ratings_a_day.append(recording.rating_hour.size / recording.used.sum())
        if recording.logging.all():
            inside = (world.doses["caffeine"].hour // 24 >= 7).sum()
            forgotten.append(1 - recording.doses["caffeine"].hour.size / inside)
        assert set(np.unique(recording.stress_rating)) <= set(range(11))
    for name in ("arousal", "desk_load"):
        assert min(missing[name]) >= 0.05
        assert max(missing[name]) < 0.25
    assert min(missing["temp_change"]) >= 0.03
    assert max(missing["temp_change"]) < 0.20
    assert np.mean(missing["sleep_debt"]) == pytest.approx(0.05, abs=0.02)
    assert max(missing["pressure_drop"]) == 0
    assert np.mean(ratings_a_day) == pytest.approx(4.5 * 0.775, abs=0.4)
    assert np.mean(forgotten) == pytest.approx(0.10, abs=0.02)


def test_thirty_percent_lose_days_and_a_third_of_those_look_used(population: list[SimulatedPerson]):
    losers = [p.recording for p in population if not p.recording.logging.all()]
    assert len(losers) / len(population) == pytest.approx(0.30, abs=0.08)
    lost = np.concatenate([r.used[~r.logging] for r in losers])
    assert lost.mean() == pytest.approx(0.30, abs=0.12)
    for recording in losers:
        assert (~recording.logging).mean() <= 0.11
        assert not (recording.logging & ~recording.used).any()


def test_typed_signals_are_missing_on_days_without_a_diary(population: list[SimulatedPerson]):
    seen = 0
    for person in population:
        idle = np.repeat(~person.recording.used, 288)
        for name, s in person.signals.items():
            if idle.any() and CANDIDATES[name].typed:
                assert np.isnan(s.value[idle]).all()
                seen += 1
        assert not person.observed[idle].any()
    assert seen > 20


def test_a_person_without_causes_has_no_trigger_parents():
    for seed in range(30):
        person = simulate_person(np.random.default_rng(seed), null=True)
        assert person.truth.causes == ()
        assert set(person.parents) <= {BACKGROUND, ECHO}
        assert len(person.signals) >= 8


def test_parents_are_sources_and_pathways_fit_them(population: list[SimulatedPerson]):
    for person in population:
        assert set(person.parents) <= set(person.oracle.sources)
        for parent, pathway in zip(person.parents, person.pathways, strict=True):
            assert parent == ECHO or pathway in PATHWAYS_OF[parent]


def test_an_echo_goes_the_way_of_the_episode_that_began_its_chain(population: list[SimulatedPerson]):
    names = [(*person.intensity.sources, ECHO) for person in population]
    checked = 0
    for person, sources in zip(population, names, strict=True):
        for source, root, pathway in zip(person.true.source, person.true.root, person.true_pathways, strict=True):
            assert sources[root] != ECHO
            assert pathway in PATHWAYS_OF[sources[root]]
            checked += sources[source] == ECHO
    assert checked > 100


def test_a_fever_brings_episodes_of_its_own_and_only_then():
    counts = []
    for seed in range(20):
        person = simulate_person(np.random.default_rng(seed), weeks=6, fever=True)
        start, end = person.fever
        assert end - start == timedelta(hours=44)
        for onset, parent, pathway in zip(person.onsets, person.parents, person.pathways, strict=True):
            if parent == FEVER:
                assert start - timedelta(hours=1) <= onset <= end + timedelta(hours=1)
                assert pathway == "core"
        counts.append(person.parents.count(FEVER))
    assert np.mean(counts) == pytest.approx(2.6, abs=1.0)
    assert simulate_person(np.random.default_rng(0), weeks=6).fever is None


def test_day_nought_is_a_monday_midnight_in_the_persons_zone():
    person = simulate_person(np.random.default_rng(0), weeks=4)
    assert person.grid_start.isoformat() == "2025-04-06T15:00:00+00:00"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"causes": ["moon"]}, "not a candidate"),
        ({"causes": ["stress", "stress"]}, "twice"),
        ({"causes": ["stress"], "null": True}, "without any cause"),
        ({"weeks": 3}, "at least 4 weeks"),
    ],
)
def test_what_cannot_be_simulated_is_said(settings: dict[str, object], said: str):
    with pytest.raises(UsageError, match=said):
        simulate_person(np.random.default_rng(0), **settings)


def test_a_cause_without_contrast_is_refused():
    people = (simulate_person(np.random.default_rng(seed), weeks=4) for seed in range(100))
    sober = next(seed for seed, person in enumerate(people) if not usable(person.world, "alcohol"))
    with pytest.raises(UsageError, match="hardly varies"):
        simulate_person(np.random.default_rng(sober), weeks=4, causes=["alcohol"])


def test_changing_clocks_and_other_weekdays_are_refused():
    with pytest.raises(ValueError, match="clocks of Europe/Berlin change"):
        simulate_person(np.random.default_rng(0), weeks=8, first_day=date(2025, 3, 3), timezone="Europe/Berlin")
    with pytest.raises(ValueError, match="Monday"):
        simulate_person(np.random.default_rng(0), first_day=date(2025, 4, 8))
