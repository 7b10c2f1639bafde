"""What the tests of signals share: beats that cardiologists labelled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Annotations = tuple[NDArray[np.int64], NDArray[np.int64]]

LONG_STEP, NOTE, OTHER = 59, 63, (60, 61, 62)


def _read_annotations(path: Path) -> Annotations:
    words = np.fromfile(path, dtype="<u2").astype(np.int64)
    sample, k = 0, 0
    at: list[int] = []
    code: list[int] = []
    while k < words.size and words[k]:
        what, rest = words[k] >> 10, words[k] & 1023
        if what == LONG_STEP:
            sample += (words[k + 1] << 16) + words[k + 2]
            k += 3
        elif what == NOTE:
            k += 1 + (rest + 1) // 2
        else:
            if what not in OTHER:
                sample += rest
                at.append(sample)
                code.append(what)
            k += 1
    return np.array(at), np.array(code)


@pytest.fixture(scope="session")
def annotations(shared_data: Path) -> Callable[[str], Annotations]:
    """Read a record of the PhysioNet toolbox: sample and code of each annotation; 1 is a normal beat."""
    return lambda record: _read_annotations(shared_data / "rr-physionet-toolbox-reference" / f"{record}.ecg")
