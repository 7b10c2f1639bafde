"""Whatever a sensor or a file gives, every public entry answers: a value, or NaN, None or a reason; never a crash.

A mistake of the programmer (a wrong shape, no sampling rate, times in disorder where order is asked for) is a
`ValueError`; that list is short and at the end. Warnings fail tests here as everywhere. A test that hangs ends its
process.
"""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from unaji import signals
from unaji.records.timeline import Beats, Person, Series, Timeline
from unaji.signals import (
    activity,
    adjust,
    arousal,
    autonomic,
    breathing,
    correction,
    eda,
    eda_driver,
    eda_windows,
    grid,
    hrv,
    index,
    indices,
    latent,
    movement,
    nonlinear,
    respiration,
    rr,
    skin,
    spectrum,
    state,
    state_stream,
    wear,
)
from unaji.signals.detected import DetectedBeats, joined
from unaji.signals.ecg import EcgDetector, agreement, ecg_beats
from unaji.signals.hrv_stream import HrvStream
from unaji.signals.ppg import PpgDetector, ppg_beats, ppg_beats_uneven
from unaji.signals.tachogram import Tachogram
from unaji.signals.value import Value

START = np.datetime64("2024-05-01T00:00:00.000", "ms")
HANGS_S = 120.0
TIME_DOMAIN = (hrv.mean_rri, hrv.mean_hr, hrv.sdnn, hrv.rmssd, hrv.sdsd, hrv.pnn50)


@pytest.fixture(autouse=True)
def a_hang_ends_the_run() -> Iterator[None]:
    """Let the system end the process, in a compiled loop too; pytest-xdist then says which test it was."""
    # The processor's time, not the clock's: on a busy machine compiling alone takes minutes.
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS_S)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


# -- what comes in -----------------------------------------------------------------------------------------------------

BAD: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "nothing": lambda x, rng: x[:0],
    "one sample": lambda x, rng: x[:1],
    "three samples": lambda x, rng: x[:3],
    "flat": lambda x, rng: np.full_like(x, x[0]),
    "zeros": lambda x, rng: np.zeros_like(x),
    "noise": lambda x, rng: x.mean() + x.std() * rng.standard_normal(x.size),
    "all missing": lambda x, rng: np.full_like(x, np.nan),
    "some missing": lambda x, rng: np.where(rng.random(x.size) < 0.3, np.nan, x),
    "missing and infinite": lambda x, rng: np.where(
        rng.random(x.size) < 0.2, rng.choice([np.nan, np.inf, -np.inf], x.size), x
    ),
    "saturated": lambda x, rng: np.clip(x, *np.percentile(x, [40, 60])),
    "a thousandth": lambda x, rng: x / 1000.0,
    "a thousandfold": lambda x, rng: x * 1000.0,
    "Fahrenheit": lambda x, rng: 1.8 * x + 32.0,
    "negative": lambda x, rng: -x,
    "alternating": lambda x, rng: np.where(np.arange(x.size) % 2, x, -x),
    "enormous": lambda x, rng: 1e200 * (1.0 + rng.random(x.size)),
    "enormous at times": lambda x, rng: np.where(rng.random(x.size) < 0.05, -1e308, x),
    "minute": lambda x, rng: 1e-200 * x,
    "a spike": lambda x, rng: np.where(np.arange(x.size) == x.size // 2, 1e9, x),
}


def good(kind: str) -> np.ndarray:
    """A short recording as it should be."""
    rng = np.random.default_rng(7)
    if kind == "rr":
        beat = np.arange(700)
        return 850.0 + 40.0 * np.sin(beat / 3.0) + 10.0 * rng.standard_normal(beat.size)
    if kind == "wave":
        phase = np.arange(60 * 100) / 100.0 / 0.85 % 1.0
        return np.exp(-0.5 * ((phase - 0.3) / 0.03) ** 2) + 0.02 * rng.standard_normal(phase.size)
    t = np.arange(4 * 1800) / 4.0
    if kind == "eda":
        return 4.0 + 0.5 * np.sin(t / 300.0) + 0.3 * np.exp(-(t % 60.0) / 4.0) + 0.002 * rng.standard_normal(t.size)
    if kind == "skin":
        return 33.0 + np.sin(t / 900.0) + 0.01 * rng.standard_normal(t.size)
    assert kind == "acceleration"
    return 1.0 + 0.3 * np.sin(2.0 * np.pi * 1.8 * np.arange(32 * 120) / 32.0)


def times(n: int, step_ms: int = 250) -> np.ndarray:
    return START + (step_ms * np.arange(n)).astype("timedelta64[ms]")


