"""Twelve people under stress in the laboratory: is the sympathetic index higher then than at rest?

Sessions of about an hour with an Empatica E4 (Iqbal et al., Sensors, 2022;22:8135). In that study of 35 people the
interview was the strongest stressor, with a clear rise of heart rate in 77 % of them; the Stroop test did little.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from unaji.records.folder import read_folder
from unaji.records.timeline import FloatArray
from unaji.signals.state import AutonomicState, autonomic_state

STRESS = ("stroop", "interview", "hyperventilation")
REST = ("relax_1", "relax_2", "relax_3", "baseline_after")

Phases = dict[str, tuple[np.datetime64, np.datetime64]]


class Session(NamedTuple):
    state: AutonomicState
    phases: Phases

    def contrast(self, values: FloatArray, stress: tuple[str, ...] = STRESS) -> float:
        """Mean under stress less mean at rest, each step weighted with its overlap with the phases."""
        return self.mean(values, stress) - self.mean(values, REST)

    def mean(self, values: FloatArray, names: tuple[str, ...]) -> float:
        start, end = self.state.time, self.state.time + np.timedelta64(round(1000 * self.state.step_s), "ms")
        overlap = [np.minimum(end, self.phases[p][1]) - np.maximum(start, self.phases[p][0]) for p in names]
        weight = np.clip(np.array(overlap).astype(float), 0.0, None).sum(axis=0)
        weight[np.isnan(values)] = 0.0
        return float(np.average(np.nan_to_num(values), weights=weight))


@pytest.fixture(scope="module")
def sessions(shared_data: Path) -> dict[str, Session]:
    folder = shared_data / "e4-stress-predict"
    phases: dict[str, Phases] = {}
    with (folder / "time_logs.csv").open() as lines:
        for row in csv.DictReader(lines):
            span = tuple(np.datetime64(row[key].removesuffix("Z"), "ms") for key in ("start_utc", "end_utc"))
            phases.setdefault(row["subject"], {})[row["phase"]] = (span[0], span[1])
    found = {}
    for subject in sorted(phases):
        state = autonomic_state(read_folder(folder / subject, timezone="Europe/Dublin"))
        assert state is not None
        found[subject] = Session(state, phases[subject])
    assert len(found) == 12
    return found


def how_many_rise(sessions: dict[str, Session], quantity: str, stress: tuple[str, ...] = STRESS) -> tuple[int, float]:
    """In how many people the mean is higher under stress than at rest, and by how much at the median."""
    rise = [s.contrast(getattr(s.state, quantity), stress) for s in sessions.values()]
    return sum(difference > 0 for difference in rise), float(np.median(rise))


@pytest.mark.shared
def test_the_index_is_higher_under_stress_than_at_rest_in_most_people(sessions: dict[str, Session]):
    """Measured: 11 of 12, at the median by 1.4 of the person's standard deviations (lower in S11).

    Channel by channel, adjusted: heart rate 10 of 12, level of skin conductance 8 of 12, its responses 9 of 12; RMSSD
    2 of 2, for in ten people the wrist's beats fill too little of nearly every step. The level climbs through most of
    these sessions, as dry electrodes do in their first hour; that works against the stress phases, which come early.
    """
    higher, median = how_many_rise(sessions, "sympathetic_index")
    assert higher > len(sessions) / 2, f"{higher} of {len(sessions)}, median rise {median:.2f}"


@pytest.mark.shared
def test_the_interview_stands_out_most_as_published(sessions: dict[str, Session]):
    """Measured: interview 11 of 12 (median 2.3), hyperventilation 10 of 12 (0.5), Stroop test 4 of 12 (−0.5)."""
    by_phase = {phase: how_many_rise(sessions, "sympathetic_index", (phase,)) for phase in STRESS}
    assert by_phase["interview"][0] > len(sessions) / 2, by_phase
    assert max(by_phase, key=lambda phase: by_phase[phase][1]) == "interview", by_phase


@pytest.mark.shared
def test_the_signals_behind_the_index_rise_too(sessions: dict[str, Session]):
    """Measured, not adjusted: heart rate 11 of 12, responses 11 of 12, level of skin conductance 8 of 12."""
    for quantity in ("hr_bpm", "scr_microsiemens", "scl_microsiemens"):
        higher, median = how_many_rise(sessions, quantity)
        assert higher > len(sessions) / 2, f"{quantity}: {higher} of {len(sessions)}, median rise {median:.3f}"


@pytest.mark.shared
def test_heart_rate_by_phase_is_that_of_the_maker(sessions: dict[str, Session], shared_data: Path):
    """Phase means computed apart from unaji, from HR.csv and EDA.csv; five-minute steps blur the edges."""
    difference = []
    with (shared_data / "e4-stress-predict" / "expected_phase_means.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["phase"] in (*STRESS, *REST) and row["mean_hr_bpm"]:
                session = sessions[row["subject"]]
                difference.append(session.mean(session.state.hr_bpm, (row["phase"],)) - float(row["mean_hr_bpm"]))
    assert len(difference) == 84
    assert abs(np.mean(difference)) < 1.0
    assert np.median(np.abs(difference)) < 3.0
