"""A simulated person written as a folder of records, with the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from unaji.errors import OutputError
from unaji.people.records import to_timeline
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.people.truth import Truth
from unaji.records.folder import write_folder
from unaji.records.timeline import Zones

EXAMPLE_SHARES = {"pressure_drop": 0.32, "desk_load": 0.26, "stress": 0.10}
EXAMPLE_LAGS_MIN = {"pressure_drop": 240.0, "desk_load": 40.0, "stress": 90.0}
EXAMPLE_WEEKS = 8
EXAMPLE_TARGET = 56.0
EXAMPLE_RATIO = 0.55
EXAMPLE_LOGGED = range(35, 46)
FEWEST_OF_A_CAUSE = 3
SPRING_C = 16.0


def simulate_person_folder(
    path: Path,
    *,
    seed: int,
    weeks: float | None = None,
    causes: Sequence[str] | None = None,
    null: bool = False,
    fever: bool = False,
) -> Truth:
    """Write one simulated person as a folder, with ``truth.toml`` beside the records.

    Parameters
    ----------
    path : Path
        Folder to write.
    seed : int
        The same seed and arguments give the same folder.
    weeks, causes, null, fever
        See `unaji.people.simulate.simulate_person`; what is None is drawn.

    Returns
    -------
    Truth
        What was decided about the person.

    Raises
    ------
    UsageError
        When the arguments do not fit together.
    OutputError
        When the folder is not empty, or cannot be written.
    """
    if path.is_dir() and any(path.iterdir()):
        raise OutputError(f"{path}: already holds files; name a folder that does not exist yet, so that none are lost")
    draw_person, draw_records = np.random.default_rng(seed).spawn(2)
    person = simulate_person(draw_person, weeks=weeks, causes=causes, null=null, fever=fever)
    return _write(path, person, draw_records, f"simulated-{seed}", seed)


def write_example(path: Path, seed: int) -> Truth:
    """Write the example person: eight weeks of spring, three causes of stated shares, a fever, a course of treatment.

    Raises
    ------
    ValueError
        When the person of this seed is not a typical one; see `is_typical`.
    """
    draw_person, draw_records = np.random.default_rng(seed).spawn(2)
    person = example_person(draw_person)
    if not is_typical(person):
        raise ValueError(f"the example person of seed {seed} has too few or too many episodes; take the next seed")
    return _write(path, person, draw_records, "example", seed)


def example_person(rng: np.random.Generator) -> SimulatedPerson:
    """Draw a person with the example's causes, treatment, season and fever."""
    return simulate_person(
        rng,
        weeks=EXAMPLE_WEEKS,
        causes=tuple(EXAMPLE_SHARES),
        shares=EXAMPLE_SHARES,
        lags_min=EXAMPLE_LAGS_MIN,
        target_episodes=EXAMPLE_TARGET,
        treatment=True,
        full_dose_ratio=EXAMPLE_RATIO,
        treatment_start=0.5,
        fever=True,
        season_mean_c=SPRING_C,
    )


def is_typical(person: SimulatedPerson) -> bool:
    """Tell whether the records are what was asked for; nothing that an engine would find is looked at."""
    enough = all(person.parents.count(cause) >= FEWEST_OF_A_CAUSE for cause in EXAMPLE_SHARES)
    return len(person.onsets) in EXAMPLE_LOGGED and enough and "fever" in person.parents


def truth_toml(person: SimulatedPerson, seed: int) -> str:
    """Return the stated truth as TOML: the person's causes and mechanisms, then each logged episode's source."""
    truth, zones = person.truth, Zones((person.timezone,))

    def local(moment: datetime) -> str:
        return zones.local(moment).isoformat(timespec="minutes")

    blocks = [_person_block(person, seed)]
    blocks += [
        [
            "[[causes]]",
            *_pairs(
                id=cause.id,
                shown=cause.shown,
                share=cause.share,
                mean_lag_min=cause.lag_mean_min,
                lag_shape=cause.lag_shape,
                acts_above_quantile=cause.hinge,
                rate_ratio=cause.rate_ratio,
                logged_episodes=person.parents.count(cause.id),
            ),
        ]
        for cause in truth.causes
    ]
    blocks += _mechanism_blocks(person)
    if person.fever is not None:
        blocks.append(["[fever]", *_pairs(start=local(person.fever[0]), end=local(person.fever[1]))])
    blocks += [
        ["[[episodes]]", *_pairs(start=local(onset), source=parent, pathway=pathway)]
        for onset, parent, pathway in zip(person.onsets, person.parents, person.pathways, strict=True)
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _person_block(person: SimulatedPerson, seed: int) -> list[str]:
    truth = person.truth
    return [
        "# The truth about a simulated person. Nobody lived this; no program may read it to explain the records.",
        *_pairs(
            simulated=True,
            seed=seed,
            weeks=round(person.world.n_days / 7, 2),
            generator=truth.generator,
            target_episodes=truth.target_episodes,
            logged_episodes=len(person.onsets),
            omission_share=truth.omission_share,
            rounding_min=truth.rounding_min,
            frailty_shape=truth.frailty_shape,
            drift_sd=truth.drift_sd,
        ),
    ]


def _mechanism_blocks(person: SimulatedPerson) -> list[list[str]]:
    """Return background, echo and treatment, each where there is one."""
    truth, count = person.truth, person.parents.count
    background = _pairs(
        amplitude=truth.background_amplitude, peak_hour=truth.background_peak_h, logged_episodes=count("background")
    )
    blocks = [["[background]", *background]]
    if truth.echo is not None:
        echo = _pairs(
            branching=truth.echo.branching, mean_delay_h=truth.echo.mean_delay_h, logged_episodes=count("echo")
        )
        blocks.append(["[echo]", *echo])
    if truth.treatment is not None:
        treatment = _pairs(
            sessions=len(truth.treatment.session_h),
            full_dose_ratio=truth.treatment.full_dose_ratio,
            mean_ratio=truth.treatment.mean_ratio,
            tau_d=truth.treatment.tau_d,
            triggers_only=truth.treatment.triggers_only,
            after_worst_week=truth.treatment.after_worst_week,
        )
        blocks.append(["[treatment]", *treatment])
    return blocks


def _write(path: Path, person: SimulatedPerson, rng: np.random.Generator, person_id: str, seed: int) -> Truth:
    write_folder(to_timeline(person, rng, person_id=person_id), path)
    (path / "truth.toml").write_text(truth_toml(person, seed), encoding="utf-8")
    return person.truth


def _pairs(**values: str | float | bool | None) -> list[str]:
    """Return TOML lines; what is None is left out, numbers keep four digits."""
    return [f"{key} = {_literal(value)}" for key, value in values.items() if value is not None]


def _literal(value: str | float | bool) -> str:
    # JSON's strings and booleans are also TOML's.
    return json.dumps(round(value, 4) if isinstance(value, float) else value, ensure_ascii=False)
