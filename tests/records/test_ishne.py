"""Holter recordings: a real one against its sizes, and invented headers that cannot be."""

from __future__ import annotations

import struct
from datetime import datetime

import numpy as np
import pytest

from unaji.errors import InputError
from unaji.records.ishne import read_signal


def holter(samples, *, n_leads=2, n_said=None, rate_hz=128, first=522, resolution=2500, date=(15, 5, 2024)):
    header = bytearray(522)
    header[:8] = b"ISHNE1.0"
    struct.pack_into("<i4xi", header, 14, len(samples) // max(n_leads, 1) if n_said is None else n_said, first)
    struct.pack_into("<3h6x4h", header, 138, *date, 8, 30, 1, n_leads)
    struct.pack_into("<12h", header, 206, *([resolution] * 12))
    struct.pack_into("<h", header, 272, rate_hz)
    return bytes(header) + struct.pack(f"<{len(samples)}h", *samples)


@pytest.fixture
def file(tmp_path):
    def write(data):
        (tmp_path / "h.ecg").write_bytes(data)
        return tmp_path / "h.ecg"

    return write


@pytest.mark.parametrize("n_said", [3, 6])
def test_leads_come_back_in_millivolts(file, n_said):
    path = file(holter([400, 1, -400, 2, -32768, 3], n_said=n_said))
    signal, header = read_signal(path)
    np.testing.assert_allclose(signal, [1.0, -1.0, np.nan])
    np.testing.assert_allclose(read_signal(path, 1)[0], [0.0025, 0.005, 0.0075])
    assert (header.sampling_rate_hz, header.n_samples) == (128.0, 3)
    assert header.start == datetime(2024, 5, 15, 8, 30, 1)


def test_a_date_that_is_none_is_not_made_up(file):
    assert read_signal(file(holter([0, 0], date=(0, 0, 0))))[1].start is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "does not begin"),
        (b"ISHNE1.0", "does not begin"),
        (b"ANN  1.0" + bytes(600), "does not begin"),
        (holter([0, 0])[:-2], "copy it again"),
        (holter([0, 0], n_said=7), "promises 7"),
        (holter([0, 0], n_leads=0), "cannot be"),
        (holter([0, 0], n_leads=-1), "cannot be"),
        (holter([0, 0], rate_hz=0), "cannot be"),
        (holter([0, 0], first=4), "cannot be"),
        (holter([0, 0], resolution=0), "cannot be"),
        (holter([0, 0], first=9_000), "promises"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(file, data, says):
    with pytest.raises(InputError, match=says):
        read_signal(file(data))


def test_a_lead_or_file_that_is_not_there(file, tmp_path):
    with pytest.raises(InputError, match="no lead 2; it has 2"):
        read_signal(file(holter([0, 0])), 2)
    with pytest.raises(InputError, match="cannot be read"):
        read_signal(tmp_path / "none.ecg")


@pytest.mark.shared
def test_a_real_recording_has_the_size_its_header_says(shared_data):
    signal, header = read_signal(shared_data / "ecg-holter-ishne" / "holter.ecg", 2)
    assert header.n_samples == signal.size == 597_376
    assert header.sampling_rate_hz == 128.0
    assert len(header.resolution_nv) == 3
