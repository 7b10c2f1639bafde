"""When did the heart beat, by the electrocardiogram? R-peaks finer than the sampling, each with a quality.

One pass finds the beats: two second-order filters, the energy of the slope, and levels of beats and of noise that adapt
(after Pan and Tompkins, whose look back for a missed beat is kept). Each beat is then timed on the samples as they
came, since filtered positions that count perfectly still distort the variability: by the place where it fits the
recording's usual beat best.

Its quality is how well it fits there in shape and in size, how far it stands out from what is before it, and how far
two detectors of unlike principle have agreed of late: the second goes by the length of the curve. All of it goes
forward in time with a memory of seconds, so chunks give the same beats as the whole.

References
----------
Pan J, Tompkins WJ, "A real-time QRS detection algorithm", IEEE Trans Biomed Eng, 1985;32:230-236.
doi:10.1109/TBME.1985.325532
Orphanidou C et al., "Signal-quality indices for the electrocardiogram and photoplethysmogram: derivation and
applications to wireless monitoring", IEEE J Biomed Health Inform, 2015;19:832-838. doi:10.1109/JBHI.2014.2338351
Li Q, Mark RG, Clifford GD, "Robust heart rate estimation from multiple asynchronous noisy sources using signal quality
indices and a Kalman filter", Physiol Meas, 2008;29:15-32. doi:10.1088/0967-3334/29/1/002 (agreement of detectors)
Zong W, Moody GB, Jiang D, "A robust open-source algorithm to detect onset and duration of QRS complexes", Comput
Cardiol, 2003;30:737-740. doi:10.1109/CIC.2003.1291261 (length of the curve)
"""

from __future__ import annotations

import math
from typing import Any

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

LENGTH_STEP_S, LENGTH_S = 0.012, 0.08
"""Means the second detector works on, and over how long it follows the curve: about a QRS complex [s].

Chosen, with its threshold, on 20 minutes of two clean leads under invented noise of muscle and of moving electrodes.
"""

LENGTH_APART_S = 0.25
"""Beats of the second detector do not follow each other faster [s]."""

AGREEING_S, AGREED_S = 10.0, 0.15
"""Over how long the detectors' agreement is counted (Li 2008), and how near to each other one beat is to both [s]."""

HELD_S = 0.05
"""Missing samples up to so long are bridged with the last value; longer ones are a gap [s]."""

LONGEST_INTERVAL_S = 3.0
"""Two beats farther apart have others between them that were not seen: a gap [s]."""

MEMORY_S = 12.0
"""Samples kept for beats that are decided late: the look back reaches over the candidates that wait [s]."""

BLOCK = 1 << 17
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
        self._agreement = _Agreement(self._rate_hz / self._step)
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
        return joined([self._feed_block(block) for block in blocks])

    def finish(self) -> DetectedBeats:
        """Return the beats that were still waiting; the recording is over."""
        held = np.full(round((APART_S + SEARCH_S + 2.0 * TEMPLATE_S) * self._rate_hz) + self._step, np.nan)
        settled = self._feed_block(held)
        return joined([settled, self._given_out(self._agreement.finish(self._timed(self._find.finish())))])

    def _feed_block(self, block: NDArray[Any]) -> DetectedBeats:
        self._keep(block)
        ready = (self._first + self._kept.size - self._averaged) // self._step * self._step
        start = self._averaged - self._first
        fresh = self._kept[start : start + ready]
        self._averaged += ready
        working = fresh.reshape(-1, self._step).mean(axis=1) if self._step > 1 else fresh
        columns = self._agreement.feed(working, self._timed(self._find.feed(working)))
        self._forget()
        return self._given_out(columns)

    def _keep(self, block: NDArray[Any]) -> None:
        """Append samples with the missing ones bridged, and note where the recording was interrupted."""
        held, (breaks, length) = round(HELD_S * self._rate_hz), np.empty((2, block.size), dtype=np.int64)
        n_before = self._kept.size
        self._kept = np.concatenate((self._kept, block), dtype=np.float64, casting="unsafe")
        n_breaks = self._kernels.hold_missing(self._kept[n_before:], self._hold, held, LARGEST, breaks, length)
        self._breaks += [self._first + n_before + int(at) for at in breaks[:n_breaks]]

    def _forget(self) -> None:
        surplus = self._kept.size - round(MEMORY_S * self._rate_hz)
        if surplus > 0:
            self._kept = self._kept[surplus:]
            self._first += surplus

    def _timed(self, found: FloatArray) -> FloatArray:
        """Time beats found at these positions of the finder on the samples themselves.

        Returns times, quality, amplitude and baseline, shape (4, n).
        """
        about = np.round((found + 0.5) * self._step - 0.5).astype(np.int64) - self._first
        # The compiled loop does not look where it reads: what it needs around each beat has to be there.
        assert ((about >= self._around) & (about < self._kept.size - 2 * self._search - self._half)).all()
        centre, columns = np.empty(found.size, dtype=np.int64), np.empty((4, found.size))
        n = self._kernels.refine(
            self._kept, about, self._search, self._half, self._lag, APART_S * self._rate_hz, self._first, self._timing,
            self._template, self._rival, centre, *columns,
        )  # fmt: skip
        columns[0, :n] = ((centre[:n] + self._first) + columns[0, :n]) / self._rate_hz
        return columns[:, :n]

    def _given_out(self, columns: FloatArray) -> DetectedBeats:
        """Mark the gaps."""
        n = columns.shape[1]
        breaks_s = np.asarray(self._breaks, dtype=np.float64) / self._rate_hz
        time_s, quality, amplitude, baseline = columns
        beats = DetectedBeats(time_s, quality, amplitude, baseline, np.zeros(n, dtype=bool))
        if not n:
            return beats
        beats = beats.interrupted_at(breaks_s, LONGEST_INTERVAL_S, last_s=self._last_s)
        self._last_s = float(columns[0, -1])
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
        n = self._kernels.decide(at, peak, self._rate_hz, learn, finishing, False, self._levels, beat_at)
        found: FloatArray = beat_at[:n].astype(np.float64) - self._delay
        return found

    def _delay_of_a_beat(self) -> float:
        """Measure how long after its peak a QRS complex has its highest energy [samples]."""
        t_s = np.arange(round(2.0 * self._rate_hz)) / self._rate_hz - 0.4
        at, peak = self._peaks(np.exp(-0.5 * (t_s / 0.012) ** 2), np.zeros(1, dtype=self._kernels.ENERGY))
        return float(at[np.argmax(peak)]) - 0.4 * self._rate_hz


