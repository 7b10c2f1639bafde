"""Which importer reads this file? Decided by what is in it; a file's name is only the last hint.

Two importers that claim the same file are a defect, which the tests look for; nothing is chosen at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from unaji.errors import InputError
from unaji.records import (
    activitywatch,
    apple_health,
    edf,
    elite_hrv,
    embraceplus,
    empatica_e4,
    fitbit,
    garmin_connect,
    garmin_fit,
    google_fit,
    headache_weather,
    health_connect,
    hrv4training,
    ibutton,
    icalendar_file,
    ishne,
    jma,
    opensignals,
    oura,
    polar,
    samsung_health,
    thermal_enth,
    thermometer,
    wfdb,
    withings,
)
from unaji.records.archive import ZIP_MAGIC, members
from unaji.records.batch import Batch
from unaji.records.clock import Clock
from unaji.records.fragments import batches_of, fragment_of
from unaji.records.mapping.finding import is_map
from unaji.records.mapping.sheets import is_workbook
from unaji.records.merge import Fragment
from unaji.records.problems import ProblemLog
from unaji.records.source import OnRead, Source, file_source
from unaji.records.weather import jma_tables, meteostat, noaa_isd, open_meteo, pvgis, surfrad

DEEPEST = 8


def _folder(source: Source) -> str:
    return source.folder


@dataclass(frozen=True, slots=True)
class Importer:
    """One source's way in.

    Attributes
    ----------
    claims_file : callable
        Whether the first 64 kB of a file are this source's.
    read : callable
        Reads all files of one recording together: batch by batch, or small ones as one fragment.
    recording : callable
        Name of the recording that a file belongs to; by default its folder.
    """

    name: str
    claims_file: Callable[[bytes], bool]
    read: Callable[[Sequence[Source], Clock, ProblemLog], Iterator[Batch] | Fragment]
    recording: Callable[[Source], str] = _folder


IMPORTERS = (
    Importer("Empatica E4", empatica_e4.claims_file, empatica_e4.read),
    Importer("headache diary with weather", headache_weather.claims_file, headache_weather.read),
    Importer("iButton temperature logger", ibutton.claims_file, ibutton.read),
    Importer("JMA download", jma.claims_file, jma.read),
    Importer("Cozie votes", thermal_enth.claims_votes, thermal_enth.read_votes),
    Importer("Fitbit heart rate and steps", thermal_enth.claims_fitbit, thermal_enth.read_fitbit),
    Importer("PurpleAir sensor", thermal_enth.claims_purpleair, thermal_enth.read_purpleair),
    Importer("WFDB record", wfdb.claims_file, wfdb.read),
    Importer("Apple Health", apple_health.claims_file, apple_health.read),
    Importer("Fitbit", fitbit.claims_file, fitbit.read),
    Importer("Garmin FIT", garmin_fit.claims_file, garmin_fit.read),
    Importer("Garmin Connect", garmin_connect.claims_file, garmin_connect.read),
    Importer("Oura", oura.claims_file, oura.read),
    Importer("Withings", withings.claims_file, withings.read),
    Importer("Google Fit", google_fit.claims_file, google_fit.read),
    Importer("Samsung Health", samsung_health.claims_file, samsung_health.read, samsung_health.export_of),
    Importer("Health Connect", health_connect.claims_file, health_connect.read),
    Importer("Polar", polar.claims_file, polar.read),
    Importer("Elite HRV", elite_hrv.claims_file, elite_hrv.read),
    Importer("HRV4Training", hrv4training.claims_file, hrv4training.read),
    Importer("ISHNE Holter", ishne.claims_file, ishne.read),
    Importer("OpenSignals", opensignals.claims_file, opensignals.read),
    Importer("EDF", edf.claims_file, edf.read),
    Importer("Empatica EmbracePlus", embraceplus.claims_file, embraceplus.read),
    Importer("body thermometer", thermometer.claims_file, thermometer.read),
    Importer("iCalendar", icalendar_file.claims_file, icalendar_file.read),
    Importer("ActivityWatch", activitywatch.claims_file, activitywatch.read),
    Importer("JMA tables", jma_tables.claims_file, jma_tables.read),
    Importer("Open-Meteo", open_meteo.claims_file, open_meteo.read),
    Importer("Meteostat", meteostat.claims_file, meteostat.read),
    Importer("NOAA ISD", noaa_isd.claims_file, noaa_isd.read),
    Importer("PVGIS", pvgis.claims_file, pvgis.read),
    Importer("SURFRAD", surfrad.claims_file, surfrad.read),
)

Recording = tuple[Importer, list[Source]]
"""Files of one source that belong together and are read together."""


def recognise(path: Path) -> Importer | None:
    """Return the importer of a file, or of the first recognised file in an archive or folder; None when there is none.

    Parameters
    ----------
    path : Path
        A file, a zip archive or a folder.
    """
    log = ProblemLog()
    return next((importer for source in sources(path, log) if (importer := importer_of(source.head))), None)


def importer_of(head: bytes) -> Importer | None:
    """Return the importer that claims a file by its first 64 kB."""
    return next((importer for importer in IMPORTERS if importer.claims_file(head)), None)


def recordings(found: Iterator[Source] | Sequence[Source], log: ProblemLog) -> list[Recording]:
    """Put the files that an importer claims together, those of one recording each; remark on the others."""
    claimed: dict[tuple[str, str], Recording] = {}
    strangers: list[Source] = []
    for source in found:
        importer = importer_of(source.head)
        if importer is None:
            strangers.append(source)
        else:
            claimed.setdefault((importer.recording(source), importer.name), (importer, []))[1].append(source)
    companions = {folder for folder, name in claimed if name == "Empatica E4"}
    for source in strangers:
        records = claimed.get((source.folder, "WFDB record"))
        if records and wfdb.belongs(source, records[1]):
            records[1].append(source)
        elif not (source.folder in companions and source.base_name in empatica_e4.COMPANIONS) and not is_map(source):
            log.remark(source.name, None, "", "the file is not one that unaji reads; it was left alone")
    return list(claimed.values())


def read_batches(recording: Recording, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Give what a recording holds, batch by batch; where it breaks off, what came before is kept and the reason noted.

    Raises
    ------
    InputError
        A wall clock was found, and nobody has said the person's zone.
    """
    read = _read(recording, clock, log)
    return batches_of(read, recording[0].name) if isinstance(read, Fragment) else read


