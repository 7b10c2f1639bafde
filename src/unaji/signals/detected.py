"""Heart beats found in a waveform: when, how large, how trustworthy, and where the waveform was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from unaji.records.timeline import Beats, BoolArray, FloatArray, utc_ms


@dataclass(frozen=True, eq=False, slots=True)
class DetectedBeats:
    """Beats found in an electrocardiogram or a pulse wave.

    Attributes
    ----------
    time_s : ndarray, shape (n_beats,)
        When, in seconds since the waveform's first sample, finer than its sampling; ascending.
    quality : ndarray, shape (n_beats,)
        How far the beat can be trusted, 0 to 1: how alike it is to this recording's usual beat in shape (correlation)
        and size, how it stands out, and in an electrocardiogram how far two detectors agree. NaN for a beat that there
        was nothing to compare with.
    amplitude : ndarray, shape (n_beats,)
        Height of the beat in the waveform's own unit.
    baseline : ndarray, shape (n_beats,)
        Level the beat stands on, in the waveform's own unit and from an arbitrary zero.
    gap : ndarray of bool, shape (n_beats,)
        True where the waveform was interrupted since the beat before, and for the first: no interval ends here.
    """

    time_s: FloatArray
    quality: FloatArray
    amplitude: FloatArray
    baseline: FloatArray
    gap: BoolArray

    def __post_init__(self) -> None:
        for name, dtype in (*((name, "float64") for name in self.__slots__[:4]), ("gap", "bool")):
            column = np.array(getattr(self, name), dtype=dtype)
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        if len({getattr(self, name).shape for name in self.__slots__}) != 1:
            raise ValueError("the columns of the beats differ in shape")

    def __len__(self) -> int:
        return int(self.time_s.size)

    @property
    def rri_ms(self) -> FloatArray:
        """Interval that ends at each beat [ms], shape (n_beats,); NaN across a gap and for the first."""
        interval_ms = np.diff(self.time_s, prepend=np.nan) * 1000.0
        return np.where(self.gap, np.nan, interval_ms)

    def where(self, keep: BoolArray) -> DetectedBeats:
        """Return the beats for which `keep` is true."""
        return DetectedBeats(*(getattr(self, name)[keep] for name in self.__slots__))

    def interrupted_at(
        self, breaks_s: FloatArray, longest_interval_s: float, *, last_s: float = -np.inf
    ) -> DetectedBeats:
        """Return these beats with a gap at each that follows a break, or the beat before after too long.

        Parameters
        ----------
        breaks_s : ndarray, shape (n_breaks,)
            When the waveform came back after being interrupted, ascending [s].
        longest_interval_s : float
            Two beats farther apart have others between them that were not seen [s].
        last_s : float
            When the last beat before these was; minus infinity when there was none [s].
        """
        before_s = np.append(last_s, self.time_s[:-1]) if len(self) else self.time_s
        broken = np.searchsorted(breaks_s, self.time_s) > np.searchsorted(breaks_s, before_s)
        return replace(self, gap=broken | (self.time_s - before_s > longest_interval_s))

    def to_beats(self, start: datetime, origin: str, *, min_quality: float = 0.0) -> Beats:
        """Give the intervals as `Beats`; those next to a beat of lower quality than asked for become NaN.

        Parameters
        ----------
        start : datetime
            The instant of the waveform's first sample, with time zone.
        origin : str
            "ecg" or "ppg".
        min_quality : float
            Least quality of both beats of an interval; a quality of NaN passes only when this is 0.
        """
        good = self.quality >= min_quality if min_quality > 0.0 else np.ones(len(self), dtype=bool)
        both = good & np.append(False, good)[: len(self)]
        time = utc_ms(start) + np.round(self.time_s * 1000.0).astype("timedelta64[ms]")
        keep = ~self.gap
        # An interval needs a row; a beat after a gap has none. The row that follows it starts a new stretch.
        after_gap = np.append(True, self.gap)[: len(self)]
        rri_ms = np.where(both, self.rri_ms, np.nan)
        return Beats(time[keep], rri_ms[keep], after_gap[keep], origin, "no")


def joined(parts: Sequence[DetectedBeats]) -> DetectedBeats:
    """Put beats from consecutive chunks of one waveform together."""
    if not parts:
        empty = np.zeros(0)
        return DetectedBeats(empty, empty, empty, empty, np.zeros(0, dtype=bool))
    return DetectedBeats(*(np.concatenate([getattr(p, name) for p in parts]) for name in DetectedBeats.__slots__))
