"""Files inside a zip archive, read as streams and never unpacked to disk; nothing an archive says is believed.

References
----------
PKWARE, "APPNOTE.TXT: .ZIP File Format Specification", 6.3.10, sections 4.3.7, 4.4.4 and 4.4.5.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from unaji.errors import InputError
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, OnRead, Source, counted

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ZIP_MAGIC = b"PK\x03\x04"
MOST_MEMBERS = 20_000
LARGEST_MEMBER = 8 << 30  # bytes
LARGEST_TOTAL = 16 << 30  # bytes, of all members unpacked
LARGEST_INNER_ARCHIVE = 512 << 20  # bytes; an archive inside an archive is held in memory
HIGHEST_RATIO = 200  # unpacked to packed, of a member over 10 MB; a phone's export of text has 15 to 30
HIGHEST_TOTAL_RATIO = 100  # of the whole archive
RATIO_FROM = 10 << 20  # bytes
DEEPEST = 8
LOCAL_HEADER_BYTES = 30  # APPNOTE 4.3.7, without name and extra field
ENCRYPTED, UTF8 = 0x1, 0x800  # APPNOTE 4.4.4
DEFLATE64 = 9  # APPNOTE 4.4.5
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
DAMAGED = "the file in the archive is damaged; download or export it again"
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (
    zipfile.BadZipFile, OSError, NotImplementedError, EOFError, RuntimeError, ValueError, zlib.error, struct.error,
)  # fmt: skip


def members(
    file: Path | BinaryIO, name: str, size: int, log: ProblemLog, on_read: OnRead, *, inside_another: bool = False
) -> Iterator[Source]:
    """Give the files in an archive, and in archives one level inside it; what is refused is noted with the reason.

    Names are shown and matched, never used as paths.

    Parameters
    ----------
    file : Path or binary file
        The archive.
    name : str
        What to call it in problems.
    size : int
        How many bytes it has.
    on_read : callable
        Told of bytes as they are read, in packed bytes.
    """
    try:
        archive = zipfile.ZipFile(file)
        infos = [info for info in archive.infolist() if not info.is_dir() and not _hidden(info.filename)]
    except _BROKEN as error:
        log.reject(name, None, str(error), "the archive cannot be opened; download or export it again")
        return
    if reason := _refusal(infos, size):
        log.reject(name, None, len(infos), reason)
        return
    taken: set[str] = set()
    beginning = lru_cache(maxsize=2)(partial(_beginning, archive))  # looked at a few times in a row, and not kept
    for info in infos:
        shown = f"{name}/{_shown(info)}"
        if reason := _member_refusal(info, taken):
            log.reject(shown, None, "", reason)
            continue
        source = Source(
            shown, partial(beginning, info, shown), partial(_unpacked, archive, info, shown, on_read), info.file_size
        )
        try:
            head = source.head
        except InputError:
            log.reject(shown, None, "", DAMAGED)
            continue
        if not head.startswith(ZIP_MAGIC):
            yield source
        elif inside_another:
            log.reject(shown, None, "", "an archive in an archive in an archive is not looked into; unpack it first")
        elif info.file_size > LARGEST_INNER_ARCHIVE:
            log.reject(shown, None, info.file_size, "the archive in the archive is too large; unpack it first")
        else:
            yield from _inner(source, log, on_read)


def _inner(source: Source, log: ProblemLog, on_read: OnRead) -> Iterator[Source]:
    try:
        data = source.load()
    except InputError:
        log.reject(source.name, None, "", DAMAGED)
        return
    yield from members(io.BytesIO(data), source.name, len(data), log, on_read, inside_another=True)


def _refusal(infos: list[zipfile.ZipInfo], size: int) -> str:
    """Say why an archive as a whole is not read; "" where it is.

    The sizes that it declares bound what is ever unpacked, for a member's reader stops at its declared size.
    """
    total = sum(info.file_size for info in infos)
    if len(infos) > MOST_MEMBERS:
        return f"the archive holds more than {MOST_MEMBERS:,} files"
    if total > LARGEST_TOTAL:
        return f"the archive unpacks to more than {LARGEST_TOTAL >> 30} GB; unpack what is needed and import that"
    if total > RATIO_FROM and total > HIGHEST_TOTAL_RATIO * size:
        return "the archive unpacks to far more than its size; it was not read"
    in_order = sorted(infos, key=lambda info: info.header_offset)
    for info, following in pairwise(in_order):
        end = info.header_offset + LOCAL_HEADER_BYTES + len(info.orig_filename) + info.compress_size
        if end > following.header_offset:
            return "files in the archive overlap, which an honest archive's never do; it was not read"
    return ""


def _member_refusal(info: zipfile.ZipInfo, taken: set[str]) -> str:
    """Say why one file of an archive is not read; "" where it is."""
    if info.flag_bits & ENCRYPTED:
        return "the file is encrypted; unpack it first"
    if info.compress_type == DEFLATE64:
        return "the file is packed with Deflate64, which is not read; unpack it and import the folder"
    if info.compress_type not in READABLE:
        return f"the file is packed in a way that is not read (method {info.compress_type}); unpack it first"
    if _unsafe(info):
        return "the file's name leads out of the archive, or is no plain name; it was not read"
    if info.file_size > LARGEST_MEMBER:
        return f"the file is larger than {LARGEST_MEMBER >> 30} GB; it was not read"
    if info.file_size > RATIO_FROM and info.file_size > HIGHEST_RATIO * info.compress_size:
        return "the file unpacks to far more than its size; it was not read"
    plain = unicodedata.normalize("NFC", info.filename).casefold()
    if plain in taken:
        return "a file of this name was in the archive before; the first one was read"
    taken.add(plain)
    return ""


def _unsafe(info: zipfile.ZipInfo) -> bool:
    name = info.orig_filename
    parts = PurePosixPath(name).parts
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    return (
        is_link
        or name.startswith("/")
        or "\\" in name
        or "\0" in name
        or ".." in parts
        or len(parts) > DEEPEST
        or _DRIVE.match(name) is not None
    )


def _hidden(member: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(member).parts)


def _shown(info: zipfile.ZipInfo) -> str:
    """Return a member's name; one that does not say its encoding may be Japanese Windows'."""
    if info.flag_bits & UTF8 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return info.filename


def _beginning(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    with _unpacked(archive, info, name, lambda _: None) as file:
        return file.read(HEAD_BYTES)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, on_read: OnRead) -> BinaryIO:
    try:
        opened = cast(BinaryIO, archive.open(info))
    except _BROKEN as error:
        raise InputError(f"{name}: {DAMAGED}") from error
    return counted(_Unpacking(opened, name), on_read, info.compress_size / max(info.file_size, 1))


class _Unpacking(io.RawIOBase):
    """A member as it is unpacked; damage in it is an `InputError`."""

    def __init__(self, member: BinaryIO, name: str) -> None:
        self._member, self._name = member, name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._member.seek(offset, whence)

    def tell(self) -> int:
        return self._member.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        try:
            data = self._member.read(len(view))
        except _BROKEN as error:
            raise InputError(f"{self._name}: {DAMAGED}") from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._member.close()
        super().close()
