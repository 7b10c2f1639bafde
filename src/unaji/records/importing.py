"""Bring vendors' exports into a person's folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from unaji.errors import InputError
from unaji.records.clock import now_utc
from unaji.records.detect import IMPORTERS, read_recognised, sources
from unaji.records.folder import own_tables, timeline_of, whose_folder, write_folder
from unaji.records.merge import merge
from unaji.records.problems import ProblemLog
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
        The person's folder; made when it is not there. What it holds stays, what is in both is counted once.
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
        A file is not there, none could be used, or nobody says the person's time zone.
    OutputError
        The folder could not be written; nothing in it was changed.
    """
    log, before = ProblemLog(), ProblemLog()
    person, clock = whose_folder(into, timezone, now or now_utc(), before)
    if clock.zones is None:
        raise InputError(f"{into}: nobody has said in which time zone this person lives; pass --timezone Asia/Tokyo")
    for file in files:
        if not file.exists():
            raise InputError(f"{file}: there is no such file or folder")
    found = [source for file in files for source in sources(file, log)]
    brought = merge(read_recognised(found, clock, log), log)
    if not brought:
        raise InputError(_nothing_recognised(files, log))
    whole = merge([*own_tables(into, clock, before), brought], before)
    write_folder(timeline_of(person, clock.zones, whole, before), into)
    return timeline_of(person, clock.zones, brought, log)


def _nothing_recognised(files: Sequence[Path], log: ProblemLog) -> str:
    reasons = "; ".join(str(problem) for problem in log.problems()[:3])
    known = ", ".join(importer.name for importer in IMPORTERS)
    return f"{', '.join(map(str, files))}: nothing in it could be used ({reasons}); unaji reads {known}"
