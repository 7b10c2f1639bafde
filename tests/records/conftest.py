"""A person's folder made of a few lines of text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from unaji.records.folder import read_folder
from unaji.records.timeline import Timeline

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
