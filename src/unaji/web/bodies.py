"""What a client sends: whole, or not at all, and not so slowly that it keeps a thread from all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Protocol

SLOWEST_BYTES_S = 4096
"""What a client has to send in each second on average of `PATIENCE_S`; a poor mobile network carries four times it."""
PATIENCE_S = 20.0
SMALLEST_BYTES, LARGEST_BYTES = 1 << 10, 1 << 18
PIECE_S = 1.0

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class BrokenOffError(OSError):
    """The client went away before it had sent everything."""


class TooSlowError(OSError):
    """The client sends so little that it is not worth waiting."""


class Source(Protocol):
    """What the server reads from."""

    def read(self, size: int, /) -> bytes:
        """Wait for so many bytes; give fewer at the end alone."""


def watched(application: Application) -> Application:
    """Read what is sent to an application through a `Body`."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH", "")
        if length.isdecimal():
            environ["wsgi.input"] = Body(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return answer


class Body:
    """What is sent with one request.

    A server waits until it has as much as it was asked for, or the connection ends, which it does not tell apart from
    the end of what was sent. So it is asked for little at a time: what came in a second, as long as that goes on.

    Parameters
    ----------
    length : int
        How many bytes the client said it will send.
    """

    def __init__(self, source: Source, length: int, clock: Callable[[], float] = monotonic) -> None:
        self._source, self._left, self._clock = source, length, clock
        self._piece = SMALLEST_BYTES
        self._waited_s, self._came = 0.0, 0

    def read(self, size: int | None = -1) -> bytes:
        """Read so many bytes, or all there are.

        Raises
        ------
        BrokenOffError
            The client sent less than it said.
        TooSlowError
            It sent less than `SLOWEST_BYTES_S`.
        """
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        pieces = []
        while wanted:
            piece = self._next(min(wanted, self._piece))
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readline(self, size: int | None = -1) -> bytes:
        """Read to the end of a line."""
        line = bytearray()
        while self._left and not line.endswith(b"\n") and (size is None or size < 0 or len(line) < size):
            line += self._next(1)
        return bytes(line)

    def _next(self, size: int) -> bytes:
        began = self._clock()
        piece = self._source.read(size)
        took_s = self._clock() - began
        if len(piece) < size:
            raise BrokenOffError(f"{self._left - len(piece)} bytes did not come")
        self._left -= size
        self._waited_s += took_s
        self._came += size
        if self._waited_s > PATIENCE_S:
            if self._came < SLOWEST_BYTES_S * self._waited_s and self._left:
                raise TooSlowError(f"{self._came} bytes came in {self._waited_s:.0f} s")
            self._waited_s, self._came = 0.0, 0
        faster = 2 * size if took_s < PIECE_S / 2 else int(size * PIECE_S / took_s)
        self._piece = min(max(faster, self._piece if size < self._piece else 0, SMALLEST_BYTES), LARGEST_BYTES)
        return piece
