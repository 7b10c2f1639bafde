"""`unaji hrv` as another program and as a person at the keyboard use it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.records.test_edf import raw
from tests.records.test_ishne import holter
from tests.signals.test_ecg import invented_ecg, rmssd_ms
from unaji.cli import unaji
from unaji.errors import InputError, OutputError, UnajiError, UsageError
from unaji.records.folder import read_folder
from unaji.records.importing import import_files
from unaji.signals.ecg import ecg_beats
from unaji.signals.hrv import rmssd, sdnn
from unaji.signals.recorded_ecg import with_ecg_beats

KEYS = ["n", "mean_rri_ms", "mean_hr_bpm", "sdnn_ms", "rmssd_ms", "sdsd_ms", "pnn50", "sd1_ms", "sd2_ms", "sampen",
        "dfa_a1", "vlf_ms2", "lf_ms2", "hf_ms2", "hf_resp_ms2", "respiration_hz", "baevsky_si", "triangular_index",
        "csi", "cvi", "corrected_fraction"]  # fmt: skip


@pytest.fixture
def rr_file(tmp_path: Path) -> Path:
    beat = np.arange(800)
    rri_ms = np.round(850 + 40 * np.sin(beat / 9) + 25 * np.sin(1.6 * beat), 1)
    file = tmp_path / "rr.txt"
    file.write_text("\n".join(map(str, rri_ms)) + "\n")
    return file


def run(*arguments: object) -> str:
    result = CliRunner().invoke(unaji, ["hrv", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_is_one_object_of_values(rr_file: Path):
    found = json.loads(run(rr_file, "--json"))
    assert list(found) == KEYS
    rri_ms = np.loadtxt(rr_file)
    for value in found.values():
        assert set(value) == {"value", "standard_error", "unit", "quality", "reason"}
    assert found["n"]["value"] == 800
    assert isinstance(found["n"]["value"], int)
    assert found["rmssd_ms"]["value"] == pytest.approx(rmssd(rri_ms))
    assert found["sdnn_ms"]["value"] == pytest.approx(sdnn(rri_ms))
    assert found["rmssd_ms"]["unit"] == "ms"
    without = {name for name, value in found.items() if value["standard_error"] is None}
    assert without == {"n", "corrected_fraction"}


def test_with_windows_json_is_a_list_with_starts_and_reasons(rr_file: Path):
    found = json.loads(run(rr_file, "--json", "--window", "5min"))
    assert [w["start"] for w in found] == [0.0, 300.0, 600.0]
    assert list(found[0]) == ["start", *KEYS]
    assert found[0]["vlf_ms2"]["value"] > 0
    assert found[2]["vlf_ms2"]["value"] is None
    assert "not measured" in found[2]["vlf_ms2"]["reason"]
    seconds = json.loads(run(rr_file, "--json", "--window", "300s"))
    assert seconds == found


def test_starts_are_on_the_persons_clock_where_one_is_known(tmp_path: Path):
    file = tmp_path / "beats.csv"
    rows = [f"2024-03-01T08:{k // 60:02d}:{k % 60:02d}+09:00,1000" for k in range(1, 900)]
    file.write_text("time,rri_ms\n" + "\n".join(rows) + "\n")
    found = json.loads(run(file, "--json", "--window", "5min", "--timezone", "Asia/Tokyo"))
    assert [w["start"] for w in found] == [f"2024-03-01T08:{m:02d}:00+09:00" for m in (0, 5, 10)]


def test_csv_has_a_row_a_window(rr_file: Path):
    rows = list(csv.DictReader(io.StringIO(run(rr_file, "--csv", "--window", "5min"))))
    assert list(rows[0]) == ["start", *KEYS]
    assert len(rows) == 3
    assert rows[2]["vlf_ms2"] == ""


def ecg_record(folder: Path, sampling_rate_hz: int, first_line: str = "") -> Path:
    """Write 400 s of an electrocardiogram of a beat every 0.8 s as a WFDB record without annotations."""
    t = np.arange(400 * sampling_rate_hz) / sampling_rate_hz
    units = np.round(1000 * np.exp(-0.5 * ((t % 0.8 - 0.4) / 0.012) ** 2)).astype("<i2")
    (folder / "holter.dat").write_bytes(units.tobytes())
    lines = [f"holter 1 {sampling_rate_hz} {t.size}{first_line}", "holter.dat 16 1000/mV 16 0 0 0 0 ECG"]
    (folder / "holter.hea").write_text("\n".join(lines))
    return folder / "holter.hea"


def test_beats_are_found_in_an_electrocardiogram(tmp_path: Path):
    found = json.loads(run(ecg_record(tmp_path, 250), "--json", "--window", "5min"))
    assert [w["start"] for w in found] == [0.0, 300.0]
    assert found[0]["mean_rri_ms"]["value"] == pytest.approx(800, abs=0.01)
    assert found[0]["n"]["value"] in (374, 375)
    assert found[0]["rmssd_ms"]["value"] < 1.0
    record = ecg_record(tmp_path, 250, " 08:00:00 15/05/2024")
    found = json.loads(run(record, "--json", "--window", "5min", "--timezone", "Asia/Tokyo"))
    assert found[0]["start"].startswith("2024-05-15T08:00:0")
    assert found[0]["start"].endswith("+09:00")


def test_an_electrocardiogram_of_too_few_samples_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="20 samples a second, too few"):
        run(ecg_record(tmp_path, 20), "--json")


@pytest.mark.shared
def test_beats_found_agree_with_those_of_the_annotators(shared_data: Path, tmp_path: Path):
    """Record 100 of MIT-BIH with and without its annotations; these lie on the 2.8 ms grid of its samples."""
    record = shared_data / "ecg-mitdb-100"
    for name in ("100.hea", "100.dat"):
        (tmp_path / name).write_bytes((record / name).read_bytes())
    found, annotated = (json.loads(run(folder / "100.hea", "--json")) for folder in (tmp_path, record))
    assert found["n"]["value"] == pytest.approx(annotated["n"]["value"], abs=5)
    assert found["mean_rri_ms"]["value"] == pytest.approx(annotated["mean_rri_ms"]["value"], rel=2e-4)
    assert found["rmssd_ms"]["value"] == pytest.approx(annotated["rmssd_ms"]["value"], rel=0.02)


@pytest.mark.shared
def test_a_holters_recording_is_read(shared_data: Path):
    """Another program's list of beats came with it, without the first minutes, in which the heart is faster."""
    file = shared_data / "ecg-holter-ishne" / "holter.ecg"
    found = json.loads(run(file, "--json", "--timezone", "Asia/Tokyo"))
    marks = [line.split() for line in file.with_suffix(".txt").read_text().splitlines()[1:]]
    at_s, usable = np.array([float(m[0]) for m in marks]), np.array([m[1] == "N" for m in marks])
    rri_ms = np.diff(at_s)[usable[1:] & usable[:-1]] * 1000
    assert found["n"]["value"] > rri_ms.size
    assert found["mean_rri_ms"]["value"] == pytest.approx(rri_ms.mean(), rel=0.02)
    assert found["rmssd_ms"]["value"] == pytest.approx(rmssd(rri_ms), rel=0.03)


