"""When did the heart beat, by the electrocardiogram? R-peaks finer than the sampling, each with a quality.

One pass finds the beats: two second-order filters, the energy of the slope, and levels of beats and of noise that adapt
(after Pan and Tompkins, whose look back for a missed beat is kept). Each beat is then timed on the samples as they
came, since filtered positions that count perfectly still distort the variability: by the place where it fits the
recording's usual beat best. How well it fits is its quality. All of it goes forward in time with a memory of seconds,
so chunks give the same beats as the whole.

References
----------
Pan J, Tompkins WJ, "A real-time QRS detection algorithm", IEEE Trans Biomed Eng, 1985;32:230-236.
doi:10.1109/TBME.1985.325532
Orphanidou C et al., "Signal-quality indices for the electrocardiogram and photoplethysmogram: derivation and
applications to wireless monitoring", IEEE J Biomed Health Inform, 2015;19:832-838. doi:10.1109/JBHI.2014.2338351
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unaji.records.timeline import FloatArray
from unaji.signals.detected import DetectedBeats, joined

IntArray = NDArray[np.int64]

LOWEST_RATE_HZ = 50.0
"""Slowest sampling from which a QRS complex can be told [Hz]."""

WORKING_RATE_HZ = 250.0
"""Faster recordings are averaged down to about this rate for finding, not for timing, the beats [Hz]."""

HIGH_PASS_HZ, LOW_PASS_HZ = 6.0, 20.0
"""Band in which a QRS complex stands out from P and T waves, breathing, and muscle [Hz]."""

ENERGY_S = 0.025
"""Time constant of the smoothing of the slope's energy, passed twice [s]."""

APART_S = 0.2
"""Beats do not follow each other faster: the ventricle is refractory [s]."""

LEARN_S = 4.0
"""What is looked at before the first decision [s]."""

SEARCH_S, TEMPLATE_S = 0.06, 0.1
"""How far from where the energy says the R-peak is looked for, and half the length of the template [s]."""

SLOPE_S = 0.008
"""Over how long the slopes are taken that tell a beat from what is before it [s]."""

HELD_S = 0.05
"""Missing samples up to so long are bridged with the last value; longer ones are a gap [s]."""

LONGEST_INTERVAL_S = 3.0
"""Two beats farther apart have others between them that were not seen: a gap [s]."""

MEMORY_S = 12.0
"""Samples kept for beats that are decided late: the look back reaches over the candidates that wait [s]."""

BLOCK = 1 << 15
"""Samples worked on at a time: little enough to stay in the processor's cache."""

LARGEST = 1e12
"""A sample beyond this is taken as missing: nothing is measured in such units."""


def ecg_beats(ecg: ArrayLike, sampling_rate_hz: float) -> DetectedBeats:
    """Find the R-peaks of an electrocardiogram.

    Parameters
    ----------
    ecg : array_like, shape (n,)
        One lead in any unit and polarity, evenly sampled; NaN where it was not recorded.
    sampling_rate_hz : float
        Samples a second; there is no default.

    Returns
    -------
    DetectedBeats
        Empty when there is nothing that looks like a beat. In noise there may be beats; their quality is low.

    Raises
    ------
    ValueError
        The rate is below `LOWEST_RATE_HZ` or not a number, or `ecg` has more than one dimension.
    """
    samples = np.asarray(ecg)
    detector = EcgDetector(sampling_rate_hz)
    return joined([detector.feed(samples), detector.finish()])


