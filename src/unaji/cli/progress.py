"""A bar on stderr while the engine works; nothing at all where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from unaji.causes.engine import Progress

STEPS = 100


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Yield a callback that takes the share of the work done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=STEPS, label=label, file=sys.stderr) as bar:
        yield lambda done: bar.update(round(done * STEPS) - bar.pos)
