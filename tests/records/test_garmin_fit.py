"""Garmin FIT files: real ones against counts by another decoder, and made ones for every trap of the format."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import fitdecode
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.fit_writer import EPOCH, Message, crc16, fit_file
from tests.records.mutations import mutated
from unaji.records import garmin_fit
from unaji.records.batch import Kind
from unaji.records.clock import Clock
from unaji.records.garmin_fit.protocol import Messages, checksum
from unaji.records.importing import import_files, undo_import
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source, file_source
from unaji.records.timeline import Zones

NOW = datetime(2026, 6, 1, tzinfo=UTC)
T0 = 1_000_000_000  # 2021-09-08T01:46:40Z in FIT's seconds
FILE_ID = Message(0, {0: ("enum", 4), 1: ("u16", 1), 2: ("u16", 2697), 3: ("u32z", 123456789), 4: ("u32", T0)})
ZONE_TOKYO = Message(103, {253: ("u32", T0), 0: ("u32", T0 + 9 * 3600)})


def source(data: bytes, name: str = "a.fit") -> Source:
    return Source(name, data[:HEAD_BYTES], lambda: io.BytesIO(data), len(data))


def read(*files: bytes, zones: Zones | None = None):
    """Return the rows by kind and quantity, and the problems."""
    log = ProblemLog()
    sources = [source(data, f"{k}.fit") for k, data in enumerate(files)]
    found: dict[str, list] = {}
    for batch in garmin_fit.read(sources, Clock(zones, NOW), log):
        found.setdefault(f"{batch.kind}/{batch.quantity}", []).append(batch)
    return found, log.problems()


def rows(found, key: str) -> pl.DataFrame:
    return pl.concat([batch.rows for batch in found[key]]).sort("time")


def seconds(found, key: str) -> list[float]:
    """Return times in seconds after T0."""
    return [ms / 1000 - EPOCH - T0 for ms in rows(found, key)["time"].to_list()]


def record(t: int, hr: int = 60, **more) -> Message:
    return Message(20, {253: ("u32", T0 + t), 3: ("u8", hr), 13: ("s8", 31)})


def rr(*ms: int) -> Message:
    return Message(78, {0: ("u16", [*ms, *[0xFFFF] * (5 - len(ms))])})


def timer(t: int, kind: int) -> Message:
    return Message(21, {253: ("u32", T0 + t), 0: ("enum", 0), 1: ("enum", kind)})


def said(problems, text: str) -> list:
    return [p for p in problems if text in p.rule]


# -- real files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def real(shared_data) -> Path:
    return shared_data / "garmin-fit"


def decoded(path: Path) -> dict[int, int]:
    counts: dict[int, int] = {}
    for number, n in Messages([(path.name, path.read_bytes())], ProblemLog()).counts():
        counts[number] = counts.get(number, 0) + n
    return counts


@pytest.mark.shared
def test_real_files_hold_as_many_messages_beats_and_heart_rates_as_another_decoder_finds(real):
    expected = json.loads((real / "expected.json").read_text())
    for path in sorted(real.glob("*.fit")):
        told = expected[path.name]
        if not told["error"]:
            assert sum(decoded(path).values()) == sum(told["messages"].values()), path.name
        found, _ = read(path.read_bytes())
        if told["n_rr"]:
            beats = rows(found, "beats/rri_ms")
            assert len(beats) == told["n_rr"]
            assert beats["value"].sum() / 1000 == pytest.approx(told["rr_sum_s"], abs=5e-4)
            np.testing.assert_allclose(beats["value"].head(5), np.array(told["rr_first_s"]) * 1000)
        if told["n_hr"] and path.name != "event_timestamp.fit":
            rate = rows(found, "series/hr_bpm")
            assert len(rate) == told["n_hr"]
            assert rate["value"].mean() == pytest.approx(told["mean_hr"], abs=5e-4)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rule"),
    [("activity-filecrc.fit", "checksum does not fit"), ("activity-unexpected-eof.fit", "breaks off")],
)
def test_a_broken_file_gives_its_records_and_the_reason(real, name, rule):
    assert decoded(real / name)[20] == 14
    found, problems = read((real / name).read_bytes())
    assert len(said(problems, rule)) == 1
    assert len(rows(found, "workout/exercise")) == 1


@pytest.mark.shared
def test_a_second_part_of_a_real_file_is_read(real):
    data = (real / "activity-settings.fit").read_bytes()
    messages = Messages([("a", data)], ProblemLog())
    assert messages.part_file.size == 2
    assert decoded(real / "activity-settings.fit")[4] == 1  # hrm_profile stands in the second part only


@pytest.mark.shared
def test_what_a_strap_remembered_agrees_with_the_heart_rate_it_wrote_beside(real):
    """97.3 % of the differences lie within a tenth of 60/bpm and 99.4 % within a quarter (records.md, 3.3)."""
    found, _ = read((real / "event_timestamp.fit").read_bytes())
    beats, rate = rows(found, "beats/rri_ms"), rows(found, "series/hr_bpm")
    assert len(beats) == 11_291 - 6  # six differences of zero are padding
    off = np.abs(beats["value"].to_numpy() / (60_000 / rate["value"].to_numpy()[1:]) - 1)
    assert np.mean(off <= 0.10) == pytest.approx(0.973, abs=5e-4)
    assert np.mean(off <= 0.25) == pytest.approx(0.994, abs=5e-4)
    assert {batch.device.origin for batch in found["beats/rri_ms"]} == {"strap"}
    assert beats["gap"].to_numpy()[1:].sum() == np.sum(off[1:] > 0.25)  # none is longer than 2 s
    np.testing.assert_allclose(np.diff(beats["time"]), beats["value"].to_numpy()[1:], atol=40)


@pytest.mark.shared
def test_real_beats_without_times_stay_beside_the_heart_rate(real):
    """Their mean is that of the heart rate in ``record``, and no drift beyond 2 s is found."""
    found, _ = read((real / "garmin-fenix-5-walk.fit").read_bytes())
    beats, rate = rows(found, "beats/rri_ms"), rows(found, "series/hr_bpm")
    assert beats["gap"].sum() == 1
    for start, bpm in zip(rate["time"].to_list()[2:], rate["value"].to_list()[2:], strict=True):
        near = beats.filter((pl.col("time") - start).abs() < 4_000)["value"]
        if len(near) >= 4:
            assert 60_000 / near.mean() == pytest.approx(bpm, abs=7)
    assert {batch.device.role for batch in found["series/hr_bpm"]} == {"strap"}
    assert rows(found, "beats/rri_ms")["zone_min"].unique().to_list() == [-420]


@pytest.mark.shared
def test_a_real_day_of_steps_adds_up_to_its_last_reading(real):
    """fitdecode's largest ``cycles`` of walking, twice, is what was walked since midnight."""
    path = real / "MonitoringFile.fit"
    largest = {}
    with fitdecode.FitReader(path) as frames:
        for frame in frames:
            monitored = frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "monitoring"
            if monitored and frame.has_field("cycles"):
                activity = frame.get_value("activity_type")
                largest[activity] = max(largest.get(activity, 0), frame.get_field("cycles").raw_value)
    found, _ = read(path.read_bytes())
    steps = rows(found, "interval/steps")
    assert steps["value"].sum() == sum(largest.values())
    assert steps["end"].max() == datetime(2014, 12, 28, 6, tzinfo=UTC).timestamp() * 1000  # and the next
    assert steps["zone_min"].unique().to_list() == [-360]
    assert steps["time"].min() == datetime(2014, 12, 27, 6, tzinfo=UTC).timestamp() * 1000  # local midnight


