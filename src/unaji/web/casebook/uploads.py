"""A file on its way in: sealed part by part as it arrives, so that it never lies plain on the disk."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from unaji.web.casebook.actions.imports import keep_upload
from unaji.web.casebook.files import remove_upload
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Person

LARGEST_BYTES = 8 << 30
PART_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that has arrived whole, under the number it was sealed with."""

    number: UUID
    name: str
    size: int
    sha256: str


class SealingHandler(FileUploadHandler):
    """Hands what arrives to the person's folder; in place of a file, the form gets an `Arrived`."""

    chunk_size = PART_BYTES

    def __init__(self, request: HttpRequest, person: Person) -> None:
        super().__init__(request)
        self.person = person
        self.arrived: list[Arrived] = []
        self.too_large = False
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
        if self._size > LARGEST_BYTES:
            self.too_large = True
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
