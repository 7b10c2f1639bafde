"""What the tests share: real recordings where they are there, compiled code, and the order of the files."""

from __future__ import annotations

import os
import shutil
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Every generator is seeded, and a busy machine must not fail a test: results are checked here, speed in benchmarks/.
settings.register_profile("unaji", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unaji")

ROOT = Path(__file__).resolve().parents[1]
WORKER = os.environ.get("PYTEST_XDIST_WORKER")


def of_these_sources() -> str:
    """Name the folder of what this numba compiles from the sources as they are now."""
    sources = b"".join(path.read_bytes() for path in sorted((ROOT / "src").rglob("*.py")))
    return "compiled-" + blake2b(sources + version("numba").encode(), digest_size=8).hexdigest()


# numba numbers its files by function: two processes that compile one function for two types of arguments at the same
# time may take each other's file for their own. So each worker, and every process it starts, keeps its own.
COMPILED = ROOT / ".pytest_cache" / of_these_sources()
if WORKER:
    os.environ["NUMBA_CACHE_DIR"] = str(COMPILED / WORKER)

# Long files begin first, so that no worker is left alone with one in the end. The first five compile most loops: while
# one worker compiles those of the signals, another compiles those of causes and body, and then each takes the other's.
FIRST = (
    "signals/test_fail_soft.py",
    "causes/test_calibration.py",
    "body/test_pathways.py",
    "body/test_counterfactual.py",
    "body/test_conditions.py",
    "cli/test_cli.py",
    "web/test_kill.py",
    "web/test_on_postgres.py",
    "test_real_records.py",
    "test_published_results.py",
    "causes/test_engine.py",
    "test_explain.py",
    "records/test_apple_health.py",
    "report/test_html.py",
    "golden/test_golden.py",
    "benchmarks/test_attribution.py",
    "signals/test_state_stream.py",
    "browser/test_report_in_browser.py",
    "signals/test_hrv_stream.py",
    "signals/test_latent.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order within a file stays."""
    rank = {ROOT / "tests" / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(FIRST)))


def pytest_sessionstart() -> None:
    """Forget what was compiled from earlier sources, before the workers start."""
    if not WORKER:
        for old in set(COMPILED.parent.glob("compiled-*")) - {COMPILED}:
            shutil.rmtree(old)


@pytest.fixture(scope="module", autouse=True)
def _compiled_by_others() -> None:
    """Take over, before each file of tests, the functions that other workers have compiled since."""
    for theirs in COMPILED.glob("gw*") if WORKER else ():
        take_compiled(theirs, COMPILED / str(WORKER))


def take_compiled(theirs: Path, own: Path) -> None:
    """Copy what numba has kept of the functions that are not in `own`: whole functions only, see above."""
    for index in theirs.glob("*/*.nbi"):
        room = own / index.parent.name
        if not (room / index.name).exists():
            room.mkdir(parents=True, exist_ok=True)
            # A file that is not written yet is missed by no one: numba compiles what its index names in vain.
            for file in (*index.parent.glob(f"{index.stem}.*.nbc"), index):
                shutil.copyfile(file, room / file.name)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Let the web app's database be emptied between tests: on SQLite by DELETE, which the audit's trigger forbids."""
    from django.db import connection

    if connection.vendor != "sqlite":  # PostgreSQL empties by TRUNCATE, which no trigger of ours forbids
        return
    from django.db.backends.sqlite3.operations import DatabaseOperations

    name = "casebook_auditevent_no_delete"
    emptied = DatabaseOperations.sql_flush

    def sql_flush(self, style, tables, **options):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = %s", [name])
            trigger = [row[0] for row in cursor.fetchall()]
        return [f"DROP TRIGGER IF EXISTS {name}", *emptied(self, style, tables, **options), *trigger]

    DatabaseOperations.sql_flush = sql_flush


SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings beside the project; skips the test where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real recordings are not here ({SHARED_DATA}): this check on real data did not run")
    return SHARED_DATA
