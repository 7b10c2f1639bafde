"""Which keys does a JSON text begin with, even where it was cut in the middle? Importers claim files by them."""

from __future__ import annotations

import re
from functools import lru_cache

DEEPEST = 64

_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|([{}\[\]])|"', re.DOTALL)


@lru_cache(maxsize=16)
def key_paths(head: bytes) -> frozenset[str]:
    """Return the paths of all object keys in the beginning of a JSON text.

    Parameters
    ----------
    head : bytes
        The beginning of a file; it may end anywhere.

    Returns
    -------
    frozenset of str
        Keys joined by dots, ``[]`` standing for the items of a list; empty where the text does not begin as a JSON
        object or list does.

    Examples
    --------
    >>> sorted(key_paths(b'[{"time": "2024-05-01", "value": {"bpm": 61}}, {"ti'))
    ['[].time', '[].value', '[].value.bpm']
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith((b"{", b"[")):
        return frozenset()
    paths: dict[tuple[str, bytes], str] = {}  # by container and key
    containers: list[str] = []  # the path of what stands inside each open bracket, outermost first
    value = ""  # the path of the next value, had it keys
    for match in _TOKEN.finditer(text):
        string, colon, bracket = match.groups()
        if string is not None:
            if colon is not None and containers:
                key = (containers[-1], string)
                if key not in paths:
                    paths[key] = _joined(*key)
                value = paths[key]
        elif bracket in (b"{", b"["):
            containers.append(value if bracket == b"{" else f"{value}[]")
            value = containers[-1]
            if len(containers) > DEEPEST:
                break
        elif bracket is not None:
            containers.pop()
            if not containers:
                break
            value = containers[-1]
        else:
            break  # a string that the cut left open
    return frozenset(paths.values())


def _joined(container: str, key: bytes) -> str:
    name = key.decode(errors="replace")
    return f"{container}.{name}" if container else name