class EcgDetector:
    """Finds R-peaks as the samples come, with a memory of seconds.

    However the recording is cut into chunks, the beats are the same to the last digit. A beat is given out a quarter of
    a second after it happened, or up to a few seconds later where it was only found by looking back.

    Parameters
    ----------
    sampling_rate_hz : float
        Samples a second.
    """

    def __init__(self, sampling_rate_hz: float) -> None:
        from unaji.signals import _kernels_beats as kernels  # noqa: PLC0415  (compiled: slow to import)

        if not LOWEST_RATE_HZ <= sampling_rate_hz < math.inf:
            raise ValueError(f"sampling_rate_hz must be at least {LOWEST_RATE_HZ:g}, got {sampling_rate_hz}")
        self._kernels = kernels
        self._rate_hz = float(sampling_rate_hz)
        self._step = max(1, round(sampling_rate_hz / WORKING_RATE_HZ))
        self._find = _Finder(self._rate_hz / self._step)
        self._search, self._half = round(SEARCH_S * self._rate_hz), round(TEMPLATE_S * self._rate_hz)
        self._lag = max(1, round(SLOPE_S * self._rate_hz))
        self._template, self._rival = np.zeros((2, 2 * self._half + 1))
        self._timing, self._hold = np.zeros(1, dtype=kernels.TEMPLATE), np.zeros(1, dtype=kernels.HOLD)
        self._timing["last"] = -np.inf
        self._around = self._search + 2 * self._half + self._lag
        before = self._around + self._half  # nothing, so that a beat at the very start has surroundings
        self._kept = np.zeros(before)
        self._first = -before  # position of the first sample kept
        self._averaged = 0  # samples that went into the finder
        self._breaks: list[int] = []
        self._last_s = -math.inf

    def feed(self, chunk: ArrayLike) -> DetectedBeats:
        """Take the next samples, any number of them, and return the beats that are now certain."""
        samples = np.asarray(chunk)
        if samples.ndim != 1:
            raise ValueError(f"the samples must be one lead, shape (n,), got {samples.shape}")
        blocks = (samples[i : i + BLOCK] for i in range(0, samples.size, BLOCK))
        return joined([self._feed_block(block.astype(np.float64)) for block in blocks])

    def finish(self) -> DetectedBeats:
        """Return the beats that were still waiting; the recording is over."""
        held = np.full(round((APART_S + SEARCH_S + 2.0 * TEMPLATE_S) * self._rate_hz) + self._step, np.nan)
        return joined([self._feed_block(held), self._timed(self._find.finish())])

    def _feed_block(self, block: FloatArray) -> DetectedBeats:
        self._keep(block)
        ready = (self._first + self._kept.size - self._averaged) // self._step * self._step
        start = self._averaged - self._first
        fresh = self._kept[start : start + ready]
        self._averaged += ready
        beats = self._timed(self._find.feed(fresh.reshape(-1, self._step).mean(axis=1) if self._step > 1 else fresh))
        self._forget()
        return beats

    def _keep(self, block: FloatArray) -> None:
        """Append samples with the missing ones bridged, and note where the recording was interrupted."""
        held, (breaks, length) = round(HELD_S * self._rate_hz), np.empty((2, block.size), dtype=np.int64)
        n_breaks = self._kernels.hold_missing(block, self._hold, held, LARGEST, breaks, length)
        end = self._first + self._kept.size
        self._breaks += [end + int(at) for at in breaks[:n_breaks]]
        self._kept = np.concatenate((self._kept, block))

    def _forget(self) -> None:
        surplus = self._kept.size - round(MEMORY_S * self._rate_hz)
        if surplus > 0:
            self._kept = self._kept[surplus:]
            self._first += surplus

    def _timed(self, found: FloatArray) -> DetectedBeats:
        """Time beats found at these positions of the finder on the samples themselves."""
        about = np.round((found + 0.5) * self._step - 0.5).astype(np.int64) - self._first
        # The compiled loop does not look where it reads: what it needs around each beat has to be there.
        assert ((about >= self._around) & (about < self._kept.size - 2 * self._search - self._half)).all()
        centre = np.empty(found.size, dtype=np.int64)
        fraction, quality, amplitude, baseline = np.empty((4, found.size))
        n = self._kernels.refine(
            self._kept, about, self._search, self._half, self._lag, APART_S * self._rate_hz, self._first, self._timing,
            self._template, self._rival, centre, fraction, quality, amplitude, baseline,
        )  # fmt: skip
        time_s = ((centre[:n] + self._first) + fraction[:n]) / self._rate_hz
        breaks_s = np.asarray(self._breaks, dtype=np.float64) / self._rate_hz
        beats = DetectedBeats(time_s, quality[:n], amplitude[:n], baseline[:n], np.zeros(n, dtype=bool))
        beats = beats.interrupted_at(breaks_s, LONGEST_INTERVAL_S, last_s=self._last_s)
        if n:
            self._last_s = float(time_s[-1])
            self._breaks = [at for at in self._breaks if at >= self._last_s * self._rate_hz]
        return beats


