"""Which importer reads this file? Decided by what is in it; a file's name is only the last hint.

Two importers that claim the same file are a defect, which the tests look for; nothing is chosen at run time.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from unaji.records import empatica_e4, headache_weather, ibutton, jma, thermal_enth, wfdb
from unaji.records.clock import Clock
from unaji.records.merge import Fragment
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source, file_source

MOST_MEMBERS = 20_000
LARGEST_MEMBER = 2 << 30  # bytes
HIGHEST_RATIO = 200  # unpacked to packed, of members over 10 MB; a real export stays far below
RATIO_FROM = 10 << 20
DEEPEST = 8
ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Importer:
    """One source's way in.

    Attributes
    ----------
    claims_file : callable
        Whether the first 64 kB of a file are this source's.
    read : callable
        Reads all files of this source in one folder together.
    """

    name: str
    claims_file: Callable[[bytes], bool]
    read: Callable[[Sequence[Source], Clock, ProblemLog], Fragment]


IMPORTERS = (
    Importer("Empatica E4", empatica_e4.claims_file, empatica_e4.read),
    Importer("headache diary with weather", headache_weather.claims_file, headache_weather.read),
    Importer("iButton temperature logger", ibutton.claims_file, ibutton.read),
    Importer("JMA download", jma.claims_file, jma.read),
    Importer("Cozie votes", thermal_enth.claims_votes, thermal_enth.read_votes),
    Importer("Fitbit heart rate and steps", thermal_enth.claims_fitbit, thermal_enth.read_fitbit),
    Importer("PurpleAir sensor", thermal_enth.claims_purpleair, thermal_enth.read_purpleair),
    Importer("WFDB record", wfdb.claims_file, wfdb.read),
)


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


def read_recognised(found: Sequence[Source], clock: Clock, log: ProblemLog) -> list[Fragment]:
    """Read the files that an importer claims, those of one folder together; remark on the others."""
    recordings: dict[tuple[str, str], tuple[Importer, list[Source]]] = {}
    strangers: list[Source] = []
    for source in found:
        importer = importer_of(source.head)
        if importer is None:
            strangers.append(source)
        else:
            recordings.setdefault((source.folder, importer.name), (importer, []))[1].append(source)
    companions = {folder for folder, name in recordings if name == "Empatica E4"}
    for source in strangers:
        records = recordings.get((source.folder, "WFDB record"))
        if records and wfdb.belongs(source, records[1]):
            records[1].append(source)
        elif not (source.folder in companions and source.base_name in empatica_e4.COMPANIONS):
            log.remark(source.name, None, "", "the file is not one that unaji reads; it was left alone")
    return [importer.read(files, clock, log) for importer, files in recordings.values()]


def sources(path: Path, log: ProblemLog, *, shown_as: str = "") -> Iterator[Source]:
    """Give the files at a path, looking into folders and, one level deep, into zip archives; hidden ones are skipped.

    Parameters
    ----------
    shown_as : str
        What to call `path` in problems; its own name when empty.
    """
    name = shown_as or path.name
    if path.is_dir():
        if len(PurePosixPath(name).parts) > DEEPEST:
            log.remark(name, None, "", f"folders deeper than {DEEPEST} levels are not looked into")
            return
        for child in sorted(path.iterdir()):
            if not child.name.startswith(".") and not child.is_symlink():
                yield from sources(child, log, shown_as=f"{name}/{child.name}")
        return
    source = _file(path, name, log)
    if source is None:
        return
    if source.head.startswith(ZIP_MAGIC):
        yield from _members(path, name, log)
    else:
        yield source


def _file(path: Path, name: str, log: ProblemLog) -> Source | None:
    try:
        return file_source(path, name)
    except OSError as error:
        log.reject(name, None, error.strerror or "", "the file cannot be read; check that it exists and may be opened")
        return None


def _members(path: Path, name: str, log: ProblemLog) -> Iterator[Source]:
    """Give the files in an archive; their names are only shown, never used as paths, and sizes are not believed."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir() and not _hidden(info.filename)]
            if len(infos) > MOST_MEMBERS:
                log.reject(name, None, len(infos), f"the archive holds more than {MOST_MEMBERS:,} files")
                return
            for info in infos:
                data = _unpacked(archive, info, f"{name}/{info.filename}", log)
                if data is not None:
                    yield Source(f"{name}/{info.filename}", data[:HEAD_BYTES], partial(io.BytesIO, data), len(data))
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        log.reject(name, None, str(error), "the archive cannot be opened; download or export it again")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, log: ProblemLog) -> bytes | None:
    if info.flag_bits & 1:
        log.reject(name, None, "", "the file is encrypted; unpack it first")
        return None
    allowed = min(LARGEST_MEMBER, max(RATIO_FROM, HIGHEST_RATIO * info.compress_size))
    try:
        with archive.open(info) as member:
            data = member.read(allowed + 1)
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError) as error:
        log.reject(name, None, str(error), "the file in the archive is damaged; download or export it again")
        return None
    if len(data) > allowed:
        log.reject(name, None, "", "the file unpacks to far more than its size; it was not read")
        return None
    return data


def _hidden(member: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(member.replace("\\", "/")).parts)
