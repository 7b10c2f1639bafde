"""From an electrocardiogram in the records to heart rate and variability: invented ones, and real ones end to end."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.records.test_ishne import holter
from tests.signals.test_ecg import invented_ecg, matched, rmssd_ms
from unaji.records.folder import read_folder
from unaji.records.importing import import_files
from unaji.records.store import spool
from unaji.records.timeline import Beats, Person, Series, Timeline, Zones, from_utc_ms
from unaji.records.wfdb import read_annotations, read_signal
from unaji.signals.ecg import ecg_beats
from unaji.signals.recorded_ecg import MIN_QUALITY, beats_of, with_ecg_beats
from unaji.signals.state import autonomic_state

START_MS = 1_715_729_401_000
NOW = datetime(2025, 6, 1, tzinfo=UTC)


def stamps(since_ms):
    return (START_MS + np.round(since_ms)).astype(np.int64).astype("datetime64[ms]")


def stored(ecg, rate_hz, after_s=0.0):
    """Give a signal as the store does: whole milliseconds, nothing where nothing was recorded."""
    there = ~np.isnan(ecg)
    since_ms = (after_s + np.arange(ecg.size) / rate_hz) * 1000
    return Series("ecg_mv", stamps(since_ms[there]), ecg[there])


def person(**parts):
    return Timeline(Person("p", timezone="Asia/Tokyo"), Zones(("Asia/Tokyo",)), **parts)


def since_s(beats):
    """Say when beats were [s], those at the beginning of a stretch left out."""
    return (beats.time.astype(np.int64) - START_MS) / 1000


@pytest.mark.parametrize("rate_hz", [128.0, 250.0, 360.0, 1000.0])
def test_the_store_s_milliseconds_do_not_blur_the_beats(rate_hz):
    ecg, beat_s = invented_ecg(300, rate_hz)
    (beats,) = beats_of(stored(ecg, rate_hz))
    sensitivity, ppv, _ = matched(beat_s, since_s(beats))
    assert (sensitivity >= 1 - 1 / beat_s.size, ppv) == (True, 1.0)  # no interval ends at the first beat
    differences = np.diff(beats.rri_ms[~np.isnan(beats.rri_ms)])
    assert np.sqrt(np.mean(differences**2)) == pytest.approx(rmssd_ms(beat_s[1:]), rel=0.02)
    assert beats.origin == "ecg"


def test_lost_samples_leave_the_time_right_and_an_interruption_parts_the_rhythm():
    ecg, beat_s = invented_ecg(120, 250.0)
    ecg[5000:5003] = np.nan  # three packets
    ecg[15000:15500] = np.nan  # two seconds
    (beats,) = beats_of(stored(ecg, 250.0))
    _, ppv, error = matched(beat_s, since_s(beats))
    assert ppv == 1.0
    assert 1000 * np.abs(error).max() < 5
    after = np.searchsorted(since_s(beats), 62.0)
    assert beats.gap[after]
    assert np.nanmax(beats.rri_ms) < 1000


def test_each_recording_is_looked_at_by_itself_and_what_is_no_recording_gives_nothing():
    first, second = (invented_ecg(60, rate, seed=seed)[0] for rate, seed in ((250.0, 1), (128.0, 2)))
    one, two = stored(first, 250.0), stored(second, 128.0, after_s=3600)
    both = Series("ecg_mv", np.concatenate([one.time, two.time]), np.concatenate([one.value, two.value]))
    assert [beats.time[0] for beats in beats_of(both)] == [beats.time[0] for s in (one, two) for beats in beats_of(s)]
    assert not list(beats_of(stored(first[:2000], 250.0)))  # eight seconds
    assert not list(beats_of(stored(first, 20.0)))
    thin = np.full(60_000, np.nan)
    thin[::50] = 0.0
    thin[:100] = 0.0
    assert not list(beats_of(stored(thin, 1000.0)))
    assert not list(beats_of(Series("ecg_mv", stamps(np.zeros(3)), np.zeros(3))))


def test_beats_of_a_wrist_stand_where_there_is_no_ecg_and_give_way_where_there_is():
    ecg, _ = invented_ecg(120, 250.0)
    wrist_ms = np.arange(-600, 900) * 1000.0
    wrist = Beats(stamps(wrist_ms), np.full(1500, 1000.0), np.arange(1500) == 0, "ppg", "device")
    merged = with_ecg_beats(person(series=(stored(ecg, 250.0),), beats=wrist)).beats
    s = since_s(merged)
    within = (s > 3) & (s < 118)
    assert not (merged.rri_ms[within] == 1000.0).any()
    assert (merged.rri_ms[(s < 0) | (s > 125)] == 1000.0).all()
    assert (s < 0).sum() >= 599
    assert merged.gap[np.flatnonzero(merged.rri_ms != 1000.0)[0]]
    assert merged.gap[np.flatnonzero(s > 119)[0]]
    assert (merged.origin, merged.corrected) == ("ppg", "unknown")  # as careful as the least exact among them
    assert (np.diff(merged.time) >= np.timedelta64(0, "ms")).all()


def test_beats_that_were_marked_in_the_ecg_come_before_those_found_here():
    ecg, _ = invented_ecg(60, 250.0)
    marked = Beats(stamps(np.arange(1, 60) * 1000.0), np.full(59, 1000.0), np.arange(59) == 0, "ecg")
    merged = with_ecg_beats(person(series=(stored(ecg, 250.0),), beats=marked)).beats
    assert (merged.rri_ms == 1000.0).all()


def test_without_an_ecg_the_timeline_is_the_same():
    timeline = person(series=(Series("hr_bpm", stamps(np.arange(9.0)), np.full(9, 60.0)),))
    assert with_ecg_beats(timeline) is timeline


def test_an_imported_holter_becomes_heart_rate_and_rmssd(tmp_path):
    ecg, beat_s = invented_ecg(1200, 128.0)
    file = tmp_path / "h.ecg"
    file.write_bytes(holter(np.round(ecg * 400).astype(int).tolist(), n_leads=1))  # 2500 nV a unit
    (brought,) = import_files([file], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert brought.rows == {"ecg_mv": ecg.size}
    state = autonomic_state(with_ecg_beats(read_folder(tmp_path / "ken", now=NOW)))
    middle = slice(1, -1)
    assert state.hr_bpm[middle] == pytest.approx(60 / np.diff(beat_s).mean(), rel=0.02)
    assert np.median(state.rmssd_ms[middle]) == pytest.approx(rmssd_ms(beat_s), rel=0.1)
    assert (state.quality["hr_bpm"][middle] > 0.95).all()


def test_beats_of_a_holter_read_in_pieces_are_those_of_all_its_samples_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "PIECE_ROWS", 20_000)
    monkeypatch.setattr(spool, "HOUR_MS", 60_000)  # pieces of some minutes
    ecg, _ = invented_ecg(1200, 128.0)
    samples = np.round(ecg * 400).astype(int)
    samples[40_000:40_300] = samples[90_000:93_000] = -32768  # two seconds; a pause that parts two recordings
    file = tmp_path / "h.ecg"
    file.write_bytes(holter(samples.tolist(), n_leads=1))
    import_files([file], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    (wave,) = read_folder(tmp_path / "ken", now=NOW).waves
    assert len(list(wave.pieces())) > 5
    recordings = list(beats_of(wave))
    assert len(recordings) == 2
    for first, ours in zip((0, 93_000), recordings, strict=True):
        part = samples[first : 90_000 if first == 0 else None].astype(float)
        part[part == -32768] = np.nan
        whole = ecg_beats(part * 0.0025, 128.0).to_beats(
            from_utc_ms(stamps(first / 128 * 1000)), "ecg", min_quality=MIN_QUALITY
        )
        np.testing.assert_array_equal(ours.gap, whole.gap)
        np.testing.assert_allclose(ours.rri_ms, whole.rri_ms, atol=1e-3)  # the store's step is right to 1e-6
        assert np.abs(ours.time - whole.time).max() <= np.timedelta64(1, "ms")


@pytest.mark.shared
def test_an_arrhythmia_record_as_a_holter_gives_the_beats_that_cardiologists_marked(shared_data, tmp_path):
    record = shared_data / "ecg-mitdb-100"
    ecg, rate_hz = read_signal(record / "100.hea", "MLII")
    marks = read_annotations(record / "100.atr")
    file = tmp_path / "h.ecg"
    file.write_bytes(holter(np.round(ecg * 400).astype(int).tolist(), n_leads=1, rate_hz=round(rate_hz)))
    import_files([file], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    beats = with_ecg_beats(read_folder(tmp_path / "ken", now=NOW)).beats
    true_s = marks.sample[marks.is_beat] / rate_hz
    sensitivity, ppv, _ = matched(true_s, since_s(beats))
    assert sensitivity > 0.999
    assert ppv == 1.0
    assert np.nanmean(beats.rri_ms) == pytest.approx(1000 * np.diff(true_s).mean(), rel=1e-3)
