"""What the tests share: the folder of real recordings, and a clear word when it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Every generator is seeded, and a busy machine must not fail a test: results are checked here, speed in benchmarks/.
settings.register_profile("unaji", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unaji")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings beside the project; skips the test where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real recordings are not here ({SHARED_DATA}): this check on real data did not run")
    return SHARED_DATA
