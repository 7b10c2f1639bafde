"""What docs/explanation/hrv.md shows runs, and the importing of signals stays light."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "hrv.md"


def test_the_lines_of_the_page_run(tmp_path: Path):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    done = subprocess.run([sys.executable, "-c", code[1]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Value(value=" in done.stdout


def test_importing_the_indices_loads_neither_compiler_nor_tables_nor_plots():
    code = (
        "import sys, unaji.signals.indices, unaji.signals.autonomic, unaji.signals.plot_hrv; "
        "print([m for m in ('numba', 'scipy', 'polars', 'matplotlib', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
