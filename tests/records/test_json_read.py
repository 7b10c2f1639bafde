"""JSON of exports: long lists in blocks, cut and damaged files."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import source
from unaji.records import cells, json_read
from unaji.records.json_read import document, entries
from unaji.records.problems import ProblemLog


class Entry(msgspec.Struct):
    n: int
    text: str = ""
    inner: list[Any] = []


def read(data: bytes, key: str = "") -> tuple[list[Entry], ProblemLog]:
    log = ProblemLog()
    return [entry for block in entries(source(data), Entry, log, key=key) for entry in block], log


ROWS = st.lists(
    st.fixed_dictionaries(
        {"n": st.integers(0, 99), "text": st.text(max_size=9) | st.just('"},{"n":1},{"'), "inner": st.just([{"m": 1}])}
    ),
    max_size=30,
)


@given(ROWS, st.sampled_from(["", "Data Points"]), st.sampled_from([None, 2]), st.integers(8, 200))
def test_a_list_read_in_blocks_of_any_size_is_the_list(written, key, indent, block):
    text = json.dumps({"a": "x", key: written, "z": [1]} if key else written, indent=indent)
    before, json_read.BLOCK = json_read.BLOCK, max(block, text.find("[") + 1)
    try:
        found, log = read(text.encode(), key)
    finally:
        json_read.BLOCK = before
    assert [msgspec.to_builtins(entry) for entry in found] == written
    assert log.problems() == ()


@pytest.mark.parametrize("block", [30, 1 << 20])
def test_of_a_damaged_entry_only_that_one_is_left_out_and_counted(block, monkeypatch):
    monkeypatch.setattr(json_read, "BLOCK", block)
    written = [b'{"n": %d}' % i for i in range(9)]
    written[3], written[5] = b'{"n": 3', b'{"n": "five"}'
    found, log = read(b"[" + b", ".join(written) + b"]")
    assert [entry.n for entry in found] == [0, 1, 2, 4, 6, 7, 8]
    assert sum(problem.count for problem in log.problems()) == 2


@pytest.mark.parametrize("key", ["", "point"])
def test_of_a_file_that_was_cut_the_whole_entries_are_read(key):
    text = json.dumps([{"n": i, "inner": [1]} for i in range(50)]).encode()
    text = b'{"point": ' + text if key else text
    found, log = read(text[:-9], key)
    assert [entry.n for entry in found] == list(range(49))
    assert len(log.problems()) == 1


@pytest.mark.parametrize("data", [b"[]", b" [ ]\n", b"\xef\xbb\xbf[]"])
def test_an_empty_list_is_empty(data):
    found, log = read(data)
    assert not found
    assert not log.problems()


@pytest.mark.parametrize("data", [b"", b"{}", b"nonsense", b"[" * 100_000, b'[{"n": NaN}]', b'[{"n":1e999}]', b"[1,2]"])
def test_what_is_no_such_list_is_told(data):
    found, log = read(data)
    assert not found
    assert log.problems()


@pytest.mark.parametrize("data", [b"", b"[1", b'{"n":' * 100_000, b'{"n": NaN}', b'{"n": "\xff"}', b"[]"])
def test_a_document_that_cannot_be_read_is_none_with_the_reason(data):
    log = ProblemLog()
    assert document(source(data), Entry, log) is None
    assert len(log.problems()) == 1


def test_a_document_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(cells, "LARGEST_FILE", 10)
    log = ProblemLog()
    assert document(source(b'{"n": 1, "text": ""}'), Entry, log) is None
    assert "larger than" in str(log.problems()[0])


def test_an_entry_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(json_read, "BLOCK", 1000)
    monkeypatch.setattr(json_read, "LARGEST_ENTRY", 3000)
    found, log = read(b'[{"n": 1, "text": "' + b"x" * 100_000)
    assert not found
    assert "one entry seems larger" in str(log.problems()[0])


def test_a_hostile_list_full_of_its_first_key_is_read_in_time():
    hostile = b'[{"n": 1, "text": [' + b'"n", ' * 2_000_000 + b'"n"]}]'
    began = time.process_time()
    found, log = read(hostile)
    assert time.process_time() - began < 10
    assert not found
    assert log.problems()
