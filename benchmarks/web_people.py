"""Made-up people who are signed in already, and the little client by which each of them logs, for load and for kills.

``python -m benchmarks.web_people N`` makes N of them in the app of the environment and prints a session for each.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid4

TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
COOKIE = re.compile(rb"^set-cookie: ([^=]+)=([^;]*)", re.IGNORECASE | re.MULTILINE)
LENGTH = re.compile(rb"^content-length: (\d+)", re.IGNORECASE | re.MULTILINE)
PATIENCE_S = 30.0


@dataclass
class Answer:
    status: int
    head: bytes
    body: bytes


@dataclass
class Walker:
    """A person at a phone: opens Now, taps, and sends the tap again until it is acknowledged."""

    port: int
    cookies: dict[str, str]
    acknowledged: list[UUID] = field(default_factory=list)
    took_s: dict[str, list[float]] = field(default_factory=dict)
    resent: int = 0
    broken: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def tap(self, until: float) -> None:
        """Open the screen and log; give up only when time is over."""
        page = await self.ask("GET", "/now", "now")
        token = TOKEN.search(page.body) if page is not None else None
        if token is None:
            return
        number = uuid4()
        body = f"client_id={number}&csrfmiddlewaretoken={token[1].decode()}".encode()
        while (answer := await self.ask("POST", "/now/log", "log", body)) is None or answer.status != 302:
            if time.monotonic() > until:
                return
            self.resent += 1
            await asyncio.sleep(0.2)
        self.acknowledged.append(number)

    async def ask(self, method: str, path: str, what: str, body: bytes = b"", *, known: bool = True) -> Answer | None:
        """Ask once; None where the connection broke."""
        began = time.perf_counter()
        try:
            answer = await asyncio.wait_for(self._ask(method, path, body, known=known), PATIENCE_S)
        except (OSError, EOFError, TimeoutError):
            self.broken += 1
            self.close()
            return None
        if answer.status < 400:
            self.took_s.setdefault(what, []).append(time.perf_counter() - began)
        else:
            self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
        return answer

    async def _ask(self, method: str, path: str, body: bytes, *, known: bool) -> Answer:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n"
        if known:
            head += f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            head += f"Origin: http://localhost:{self.port}\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        said = await self._reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(said)
        content = await self._reader.readexactly(int(length[1])) if length else b""
        for name, value in COOKIE.findall(said):
            self.cookies[name.decode()] = value.decode()
        if b"connection: close" in said.lower():
            self.close()
        return Answer(int(said.split(b" ", 2)[1]), said, content)

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def make(number: int, env: dict[str, str]) -> list[dict[str, str]]:
    """Make people in the app of an environment; return the cookies of each."""
    command = [sys.executable, "-m", "benchmarks.web_people", str(number)]
    return json.loads(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True).stdout)


def _make(number: int) -> list[dict[str, str]]:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from tests.web.conftest import make_person

    cookies = []
    for i in range(number):
        user = make_person(f"walker{i}@unaji.invalid", purposes=("care",)).user
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        cookies.append({settings.SESSION_COOKIE_NAME: str(session.session_key)})
    return cookies


def _stored() -> dict[str, int]:
    """Return how often each number of a device is stored."""
    import django

    django.setup()
    from unaji.web.casebook.models import Episode

    counts: dict[str, int] = {}
    for number in Episode.objects.filter(user_made()).values_list("client_id", flat=True):
        counts[str(number)] = counts.get(str(number), 0) + 1
    return counts


def user_made() -> object:
    """Choose what our people logged, not the example person."""
    from django.db.models import Q

    return Q(person__user__email__startswith="walker")


def stored(env: dict[str, str]) -> dict[str, int]:
    """Return how often each number of a device is stored in the app of an environment."""
    command = [sys.executable, "-m", "benchmarks.web_people", "stored"]
    return json.loads(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True).stdout)


if __name__ == "__main__":
    print(json.dumps(_stored() if sys.argv[1] == "stored" else _make(int(sys.argv[1]))))
