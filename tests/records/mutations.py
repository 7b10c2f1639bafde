"""Damages files the way disks, networks and hands do, for the tests of importers."""

from __future__ import annotations

import numpy as np


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits, overwrite, delete or double a stretch, or cut the end off, one to five times."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(0, max(len(out), 1)))
        length = int(rng.integers(1, 40))
        match int(rng.integers(0, 5)):
            case 0 if out:
                out[at] ^= 1 << int(rng.integers(0, 8))
            case 1 if out:
                out[at : at + length] = rng.bytes(len(out[at : at + length]))
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = out[at : at + length]
            case _:
                del out[int(rng.integers(len(out) // 2, len(out) + 1)) :]
    return bytes(out)
