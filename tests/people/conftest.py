"""A population of simulated persons that several test files look at."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.people.simulate import SimulatedPerson, simulate_person


@pytest.fixture(scope="session")
def population() -> list[SimulatedPerson]:
    """Draw 300 persons from the distributions of the specification."""
    return [simulate_person(np.random.default_rng(seed)) for seed in range(300)]
