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

from unaji.claims.graph import load_claims
from unaji.explain import explain
from unaji.records.folder import read_folder
from unaji.report.html import to_html

ROUNDS = 12
SLOWER = 4
WATCH = """window.paints = [];
new PerformanceObserver(list => list.getEntries().forEach(one => paints.push(one.startTime)))
  .observe({type: "largest-contentful-paint", buffered: true});"""
READ = "[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN, paints.at(-1) ?? NaN]"


def main() -> None:
    weeks = sys.argv[1] if len(sys.argv) > 1 else "12"
    with tempfile.TemporaryDirectory() as folder:
        pages = _pages(Path(folder), weeks)
        measured = {name: [] for name in pages}
        for _ in range(ROUNDS):
            for name, path in pages.items():
                measured[name].append(_opened(path, scripted=name != "without script"))
        print(f"{'page':16s} {'kB':>6s} {'first paint ms':>18s} {'last large paint ms':>22s} {'CPU ms':>8s}")
        for name, rows in measured.items():
            first, last, cpu = (list(column) for column in zip(*rows, strict=True))
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
    empty = '<!doctype html><html lang="ja"><meta name="viewport" content="width=device-width"><p>うなじ</p></html>'
    pages = {"report": text, "without script": text, "empty page": empty}
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


def _opened(path: Path, *, scripted: bool) -> tuple[float, float, float]:
    """Open it in a browser of its own; paints are in milliseconds from the start of opening."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        phone = {"width": 360, "height": 800}
        context = browser.new_context(viewport=phone, device_scale_factor=3, java_script_enabled=scripted)
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.add_init_script(WATCH)
        wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(path.as_uri())
        page.wait_for_timeout(3000)
        first, last = page.evaluate(READ) if scripted else (float("nan"), float("nan"))
        counted = {one["name"]: one["value"] for one in wire.send("Performance.getMetrics")["metrics"]}
        browser.close()
    return first, last, 1000 * counted["TaskDuration"]


if __name__ == "__main__":
    main()