class _Lengths:
    """The second opinion: beats by the length of the curve, coarse in time."""

    def __init__(self, rate_hz: float) -> None:
        from unaji.signals import _kernels_ecg as kernels  # noqa: PLC0415

        self._kernels = kernels
        self._block = max(1, round(LENGTH_STEP_S * rate_hz))
        self._rate_hz = rate_hz / self._block
        self._window = max(2, round(LENGTH_S * self._rate_hz))
        self._apart = round(LENGTH_APART_S * self._rate_hz)
        self._length, self._levels = np.zeros(1, dtype=kernels.LENGTH), np.zeros(1, dtype=kernels.LEVELS)

    @property
    def decided_s(self) -> float:
        """Before which time all beats have been given out [s]."""
        return float(self._seconds(self._length["top_at"])[0]) if self._levels["learnt"][0] else -math.inf

    def feed(self, x: FloatArray) -> FloatArray:
        """Return when there were beats that are now certain [s]."""
        most = x.size // self._block // self._apart + 2
        at, peak = np.empty(most, dtype=np.int64), np.empty(most)
        n = self._kernels.length_peaks(x, self._block, self._window, self._apart, self._length, at, peak)
        return self._decide(at[:n], peak[:n], finishing=False)

    def finish(self) -> FloatArray:
        return self._decide(np.zeros(0, dtype=np.int64), np.zeros(0), finishing=True)

    def _decide(self, at: IntArray, peak: FloatArray, *, finishing: bool) -> FloatArray:
        beat_at = np.empty(at.size + self._kernels.MAX_WAITING, dtype=np.int64)
        learn = round(LEARN_S * self._rate_hz)
        n = self._kernels.decide(at, peak, self._rate_hz, learn, finishing, True, self._levels, beat_at)
        return self._seconds(beat_at[:n])

    def _seconds(self, at: IntArray) -> FloatArray:
        """Return the middle of a stretch that ends with this mean [s]."""
        middle: FloatArray = (at.astype(np.float64) - self._window / 2.0) / self._rate_hz
        return middle


class _Agreement:
    """Keeps beats until the second detector has been heard, and lowers their quality where the two disagree."""

    def __init__(self, rate_hz: float) -> None:
        self._second = _Lengths(rate_hz)
        self._second_s, self._first_s = np.zeros(0), np.zeros(0)
        self._waiting = np.zeros((4, 0))

    def feed(self, x: FloatArray, columns: FloatArray) -> FloatArray:
        """Let the second detector hear samples; return the beats up to where it has decided."""
        self._second_s = np.concatenate((self._second_s, self._second.feed(x)))
        return self._judged(columns, self._second.decided_s)

    def finish(self, columns: FloatArray) -> FloatArray:
        self._second_s = np.concatenate((self._second_s, self._second.finish()))
        return self._judged(columns, math.inf)

    def _judged(self, columns: FloatArray, decided_s: float) -> FloatArray:
        waiting = np.concatenate((self._waiting, columns), axis=1)
        n = int(np.searchsorted(waiting[0], decided_s - AGREED_S))
        ready, self._waiting = waiting[:, :n], waiting[:, n:]
        if n:
            self._first_s = np.concatenate((self._first_s, ready[0]))
            ready[1] *= np.sqrt(agreement(self._first_s, self._second_s)[self._first_s.size - n :])
        self._forget(decided_s)
        return ready

    def _forget(self, decided_s: float) -> None:
        """Drop what no later beat looks at: a beat can be found `MEMORY_S` late, and looks `AGREEING_S` back."""
        oldest_s = decided_s - MEMORY_S - AGREEING_S - 1.0
        self._first_s = self._first_s[np.searchsorted(self._first_s, oldest_s) :]
        self._second_s = self._second_s[np.searchsorted(self._second_s, oldest_s) :]


def agreement(first_s: FloatArray, second_s: FloatArray) -> FloatArray:
    """Return how far two detectors agreed in the ten seconds up to each beat of the first (bSQI of Li 2008).

    Parameters
    ----------
    first_s, second_s : ndarray, shape (n,) and (m,)
        Beats of each [s], ascending; those of the first at least `APART_S` apart.

    Returns
    -------
    ndarray, shape (n,)
        Beats that both found as a share of all that either found, 0 to 1. Only what came before the beat, or within
        `AGREED_S` after it, enters.
    """
    from unaji.signals import _kernels_ecg as kernels  # noqa: PLC0415

    share = np.empty(first_s.size)
    kernels.share_agreed(first_s, second_s, AGREEING_S, AGREED_S, share)
    return share


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
