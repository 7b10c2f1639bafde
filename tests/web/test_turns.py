"""Turns of asking a server, kept in a file that several processes share."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unaji.web.casebook.turns import LONGEST_S, SharedTurns

HOST = "weather.example.org"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_turn_is_taken_once_and_whoever_comes_next_is_told_how_long_to_wait(tmp_path, clock):
    assert SharedTurns(tmp_path, clock).take(HOST, 3.0) == 0
    clock.now += 1

    assert SharedTurns(tmp_path, clock).take(HOST, 3.0) == pytest.approx(2.0)
    assert SharedTurns(tmp_path, clock).take("another.example.org", 3.0) == 0

    clock.now += 2
    assert SharedTurns(tmp_path, clock).take(HOST, 3.0) == 0


def test_who_is_busy_is_left_alone_for_as_long_as_it_said_and_a_day_at_most(tmp_path, clock):
    turns = SharedTurns(tmp_path, clock)
    turns.put_off(HOST, 60.0)
    assert turns.take(HOST, 1.0) == pytest.approx(60.0)
    turns.put_off(HOST, 1e9)
    assert turns.take(HOST, 1.0) == pytest.approx(LONGEST_S)
    clock.now += LONGEST_S
    assert turns.take(HOST, 1.0) == 0


def test_a_clock_that_was_set_back_puts_nobody_off_for_long(tmp_path, clock):
    turns = SharedTurns(tmp_path, clock)
    turns.take(HOST, 1.0)
    turns.put_off(HOST, 60.0)

    clock.now -= 400 * 24 * 3600

    assert turns.take(HOST, 1.0) == 0


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"weather.example.org": 3}', '{"weather.example.org": ["a", 0]}'])
def test_a_damaged_file_puts_nobody_off(tmp_path, clock, content):
    (tmp_path / "turns.json").write_text(content, encoding="utf-8")

    assert SharedTurns(tmp_path, clock).take(HOST, 1.0) == 0


def test_of_processes_that_come_at_the_same_moment_one_gets_the_turn(tmp_path):
    script = (
        "import sys; from pathlib import Path; from unaji.web.casebook.turns import SharedTurns\n"
        "sys.stdin.read(); print(SharedTurns(Path(sys.argv[1])).take('a', 3600.0))"
    )
    asking = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]

    waits = sorted(float(one.communicate()[0]) for one in asking)

    assert waits[0] == 0
    assert waits[1] > 3000
