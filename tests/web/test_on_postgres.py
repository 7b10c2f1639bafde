"""The same tests on the other database: those that write, lock, send twice and begin anew.

All of tests/web on PostgreSQL: ``python -m tests.web.run_on_postgres tests/web``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = ("test_diary.py", "test_jobs.py", "test_offline.py", "test_imports.py", "upkeep/test_backup.py")
"""What differs between databases: constraints, locks, transactions, the emptying of tables, copies."""


@pytest.mark.skipif(bool(os.environ.get("UNAJI_TEST_DATABASE_URL")), reason="these tests run on PostgreSQL already")
def test_what_touches_the_database_passes_on_postgresql(postgres_url):
    files = [str(ROOT / "tests" / "web" / name) for name in CHOSEN if (ROOT / "tests" / "web" / name).exists()]
    command = [sys.executable, "-m", "pytest", "--numprocesses=0", "-p", "no:cacheprovider", "--quiet", *files]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["UNAJI_TEST_DATABASE_URL"] = f"{postgres_url}/unaji"

    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
