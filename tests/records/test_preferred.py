"""Of several devices that recorded the same, at each time the best one speaks, and only it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.preferred import ORDER, Voice, preferred, stretches

S, MIN = 1_000, 60_000
ROLES = {1: "watch", 2: "phone", 3: "strap"}


def taken(rows: list[tuple[int, int, int]], roles=ROLES, order=ORDER) -> list[tuple[int, int, int]]:
    start, end, source = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return [row for row, keep in zip(rows, preferred(start, end, source, roles, order), strict=True) if keep]


def instants(source: int, *times: int) -> list[tuple[int, int, int]]:
    return [(t, t, source) for t in times]


def test_a_strap_speaks_while_it_is_worn_and_the_watch_before_and_after():
    watch = instants(1, *range(0, 20 * MIN, 5 * S))
    strap = instants(3, *range(5 * MIN, 10 * MIN, S))
    rows = sorted(watch + strap)
    left = [t for t, _, source in taken(rows) if source == 1]
    assert [row for row in taken(rows) if row[2] == 3] == strap
    assert max(t for t in left if t < 5 * MIN) == 5 * MIN - 5 * S
    assert min(t for t in left if t > 5 * MIN) == 10 * MIN + MIN + 0 * S  # it is waited for a minute


def test_a_pause_under_a_minute_hands_nothing_over():
    strap = instants(3, 0, S, 2 * S, 58 * S, 59 * S)
    assert taken(sorted(strap + instants(1, 30 * S))) == sorted(strap)


def test_rare_values_do_not_speak_for_the_hours_between_them():
    watch = instants(1, *range(0, 10 * 60 * MIN, 60 * MIN))
    phone = instants(2, 30 * MIN)
    assert taken(sorted(watch + phone)) == sorted(watch + phone)
    often = instants(1, *range(0, 60 * MIN, 5 * MIN))
    assert taken(sorted(often + phone)) == often


def test_steps_of_a_phone_in_the_pocket_are_not_added_to_those_of_the_watch():
    watch = [(0, 10 * MIN, 1), (10 * MIN, 20 * MIN, 1)]
    phone = [(2 * MIN, 8 * MIN, 2), (18 * MIN, 25 * MIN, 2), (40 * MIN, 50 * MIN, 2)]
    assert taken(sorted(watch + phone)) == [*watch, (40 * MIN, 50 * MIN, 2)]


def test_of_two_devices_of_one_kind_the_one_with_more_rows_speaks():
    rows = instants(1, 0, S, 2 * S) + instants(4, 0, S)
    assert taken(rows, {1: "watch", 4: "watch"}) == instants(1, 0, S, 2 * S)


def test_the_order_can_be_another():
    rows = sorted(instants(1, 0, S) + instants(2, 0, S))
    assert {source for _, _, source in taken(rows)} == {1}
    assert {source for _, _, source in taken(rows, order=("phone", "watch"))} == {2}


def test_one_source_alone_keeps_all_its_rows_also_overlapping_ones():
    rows = [(0, 10, 1), (5, 15, 1), (5, 15, 1)]
    assert taken(rows) == rows


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 60), st.integers(1, 3)), min_size=1, max_size=40),
)
def test_no_two_sources_ever_share_a_moment_and_the_best_one_loses_nothing(spans):
    rows = sorted((start * S, (start + length) * S, source) for start, length, source in spans)
    kept = taken(rows)
    assert all(a[2] == b[2] or a[1] <= b[0] or b[1] <= a[0] for a in kept for b in kept)
    best = min((source for _, _, source in rows), key=lambda source: ORDER.index(ROLES[source]))
    assert [row for row in kept if row[2] == best] == [row for row in rows if row[2] == best]


@given(
    st.lists(st.sampled_from([0, 4, S, 50 * S, MIN, MIN + 1, 2 * MIN, 10 * MIN, 20 * MIN]), max_size=40),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_instants_that_come_in_pieces_speak_as_all_together_do(apart, cuts):
    time = 1_700_000_000_000 + np.cumsum(np.array(apart, dtype=np.int64))
    voice = Voice()
    for piece in np.split(time, sorted({cut for cut in cuts if cut < time.size})):
        voice.add(piece)
    np.testing.assert_array_equal(voice.stretches, stretches(time, time))
    assert voice.spacing.rows == time.size
    if time.size > 1:
        assert voice.spacing.median_ms == np.median(np.diff(time))
