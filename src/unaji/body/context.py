"""What was recorded around one episode, as what happens to a body: air, activity, posture, logged heat and load.

Times are minutes from the logged onset. What was not recorded is NaN or empty; `unaji.body.hypotheses` draws it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray

FIRST_MIN, FINE_MIN, LAST_MIN = -180, -20, 40
"""Three hours before, in steps of five minutes, then in steps of one until the last window ends."""

END_MIN: FloatArray = np.append(np.arange(FIRST_MIN + 5, FINE_MIN + 1, 5.0), np.arange(FINE_MIN + 1, LAST_MIN + 1, 1.0))
"""End of each simulated step."""
STEP_S: FloatArray = np.diff(END_MIN, prepend=float(FIRST_MIN)) * 60.0
N_STEPS = END_MIN.size

WINDOWS_MIN = ((-60, -20), (-20, -10), (-10, 0), (0, 10), (10, 40))
"""Well before the onset, twice shortly before, at it and after it. A flush is there in two minutes and gone after some
ten, a muscle takes half an hour, fever hours; onsets are logged to within a quarter of an hour."""


def within(after_min: float, until_min: float) -> BoolArray:
    """Tell the steps that end within a span, its beginning left out."""
    return np.asarray([after_min < end <= until_min for end in END_MIN], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class LoggedHeat:
    """A hot bath, hot meal, exercise, warm clothing or sun, from and to in minutes from the onset."""

    kind: str
    start_min: float
    end_min: float


def _nothing() -> FloatArray:
    return np.full(N_STEPS, np.nan)


@dataclass(frozen=True, eq=False, slots=True)
class Context:
    """What was recorded around an episode.

    Attributes
    ----------
    air_temp_c, met : ndarray, shape (N_STEPS,)
        NaN throughout where not recorded, else without NaN.
    near_body : bool
        The air was measured on clothes or bag, which reads between air and skin.
    flexion_deg : float
        Median forward flexion of the head in the hour before the onset; NaN where not recorded.
    heat : tuple of LoggedHeat
    load_min : tuple of (float, float)
        Spans of desk work or phone, and a stiff neck as the two hours before; minutes from the onset.
    """

    air_temp_c: FloatArray = field(default_factory=_nothing)
    near_body: bool = False
    met: FloatArray = field(default_factory=_nothing)
    flexion_deg: float = float("nan")
    heat: tuple[LoggedHeat, ...] = ()
    load_min: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        for name in ("air_temp_c", "met"):
            value = np.array(getattr(self, name), dtype=float)
            if value.shape != (N_STEPS,) or np.isnan(value).any() != np.isnan(value).all():
                raise ValueError(f"{name} needs {N_STEPS} values or none at all, got shape {value.shape}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def knows_air(self) -> bool:
        """Whether the air was measured."""
        return not bool(np.isnan(self.air_temp_c[0]))

    @property
    def knows_activity(self) -> bool:
        """Whether movement was measured."""
        return not bool(np.isnan(self.met[0]))

    @property
    def knows_heat(self) -> bool:
        """Whether anything was recorded of what warms a person from outside or by work."""
        return self.knows_air or self.knows_activity or bool(self.heat)

    @property
    def knows_load(self) -> bool:
        """Whether anything was recorded of what loads the neck."""
        return bool(self.load_min) or bool(np.isfinite(self.flexion_deg))

    @property
    def says_something(self) -> bool:
        """Whether anything at all was recorded."""
        return self.knows_heat or self.knows_load


NOTHING_RECORDED = Context()


def filled(value: FloatArray) -> FloatArray:
    """Fill gaps from the value before, the first ones from the one after; all NaN where the last hour holds nothing."""
    recent = within(-60, 10)
    known = np.isfinite(value)
    if not known[recent].any():
        return _nothing()
    latest = np.maximum.accumulate(np.where(known, np.arange(value.size), -1))
    return np.asarray(value[np.where(latest < 0, int(known.argmax()), latest)])