def test_without_correction_test_patterns_pass_unharmed(tmp_path: Path):
    """EC57 TP4 has intervals up to 3.28 s and 39 200 ms² at 1/30 Hz."""
    at_s, rri_ms = 0.0, []
    while at_s < 1800:
        rri_ms.append(1000 * (3.0 + 0.28 * np.sin(2 * np.pi * at_s / 30)))
        at_s += rri_ms[-1] / 1000
    file = tmp_path / "tp4.txt"
    file.write_text("\n".join(f"{x:.6f}" for x in rri_ms))
    found = json.loads(run(file, "--json", "--no-correction"))
    assert found["vlf_ms2"]["value"] == pytest.approx(39200, rel=0.01)
    assert found["corrected_fraction"]["value"] == 0
    assert json.loads(run(file, "--json"))["corrected_fraction"]["value"] == 1


def test_the_table_names_every_index(rr_file: Path):
    told = run(rr_file)
    assert all(key in told for key in KEYS)
    assert "rmssd_ms" in run(rr_file, "--window", "5min")


def test_reasons_and_warnings_are_japanese_first_then_english(tmp_path: Path):
    file = tmp_path / "short.txt"
    file.write_text("\n".join(["800", "812", "790", "805", "811"] * 10))
    told = run(file)
    assert told.index("この帯域には区間が短すぎます") < told.index("the window is too short for")
    assert "…" not in told
    assert json.loads(run(file, "--json"))["lf_ms2"]["reason"] == "the window is too short for this band"


def test_pulses_are_said_to_be_pulses_in_both_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rr_file: Path):
    from unaji.records import beat_files
    from unaji.records.timeline import Beats, Zones

    rri_ms = np.loadtxt(rr_file)
    time = np.datetime64("2024-03-01T00:00:00", "ms") + np.cumsum(rri_ms).astype("timedelta64[ms]")
    pulses = Beats(time, rri_ms, np.zeros(rri_ms.size, bool), "ppg")
    found = beat_files.RecordedBeats(None, None, pulses, Zones(), ())
    monkeypatch.setattr(beat_files, "read_recorded_beats", lambda *_, **__: found)
    result = CliRunner().invoke(unaji, ["hrv", str(rr_file)], catch_exceptions=False)
    assert result.stderr.index("心拍でなく脈") < result.stderr.index("these are pulses")


