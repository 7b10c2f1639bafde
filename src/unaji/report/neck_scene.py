"""A scenario that was played: its pictures, and the links of cause and effect it makes use of."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from unaji.body.counterfactual import DRIVERS, LEAST_FELT
from unaji.body.links import graded, links_of_inputs
from unaji.body.played import Played
from unaji.body.scenario import Scenario
from unaji.body.state import NeckState
from unaji.claims.model import Claims, Link
from unaji.report.figures._neck_words import Language
from unaji.report.figures.cross_section import NeckSection, cross_section, section_of
from unaji.report.figures.neck_course import COURSE, Band, neck_course

LONG_S, LONG_LINKS = 2 * 86_400.0, ("stress_pain_sensitivity", "stress_heat_sensitivity")
"""From how long on the whole time counts more than one moment, and the links of stress that lasts so long."""


class Scene(Protocol):
    """What happened to one neck, or to the middle of many (`Played`, `PlayedByMany`), with two moments to look at."""

    @property
    def scenario(self) -> Scenario:
        """What was to happen."""

    @property
    def state(self) -> NeckState:
        """The course of one neck."""

    @property
    def before(self) -> int:
        """Step of the course before anything happens."""

    @property
    def peak(self) -> int:
        """Step of the moment that counts."""

    def input_at(self, name: str, step: int) -> float:
        """Return an input at a step."""


def sections_of(played: Scene) -> tuple[NeckSection, NeckSection]:
    """Return the neck before anything happens, and at the moment that counts."""

    def section(step: int) -> NeckSection:
        neck_air_c = played.input_at("neck_air_temp_c", step)
        return section_of(
            played.state,
            step=step,
            air_temp_c=played.input_at("air_temp_c", step) if math.isnan(neck_air_c) else neck_air_c,
            collar=played.input_at("collar_m2k_w", step) > 0,
        )

    return section(played.before), section(played.peak)


def draw_section(played: Scene, language: Language, width_px: float) -> str:
    """Draw the neck before and at the moment that counts, as SVG text."""
    before, peak = sections_of(played)
    return cross_section(peak, before=before, language=language, width_px=width_px)


def draw_course(played: Played, language: Language, width_px: float) -> str:
    """Draw the course with what happened and who carries the felt heat, as SVG text."""
    felt = {str(way): played.attribution.felt[k, 0] for k, way in enumerate(DRIVERS)}
    return neck_course(
        played.state.time_s / 60.0,
        {name: played.state[name][0] for name in COURSE},
        [Band(e.start_s / 60, e.end_s / 60, e.name.ja, e.name.en) for e in played.scenario.events],
        felt_parts={way: part for way, part in felt.items() if np.abs(part).max() >= LEAST_FELT},
        language=language,
        width_px=width_px,
    )


def links_of(played: Scene, claims: Claims) -> list[Link]:
    """Return the links that a scenario makes use of, as far as an article claims them, the worst proven last."""
    used = [name for event in played.scenario.events for name in event.values]
    lasting = LONG_LINKS if "stress" in used and played.scenario.duration_s >= LONG_S else ()
    return list(graded(links_of_inputs(used, also=lasting), claims))
