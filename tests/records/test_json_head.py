"""Keys of JSON texts that may be cut anywhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.json_head import DEEPEST, key_paths
from unaji.records.source import HEAD_BYTES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def keys_by_hand(value: object, path: str = "") -> set[str]:
    """Walk a parsed document; the slow and obvious way."""
    if isinstance(value, list):
        return set().union(*(keys_by_hand(item, f"{path}[]") for item in value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, inner in value.items():
        here = f"{path}.{escaped(key)}" if path else escaped(key)
        found |= {here} | keys_by_hand(inner, here)
    return found


def escaped(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)[1:-1].encode("utf-8", "replace").decode()


@given(JSON.filter(lambda value: isinstance(value, list | dict)), st.sampled_from([None, 1]))
def test_a_whole_text_has_the_keys_that_a_parser_finds(value, indent):
    text = json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "replace")
    assert key_paths(text) == keys_by_hand(json.loads(text))


@given(JSON.filter(lambda value: isinstance(value, list | dict)), st.data())
def test_a_cut_text_has_some_of_the_keys_and_no_others(value, data):
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    cut = data.draw(st.integers(0, len(text)))
    assert key_paths(text[:cut]) <= key_paths(text)


@pytest.mark.parametrize("head", [b"", b"\n", b"time,hr\n", b'"a": 1', b"PK\x03\x04{", b"]", b'<a>{"b": 1}</a>'])
def test_what_is_no_object_or_list_has_no_keys(head):
    assert key_paths(head) == frozenset()


def test_a_byte_order_mark_is_passed_over():
    assert key_paths(b'\xef\xbb\xbf {"buckets": {}}') == {"buckets"}


def test_brackets_without_end_are_followed_only_so_deep():
    assert max(path.count("[]") for path in key_paths(b'[{"a": ' * 20_000)) <= DEEPEST
    assert len(key_paths(b'{"a": ' * (HEAD_BYTES // 6))) <= DEEPEST + 1
