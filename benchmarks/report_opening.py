"""How soon a report can be read on a slow phone: from opening the file to the last large paint, in headless Chromium.

A width of 360 px at three device pixels each, the processor four times slower than this one (as makers of browsers
emulate a middling phone). Beside it stand the same page without its script and an empty page, turn by turn in one
run, so that what the machine and the browser cost can be subtracted. Medians and best of ROUNDS; processor time is the
page's own, as Chromium counts it.

    python -m benchmarks.report_opening [WEEKS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.paints import EMPTY_PAGE, Device, opened
from unaji.claims.graph import load_claims
from unaji.explain import explain
from unaji.records.folder import read_folder
from unaji.report.html import to_html

ROUNDS = 12
PHONE = Device(360, 800)


def main() -> None:
    weeks = sys.argv[1] if len(sys.argv) > 1 else "12"
    with tempfile.TemporaryDirectory() as folder:
        pages = _pages(Path(folder), weeks)
        measured = {name: [] for name in pages}
        for _ in range(ROUNDS):
            for name, path in pages.items():
                measured[name].append(opened(path.as_uri(), PHONE, scripted=name != "without script"))
        print(f"{'page':16s} {'kB':>6s} {'first paint ms':>18s} {'last large paint ms':>22s} {'CPU ms':>8s}")
        for name, rows in measured.items():
            first, last, cpu = ([getattr(one, part) for one in rows] for part in ("first_ms", "largest_ms", "cpu_ms"))
            size = pages[name].stat().st_size / 1000
            print(
                f"{name:16s} {size:6.0f} {statistics.median(first):9.0f} (best {min(first):4.0f})"
                f" {statistics.median(last):12.0f} (best {min(last):4.0f}) {statistics.median(cpu):8.0f}"
            )


def _pages(folder: Path, weeks: str) -> dict[str, Path]:
    person = folder / "person"
    simulate = ["simulate-person", str(person), "--seed", "4", "--weeks", weeks]
    subprocess.run([sys.executable, "-m", "unaji.cli", *simulate], check=True, capture_output=True)
    text = to_html(explain(read_folder(person), load_claims("neck_heat"), seed=0))
    pages = {"report": text, "without script": text, "empty page": EMPTY_PAGE}
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


if __name__ == "__main__":
    main()
