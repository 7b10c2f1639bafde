"""Public pages are made once and then handed out: the same bytes to everybody, told apart by nothing but the address.

A page is made anew when the day changes (a review may have become overdue) or when a question is published or taken
down; each process of the server notices the latter within `LOOK_EVERY_S`. Nothing of a request but its address goes
into a page, so one that is compressed gives nothing away.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from unaji.web.casebook.models import Question

LOOK_EVERY_S = 5.0
FRESH_S = 300
"""For how long a reader's browser, or a cache on the way, may keep a page unasked."""
JAPAN = ZoneInfo("Asia/Tokyo")
"""Where the days of an article are counted."""

_WEB = Path(__file__).parents[1]
_TAKES_GZIP = re.compile(r"(?:^|[,\s])gzip\s*(?:;\s*q=(?!0(?:\.0*)?(?:[,\s]|$))[\d.]+\s*)?(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Made:
    """A page as text, and when what it tells was last changed."""

    text: str
    changed: datetime
    content_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Kept:
    body: bytes
    zipped: bytes
    tag: str
    modified_s: int
    content_type: str


@dataclass(slots=True)
class _Shelf:
    """What one process keeps."""

    edition: tuple[object, ...] = ()
    looked_s: float = float("-inf")
    pages: dict[str, _Kept] | None = None


_shelf = _Shelf()


def handed_out(request: HttpRequest, make: Callable[[], Made]) -> HttpResponse:
    """Answer with the page of an address, made where it is not there yet; 304 where the reader has it."""
    kept = _page(request.path, make)
    zipped = _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")) is not None
    tag = f'"{kept.tag}-gz"' if zipped else f'"{kept.tag}"'
    response = HttpResponse(kept.zipped if zipped else kept.body, content_type=kept.content_type)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = tag
    response.headers["Last-Modified"] = http_date(kept.modified_s)
    response.headers["Cache-Control"] = f"public, max-age={FRESH_S}"
    response.headers["Vary"] = "Accept-Encoding"
    return cast(HttpResponse, get_conditional_response(request, tag, kept.modified_s, response))


def forget() -> None:
    """Throw away what is kept, so that every page is made anew."""
    _shelf.pages, _shelf.looked_s, _shelf.edition = None, float("-inf"), ()


def today() -> date:
    """Return the day in Japan."""
    return datetime.now(JAPAN).date()


def start_of(day: date) -> datetime:
    """Return when a day began in Japan, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=JAPAN).astimezone(UTC)


def _page(address: str, make: Callable[[], Made]) -> _Kept:
    edition = _edition()
    if _shelf.pages is None or _shelf.edition != edition:
        _shelf.pages, _shelf.edition = {}, edition
    held = _shelf.pages
    if address not in held:
        held[address] = _kept(make())
    return held[address]


def _edition() -> tuple[object, ...]:
    day, now_s = today(), time.monotonic()
    if now_s - _shelf.looked_s < LOOK_EVERY_S and _shelf.edition and _shelf.edition[0] == day:
        return _shelf.edition
    _shelf.looked_s = now_s
    return day, Question.objects.aggregate(last=Max("changed_at"))["last"]


def _kept(made: Made) -> _Kept:
    body = made.text.encode()
    changed_s = max(int(made.changed.timestamp()), _written_s())
    tag = hashlib.sha256(body).hexdigest()[:24]
    return _Kept(body, gzip.compress(body, 9, mtime=0), tag, changed_s, made.content_type)


@cache
def _written_s() -> int:
    """Return when the newest template, style or word of the app was written: a page also changes with them."""
    files = (file for part in ("templates", "static", "locale") for file in (_WEB / part).rglob("*") if file.is_file())
    return min(int(max(file.stat().st_mtime for file in files)), int(time.time()))
