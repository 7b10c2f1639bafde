"""EmbracePlus raw data, made from the public schema: whole recordings of pieces, odd ones, and hostile containers."""

from __future__ import annotations

import io
import json
import zlib

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.test_detect import claimants
from tests.records.vendors import brought, count, source, table, withstands
from unaji.records import avro_file, embraceplus

START_US = 1_715_729_401_250_000  # 15 May 2024, 08:30:01.25 in Tokyo
NAMESPACE = "empatica.format.avro"


def record_type(name, **fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


def sensor(name, **values):
    return record_type(name, timestampStart="long", samplingFrequency="float", **values)


def schema(params):
    """Return the public schema, without what is not read here."""
    floats, longs, ints = ({"type": "array", "items": kind} for kind in ("float", "long", "int"))
    imu = record_type("ImuParams", **dict.fromkeys(params, "float"))
    axes = {"x": ints, "y": ints, "z": ints}
    raw = record_type(
        "RawData",
        accelerometer=sensor("Accelerometer", imuParams=imu, **axes),
        gyroscope=sensor("Gyroscope", imuParams="ImuParams", **axes),
        eda=sensor("Eda", values=floats),
        temperature=sensor("Temperature", values=floats),
        tags=record_type("Tags", tagsTimeMicros=longs),
        bvp=sensor("Bvp", values=floats),
        systolicPeaks=record_type("SystolicPeaks", peaksTimeNanos=longs),
        steps=sensor("Steps", values=ints),
    )
    version = record_type("Version", major="int", minor="int", patch="int")
    enrollment = record_type("Enrollment", participantID="string", siteID="string")
    session = record_type(
        "Session", schemaVersion=version, fwVersion="Version", timezone="int", enrollment=enrollment,
        deviceSn="string", deviceModel="string", rawData=raw,
    )  # fmt: skip
    return {**session, "namespace": NAMESPACE}


LIMITS = {"physicalMin": -16.0, "physicalMax": 16.0, "digitalMin": -32768.0, "digitalMax": 32768.0}


def piece(
    start_us=START_US, *, seconds=60, rate=1.0, peaks=(), tags=(), zone_s=9 * 3600, params=LIMITS, serial="3YK3K152F5",
    codec="deflate", **changed,
):  # fmt: skip
    """Write a file; `rate` is how fast the wristband's clock runs, so that `seconds` hold a little more or less."""

    def stream(hz, value):
        n = round(seconds * hz * rate)
        return {"timestampStart": start_us, "samplingFrequency": hz, "values": [value(k) for k in range(n)]}

    still = {"timestampStart": start_us, "samplingFrequency": 64.0, "imuParams": params}
    n = round(seconds * 64 * rate)
    raw = {
        "accelerometer": {**still, "x": [0] * n, "y": [1024] * n, "z": [512] * n},
        "gyroscope": {"timestampStart": 0, "samplingFrequency": 0.0, "imuParams": params, "x": [], "y": [], "z": []},
        "eda": stream(4.0, lambda k: 0.5 + k / 1024),
        "temperature": stream(1.0, lambda k: 33.5),
        "tags": {"tagsTimeMicros": list(tags)},
        "bvp": stream(64.0, lambda k: -3.25),
        "systolicPeaks": {"peaksTimeNanos": list(peaks)},
        "steps": stream(0.2, lambda k: k),
        **changed,
    }
    version = {"major": 6, "minor": 4, "patch": 0}
    record = {
        "schemaVersion": version, "fwVersion": version, "timezone": zone_s, "deviceSn": serial, "deviceModel": "EMBP",
        "enrollment": {"participantID": "Hana", "siteID": "1"}, "rawData": raw,
    }  # fmt: skip
    file = io.BytesIO()
    fastavro.writer(file, schema(params), [record], codec=codec)
    return file.getvalue()


def joined(batches, quantity, column):
    return np.concatenate([b.rows[column].to_numpy() for b in batches if b.quantity == quantity])


def test_all_sensors_of_a_piece_in_their_units_and_the_wristbands_own_zone():
    tags = [START_US + 5_000_000]
    batches, problems = brought(embraceplus, source(piece(tags=tags)), zone=None)
    assert claimants(piece()) == ["Empatica EmbracePlus"]
    start_ms = START_US // 1000
    assert (joined(batches, "scl_microsiemens", "time")[:3] - start_ms).tolist() == [0, 250, 500]
    np.testing.assert_allclose(joined(batches, "scl_microsiemens", "value"), 0.5 + np.arange(240) / 1024)
    assert joined(batches, "skin_temp_c", "value").tolist() == [33.5] * 60
    movement = table(batches, "activity_mg")
    assert movement.select("time", "end").row(0) == ("2024-05-14 23:30:01", "2024-05-14 23:30:11")
    size_g = np.hypot(1024, 512) * 32 / 65536
    np.testing.assert_allclose(movement["value"], [1000 * abs(size_g - 1)] * 6)
    steps = table(batches, "steps")
    assert steps["value"].to_list() == list(range(12))
    assert steps.select("time", "end").row(1) == ("2024-05-14 23:30:06", "2024-05-14 23:30:11")
    marks = table(batches, "event_mark")
    assert marks.select("time", "kind").rows() == [("2024-05-14 23:30:06", "exposure")]
    assert {z for b in batches for z in b.rows["zone_min"]} == {540}
    assert {(b.device.role, b.device.site, b.device.name) for b in batches} == {("watch", "wrist", "3YK3K152F5")}
    assert not problems


def test_the_participants_name_goes_nowhere():
    batches, problems = brought(embraceplus, source(piece(tags=[3])))
    assert "Hana" not in repr(batches) + repr([batch.device for batch in batches]) + repr(problems)


def test_the_rate_is_measured_from_one_piece_to_the_next_and_nominal_across_a_pause():
    second, third = START_US + 60_000_000, START_US + 500_000_000
    files = [source(piece(at, rate=1.01), f"{k}.avro") for k, at in enumerate((third, START_US, second))]
    batches, _ = brought(embraceplus, *files)
    time = joined(batches, "scl_microsiemens", "time") - START_US // 1000
    n = round(60 * 4 * 1.01)
    np.testing.assert_allclose(time[:n], np.arange(n) * 60_000 / n, atol=0.5)  # 242 samples in a true minute
    np.testing.assert_allclose(time[n : 2 * n], 60_000 + np.arange(n) * 250)
    assert time[2 * n] == 500_000


def test_a_value_keeps_its_name_when_a_following_piece_tells_its_time_better():
    alone, _ = brought(embraceplus, source(piece(rate=1.01)))
    following = source(piece(START_US + 60_000_000, rate=1.01), "b.avro")
    together, _ = brought(embraceplus, source(piece(rate=1.01), "a.avro"), following)
    for quantity in ("scl_microsiemens", "activity_mg", "steps"):
        first, both = (table(batches, quantity)["vendor_id"].to_list() for batches in (alone, together))
        assert both[: len(first)] == first
        assert len(set(both)) == len(both)


def test_peaks_across_a_border_are_one_series_and_a_pause_is_a_gap():
    second = START_US + 60_000_000
    first_ns = START_US * 1000 + np.array([0, 0.8, 1.6, 58.9, 59.7]) * 1e9
    later_ns = second * 1000 + np.array([0.5, 1.4, 5.0, 5.9]) * 1e9
    files = [
        source(piece(second, peaks=later_ns.astype(int).tolist()), "b.avro"),
        source(piece(peaks=first_ns.astype(int).tolist()), "a.avro"),
    ]
    batches, _ = brought(embraceplus, *files)
    np.testing.assert_allclose(joined(batches, "rri_ms", "value"), [800, 800, 800, 800, 900, 900], atol=1e-3)
    assert joined(batches, "rri_ms", "gap").tolist() == [True, False, True, False, False, True]
    assert {b.device.origin for b in batches if b.quantity == "rri_ms"} == {"ppg"}


def test_peaks_told_twice_are_counted_once():
    peaks = [START_US * 1000 + k * 800_000_000 for k in (0, 1, 1, 2)]
    batches, problems = brought(embraceplus, source(piece(peaks=peaks)))
    assert joined(batches, "rri_ms", "value").tolist() == [800.0, 800.0]
    assert [(p.count, p.lost) for p in problems] == [(1, False)]


def test_a_copy_of_a_piece_is_counted_once():
    batches, problems = brought(embraceplus, source(piece(), "a.avro"), source(piece(), "b.avro"))
    assert joined(batches, "skin_temp_c", "value").size == 60
    assert [(p.count, p.lost) for p in problems] == [(1, False)]


def test_two_wristbands_are_two_devices():
    batches, _ = brought(embraceplus, source(piece(), "a.avro"), source(piece(serial="3YK0000001"), "b.avro"))
    assert joined(batches, "skin_temp_c", "value").size == 120
    assert {b.device.name for b in batches} == {"3YK3K152F5", "3YK0000001"}


def test_a_sensor_that_was_off_and_counts_by_a_factor():
    off = {"timestampStart": 0, "samplingFrequency": 0.0, "values": []}
    data = piece(params={"conversionFactor": 1 / 2048}, eda=off, steps={**off, "values": [3]})
    batches, problems = brought(embraceplus, source(data))
    assert "scl_microsiemens" not in {b.quantity for b in batches}
    np.testing.assert_allclose(joined(batches, "activity_mg", "value"), [1000 * (1 - np.hypot(1024, 512) / 2048)] * 6)
    assert [(p.value, p.count) for p in problems] == [("steps", 1)]


def test_acceleration_without_its_factor_is_refused():
    for params in ({"physicalMin": -16.0, "physicalMax": 16.0, "digitalMin": 0.0, "digitalMax": 0.0}, {"other": 1.0}):
        batches, problems = brought(embraceplus, source(piece(params=params)))
        assert "activity_mg" not in {b.quantity for b in batches}
        assert ["in g" in p.rule for p in problems] == [True]


def test_an_odd_offset_is_not_believed_and_the_persons_zone_counts():
    batches, _ = brought(embraceplus, source(piece(zone_s=1234)))
    assert set(joined(batches, "skin_temp_c", "zone_min")) == {540}


@given(st.lists(st.floats(0, 100, width=32), min_size=1, max_size=50), st.sampled_from(["null", "deflate"]))
def test_values_written_and_read_are_the_same(values, codec):
    eda = {"timestampStart": START_US, "samplingFrequency": 4.0, "values": values}
    batches, _ = brought(embraceplus, source(piece(seconds=5, codec=codec, eda=eda)))
    assert joined(batches, "scl_microsiemens", "value").tolist() == values
    assert (joined(batches, "scl_microsiemens", "time") - START_US // 1000).tolist() == [
        250 * k for k in range(len(values))
    ]


def container(schema, blocks=(), codec="null"):
    """Write a container by hand: blocks of how many records, how many bytes they say to have, and their bytes."""

    def long(n):
        n, out = (n << 1) ^ (n >> 63), b""
        while n > 0x7F:
            out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
        return out + bytes([n])

    told = {"avro.schema": schema if isinstance(schema, bytes) else json.dumps(schema).encode(), "avro.codec": codec}
    head = b"Obj\x01" + long(len(told))
    for name, value in told.items():
        text = value if isinstance(value, bytes) else value.encode()
        head += long(len(name)) + name.encode() + long(len(text)) + text
    body = b"".join(long(n) + long(size) + data + b"s" * 16 for n, size, data in blocks)
    return head + b"\0" + b"s" * 16 + body


RAW = {**record_type("empatica", rawData=record_type("RawData", systolicPeaks="int")), "namespace": NAMESPACE}
NULLS = record_type("empatica", rawData=record_type("R", n={"type": "array", "items": "null"}))
ITSELF = record_type("empatica", rawData=["null", "empatica"])
BOMB = zlib.compress(bytes(avro_file.LARGEST_BLOCK + 1), 9, wbits=-15)
WIDE = record_type("empatica", **{f"rawData{k}": "int" for k in range(6000)})
DEEP = b'{"type":"record","name":"empatica","fields":[{"name":"a","type":' + b"[" * 9000 + b"]" * 9000 + b"}]}"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (container(NULLS, [(1, 10, b"\xfe" * 9 + b"\1")]), "schema cannot be used"),
        (container(ITSELF), "schema cannot be used"),
        (container(DEEP), "schema cannot be used"),
        (container(b"empatica"), "schema cannot be used"),
        (container(record_type("empatica", rawData="null")), "1 to 5,000"),
        (container({**WIDE, "namespace": NAMESPACE}), "1 to 5,000"),
        (container(RAW, [(1, 1 << 40, b"")]), "bytes are announced"),
        (container(RAW, [(1, -5, b"")]), "bytes are announced"),
        (container(RAW, [(1, 8, b"\2")]), "ends in the middle"),
        (container(RAW, [(1, 1, b"\2\2")]), "does not end where it says"),
        (container(RAW, [(1, len(BOMB), BOMB)], codec="deflate"), "unpacks to more than 16 MB"),
        (container(RAW, [(1, 3, b"\xff" * 3)], codec="deflate"), "cannot be unpacked"),
        (container(RAW, [(1, 0, b"")]), "record is damaged"),
        (container(RAW, codec="snappy"), "packed with 'snappy'"),
        (container(RAW), "holds no record"),
        (container(RAW, [(1, 1, b"\2")]) + b"\xff" * 12, ""),
        (container(b"empatica" * 200_000), "bytes are announced"),
    ],
)
def test_a_hostile_container_is_refused_with_its_reason(data, says):
    batches, problems = brought(embraceplus, source(data, "x.avro"))
    assert not batches
    assert not says or (says in problems[0].rule and count(problems) == 1)


def test_a_piece_cut_short_is_refused_and_the_others_are_read():
    files = [source(piece()[:-40], "a.avro"), source(piece(START_US + 60_000_000), "b.avro")]
    batches, problems = brought(embraceplus, *files)
    assert joined(batches, "skin_temp_c", "value").size == 60
    assert [(p.file, "ends in the middle" in p.rule) for p in problems] == [("a.avro", True)]


def test_damaged_files_do_no_harm():
    peaks = [START_US * 1000 + k * 800_000_000 for k in range(6)]
    small = {"seconds": 10, "peaks": peaks, "tags": [START_US]}
    withstands(embraceplus, {"a.avro": piece(codec="null", **small), "b.avro": piece(**small)})