@pytest.mark.shared
def test_of_two_people_on_one_scale_no_weight_is_taken(real):
    found, problems = read((real / "WeightScaleMultiUser.fit").read_bytes())
    assert "series/weight_kg" not in found
    assert said(problems, "several people")[0].count == 2
    with fitdecode.FitReader(real / "WeightScaleSingleUser.fit") as frames:
        data = [frame for frame in frames if frame.frame_type == fitdecode.FIT_FRAME_DATA]
    found, _ = read((real / "WeightScaleSingleUser.fit").read_bytes())
    kg = [frame.get_value("weight") for frame in data if frame.name == "weight_scale"]
    assert rows(found, "series/weight_kg")["value"].to_list() == kg
    found, problems = read(*((real / f"WeightScale{who}User.fit").read_bytes() for who in ("Multi", "Single")))
    assert rows(found, "series/weight_kg")["value"].to_list() == kg
    assert said(problems, "several people")[0].count == 2


@pytest.mark.shared
def test_no_name_or_serial_number_leaves_a_real_file(real):
    for path in real.glob("*.fit"):
        found, _ = read(path.read_bytes())
        for batch in (b for some in found.values() for b in some):
            assert len(batch.device.name) < 12
            assert "3932942223" not in str(batch.device) + str(batch.rows["label"].unique().to_list())


# -- recognising -------------------------------------------------------------------------------------------------------


def test_a_file_is_known_by_its_first_bytes():
    assert garmin_fit.claims_file(fit_file([FILE_ID]))
    assert garmin_fit.claims_file(fit_file([FILE_ID], header_size=12))
    assert not garmin_fit.claims_file(b"")
    assert not garmin_fit.claims_file(b"\x0e" + b"\0" * 20)
    assert not garmin_fit.claims_file(b"x" + fit_file([FILE_ID]))


