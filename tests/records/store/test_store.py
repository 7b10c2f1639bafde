"""What is put into a store comes back: once, in order, and as it was before when an import is undone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unaji.errors import InputError, OutputError
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.store import disk, spool
from unaji.records.store.reading import Store
from unaji.records.store.writing import Kept, Origin, writing

WATCH = Device("apple_health", role="watch", name="花子のApple Watch", app="com.apple.health", site="wrist")
PHONE = Device("apple_health", role="phone", name="花子のiPhone", app="com.apple.health")
MAY = 1_714_521_600_000  # 2024-05-01T00:00Z
DAY = 86_400_000


def heart_rate(time, value, device=WATCH, **columns) -> Batch:
    return Batch(Kind.SERIES, "hr_bpm", device, frame(time=time, value=value, **columns))


def put(person: Path, *batches: Batch, exported: int = 0, instead_of: int | None = None) -> Kept:
    with writing(person) as store, store.incoming(instead_of=instead_of) as incoming:
        for batch in batches:
            incoming.add(batch)
        return incoming.commit(Origin(0, exported, ("test",), "", ""))


def values(person: Path, kind=Kind.SERIES, quantity="hr_bpm", start=None, end=None) -> list[tuple[int, float]]:
    return Store.open(person).read(kind, quantity, start, end).select("time", "value").rows()


def test_rows_come_back_in_order_of_time_with_all_their_columns(tmp_path):
    rows = frame(time=[2000, 1000], end=[3000, 1500], zone_min=540, value=[7.5, None], label=["deep", "rem"],
                 vendor_id=["b", "a"], low_quality=[False, True])  # fmt: skip
    put(tmp_path, Batch(Kind.SLEEP, "sleep", WATCH, rows))
    read = Store.open(tmp_path).read(Kind.SLEEP, "sleep")
    assert read.drop("source_id").equals(rows.reverse())
    assert Store.open(tmp_path).contents == [(Kind.SLEEP, "sleep")]


def test_an_empty_store_gives_no_rows(tmp_path):
    assert values(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_same_rows_again_bring_nothing_and_are_counted(tmp_path):
    assert put(tmp_path, heart_rate([1000, 2000], [60.0, 61.0])).new == {"hr_bpm": 2}
    again = put(tmp_path, heart_rate([1000, 2000, 3000], [60.0, 61.0, 62.0], low_quality=True, zone_min=60))
    assert (again.new, again.known) == ({"hr_bpm": 1}, {"hr_bpm": 2})
    assert values(tmp_path) == [(1000, 60.0), (2000, 61.0), (3000, 62.0)]


def test_rows_repeated_inside_an_import_count_once(tmp_path):
    kept = put(tmp_path, heart_rate([1000, 1000, 1000], [60.0, 60.0, 61.0]), heart_rate([1000], [60.0]))
    assert (kept.new, kept.known) == ({"hr_bpm": 2}, {"hr_bpm": 2})
    assert values(tmp_path) == [(1000, 60.0), (1000, 61.0)]


def test_two_devices_are_two_sources_and_no_name_is_written(tmp_path):
    put(tmp_path, heart_rate([1000], [60.0], WATCH), heart_rate([1000], [60.0], PHONE))
    store = Store.open(tmp_path)
    assert store.read(Kind.SERIES, "hr_bpm")["source_id"].to_list() == [1, 2]
    assert {(s.role, s.site, len(s.name_hash)) for s in store.sources.values()} == {
        ("watch", "wrist", 12), ("phone", "", 12),
    }  # fmt: skip
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert "花子".encode() not in everything


def test_the_same_name_hashes_differently_for_two_people(tmp_path):
    for person in ("hana", "ken"):
        put(tmp_path / person, heart_rate([1000], [60.0]))
    hashes = {Store.open(tmp_path / person).sources[1].name_hash for person in ("hana", "ken")}
    assert len(hashes) == 2


def test_what_its_maker_edited_holds_in_the_form_of_the_later_export(tmp_path):
    put(tmp_path, heart_rate([1000, 2000], [60.0, 61.0]), exported=10)
    put(tmp_path, heart_rate([1000, 2000], [65.0, 61.0]), exported=20)
    assert values(tmp_path) == [(1000, 65.0), (2000, 61.0)]
    put(tmp_path, heart_rate([1000, 2000], [63.0, 61.0]), exported=15)  # found in a drawer
    assert values(tmp_path) == [(1000, 65.0), (2000, 61.0)]


def test_a_row_with_a_name_is_edited_also_when_its_times_change(tmp_path):
    night = {"value": None, "label": "asleep", "vendor_id": "night-1"}
    put(tmp_path, Batch(Kind.SLEEP, "sleep", WATCH, frame(time=[MAY], end=[MAY + 3000], **night)), exported=10)
    put(tmp_path, Batch(Kind.SLEEP, "sleep", WATCH, frame(time=[MAY - 9000], end=[MAY + 9000], **night)), exported=20)
    assert Store.open(tmp_path).read(Kind.SLEEP, "sleep").select("time", "end").rows() == [(MAY - 9000, MAY + 9000)]


def test_a_correction_taken_back_by_the_maker_is_taken_back_here(tmp_path):
    for exported, value in ((10, 60.0), (20, 65.0), (30, 60.0)):
        put(tmp_path, heart_rate([1000], [value]), exported=exported)
        assert values(tmp_path) == [(1000, value)]


def test_two_values_of_one_instant_in_one_export_are_no_edit(tmp_path):
    put(tmp_path, heart_rate([1000, 1000], [60.0, 61.0]), exported=10)
    put(tmp_path, heart_rate([1000], [60.0]), exported=20)  # deleted by its maker: kept
    assert values(tmp_path) == [(1000, 60.0), (1000, 61.0)]


def test_undoing_brings_back_what_was_replaced_and_leaves_what_others_hold(tmp_path):
    put(tmp_path, heart_rate([1000, 2000, 3000], [60.0, 61.0, 62.0]), exported=10)
    put(tmp_path, heart_rate([1000, 2000, 4000], [60.0, 66.0, 63.0]), exported=20)
    with writing(tmp_path) as store:
        store.undo(2)
    assert values(tmp_path) == [(1000, 60.0), (2000, 61.0), (3000, 62.0)]
    put(tmp_path, heart_rate([1000, 2000, 4000], [60.0, 66.0, 63.0]), exported=20)
    with writing(tmp_path) as store:
        store.undo(1)
    assert values(tmp_path) == [(1000, 60.0), (2000, 66.0), (4000, 63.0)]
    with writing(tmp_path) as store:
        with pytest.raises(InputError, match="there is no import 1 to undo; there are: 3"):
            store.undo(1)
        store.undo(3)
    assert values(tmp_path) == []


def test_an_import_may_stand_in_for_an_earlier_one(tmp_path):
    put(tmp_path, heart_rate([1000, 2000], [60.0, 61.0]))
    put(tmp_path, heart_rate([1000 + 3_600_000], [60.0]), instead_of=1)
    assert values(tmp_path) == [(3_601_000, 60.0)]
    assert [batch.id for batch in Store.open(tmp_path).batches] == [2]


def undone(person: Path, batch: int) -> tuple[int | None, int | None]:
    with writing(person) as store:
        done = store.undo(batch)
    return done.restored, done.gone


def test_undoing_a_second_reading_brings_the_first_back_with_what_it_said_of_others(tmp_path):
    put(tmp_path, heart_rate([1000, 2000], [60.0, 61.0]), exported=10)
    put(tmp_path, heart_rate([2000, 3000], [66.0, 62.0]), exported=20)
    before = values(tmp_path)
    put(tmp_path, heart_rate([2000, 5000], [61.0, 70.0]), exported=20, instead_of=2)
    with writing(tmp_path):  # sweeps, twice, what nobody names
        pass
    with writing(tmp_path):
        pass
    assert values(tmp_path) == [(1000, 60.0), (2000, 61.0), (5000, 70.0)]
    assert undone(tmp_path, 3) == (2, None)
    assert values(tmp_path) == before
    assert [batch.id for batch in Store.open(tmp_path).batches] == [1, 2]
    assert put(tmp_path, heart_rate([9000], [60.0])).batch == 4  # no number is given twice
    assert undone(tmp_path, 2) == (None, None)
    assert values(tmp_path) == [(1000, 60.0), (2000, 61.0), (9000, 60.0)]


@pytest.mark.parametrize("between", ["an import", "an undoing"])
def test_undoing_a_second_reading_after_a_change_leaves_the_first_away_and_says_so(tmp_path, between):
    put(tmp_path, heart_rate([1000], [60.0]))
    put(tmp_path, heart_rate([4000], [61.0]))
    put(tmp_path, heart_rate([2000], [60.0]), instead_of=1)
    if between == "an import":
        put(tmp_path, heart_rate([1000], [60.0]))
    else:
        undone(tmp_path, 2)
    assert undone(tmp_path, 3) == (None, 1)
    assert values(tmp_path) == ([(1000, 60.0), (4000, 61.0)] if between == "an import" else [])


def test_a_third_reading_stands_for_the_second_alone(tmp_path):
    put(tmp_path, heart_rate([1000], [60.0]))
    put(tmp_path, heart_rate([2000], [60.0]), instead_of=1)
    put(tmp_path, heart_rate([3000], [60.0]), instead_of=2)
    assert values(tmp_path) == [(3000, 60.0)]
    assert undone(tmp_path, 3) == (2, None)
    assert values(tmp_path) == [(2000, 60.0)]
    assert undone(tmp_path, 2) == (None, 1)
    assert values(tmp_path) == []


# -- against the slow, obvious way -------------------------------------------------------------------------------------


class Remembered:
    """What every import said of every row, in lists."""

    def __init__(self) -> None:
        self.exported: dict[int, int] = {}
        self.said: list[tuple[tuple[int, float], int, bool]] = []  # row, batch, whether it holds it

    def latest(self, row, before=(1 << 62, 0)) -> bool | None:
        words = [
            (self.exported[b], b, holds) for r, b, holds in self.said if r == row and (self.exported[b], b) < before
        ]
        return max(words)[2] if words else None

    def held_by(self, row) -> tuple[int, int] | None:
        return max(((self.exported[b], b) for r, b, holds in self.said if r == row and holds), default=None)

    def put(self, number: int, rows: set[tuple[int, float]], exported: int) -> None:
        self.exported[number] = exported
        me = (exported, number)
        new = {row for row in rows if self.held_by(row) is None}
        speaking = new | {row for row in rows - new if self.latest(row, me) is False}
        others = {r for r, _, _ in self.said if self.held_by(r) is not None} - rows
        words = [(row, number, True) for row in rows]
        for other in others:
            against = {row for row in speaking if row[0] == other[0]}
            if against:
                by = self.held_by(other)
                words += [(other, number, False)] if by < me else [(row, by[1], False) for row in against & new]
        self.said += words

    def undo(self, number: int) -> None:
        self.said = [word for word in self.said if word[1] != number]

    def rows(self) -> list[tuple[int, float]]:
        return sorted(r for r in {r for r, _, _ in self.said} if self.held_by(r) and self.latest(r))


some_rows = st.sets(st.tuples(st.integers(0, 3), st.sampled_from([60.0, 61.0, 62.0])), min_size=1, max_size=6)
steps = st.lists(
    st.one_of(st.tuples(st.just("put"), some_rows, st.integers(0, 4)), st.tuples(st.just("undo"), st.integers(1, 5))),
    min_size=2, max_size=7,
)  # fmt: skip


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_imports_and_undoings_leaves_what_the_slow_way_leaves(steps):
    with tempfile.TemporaryDirectory() as folder:
        person, remembered, there = Path(folder), Remembered(), set()
        for step in steps:
            if step[0] == "put":
                rows = sorted(step[1])
                kept = put(person, heart_rate([t for t, _ in rows], [v for _, v in rows]), exported=step[2])
                remembered.put(kept.batch, step[1], step[2])
                there.add(kept.batch)
            elif step[1] in there:
                with writing(person) as store:
                    store.undo(step[1])
                remembered.undo(step[1])
                there.discard(step[1])
            assert sorted(values(person)) == remembered.rows()


@given(st.lists(st.integers(0, 80 * 24), min_size=1, max_size=300), st.integers(1, 60), st.integers(1, 40), st.data())
@settings(max_examples=20, deadline=None)
def test_pieces_of_any_size_come_back_whole_and_a_window_is_a_filter(hours, spill, worth, data):
    rng = np.random.default_rng(len(hours))
    time = np.array(hours, dtype=np.int64) * 3_600_000 + rng.integers(0, 3_600_000, len(hours)) + MAY
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "SPILL_ROWS", spill)
        patch.setattr(spool, "WORTH_A_FILE", worth)
        patch.setattr(spool, "PIECE_ROWS", 2 * worth)
        batches = [heart_rate(part, np.arange(part.size) + 60.0) for part in np.array_split(time, 7) if part.size]
        put(Path(folder), *batches)
        everything = sorted(pair for batch in batches for pair in batch.rows.select("time", "value").unique().rows())
        assert sorted(values(Path(folder))) == everything
        files = Store.open(Path(folder)).manifest.files
        assert all(file.rows <= 2 * worth or file.last_ms - file.first_ms < 3_600_000 for file in files)
        again = put(Path(folder), *batches)
        assert sum(again.new.values()) == 0
        assert not Store.open(
            Path(folder)
        ).manifest.marks  # each file was seen whole, and no list of its rows is needed
        start, end = sorted(data.draw(st.tuples(*[st.sampled_from(sorted(time.tolist()))] * 2)))
        assert sorted(values(Path(folder), start=start, end=end)) == [p for p in everything if start <= p[0] < end]


def test_what_is_kept_in_memory_of_rows_put_aside_is_two_numbers_an_hour(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "SPILL_ROWS", 1)
    hours = 24 * 3652
    tracemalloc.start()
    try:
        gathered = spool.Spool(tmp_path)
        gathered.add(heart_rate(np.arange(hours) * spool.HOUR_MS, 60.0), 1)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 1.1 * 16 * hours
    assert sum(piece.height for piece in gathered.pieces((Kind.SERIES, "hr_bpm"))) == hours


def test_a_window_holds_the_intervals_that_reach_into_it(tmp_path):
    rows = frame(time=[0, 1000, 5000], end=[900, 3000, 6000], value=[1.0, 2.0, 3.0])
    put(tmp_path, Batch(Kind.INTERVAL, "steps", PHONE, rows))
    assert values(tmp_path, Kind.INTERVAL, "steps", 2000, 5000) == [(1000, 2.0)]


def test_a_month_with_many_rows_is_a_file_and_months_with_few_share_one(tmp_path):
    many = np.arange(MAY, MAY + 61 * DAY, 30_000)
    few = np.arange(MAY, MAY + 61 * DAY, DAY)
    put(tmp_path, heart_rate(many, 60.0 + np.arange(many.size) % 9), Batch(Kind.SERIES, "weight_kg", PHONE,
        frame(time=few, value=61.0)))  # fmt: skip
    assert sorted(file.path for file in Store.open(tmp_path).manifest.files) == [
        "series/hr_bpm/2024-05/000001-0.parquet", "series/hr_bpm/2024-06/000001-1.parquet",
        "series/weight_kg/2024-05/000001-2.parquet",
    ]  # fmt: skip


def test_a_name_that_is_no_name_of_a_quantity_is_refused(tmp_path):
    for name in ("../hr_bpm", "hr/bpm", "", "HR"):
        with pytest.raises(ValueError, match="no name of a quantity"):
            put(tmp_path, Batch(Kind.SERIES, name, WATCH, frame(time=[0], value=[1.0])))
    assert values(tmp_path) == []


# -- one step at a time, whatever happens ------------------------------------------------------------------------------


class Killed(BaseException):
    """What nobody catches."""


OLD = [heart_rate([1000, 2000, MAY], [60.0, 61.0, 62.0]), Batch(Kind.BEATS, "rri_ms", WATCH,
       frame(time=[800, 1650], value=[800.0, 850.0], gap=[True, False]))]  # fmt: skip
NEW = [heart_rate([1000, 2000, 3000, MAY], [60.0, 66.0, 62.5, 62.0]), Batch(Kind.BEATS, "rri_ms", WATCH,
       frame(time=[1650, 2500], value=[850.0, 850.0], gap=[False, False]))]  # fmt: skip


def everything(person: Path) -> dict[str, list[tuple[int, float]]]:
    return {quantity: values(person, kind, quantity) for kind, quantity in Store.open(person).contents}


def killed_at(call: int, person: Path, monkeypatch: pytest.MonkeyPatch, change) -> bool:
    """Run a change that dies before one of its system calls; say whether it got as far as that."""
    calls = iter(range(10_000))

    def die(name: str) -> None:
        if next(calls) == call:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(disk, "before", die)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)  # a dead process tidies nothing
        try:
            change(person)
        except Killed:
            return True
    return False


def undo_first(person: Path) -> None:
    with writing(person) as store:
        if any(batch.id == 1 for batch in store.manifest.batches):
            store.undo(1)


@pytest.mark.parametrize("change", [lambda person: put(person, *NEW, exported=20), undo_first])
def test_killed_before_any_system_call_the_store_is_old_or_new_and_done_again_it_is_whole(
    change, tmp_path, monkeypatch
):
    def begun(name: str) -> Path:
        put(tmp_path / name, *OLD, exported=10)
        put(tmp_path / name, heart_rate([MAY + DAY], [70.0]), exported=11)
        put(tmp_path / name, heart_rate([MAY + DAY], [71.0]), exported=12)
        return tmp_path / name

    straight = begun("straight")
    before = everything(straight)
    change(straight)
    after = everything(straight)
    assert before != after
    call, states = 0, []
    while killed_at(call, person := begun(str(call)), monkeypatch, change):
        states.append(everything(person) == after)
        assert everything(person) in (before, after)
        change(person)
        assert everything(person) == after
        named = Store.open(person).manifest.paths()
        number = Store.open(person).manifest.number
        assert named <= {f.relative_to(person / "store").as_posix() for f in (person / "store").rglob("*.parquet")}
        assert not (person / "store" / "tmp").exists()
        assert {f.name for f in (person / "store" / "manifest").iterdir()} >= {f"{number:06d}.json"}
        call += 1
    assert call >= 8
    assert states == sorted(states)  # once it is new it stays new
    assert set(states) == {False, True}


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    put(tmp_path, *OLD)
    before = everything(tmp_path)

    def full(name: str) -> None:
        if name.startswith("write out-1"):
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "before", full)
        with pytest.raises(OutputError, match=r"store: cannot be written \(No space left on device\)"):
            put(tmp_path, *NEW)
    assert everything(tmp_path) == before
    assert not (tmp_path / "store" / "tmp").exists()
    assert put(tmp_path, *NEW).new == {"hr_bpm": 2, "rri_ms": 1}


def test_what_nobody_names_is_swept_away_and_the_picture_before_stays_readable(tmp_path):
    put(tmp_path, *OLD)
    put(tmp_path, *NEW)
    reader = Store.open(tmp_path)
    expected = reader.read(Kind.SERIES, "hr_bpm")
    rubbish = tmp_path / "store" / "series" / "hr_bpm" / "1970-01" / "000009-0.parquet"
    rubbish.write_bytes(b"half a file")
    with writing(tmp_path) as store:
        store.undo(1)
        store.undo(2)
    assert not rubbish.exists()
    assert reader.read(Kind.SERIES, "hr_bpm").equals(expected)
    put(tmp_path, heart_rate([1000], [60.0]))
    with writing(tmp_path):
        pass  # which sweeps
    (left,) = (tmp_path / "store").rglob("*.parquet")
    assert left.name == "000003-0.parquet"


def test_one_writer_at_a_time_and_a_dead_one_does_not_stand_in_the_way(tmp_path):
    code = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from unaji.records.store.writing import writing
        with writing(Path({str(tmp_path)!r})):
            print("in", flush=True)
            time.sleep(60)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    ) as other:
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(OutputError, match=rf"another import is writing here \(process {other.pid} since "):
            put(tmp_path, *OLD)
        other.kill()
    assert put(tmp_path, *OLD).new == {"hr_bpm": 3, "rri_ms": 2}


def test_a_damaged_store_and_one_of_a_later_form_are_said_to_be(tmp_path):
    put(tmp_path, *OLD)
    manifest = tmp_path / "store" / "manifest" / "000001.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"schema":1', '"schema":2'))
    with pytest.raises(InputError, match=r"000001\.json: was written by a later unaji \(form 2, this one knows 1\)"):
        Store.open(tmp_path)
    manifest.write_text(text[:50])
    with pytest.raises(InputError, match=r"000001\.json: cannot be read .*restore the folder store/ from a copy"):
        Store.open(tmp_path)


def test_rows_stay_small_on_the_disk(tmp_path):
    time = np.arange(MAY, MAY + 2 * DAY, 1000)
    put(tmp_path, heart_rate(time, 60.0 + np.arange(time.size) % 7))
    (file,) = Store.open(tmp_path).manifest.files
    assert (tmp_path / "store" / file.path).stat().st_size < 2 * time.size
    assert pl.read_parquet_schema(tmp_path / "store" / file.path)["time"] == pl.Int64
