"""Every index of every window: what one stretch alone has, with quality, uncertainty or a reason, never an error."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unaji.records.timeline import FloatArray
from unaji.signals.hrv import pnn50, rmssd, sdnn, sdsd
from unaji.signals.indices import UNITS, hrv, hrv_table, whole, window_starts
from unaji.signals.reasons import Reason
from unaji.signals.spectrum import HF_HZ, spectrum
from unaji.signals.tachogram import Tachogram


def some_rri_ms(n: int, seed: int = 1) -> FloatArray:
    rng = np.random.default_rng(seed)
    beat = np.arange(n)
    return 850 + 50 * np.sin(beat / 40) + 25 * np.sin(1.7 * beat) + 10 * rng.standard_normal(n)


def test_a_whole_recording_has_the_values_of_the_plain_functions():
    rri_ms = some_rri_ms(2000)
    values = hrv(Tachogram.of_intervals(rri_ms, correct=False))
    assert set(values) == set(UNITS)
    for name, index in (("sdnn_ms", sdnn), ("rmssd_ms", rmssd), ("sdsd_ms", sdsd), ("pnn50", pnn50)):
        assert values[name].value == pytest.approx(index(rri_ms))
        assert values[name].unit == UNITS[name]
    assert values["mean_hr_bpm"].value == pytest.approx(60_000 / rri_ms.mean())
    assert values["n"].value == 2000
    assert values["corrected_fraction"].value == 0.0
    assert values["rmssd_ms"].quality == pytest.approx(1.0)


def test_one_window_is_a_batch_of_one():
    """Each of many overlapping windows has the values it has when it is cut out and looked at alone."""
    rri_ms = some_rri_ms(3000)
    rri_ms[500] *= 2.0
    tachogram = Tachogram.of_intervals(rri_ms)
    starts_s = window_starts(tachogram, 300.0, 60.0)
    table = hrv_table(tachogram, starts_s, 300.0)
    for k in (0, 3, 7, 20, 35):
        alone = hrv_table(tachogram, starts_s[k : k + 1], 300.0).at(0)
        assert alone == pytest.approx(table.at(k)) or all(
            alone[name].value == pytest.approx(table.at(k)[name].value) for name in UNITS
        )
        rows = (tachogram.end_s >= starts_s[k]) & (tachogram.end_s < starts_s[k] + 300.0)
        cut = tachogram.nn_ms[rows]
        assert table.at(k)["rmssd_ms"].value == pytest.approx(rmssd(cut))
        assert table.at(k)["sdnn_ms"].value == pytest.approx(sdnn(cut))
        assert table.at(k)["n"].value == np.isfinite(cut).sum()


def test_windows_cover_the_recording_and_skip_what_was_not_recorded():
    rri_ms = np.full(1000, 900.0)
    tachogram = Tachogram.of_intervals(rri_ms)
    np.testing.assert_allclose(window_starts(tachogram, 300.0), [0.0, 300.0, 600.0])
    assert window_starts(tachogram, 300.0, 60.0)[-1] == 840.0
    far = Tachogram(
        np.append(tachogram.end_s, tachogram.end_s + 9e6),
        np.append(rri_ms, rri_ms),
        np.arange(2000) == 1000,
        np.zeros(2000, np.int8),
        np.ones(2000),
    )
    assert window_starts(far, 300.0).size == 6
    assert whole(far)[1] == pytest.approx(9e6 + 900.0)


def test_bands_are_given_only_in_windows_long_enough_and_say_so():
    tachogram = Tachogram.of_intervals(some_rri_ms(2000), correct=False)
    for window_s, bands in ((50.0, ()), (60.0, ("hf",)), (120.0, ("lf", "hf")), (300.0, ("vlf", "lf", "hf"))):
        values = hrv_table(tachogram, np.array([100.0]), window_s).at(0)
        for band in ("vlf", "lf", "hf"):
            found = values[f"{band}_ms2"]
            assert (found.value is not None) == (band in bands), (window_s, band)
            assert found.value is not None or "too short" in found.reason


def test_too_many_artefacts_are_a_reason_and_fewer_cost_quality():
    rri_ms = some_rri_ms(600)
    for share, rmssd_given, alpha_given in ((0.02, True, True), (0.08, True, False), (0.3, False, False)):
        weight = (np.random.default_rng(3).random(600) >= share).astype(float)
        values = hrv(Tachogram.of_intervals(rri_ms, weight=weight, correct=False))
        assert (values["rmssd_ms"].value is not None) == rmssd_given
        assert (values["dfa_a1"].value is not None) == alpha_given
        assert values["corrected_fraction"].value == pytest.approx(np.mean(weight == 0))
        if rmssd_given:
            assert values["rmssd_ms"].quality < 1 - 4 * share
        else:
            assert values["rmssd_ms"].reason == "too many intervals were artefacts"


def test_the_breathing_rate_places_a_band_of_its_own():
    tachogram = Tachogram.of_intervals(some_rri_ms(1000), correct=False)
    at_rest = hrv(tachogram, resp_rate_hz=0.318)
    # 1.7 rad a beat of 0.85 s is a wave of 0.318 Hz and 312.5 ms².
    assert at_rest["hf_resp_ms2"].value == pytest.approx(312.5, rel=0.15)
    assert hrv(tachogram)["hf_resp_ms2"].reason == "no breathing rate was given"


def gaussian_process(rng: np.random.Generator, n: int, kind: str) -> FloatArray:
    """Invent intervals [ms] of a stationary Gaussian process whose spectrum is known: nothing but chance differs."""
    frequency_hz = np.fft.rfftfreq(n, 0.85)

    def wave(at_hz: float, width_hz: float) -> FloatArray:
        return np.exp(-0.5 * ((frequency_hz - at_hz) / width_hz) ** 2) / width_hz

    density = {
        "white": np.ones(frequency_hz.size),
        "rest": 9 * wave(0.1, 0.02) + 7 * wave(0.25, 0.03) + 1.84 / np.maximum(frequency_hz, 0.01) + 15,
        "breathing": 3 * wave(0.1, 0.02) + 15 * wave(0.27, 0.012) + 6,
    }[kind]
    density[0] = 0.0
    phase = rng.standard_normal(frequency_hz.size) + 1j * rng.standard_normal(frequency_hz.size)
    x = np.fft.irfft(phase * np.sqrt(density), n)
    return 850 + 45 * x / x.std()


COUNTED = ("n", "corrected_fraction")


@pytest.mark.parametrize("kind", ["white", "rest", "breathing"])
def test_what_the_values_say_of_themselves_is_how_they_scatter(kind: str):
    """In 700 windows of five minutes of one process, claimed over true spread is between 0.8 and 1.25."""
    rri_ms = gaussian_process(np.random.default_rng(5), 700 * 353 + 700, kind)
    tachogram = Tachogram.of_intervals(rri_ms, correct=False)
    table = hrv_table(tachogram, 300.0 * np.arange(700), 300.0, derive_respiration=True)
    ratio = {}
    for name in UNITS:
        value, error = table.columns[name].value, table.columns[name].standard_error
        both = np.isfinite(value) & np.isfinite(error)
        if both.sum() > 100:
            ratio[name] = np.sqrt(np.mean(error[both] ** 2)) / value[both].std(ddof=1)
    rough = {"triangular_index": (0.7, 1.3), "mean_rri_ms": (0.8, 1.35), "mean_hr_bpm": (0.8, 1.35)}
    assert set(ratio) >= set(UNITS) - {*COUNTED, "hf_resp_ms2", "respiration_hz"}
    for name, found in ratio.items():
        low, high = rough.get(name, (0.8, 1.25))
        assert low < found < high, (name, found)
    assert ("respiration_hz" in ratio) == (kind == "breathing")


def test_every_value_but_a_count_has_a_standard_error():
    values = hrv(
        Tachogram.of_intervals(gaussian_process(np.random.default_rng(1), 2000, "breathing")), resp_rate_hz=0.27
    )
    assert {name for name, value in values.items() if value.standard_error is None} == {*COUNTED, "respiration_hz"}


def test_a_window_has_the_same_numbers_whatever_lies_around_it():
    """A flat stretch in a wild day varies by nothing, and artefacts elsewhere change nothing here."""
    rri_ms = np.concatenate((some_rri_ms(800), np.full(800, 850.0), some_rri_ms(400)))
    rri_ms[1800] *= 2.0
    tachogram = Tachogram.of_intervals(rri_ms)
    start_s = tachogram.end_s[[900]]
    assert hrv_table(tachogram, start_s, 300.0).at(0)["sdnn_ms"].value == 0.0
    cut = slice(880, 1400)
    alone = Tachogram(*(getattr(tachogram, name)[cut] for name in ("end_s", "rri_ms", "gap", "kind", "weight")))
    for name, value in hrv_table(alone, start_s, 300.0).at(0).items():
        assert value == hrv_table(tachogram, start_s, 300.0).at(0)[name], name


def test_what_artefacts_change_enters_the_uncertainty():
    rri_ms = some_rri_ms(400)
    plain = hrv_table(Tachogram.of_intervals(rri_ms, correct=False), *whole(Tachogram.of_intervals(rri_ms)))
    weight = np.ones(400)
    weight[np.arange(5, 400, 12)] = 0.0
    holes = Tachogram.of_intervals(rri_ms, weight=weight, correct=False)
    table = hrv_table(holes, *whole(holes))
    difference = table.rmssd_interpolated_ms[0] - table.columns["rmssd_ms"].value[0]
    assert abs(difference) > 0.5
    assert table.columns["rmssd_ms"].standard_error[0] >= abs(difference) / 2
    assert plain.rmssd_interpolated_ms[0] == plain.columns["rmssd_ms"].value[0]


def test_a_slow_heart_is_told_where_lomb_cannot_see():
    slow_ms = 1500 + 30 * np.random.default_rng(6).standard_normal(400)
    values = hrv(Tachogram.of_intervals(slow_ms, correct=False), method="lomb")
    assert values["hf_ms2"].value is not None
    assert "slower" in values["hf_ms2"].reason
    very_slow = hrv(Tachogram.of_intervals(3 * slow_ms, correct=False), method="lomb")
    assert very_slow["hf_ms2"].value is None
    assert "too slow" in very_slow["hf_ms2"].reason


NASTY = {
    "nothing": np.zeros(0),
    "one beat": np.array([800.0]),
    "three beats": np.array([800.0, 810.0, 805.0]),
    "flat": np.full(500, 800.0),
    "zeros": np.zeros(50),
    "not a number": np.full(50, np.nan),
    "infinite": np.array([np.inf, -np.inf, 800.0, 900.0]),
    "seconds": np.full(500, 0.8),
    "microseconds": np.full(500, 8e5),
    "saturated": np.full(500, 65535.0),
    "noise": np.random.default_rng(0).uniform(0, 1e5, 500),
    "huge": np.full(50, 1e300),
    "tiny": np.full(50, 1e-300),
    "alternating": np.tile([400.0, 1200.0], 300),
}


@pytest.mark.parametrize("method", ["welch", "lomb"])
@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("name", list(NASTY))
def test_anything_gives_a_value_or_a_reason(name: str, correct: bool, method: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tachogram = Tachogram.of_intervals(NASTY[name], correct=correct)
        table = hrv_table(tachogram, window_starts(tachogram, 300.0), 300.0, method=method)
        for values in (hrv(tachogram, method=method), *(table.at(k) for k in range(min(len(table), 5)))):
            for index, value in values.items():
                assert (value.value is not None) or value.reason in {reason.en for reason in Reason if reason}, index
                assert 0 <= value.quality <= 1


@settings(max_examples=40, deadline=None)
@given(
    arrays(float, st.integers(0, 150), elements=st.floats(-100, 1e5) | st.just(np.nan)),
    st.floats(0.1, 400),
    st.booleans(),
)
def test_any_intervals_at_all_give_values_or_reasons(rri_ms: FloatArray, window_s: float, correct: bool):
    tachogram = Tachogram.of_intervals(rri_ms, correct=correct)
    table = hrv_table(tachogram, window_starts(tachogram, window_s)[:20], window_s)
    for k in range(len(table)):
        assert all(value.value is not None or value.reason for value in table.at(k).values())


def test_a_window_that_is_no_length_is_a_mistake():
    tachogram = Tachogram.of_intervals(some_rri_ms(100))
    with pytest.raises(ValueError, match="window_s"):
        hrv_table(tachogram, np.zeros(1), 0.0)
    with pytest.raises(ValueError, match="window_s"):
        spectrum(tachogram, np.zeros(1), -1.0).power(*HF_HZ)


@pytest.mark.shared
@pytest.mark.parametrize(("record", "n_same"), [("nsr001", 52), ("nsr004", 147), ("nsr009", 154)])
def test_windows_of_the_physionet_toolbox_to_the_printed_digits(
    shared_data: Path, annotations, record: str, n_same: int
):
    """Mean, SDNN, RMSSD, pNN50, SD1 and SD2 in every unbroken window in which both use the same beats.

    The settings of the reference: 125 Hz although the files say 128, intervals between normal beats above 375 ms,
    windows of 300 s every 30 s counted from the first annotation.
    """
    at, code = annotations(record)
    rri_ms = np.diff(at) / 125.0 * 1000.0
    normal = (code[1:] == 1) & (code[:-1] == 1) & (rri_ms > 375.0)
    tachogram = Tachogram(
        np.round((at[1:] - at[0]) / 125.0, 6), rri_ms, np.zeros(rri_ms.size, bool),
        np.zeros(rri_ms.size, np.int8), normal.astype(float),
    )  # fmt: skip
    with (shared_data / "rr-physionet-toolbox-reference" / "reference_windows.csv").open() as lines:
        expected = [row for row in csv.DictReader(lines) if row["patID"] == record]
    starts_s = np.array([float(row["t_start"]) for row in expected])
    table = hrv_table(tachogram, starts_s, 300.0)
    compared = 0
    for k, row in enumerate(expected):
        ours = table.at(k)
        if ours["n"].value != int(row["btsdet"]) or ours["corrected_fraction"].value != 0:
            continue
        compared += 1
        for name, theirs, digits in (
            ("mean_rri_ms", "NNmean", 4), ("sdnn_ms", "SDNN", 4), ("rmssd_ms", "RMSSD", 4), ("pnn50", "pnn50", 7),
            ("sd1_ms", "SD1", 4), ("sd2_ms", "SD2", 5),
        ):  # fmt: skip
            printed = len(row[theirs].partition(".")[2]) if "." in row[theirs] else 0
            value = ours[name].value
            assert value == pytest.approx(float(row[theirs]), abs=0.55 * 10.0 ** -min(printed, digits)), (k, name)
    assert compared == n_same


@pytest.mark.shared
def test_band_powers_of_the_physionet_toolbox_to_the_printed_digits_with_its_scale(shared_data: Path, annotations):
    """The toolbox takes no line off, no taper, a grid of 1/1024 Hz, and leaves the factor T/N of the density out.

    So its powers are the number of beats a second times ours; everything else is the same periodogram.
    """
    from unaji.signals._kernels_rr import _next_power

    at, code = annotations("nsr001")
    end_s, rri_ms = (at[1:] - at[0]) / 125.0, np.diff(at) / 125.0 * 1000.0
    normal = (code[1:] == 1) & (code[:-1] == 1) & (rri_ms > 375.0)
    df_hz, n_freq = 1.0 / 1024.0, 513
    frequency_hz = df_hz * np.arange(n_freq)
    compared = 0
    with (shared_data / "rr-physionet-toolbox-reference" / "reference_windows.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["patID"] == "nsr001"]
    for row in rows[:60]:
        start_s = float(row["t_start"])
        inside = normal & (end_s >= start_s) & (end_s < start_s + 300.0)
        t, x = end_s[inside], rri_ms[inside]
        if x.size != int(row["btsdet"]) or abs(x.mean() - float(row["NNmean"])) > 1e-3:
            continue
        compared += 1
        angle, c, d = 2.0 * np.pi * df_hz * t, np.ones(t.size), np.zeros(t.size)
        c_step, d_step = np.cos(angle), np.sin(angle)
        density = [0.0] + [
            2.0 * _next_power(c, d, c_step, d_step, x - x.mean(), np.ones(t.size)) for _ in range(1, n_freq)
        ]
        for name, low, high in (("ulf", 1e-9, 0.003), ("vlf", 0.003, 0.04), ("lf", 0.04, 0.15), ("hf", 0.15, 0.4)):
            band = (frequency_hz >= low) & (frequency_hz < high)
            assert df_hz * np.sum(density, where=band) == pytest.approx(float(row[name]), rel=1e-6), (start_s, name)
    assert compared == 39


@pytest.mark.shared
@pytest.mark.parametrize("name", ["nsr001", "nsr003", "nsr005", "chf201", "chf205"])
def test_day_long_records_have_their_textbook_values(shared_data: Path, name: str):
    """Values made for this set from intervals of 300 to 2000 ms, differences taken as if nothing lay between."""
    folder = shared_data / "rr-24h-physionet"
    rri_ms = 1000 * np.loadtxt(folder / f"{name}_rr_secs.txt")
    rri_ms = rri_ms[(rri_ms >= 300) & (rri_ms <= 2000)]
    values = hrv(Tachogram.of_intervals(rri_ms, correct=False))
    with (folder / "expected.csv").open() as lines:
        expected = next(row for row in csv.DictReader(lines) if row["file"] == f"{name}_rr_secs.txt")
    for ours, theirs, factor in (
        ("mean_rri_ms", "mean_nn_ms", 1), ("sdnn_ms", "sdnn_ms", 1), ("rmssd_ms", "rmssd_ms", 1),
        ("sdsd_ms", "sdsd_ms", 1), ("pnn50", "pnn50_pct", 100), ("sd1_ms", "sd1_ms", 1), ("sd2_ms", "sd2_ms", 1),
    ):  # fmt: skip
        assert factor * values[ours].value == pytest.approx(float(expected[theirs]), abs=6e-4), ours


def test_entropy_of_a_stretch_too_long_to_compare_is_refused_with_what_to_do(monkeypatch):
    from unaji.signals import indices, nonlinear

    monkeypatch.setattr(nonlinear, "MOST_INTERVALS", 1600)
    monkeypatch.setattr(indices, "MOST_INTERVALS", 1600)
    value = hrv(Tachogram.of_intervals(some_rri_ms(2000), correct=False))["sampen"]
    assert value.value is None
    assert "shorter windows" in value.reason


@pytest.mark.parametrize("rri_ms", [800.0, 811.3, 999.99])
def test_of_equal_intervals_nothing_is_made_out_of_rounding(rri_ms: float):
    values = hrv(Tachogram.of_intervals(np.full(600, rri_ms)))
    assert values["sdnn_ms"].value == values["rmssd_ms"].value == 0.0
    for name in ("sampen", "dfa_a1", "csi", "cvi", "baevsky_si"):
        assert values[name].value is None
        assert values[name].reason == Reason.UNDEFINED.en
