"""Files of devices: sealed as they arrive, looked into by a worker, stored when the person's device says so."""

from __future__ import annotations

import json
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from unaji.web.api import facts
from unaji.web.api.door import Token, person_of
from unaji.web.api.entries import PROBLEMS, PROBLEMS_OF_ONE
from unaji.web.api.problems import ProblemError, ProblemOut
from unaji.web.bodies import TooSlowError
from unaji.web.casebook.actions import imports
from unaji.web.casebook.actions.consents import consented
from unaji.web.casebook.actions.tokens import Scope
from unaji.web.casebook.files import remove_upload
from unaji.web.casebook.models import ImportBatch, Job, Person
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.imported import ImportState
from unaji.web.casebook.models.results import JobState
from unaji.web.casebook.uploads import Arrived, RefusedError, receiving

router = Router(tags=["files"])

MAY_UPLOAD, MAY_SEE = Token(Scope.UPLOAD), Token(Scope.UPLOAD, Scope.READ)
PROBLEMS_OF_FILE = {**PROBLEMS_OF_ONE, 409: ProblemOut}
ONE_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post(
    "/uploads",
    auth=MAY_UPLOAD,
    response={201: facts.UploadOut, 408: ProblemOut, 409: ProblemOut, 503: ProblemOut, **PROBLEMS},
    openapi_extra=ONE_FILE,
)
def upload(request: HttpRequest) -> Status[facts.UploadOut]:
    """Bring one file, as the part "file" of a form; 409 with its number where the same file is there already."""
    person = person_of(request)
    if not consented(person, Purpose.WEARABLE_IMPORT):
        raise ProblemError("needs_consent")
    arrived = _arrived(request, person)
    if not arrived.size:
        remove_upload(person.pk, str(arrived.number))
        raise ProblemError("empty_file")
    try:
        batch = imports.bring(person, by=person.user, number=arrived.number, name=arrived.name,
                              size_bytes=arrived.size, sha256=arrived.sha256)  # fmt: skip
    except imports.KnownFileError as known:
        raise ProblemError("known_file", number=known.batch.pk) from None
    except imports.TooMuchError:
        raise ProblemError("too_much") from None
    return Status(201, _told(person, batch))


def _arrived(request: HttpRequest, person: Person) -> Arrived:
    """Seal what comes in; nothing of it stays where it is not one whole file."""
    try:
        with receiving(request, person) as handler:
            _ = request.POST  # reads the body, which lets the handler work
            if handler.refused:
                raise RefusedError(handler.refused)
            if len(handler.arrived) != 1:
                raise RefusedError("no_file")
            return handler.arrived[0]
    except RefusedError as refused:
        raise ProblemError(refused.code) from None
    except UnreadablePostError as broken:
        raise ProblemError("too_slow" if isinstance(broken.__cause__, TooSlowError) else "malformed") from None
    except (MultiPartParserError, SuspiciousOperation):
        raise ProblemError("malformed") from None


@router.get("/uploads/{uuid:number}", auth=MAY_SEE, response={200: facts.UploadOut, **PROBLEMS_OF_ONE})
def one_upload(request: HttpRequest, number: UUID) -> facts.UploadOut:
    """Say where a file is on its way, and what was understood of it."""
    person = person_of(request)
    return _told(person, get_object_or_404(ImportBatch, person=person, pk=number))


@router.post(
    "/uploads/{uuid:number}/save",
    auth=MAY_UPLOAD,
    response={202: facts.UploadOut, 200: facts.UploadOut, **PROBLEMS_OF_FILE},
)
def save_upload(request: HttpRequest, number: UUID) -> Status[facts.UploadOut]:
    """Store what was understood: 202, or 200 where it is on its way or stored already."""
    person = person_of(request)
    batch = get_object_or_404(ImportBatch, person=person, pk=number)
    if batch.state in (ImportState.WANTED, ImportState.STORED):
        return Status(200, _told(person, batch))
    try:
        imports.want(batch, by=person.user)
    except ValueError:  # it is not understood yet, was refused, or was taken back
        raise ProblemError("not_understood", number=batch.pk) from None
    batch.refresh_from_db()
    return Status(202, _told(person, batch))


def _told(person: Person, batch: ImportBatch) -> facts.UploadOut:
    newest = Job.objects.filter(person=person, subject=batch.pk).order_by("-made_at").first()
    job = newest if newest is not None and newest.state != JobState.DONE else None
    return facts.upload_out(person, batch, json.loads(batch.told_text or "{}"), job)
