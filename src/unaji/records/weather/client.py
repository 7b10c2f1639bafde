"""The one place of unaji that touches the network: it asks for a file of weather, patiently and politely.

What leaves the machine is an address with a place rounded to 0.1° (or a station's number) and dates. What comes back is
believed only after its length, type and content were checked, and kept only when it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import urllib3

from unaji import __version__
from unaji.errors import InputError
from unaji.records.clock import now_utc

logger = logging.getLogger(__name__)

REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 3
BUSY = 429
CHUNK_BYTES = 65_536
LONGEST_REASON = 200
BUSY_FOR_S = 60.0
"""How long others leave a server alone that is busy and does not say for how long: limits are counted by the minute."""


class FetchError(InputError):
    """Weather could not be fetched: says from where, what happened and what to do. Nothing was kept.

    Attributes
    ----------
    passing : bool
        Whether the trouble may pass by itself (no connection, a server that is busy or down), so that asking later
        makes sense; False where something came that was not what was asked for.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class _PassingError(Exception):
    """Trouble that may pass, so that trying again makes sense; `wait_s` is how long the server asked to wait."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what [s], how often to try, and how much to take."""

    connect_s: float = 5.0
    read_s: float = 20.0
    whole_s: float = 60.0
    tries: int = 4
    first_pause_s: float = 1.0
    longest_retry_after_s: float = 120.0
    between_requests_s: float = 1.0
    largest_bytes: int = 50 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One file to ask for.

    Attributes
    ----------
    url : str
        Its address, http or https.
    last_day : date
        The last day it speaks of: an answer about today is not kept, since the day is not over.
    types : tuple of str
        Media types that it may come as.
    check : callable
        Says of the bytes whether they are whole; raises `InputError` where they are not what was asked for.
    grows : bool
        Whether it is a list that grows from day to day: it is asked for anew each time; the one kept serves offline.
    """

    url: str
    last_day: date
    types: tuple[str, ...]
    check: Callable[[bytes], bool]
    grows: bool = False

    @property
    def host(self) -> str:
        """The name of the server."""
        return urlsplit(self.url).hostname or ""


class Turns(Protocol):
    """When a server may be asked next, where several processes ask it."""

    def take(self, host: str, distance_s: float) -> float:
        """Take the turn if it has come, and return 0; else return how long to wait before trying again [s]."""

    def put_off(self, host: str, wait_s: float) -> None:
        """Let nobody ask for so long [s]: the server is busy."""


@dataclass(slots=True)
class Client:
    """Fetches files and keeps the whole ones.

    Attributes
    ----------
    cache : Path or None
        Folder of answers kept; None keeps none.
    offline : bool
        Only give what was kept.
    turns : Turns or None
        By what to keep the distance between requests; None where nobody but this client asks.
    now, monotonic, sleep, rng
        Clock, stopwatch, waiting and chance, so that tests need not wait.
    """

    cache: Path | None = None
    offline: bool = False
    patience: Patience = field(default_factory=Patience)
    turns: Turns | None = None
    now: Callable[[], datetime] = now_utc
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    rng: Random = field(default_factory=Random)
    _pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)
    _asked: dict[str, float] = field(default_factory=dict)

    def get(self, request: Request) -> bytes:
        """Return what is at an address, from the cache or from the network.

        Raises
        ------
        FetchError
            It could not be had, or is not what was asked for.
        """
        kept = self._kept(request) if self.offline or not request.grows else None
        if kept is not None:
            return kept
        if self.offline:
            raise _failure(
                request,
                "--offline ですが、この期間の天気は手元に保存されていません",
                f"this weather is not in the cache, and --offline forbids asking for it ({request.url})",
            )
        data = self._asked_patiently(request)
        try:
            whole = request.check(data)
        except InputError as error:
            raise _failure(
                request,
                "届いた内容は求めたものではありません。保存しませんでした",
                f"the answer is not what was asked for and was not kept: {error}",
            ) from error
        if whole and (request.grows or request.last_day < self.now().date()):
            self._keep(request, data)
        return data

    # -- asking --------------------------------------------------------------------------------------------------------

    def _asked_patiently(self, request: Request) -> bytes:
        for attempt in range(1, self.patience.tries + 1):
            try:
                return self._ask(request)
            except _PassingError as trouble:
                logger.info("attempt %d failed: %s", attempt, type(trouble.__cause__ or trouble).__name__)
                if attempt == self.patience.tries:
                    raise _failure(
                        request,
                        f"{attempt} 回試しましたが取得できませんでした。あとで同じ命令をもう一度実行してください",
                        f"{attempt} tries failed, the last because {trouble}; run the same command again later",
                        passing=True,
                    ) from trouble
                self.sleep(self._pause(attempt) if trouble.wait_s is None else trouble.wait_s)
        raise AssertionError("at least one try is made")

    def _pause(self, attempt: int) -> float:
        """Return how long to wait [s]: twice as long after each try, spread so that many askers do not come at once."""
        return self.patience.first_pause_s * 2.0 ** (attempt - 1) * self.rng.uniform(0.5, 1.5)

    def _ask(self, request: Request) -> bytes:
        url = request.url
        for _ in range(MOST_REDIRECTS + 1):
            self._wait_for_turn(request)
            deadline = self.monotonic() + self.patience.whole_s
            response = self._opened(request, url)
            try:
                if response.status not in REDIRECTS:
                    self._check_head(request, response)
                    return self._body(request, response, deadline)
                url = _redirected(request, url, response.headers.get("Location"))
            finally:
                response.close()
                self._pool.clear()  # at a question a second an open connection saves little, and may be closed there
        raise _failure(request, "転送が終わりません", "it sends from one address to the next without end")

    def _wait_for_turn(self, request: Request) -> None:
        host = request.host
        if self.turns is not None:
            while (wait_s := self.turns.take(host, self.patience.between_requests_s)) > 0:
                if wait_s > max(self.patience.between_requests_s, self.patience.longest_retry_after_s):
                    raise _busy(request, wait_s)
                self.sleep(wait_s)
            return
        since = self.monotonic() - self._asked.get(host, float("-inf"))
        if since < self.patience.between_requests_s:
            self.sleep(self.patience.between_requests_s - since)
        self._asked[host] = self.monotonic()

    def _opened(self, request: Request, url: str) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=self.patience.connect_s, read=self.patience.read_s)
        headers = {"User-Agent": f"unaji/{__version__}", "Accept-Encoding": "gzip"}
        try:
            return self._pool.request(
                "GET", url, headers=headers, timeout=timeout, redirect=False, retries=False, preload_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._trouble(request, error) from error

    def _body(self, request: Request, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """Read the answer piece by piece, so that neither a flood nor a trickle goes on for long."""
        pieces: list[bytes] = []
        size = 0
        while True:
            try:
                piece = response.read1(CHUNK_BYTES)
            except urllib3.exceptions.HTTPError as error:
                raise self._trouble(request, error) from error
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
            if size > self.patience.largest_bytes:
                raise self._too_large(request)
            if self.monotonic() > deadline:
                raise _PassingError(f"the answer was not whole after {self.patience.whole_s:g} s")

    def _trouble(self, request: Request, error: urllib3.exceptions.HTTPError) -> Exception:
        """Say in plain words what the network did, and whether it may pass."""
        match error:
            case urllib3.exceptions.SSLError():
                return _failure(
                    request,
                    "安全な接続を確かめられません。この機械の時計は合っていますか",
                    f"no connection that can be trusted came about ({error}); is this machine's clock right?",
                )
            case urllib3.exceptions.NewConnectionError():  # before the timeout, of which it is a kind
                return _PassingError("there is no connection to the server (is the network there?)")
            case urllib3.exceptions.ConnectTimeoutError():
                return _PassingError(f"no connection came about within {self.patience.connect_s:g} s")
            case urllib3.exceptions.ReadTimeoutError():
                return _PassingError(f"the server said nothing for {self.patience.read_s:g} s")
            case urllib3.exceptions.DecodeError():
                return _PassingError("the answer's compression is damaged")
            case _:
                return _PassingError("the answer broke off")

    # -- judging -------------------------------------------------------------------------------------------------------

    def _check_head(self, request: Request, response: urllib3.BaseHTTPResponse) -> None:
        """Judge an answer by its status and headers, before any of its body is read."""
        status = response.status
        if status == BUSY or status >= 500:
            raise _PassingError(f"the server answered {status}", self._retry_after(request, response))
        if status == 404:
            raise _failure(
                request,
                "その場所・観測所・年の天気はありません",
                f"it has no weather of this station, year or place (404 for {request.url})",
            )
        if status != 200:
            raise _failure(request, "断られました", f"it refused the question with {status}: {self._reason(response)}")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in request.types:
            raise _failure(
                request,
                f"天気の表ではないもの ({kind or '種類不明'}) が届きました。ログイン画面のある回線ではありませんか",
                f"it sent {kind or 'something without a type'}, not {' or '.join(request.types)}; "
                "does this network ask for a login?",
            )
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self.patience.largest_bytes:
            raise self._too_large(request)

    def _retry_after(self, request: Request, response: urllib3.BaseHTTPResponse) -> float | None:
        """Return how long the server asks to wait [s]; None where it does not say, or not readably."""
        wait_s = self._said_to_wait(response)
        if self.turns is not None and (wait_s is not None or response.status == BUSY):
            self.turns.put_off(request.host, BUSY_FOR_S if wait_s is None else wait_s)
        if wait_s is not None and wait_s > self.patience.longest_retry_after_s:
            raise _busy(request, wait_s)
        return wait_s

    def _said_to_wait(self, response: urllib3.BaseHTTPResponse) -> float | None:
        said = response.headers.get("Retry-After", "").strip()
        if said.isdecimal():
            return float(said)
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - self.now()).total_seconds())

    def _reason(self, response: urllib3.BaseHTTPResponse) -> str:
        """Return the beginning of what a refusal says."""
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return " ".join(response.read1(4 * LONGEST_REASON).decode(errors="replace").split())[:LONGEST_REASON]
        return "no reason was given"

    def _too_large(self, request: Request) -> FetchError:
        limit = self.patience.largest_bytes >> 20
        return _failure(
            request, "大きすぎます", f"the answer is larger than {limit} MB, which no weather of a place is"
        )

    # -- keeping -------------------------------------------------------------------------------------------------------

    def _kept(self, request: Request) -> bytes | None:
        """Return a kept answer; one that no longer passes its check is thrown away."""
        place = self._place(request)
        if place is None:
            return None
        try:
            data = place.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(InputError):
            if request.check(data):
                return data
        with contextlib.suppress(OSError):
            place.unlink()
        return None

    def _keep(self, request: Request, data: bytes) -> None:
        """Keep a whole answer: it appears under its name at once or not at all. Not being able to is no error."""
        place = self._place(request)
        if place is None:
            return
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_file(place, data)
        except OSError as error:
            logger.warning("an answer could not be kept: %s", type(error).__name__)

    def _place(self, request: Request) -> Path | None:
        return None if self.cache is None else self.cache / hashlib.sha256(request.url.encode()).hexdigest()[:40]


def put_file(place: Path, data: bytes) -> None:
    """Write a file so that it appears whole, or not at all."""
    handle, scratch = tempfile.mkstemp(prefix=".unaji-", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(place)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _redirected(request: Request, url: str, location: str | None) -> str:
    """Follow a redirection on the same server; never to another, to a file, or from https to http."""
    here = urlsplit(url)
    try:
        target = urljoin(url, location or "")
        there = urlsplit(target)
    except ValueError:  # an address that is none
        there = urlsplit("")
    same_place = there.netloc == here.netloc and there.scheme == here.scheme
    upgraded = there.hostname == here.hostname and (here.scheme, there.scheme) == ("http", "https")
    if not location or not (same_place or upgraded):
        web = there.scheme in ("http", "https")
        where = f"{there.scheme}://{there.netloc}" if web else f"no web address: {(location or '')[:LONGEST_REASON]!r}"
        raise _failure(
            request,
            "別の場所へ転送されそうになったので止めました",
            f"it sends elsewhere ({where}), which is not followed",
        )
    return target


def _busy(request: Request, wait_s: float) -> FetchError:
    return _failure(
        request,
        f"混んでいます。{wait_s:.0f} 秒後にもう一度実行してください",
        f"it is busy and asks to wait {wait_s:.0f} s; run the same command again then",
        passing=True,
    )


def _failure(request: Request, ja: str, en: str, *, passing: bool = False) -> FetchError:
    return FetchError(f"{request.host}: {ja} / {en}", passing=passing)
