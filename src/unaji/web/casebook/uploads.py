"""A file on its way in: sealed part by part as it arrives, so that it never lies plain on the disk.

What is too large, too much or too many at a time is refused before it is read, where it says beforehand how long it is.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from unaji.web.casebook.actions.imports import keep_upload, room_left
from unaji.web.casebook.files import remove_upload
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.lasting import take_place
from unaji.web.casebook.models import Person

PART_BYTES = 4 << 20
FORM_BYTES = 1 << 20
"""How much a form may take beside what its files hold."""


class RefusedError(Exception):
    """A file is not taken; `code` says why in the words of the app, such as too_large, too_much, busy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that has arrived whole, under the number it was sealed with."""

    number: UUID
    name: str
    size: int
    sha256: str


@contextmanager
def receiving(request: HttpRequest, person: Person) -> Iterator[SealingHandler]:
    """Let files come in with a request; reading its form inside the block seals them.

    Nothing of them stays when the block fails.

    Raises
    ------
    RefusedError
        They are too large, too much of this person's is waiting, or too many people send something now. Nothing was
        read.
    """
    room, said = room_left(person), str(request.META.get("CONTENT_LENGTH", ""))
    length = int(said) if said.isdecimal() else 0
    if length > room + FORM_BYTES:
        raise RefusedError(_why_not(length - FORM_BYTES))
    place = take_place(person.pk)
    if place is None:
        raise RefusedError("busy")
    try:
        handler = SealingHandler(request, person, room)
        request.upload_handlers = [handler]
        try:
            yield handler
        except BaseException:
            handler.abandon()
            raise
    finally:
        place.release()


def _why_not(size: int) -> str:
    return "too_large" if size > settings.UPLOAD_BYTES else "too_much"


class SealingHandler(FileUploadHandler):
    """Hands what arrives to the person's folder, which is kept in `arrived`.

    Parameters
    ----------
    room : int
        How many bytes may come, of all files together; at more, reading ends and `refused` says why.
    """

    chunk_size = PART_BYTES

    def __init__(self, request: HttpRequest, person: Person, room: int) -> None:
        super().__init__(request)
        self.person, self.room = person, room
        self.arrived: list[Arrived] = []
        self.refused = ""
        self._parts: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        self._failed: list[BaseException] = []
        self._thread: threading.Thread | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._number, self._size, self._hash = uuid7(), 0, hashlib.sha256()
        self._parts, self._failed = queue.Queue(maxsize=2), []
        self._thread = threading.Thread(target=self._seal, daemon=True)
        self._thread.start()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal a part."""
        self._size += len(raw_data)
        self.room -= len(raw_data)
        if self.room < 0:
            self.refused = _why_not(self._size)
            self._stop(complete=False)
            raise StopUpload(connection_reset=True)
        self._hash.update(raw_data)
        self._parts.put(bytes(raw_data))

    def file_complete(self, file_size: int) -> Any:
        """End a file."""
        self._stop(complete=True)
        if self._failed:
            raise self._failed[0]
        self.arrived.append(Arrived(self._number, self.file_name or "", self._size, self._hash.hexdigest()))
        return None

    def upload_interrupted(self) -> None:
        """Leave nothing of a file that broke off."""
        self._stop(complete=False)

    def abandon(self) -> None:
        """Leave nothing of what arrived, also where reading broke off in the middle of a file."""
        if self._thread is not None and self._thread.is_alive():
            self._stop(complete=False)
        for one in self.arrived:
            remove_upload(self.person.pk, str(one.number))

    def _stop(self, *, complete: bool) -> None:
        self._parts.put(None)
        if self._thread is not None:
            self._thread.join()
        if not complete:
            remove_upload(self.person.pk, str(self._number))

    def _seal(self) -> None:
        ended = False

        def parts() -> Iterator[bytes]:
            nonlocal ended
            while (part := self._parts.get()) is not None:
                yield part
            ended = True

        try:
            keep_upload(self.person, self._number, parts())
        except BaseException as error:
            self._failed.append(error)
            while not ended and self._parts.get() is not None:  # let the other side finish
                pass