def series(quantity: str, x: np.ndarray, step_ms: int = 250, site: str = "") -> Series:
    """A series as a reader would make it: it takes no value that is not finite."""
    finite = np.isfinite(x)
    return Series(quantity, times(x.size, step_ms)[finite], x[finite], None, site)


def tachogram(x: np.ndarray) -> Tachogram:
    return Tachogram.of_intervals(x)


def intervals(x: np.ndarray) -> np.ndarray:
    """What steps behind the artefact rules are given: intervals that could be such, NaN for the others."""
    return tachogram(x).nn_ms


def windows(t: Tachogram) -> np.ndarray:
    return indices.window_starts(t, 120.0, 60.0)


def bounds(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low = np.arange(0, x.size, 100)
    return low, np.minimum(low + 300, x.size)


def timeline(quantity: str, x: np.ndarray, hours: int = 12) -> Timeline:
    """Hours of one bad thing beside a good heart rate."""
    many = np.resize(x, 2 * hours * x.size) if x.size > 3 else x
    step_ms = max(1, 3_600_000 * hours // max(many.size, 1))
    rate = 70.0 + 5.0 * np.sin(np.arange(60 * hours) / 60.0)
    parts = [series("hr_bpm", rate, 60_000)] if quantity != "hr_bpm" else []
    return Timeline(Person("x"), series=(*parts, series(quantity, many, step_ms, "wrist")))


def beats_timeline(x: np.ndarray) -> Timeline:
    many = np.resize(x, 10 * x.size) if x.size > 3 else x
    ends = START + (850 * np.arange(1, many.size + 1)).astype("timedelta64[ms]")
    return Timeline(Person("x"), beats=Beats(ends, many, np.arange(many.size) == 0))


def pieces(detector: EcgDetector | PpgDetector, x: np.ndarray) -> DetectedBeats:
    return joined([*(detector.feed(part) for part in np.array_split(x, 7)), detector.finish()])


def streamed(x: np.ndarray) -> list[eda_driver.EdaParts]:
    stream = eda_driver.EdaStream(0.25)
    parts = [stream.push(times(x.size)[k : k + 999], x[k : k + 999]) for k in range(0, x.size, 999)]
    return [*parts, stream.finish()]


def of_windows(x: np.ndarray) -> list[object]:
    found = eda_windows.eda_windows(series("scl_microsiemens", x), times(30, 60_000), 60.0)
    return [found, found.values(0)]


def of_beats(x: np.ndarray) -> list[object]:
    beats = DetectedBeats(0.85 * np.arange(x.size), np.ones(x.size), x, x, np.zeros(x.size, dtype=bool))
    return [beats.rri_ms, respiration.respiration_from_beats(beats, np.arange(0.0, 300.0, 30.0))]


def to_beats(x: np.ndarray) -> Beats:
    return ecg_beats(x, 100.0).to_beats(datetime(2024, 5, 1, tzinfo=UTC), "ecg", min_quality=0.5)


def stored_ecg(x: np.ndarray) -> Beats | None:
    timeline = Timeline(Person("someone"), series=(series("ecg_mv", x, 10),))
    return signals.with_ecg_beats(timeline).beats


def three_axes(x: np.ndarray) -> np.ndarray:
    return np.column_stack((0.1 * x, 0.2 * x, x))


def personal(x: np.ndarray) -> autonomic.PersonalIndices:
    t = tachogram(x)
    table = indices.hrv_table(t, windows(t), 120.0)
    return autonomic.personal_indices(table, np.ones(table.start_s.size, dtype=bool))


def hrv_stream_of(x: np.ndarray) -> list[object]:
    stream = HrvStream(120.0)
    return [*(stream.push_intervals(part) for part in np.array_split(x, 5)), stream.finish()]


def spectra(x: np.ndarray) -> list[object]:
    t = tachogram(x)
    found = [spectrum.spectrum(t, windows(t), 120.0, method=method) for method in ("welch", "lomb")]
    return [*found, *(each.power(0.04, 0.15) for each in found)]


def nonlinear_indices(x: np.ndarray) -> list[object]:
    t = tachogram(x)
    low, high = bounds(t.nn_ms)
    n = np.array([np.isfinite(t.nn_ms[a:b]).sum() for a, b in zip(low, high, strict=True)], dtype=np.int64)
    sd = np.full(low.size, 20.0)
    return [
        nonlinear.sample_entropy(t.nn_ms, t.joined, low, high, sd),
        nonlinear.dfa_alpha1(t.nn_ms, t.joined, low, high),
        nonlinear.triangular_index(t.nn_ms, low, high, n),
        nonlinear.baevsky_si(t.nn_ms, low, high, n),
    ]


ENTRIES: dict[str, tuple[str, Callable[[np.ndarray], object]]] = {
    "ecg_beats": ("wave", lambda x: ecg_beats(x, 100.0)),
    "EcgDetector": ("wave", lambda x: pieces(EcgDetector(100.0), x)),
    "to_beats": ("wave", to_beats),
    "with_ecg_beats": ("wave", stored_ecg),
    "agreement": ("wave", lambda x: agreement(ecg_beats(x, 100.0).time_s, ppg_beats(x, 100.0).time_s)),
    "ppg_beats": ("wave", lambda x: ppg_beats(x, 100.0)),
    "PpgDetector": ("wave", lambda x: pieces(PpgDetector(25.0), x)),
    "ppg_beats_uneven": ("wave", lambda x: ppg_beats_uneven(np.arange(x.size) / 30.0, x)),
    "ppg_beats_uneven, bad times": ("wave", lambda x: ppg_beats_uneven(np.sort(x), np.arange(float(x.size)))),
    "respiration_from_intervals": (
        "rr", lambda x: respiration.respiration_from_intervals(0.85 * np.arange(x.size), x, np.arange(0.0, 500.0, 30.0))
    ),
    "respiration_from_beats": ("rr", of_beats),
    "split_eda": ("eda", lambda x: eda.split_eda(times(x.size), x)),
    "split_eda, slow": ("eda", lambda x: eda.split_eda(times(x.size, 60_000), x)),
    "valid_eda": ("eda", lambda x: eda.valid_eda(times(x.size), x)),
    "eda_on_grid": ("eda", lambda x: eda.eda_on_grid(series("scl_microsiemens", x), times(30, 60_000), 60.0)),
    "deconvolve_eda": ("eda", lambda x: eda_driver.deconvolve_eda(times(x.size), x)),
    "deconvolve_eda, one time": ("eda", lambda x: eda_driver.deconvolve_eda(times(x.size, 0), x)),
    "responses": ("eda", lambda x: eda_driver.responses(eda_driver.deconvolve_eda(times(x.size), x))),
    "EdaStream": ("eda", streamed),
    "eda_windows": ("eda", of_windows),
    "cosinor": ("skin", lambda x: skin.cosinor(np.arange(x.size) / 200.0, x, unit="°C", correlated=True)),
    "cosinor, bad times": ("skin", lambda x: skin.cosinor(x, np.arange(float(x.size)))),
    "skin_rhythm": (
        "skin", lambda x: skin.skin_rhythm(grid.Gridded(x, np.ones(x.size)), np.arange(x.size) / 200.0)
    ),
    "gradient_on_grid": (
        "skin",
        lambda x: skin.gradient_on_grid(
            Timeline(Person("x"), series=tuple(series("skin_temp_c", x, site=site) for site in ("wrist", "chest"))),
            times(30, 60_000), 60.0,
        ),
    ),
    "worn": ("skin", lambda x: wear.worn(times(x.size, 60_000), x, air_temp_c=x[::-1], movement_mg=x)),
    "movement": ("acceleration", lambda x: movement.movement(START, three_axes(x), 32.0, range_g=2.0)),
    "movement, range not known": ("acceleration", lambda x: movement.movement(START, three_axes(x), 32.0)),
    "find_steps": ("acceleration", lambda x: movement.find_steps(x[: x.size // 4 * 4].reshape(4, -1), 32.0)),
    "activity_on_grid": (
        "acceleration", lambda x: activity.activity_on_grid(series("activity_mg", x), times(30, 60_000), 60.0)
    ),
    "skin_temp_on_grid": (
        "skin", lambda x: activity.skin_temp_on_grid(series("skin_temp_c", x), times(30, 60_000), 60.0)
    ),
    "hrv functions": ("rr", lambda x: [f(x) for f in TIME_DOMAIN]),
    "valid_differences": ("rr", hrv.valid_differences),
    "reject_artefacts": ("rr", rr.reject_artefacts),
    "Tachogram": ("rr", tachogram),
    "interpolate_artefacts": ("rr", lambda x: correction.interpolate_artefacts(tachogram(x))),
    "hrv": ("rr", lambda x: [indices.hrv(tachogram(x), method=method) for method in ("welch", "lomb")]),
    "hrv_table": ("rr", lambda x: indices.hrv_table(tachogram(x), windows(tachogram(x)), 120.0)),
    "HrvStream": ("rr", hrv_stream_of),
    "breathing_rate": ("rr", lambda x: breathing.breathing_rate(tachogram(x), windows(tachogram(x)), 120.0)),
    "spectrum": ("rr", spectra),
    "nonlinear": ("rr", nonlinear_indices),
    "poincare": ("rr", lambda x: nonlinear.poincare(x, x[::-1])),
    "csi_cvi": ("rr", lambda x: nonlinear.csi_cvi(x, x[::-1])),
    "resolved_csi_cpi": ("rr", lambda x: autonomic.resolved_csi_cpi(tachogram(x))),
    "personal_indices": ("rr", personal),
    "unexplained": ("rr", lambda x: adjust.unexplained(intervals(x), [intervals(x)[::-1], np.arange(float(x.size))])),
    "combine": ("rr", lambda x: index.combine([intervals(x), intervals(x)[::-1]], x.size)),
    "mean_on_grid": ("rr", lambda x: grid.mean_on_grid(series("hr_bpm", x), times(30, 60_000), 60.0)),
    "autonomic_state, beats": ("rr", lambda x: state.autonomic_state(beats_timeline(x))),
    "latent_state, beats": ("rr", lambda x: latent.latent_state(beats_timeline(x))),
    "arousal_index, beats": ("rr", lambda x: arousal.arousal_index(beats_timeline(x))),
    **{
        f"{name}, {quantity}": (kind, lambda x, of=of, quantity=quantity, hours=hours: of(timeline(quantity, x, hours)))
        for name, of, hours in (
            ("autonomic_state", state.autonomic_state, 12),
            ("latent_state", latent.latent_state, 12),
            ("arousal_index", arousal.arousal_index, 12),
            ("filtered_state by StateStream", state_stream.filtered_state, 1),
        )
        for quantity, kind in (
            ("scl_microsiemens", "eda"), ("skin_temp_c", "skin"), ("hr_bpm", "rr"), ("activity_mg", "acceleration")
        )
    },
}  # fmt: skip

AS_MEASURED = {"Tachogram", "interpolate_artefacts"}
"""What keeps the numbers as they came, infinite ones with weight 0."""


def numbers(result: object) -> Iterator[np.ndarray]:
    """All floating-point numbers in a result."""
    if isinstance(result, Value) or result is None or isinstance(result, (str, bytes)):
        return
    if isinstance(result, (float, np.floating)):
        yield np.array([result])
    elif isinstance(result, np.ndarray):
        if result.dtype.kind == "f":
            yield result
    elif dataclasses.is_dataclass(result):
        for field in dataclasses.fields(result):
            yield from numbers(getattr(result, field.name))
    elif isinstance(result, dict):
        for part in result.values():
            yield from numbers(part)
    elif isinstance(result, (list, tuple)):
        for part in result:
            yield from numbers(part)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("entry", ENTRIES)
def test_bad_data_give_an_answer(entry, bad):
    kind, ask = ENTRIES[entry]
    answer = ask(BAD[bad](good(kind), np.random.default_rng(3)))
    if entry not in AS_MEASURED:
        assert not any(np.isinf(part).any() for part in numbers(answer))


@pytest.mark.parametrize("entry", ENTRIES)
def test_good_data_give_an_answer(entry):
    kind, ask = ENTRIES[entry]
    answer = ask(good(kind))
    assert any(np.isfinite(part).any() for part in numbers(answer)) or answer is not None


def test_every_name_of_the_room_is_asked():
    text = " ".join(ENTRIES)
    classes_of_results = {"ArousalReason", "AutonomicState", "Reason", "StateReason", "Value"}
    for name in set(signals.__all__) - classes_of_results - {"window_starts"}:  # this one places all windows here
        assert name in text, name


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: ecg_beats(np.zeros(9), float("nan")),
        lambda: ecg_beats(np.zeros((9, 2)), 250.0),
        lambda: ppg_beats(np.zeros(9), 0.0),
        lambda: ppg_beats_uneven(np.array([1.0, 0.0]), np.zeros(2)),
        lambda: respiration.respiration_from_intervals(np.zeros(3), np.zeros(4), np.zeros(1)),
        lambda: eda_driver.deconvolve_eda(times(3), np.zeros(4)),
        lambda: skin.cosinor(np.zeros(3), np.zeros(4)),
        lambda: wear.worn(times(3), np.zeros(4)),
        lambda: movement.movement(START, np.zeros((9, 2)), 32.0),
        lambda: movement.movement(START, np.zeros((9, 3)), float("nan")),
        lambda: Tachogram.of_intervals(np.zeros(3), gap=np.zeros(4, dtype=bool)),
        lambda: rr.reject_artefacts(np.zeros(3), np.zeros(4, dtype=bool)),
    ],
)
def test_a_programmers_mistake_is_a_value_error(mistake):
    with pytest.raises(ValueError):  # noqa: PT011  (which words is for the tests of each module)
        mistake()
