"""A person's folder made of a few lines of text; whatever is found wrong in any test here has to have its Japanese."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from unaji.records.folder import read_folder
from unaji.records.problems import ProblemLog
from unaji.records.reasons import say_rule
from unaji.records.timeline import Problem, Timeline

NOW = datetime(2025, 6, 1, tzinfo=UTC)
TOKYO = 'timezone = "Asia/Tokyo"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder from names and contents; in Tokyo unless person.toml says otherwise, or is None."""

    def make(files: dict[str, str | bytes | None]) -> Path:
        place = tmp_path / "hana"
        for name, content in {"person.toml": TOKYO, **files}.items():
            if content is not None:
                file = place / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    return make


@pytest.fixture
def read(folder: Callable[..., Path]) -> Callable[..., Timeline]:
    """Read a folder made from names and contents, on 1 June 2025."""
    return lambda files, **options: read_folder(folder(files), now=NOW, **options)


@pytest.fixture(autouse=True)
def _told_in_japanese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail where a reader told something that has no Japanese."""
    told: set[str] = set()
    note = ProblemLog._note

    def noted(self: ProblemLog, problem: Problem) -> None:
        told.add(problem.rule)
        note(self, problem)

    monkeypatch.setattr(ProblemLog, "_note", noted)
    yield
    assert sorted(rule for rule in told if say_rule(rule, "ja").language != "ja") == []
