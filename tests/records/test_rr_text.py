"""Text files of intervals in the shapes in which people have them, and files that are something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.errors import InputError
from unaji.records.beat_files import read_recorded_beats
from unaji.records.problems import ProblemLog
from unaji.records.rr_text import _column, _one_number_a_line, read_rr_text

THREE = [812.0, 800.5, 871.0]


def read(tmp_path: Path, text: str | bytes) -> tuple[list[float], list[str]]:
    file = tmp_path / "rr.txt"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    log = ProblemLog()
    return read_rr_text(file, log).tolist(), [str(p) for p in log.problems()]


@pytest.mark.parametrize(
    "text",
    [
        "812\n800.5\n871\n",
        "812\r\n800.5\r\n871",
        "\ufeff812\n\n800.5\n871\n\n",
        "# Polar H10\n812\n800.5\n871\n",
        "rri_ms\n812\n800.5\n871\n",
        ",rr\n0,812\n1,800.5\n2,871\n",
        "time;ibi\n1.0;812\n2.0;800.5\n3;871",
        "0.812 812\n1.6125 800.5\n2.4835\t871\n",
        "812, 800.5, 871\n",
        "interval\n812\n800.5\n871\n",
    ],
)
def test_three_intervals_are_three_intervals(tmp_path: Path, text: str):
    values, problems = read(tmp_path, text)
    assert values == THREE
    assert problems == []


@pytest.mark.parametrize(
    "text",
    [
        "time;rr\n0,839;812\n1,682;800,5\n2,484;871\n",
        "time\trr\n0,839\t812\n1,682\t800,5\n2,484\t871\n",
        "timestamp,rr\n2024-05-01 08:00:00,812\n2024-05-01 08:00:01,800.5\n2024-05-01 08:00:02,871\n",
        "timestamp;note;rr\n2024-05-01 08:00:00;at rest, lying;812\n2024-05-01 08:00:01;;800,5\n;;871\n",
        "0,839;812\n1,682;800,5\n2,484;871\n",
    ],
)
def test_the_line_of_names_says_what_parts_the_cells_of_all_lines(tmp_path: Path, text: str):
    values, problems = read(tmp_path, text)
    assert values == THREE
    assert problems == []


def test_a_line_with_more_cells_than_names_is_a_missing_beat_and_no_other_column(tmp_path: Path):
    values, problems = read(tmp_path, "time,rr\n" + "1.0,812\n" * 9 + "1,5,812\n2.0,800,\n")
    np.testing.assert_array_equal(values, [812.0] * 9 + [np.nan, 800.0])
    assert "line 11: found '1,5,812'" in problems[0]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("812,0\n800,5\n871,0\n", THREE),
        ("rr\n812,0\n800,5\n871,0\n", THREE),
        ("0,812\n0,8005\n0,871\n", THREE),
        ("\n".join(f"{0.83 * k:.3f}".replace(".", ",") for k in range(1, 31)), [830.0] * 29),
        ("\n".join(f"{1.05 * k:.3f}".replace(".", ",") for k in range(1, 31)), [1050.0] * 29),
    ],
)
def test_a_comma_in_every_number_is_the_decimal_mark_and_that_is_said(tmp_path: Path, text: str, values: list[float]):
    found, problems = read(tmp_path, text)
    assert found == pytest.approx(values)
    assert "the comma was read as the decimal mark" in problems[0]


def test_a_comma_after_a_running_number_parts_two_columns(tmp_path: Path):
    values, problems = read(tmp_path, "0,812\n1,800\n2,871\n")
    assert values == [812.0, 800.0, 871.0]
    assert problems == []


RESTING_MS = 800 + np.array([0, 12, -8, 25, -15, 4, 9, -21, 17, -3] * 6)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_repeated_line_leaves_times_of_beats_times(tmp_path: Path, repeats: int):
    at_s = np.cumsum(RESTING_MS) / 1000
    at_s = np.sort(np.append(at_s, at_s[20 : 20 + repeats]))
    values, problems = read(tmp_path, "\n".join(f"{t:.3f}" for t in at_s))
    assert values == pytest.approx(RESTING_MS[1:].tolist())
    assert any("read as times of beats" in problem for problem in problems)
    assert any("repeats the time before it" in problem for problem in problems)


def test_around_a_time_out_of_order_intervals_are_missing(tmp_path: Path):
    """Of 120 times two are swapped: one step of 119 goes back, and it spoils the ones beside it."""
    rri_ms = np.tile(RESTING_MS, 2).astype(float)
    at_s = np.cumsum(rri_ms) / 1000
    at_s[[40, 41]] = at_s[[41, 40]]
    values, problems = read(tmp_path, "\n".join(f"{t:.3f}" for t in at_s))
    expected = rri_ms[1:].copy()
    expected[39:42] = np.nan
    np.testing.assert_allclose(values, expected, atol=1e-9)
    assert any("before that of the line above" in problem for problem in problems)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_times_in_no_order_are_not_taken_for_intervals(tmp_path: Path, scale: float):
    at = np.cumsum(RESTING_MS) / 1000 * scale
    at[5::6] -= 2 * scale
    with pytest.raises(InputError, match=r"climb from the beginning to the end .* sort the times"):
        read(tmp_path, "\n".join(f"{t:.3f}" for t in at))


@pytest.mark.parametrize("unit", ["ms", "s", "s, without the waver"])
def test_a_heart_that_recovers_from_exercise_has_intervals(tmp_path: Path, unit: str):
    """From 160 to 62 beats a minute: every tenth is slower than the one before, and a breath makes it waver."""
    waver_ms = 0 if "without" in unit else 20
    rri_ms = np.round(np.linspace(375, 967, 200) + waver_ms * np.sin(np.arange(200)))
    values, problems = read(tmp_path, "\n".join(f"{x:.0f}" if unit == "ms" else f"{x / 1000:.3f}" for x in rri_ms))
    np.testing.assert_allclose(values, rri_ms)
    assert len(problems) == (unit != "ms")


def test_seconds_and_times_of_beats_are_read_as_such_and_said(tmp_path: Path):
    values, problems = read(tmp_path, "0.812\n0.8005\n0.871\n")
    assert values == pytest.approx(THREE)
    assert "read as seconds" in problems[0]
    at_s = np.cumsum(np.full(20, 0.8))
    values, problems = read(tmp_path, "\n".join(f"{t:.3f}" for t in at_s))
    np.testing.assert_allclose(values, np.full(19, 800.0))
    assert "times of beats" in problems[0]
    values, _ = read(tmp_path, "\n".join(str(1_700_000_000_000 + 800 * k) for k in range(20)))
    assert values == [800.0] * 19


def test_a_heart_that_only_slows_down_has_intervals_and_not_times(tmp_path: Path):
    """The first five minutes of EC57 TP5, whose wave takes an hour, rise from 1500 to 1570 ms without a fall."""
    at_s, rri_ms = 0.0, []
    while at_s < 300.0:
        rri_ms.append(1000 * (1.5 + 0.14 * np.sin(2 * np.pi * 0.000278 * at_s)))
        at_s += rri_ms[-1] / 1000
    values, problems = read(tmp_path, "\n".join(f"{x:.6f}" for x in rri_ms))
    assert values == pytest.approx(rri_ms, abs=1e-6)
    assert problems == []


def test_a_waveform_is_not_read_as_intervals(tmp_path: Path):
    with pytest.raises(InputError, match=r"40 of 70 numbers are not above 0, the first is -3; .*waveform"):
        read(tmp_path, "\n".join(str(k % 7 - 3) for k in range(70)))


@pytest.mark.parametrize("text", ["72\n75\n71\n", "812000\n800500\n871000\n", "1e308\n" * 30])
def test_what_is_no_interval_in_either_unit_is_doubted_and_not_converted(tmp_path: Path, text: str):
    values, problems = read(tmp_path, text)
    assert values == [float(x) for x in text.split()]
    assert "heart rate, or another unit?" in problems[0]


def in_1024ths(rri_ms: np.ndarray, rounding: str) -> np.ndarray:
    """Count 1/1024 s as a strap does that measured whole milliseconds."""
    return {"down": np.floor, "nearest": np.rint, "up": np.ceil}[rounding](rri_ms * 1.024)


@pytest.mark.parametrize("rounding", ["down", "nearest", "up"])
def test_whole_milliseconds_sent_as_1024ths_are_doubted_and_not_converted(tmp_path: Path, rounding: str):
    rri_ms = np.rint(np.random.default_rng(1024).normal(900, 50, 1000))
    values, problems = read(tmp_path, "\n".join(f"{x:.0f}" for x in in_1024ths(rri_ms, rounding)))
    assert values == in_1024ths(rri_ms, rounding).tolist()
    assert [("1/1024 s" in problem, "divide by 1.024" in problem) for problem in problems] == [(True, True)]


@pytest.mark.parametrize("step_ms", [1, 2, 4, 1000 / 128, 1000 / 256, 1000 / 512, 1000 / 1024, 10])
def test_milliseconds_on_no_grid_of_a_device_are_taken_for_1024ths(tmp_path: Path, step_ms: float):
    rri_ms = np.random.default_rng(128).normal(900, 60, 5000)
    for whole in (np.floor, np.rint):
        on_grid = whole(np.rint(rri_ms / step_ms) * step_ms)
        assert read(tmp_path, "\n".join(f"{x:.0f}" for x in on_grid)) == (on_grid.tolist(), [])


@pytest.mark.shared
def test_real_milliseconds_are_not_taken_for_1024ths_and_are_when_sent_as_such(shared_data: Path, tmp_path: Path):
    """Three recordings in whole milliseconds, and nine on coarser grids, such as 1/128 s and 10 ms."""
    straps = [
        shared_data / "elite-hrv" / "2017-06-29 13-11-53.txt",
        shared_data / "rr-hrvanalysis-test" / "test_nn_intervals.txt",
        shared_data / "polar-hrm" / "rest_rri.txt",
    ]
    others = [*(shared_data / "rr-healthy-physionet").glob("*.txt"), shared_data / "rr-apnea-episodes" / "rr.txt"]
    others += (shared_data / "rr-pyhrv-samples").glob("SampleNNI*.txt")
    assert len(others) == 9
    for path in straps + others:
        log = ProblemLog()
        rri_ms = read_rr_text(path, log)
        assert not any("1/1024" in problem.rule for problem in log.problems()), path
        if path in straps:
            _, problems = read(tmp_path, "\n".join(f"{x:.0f}" for x in in_1024ths(rri_ms, "down")))
            assert "1/1024 s" in problems[0]


def test_a_line_that_is_no_number_is_a_missing_beat_with_its_line(tmp_path: Path):
    values, problems = read(tmp_path, "\n".join(["800"] * 9 + ["lost"] + ["810"]))
    assert np.isnan(values[9])
    assert len(values) == 11
    assert "line 10" in problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "hello\nworld\n",
        "a,b,c\n1,x,y\n2,x,y\n",
        "812\nx\ny\n",
        "5,812\n3,800\n4,871\n",
        "file,n,sum_s,mean_ms,sdnn_ms,rmssd_ms\nrest.txt,910,963.4,1058.7,57.8,55.1\n",
    ],
)
def test_what_holds_no_intervals_is_refused_with_what_to_do(tmp_path: Path, text: str):
    with pytest.raises(InputError, match="one RR interval in milliseconds a line"):
        read(tmp_path, text)


def test_files_that_are_not_there_or_not_text_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_recorded_beats(tmp_path / "nothing.txt")
    binary = tmp_path / "x.bin"
    binary.write_bytes(b"\0\1\2\3" * 100)
    with pytest.raises(InputError, match="holds no beats that unaji can read"):
        read_recorded_beats(binary)
    with pytest.raises(InputError, match="time zone"):
        read_recorded_beats(binary, timezone="Mars/Phobos")


def test_a_beats_table_keeps_its_clock(tmp_path: Path):
    file = tmp_path / "beats.csv"
    rows = [f"2024-03-01T08:00:{k:02d}+09:00,1000" for k in range(1, 20)]
    file.write_text("time,rri_ms\n" + "\n".join(rows) + "\n")
    found = read_recorded_beats(file, timezone="Asia/Tokyo")
    assert found.rri_ms is None
    assert found.beats is not None
    assert found.beats.time[0] == np.datetime64("2024-02-29T23:00:01", "ms")
    assert found.beats.rri_ms.tolist() == [1000.0] * 19


@pytest.mark.shared
@pytest.mark.parametrize(
    ("where", "n"),
    [
        ("rr-kubios-245/rr.txt", 245),
        ("rr-hrvanalysis-test/test_nn_intervals.txt", 1000),
        ("rr-healthy-physionet/008.txt", 98217),
        ("rr-24h-physionet/nsr001_rr_secs.txt", 106460),
        ("rr-rhrv-example/example.beats", 17359),
        ("rr-pyhrv-samples/SampleNNISeriesLong.txt", 4684),
        ("ecg-mitdb-100/100.atr", 2272),
        ("ecg-mitdb-100/100.hea", 2272),
    ],
)
def test_real_recordings_are_read(shared_data: Path, where: str, n: int):
    found = read_recorded_beats(shared_data / where)
    assert found.rri_ms is not None
    assert found.rri_ms.size == n
    assert 300 < np.nanmedian(found.rri_ms) < 1300


@pytest.mark.shared
def test_beats_labelled_as_ectopic_have_no_weight(shared_data: Path):
    """Record 100 has 33 atrial and one ventricular premature beat among 2239 normal ones."""
    found = read_recorded_beats(shared_data / "ecg-mitdb-100" / "100.atr")
    assert found.weight is not None
    assert 34 < (found.weight == 0).sum() <= 68


@pytest.mark.shared
def test_sessions_and_folders_are_read(shared_data: Path):
    session = read_recorded_beats(shared_data / "e4-stress-predict" / "S05")
    assert session.beats is not None
    alone = read_recorded_beats(shared_data / "e4-stress-predict" / "S05" / "IBI.csv")
    assert alone.beats is not None
    assert len(alone.beats) == len(session.beats)


@given(
    st.lists(st.floats(0.2, 5000).map(lambda value: f"{value:.6g}") | st.sampled_from(["", " ", "# x"]), min_size=1),
    st.sampled_from(["", "rri_ms", "RR"]),
)
def test_the_usual_file_is_read_at_once_as_it_would_be_line_by_line(cells: list[str], header: str):
    lines = [*([header] if header else []), *cells]
    at_once = _one_number_a_line(lines)
    if at_once is None:
        assert not any(cell.strip() and not cell.startswith("#") for cell in cells)
    else:
        np.testing.assert_array_equal(at_once, _column(lines, "x", ProblemLog()))


@pytest.mark.parametrize("lines", [["812", "x"], ["812 800"], ["812", "nan"], ["interval", "812"], []])
def test_any_other_file_is_read_line_by_line(lines: list[str]):
    assert _one_number_a_line(lines) is None
