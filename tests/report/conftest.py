"""The invented people of `synthetic.py`, by name."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from unaji.findings import Findings

_PATH = Path(__file__).with_name("synthetic.py")


def _load() -> dict[str, Callable[..., Findings]]:
    spec = importlib.util.spec_from_file_location("unaji_tests_report_synthetic", _PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    # They cannot be changed, so each is built once; `__wrapped__` builds another.
    return {name: cache(build) for name, build in module.CASES.items()}


CASES = _load()


@pytest.fixture(scope="session")
def people() -> dict[str, Callable[..., Findings]]:
    """Builders of synthetic findings by the name of the case."""
    return CASES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `case` runs for each invented person, one that asks for `language` in both."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", sorted(CASES))
    if "language" in metafunc.fixturenames:
        metafunc.parametrize("language", ["ja", "en"])


@pytest.fixture
def findings(case: str) -> Findings:
    """The findings of one case."""
    return CASES[case]()
