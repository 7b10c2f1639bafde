"""Run tests on a PostgreSQL server that is started for them: ``python -m tests.web.run_on_postgres tests/web``."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.web import postgres

if __name__ == "__main__":
    if not postgres.available():
        sys.exit(postgres.MISSING)
    with postgres.server() as url:
        env = {**os.environ, "UNAJI_TEST_DATABASE_URL": f"{url}/unaji"}
        sys.exit(subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], env=env, check=False).returncode)
