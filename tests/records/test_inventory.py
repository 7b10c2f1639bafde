"""What there is, counted by hand: days, minutes, silences, shared time, and what was left out."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.test_ishne import holter as ishne_holter
from unaji.errors import InputError
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.importing import import_files
from unaji.records.inventory import _Levels, _of_store, _shared_ms, _spoken_until, take_stock
from unaji.records.store.reading import Store
from unaji.records.store.writing import Origin, writing
from unaji.report.inventory.json import dumps

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAY = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
WATCH, STRAP = Device("garmin_connect", "watch", site="wrist"), Device("polar", "strap", origin="strap")


def person(path, *batches, zone="UTC", tables=()):
    path.mkdir(exist_ok=True)
    (path / "person.toml").write_text(f'timezone = "{zone}"\n')
    for name, text in tables:
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text)
    for batch in batches:
        with writing(path) as store, store.incoming() as incoming:
            incoming.add(batch)
            incoming.commit(Origin(MAY, MAY, ("test",), "", ""))
    return path


def minutes(start_h, length_h):
    return MAY + start_h * HOUR + np.arange(int(length_h * 60)) * 60_000


def stream(inventory, quantity, source=None):
    (one,) = [one for one in inventory.streams if one.name.quantity == quantity and source in (None, one.name.source)]
    return one


def test_a_day_is_covered_by_as_much_as_was_worn(tmp_path):
    worn = np.concatenate([minutes(22, 4), minutes(96, 1)])  # two hours on each side of a midnight; the fifth day
    rates = Batch(Kind.SERIES, "hr_bpm", WATCH, frame(time=worn, value=np.linspace(60, 80, worn.size)))
    inventory = take_stock(person(tmp_path / "p", rates), now=NOW)
    assert [str(day) for day in inventory.dates] == [f"2024-05-0{day}" for day in range(1, 6)]
    one = stream(inventory, "hr_bpm")
    np.testing.assert_allclose(one.covered_min, [120, 120, 0, 0, 60], atol=0.1)
    assert one.rows_a_day.tolist() == [120, 120, 0, 0, 60]
    assert (one.rows, one.days) == (300, 3)
    assert one.gaps == ((datetime(2024, 5, 2, 2, tzinfo=UTC), datetime(2024, 5, 5, tzinfo=UTC)),)
    assert one.spread == pytest.approx((61, 70, 79))


def test_days_are_the_persons_own_also_when_the_clock_changes(tmp_path):
    start = int(datetime(2024, 3, 30, 23, tzinfo=UTC).timestamp() * 1000)  # midnight in Paris; next day has 23 hours
    hours = start + np.arange(47) * HOUR
    weather = Batch(Kind.SERIES, "air_temp_c", Device("jma", "station"), frame(time=hours, value=np.arange(47.0) / 2))
    inventory = take_stock(person(tmp_path / "p", weather, zone="Europe/Paris"), now=NOW)
    assert inventory.day_min.tolist()[:2] == [1380, 1440]
    np.testing.assert_allclose(stream(inventory, "air_temp_c").covered_min[:2], [1380, 1440], atol=1.1)


def test_beats_cover_what_their_intervals_do(tmp_path):
    ends = MAY + np.cumsum(np.full(450, 800))  # six minutes
    beats = Batch(Kind.BEATS, "rri_ms", STRAP, frame(time=ends, value=np.full(450, 800.0), gap=False))
    assert stream(take_stock(person(tmp_path / "p", beats), now=NOW), "rri_ms").covered_min[0] == pytest.approx(6.0)


def test_daily_values_and_diaries_count_days(tmp_path):
    days = MAY + np.arange(3) * 24 * HOUR
    resting = Batch(
        Kind.INTERVAL, "hr_resting_bpm", WATCH, frame(time=days, end=days + 24 * HOUR, value=[50.0, 51.0, 52.0])
    )
    diary = ("episodes.csv", "start,intensity\n2024-05-02T10:00,6\n2024-05-02T15:00,4\n")
    inventory = take_stock(person(tmp_path / "p", resting, tables=[diary]), now=NOW)
    resting_stream, heat = stream(inventory, "hr_resting_bpm"), stream(inventory, "neck_heat")
    assert resting_stream.covered_min is None
    assert resting_stream.days == 3
    assert (heat.rows, heat.days, heat.name.kind) == (2, 1, "symptom")


def test_the_better_device_is_named_where_two_share_time(tmp_path):
    watch = Batch(Kind.SERIES, "hr_bpm", WATCH, frame(time=minutes(0, 6), value=np.full(360, 70.0)))
    strap = Batch(Kind.SERIES, "hr_bpm", STRAP, frame(time=minutes(4, 3) + 20_000, value=np.full(180, 71.0)))
    (shared,) = take_stock(person(tmp_path / "p", watch, strap), now=NOW).overlaps
    assert (shared.taken.role, shared.other.role) == ("strap", "watch")
    assert shared.minutes == pytest.approx(120, abs=1.5)


def test_what_was_left_out_of_an_import_is_remembered(tmp_path):
    export = tmp_path / "export.xml"
    rows = "".join(
        f'<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="w" unit="count/min" startDate="2024-05-01 '
        f'10:0{k}:00 +0000" endDate="2024-05-01 10:0{k}:00 +0000" value="{value}"/>\n'
        for k, value in enumerate((60, 70, 999, 998))
    )
    export.write_text(f'<?xml version="1.0"?>\n<HealthData locale="en">\n{rows}</HealthData>\n')
    import_files([export], tmp_path / "p", timezone="UTC", now=NOW)
    (batch,) = take_stock(tmp_path / "p", now=NOW).imports
    assert [(one.count, "hr_bpm lies outside" in one.reason) for one in batch.rejected] == [(2, True)]


def test_no_name_and_nothing_that_stood_in_a_file_is_remembered(tmp_path):
    strange = tmp_path / "Yamada Hanako.edf"
    head = b"0".ljust(8) + b"Hanako".ljust(80) + b" " * 80 + b"99.99.99" + b"08.30.01" + b"512".ljust(8) + b" " * 44
    strange.write_bytes(head + b"1".ljust(8) + b"1".ljust(8) + b"1".ljust(4) + b" " * 256)
    good = tmp_path / "export.xml"
    good.write_text(
        '<?xml version="1.0"?>\n<HealthData locale="en">\n<Record type="HKQuantityTypeIdentifierHeartRate" '
        'sourceName="w" unit="count/min" startDate="2024-05-01 10:00:00 +0000" endDate="2024-05-01 10:00:00 +0000" '
        'value="60"/>\n</HealthData>\n'
    )
    folder = tmp_path / "Hanako"
    folder.mkdir()
    for file in (strange, good):
        file.rename(folder / file.name)
    import_files([folder], tmp_path / "p", timezone="UTC", now=NOW)
    (batch,) = take_stock(tmp_path / "p", now=NOW).imports
    assert len(batch.rejected) == 1
    assert "Hanako" not in batch.rejected[0].reason
    assert "99.99" not in batch.rejected[0].reason


def test_problems_of_own_files_are_told(tmp_path):
    diary = ("episodes.csv", "start,intensity\n2024-05-02T10:00,6\nyesterday,4\n")
    problems = take_stock(person(tmp_path / "p", tables=[diary]), now=NOW).problems
    assert [(one.line, one.value) for one in problems if one.rejected] == [(3, "yesterday")]


def test_an_empty_folder_and_none_at_all_are_refused(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        take_stock(tmp_path / "nobody")
    with pytest.raises(InputError, match="holds no records"):
        take_stock(person(tmp_path / "p"))


stretch = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5)), max_size=8)


def disjoint(pairs):
    starts, ends, at = [], [], 0
    for pause, length in pairs:
        starts.append(at + pause + 1)
        at = starts[-1] + length
        ends.append(at)
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


@given(stretch, stretch)
def test_covered_and_shared_time_equal_counting_every_moment(one, other):
    a, b = disjoint(one), disjoint(other)
    moments = np.arange(0, 500)
    inside = [np.zeros(moments.size, dtype=bool) for _ in range(2)]
    for mask, (starts, ends) in zip(inside, (a, b), strict=True):
        for start, end in zip(starts, ends, strict=True):
            mask[start:end] = True
    assert _spoken_until(a, moments).tolist() == np.append(0, np.cumsum(inside[0])[:-1]).tolist()
    assert _shared_ms(a, b) == int((inside[0] & inside[1]).sum())


def test_no_row_is_counted_twice_or_forgotten(tmp_path):
    rng = np.random.default_rng(5)
    times = np.sort(MAY + rng.integers(0, 20 * 24 * HOUR, 500))
    batch = Batch(Kind.SERIES, "weight_kg", WATCH, frame(time=times, value=rng.uniform(60, 62, 500)))
    one = stream(take_stock(person(tmp_path / "p", batch), now=NOW), "weight_kg")
    assert one.rows_a_day.sum() == one.rows == pl.Series(times).n_unique()
    assert one.first <= one.last <= one.first + timedelta(days=20)


# -- waveforms, which are never in memory as a whole -------------------------------------------------------------------


def beating(start_h, seconds, rate_hz=64.0):
    return MAY + start_h * HOUR + np.round(np.arange(int(seconds * rate_hz)) * 1000 / rate_hz).astype(np.int64)


def test_a_waveform_is_told_of_as_rows_in_memory_are(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    holter, patch = Device("ishne", "ecg", site="chest"), Device("edf", "monitor", site="chest")
    batches = []
    for device, at in ((holter, beating(13, 7000)), (holter, beating(70, 300)), (patch, beating(13, 6000, 50.0))):
        value = np.round(rng.standard_normal(at.size), 3)
        doubted = rng.random(at.size) < 0.1
        batches.append(Batch(Kind.SERIES, "ecg_mv", device, frame(time=at, value=value, low_quality=doubted)))
    rare = MAY + np.arange(40) * 30 * 60_000  # each half hour, and 14:30 is midnight there
    batches.append(Batch(Kind.SERIES, "acc_g", WATCH, frame(time=rare, value=np.linspace(-1, 1, 40))))
    folder = person(tmp_path / "p", *batches, zone="Australia/Adelaide")
    part_by_part = take_stock(folder, now=NOW)
    monkeypatch.setattr("unaji.records.waves.WAVES", ())
    at_once = take_stock(folder, now=NOW)
    assert dumps(part_by_part) == dumps(at_once)
    assert [one.n_rows for one in _of_store(Store.open(folder))] == [40, 448_000 + 19_200, 300_000]
    for ours, theirs in zip(part_by_part.streams, at_once.streams, strict=True):
        np.testing.assert_array_equal(ours.covered_min, theirs.covered_min)
    assert len(at_once.overlaps) == 1


def test_a_waveform_in_a_file_of_the_folder_is_told_of_too(tmp_path):
    folder = person(tmp_path / "p")
    (folder / "h.ecg").write_bytes(ishne_holter([k % 9 for k in range(128 * 600)], n_leads=1))
    (one,) = take_stock(folder, timezone="Asia/Tokyo", now=NOW).streams
    assert (one.name.quantity, one.rows, one.covered_min[0]) == ("ecg_mv", 128 * 600, pytest.approx(10, abs=0.01))
    (folder / "again").mkdir()
    (folder / "again" / "h.ecg").write_bytes((folder / "h.ecg").read_bytes())
    (one,) = take_stock(folder, timezone="Asia/Tokyo", now=NOW).streams
    assert one.rows == 2 * 128 * 600


@given(
    st.lists(st.lists(st.sampled_from([-1.5, -0.25, 0.0, 1e-3, 7.0, np.nan]), max_size=40), min_size=1, max_size=5),
    st.lists(st.floats(-50, 50), max_size=30),
)
def test_percentiles_of_levels_are_those_of_all_values(lots, others):
    levels = _Levels()
    for lot in (*lots, others):
        levels.add(np.array(lot, dtype=float))
    every = np.concatenate([*lots, others])
    every = every[~np.isnan(every)]
    assert levels.spread == (pytest.approx(np.percentile(every, (5, 50, 95)), rel=1e-15) if every.size else None)


def test_values_of_countless_levels_are_told_to_four_digits(monkeypatch):
    monkeypatch.setattr("unaji.records.inventory.MOST_LEVELS", 5_000)
    every = np.random.default_rng(2).standard_normal(200_000)
    levels = _Levels()
    for lot in np.split(every, 20):
        levels.add(lot)
    assert levels.spread == pytest.approx(np.percentile(every, (5, 50, 95)), rel=2**-13, abs=1e-6)