class _Finder:
    """Says about where beats are, to a sample of the working rate."""

    def __init__(self, rate_hz: float) -> None:
        from unaji.signals import _kernels_ecg as kernels  # noqa: PLC0415

        self._kernels = kernels
        self._rate_hz = rate_hz
        self._high, self._low = _high_pass(HIGH_PASS_HZ / rate_hz), _low_pass(min(LOW_PASS_HZ / rate_hz, 0.4))
        self._smooth = 1.0 - math.exp(-1.0 / (ENERGY_S * rate_hz))
        self._apart = round(APART_S * rate_hz)
        self._delay = self._delay_of_a_beat()
        self._energy, self._levels = np.zeros(1, dtype=kernels.ENERGY), np.zeros(1, dtype=kernels.LEVELS)

    def feed(self, x: FloatArray) -> FloatArray:
        return self._decide(*self._peaks(x, self._energy), finishing=False)

    def finish(self) -> FloatArray:
        return self._decide(np.zeros(0, dtype=np.int64), np.zeros(0), finishing=True)

    def _peaks(self, x: FloatArray, state: NDArray[np.void]) -> tuple[IntArray, FloatArray]:
        most = x.size // self._apart + 2
        at, peak = np.empty(most, dtype=np.int64), np.empty(most)
        n = self._kernels.energy_peaks(x, self._high, self._low, self._smooth, self._apart, state, at, peak)
        return at[:n], peak[:n]

    def _decide(self, at: IntArray, peak: FloatArray, *, finishing: bool) -> FloatArray:
        most = at.size + self._kernels.MAX_WAITING
        beat_at = np.empty(most, dtype=np.int64)
        learn = round(LEARN_S * self._rate_hz)
        n = self._kernels.decide(at, peak, self._rate_hz, learn, finishing, self._levels, beat_at)
        found: FloatArray = beat_at[:n].astype(np.float64) - self._delay
        return found

    def _delay_of_a_beat(self) -> float:
        """Measure how long after its peak a QRS complex has its highest energy [samples]."""
        t_s = np.arange(round(2.0 * self._rate_hz)) / self._rate_hz - 0.4
        at, peak = self._peaks(np.exp(-0.5 * (t_s / 0.012) ** 2), np.zeros(1, dtype=self._kernels.ENERGY))
        return float(at[np.argmax(peak)]) - 0.4 * self._rate_hz


def _low_pass(cutoff: float) -> FloatArray:
    """Return b0, b1, b2, a1, a2 of a second-order Butterworth filter; `cutoff` in cycles a sample (bilinear)."""
    k = math.tan(math.pi * cutoff)
    scale = 1.0 / (1.0 + math.sqrt(2.0) * k + k * k)
    gain = k * k * scale
    return np.array([gain, 2.0 * gain, gain, 2.0 * (k * k - 1.0) * scale, (1.0 - math.sqrt(2.0) * k + k * k) * scale])


def _high_pass(cutoff: float) -> FloatArray:
    k = math.tan(math.pi * cutoff)
    gain = 1.0 / (1.0 + math.sqrt(2.0) * k + k * k)
    return np.array([gain, -2.0 * gain, gain, 2.0 * (k * k - 1.0) * gain, (1.0 - math.sqrt(2.0) * k + k * k) * gain])
