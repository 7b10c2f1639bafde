"""One folder is one person: read it into a timeline, write a timeline as a folder.

What the files are called and which columns they have is told in ``docs/reference/folder-format.md``.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from unaji.errors import InputError, OutputError
from unaji.records import diary, measured
from unaji.records.clock import Clock, iso_local, now_utc
from unaji.records.detect import read_recognised, sources
from unaji.records.fragments import fragment_of_tables
from unaji.records.merge import Fragment, merge
from unaji.records.person import check_zone, person_toml, read_person, read_preferences, read_zones, zones_sheet
from unaji.records.preferred import ORDER
from unaji.records.problems import ProblemLog
from unaji.records.store.manifest import CURRENT
from unaji.records.store.reading import FOLDER as STORE
from unaji.records.store.reading import Store
from unaji.records.tables import read_table
from unaji.records.timeline import Person, Timeline, Zones, from_utc_ms
from unaji.records.waves import COLUMNS, is_wave, waves_of

TABLE_ENDINGS = (".csv", ".parquet")
IGNORED = ("truth.toml",)  # what a simulated person is made of: not for the reader's eyes
PREVIOUS = ".previous"
WHAT_MAY_BE_IN_IT = (
    "put at least one of these into it: episodes.csv (start), ratings.csv, exposures.csv, beats.csv (time,rri_ms), "
    "series/*.csv (time and a quantity such as hr_bpm), or a device's export"
)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_folder(path: Path, *, timezone: str | None = None, now: datetime | None = None) -> Timeline:
    """Read all that is known of one person.

    Parameters
    ----------
    path : Path
        The person's folder.
    timezone : str, optional
        IANA name of the zone of times without offset, where ``person.toml`` does not say it.
    now : datetime, optional
        The present moment (aware); what lies more than 48 h after it is rejected. Default: the machine's clock.

    Returns
    -------
    Timeline
        With a `Problem` for every row that was left out or doubtful.

    Raises
    ------
    InputError
        The folder holds nothing that can be used, ``person.toml`` is broken, or a wall clock's zone is not known.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: is not a folder; unaji reads a folder that holds one person's records")
    log = ProblemLog()
    person, clock = whose_folder(path, timezone, now or now_utc(), log)
    merged = merge([*own_tables(path, clock, log), *stored(path, log), *vendors_files(path, clock, log)], log)
    if not merged:
        raise InputError(nothing_usable(path, log))
    if clock.zones is None:
        person = _with_guessed_timezone(person, log)
    return timeline_of(person, clock.zones or Zones((person.timezone,)), merged, log)


def whose_folder(path: Path, timezone: str | None, now: datetime, log: ProblemLog) -> tuple[Person, Clock]:
    """Return the person and their clock; its zones are None when neither the folder nor the caller says them."""
    person, zone_said = read_person(path / "person.toml", path.resolve().name, log)
    if timezone is not None:
        person, zone_said = _with_timezone(person, timezone, zone_said, log), True
    zones = _zones(path, person, now, log)
    return person, Clock(zones if zone_said or len(zones.names) > 1 else None, now)


def timeline_of(person: Person, zones: Zones, merged: Fragment, log: ProblemLog) -> Timeline:
    """Give a merged fragment its person, its zones and what was noted."""
    return Timeline(
        person=person,
        zones=zones,
        series=merged.series,
        beats=merged.beats[0] if merged.beats else None,
        episodes=merged.episodes,
        ratings=merged.ratings,
        exposures=merged.exposures,
        treatments=merged.treatments,
        outcomes=merged.outcomes,
        observed=merged.observed or None,
        problems=log.problems(),
        waves=merged.waves,
    )


def own_tables(path: Path, clock: Clock, log: ProblemLog) -> Iterator[Fragment]:
    """Read the files of the folder format."""
    for name, read in (*diary.READERS.items(), ("beats", measured.read_beats)):
        for file in table_files(path, name):
            table = read_table(file, file.name, log)
            if table is not None:
                yield read(table, clock, log)
    for file in _series_files(path):
        table = read_table(file, f"series/{file.name}", log)
        if table is not None:
            yield measured.read_series(table, clock, log)


