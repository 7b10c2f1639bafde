"""The export as a stream: what the byte scanner can read goes to it, the rest to a parser, damaged places to nobody.

The parser sees the file with the scanner's records cut out, so it still proves that what is left is sound XML, and it
alone decides where the scanner may read: before each candidate it is given a probe, an element of its own, and only
where that arrives right under the root (not in a comment, an unfinished tag, another element) the scanner goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat

from unaji.errors import InputError
from unaji.records.apple_health.elements import MOST_ROWS, PROBE, Elements
from unaji.records.apple_health.rows import Rows, Stopped, printable
from unaji.records.problems import ProblemLog
from unaji.records.source import Source

if TYPE_CHECKING:
    from unaji.records.apple_health.scanner import Scanner

BLOCK_BYTES = 1 << 19
LONGEST_HEADER = 1 << 20
LONGEST_TAG = 8 << 20  # bytes that are one tag or comment
LONGEST_STRIDE = 1 << 20  # a comment full of candidates must not be parsed anew up to each of them
MOST_DAMAGES = 1000

_RECORD = b"<Record"
_TOP_ELEMENT = re.compile(rb"<(Record|Workout|Correlation|ActivitySummary)\s")
_LONGEST_TOP = 16  # bytes that tell a top element
_BEFORE_TYPE = rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*\?>\s*)?(?><!--.*?-->\s*)*+"
_TYPE = rb"<!DOCTYPE\s+HealthData\b"
_HEADER = re.compile(rb"%s(%s.*?)?(?=<HealthData[\s/>])" % (_BEFORE_TYPE, _TYPE), re.DOTALL)
_TYPE_SEEN = re.compile(_BEFORE_TYPE + _TYPE, re.DOTALL)
_PROBE = f"<{PROBE}/>".encode()
_AT_CULPRIT = tuple(
    expat.errors.codes[getattr(expat.errors, name)]
    for name in ("XML_ERROR_INVALID_TOKEN", "XML_ERROR_JUNK_AFTER_DOC_ELEMENT")
)
"""Errors that are reported where the next sound element may begin; the others at the element that is wrong."""


def claims(head: bytes) -> bool:
    """Say whether a file begins as an export does: its root, or its document type, is HealthData."""
    return _HEADER.match(head) is not None or _TYPE_SEEN.match(head) is not None


def read_rows(
    file: Source, log: ProblemLog, elements: Elements, *, strict: bool = False, block_bytes: int = BLOCK_BYTES
) -> Iterator[Rows]:
    """Read an export's records and workouts.

    Parameters
    ----------
    elements : Elements
        The parser's handlers; keeps count of what is not given as rows.
    strict : bool
        Whether the parser reads everything: slower, for comparison.
    block_bytes : int
        How much of the file is read at a time.

    Raises
    ------
    InputError
        The file declares entities, or is built to exhaust memory.
    """
    scanner = None if strict else _new_scanner()
    with file.open() as stream, _Blocks(stream, block_bytes) as blocks:
        yield from _Reader(file.name, blocks, log, elements, scanner).rows()


def _new_scanner() -> Scanner:
    from unaji.records.apple_health.scanner import Scanner  # noqa: PLC0415  (numba is slow to load)

    return Scanner()


class _Blocks:
    """Reads the next block while this one is looked at: to unpack an archive takes as long as to read what is in it."""

    def __init__(self, stream: BinaryIO, block_bytes: int) -> None:
        self._stream, self._block_bytes = stream, block_bytes
        self._thread = ThreadPoolExecutor(1, "unaji-apple-health")

    def __enter__(self) -> _Blocks:
        self._next = self._thread.submit(self._stream.read, self._block_bytes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def read(self) -> bytes:
        block = self._next.result()
        if block:
            self._next = self._thread.submit(self._stream.read, self._block_bytes)
        return block


class _Reader:
    def __init__(
        self, file: str, blocks: _Blocks, log: ProblemLog, elements: Elements, scanner: Scanner | None
    ) -> None:
        self._file, self._blocks, self._log, self._elements, self._scanner = file, blocks, log, elements, scanner
        self._text, self._base, self._ended = b"", 0, False  # `_base`: where in the file the text begins
        self._at, self._line = 0, 1  # what comes next, in the text, and its line
        self._stride = 1  # bytes to the next candidate; doubled where the scanner may not read
        self._resumed, self._damages, self._given_up = -1, 0, False
        self._new_parser()

    def rows(self) -> Iterator[Rows]:
        if not self._skip_header():
            return
        at_top = False  # whether the scanner may read here
        while not self._given_up:
            if at_top and self._scanner is not None:
                self._at, self._line, stopped = self._scanner.scan(self._text, self._at, self._line)
                if stopped is Stopped.FULL and len(self._scanner):
                    yield self._scanner.take()
                    continue
                if stopped is Stopped.MORE and self._read_more():
                    continue
            elif self._at == len(self._text) and not self._read_more():
                break
            at_top = self._parse()
            if len(self._elements) >= MOST_ROWS:
                yield self._elements.take()
        self._end()
        for reader in (self._scanner, self._elements):
            if reader is not None and len(reader):
                yield reader.take()

    def _skip_header(self) -> bool:
        """Skip what stands before the root; a document type is not read at all, as Apple has written broken ones."""
        while len(self._text) < LONGEST_HEADER and self._read_more():
            pass
        header = _HEADER.match(self._text[:LONGEST_HEADER])
        if header is None:
            self._log.reject(self._file, 1, "", "no <HealthData> was found at the beginning; the file was left out")
            return False
        if b"<!ENTITY" in header[0].upper():
            raise InputError(
                f"{self._file}: it declares XML entities, which no export of Apple Health does; it was not read. "
                "Export it again from the Health app"
            )
        self._pass(header.end())
        return True

    def _read_more(self) -> bool:
        """Read the next block; False when there is none or one element already fills several."""
        if self._ended or len(self._text) - self._at > LONGEST_TAG:
            return False
        block = self._blocks.read()
        self._ended = not block
        self._base += self._at
        self._text, self._at = self._text[self._at :] + block, 0
        return not self._ended

    def _pass(self, to: int) -> None:
        self._line += self._text.count(b"\n", self._at, to)
        self._at = to

    # -- the parser ----------------------------------------------------------------------------------------------------

    def _new_parser(self) -> None:
        """Make a parser that has read nothing yet."""
        self._parser = expat.ParserCreate("UTF-8")
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)  # each probe must be answered at once
        self._fed = self._fed_lines = 0
        self._elements.follow(self._parser, lambda: self._line - 1 - self._fed_lines + self._parser.CurrentLineNumber)

    def _parse(self) -> bool:
        """Give the parser what stands before the next candidate for the scanner; say whether that may read there."""
        candidate = -1 if self._scanner is None else self._text.find(_RECORD, self._at + self._stride)
        if candidate >= 0:
            at_top = self._feed(candidate) and self._probe()
            self._stride = 1 if at_top else min(2 * self._stride, LONGEST_STRIDE)
            return at_top
        last = len(self._text) if self._ended else self._last_cut()
        if last > self._at:
            return self._feed(last) and False
        self._read_more()
        return False

    def _last_cut(self) -> int:
        """Return how far the text can be given away while more is to come, which may complete a candidate."""
        line = self._text.rfind(b"\n", self._at + 1)
        if line >= 0:
            return line
        cut = len(self._text) - len(_RECORD)
        while cut > self._at and self._text[cut] & 0xC0 == 0x80:  # inside a character
            cut -= 1
        return cut

    def _feed(self, to: int) -> bool:
        """Give the parser the text up to `to`; False, and past the damage, when it is no XML."""
        piece = printable(self._text[self._at : to])
        try:
            self._parser.Parse(piece)
        except expat.ExpatError as error:
            behind = self._parser.ErrorByteIndex - self._fed
            self._recover(self._at + max(behind, 0), error)
            return False
        self._fed += len(piece)
        self._fed_lines += piece.count(b"\n")
        self._pass(to)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_TAG:
            raise InputError(
                f"{self._file}, line {self._line}: a single tag or comment is longer than {LONGEST_TAG >> 20} MB; this "
                "is no export of Apple Health. Export it again"
            )
        return True

    def _probe(self) -> bool:
        """Say whether the next byte stands right under the root; False, too, when an element is damaged here."""
        self._elements.at_top = False
        try:
            self._parser.Parse(_PROBE)
        except expat.ExpatError as error:
            self._recover(self._at, error)
            return False
        self._fed += len(_PROBE)
        return self._elements.at_top

    def _recover(self, damage: int, error: expat.ExpatError) -> None:
        """Go on behind a damaged place, at the next element that stands right under the root, with a new parser."""
        after = damage if error.code in _AT_CULPRIT else damage + 1
        after = max(after, self._resumed + 1 - self._base, self._at)
        line = self._line + self._text.count(b"\n", self._at, damage)
        self._damages += 1
        rule = f"the XML is damaged here ({expat.ErrorString(error.code)}); "
        if self._damages > MOST_DAMAGES:
            self._log.reject(self._file, line, "", f"{rule}there are many such places, and the rest was left out")
            self._given_up = True
            return
        self._log.reject(self._file, line, "", f"{rule}what stands from here to the next record was left out")
        self._given_up = not self._pass_to_element(after)
        self._resumed = self._base + self._at
        self._new_parser()
        self._fed = self._parser_root()

    def _pass_to_element(self, after: int) -> bool:
        self._pass(min(after, len(self._text)))
        while True:
            found = _TOP_ELEMENT.search(self._text, self._at)
            if found:
                self._pass(found.start())
                return True
            self._pass(max(len(self._text) - _LONGEST_TOP, self._at))
            if not self._read_more():
                return False

    def _parser_root(self) -> int:
        root = b"<HealthData>"
        self._parser.Parse(root)
        return len(root)

    def _end(self) -> None:
        if self._given_up:
            return
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError:
            rule = "the file ends before the export does; what stands before was read. Export or download it again"
            self._log.reject(self._file, self._line, "", rule)
