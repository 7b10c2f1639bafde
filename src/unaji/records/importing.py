"""Bring vendors' exports into a person's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from unaji.errors import InputError
from unaji.records.adding import add_to_folder
from unaji.records.clock import now_utc
from unaji.records.detect import IMPORTERS, read_recognised, sources
from unaji.records.folder import own_files, timeline_of, whose_folder, write_folder
from unaji.records.merge import merge
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import Timeline


def import_files(
    files: Sequence[Path], into: Path, *, timezone: str | None = None, now: datetime | None = None
) -> Timeline:
    """Read exports and add what they hold to a person's folder, in the folder format.

    Parameters
    ----------
    files : sequence of Path
        Files, zip archives or folders, recognised by their content.
    into : Path
        The person's folder; made when it is not there. Of one that is there, only the tables change for which the
        files bring rows that it does not hold yet; see `add_to_folder`.
    timezone : str, optional
        IANA name of the person's zone, where the folder's ``person.toml`` does not say it.
    now : datetime, optional
        The present moment (aware). Default: the machine's clock.

    Returns
    -------
    Timeline
        What the files held, with its problems; not what was in the folder before.

    Raises
    ------
    InputError
        A file is not there, none could be used, nobody says the person's time zone, or a table to be written anew
        holds something that could not be read. Nothing was changed.
    OutputError
        The folder could not be written; nothing in it was changed.
    """
    log = ProblemLog()
    person, clock = whose_folder(into, timezone, now or now_utc(), ProblemLog())
    if clock.zones is None:
        raise InputError(f"{into}: nobody has said in which time zone this person lives; pass --timezone Asia/Tokyo")
    if (into / "person.toml").exists() and whose_folder(into, None, clock.now, ProblemLog())[1].zones is None:
        log.remark("person.toml", None, "", f'says no time zone; add the line timezone = "{timezone}" to it')
    for file in files:
        if not file.exists():
            raise InputError(f"{file}: there is no such file or folder")
    found = [source for file in files for source in _foreign(file, log)]
    brought = merge(read_recognised(found, clock, log), log)
    if not brought:
        raise InputError(_nothing_recognised(files, log))
    timeline = timeline_of(person, clock.zones, brought, log)
    if into.is_dir():
        add_to_folder(timeline, into, clock)
    else:
        write_folder(timeline, into)
    return timeline


def _foreign(path: Path, log: ProblemLog) -> Iterator[Source]:
    """Give the files at a path, without those that already are in the folder format."""
    own = own_files(path) if path.is_dir() else []
    if own:
        names = ", ".join(file.relative_to(path).as_posix() for file in own)
        rule = (
            f"this already is a person's folder ({names}); these files need no import: unaji explain reads them where "
            "they are"
        )
        log.remark(str(path), None, "", rule)
    already = {f"{path.name}/{file.relative_to(path).as_posix()}" for file in own}
    yield from (source for source in sources(path, log) if source.name not in already)


def _nothing_recognised(files: Sequence[Path], log: ProblemLog) -> str:
    reasons = "; ".join(str(problem) for problem in log.problems()[:3]) or "it holds no file"
    known = ", ".join(importer.name for importer in IMPORTERS)
    return f"{', '.join(map(str, files))}: nothing in it could be used ({reasons}); unaji reads {known}"