def stored(path: Path, log: ProblemLog) -> list[Fragment]:
    """Read what was imported, the word of the best source at each time; waveforms stay where they are."""
    store = Store.open(path)
    if not store.contents:
        return []
    orders = read_preferences(path / "person.toml", log)
    tables = ((kind, name, store.read(kind, name)) for kind, name in store.contents if not is_wave(kind, name))
    waves = [
        wave
        for kind, name in store.contents
        if is_wave(kind, name)
        for wave in waves_of(name, partial(store.pieces, kind, name, COLUMNS), store.sources, orders.get(name, ORDER))
    ]
    return [replace(fragment_of_tables(tables, store.sources, orders), waves=tuple(waves))]


def is_store(path: Path) -> bool:
    """Say whether a folder is one that imports go to."""
    return path.name == STORE and ((path / "lock").is_file() or (path / CURRENT).is_file())


def vendors_files(path: Path, clock: Clock, log: ProblemLog) -> list[Fragment]:
    """Read everything in the folder that is not of the folder format, by its content."""
    own = set(own_files(path))
    found = [
        source
        for child in sorted(path.iterdir())
        if not child.name.startswith(".") and child.name not in IGNORED and child not in own and not is_store(child)
        for source in sources(child, log)
        if path / source.name not in own
    ]
    return read_recognised(found, clock, log)


def _zones(path: Path, person: Person, now: datetime, log: ProblemLog) -> Zones:
    for file in table_files(path, "zones"):
        table = read_table(file, file.name, log)
        if table is not None:
            return read_zones(table, person.timezone, now, log)
    return Zones((person.timezone,))


def _with_timezone(person: Person, timezone: str, zone_said: bool, log: ProblemLog) -> Person:
    """Take the caller's zone where ``person.toml`` says none; where both speak, the file holds."""
    check_zone(timezone, "timezone")
    if not zone_said:
        return replace(person, timezone=timezone)
    if timezone != person.timezone:
        rule = f"person.toml says {person.timezone}, which holds; change it there if it is wrong"
        log.remark("person.toml", None, timezone, rule)
    return person


def _with_guessed_timezone(person: Person, log: ProblemLog) -> Person:
    """Name a fixed offset after the one most of the files' times carry; UTC when none carries any."""
    offsets = log.offsets_min.most_common(1)
    hours, rest = divmod(offsets[0][0], 60) if offsets else (0, 0)
    name = "UTC" if hours == 0 or rest else f"Etc/GMT{-hours:+d}"  # the sign of these names is reversed
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        name = "UTC"
    rule = (
        f"nobody has said in which time zone the person lives; {name} was taken, without summer time. "
        'Write person.toml with a line such as timezone = "Asia/Tokyo", or pass --timezone'
    )
    log.remark("person.toml", None, "", rule)
    return replace(person, timezone=name)


def nothing_usable(path: Path, log: ProblemLog) -> str:
    """Say why nothing in a folder can be used, and what may be put into it."""
    problems = log.problems()
    if not problems:
        return f"{path}: the folder holds no records; {WHAT_MAY_BE_IN_IT}"
    reasons = "; ".join(str(problem) for problem in problems[:3])
    return f"{path}: the folder holds no record that can be used ({reasons}); {WHAT_MAY_BE_IN_IT}"


def table_files(path: Path, name: str) -> list[Path]:
    """List the files of one table that are there: as CSV, as Parquet, or both."""
    return [file for ending in TABLE_ENDINGS if (file := path / f"{name}{ending}").is_file()]


def _series_files(path: Path) -> list[Path]:
    folder = path / "series"
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.iterdir() if f.suffix in TABLE_ENDINGS and f.is_file() and f.name[0] != ".")


def own_files(path: Path) -> list[Path]:
    """List the files of the folder format that are there."""
    named = [file for name in (*diary.READERS, "beats", "zones") for file in table_files(path, name)]
    person = [path / "person.toml"] if (path / "person.toml").is_file() else []
    return [*person, *named, *_series_files(path)]


# -- writing -----------------------------------------------------------------------------------------------------------

Content = str | pl.DataFrame
"""What a file is to hold: text, or the columns of a Parquet file."""


def write_folder(timeline: Timeline, path: Path) -> None:
    """Write a timeline in the folder format; reading it back gives the same timeline.

    A new folder appears at once. In a folder that exists, all files of the folder format are replaced, the former
    ones being kept below ``.previous``, and all other files are left alone.

    Raises
    ------
    OutputError
        It could not be written; nothing of it is left, and the former files are back.
    """
    path = Path(path)
    put_files(contents_of(timeline), path, own_files(path) if path.is_dir() else ())


