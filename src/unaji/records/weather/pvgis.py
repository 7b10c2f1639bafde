"""A typical year of PVGIS is recognised so that it can be refused: it is nobody's weather.

Each of its twelve months is of another year, and none of them is the person's. It may drive a simulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unaji.records.batch import Batch
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source

BEGINNING = b"Latitude (decimal degrees):"
WHY_NOT = (
    "PVGIS の標準年は十二か月が別々の年のもので、その人の天気ではありません。シミュレーションにだけ使えます / "
    "a typical year of PVGIS is put together from months of different years and is nobody's weather: it was not read. "
    "Use it for unaji simulate --table; for a person's own weather run unaji weather"
)


def claims_file(head: bytes) -> bool:
    """Say whether the file begins with the place of a typical year."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(BEGINNING)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Give nothing; say for every file why, and how many hours were left out."""
    for file in files:
        hours = sum(line[:8].isdigit() and line[8:9] == b":" for line in file.load().splitlines())
        log.reject(file.name, None, "", WHY_NOT, count=max(hours, 1), lost=False)
    yield from ()
