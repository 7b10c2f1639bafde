"""When does a page show what it is about? Opened in a headless Chromium of its own, as on a slower device.

The processor is made slower as makers of browsers emulate a middling phone, the network by its delay and speed. What
the machine and the browser cost is in every number, so measure `EMPTY_PAGE` beside a page, turn by turn in one run.
"""

from __future__ import annotations

from dataclasses import dataclass

EMPTY_PAGE = '<!doctype html><html lang="ja"><meta name="viewport" content="width=device-width"><p>うなじ</p></html>'
SLOWER = 4
"""So many times slower than this machine's is the processor of a middling phone."""
WAIT_MS = 3000
"""For how long a page may still paint after it has loaded."""

WATCH = """window.paints = []; window.moved = 0;
new PerformanceObserver(list => list.getEntries().forEach(one => paints.push(one.startTime)))
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(one => { moved += one.value; }))
  .observe({type: "layout-shift", buffered: true});"""
READ = """[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN, paints.at(-1) ?? NaN, moved,
  [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
    .reduce((sum, one) => sum + one.transferSize, 0)]"""


@dataclass(frozen=True, slots=True)
class Device:
    """What a page is opened on.

    Attributes
    ----------
    width, height : int
        Of the window [px].
    pixels : int
        Of the screen, in one px each way.
    delay_ms, mbit_s : float
        Of the network; 0 leaves it as it is.
    """

    width: int
    height: int
    pixels: int = 3
    delay_ms: float = 0.0
    mbit_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Opened:
    """How a page came: paints are in milliseconds from the start of opening; NaN where no script may look.

    Attributes
    ----------
    first_ms, largest_ms : float
        First contentful paint, and the last largest one.
    moved : float
        Sum of all shifts of its layout, which is at least what browsers tell as cumulative layout shift.
    sent_kb : float
        What came over the network until then.
    cpu_ms : float
        Processor time of the page's main thread, as Chromium counts it.
    """

    first_ms: float
    largest_ms: float
    moved: float
    sent_kb: float
    cpu_ms: float


def opened(address: str, device: Device, *, scripted: bool = True) -> Opened:
    """Open a page in a browser that has never seen it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        window = {"width": device.width, "height": device.height}
        context = browser.new_context(viewport=window, device_scale_factor=device.pixels, java_script_enabled=scripted)
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.add_init_script(WATCH)
        wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        if device.mbit_s:
            bytes_s = device.mbit_s * 1e6 / 8
            said = {"offline": False, "latency": device.delay_ms, "downloadThroughput": bytes_s,
                    "uploadThroughput": bytes_s}  # fmt: skip
            wire.send("Network.enable")
            wire.send("Network.emulateNetworkConditions", said)
        page.goto(address)
        page.wait_for_timeout(WAIT_MS)
        first, largest, moved, sent = page.evaluate(READ) if scripted else [float("nan")] * 4
        counted = {one["name"]: one["value"] for one in wire.send("Performance.getMetrics")["metrics"]}
        browser.close()
    return Opened(first, largest, moved, sent / 1000, 1000 * counted["TaskDuration"])
