"""A scenario: one person, a steady room, and what happens in it, told in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from unaji.body.channels import CHANNELS, WHOLE_NUMBERS
from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.persons import Persons
from unaji.claims.model import Words

PULSED = "needle"
"""The input that acts in the one step in which it happens."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens for a while: inputs go to other values and come back.

    Attributes
    ----------
    start_s, end_s : float
        The values are on their way, or there, from `start_s`; they begin to leave at `end_s`. An event whose end is
        the scenario's stays.
    ramp_s : float
        How long the way takes, there and back.
    values : mapping of str to float
        By channel name.
    """

    name: Words
    start_s: float
    end_s: float
    ramp_s: float
    values: Mapping[str, float]

    @property
    def over_s(self) -> float:
        """When everything is back at the room's value."""
        return self.end_s + self.ramp_s

    @property
    def corners_s(self) -> tuple[float, ...]:
        """Times at which an input bends or jumps."""
        return self.start_s, self.start_s + self.ramp_s, self.end_s, self.over_s


@dataclass(frozen=True, eq=False, slots=True)
class Scenario:
    """What `simulate` is asked.

    Attributes
    ----------
    id : str
        Name of the file, without its ending.
    shows : Words
        What there is to see in it.
    duration_s, step_s, fine_step_s, baseline_s : float
        Length, ordinary step, step for ten minutes after each corner of an event, and the quiet lead-in in which
        nothing happens yet.
    start_hour : float or None
        Local time of day at the start; None where the clock stands still, so that no daily rhythm mixes in.
    room : mapping of str to float
        The steady surroundings before, between and after the events, by channel name.
    events : tuple of Event
        In order of time; those that repeat are written out.
    sources : tuple of str
        Where the inputs come from.
    """

    id: str
    title: Words
    shows: Words
    duration_s: float
    step_s: float
    fine_step_s: float
    baseline_s: float
    start_hour: float | None
    persons: Persons
    room: Mapping[str, float]
    events: tuple[Event, ...]
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "room", MappingProxyType(dict(self.room)))

    def forcing(self) -> Forcing:
        """Return the inputs step by step; the first step is the steady room from which the person starts."""
        changed = dict.fromkeys(name for event in self.events for name in event.values)
        courses: dict[str, float | Course | Pulses] = dict(self.room)
        courses |= {name: self._course(name) for name in changed}
        corners = [t for event in self.events for t in event.corners_s]
        return Forcing.of(
            self.duration_s,
            courses,
            dt_s=self.step_s,
            start_hour=self.start_hour,
            edges_s=np.array(corners, dtype=float),
            fine_dt_s=self.fine_step_s,
        )

    def _course(self, name: str) -> Course | Pulses:
        events = [event for event in self.events if name in event.values]
        if name == PULSED:
            return Pulses(np.array([e.start_s for e in events]), np.array([e.values[name] for e in events]))
        base = self.room.get(name, CHANNELS[name].default)
        # There is no half asleep, and no way from "as the air" to a temperature: such inputs jump.
        jumps = name in WHOLE_NUMBERS or np.isnan(base)
        time_s, value = [0.0], [base]
        for event in events:
            there = event.values[name]
            time_s += (event.start_s, event.start_s, event.end_s, event.end_s) if jumps else event.corners_s
            value += (base, there, there, base)
        return Course(np.array(time_s), np.array(value))
