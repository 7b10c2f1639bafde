"""Time at the computer is what windows and use of the keyboard have in common, whatever the host was called."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.records import vendors
from tests.records.test_detect import claimants
from tests.records.vendors import brought, source
from unaji.records import activitywatch
from unaji.records.activitywatch import overlap, united


def bucket(
    kind: str, *events: tuple[str, float, dict], client: str = "aw-watcher-window", host: str = "hana-pc"
) -> dict:
    listed = [{"id": k, "timestamp": t, "duration": s, "data": d} for k, (t, s, d) in enumerate(events)]
    return {
        "id": f"{client}_{host}", "created": "2024-05-01T00:00:00+00:00", "type": kind, "client": client,
        "hostname": host, "events": listed,
    }  # fmt: skip


def export(*buckets: dict) -> str:
    return json.dumps({"buckets": {f"{one['id']}{k}": one for k, one in enumerate(buckets)}})


WINDOW = {"app": "Firefox", "title": "Scheidung – Suche"}
AT, AWAY = {"status": "not-afk"}, {"status": "afk"}
OLD = bucket(
    "currentwindow",
    ("2024-05-01T09:00:00.000000+00:00", 3600.0, WINDOW),
    ("2024-05-01T10:00:01Z", 7199.0, WINDOW),
    host="old",
)
NEW = bucket("currentwindow", ("2024-05-01T11:30:00+00:00", 5400.0, WINDOW))
AFK = bucket(
    "afkstatus", ("2024-05-01T09:10:00+00:00", 3000.0, AT), ("2024-05-01T10:00:00+00:00", 3600.0, AWAY),
    ("2024-05-01T11:00:00+00:00", 9000.0, AT), client="aw-watcher-afk",
)  # fmt: skip
ANDROID = bucket("currentwindow", ("2024-05-01T20:00:00.250Z", 90.0, WINDOW), ("2024-05-01T20:01:32Z", 60.0, WINDOW),
                 ("2024-05-01T21:00:00Z", 0.0, WINDOW), client="aw-watcher-android", host="unknown")  # fmt: skip


def spans(batches, quantity: str) -> list[tuple[str, str, float | None]]:
    return vendors.table(batches, quantity).select("time", "end", "value").rows()


def test_windows_of_all_hosts_are_united_and_count_while_somebody_is_there():
    batches, problems = brought(activitywatch, source(export(OLD, NEW, AFK)))
    assert spans(batches, "desk_work") == [
        ("2024-05-01 09:10:00", "2024-05-01 10:00:00", None), ("2024-05-01 11:00:00", "2024-05-01 13:00:00", None)
    ]  # fmt: skip
    assert problems == ()
    assert {batch.quantity for batch in batches} == {"desk_work"}


def test_the_phones_bucket_is_screen_time_of_the_phone():
    batches, problems = brought(activitywatch, source(export(ANDROID, OLD, AFK)))
    assert spans(batches, "phone") == [("2024-05-01 20:00:00", "2024-05-01 20:02:32", None)]
    assert [round(row[2], 4) for row in spans(batches, "screen_min")] == [round(151.75 / 60, 4)]
    assert [(p.rule, p.count, p.lost) for p in problems] == [("events have no length and say nothing", 1, False)]


def test_without_a_watcher_of_the_keyboard_it_is_said():
    batches, problems = brought(activitywatch, source(export(OLD)))
    assert len(spans(batches, "desk_work")) == 1
    assert "windows left open count" in problems[0].rule


def test_a_synchronised_copy_and_a_second_export_add_nothing():
    once, _ = brought(activitywatch, source(export(OLD, NEW, AFK, ANDROID)))
    twice, _ = brought(activitywatch, source(export(OLD, NEW, OLD, AFK, AFK, ANDROID)), source(export(ANDROID, NEW)))
    for quantity in ("desk_work", "phone", "screen_min"):
        assert spans(once, quantity) == spans(twice, quantity)


def test_events_that_cannot_be_are_counted_and_other_buckets_named():
    strange = bucket(
        "currentwindow", ("yesterday", 5.0, {}), ("1980-01-01T00:00:00Z", 5.0, {}), ("2024-05-01T00:00:00Z", -5.0, {}),
        ("2024-05-01T00:00:00Z", 1e9, {}), ("2024-05-01T00:00:00Z", 60.0, {}),
    )  # fmt: skip
    strange["events"] += [{"duration": 5}, 3]
    batches, problems = brought(activitywatch, source(export(strange, bucket("web.tab.current"))))
    assert len(spans(batches, "desk_work")) == 1
    assert vendors.count(problems) == 6
    assert any(problem.value == "web.tab.current" for problem in problems)


def test_titles_never_leave_the_importer():
    batches, problems = brought(activitywatch, source(export(OLD, AFK, ANDROID)))
    said = f"{[batch.rows.rows() for batch in batches]}{[batch.device for batch in batches]}{problems}"
    assert not any(word in said for word in ("Scheidung", "Firefox", "hana"))


some = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), max_size=12)


def arrays(pairs: list[tuple[int, int]]):
    start = np.array([start for start, _ in pairs], dtype=np.int64)
    return start, start + np.array([length for _, length in pairs], dtype=np.int64)


def covered(one) -> set[int]:
    return {ms for start, end in zip(*one, strict=True) for ms in range(start, end)}


@given(some, some)
def test_united_and_common_time_cover_what_sets_of_milliseconds_do(first, second):
    one, other = united([arrays(first)], 0), united([arrays(second), arrays(second)], 0)
    assert covered(one) == covered(arrays(first))
    assert covered(overlap(one, other)) == covered(arrays(first)) & covered(arrays(second))
    assert (one[0][1:] > one[1][:-1]).all()


def test_it_alone_claims_exports():
    assert claimants(export(OLD, AFK).encode()) == ["ActivityWatch"]
    assert not activitywatch.claims_file(b'{"buckets": [1, 2]}')


def test_damaged_exports_never_crash():
    vendors.withstands(activitywatch, {"a.json": export(OLD, NEW, AFK, ANDROID).encode()}, rounds=300)
