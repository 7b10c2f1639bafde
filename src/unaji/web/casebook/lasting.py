"""Requests that last as long as the other side's network makes them: a place for a few, so that pages go on.

A thread of the server is taken up by what comes in or goes out slowly. Each process has more threads than it lets such
requests have, and one person has one of them at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol, Self
from uuid import UUID

THREADS = 4
"""How many threads a process of the server has."""
PLACES = 2
"""How many of them may be taken up for long."""

_held: set[UUID] = set()
_lock = threading.Lock()


class Place:
    """A person's place; it is given back once, however often `release` is called."""

    def __init__(self, person: UUID) -> None:
        self._person: UUID | None = person

    def release(self) -> None:
        """Give the place back."""
        with _lock:
            if self._person is not None:
                _held.discard(self._person)
                self._person = None


def take_place(person: UUID) -> Place | None:
    """Take a place for a person's request; None where all are taken, or one is theirs already."""
    with _lock:
        if person in _held or len(_held) >= PLACES:
            return None
        _held.add(person)
        return Place(person)


class Parts(Protocol):
    """What is handed over, part by part."""

    def __next__(self) -> bytes:
        """Give the next part."""

    def close(self) -> None:
        """Let go of it."""


class HandedOver(Iterator[bytes]):
    """Parts that are handed over by a request which has a place, and gives it back when it ends or breaks off."""

    def __init__(self, parts: Parts, place: Place) -> None:
        self._parts, self._place = parts, place

    def __iter__(self) -> Self:
        """Give itself: it can be gone through once."""
        return self

    def __next__(self) -> bytes:
        """Give the next part."""
        return self._parts.__next__()

    def close(self) -> None:
        """Let go, as the server does whatever has happened."""
        self._parts.close()
        self._place.release()