def put_files(contents: Mapping[str, Content], path: Path, former: Sequence[Path]) -> None:
    """Write files into a folder, all or none, and put the `former` ones away in ``.previous/<running number>``.

    Everything is first written beside its place, then moved.

    Parameters
    ----------
    contents : mapping
        What to write, by name inside the folder.
    former : sequence of Path
        Files inside the folder that the new ones stand for.

    Raises
    ------
    OutputError
        It could not be written; nothing of it is left, and the former files are back.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unaji-", dir=path if path.is_dir() else path.parent) as scratch:
            fresh = Path(scratch) / "new"
            fresh.mkdir()
            for name, content in contents.items():
                _write(content, fresh / name)
            if path.exists():
                _move_all(fresh, path, former)
            else:
                fresh.rename(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OutputError(f"{path}: cannot be written ({error}); nothing was changed") from error


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as the text of a CSV file."""
    lines = "\n".join(",".join(map(_quoted, row)) for row in (header, *rows))
    return f"{lines}\n"


def frame_file(stem: str, frame: pl.DataFrame, zones: Zones) -> tuple[str, Content]:
    """Return name and content of a table's file: CSV while it is short, else Parquet."""
    if frame.height > measured.MANY_ROWS:
        return f"{stem}.parquet", frame
    cells = [_cells(frame[name], zones) for name in frame.columns]
    return f"{stem}.csv", csv_text(frame.columns, list(zip(*cells, strict=True)))


def contents_of(timeline: Timeline) -> dict[str, Content]:
    """Return the files of a folder that reads back as this timeline, by name; its waveforms are read whole."""
    whole = [wave.series() for wave in timeline.waves]
    timeline = replace(timeline, series=(*timeline.series, *whole), waves=())
    sheets = {"zones": zones_sheet(timeline.person, timeline.zones), **diary.sheets(timeline)}
    frames = {
        f"series/{name}": measured.series_frame(series)
        for name, series in zip(measured.series_file_names(timeline), timeline.series, strict=True)
        if len(series)
    }
    if timeline.beats is not None and len(timeline.beats):
        frames["beats"] = measured.beats_frame(timeline.beats)
    return {
        "person.toml": person_toml(timeline.person),
        **{f"{name}.csv": csv_text(header, rows) for name, (header, rows) in sheets.items() if rows},
        **dict(frame_file(stem, frame, timeline.zones) for stem, frame in frames.items()),
    }


def _write(content: Content, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    if isinstance(content, str):
        file.write_text(content, encoding="utf-8", newline="")
    else:
        content.write_parquet(file)


def _cells(column: pl.Series, zones: Zones) -> list[str]:
    if isinstance(column.dtype, pl.Datetime):
        return [iso_local(from_utc_ms(t), zones) for t in column.dt.replace_time_zone(None).to_numpy()]
    if column.dtype == pl.Boolean:
        return ["1" if cell else "0" for cell in column]
    return ["" if cell is None else cell if isinstance(cell, str) else repr(cell) for cell in column]


def _quoted(cell: str) -> str:
    """Quote a cell where needed; unlike the standard library's writer also one with a lone carriage return."""
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\r\n') else cell


def _move_all(fresh: Path, path: Path, former: Sequence[Path]) -> None:
    """Put former files away and new ones in; on failure take the new ones out and put the former ones back."""
    backup = _next_backup(path)
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        moved.append((source, target))

    try:
        for file in former:
            move(file, backup / file.relative_to(path))
        for file in [f for f in sorted(fresh.rglob("*")) if f.is_file()]:
            move(file, path / file.relative_to(fresh))
    except BaseException:  # also when the person stops it
        for source, target in reversed(moved):
            target.replace(source)
        for emptied in (backup / "series", backup, path / PREVIOUS):
            with contextlib.suppress(OSError):  # not there, or not empty
                emptied.rmdir()
        raise


def _next_backup(path: Path) -> Path:
    """Return the folder for what is put away now; the older ones stay as they are."""
    place = path / PREVIOUS
    taken = [int(old.name) for old in place.iterdir() if old.name.isdecimal()] if place.is_dir() else []
    return place / str(max(taken, default=0) + 1)
