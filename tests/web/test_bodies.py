"""What a client sends is read whole or not at all, and not for longer than it is worth waiting."""

from __future__ import annotations

import io

import pytest

from unaji.web.bodies import PATIENCE_S, SLOWEST_BYTES_S, Body, BrokenOffError, TooSlowError, watched


class Line:
    """A network that carries so many bytes a second, and a clock that goes with it."""

    def __init__(self, content: bytes, bytes_s: float) -> None:
        self.content, self.bytes_s, self.now_s = io.BytesIO(content), bytes_s, 0.0
        self.longest_s = 0.0

    def read(self, size: int) -> bytes:
        got = self.content.read(size)
        self.now_s += len(got) / self.bytes_s
        self.longest_s = max(self.longest_s, len(got) / self.bytes_s)
        return got

    def body(self, length: int | None = None) -> Body:
        return Body(self, len(self.content.getvalue()) if length is None else length, lambda: self.now_s)


CONTENT = bytes(range(256)) * 4000


@pytest.mark.parametrize("bytes_s", [1.5 * SLOWEST_BYTES_S, 1e5, 1e9])
@pytest.mark.parametrize("step", [-1, 1, 1000, 70_000, 10**9])
def test_what_comes_fast_enough_is_read_as_it_was_sent(bytes_s, step):
    content = CONTENT if step != 1 else CONTENT[:5000]
    body = Line(content, bytes_s).body()
    read = bytearray()
    while part := body.read(step):
        read += part

    assert bytes(read) == content


def test_what_ends_before_its_length_is_no_file():
    body = Line(CONTENT, 1e6).body(len(CONTENT) + 1)

    with pytest.raises(BrokenOffError):
        body.read()


def test_a_client_that_sends_too_little_is_given_up_soon():
    line = Line(CONTENT, SLOWEST_BYTES_S / 2)

    with pytest.raises(TooSlowError):
        line.body().read()
    assert line.now_s < 2 * PATIENCE_S


def test_a_client_that_was_fast_once_may_not_be_slow_for_ever():
    line = Line(CONTENT, 1e6)
    body = line.body()
    body.read(500_000)
    line.bytes_s = SLOWEST_BYTES_S / 4

    with pytest.raises(TooSlowError):
        body.read()
    assert line.now_s < 20 * PATIENCE_S


def test_a_server_is_not_asked_for_more_than_comes_in_a_few_seconds():
    line = Line(CONTENT, 2 * SLOWEST_BYTES_S)
    line.body().read()

    assert line.longest_s < 3


def test_lines_are_read_one_by_one():
    body = Line(b"a\nbc\nd", 1e6).body()

    assert [body.readline(), body.readline(1), body.readline(), body.readline(), body.readline()] == [
        b"a\n", b"b", b"c\n", b"d", b"",
    ]  # fmt: skip


def test_an_application_reads_what_was_sent_to_it_and_nothing_of_what_has_no_length():
    def application(environ, start_response):
        return [environ["wsgi.input"].read(100)]

    def said(**environ):
        return watched(application)({"wsgi.input": io.BytesIO(b"abc"), **environ}, lambda *_: None)

    assert said(CONTENT_LENGTH="2") == [b"ab"]
    assert said() == said(CONTENT_LENGTH="") == [b"abc"]
