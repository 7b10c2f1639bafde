"""A browser, and the invented people whose reports it opens."""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import cache
from pathlib import Path

import pytest

from unaji.report.html import to_html, write_html

CHROMIUM = Path("/usr/bin/chromium")
# Rows are read, and emptied after each test, in the thread in which the browser's driver runs a loop of its own.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
SYNTHETIC = Path(__file__).parents[1] / "report" / "synthetic.py"


@pytest.fixture(autouse=True)
def _own_home(request, tmp_path):
    """Give each test that opens the app a home of its own."""
    if "live_server" in request.fixturenames:
        settings = request.getfixturevalue("settings")
        settings.HOME = tmp_path / "home"
        settings.HOME.mkdir()


@pytest.fixture(scope="module")
def people():
    spec = importlib.util.spec_from_file_location("unaji_tests_browser_synthetic", SYNTHETIC)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.CASES


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: the page was not looked at in a browser")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def written(people):
    """A person's report as text, written once."""
    return cache(lambda name, language: to_html(people[name](), language))


@pytest.fixture
def visit(browser, written, tmp_path):
    """Open a person's report from a file; returns the page and what it asked the network or the console for."""

    def opened(name, language="ja", width=360, scheme="light", **context):
        path = tmp_path / f"{name}-{language}.html"
        write_html(path, written(name, language))
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, **context)
        heard = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page, heard

    return opened
