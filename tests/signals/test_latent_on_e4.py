"""Twelve people under stress in the laboratory: are the hidden curves other then than at rest, minute by minute?

Sessions of about an hour with an Empatica E4 (Iqbal et al., Sensors, 2022;22:8135), 207 minutes of stress (Stroop test,
interview, hyperventilation) and 257 of rest. Nothing is learnt from other people and nothing from the labels, so there
is nothing to leave out person by person: the constants of `unaji.signals.latent` were fixed before the model was first
run on these sessions, and not changed after.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import rankdata

from unaji.records.folder import read_folder
from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.latent import EVERY_INPUT, Input, LatentState, Minutes, latent_of_minutes, minutes_of

STRESS = ("stroop", "interview", "hyperventilation")
REST = ("relax_1", "relax_2", "relax_3", "baseline_after")

Phases = dict[str, tuple[np.datetime64, np.datetime64]]


class Session(NamedTuple):
    minutes: Minutes
    phases: Phases

    def inside(self, names: tuple[str, ...]) -> BoolArray:
        """Tell the minutes whose middle lies in one of the phases."""
        middle = self.minutes.time + np.timedelta64(30, "s")
        return np.any([(middle >= self.phases[p][0]) & (middle < self.phases[p][1]) for p in names], axis=0)


class Auroc(NamedTuple):
    pooled: float
    mean: float
    of_person: FloatArray


@pytest.fixture(scope="module")
def sessions(shared_data: Path) -> list[Session]:
    folder = shared_data / "e4-stress-predict"
    phases: dict[str, Phases] = {}
    with (folder / "time_logs.csv").open() as lines:
        for row in csv.DictReader(lines):
            span = tuple(np.datetime64(row[key].removesuffix("Z"), "ms") for key in ("start_utc", "end_utc"))
            phases.setdefault(row["subject"], {})[row["phase"]] = (span[0], span[1])
    found = []
    for subject in sorted(phases):
        minutes = minutes_of(read_folder(folder / subject, timezone="Europe/Dublin"))
        assert minutes is not None
        found.append(Session(minutes, phases[subject]))
    assert len(found) == 12
    return found


@pytest.fixture(scope="module")
def states(sessions: list[Session]) -> list[LatentState]:
    return [latent_of_minutes(session.minutes) for session in sessions]


def area(stress: FloatArray, rest: FloatArray) -> float:
    """Return the chance that a minute of stress ranks above one of rest (Mann and Whitney)."""
    ranks = rankdata(np.concatenate((stress, rest)))[: stress.size]
    return float((ranks.sum() - stress.size * (stress.size + 1) / 2.0) / (stress.size * rest.size))


def auroc(sessions: list[Session], states: list[LatentState], quantity: str, stress: tuple[str, ...] = STRESS) -> Auroc:
    stressed, resting = [], []
    for session, state in zip(sessions, states, strict=True):
        values = getattr(state, quantity)
        stressed.append(values[session.inside(stress) & np.isfinite(values)])
        resting.append(values[session.inside(REST) & np.isfinite(values)])
    each = np.array([area(s, r) for s, r in zip(stressed, resting, strict=True)])
    return Auroc(area(np.concatenate(stressed), np.concatenate(resting)), float(each.mean()), each)


@pytest.mark.shared
def test_sympathetic_activity_is_higher_under_stress_in_most_people(sessions: list[Session], states: list[LatentState]):
    """Measured per minute: AUROC 0.653 pooled, 0.682 at the mean of people (0.47 to 0.86).

    The aim of 0.80 is not reached: S02, S11 and S16 are at chance or below.
    """
    found = auroc(sessions, states, "sympathetic")
    assert found.pooled > 0.6, found
    assert (found.of_person > 0.5).sum() >= 8, found


@pytest.mark.shared
def test_the_balance_tells_stress_better_than_sympathetic_activity_alone(
    sessions: list[Session], states: list[LatentState]
):
    """Measured: 0.776 pooled, 0.774 at the mean of people (0.44 to 0.93), above 0.5 in 11 of 12.

    This curve was given a name of its own after eight read-outs had been compared on these sessions, so its figure is
    somewhat too good. The reason is plain, though it was not written down beforehand: heart rate, the best single
    signal here (0.723, or 0.727 as additional heart rate), sees only the difference, and RMSSD from the wrist is
    missing in most minutes.
    """
    balance, alone = auroc(sessions, states, "balance"), auroc(sessions, states, "sympathetic")
    assert balance.pooled > 0.7, balance
    assert balance.pooled > alone.pooled
    assert (balance.of_person > 0.5).sum() >= 10, balance


@pytest.mark.shared
@pytest.mark.parametrize(
    "left_out",
    [{Input.MOVEMENT}, {Input.WARMTH}, {Input.MOVEMENT, Input.WARMTH}, set(Input)],
    ids=lambda inputs: ", ".join(
        sorted(one.value for one in inputs)
    ),  # a set has no order, and processes that share tests must agree
)
def test_the_adjustment_changes_little_in_people_who_sit(
    sessions: list[Session], states: list[LatentState], left_out: set[Input]
):
    """Measured (sympathetic; balance): all 0.653; 0.776. Without movement 0.653; 0.769. Without warmth
    0.657; 0.778. Without both 0.659; 0.771. Without any 0.656; 0.777.
    """
    without = [latent_of_minutes(session.minutes, adjust_for=EVERY_INPUT - left_out) for session in sessions]
    for quantity in ("sympathetic", "balance"):
        assert abs(auroc(sessions, without, quantity).pooled - auroc(sessions, states, quantity).pooled) < 0.05


@pytest.mark.shared
def test_the_interview_stands_out_most_as_published(sessions: list[Session], states: list[LatentState]):
    """Measured, pooled (sympathetic): interview 0.78, hyperventilation 0.68, Stroop test 0.42.

    Balance: 0.82, 0.73, 0.72.
    """
    by_phase = {phase: auroc(sessions, states, "sympathetic", (phase,)).pooled for phase in STRESS}
    assert max(by_phase, key=by_phase.__getitem__) == "interview", by_phase
    assert by_phase["interview"] > 0.7, by_phase


@pytest.mark.shared
def test_every_minute_has_a_number_or_a_reason_and_an_hour_leaves_doubt(states: list[LatentState]):
    for state in states:
        said = np.isfinite(state.sympathetic)
        assert (state.reason[~said] > 0).all()
        assert 0.4 < np.median(state.sympathetic_sd[said]) < 1.0