def read_recognised(found: Sequence[Source], clock: Clock, log: ProblemLog) -> list[Fragment]:
    """Read the files that an importer claims, those of one folder together; remark on the others."""
    read = [_read(recording, clock, log) for recording in recordings(found, log)]
    return [part if isinstance(part, Fragment) else fragment_of(part) for part in read]


def _read(recording: Recording, clock: Clock, log: ProblemLog) -> Iterator[Batch] | Fragment:
    importer, files = recording
    try:
        read = importer.read(files, clock, log)
    except (InputError, OSError) as error:
        _note_break(error, recording, clock, log)
        return Fragment()
    return read if isinstance(read, Fragment) else _guarded(read, recording, clock, log)


def _guarded(batches: Iterator[Batch], recording: Recording, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    try:
        yield from batches
    except (InputError, OSError) as error:
        _note_break(error, recording, clock, log)


def _note_break(error: InputError | OSError, recording: Recording, clock: Clock, log: ProblemLog) -> None:
    """Note what stopped an importer; only a missing zone stops everything, for it would shift every time."""
    if clock.zones is None and isinstance(error, InputError):
        raise error
    log.reject(recording[1][0].name, None, "", str(error))


def sources(path: Path, log: ProblemLog, *, shown_as: str = "", on_read: OnRead | None = None) -> Iterator[Source]:
    """Give the files at a path, looking into folders and zip archives; hidden ones are skipped.

    Parameters
    ----------
    shown_as : str
        What to call `path` in problems; its own name when empty.
    on_read : callable, optional
        Told of bytes as they are read.
    """
    name = shown_as or path.name
    if path.is_dir():
        if len(PurePosixPath(name).parts) > DEEPEST:
            log.remark(name, None, "", f"folders deeper than {DEEPEST} levels are not looked into")
            return
        for child in sorted(path.iterdir()):
            if not child.name.startswith(".") and not child.is_symlink():
                yield from sources(child, log, shown_as=f"{name}/{child.name}", on_read=on_read)
        return
    try:
        source = file_source(path, name, on_read)
        head = source.head
    except OSError as error:
        log.reject(name, None, error.strerror or "", "the file cannot be read; check that it exists and may be opened")
        return
    if head.startswith(ZIP_MAGIC) and not is_workbook(head):
        yield from members(path, name, source.size, log, on_read or _ignore)
    else:
        yield source


def _ignore(n_bytes: float) -> None:
    """Nobody wants to know."""
