"""Entries of the diary: episodes, feelings, what was done or taken, days on which nothing happened."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field

from unaji.web.api import facts
from unaji.web.api.door import Token, person_of
from unaji.web.api.problems import ProblemError, ProblemOut
from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.tokens import Scope
from unaji.web.casebook.models import Episode, Exposure, Person, Rating
from unaji.web.casebook.models.diary import Entry
from unaji.web.words import words

router = Router(tags=["entries"])

SOURCE = "api"
PAGE, MOST = 100, 500
PROBLEMS = {400: ProblemOut, 401: ProblemOut, 403: ProblemOut, 413: ProblemOut, 422: ProblemOut, 429: ProblemOut}
PROBLEMS_OF_ONE = {**PROBLEMS, 404: ProblemOut}
MAY_LOG, MAY_READ = Token(Scope.LOG), Token(Scope.READ)


@router.post("/episodes", auth=MAY_LOG, response={201: facts.EpisodeOut, 200: facts.EpisodeOut, **PROBLEMS})
def log_episode(request: HttpRequest, said: facts.EpisodeIn) -> Status[facts.EpisodeOut]:
    """Write down that the nape is, or was, hot: 201, or 200 where this `client_id` is known already."""
    person = person_of(request)
    known = _known(Episode, person, said.client_id)
    with _possible():
        row = diary.log_episode(
            person, by=person.user, client_id=said.client_id, start=facts.instant(person, said.start),
            end=facts.instant(person, said.end), intensity=said.intensity, bother=said.bother, place=said.place or "",
            note=said.note, source=SOURCE,
        )  # fmt: skip
    return Status(200 if known else 201, facts.episode_out(person, row))


@router.get("/episodes", auth=MAY_READ, response={200: facts.Episodes, **PROBLEMS})
def episodes(
    request: HttpRequest, since: facts.Moment | None = None, limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE
) -> facts.Episodes:
    """Give episodes that began at or after `since`, in order of their start."""
    person = person_of(request)
    rows = Episode.objects.filter(person=person).kept().order_by("start", "pk")
    if (first := facts.instant(person, since)) is not None:
        rows = rows.filter(start__gte=first)
    page = list(rows[: limit + 1])
    after = facts.on_clock(person, page[limit].start) if len(page) > limit else None
    return facts.Episodes(episodes=[facts.episode_out(person, one) for one in page[:limit]], next_since=after)


@router.patch("/episodes/{uuid:number}", auth=MAY_LOG, response={200: facts.EpisodeOut, **PROBLEMS_OF_ONE})
def change_episode(request: HttpRequest, number: UUID, said: facts.EpisodeChange) -> facts.EpisodeOut:
    """Say more of an episode, such as that it has ended."""
    person = person_of(request)
    row = get_object_or_404(Episode.objects.filter(person=person).kept(), pk=number)
    changes = said.model_dump(exclude_unset=True)
    if "start" in changes and changes["start"] is None:
        raise ProblemError("wrong", [("body.start", words()("error.moment_missing"))])
    for name in ("start", "end"):
        if name in changes:
            changes[name] = facts.instant(person, changes[name])
    for name in ("place", "note"):
        if name in changes:
            changes[name] = changes[name] or ""
    with _possible():
        return facts.episode_out(person, diary.detail_episode(row, by=person.user, **changes))


@router.delete("/episodes/{uuid:number}", auth=MAY_LOG, response={204: None, **PROBLEMS_OF_ONE})
def withdraw_episode(request: HttpRequest, number: UUID) -> Status[None]:
    """Take an episode back; one that was taken back stays so, and does not return when it is sent again."""
    person = person_of(request)
    diary.withdraw(get_object_or_404(Episode.objects.filter(person=person), pk=number), by=person.user)
    return Status(204, None)


@router.post("/ratings", auth=MAY_LOG, response={201: facts.RatingOut, 200: facts.RatingOut, **PROBLEMS})
def rate(request: HttpRequest, said: facts.RatingIn) -> Status[facts.RatingOut]:
    """Write down a feeling."""
    person = person_of(request)
    known = _known(Rating, person, said.client_id)
    with _possible():
        row = diary.rate(person, by=person.user, quantity=said.quantity, value=said.value, client_id=said.client_id,
                         time=facts.instant(person, said.time), source=SOURCE)  # fmt: skip
    return Status(200 if known else 201, facts.rating_out(person, row))


@router.post("/exposures", auth=MAY_LOG, response={201: facts.ExposureOut, 200: facts.ExposureOut, **PROBLEMS})
def expose(request: HttpRequest, said: facts.ExposureIn) -> Status[facts.ExposureOut]:
    """Write down something done, taken or met."""
    person = person_of(request)
    known = _known(Exposure, person, said.client_id)
    start = facts.instant(person, said.start) or timezone.now()
    with _possible():
        row = diary.expose(person, by=person.user, kind=said.kind, start=start, end=facts.instant(person, said.end),
                           amount=said.amount, client_id=said.client_id, source=SOURCE)  # fmt: skip
    return Status(200 if known else 201, facts.exposure_out(person, row))


@router.post("/nothing", auth=MAY_LOG, response={201: facts.ExposureOut, 200: facts.ExposureOut, **PROBLEMS})
def nothing(request: HttpRequest, said: facts.NothingIn) -> Status[facts.ExposureOut]:
    """Write down that nothing happened, so that a day without episodes is known to be one."""
    person = person_of(request)
    known = _known(Exposure, person, said.client_id)
    with _possible():
        row = diary.log_nothing(person, by=person.user, at=facts.instant(person, said.at), client_id=said.client_id,
                                source=SOURCE)  # fmt: skip
    return Status(200 if known else 201, facts.exposure_out(person, row))


def _known(model: type[Entry], person: Person, number: UUID | None) -> bool:
    return number is not None and model._default_manager.filter(person=person, client_id=number).exists()


class _possible:  # noqa: N801  # reads as a word of the sentence it stands in
    """Say in the person's words what cannot be."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Turn what the diary refuses into a problem."""
        if isinstance(error, diary.NotPossibleError):
            raise ProblemError("wrong", [("body", words()(str(error)))]) from None
