from __future__ import annotations

import math

import numpy as np
import pytest

from unaji.care.more_data import NATS_TO_SETTLE, nats_per_episode


@pytest.mark.parametrize(
    ("share", "needed"),
    [
        # The specification's table of episodes needed, by share (rows) and exposed fraction of time (columns).
        (0.20, (29, 47, 110, 295, 850)),
        (0.35, (12, 18, 38, 95, 265)),
        (0.50, (7, 10, 19, 46, 123)),
    ],
)
def test_the_episodes_needed_are_those_of_the_table(share, needed):
    exposed = np.array([0.05, 0.10, 0.25, 0.50, 0.75])
    computed = NATS_TO_SETTLE / nats_per_episode(exposed, np.full(5, share))
    assert computed == pytest.approx(np.array(needed), rel=0.04, abs=0.6)


def test_from_the_prior_to_nine_in_ten_takes_3_9_nats():
    assert math.log(0.9 / 0.1) - math.log(0.15 / 0.85) == pytest.approx(3.9, abs=0.04)
