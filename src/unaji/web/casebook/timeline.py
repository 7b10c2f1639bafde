"""The one door from the casebook to the library: a person's rows and files, as a timeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from unaji.records import timeline as facts
from unaji.records.clock import now_utc
from unaji.records.folder import own_tables, stored, vendors_files, whose_folder
from unaji.records.folder import timeline_of as assembled
from unaji.records.merge import Fragment, merge
from unaji.records.person import person_toml
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Timeline, Zones
from unaji.web.casebook.files import opened
from unaji.web.casebook.models import Episode, Exposure, Person, Rating, RedFlagScreen, Treatment


def timeline_of(person: Person) -> Timeline:
    """Return everything known of a person: what they wrote, and what was imported.

    A waveform stays sealed on the disk and is opened anew each time it is read.
    """
    with opened(person.pk) as folder:
        read = read_timeline(person, folder)
    return replace(read, waves=tuple(replace(w, pieces=partial(_pieces, person, w)) for w in read.waves))


def read_timeline(person: Person, folder: Path) -> Timeline:
    """Return everything known of a person whose folder is open; its waveforms can be read as long as it is."""
    log = ProblemLog()
    (folder / "person.toml").write_text(person_toml(person_of(person)), encoding="utf-8")
    _, clock = whose_folder(folder, None, now_utc(), log)
    fragments = [
        diary_of(person),
        *own_tables(folder, clock, log),
        *stored(folder, log),
        *vendors_files(folder, clock, log),
    ]
    return assembled(person_of(person), clock.zones or Zones((person.timezone,)), merge(fragments, log), log)


def person_of(person: Person) -> facts.Person:
    """Return who the records are of, without a name."""
    latitude = longitude = birth_year = None
    with suppress(ValueError):
        latitude, longitude = map(float, person.place.split())
    with suppress(ValueError):
        birth_year = int(person.birth_date[:4])
    return facts.Person(
        id=str(person.pk),
        timezone=person.timezone,
        birth_year=birth_year,
        sex=person.sex or None,
        height_cm=person.height_cm,
        weight_kg=person.weight_kg,
        latitude=latitude,
        longitude=longitude,
        simulated=person.simulated,
        unsafe=person.unsafe,
    )


def diary_of(person: Person) -> Fragment:
    """Return what a person wrote; answered warning signs are exposures, as in the folder format."""
    return Fragment(
        episodes=tuple(
            facts.Episode(row.start, row.end, None if row.intensity is None else float(row.intensity), row.note)
            for row in Episode.objects.filter(person=person).kept()
        ),
        ratings=tuple(
            facts.Rating(row.time, row.quantity, row.value) for row in Rating.objects.filter(person=person).kept()
        ),
        exposures=(
            *(
                facts.Exposure(row.start, row.kind, row.end, row.amount)
                for row in Exposure.objects.filter(person=person).kept()
            ),
            *(
                facts.Exposure(screen.at, sign)
                for screen in RedFlagScreen.objects.filter(person=person)
                for sign, yes in screen.answers.items()
                if yes
            ),
        ),
        treatments=tuple(
            facts.Treatment(row.time, row.kind, (), row.note) for row in Treatment.objects.filter(person=person).kept()
        ),
    )


def _pieces(person: Person, wave: facts.Wave) -> Iterator[facts.Piece]:
    with opened(person.pk) as folder:
        for again in read_timeline(person, folder).waves:
            if (again.quantity, again.site, again.source, again.first) == (
                wave.quantity,
                wave.site,
                wave.source,
                wave.first,
            ):
                yield from again.pieces()
                return