def test_of_a_long_recording_the_day_is_drawn(tmp_path: Path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "beats.csv"
    rows = [f"2024-03-01T{8 + k // 3600:02d}:{k // 60 % 60:02d}:{k % 60:02d}+09:00,{980 + k % 40}" for k in range(9000)]
    file.write_text("time,rri_ms\n" + "\n".join(rows) + "\n")
    run(file, "--plot", tmp_path / "day.png", "--timezone", "Asia/Tokyo")
    width, height = np.frombuffer((tmp_path / "day.png").read_bytes()[16:24], ">u4")
    assert width == 1080
    assert height > 1.5 * width


def test_a_picture_is_drawn(rr_file: Path, tmp_path: Path):
    pytest.importorskip("matplotlib")
    run(rr_file, "--plot", tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_is_of_the_whole_whatever_the_windows(rr_file: Path, tmp_path: Path):
    """Of windows of 20 s none has a spectrum; the recording has one."""
    pytest.importorskip("matplotlib")
    run(rr_file, "--plot", tmp_path / "whole.png")
    run(rr_file, "--window", "20s", "--plot", tmp_path / "windows.png")
    assert (tmp_path / "windows.png").read_bytes() == (tmp_path / "whole.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(["--json", "--csv"], UsageError), (["--plot", "/nowhere/at/all.png"], OutputError)],
)
def test_what_cannot_be_done_is_said(rr_file: Path, arguments: list[str], error: type[UnajiError]):
    with pytest.raises(error):
        run(rr_file, *arguments)


def test_a_folder_that_is_nobodys_but_holds_a_recording_says_how_to_name_it(tmp_path: Path):
    (tmp_path / "README.md").write_text("800\n810\n")
    (tmp_path / "rr.txt").write_text("800\n810\n820\n" * 40)
    result = CliRunner().invoke(unaji, ["hrv", str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert str(tmp_path / "rr.txt") in str(result.exception)


def test_a_window_that_is_no_length_is_a_usage_error(rr_file: Path):
    result = CliRunner().invoke(unaji, ["hrv", str(rr_file), "--window", "soon"])
    assert result.exit_code == 2
    assert "5min" in result.output


def test_nothing_but_json_goes_to_stdout_and_errors_have_no_traceback(tmp_path: Path):
    file = tmp_path / "rr.txt"
    file.write_text("\n".join(["0.8", "0.81", "0.79"] * 20 + ["@"]))
    command = [sys.executable, "-m", "unaji.cli", "hrv"]
    done = subprocess.run([*command, str(file), "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["mean_rri_ms"]["value"] == pytest.approx(800)
    assert "read as seconds" in done.stderr
    failed = subprocess.run([*command, str(tmp_path / "none")], capture_output=True, text=True, check=False)
    assert failed.returncode == 3
    assert "Traceback" not in failed.stderr


def test_an_ecg_in_edf_is_read_by_its_content(tmp_path: Path):
    ecg, beat_s = invented_ecg(300, 250.0)
    units = np.round(ecg * 1000).astype("<i2").reshape(300, 250)
    channel = ("ECG", "mV", -32, 32, -32000, 32000, 250)
    (tmp_path / "night.edf").write_bytes(raw([channel], [second.tobytes() for second in units]))
    found = json.loads(run(tmp_path / "night.edf", "--json", "--timezone", "Asia/Tokyo"))
    assert found["mean_rri_ms"]["value"] == pytest.approx(1000 * np.diff(beat_s).mean(), rel=1e-3)
    assert found["rmssd_ms"]["value"] == pytest.approx(rmssd_ms(beat_s), rel=0.02)


def test_of_an_edf_with_pauses_all_stretches_are_used_and_none_is_bridged(tmp_path: Path):
    """Both stretches count, and the step of a heart that is 60 ms slower after the pause is no difference."""
    times = [0.8 * np.arange(1, 150), 160.5 + 0.86 * np.arange(160)]
    ecg = sum((np.exp(-0.5 * ((np.arange(300 * 250) / 250 - beat) / 0.012) ** 2) for beat in np.concatenate(times)),
              start=np.zeros(300 * 250))  # fmt: skip
    units = np.round(ecg * 1000).astype("<i2").reshape(300, 250)
    onsets = [second for second in range(300) if not 121 <= second < 160]
    channels = [("ECG", "mV", -32, 32, -32000, 32000, 250), ("EDF Annotations", "", -1, 1, -32768, 32767, 10)]
    records = [units[at].tobytes() + f"+{at}\x14\x14\0".encode().ljust(20, b"\0") for at in onsets]
    (tmp_path / "night.edf").write_bytes(raw(channels, records, reserved=b"EDF+D"))
    found = json.loads(run(tmp_path / "night.edf", "--json", "--timezone", "Asia/Tokyo"))
    assert found["n"]["value"] == pytest.approx(149 - 1 + 160 - 1, abs=4)
    assert found["rmssd_ms"]["value"] < 1.0
    assert found["sdnn_ms"]["value"] == pytest.approx(30, abs=1)
    windows = json.loads(run(tmp_path / "night.edf", "--json", "--window", "1min", "--timezone", "Asia/Tokyo"))
    assert windows[0]["start"].startswith("2024-05-15T08:30:0")
    assert windows[-1]["start"].startswith("2024-05-15T08:34")


def person_with_holter(tmp_path: Path, seconds: int = 400) -> tuple[Path, np.ndarray]:
    ecg, beat_s = invented_ecg(seconds, 128.0)
    (tmp_path / "h.ecg").write_bytes(holter(np.round(ecg * 400).astype(int).tolist(), n_leads=1))
    import_files([tmp_path / "h.ecg"], tmp_path / "ken", timezone="Asia/Tokyo", now=datetime(2025, 6, 1, tzinfo=UTC))
    return tmp_path / "ken", beat_s


def test_of_a_person_the_beats_of_a_stored_electrocardiogram_are_found(tmp_path: Path):
    ken, beat_s = person_with_holter(tmp_path)
    result = CliRunner().invoke(unaji, ["hrv", str(ken), "--json", "--window", "2min"], catch_exceptions=False)
    windows = json.loads(result.stdout)
    assert [window["start"][:16] for window in windows] == [f"2024-05-15T08:3{minute}" for minute in (0, 2, 4, 6)]
    beats = with_ecg_beats(read_folder(ken)).beats
    assert beats is not None
    assert sum(window["n"]["value"] for window in windows) == np.isfinite(beats.rri_ms).sum()
    assert windows[1]["rmssd_ms"]["value"] == pytest.approx(rmssd_ms(beat_s), rel=0.1)
    assert result.stderr.index("心電図から拍を見つけました") < result.stderr.index("found in the electrocardiogram")
    assert "strap" not in result.stderr


def test_an_electrocardiogram_without_beats_is_not_said_to_have_given_any(tmp_path: Path):
    ken, _ = person_with_holter(tmp_path, seconds=8)
    rows = [f"2024-05-15T09:{k // 60:02d}:{k % 60:02d}+09:00,1000,strap" for k in range(10, 400)]
    (ken / "beats.csv").write_text("time,rri_ms,origin\n" + "\n".join(rows) + "\n")
    result = CliRunner().invoke(unaji, ["hrv", str(ken), "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["mean_rri_ms"]["value"] == 1000
    assert "electrocardiogram" not in result.stderr


@pytest.mark.parametrize(("origin", "holds"), [("ecg", "file"), ("strap", "holter")])
def test_marked_beats_come_before_those_found_and_a_strap_s_after_them(tmp_path: Path, origin: str, holds: str):
    ken, _ = person_with_holter(tmp_path)
    rows = [f"2024-05-15T08:{30 + k // 60:02d}:{k % 60:02d}+09:00,1000,{origin}" for k in range(10, 1200)]
    (ken / "beats.csv").write_text("time,rri_ms,origin\n" + "\n".join(rows) + "\n")
    result = CliRunner().invoke(unaji, ["hrv", str(ken), "--json", "--window", "5min"], catch_exceptions=False)
    windows = json.loads(result.stdout)
    assert windows[0]["mean_rri_ms"]["value"] == pytest.approx(1000 if holds == "file" else 840, abs=5)
    assert windows[-1]["mean_rri_ms"]["value"] == 1000
    assert result.stderr.index("胸ベルトや手首") < result.stderr.index("a strap or a wrist")


def test_an_electrocardiogram_in_which_no_beat_is_found_is_said_to_be_one(tmp_path: Path):
    channel = ("ECG", "mV", -32, 32, -32000, 32000, 20)
    (tmp_path / "slow.edf").write_bytes(raw([channel], [np.zeros(20, dtype="<i2").tobytes()] * 60))
    with pytest.raises(InputError, match=r"slow\.edf: no beats were found .* 50 samples a second or more"):
        run(tmp_path / "slow.edf", "--json", "--timezone", "Asia/Tokyo")


@pytest.mark.shared
def test_an_ecg_in_opensignals_text_is_read_by_its_content(shared_data: Path):
    file = shared_data / "rr-pyhrv-samples" / "opensignals_ecg.txt"
    found = json.loads(run(file, "--json", "--timezone", "Europe/Lisbon"))
    direct = ecg_beats(np.loadtxt(file, usecols=5), 1000.0).to_beats(datetime(2016, 6, 11, tzinfo=UTC), "ecg")
    assert found["mean_rri_ms"]["value"] == pytest.approx(np.nanmean(direct.rri_ms), rel=0.02)
