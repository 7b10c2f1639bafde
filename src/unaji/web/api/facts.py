"""What is sent and answered: names with units, moments with their offset."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from unaji.quantities import EXPOSURES, RATINGS
from unaji.records.timeline import Zones
from unaji.web.casebook.models import Episode, Exposure, ImportBatch, Job, Person, Rating
from unaji.web.casebook.models.diary import Place

MOST_NOTE = 1000
EARLIEST, LATEST = 2000, 2100
"""Years between which an entry may lie: others are a device's wrong clock, not a memory."""

PlaceName = StrEnum("PlaceName", {one.name: one.value for one in Place})  # type: ignore[misc]  # made of the model's
Quantity = StrEnum("Quantity", {one.upper(): one for one in RATINGS})  # type: ignore[misc]  # made of the vocabulary
Kind = StrEnum("Kind", {one.upper(): one for one in EXPOSURES if one != "check_in"})  # type: ignore[misc]


def _read_moment(said: Any) -> datetime:
    if not isinstance(said, str):
        raise ValueError("a moment is text such as 2026-04-27T14:32:00+09:00")
    moment = datetime.fromisoformat(said)
    if not EARLIEST <= moment.year < LATEST:
        raise ValueError(f"the year must be from {EARLIEST} to {LATEST - 1}")
    return moment


def _without_nul(said: str) -> str:
    if "\0" in said:
        raise ValueError("holds a NUL character")
    return said.strip()


def _whole(said: Any) -> Any:
    return int(said) if isinstance(said, float) and said.is_integer() else said  # 8.0 is a whole number in JSON


Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "ISO 8601; without an offset it is read on the person's clock.",
        }
    ),
]
Tenth = Annotated[int, Field(strict=True, ge=0, le=10), BeforeValidator(_whole)]
Score = Annotated[float, Field(strict=True, ge=0, le=10, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, ge=0, le=1000, allow_inf_nan=False)]
Note = Annotated[str, Field(max_length=MOST_NOTE), AfterValidator(_without_nul)]


def instant(person: Person, moment: datetime | None) -> datetime | None:
    """Return a moment in UTC; one without an offset is a reading of the person's clock."""
    if moment is None:
        return None
    return Zones((person.timezone,)).to_utc(moment) if moment.tzinfo is None else moment.astimezone(UTC)


class _Sent(Schema):
    """What is sent: a name that nobody knows is a mistake of the sender's, and is said."""

    model_config = ConfigDict(extra="forbid")


class EpisodeIn(_Sent):
    """One time the nape was hot; now, where no start is said. Sent twice with one `client_id` it is stored once."""

    client_id: UUID | None = None
    start: Moment | None = None
    end: Moment | None = None
    intensity: Tenth | None = None
    bother: Tenth | None = None
    place: PlaceName | None = None
    note: Note = ""


class EpisodeChange(_Sent):
    """What more is known of an episode; what is not named stays, null takes a value back."""

    start: Moment | None = None
    end: Moment | None = None
    intensity: Tenth | None = None
    bother: Tenth | None = None
    place: PlaceName | None = None
    note: Note | None = None


class EpisodeOut(Schema):
    """One episode; moments carry the offset of the person's clock."""

    id: UUID
    client_id: UUID
    start: datetime
    end: datetime | None
    intensity: int | None
    bother: int | None
    place: str
    note: str
    source: str
    late: bool
    withdrawn: bool


class Episodes(Schema):
    """A page of episodes in order of their start; `next_since` asks for the page after it."""

    episodes: list[EpisodeOut]
    next_since: datetime | None


class RatingIn(_Sent):
    """One feeling at a moment, 0 to 10; now, where no time is said."""

    client_id: UUID | None = None
    time: Moment | None = None
    quantity: Quantity
    value: Score


class RatingOut(Schema):
    """One feeling."""

    id: UUID
    client_id: UUID
    time: datetime
    quantity: str
    value: float
    withdrawn: bool


class ExposureIn(_Sent):
    """Something done, taken or met; from now, where no start is said. The unit of `amount` goes with the kind."""

    client_id: UUID | None = None
    start: Moment | None = None
    end: Moment | None = None
    kind: Kind
    amount: Amount | None = None


class NothingIn(_Sent):
    """Nothing happened on the day of this moment; today, where none is said."""

    client_id: UUID | None = None
    at: Moment | None = None


class ExposureOut(Schema):
    """Something done, taken or met."""

    id: UUID
    client_id: UUID
    start: datetime
    end: datetime | None
    kind: str
    amount: float | None
    withdrawn: bool


class JobOut(Schema):
    """How far a worker is: `share` of 1."""

    id: UUID
    kind: str
    state: str
    share: float
    error: str


class LeftOut(Schema):
    """Rows that were not used, and why."""

    rule: str
    count: int


class UploadOut(Schema):
    """A file: where it is on its way, and what was understood of it."""

    id: UUID
    name: str
    size_bytes: int
    state: str
    importer: str
    rows: dict[str, int]
    first: datetime | None
    last: datetime | None
    left_out: list[LeftOut]
    refused: str
    job: JobOut | None


class FindingsOut(Schema):
    """The latest answer, as `unaji explain --json` prints it; `stale` where records were added since."""

    made_at: datetime
    stale: bool
    verdict: str
    findings: dict[str, Any]


def episode_out(person: Person, row: Episode) -> EpisodeOut:
    """Tell an episode."""
    return EpisodeOut(
        id=row.pk, client_id=row.client_id, start=on_clock(person, row.start),
        end=None if row.end is None else on_clock(person, row.end), intensity=row.intensity, bother=row.bother,
        place=row.place, note=row.note, source=row.source, late=row.late, withdrawn=row.withdrawn_at is not None,
    )  # fmt: skip


def rating_out(person: Person, row: Rating) -> RatingOut:
    """Tell a feeling."""
    return RatingOut(id=row.pk, client_id=row.client_id, time=on_clock(person, row.time), quantity=row.quantity,
                     value=row.value, withdrawn=row.withdrawn_at is not None)  # fmt: skip


def exposure_out(person: Person, row: Exposure) -> ExposureOut:
    """Tell something done, taken or met."""
    return ExposureOut(
        id=row.pk, client_id=row.client_id, start=on_clock(person, row.start),
        end=None if row.end is None else on_clock(person, row.end), kind=row.kind, amount=row.amount,
        withdrawn=row.withdrawn_at is not None,
    )  # fmt: skip


def job_out(row: Job) -> JobOut:
    """Tell a job."""
    return JobOut(id=row.pk, kind=row.kind, state=row.state, share=round(row.share, 3), error=row.error)


def upload_out(person: Person, row: ImportBatch, told: dict[str, Any], job: Job | None) -> UploadOut:
    """Tell a file."""
    return UploadOut(
        id=row.pk, name=row.file_name, size_bytes=row.size_bytes, state=row.state, importer=row.importer,
        rows=told.get("rows", {}), first=None if row.first_at is None else on_clock(person, row.first_at),
        last=None if row.last_at is None else on_clock(person, row.last_at),
        left_out=[LeftOut(rule=one["rule"], count=one["count"]) for one in told.get("left_out", [])],
        refused=told.get("refused") or "", job=None if job is None else job_out(job),
    )  # fmt: skip


def on_clock(person: Person, moment: datetime) -> datetime:
    """Return a moment with the offset of the person's clock."""
    return moment.astimezone(ZoneInfo(person.timezone))