# -- the protocol ------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=6000))
def test_the_checksum_is_that_of_the_bit_by_bit_definition(data):
    assert checksum(np.frombuffer(data, dtype=np.uint8)) == crc16(data)


def test_the_checksum_of_the_nine_digits_is_the_published_one():
    """The catalogue's check value of CRC-16/ARC."""
    assert checksum(np.frombuffer(b"123456789", dtype=np.uint8)) == 0xBB3D


KINDS = {"u8": (0, 254), "s8": (-128, 126), "u16": (0, 65_534), "s16": (-32_768, 32_766), "u32": (0, 4_294_967_294)}


@st.composite
def any_message(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    fields = {
        k: (kind, draw(st.lists(st.integers(*KINDS[kind]), min_size=1, max_size=3))) for k, kind in enumerate(kinds)
    }
    return Message(
        draw(st.sampled_from([20, 55])), fields, draw(st.sampled_from("<>")), None, draw(st.binary(max_size=3))
    )


@given(st.lists(any_message(), min_size=1, max_size=12), st.sampled_from([12, 14]))
def test_what_was_written_is_read_back(messages, header_size):
    log = ProblemLog()
    read_back = Messages([("a", fit_file(messages, header_size=header_size))], log)
    assert not log.problems()
    for number in (20, 55):
        written = [m for m in messages if m.number == number]
        table = read_back.table(number, 0, 1, 2, 3)
        assert len(table) == len(written)
        for k, message in enumerate(written):
            for field in range(4):
                values = table.columns[field][k]
                assert values[~np.isnan(values)].tolist() == list(message.fields.get(field, ("", []))[1])


def test_all_ones_are_nothing_measured_and_are_counted():
    found, problems = read(fit_file([FILE_ID, record(0, 255), record(1, 61), record(2, 0)]))
    assert rows(found, "series/hr_bpm")["value"].to_list() == [61]
    assert [p.value for p in said(problems, "nothing was measured")] == ["2"]


def test_times_in_the_header_count_on_from_the_last_complete_one_as_fitdecode_has_them():
    messages = [FILE_ID, record(0)]
    messages += [Message(20, {3: ("u8", 70 + k)}, low_time=(T0 + 5 * k) % 32) for k in range(1, 30)]
    data = fit_file(messages)
    found, _ = read(data)
    assert seconds(found, "series/hr_bpm") == [5 * k for k in range(30)]
    with fitdecode.FitReader(data) as frames:
        stamps = [
            f.get_value("timestamp") for f in frames if f.frame_type == fitdecode.FIT_FRAME_DATA and f.name == "record"
        ]
    assert [s.timestamp() * 1000 for s in stamps] == rows(found, "series/hr_bpm")["time"].to_list()


def test_parts_of_a_chain_are_all_read_and_do_not_share_definitions():
    found, problems = read(fit_file([FILE_ID, record(0)]) + fit_file([record(10)]) + fit_file([record(20)]))
    assert seconds(found, "series/hr_bpm") == [0, 10, 20]
    assert not [p for p in problems if p.rejected]


def test_what_is_no_fit_data_after_a_part_is_told():
    found, problems = read(fit_file([FILE_ID, record(0)]) + b"rubbish that follows")
    assert len(rows(found, "series/hr_bpm")) == 1
    assert said(problems, "what follows the first part")


def test_a_bad_checksum_and_an_early_end_give_what_can_be_read():
    messages = [FILE_ID, *(record(k) for k in range(5))]
    found, problems = read(fit_file(messages, crc=1))
    assert len(rows(found, "series/hr_bpm")) == 5
    assert said(problems, "checksum does not fit")
    found, problems = read(fit_file(messages)[:-4])
    assert len(rows(found, "series/hr_bpm")) == 4
    assert said(problems, "breaks off")


def test_a_recording_that_was_never_closed_is_read_to_its_end():
    found, problems = read(fit_file([FILE_ID, record(0), record(1)], size=0)[:-2])
    assert len(rows(found, "series/hr_bpm")) == 2
    assert said(problems, "never closed")


def test_a_message_that_was_never_defined_ends_the_part_but_not_the_file():
    data = bytearray(fit_file([record(0), record(1)]))
    data[-9] = 0x03  # the header of the second record now names a definition that is not there
    found, problems = read(bytes(data) + fit_file([record(9)]))
    assert seconds(found, "series/hr_bpm") == [0, 9]
    assert said(problems, "never defined")


def test_messages_without_fields_take_no_memory_and_no_time():
    empty = b"\x40\0\0\x14\0\0" + b"\0" * 500_000
    head = bytes([12, 0x20]) + (2132).to_bytes(2, "little") + len(empty).to_bytes(4, "little") + b".FIT"
    found, _ = read(head + empty + crc16(b"").to_bytes(2, "little"))
    assert not found


def test_times_since_power_on_and_of_the_future_are_no_dates():
    odd = [Message(20, {253: ("u32", t), 3: ("u8", 60)}) for t in (1234, T0, 4_000_000_000)]
    found, problems = read(fit_file([FILE_ID, *odd]))
    assert seconds(found, "series/hr_bpm") == [0]
    assert {p.rule for p in problems if p.rejected} == {
        "hr_bpm: lies before 1990: was the clock of the device set?",
        "hr_bpm: lies in the future: is the year right?",
    }


def test_values_that_cannot_be_are_counted_by_file():
    found, problems = read(fit_file([record(0, 250), record(1, 61)]), fit_file([record(5, 10), record(6, 11)]))
    assert rows(found, "series/hr_bpm")["value"].to_list() == [61]
    told = said(problems, "lies outside 25 to 240")
    assert [(p.file, p.value, p.count) for p in told] == [("0.fit", "250.0", 1), ("1.fit", "10.0", 2)]


def test_unknown_messages_are_counted_and_the_watchs_own_temperature_is_not_read():
    found, problems = read(fit_file([FILE_ID, record(0), *[Message(999, {0: ("u8", 1)})] * 7]))
    assert said(problems, "999 (7)")
    assert set(found) == {"series/hr_bpm"}


# -- beats -------------------------------------------------------------------------------------------------------------


def test_intervals_without_times_are_added_up_from_the_record_before():
    found, _ = read(fit_file([FILE_ID, record(0), rr(800, 810), record(1), record(2), rr(790)]))
    beats = rows(found, "beats/rri_ms")
    assert beats["value"].to_list() == [800, 810, 790]
    assert seconds(found, "beats/rri_ms") == pytest.approx([-0.81, 0, 0.79])
    assert beats["gap"].to_list() == [True, False, False]


def test_padding_is_no_beat_and_an_implausible_interval_is_kept():
    found, problems = read(fit_file([FILE_ID, record(0), rr(), rr(6350), record(7), rr(70)]))
    assert rows(found, "beats/rri_ms")["value"].to_list() == [6350, 70]
    assert not [p for p in problems if p.rejected]


def test_intervals_that_drift_by_more_than_two_seconds_begin_anew_after_a_gap():
    steady = [m for k in range(5) for m in (record(k), rr(1000))]
    later = [m for k in range(60, 63) for m in (record(k), rr(1000))]
    found, _ = read(fit_file([FILE_ID, *steady, *later]))
    assert seconds(found, "beats/rri_ms") == pytest.approx([0, 1, 2, 3, 4, 60, 61, 62])
    assert rows(found, "beats/rri_ms")["gap"].to_list() == [True, *[False] * 4, True, False, False]


def test_a_pause_breaks_the_sum_even_when_it_is_short():
    run = [record(0), rr(1000), record(1), rr(1000), timer(1, 4), timer(2, 0), record(2), rr(1000)]
    found, _ = read(fit_file([FILE_ID, timer(0, 0), *run]))
    assert rows(found, "beats/rri_ms")["gap"].to_list() == [True, False, True]


def test_records_far_apart_are_no_drift():
    """Many devices write a record only when something changes."""
    found, _ = read(fit_file([FILE_ID, record(0), *[rr(1000)] * 30, record(30), rr(1000)]))
    assert rows(found, "beats/rri_ms")["gap"].sum() == 1
    assert seconds(found, "beats/rri_ms") == pytest.approx(list(range(31)))


def test_times_never_run_back_when_the_sum_ran_ahead():
    ahead = [record(0), rr(1000, 1000, 1000, 1000, 1000), record(1), rr(1000, 1000), record(2), rr(1000)]
    found, _ = read(fit_file([FILE_ID, *ahead]))
    batch = found["beats/rri_ms"][0].rows
    assert batch["time"].is_sorted()
    assert batch["value"].to_list() == [1000] * 8


def test_a_file_beside_another_of_the_same_minutes_does_not_move_its_beats():
    run = fit_file([FILE_ID, *[m for k in range(20) for m in (record(k), rr(1000))]])
    alone, _ = read(run)
    twice, _ = read(run, run)
    assert rows(twice, "beats/rri_ms")["time"].to_list() == sorted(2 * rows(alone, "beats/rri_ms")["time"].to_list())
    assert rows(twice, "beats/rri_ms")["gap"].sum() == 2


def test_intervals_without_any_time_in_the_file_are_counted():
    found, problems = read(fit_file([FILE_ID, rr(800, 800), rr(800)]))
    assert "beats/rri_ms" not in found
    assert said(problems, "without any time")[0].count == 3


@pytest.mark.parametrize(
    ("device", "origin"),
    [((120, 1), "strap"), ((1, 3), "strap"), ((121, 1), "ppg"), ((1, 5), "ppg"), (None, "ppg")],
)
def test_the_origin_is_a_strap_only_where_one_was_connected(device, origin):
    info = [Message(23, {253: ("u32", T0), 1: ("u8", device[0]), 25: ("enum", device[1])})] if device else []
    found, _ = read(fit_file([FILE_ID, *info, record(0), rr(800)]))
    assert found["beats/rri_ms"][0].device.origin == origin


def packed(*counts: int) -> bytes:
    """Pack twelve-bit counts, two in three bytes."""
    out = b""
    for low, high in zip(counts[::2], counts[1::2], strict=True):
        out += bytes([low & 0xFF, (low >> 8) | (high & 0xF) << 4, high >> 4])
    return out


def strap(first: int, intervals: list[int], *, bpm: int = 60, clock: int = T0):
    """A strap's messages: a whole count with a time, then eight twelve-bit counts each."""
    counts = first + np.cumsum(intervals)
    head = Message(132, {253: ("u32", clock), 0: ("u16", 16_384), 9: ("u32", first), 6: ("u8", [bpm])})
    rest = [
        Message(132, {6: ("u8", [bpm] * 8), 10: ("byte", packed(*(int(c) % 4096 for c in counts[k : k + 8])))})
        for k in range(0, len(intervals), 8)
    ]
    return [head, *rest]


@given(st.lists(st.integers(300, 4095), min_size=8, max_size=64), st.integers(0, 2**32 - 300_000))
def test_twelve_bit_counts_are_the_beats_they_were_packed_from(intervals, first):
    intervals = intervals[: len(intervals) // 8 * 8]
    found, _ = read(fit_file([FILE_ID, *strap(first, intervals)]))
    beats = rows(found, "beats/rri_ms")
    np.testing.assert_allclose(beats["value"], np.array(intervals) * 1000 / 1024)
    np.testing.assert_allclose(seconds(found, "beats/rri_ms"), 0.5 + np.cumsum(intervals) / 1024, atol=6e-4)


def test_a_count_that_turns_over_goes_on():
    found, _ = read(fit_file([FILE_ID, *strap(2**32 - 2048, [1024] * 8)]))
    assert seconds(found, "beats/rri_ms") == pytest.approx([k + 1.5 for k in range(8)])


def test_padding_of_a_strap_is_no_beat_and_missed_beats_are_gaps():
    """At 60 beats a minute 1.3 s and 2.1 s are off by more than a quarter; a difference of 0 is padding."""
    found, _ = read(fit_file([FILE_ID, *strap(5000, [1024, 1331, 1024, 0, 0, 2150, 1024, 1024])]))
    beats = rows(found, "beats/rri_ms")
    assert len(beats) == 6
    assert beats["gap"].to_list() == [True, True, False, True, False, False]


def test_two_memories_far_apart_make_no_interval_between_them():
    later = strap(5000 + 3600 * 1024, [1024] * 8, clock=T0 + 3600)
    found, _ = read(fit_file([FILE_ID, *strap(5000, [1024] * 8)]) + fit_file(later))
    beats = rows(found, "beats/rri_ms")
    assert beats["value"].to_list() == [1000] * 16
    assert beats["gap"].to_list() == [True, *[False] * 7] * 2


def test_counts_without_a_time_to_start_from_are_counted():
    found, problems = read(fit_file([FILE_ID, *strap(5000, [1024] * 8)[1:]]))
    assert not found
    assert said(problems, "without a time to count from")[0].count == 8


# -- a day on the wrist ------------------------------------------------------------------------------------------------


def minute(t: int, bpm: int) -> Message:
    return Message(55, {26: ("u16", (T0 + t) & 0xFFFF), 27: ("u8", bpm)})


def test_sixteen_bit_times_count_in_fits_own_seconds_from_the_newest_complete_time():
    """On unix seconds the low bits differ and every minute would lie hours off."""
    day = [ZONE_TOKYO, *(minute(60 * k, 60 + k % 30) for k in range(1, 1000))]
    found, _ = read(
        fit_file([FILE_ID, *day, Message(21, {253: ("u32", T0 + 70_000), 0: ("enum", 41)}), minute(70_060, 55)])
    )
    assert seconds(found, "series/hr_bpm") == [*(60 * k for k in range(1, 1000)), 70_060]
    assert rows(found, "series/hr_bpm")["zone_min"].unique().to_list() == [540]


def walked(t: int, steps: int, *, activity: int = 6) -> Message:
    return Message(55, {253: ("u32", T0 + t), 3: ("u32", steps), 24: ("byte", 3 << 5 | activity)})


MIDNIGHT = -((T0 + 9 * 3600) % 86_400)  # of Tokyo, in seconds after T0


def begun(t: int) -> Message:
    return Message(103, {253: ("u32", T0 + t), 0: ("u32", T0 + t + 9 * 3600)})


def test_counted_steps_become_what_was_walked_between_readings_and_begin_anew_at_local_midnight():
    day, next_day = MIDNIGHT, MIDNIGHT + 86_400
    messages = [begun(day), walked(day + 3600, 100), walked(day + 7200, 250), walked(next_day + 60, 7)]
    messages += [walked(day + 5000, 40, activity=1), walked(day + 5500, 3, activity=2)]
    found, _ = read(fit_file([FILE_ID, *messages]))
    steps = rows(found, "interval/steps").sort("end")
    since = [(a / 1000 - EPOCH - T0 - day, b / 1000 - EPOCH - T0 - day) for a, b in steps.select("time", "end").rows()]
    assert since == [(0, 3600), (0, 5000), (3600, 7200), (86_400, 86_460)]
    assert steps["value"].to_list() == [100, 40, 150, 7]


def test_steps_run_on_from_one_file_to_the_next_and_are_not_counted_twice():
    morning = fit_file([FILE_ID, begun(MIDNIGHT), walked(MIDNIGHT + 3600, 100)])
    evening = fit_file(
        [FILE_ID, begun(MIDNIGHT + 40_000), walked(MIDNIGHT + 41_000, 900), walked(MIDNIGHT + 42_000, 950)]
    )
    found, problems = read(evening, morning)
    assert sorted(rows(found, "interval/steps")["value"].to_list()) == [50, 100, 800]
    found, problems = read(evening)
    assert rows(found, "interval/steps")["value"].to_list() == [50]
    assert said(problems, "before their file begins")


def test_stress_below_zero_is_no_value():
    levels = [Message(227, {0: ("s16", v), 1: ("u32", T0 + 180 * k)}) for k, v in enumerate((25, -1, -2, 0, 100))]
    found, problems = read(fit_file([FILE_ID, *levels]))
    assert rows(found, "series/stress_score")["value"].to_list() == [25, 0, 100]
    assert [p.value for p in said(problems, "nothing was measured")] == ["2"]
    assert found["series/stress_score"][0].device.method == "garmin_stress"


def test_variability_of_the_night_is_in_128ths_of_a_millisecond_and_its_stamp_ends_five_minutes():
    night = [Message(371, {253: ("u32", T0 + 300 * k), 0: ("u16", v)}) for k, v in enumerate((5376, 0xFFFF, 6400))]
    summary = Message(370, {253: ("u32", T0 + 900), 1: ("u16", 5500)})
    found, _ = read(fit_file([FILE_ID, ZONE_TOKYO, *night, summary]))
    by_method = {batch.device.method: batch.rows for batch in found["interval/rmssd_ms"]}
    assert by_method[""]["value"].to_list() == [42.0, 50.0]
    assert by_method[""]["end"].to_list() == [(T0 + EPOCH) * 1000, (T0 + EPOCH + 600) * 1000]
    assert (by_method[""]["end"] - by_method[""]["time"]).unique().to_list() == [300_000]
    mean = by_method["garmin_last_night_average"]
    assert mean["value"].to_list() == [5500 / 128]
    assert mean["time"].to_list() == [(T0 + EPOCH + MIDNIGHT) * 1000]


def test_a_daily_value_without_zone_counts_by_the_persons_day_of_23_hours_in_spring():
    at = int(datetime(2024, 3, 31, 8, tzinfo=UTC).timestamp()) - EPOCH
    found, _ = read(
        fit_file([FILE_ID, Message(211, {253: ("u32", at), 1: ("u8", 52)})]), zones=Zones(("Europe/Berlin",))
    )
    day = rows(found, "interval/hr_resting_bpm").row(0, named=True)
    assert (day["end"] - day["time"]) / 3_600_000 == 23
    found, problems = read(fit_file([FILE_ID, Message(211, {253: ("u32", at), 1: ("u8", 52)})]))
    assert not found
    assert said(problems, "no time that can be read")


def test_sleep_stages_last_until_the_next_one():
    levels = [
        Message(275, {253: ("u32", T0 + t), 0: ("enum", v)})
        for t, v in ((0, 2), (600, 3), (1800, 0), (2000, 4), (2600, 1))
    ]
    found, problems = read(fit_file([FILE_ID, *levels]))
    sleep = rows(found, "sleep/sleep")
    assert sleep["label"].to_list() == ["light", "deep", "rem"]
    assert sleep["value"].to_list() == [10, 20, 10]
    assert said(problems, "no end that can be read")[0].count == 1


def test_breathing_oxygen_skin_and_blood_pressure_come_in_their_units():
    messages = [
        Message(297, {253: ("u32", T0), 0: ("s16", 1425)}),
        Message(297, {253: ("u32", T0 + 60), 0: ("s16", -100)}),
        Message(269, {253: ("u32", T0), 0: ("u8", 97), 2: ("enum", 3)}),
        Message(269, {253: ("u32", T0 + 60), 0: ("u8", 97), 2: ("enum", 0)}),
        Message(398, {253: ("u32", T0), 1: ("f32", -0.5), 4: ("f32", 33.25)}),
        Message(51, {253: ("u32", T0), 0: ("u16", 121), 1: ("u16", 79)}),
        Message(20, {253: ("u32", T0), 108: ("u16", 1800), 139: ("u16", 3712)}),
    ]
    found, _ = read(fit_file([FILE_ID, ZONE_TOKYO, *messages]))
    values = {key: sorted(rows(found, key)["value"]) for key in found}
    assert values == {
        "series/resp_rate_bpm": [14.25, 18.0],
        "series/spo2_pct": [97.0],
        "interval/skin_temp_dev_c": [-0.5],
        "interval/skin_temp_c": [33.25],
        "series/systolic_mmhg": [121.0],
        "series/diastolic_mmhg": [79.0],
        "series/core_temp_c": [37.12],
    }
    assert found["interval/skin_temp_c"][0].device.site == "wrist"


def weighed(t: int, user: int) -> Message:
    return Message(30, {253: ("u32", T0 + t), 0: ("u16", 6000 + t), 12: ("u16", user)})


def pressure(t: int, user: int) -> Message:
    return Message(51, {253: ("u32", T0 + t), 0: ("u16", 121), 1: ("u16", 79), 6: ("u8", 60), 9: ("u16", user)})


NOBODY, SELECTED = 0xFFFF, 0x8000  # no value; a flag of message_index that is no part of the number


@pytest.mark.parametrize("make", [weighed, pressure])
def test_two_people_on_one_device_are_two_people_also_in_two_files(make):
    files = [[make(0, 0), make(1, 0)], [make(2, 1)], [make(3, NOBODY)]]
    keys = {weighed: {"series/weight_kg": 1}, pressure: dict.fromkeys(
        ("series/systolic_mmhg", "series/diastolic_mmhg", "series/hr_bpm"), 1)}[make]  # fmt: skip
    found, problems = read(*(fit_file([FILE_ID, *one]) for one in files))
    assert {key: len(rows(found, key)) for key in found} == keys  # what names nobody stays
    assert sum(p.count for p in said(problems, "several people")) == 3 * len(keys)
    found, _ = read(fit_file([FILE_ID, *(message for one in files for message in one)]))
    assert not found
    found, problems = read(fit_file([FILE_ID, make(0, 1)]), fit_file([FILE_ID, make(2, SELECTED | 1)]))
    assert {key: len(rows(found, key)) for key in found} == dict.fromkeys(keys, 2)
    assert not said(problems, "several people")
    other = Message(0, {1: ("u16", 1), 2: ("u16", 3113)})
    found, _ = read(fit_file([FILE_ID, make(0, 0)]), fit_file([other, make(2, 1)]))
    assert {key: len(rows(found, key)) for key in found} == dict.fromkeys(keys, 2)


@pytest.mark.parametrize("make", [weighed, pressure])
def test_people_on_one_device_whose_files_are_imported_one_by_one_are_told_of(make, tmp_path):
    def put(name: str, *messages: Message) -> list[str]:
        (tmp_path / name).write_bytes(fit_file([FILE_ID, *messages]))
        (done,) = import_files([tmp_path / name], tmp_path / "me", timezone="Asia/Tokyo", now=NOW)
        assert done.batch
        return [p.rule for p in done.problems if "another user of the same device" in p.rule]

    assert not put("mine.fit", make(0, 0))
    assert not put("more of mine.fit", make(1, 0))
    assert not put("nobody's.fit", make(2, NOBODY))
    (told,) = put("another's.fit", make(3, 1))
    assert "--undo 4" in told
    undo_import(4, tmp_path / "me")
    assert not put("still more of mine.fit", make(4, 0))


def test_people_are_told_apart_over_files_that_are_not_read_together(monkeypatch):
    monkeypatch.setattr(garmin_fit, "TOGETHER_BYTES", 1)
    found, problems = read(*(fit_file([FILE_ID, weighed(k, k)]) for k in range(3)))
    assert not found
    assert [p.file for p in said(problems, "several people")] == ["0.fit", "1.fit", "2.fit"]


def test_a_training_is_its_minutes_with_the_sport_from_start_to_end():
    session = Message(
        18, {253: ("u32", T0 + 4000), 2: ("u32", T0), 5: ("enum", 5), 7: ("u32", 3_900_000), 8: ("u32", 3_600_000)}
    )
    activity = Message(34, {253: ("u32", T0 + 4000), 5: ("u32", T0 + 4000 - 4 * 3600)})
    found, _ = read(fit_file([FILE_ID, session, activity]))
    row = rows(found, "workout/exercise").row(0, named=True)
    assert (row["value"], row["label"], row["zone_min"]) == (60.0, "swimming", -240)
    assert (row["end"] - row["time"]) / 1000 == 3900


def test_an_offset_that_is_no_quarter_hour_is_none():
    odd = Message(34, {253: ("u32", T0), 5: ("u32", T0 + 9 * 3600 + 7)})
    found, _ = read(fit_file([FILE_ID, record(0), odd]))
    assert rows(found, "series/hr_bpm")["zone_min"].to_list() == [None]


def test_files_of_two_devices_stay_apart_and_many_files_are_one_batch_each():
    other = Message(0, {1: ("u16", 1), 2: ("u16", 3113)})
    found, _ = read(*[fit_file([FILE_ID, record(k)]) for k in range(5)], fit_file([other, record(9)]))
    assert {(batch.device.name, len(batch)) for batch in found["series/hr_bpm"]} == {("1 2697", 5), ("1 3113", 1)}


def test_a_large_file_is_read_beyond_its_first_bytes(tmp_path):
    path = tmp_path / "long.fit"
    path.write_bytes(fit_file([FILE_ID, *(record(k) for k in range(12_000))]))
    assert path.stat().st_size > HEAD_BYTES
    batches = list(garmin_fit.read([file_source(path)], Clock(None, NOW), ProblemLog()))
    assert sum(len(b) for b in batches if b.kind is Kind.SERIES) == 12_000


def test_files_read_together_give_what_they_give_one_by_one():
    """But for steps, whose counters run on from one file to the next."""
    files = [everything(), fit_file([FILE_ID, begun(50), record(5, 77), rr(700)]), everything()[:300], everything()]
    together, _ = read(*files)
    alone = [read(data)[0] for data in files]
    for key in set(together) - {"interval/steps"}:
        told = Counter(row for found in alone for batch in found.get(key, []) for row in batch.rows.rows())
        assert Counter(row for batch in together[key] for row in batch.rows.rows()) == told, key


# -- hostile files -----------------------------------------------------------------------------------------------------


def everything() -> bytes:
    """One file with every kind of message that is read."""
    run = [m for k in range(20) for m in (record(k, 60 + k), rr(900, 850))]
    day = [ZONE_TOKYO, minute(60, 70), walked(100, 50), walked(200, 90)]
    night = [Message(275, {253: ("u32", T0 + 100 * k), 0: ("enum", k % 5)}) for k in range(6)]
    more = [
        Message(227, {0: ("s16", 25), 1: ("u32", T0)}, ">"),
        Message(371, {253: ("u32", T0), 0: ("u16", 5376)}),
        Message(30, {253: ("u32", T0), 0: ("u16", 7000), 12: ("u16", 0)}),
        Message(20, {3: ("u8", 99)}, low_time=5),
        Message(20, {253: ("u32", T0), 3: ("u8", 99)}, developer=b"abc"),
    ]
    return fit_file([FILE_ID, timer(0, 0), *run, *day, *night, *more]) + fit_file(strap(7, [1024] * 16))


def test_mutated_files_neither_crash_nor_hang_nor_give_impossible_rows():
    rng = np.random.default_rng(20260601)
    whole = everything()
    latest = NOW.timestamp() * 1000 + 48 * 3_600_000
    for _ in range(400):
        data = mutated(whole, rng)
        begin = time.monotonic()
        found, _ = read(data, zones=Zones(("Asia/Tokyo",)))
        assert time.monotonic() - begin < 2
        for batch in (b for some in found.values() for b in some):
            assert batch.rows["time"].is_between(631_152_000_000, latest).all()
            assert batch.rows["time"].null_count() == 0


def test_many_messages_that_each_begin_a_new_run_do_not_take_quadratic_time():
    jumps = [m for k in range(5000) for m in (record(10 * k), rr(800))]
    begin = time.monotonic()
    found, _ = read(fit_file([FILE_ID, *jumps]))
    assert len(rows(found, "beats/rri_ms")) == 5000
    assert time.monotonic() - begin < 10
