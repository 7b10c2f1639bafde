"""Read a store: rows of one quantity over a stretch of time, in milliseconds however long the record is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from unaji.records.batch import COLUMNS, Kind
from unaji.records.store.live import live_rows, ranks
from unaji.records.store.manifest import BatchEntry, FileEntry, Manifest, Mark, SourceEntry, current
from unaji.records.store.spool import sorted_by_time

FOLDER = "store"
STORED: Mapping[str, pl.DataType] = {**COLUMNS, "source_id": pl.UInt32()}
"""Columns of the rows in a store: those of a batch, and who wrote the row."""

AT_ONCE = 1 << 18
"""About as many rows of a file are a piece of its record: some MB, with the columns of a waveform."""


@dataclass(frozen=True, slots=True)
class Store:
    """One consistent picture of a person's store, as it was when it was opened.

    Attributes
    ----------
    path : Path
        The folder ``store`` inside the person's folder; it need not be there.
    rank : dict of int to int
        Of each batch, in the order of the exports: where two contradict each other, the higher one holds.
    """

    path: Path
    manifest: Manifest
    _files: Mapping[tuple[str, str], Sequence[FileEntry]]
    _marks: Mapping[str, Sequence[Mark]]
    rank: Mapping[int, int]

    @classmethod
    def open(cls, person: Path) -> Store:
        """Open the store in a person's folder; one that is not there is empty.

        Raises
        ------
        InputError
            It is damaged, or of a later version.
        """
        return cls.of(person / FOLDER, current(person / FOLDER))

    @classmethod
    def of(cls, path: Path, manifest: Manifest) -> Store:
        """Look at a store through one of its manifests."""
        files: dict[tuple[str, str], list[FileEntry]] = {}
        for file in manifest.files:
            files.setdefault((file.kind, file.quantity), []).append(file)
        marks: dict[str, list[Mark]] = {}
        for mark in manifest.marks:
            marks.setdefault(mark.file, []).append(mark)
        return cls(path, manifest, files, marks, ranks(manifest.batches))

    @property
    def contents(self) -> list[tuple[Kind, str]]:
        """Kinds and quantities that have rows."""
        return [(Kind(kind), quantity) for kind, quantity in sorted(self._files)]

    @property
    def batches(self) -> tuple[BatchEntry, ...]:
        """Imports that were not undone, oldest first."""
        return self.manifest.batches

    @property
    def sources(self) -> dict[int, SourceEntry]:
        """Who wrote the rows, by the number in the column ``source_id``."""
        return {source.id: source for source in self.manifest.sources}

    def files(self, kind: Kind, quantity: str) -> Sequence[FileEntry]:
        """Return the files of a quantity."""
        return self._files.get((kind.value, quantity), ())

    def marks(self, file: FileEntry) -> Sequence[Mark]:
        """Return what is said of a file's rows."""
        return self._marks.get(file.path, ())

    def read(
        self,
        kind: Kind,
        quantity: str,
        start_ms: int | None = None,
        end_ms: int | None = None,
        *,
        columns: Sequence[str] = tuple(STORED),
    ) -> pl.DataFrame:
        """Return the rows of a quantity that hold, of all sources, in order of time.

        Parameters
        ----------
        start_ms, end_ms : int, optional
            Only instants in [start, end), and intervals that overlap it. [ms since 1970 UTC]
        columns : sequence of str
            Which of the columns `STORED`, ``time`` among them.

        Returns
        -------
        polars.DataFrame
            With these columns.
        """
        files = [
            file
            for file in self.files(kind, quantity)
            if (start_ms is None or file.last_end_ms >= start_ms) and (end_ms is None or file.first_ms < end_ms)
        ]
        where = _between(kind, start_ms, end_ms)
        found = [live_rows(self.path, file, self.marks(file), self.rank, where, columns) for file in files]
        if not found:
            return pl.DataFrame(schema={name: STORED[name] for name in columns})
        return found[0] if len(found) == 1 else sorted_by_time(pl.concat(found))

    def pieces(self, kind: Kind, quantity: str, columns: Sequence[str] = tuple(STORED)) -> Iterator[pl.DataFrame]:
        """Give what `read` does in pieces, however long the record is; rows of one time are in one piece.

        Parameters
        ----------
        kind : Kind
            Of instants: an interval would be in every piece that it reaches into.
        """
        if kind not in (Kind.SERIES, Kind.BEATS):
            raise ValueError(f"{kind.value} {quantity}: only instants can be parted by time")
        begins = sorted({begin for file in self.files(kind, quantity) for begin in _begins(file)})
        for start, end in pairwise([*begins, None]):
            rows = self.read(kind, quantity, start, end, columns=columns)
            if rows.height:
                yield rows


def _begins(file: FileEntry) -> list[int]:
    """Part the time of a file so that each part has about `AT_ONCE` rows of it, if these are evenly spread."""
    parts = 1 + file.rows // AT_ONCE
    return [file.first_ms + (file.last_ms - file.first_ms) * k // parts for k in range(parts)]


def _between(kind: Kind, start_ms: int | None, end_ms: int | None) -> pl.Expr | None:
    conditions = []
    if start_ms is not None:
        instant = pl.col("time") >= start_ms
        lasts = kind not in (Kind.SERIES, Kind.BEATS)
        conditions.append(instant | (pl.col("end") > start_ms) if lasts else instant)
    if end_ms is not None:
        conditions.append(pl.col("time") < end_ms)
    return pl.all_horizontal(conditions) if conditions else None
