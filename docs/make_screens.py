"""Write the pictures of the app's screens anew: python docs/make_screens.py (needs unaji[web], playwright, chromium).

The example person is looked at through a server of its own, on a home that is removed afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

SCREENS = Path(__file__).parent / "screens"
CHROMIUM = "/usr/bin/chromium"
PORT = 8199
BASE = f"http://localhost:{PORT}"
PHONE = {"now": "/now", "add": "/add", "data": "/data", "what-if": "/what-if?stress=7&room_temp_c=28", "mine": "/mine",
         "check": "/check", "first-picture": "/first-picture", "course": "/course", "why": "/why",
         "about": "/mine/about", "evening": "/evening", "trials": "/trials/new",
         "article": "/ja/neck-heat/"}  # fmt: skip
WAIT_S = 240


def main() -> None:
    """Start a server, work out the example's answer, take the pictures."""
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "unaji.cli", "serve", "--home", home, "--port", str(PORT)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=os.environ)
        try:
            _wait()
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                phone = _signed_in(browser.new_context(viewport={"width": 360, "height": 780}, locale="ja-JP"))
                _answer(phone.new_page())
                _take(phone.new_page(), "phone")
                dark = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB", color_scheme="dark")
                _take(_signed_in(dark).new_page(), "desktop-dark", ("now", "why", "what-if"))
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=20)


def _wait() -> None:
    for _ in range(WAIT_S):
        try:
            urllib.request.urlopen(f"{BASE}/health", timeout=2)
        except OSError:
            time.sleep(1)
        else:
            return
    raise SystemExit("the server did not start")


def _signed_in(context: BrowserContext) -> BrowserContext:
    context.request.get(f"{BASE}/account/login/")
    token = next(one["value"] for one in context.cookies() if "csrf" in one["name"])
    context.request.post(f"{BASE}/example", headers={"X-CSRFToken": token, "Referer": f"{BASE}/"})
    return context


def _answer(page: Page) -> None:
    page.goto(f"{BASE}/why")
    if page.locator("form.fresh button").count():
        page.click("form.fresh button")
    page.wait_for_selector(".squares", timeout=WAIT_S * 1000)


def _take(page: Page, kind: str, names: tuple[str, ...] = tuple(PHONE)) -> None:
    for name in names:
        page.goto(BASE + PHONE[name])
        page.screenshot(path=SCREENS / f"{name}-{kind}.png")
    if kind == "phone":
        page.goto(f"{BASE}/today")
        for _ in range(60):  # back to a day with episodes
            if page.locator("circle.heat").count() > 1:
                break
            page.click(".days a >> nth=0")
        page.screenshot(path=SCREENS / f"today-{kind}.png")
        page.goto(f"{BASE}/now")
        page.click("button.hot")
        page.wait_for_selector(".undo")
        page.screenshot(path=SCREENS / f"after-tap-{kind}.png")
        page.click(".undo button")
        _try(page, kind)
        _without_network(page, kind)


def _without_network(page: Page, kind: str) -> None:
    page.goto(f"{BASE}/now")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto(f"{BASE}/evening")
    page.screenshot(path=SCREENS / f"offline-evening-{kind}.png")
    page.goto(f"{BASE}/now")
    page.click("button.hot")
    page.wait_for_selector("#held:not([hidden])")
    page.screenshot(path=SCREENS / f"offline-now-{kind}.png")
    page.click("#held button")
    page.context.set_offline(False)


def _try(page: Page, kind: str) -> None:
    """Look at a trial before it begins; the invented person begins none."""
    page.goto(f"{BASE}/trials/new")
    page.click("main a:has-text('カフェインを避ける')")
    page.click("main form button[type=submit]")
    page.screenshot(path=SCREENS / f"trial-before-{kind}.png")


if __name__ == "__main__":
    main()
