"""Waveforms that stay on the disk: what is read of them part by part is what is read of them at once."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.test_ishne import holter
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.exporting import export_folder
from unaji.records.folder import read_folder
from unaji.records.fragments import fragment_of, fragment_of_tables
from unaji.records.importing import import_files
from unaji.records.store import spool
from unaji.records.store.reading import Store
from unaji.records.waves import COLUMNS, is_wave, waves_of

NOW = datetime(2025, 6, 1, tzinfo=UTC)
MAY = 1_714_521_600_000
DEVICES = {1: Device("ishne", "ecg", site="chest"), 2: Device("edf", "monitor", site="wrist"), 3: Device("edf", "ecg")}


def ecg(folder: Path, seconds: int = 60, rate_hz: int = 128) -> Path:
    """Write a Holter's file of one lead; what is in it does not matter here."""
    (folder / "h.ecg").write_bytes(holter([k % 9999 for k in range(seconds * rate_hz)], n_leads=1, rate_hz=rate_hz))
    return folder / "h.ecg"


def of(rows: pl.DataFrame, cuts: list[int]):
    """Give rows in pieces, those of one time in one."""
    time = rows["time"].to_numpy()
    edges = [0, *np.searchsorted(time, [time[cut] for cut in sorted(set(cuts)) if cut < time.size]), time.size]
    return lambda: iter([rows[first:last] for first, last in pairwise(edges) if first < last])


@pytest.mark.parametrize("quantity", ["ecg_mv", "bvp"])
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([0, 4, 900, 61_000, 200_000]), st.booleans(), st.booleans()),
        min_size=1, max_size=60,
    ),
    st.lists(st.integers(1, 60), max_size=4),
)  # fmt: skip
def test_at_each_time_the_best_source_speaks_as_it_does_of_rows_at_once(quantity, told, cuts):
    rows = pl.DataFrame({
        "time": MAY + np.cumsum([apart for _, apart, _, _ in told]),
        "end": pl.Series([None] * len(told), dtype=pl.Int64),
        "value": [None if nothing and k % 5 == 0 else float(k) for k, (*_, nothing) in enumerate(told)],
        "low_quality": [doubted if k % 3 == 0 else None for k, (_, _, doubted, _) in enumerate(told)],
        "source_id": pl.Series([source for source, *_ in told], dtype=pl.UInt32),
    })  # fmt: skip
    whole = fragment_of_tables([(Kind.SERIES, quantity, rows)], DEVICES).series
    waves = list(waves_of(quantity, of(rows, cuts), DEVICES))
    assert [(one.site, one.source) for one in waves] == [(one.site, one.source) for one in whole]
    for ours, theirs in zip(waves, whole, strict=True):
        np.testing.assert_array_equal(ours.series().time, theirs.time)
        np.testing.assert_array_equal(ours.series().value, theirs.value)
        assert (ours.first, ours.last) == (theirs.time[0], theirs.time[-1])


def test_a_stored_wave_is_read_in_pieces_and_is_no_series_of_the_timeline(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "PIECE_ROWS", 128 * 3600)
    import_files([ecg(tmp_path, seconds=4 * 3600)], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    timeline = read_folder(tmp_path / "ken", now=NOW)
    (wave,) = timeline.waves
    assert timeline.series == ()
    assert (wave.quantity, wave.source, wave.site) == ("ecg_mv", "ishne", "chest")
    assert max(time.size for time, _ in wave.pieces()) <= 128 * 3600
    assert sum(time.size for time, _ in wave.pieces()) == 4 * 3600 * 128
    assert timeline.span.end.timestamp() * 1000 == wave.last.astype(int)
    again = pickle.loads(pickle.dumps(wave))  # another process explains people of a cohort
    np.testing.assert_array_equal(again.series().value, wave.series().value)


def test_a_wave_in_a_file_of_the_folder_is_put_aside_and_forgotten_with_its_last_reader(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    times = [MAY + 8, MAY, MAY + 4, MAY + 4]
    fragment = fragment_of([Batch(Kind.SERIES, "ecg_mv", DEVICES[1], frame(time=times, value=[3.0, 1.0, 2.0, 2.0]))])
    (wave,) = fragment.waves
    assert wave.series().value.tolist() == [1.0, 2.0, 3.0]
    assert wave.series().value.tolist() == [1.0, 2.0, 3.0]
    assert list(scratch.iterdir())
    del fragment, wave
    assert not list(scratch.iterdir())


def test_of_a_recording_that_was_imported_and_lies_in_the_folder_too_each_value_counts_once(tmp_path):
    (tmp_path / "ken").mkdir()
    file = ecg(tmp_path)
    import_files([file], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    file.rename(tmp_path / "ken" / "h.ecg")
    timeline = read_folder(tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert timeline.waves == ()
    assert [len(series) for series in timeline.series] == [60 * 128]
    assert any("counted once" in problem.rule and problem.count == 60 * 128 for problem in timeline.problems)


@pytest.mark.parametrize("imported", [True, False])
def test_the_copy_of_a_folder_has_all_values_of_its_waves(tmp_path, imported):
    (tmp_path / "ken").mkdir()
    file = ecg(tmp_path)
    if imported:
        import_files([file], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    else:
        file.rename(tmp_path / "ken" / "h.ecg")
    export_folder(tmp_path / "ken", tmp_path / "copy", timezone="Asia/Tokyo", now=NOW)
    (series,) = read_folder(tmp_path / "copy", now=NOW).series
    assert (series.quantity, len(series)) == ("ecg_mv", 60 * 128)


def test_what_a_store_has_of_a_wave_can_be_read_by_source(tmp_path):
    import_files([ecg(tmp_path)], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    store = Store.open(tmp_path / "ken")
    ((kind, quantity),) = store.contents
    assert is_wave(kind, quantity)
    (wave,) = waves_of(quantity, partial(store.pieces, kind, quantity, COLUMNS), store.sources)
    np.testing.assert_array_equal(wave.series().value, store.read(kind, quantity)["value"].to_numpy())
