"""What the tests share: the folder of real recordings, and a clear word when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Every generator is seeded, and a busy machine must not fail a test: results are checked here, speed in benchmarks/.
settings.register_profile("unaji", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unaji")

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # numba numbers its files by function: two processes that compile one function for two types of arguments at the
    # same time may take each other's file for their own. So each worker, and every process it starts, keeps its own.
    compiled = Path(__file__).resolve().parents[1] / ".pytest_cache" / f"compiled-{worker}"
    os.environ["NUMBA_CACHE_DIR"] = str(compiled)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings beside the project; skips the test where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real recordings are not here ({SHARED_DATA}): this check on real data did not run")
    return SHARED_DATA
