"""An import killed at any moment leaves the old rows or the new ones, and done again it is whole."""

from __future__ import annotations

import os

import pytest

from benchmarks.killed_imports import kill_at_random

ATTEMPTS = 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_an_import_killed_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path):
    found = kill_at_random(tmp_path, ATTEMPTS, seed=4, samples=1500)
    assert found["broken"] == found["not whole"] == 0
    assert found["whole"] == ATTEMPTS
    assert found["killed"] > ATTEMPTS // 2
