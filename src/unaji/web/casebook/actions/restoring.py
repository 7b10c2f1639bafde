"""Read what unaji itself has handed out: somebody's export, brought back here or brought here from elsewhere."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl
from django.db import transaction
from django.utils import timezone

from unaji.care.trial import TrialPlan, check_plan
from unaji.care.trial_file import plan_of as plan_in
from unaji.errors import InputError, UsageError
from unaji.records.folder import Content, contents_of, own_files, put_files, read_folder
from unaji.records.importing import Imported
from unaji.records.timeline import Timeline
from unaji.records.weather.open_meteo import without_fetched
from unaji.web.casebook.actions.trials import asks_for_any, end_unsafe, forget_result, readable_plan, trial_of
from unaji.web.casebook.audit import record
from unaji.web.casebook.files import scratch_folder
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.jobs import CannotError
from unaji.web.casebook.models import Episode, Exposure, Person, Rating, Treatment, Trial
from unaji.web.casebook.models.diary import Entry
from unaji.web.casebook.models.results import TrialEnd

RECORDS = "unaji/records/"
"""Folder inside the export that holds the records in the folder format."""
TRIALS, ENDS = "trials", "ends.csv"
"""Folder beside the records for the plans of trials, and the table of how they ended in it."""
MOST_TRIALS, LARGEST_PLAN_BYTES = 1000, 1 << 20
LARGEST_BYTES = 4 << 30
SOURCE = "import"


def is_export(file: Path) -> bool:
    """Say whether a file is one that `actions.exports` has packed."""
    try:
        with zipfile.ZipFile(file) as archive:
            return f"{RECORDS}person.toml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


@contextmanager
def exported(file: Path) -> Iterator[Timeline]:
    """Unpack the records of an export and read them.

    Raises
    ------
    InputError
        There is nothing in it that can be used.
    """
    with scratch_folder() as place, zipfile.ZipFile(file) as archive:
        folder, left = place / "records", LARGEST_BYTES
        for info in archive.infolist():
            name = info.filename.removeprefix(RECORDS)
            inside = (folder / name).resolve()
            if info.is_dir() or name == info.filename or not inside.is_relative_to(folder.resolve()):
                continue
            left -= info.file_size
            if left < 0:
                raise InputError(f"the export holds more than {LARGEST_BYTES:,} bytes of records")
            inside.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as packed, inside.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        yield read_folder(folder)


def counted(whole: Timeline, file: Path, trials: Sequence[Brought] = ()) -> Imported:
    """Tell what is in an export, as of any other file."""
    timeline, left_out = without_fetched(whole, str(file))
    rows: Counter[str] = Counter()
    for series in timeline.series:
        rows[series.quantity] += len(series)
    if timeline.beats is not None:
        rows["rri_ms"] += len(timeline.beats)
    for name in ("episodes", "ratings", "exposures", "treatments"):
        rows[name] = len(getattr(timeline, name))
    rows["trials"] = len(trials)
    span = timeline.span
    return Imported(
        str(file), ("unaji",), rows={name: n for name, n in sorted(rows.items()) if n},
        first=None if span is None else span.start, last=None if span is None else span.end,
        rejected=left_out, problems=timeline.problems,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PutBack:
    """By what an export that was stored can be found again: the moment of its diary, the names of its tables."""

    stamp: datetime
    tables: tuple[str, ...]


def put_tables(timeline: Timeline, folder: Path) -> tuple[str, ...]:
    """Add what was measured to a person's open folder, but for weather that was fetched; return its tables' names.

    Raises
    ------
    CannotError
        The folder holds the tables of another export, which would be replaced: that one has to be taken back first.
    """
    measured = replace(
        without_fetched(timeline, "")[0], episodes=(), ratings=(), exposures=(), treatments=(), outcomes=()
    )
    contents = {name: content for name, content in contents_of(measured).items() if name != "person.toml"}
    there = [file for file in own_files(folder) if file.name != "person.toml"]
    if contents and there:
        names = {file.relative_to(folder).as_posix(): file for file in there}
        if names.keys() != contents.keys() or not all(_holds(names[name], one) for name, one in contents.items()):
            raise CannotError("another_export")
    elif contents:  # else a try before this one got as far
        put_files(contents, folder, ())
    return tuple(contents)


def _holds(file: Path, content: Content) -> bool:
    if isinstance(content, str):
        return file.read_text(encoding="utf-8") == content
    return pl.read_parquet(file).equals(content)


@dataclass(frozen=True, slots=True)
class Brought:
    """One trial of an export, whose plan could have been made here.

    Attributes
    ----------
    ended_at : datetime or None
        None where it still ran when the export was made.
    """

    plan: TrialPlan
    ended_at: datetime | None
    ended_why: str

    def __post_init__(self) -> None:
        """Hold the plan against the rules by which plans are made; the fingerprint says nothing of them."""
        check_plan(self.plan)


def trials_in(file: Path) -> tuple[Brought, ...]:
    """Read the trials of an export.

    A plan that was changed since it was registered is left out, as is one that could not have been made.
    """
    prefix, found = f"unaji/{TRIALS}/", []
    with zipfile.ZipFile(file) as archive:
        small = {info.filename for info in archive.infolist() if info.file_size <= LARGEST_PLAN_BYTES}
        ends: dict[str, tuple[datetime, str]] = {}
        otherwise: tuple[datetime | None, str] = (None, "")
        try:
            ends = _ends(archive.read(prefix + ENDS)) if prefix + ENDS in small else {}
        except csv.Error:  # nobody knows any more which of them ran on: none does
            otherwise = (timezone.now(), TrialEnd.MOVED)
        for name in sorted(one for one in small if one.startswith(prefix) and one.endswith(".toml"))[:MOST_TRIALS]:
            with suppress(InputError, UsageError, UnicodeDecodeError):
                plan = plan_in(archive.read(name).decode("utf-8"), name)
                ended_at, why = ends.get(Path(name).stem, otherwise)
                found.append(Brought(plan, ended_at, why))
    return tuple(found)


def _ends(content: bytes) -> dict[str, tuple[datetime, str]]:
    ends = {}
    for row in csv.DictReader(io.StringIO(content.decode("utf-8", errors="replace"))):
        with suppress(ValueError, TypeError, KeyError):
            at = datetime.fromisoformat(row["ended_at"])
            if at.tzinfo is not None and row["ended_why"] in TrialEnd.values:
                ends[row["id"]] = (at, row["ended_why"])
    return ends


def put_trials(person: Person, trials: Sequence[Brought], stamp: datetime) -> int:
    """Add trials that a person does not have yet; return how many.

    One that still ran goes on here, unless another one does, or it asks for what the person must not have: then it ends
    with that.
    """
    held = Trial.objects.filter(person=person)
    known = {plan.fingerprint for plan in map(readable_plan, held) if plan is not None}
    runs, added = held.running().exists(), 0
    for one in trials:
        if one.plan.fingerprint in known:
            continue
        known.add(one.plan.fingerprint)
        row = trial_of(person, one.plan, number=uuid7())
        row.made_at = stamp
        if one.ended_at is not None and one.ended_at >= row.registered_at:
            row.ended_at, row.ended_why = one.ended_at, one.ended_why
        elif runs or asks_for_any(one.plan, person.unsafe):
            row.ended_at, row.ended_why = max(stamp, row.registered_at), TrialEnd.MOVED
        runs = runs or row.ended_at is None
        row.save(force_insert=True)
        record("create", row, by=None, person=person.pk)
        added += 1
    return added


def put_unsafe(person: Person, timeline: Timeline) -> None:
    """Add what an export says the person must not have more of; taking it back leaves that there.

    A trial that asks for more of it ends with that, also one that has just been brought.
    """
    new = [one for one in timeline.person.unsafe if one not in person.unsafe and one.split() == [one]]
    if new:
        person.unsafe_text = " ".join((*person.unsafe, *new))
        person.save(update_fields=["unsafe_sealed"])
        record("change", person, by=None, person=person.pk)
        end_unsafe(person, by=None)


def put_entries(person: Person, timeline: Timeline) -> datetime:
    """Add what was written to a person's diary; return the moment by which it can be found again.

    What stands in the diary already is not doubled, and what the person once took back by hand does not return.
    """
    stamp = timezone.now()
    for model, told, rows in rows_of(person, timeline, SOURCE, lambda _: stamp):
        there = model._default_manager.filter(person=person).exclude(source=SOURCE, withdrawn_at__isnull=False)
        known = {_content(values) for values in there.values_list(*told)}
        fresh = [row for row in rows if _content(tuple(getattr(row, name) for name in told)) not in known]
        model._default_manager.bulk_create(fresh, batch_size=500)
    return stamp


def rows_of(
    person: Person, timeline: Timeline, source: str, recorded_at: Callable[[datetime], datetime]
) -> Iterator[tuple[type[Entry], tuple[str, ...], list[Entry]]]:
    """Give a timeline's diary as rows: of each kind its model, the columns that tell one row from another, the rows.

    Parameters
    ----------
    recorded_at : callable
        When an entry of a moment counts as written down.
    """

    def common(moment: datetime) -> dict[str, object]:
        return {"person": person, "client_id": uuid7(), "recorded_at": recorded_at(moment), "source": source}

    episodes: list[Entry] = []
    for e in timeline.episodes:
        strength = None if e.intensity is None else round(e.intensity)
        episode = Episode(**common(e.start), start=e.start, end=e.end, intensity=strength)
        episode.note = e.note
        episodes.append(episode)
    yield Episode, ("start", "end", "intensity"), episodes
    treatments: list[Entry] = []
    for t in timeline.treatments:
        treatment = Treatment(**common(t.time), time=t.time, kind=t.kind)
        treatment.note = t.note
        treatments.append(treatment)
    yield Treatment, ("time", "kind"), treatments
    yield (
        Rating,
        ("time", "quantity", "value"),
        [Rating(**common(r.time), time=r.time, quantity=r.quantity, value=r.value) for r in timeline.ratings],
    )
    yield (
        Exposure,
        ("start", "end", "kind", "amount"),
        [
            Exposure(**common(e.start), start=e.start, end=e.end, kind=e.kind, amount=e.amount)
            for e in timeline.exposures
        ],
    )


def take_back(person: Person, added: PutBack, folder: Path) -> None:
    """Take back what was added to the diary and to the open folder."""
    for name in added.tables:
        (folder / name).unlink(missing_ok=True)
    for model in (Episode, Rating, Exposure, Treatment):
        rows = model._default_manager.filter(person=person, source=SOURCE, recorded_at=added.stamp)
        rows.update(withdrawn_at=timezone.now())
    for trial in Trial.objects.filter(person=person, made_at=added.stamp):
        with transaction.atomic():
            record("withdraw", trial, by=None, person=person.pk)
            trial.delete()
        forget_result(trial)


def _content(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(int(one.timestamp() * 1000) if isinstance(one, datetime) else one for one in values)
