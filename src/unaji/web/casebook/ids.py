"""Public ids: UUIDs of version 7, which ascend with time and tell nothing of how many there are."""

from __future__ import annotations

import os
import time
import uuid


def uuid7(time_ms: int | None = None, random: bytes | None = None) -> uuid.UUID:
    """Make a UUID of version 7.

    Parameters
    ----------
    time_ms : int, optional
        Milliseconds since 1970 UTC. Default: now.
    random : bytes, optional
        Ten bytes, of which 74 bits are used. Default: from the operating system.

    References
    ----------
    RFC 9562, "Universally Unique IDentifiers (UUIDs)", 2024, section 5.7.
    """
    stamp = time.time_ns() // 1_000_000 if time_ms is None else time_ms
    noise = int.from_bytes(os.urandom(10) if random is None else random)
    rand_a, rand_b = noise >> 68 & 0xFFF, noise & (1 << 62) - 1
    return uuid.UUID(int=(stamp & (1 << 48) - 1) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)
