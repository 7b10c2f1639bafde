"""Fitbit: the account's export (also through Google Takeout) in JSON and CSV, and answers of its Web API.

Times are of three kinds, and nothing in a file says which. In the export's minute and second lists they are UTC; in
sleep, training, weight, and the older CSV files they are the wall clock; where they end in Z in a list of days they are
dates. The API answers in the wall clock of the account. Daily values (resting heart rate) speak of the whole local day.

Not taken: calories (they hold the resting part), distance, zones, scores (Fitbit's stress score is high when stress is
low), places. There are no intervals between beats in any of these files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unaji.records.batch import Batch
from unaji.records.clock import Clock
from unaji.records.door import Door
from unaji.records.fitbit import cloud, export, tables
from unaji.records.json_head import key_paths
from unaji.records.problems import ProblemLog
from unaji.records.source import Source

__all__ = ["claims_file", "read"]


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as one of Fitbit's does."""
    paths = key_paths(head)
    if paths:
        return export.reader(paths) is not None or cloud.reader(paths) is not None
    return tables.layout(head) is not None


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read files of one export or answer each."""
    for file in files:
        door = Door(file.name, clock, log)
        paths = key_paths(file.head)
        if not paths:
            yield from tables.read(file, door)
        elif chosen := export.reader(paths) or cloud.reader(paths):
            yield from chosen(file, door)
