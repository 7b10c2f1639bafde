"""All addresses of the project, and one object of each kind to open them with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from unaji.care.trial import Change, design_trial
from unaji.web.casebook import models
from unaji.web.casebook.actions.trials import trial_of
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models.own import Own

NAMES = {"slug": ("neck-heat",), "kind": ("episode", "exposure", "rating", "treatment"), "language": ("ja", "en"),
         "leaf": ("2",)}  # fmt: skip
"""What the parts of an address may be that are not numbers; others are tried with "neck_heat"."""
LIBRARIES = ("allauth.", "django.", "ninja.")
"""Whose views carry no rule of ours: they are looked at by name in the tests of the account."""


@dataclass(frozen=True)
class Address:
    """One pattern of an address."""

    pattern: str
    view: Any
    parts: dict[str, Any]

    @property
    def name(self) -> str:
        return "/" + self.pattern

    @property
    def rule(self) -> str | None:
        return getattr(self.view, "rule", None)

    @property
    def library(self) -> bool:
        return self.view.__module__.startswith(LIBRARIES)

    @property
    def numbered(self) -> bool:
        """Whether it names a row."""
        return any(type(one).__name__ in ("UUIDConverter", "IntConverter") for one in self.parts.values())

    def paths(self, numbers=("01890000-0000-7000-8000-000000000000",)) -> Iterator[str]:
        """Give the address with every choice of its parts."""
        choices = [
            [(name, str(n)) for n in numbers] if type(one).__name__ == "UUIDConverter"
            else [(name, "1")] if type(one).__name__ == "IntConverter"
            else [(name, text) for text in NAMES.get(name, ("neck_heat",))]
            for name, one in self.parts.items()
        ]  # fmt: skip
        for chosen in product(*choices):
            path = self.name
            for name, text in chosen:
                start = path.index("<")
                end = path.index(">", start)
                assert path[start:end].endswith(name)
                path = path[:start] + text + path[end + 1 :]
            yield path


def addresses() -> list[Address]:
    """Give all of them."""
    return list(_below("", {}, get_resolver()))


def _below(prefix, parts, resolver):
    for one in resolver.url_patterns:
        at, more = f"{prefix}{one.pattern}", {**parts, **one.pattern.converters}
        if isinstance(one, URLResolver):
            yield from _below(at, more, one)
        elif isinstance(one, URLPattern):
            yield Address(at, one.callback, more)


def everything_of(person) -> dict[str, Own]:
    """Make one row of each kind that belongs to a person; a kind that is missing here is a mistake of this list."""
    now = datetime(2026, 4, 1, 3, tzinfo=UTC)
    common = {"person": person, "recorded_at": now}
    screen = models.RedFlagScreen.objects.create(
        person=person, at=now, rules="1", level="none", acknowledged_at=timezone.now()
    )
    text = models.ConsentText.objects.filter(purpose="contact").first()
    rows = [
        screen,
        models.ApiToken.objects.create(person=person, name="時計", sha256="0" * 64),
        models.Consent.objects.create(person=person, text=text, purpose="contact", given_at=now),
        models.Episode.objects.create(**common, start=now),
        models.ExportJob.objects.create(person=person, asked_at=now),
        models.Explanation.objects.create(
            person=person, made_at=now, article="neck_heat", claims_sha256="", library="", inputs_sha256="",
            verdict="none",
        ),
        models.Exposure.objects.create(**common, start=now, kind="caffeine"),
        models.ImportBatch.objects.create(person=person, size_bytes=1, sha256="0" * 64),
        models.Intake.objects.create(
            person=person, at=now, screen=screen, article="neck_heat", rules="1", language="ja"
        ),
        models.Job.objects.create(person=person, kind="explain"),
        models.PushSubscription.objects.create(person=person, endpoint="https://push.example/1", p256dh="x", auth="x"),
        models.Rating.objects.create(**common, time=now, quantity="stress", value=3),
        models.Reminder.objects.create(person=person, local_time="20:00"),
        models.SeriesFile.objects.create(
            person=person, quantity="hr_bpm", kind="series", rows=1, first_at=now, last_at=now
        ),
        models.Treatment.objects.create(**common, time=now, kind="acupuncture"),
        _trial(person),
    ]  # fmt: skip
    made = {row._meta.model_name: row for row in rows}
    kinds = {one._meta.model_name for one in apps.get_app_config("casebook").get_models() if issubclass(one, Own)}
    assert made.keys() == kinds, "one row of each kind"
    return made


def _trial(person):
    """Register a trial that begins later."""
    plan = design_trial(
        question="コーヒーを避けると変わりますか", change=Change.AVOID, kind="caffeine", outcome="episodes",
        start=date(2050, 4, 4), timezone="Asia/Tokyo", registered_at=datetime(2026, 4, 1, tzinfo=UTC), blocks=14,
        seed=1,
    )  # fmt: skip
    trial = trial_of(person, plan, number=uuid7())
    trial.save(force_insert=True)
    return trial
