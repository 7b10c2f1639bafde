"""WFDB records: real ones against their published counts, and invented ones byte by byte."""

from __future__ import annotations

import json
import struct
from datetime import datetime

import numpy as np
import pytest

from unaji.errors import InputError
from unaji.records.wfdb import read_annotations, read_header, read_signal

HEADER = "r1 2 250 4 8:30:00 15/05/2024\nr1.dat {0} 100(5)/mV 12 0 0 0 0 lead I\nr1.dat {0} 200/uV 12 7 0 0 0 II\n"


def word(code, interval):
    return struct.pack("<H", code << 10 | interval)


def marks(*pairs):
    return b"".join(word(code, interval) for code, interval in pairs) + b"\0\0"


def pack_212(samples):
    out = b""
    for first, second in zip(samples[::2], samples[1::2], strict=True):
        a, b = first & 0xFFF, second & 0xFFF
        out += bytes([a & 0xFF, a >> 8 | (b >> 8) << 4, b & 0xFF])
    return out


@pytest.fixture
def record(tmp_path):
    def make(header, **files):
        (tmp_path / "r1.hea").write_text(header)
        for name, data in files.items():
            (tmp_path / f"r1.{name}").write_bytes(data)
        return tmp_path / "r1.hea"

    return make


def test_header_says_rate_start_and_what_the_samples_mean(record):
    header = read_header(record("# a remark\n\n" + HEADER.format(16)))
    assert (header.name, header.sampling_rate_hz, header.n_samples) == ("r1", 250.0, 4)
    assert header.start == datetime(2024, 5, 15, 8, 30)
    assert [(s.gain, s.baseline, s.unit, s.description) for s in header.signals] == [
        (100.0, 5, "mV", "lead I"),
        (200.0, 7, "uV", "II"),  # the ADC's zero where no baseline is given
    ]


@pytest.mark.parametrize("form", [16, 212])
def test_samples_come_back_in_units_and_missing_ones_as_nan(record, form):
    lowest = -32768 if form == 16 else -2048
    units = [5, 7, 105, -193, 2047, -2047, lowest, 0]
    data = struct.pack("<8h", *units) if form == 16 else pack_212(units)
    path = record(HEADER.format(form), dat=data)
    first, rate_hz = read_signal(path)
    assert rate_hz == 250.0
    np.testing.assert_allclose(first, [0.0, 1.0, 20.42, np.nan])
    np.testing.assert_allclose(read_signal(path, "II")[0], [0.0, -1.0, -10.27, -0.035])


def test_annotations_with_pauses_notes_and_other_fields(tmp_path):
    pause = struct.pack("<HHH", 59 << 10, 1, 2)  # 65 538 samples, high word first
    data = word(28, 10) + word(63, 3) + b"(N\0\0" + word(1, 90) + pause + word(5, 0) + word(61, 1) + marks((1, 1023))
    (tmp_path / "a.atr").write_bytes(data)
    found = read_annotations(tmp_path / "a.atr")
    assert found.sample.tolist() == [10, 100, 100 + 65_538, 100 + 65_538 + 1023]
    assert found.symbol == ("+", "N", "V", "N")
    assert found.is_beat.tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "first line"),
        ("r1/3 2 250 100\n", "segments"),
        ("r1 2 250 4\nr1.dat 16\n", "promises 2 signals"),
        ("r1 1 0 4\nr1.dat 16\n", "above 0"),
        ("r1 1 250 4\n../secret.dat 16\n", "beside the header"),
        ("r1 1 250 4\n/etc/passwd 16\n", "beside the header"),
        ("r1 1 250 4\nr1.dat 80\n", "format 80"),
        ("r1 1 250 4\nr1.dat 16x4\n", "4 a frame"),
        ("r1 1 250 4 8:30:00 31/02/2024\nr1.dat 16\n", "not a time"),
        ("r1 1 250 4\nr1.dat 16 1e\n", "gain"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(record, header, says):
    with pytest.raises(InputError, match=says):
        read_header(record(header))


def test_files_that_are_missing_cut_off_or_of_something_else_say_so(record, tmp_path):
    path = record(HEADER.format(16))
    with pytest.raises(InputError, match=r"r1\.dat: the file cannot be read"):
        read_signal(path)
    with pytest.raises(InputError, match="no signal 'III'; it has lead I, II"):
        read_signal(path, "III")
    with pytest.raises(InputError, match="3 of the 4 samples"):
        read_signal(record(HEADER.format(16), dat=bytes(12)))
    (tmp_path / "r1.atr").write_bytes(b"\x01\x04" * 9)
    with pytest.raises(InputError, match="break off"):
        read_annotations(tmp_path / "r1.atr")


# -- in a person's folder ----------------------------------------------------------------------------------------------

BEATS = marks((28, 0), (1, 100), (1, 200), (8, 150), (32, 50), (33, 100), (1, 100), (1, 200))


def test_beats_of_a_dated_record_stand_on_the_persons_clock(read):
    files = {"ecg/r1.hea": HEADER.format(16), "ecg/r1.atr": BEATS, "ecg/r1.dat": bytes(16)}
    timeline = read(files)
    beats = timeline.beats
    assert beats.origin == "ecg"
    assert beats.rri_ms.tolist() == [800.0, 600.0, 800.0]
    assert beats.gap.tolist() == [True, False, True]  # a flutter lies before the last two beats
    assert beats.time[0] == np.datetime64("2024-05-14T23:30:01.200")
    assert not timeline.problems


def test_a_record_without_date_is_told_and_not_guessed(read):
    timeline = read({"r1.hea": "r1 0 250 4\n", "r1.atr": BEATS, "beats.csv": "time,rri_ms\n2024-05-01T08:00:00,800\n"})
    assert len(timeline.beats) == 1
    assert any("does not say on which date" in str(problem) for problem in timeline.problems)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no annotations"),
        ({"r1.atr": b"\x01\x04" * 9}, "break off"),
        ({"r1.atr": marks((1, 5))}, "fewer than two beats"),
    ],
)
def test_a_record_without_usable_beats_says_why(read, files, says):
    timeline = read(
        {"r1.hea": "r1 0 250 4 8:30:00 15/05/2024\n", "beats.csv": "time,rri_ms\n2024-05-01T08:00:00,800\n", **files}
    )
    assert any(says in str(problem) for problem in timeline.problems)


@pytest.mark.shared
def test_record_100_has_the_beats_its_database_lists(shared_data):
    folder = shared_data / "ecg-mitdb-100"
    expected = json.loads((folder / "expected.json").read_text())
    found = read_annotations(folder / "100.atr")
    counts = {symbol: found.symbol.count(symbol) for symbol in set(found.symbol)}
    assert counts == expected["annotation_counts"]
    assert found.sample[found.is_beat][:5].tolist() == expected["first_beats_sample"]
    rri_ms = np.diff(found.sample[found.is_beat]) * 1000.0 / expected["fs_hz"]
    assert rri_ms.mean() == pytest.approx(expected["rr_all_beats"]["mean_nn_ms"], abs=5e-4)


@pytest.mark.shared
def test_record_100_has_the_samples_its_header_sums_up(shared_data):
    path = shared_data / "ecg-mitdb-100" / "100.hea"
    for lead, gain_zero, first, checksum in (("MLII", 1024, 995, -22131), ("V5", 1024, 1011, 20052)):
        signal, _ = read_signal(path, lead)
        units = np.round(signal * 200).astype(np.int64) + gain_zero
        assert units.size == 650_000
        assert units[0] == first
        assert (units.sum() - checksum) % 65_536 == 0  # header(5): the checksum is of 16 bits
