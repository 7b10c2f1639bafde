"""What if: move stress, air, posture, scarf and fever, and see what the neck simulator makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict

from django.http import HttpResponse, JsonResponse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.what_if import SLIDERS, WhatIf, usual_crowd, what_if
from unaji.report.what_if import told
from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.models import Person
from unaji.web.casebook.timeline import person_of
from unaji.web.patient.clock import local_today
from unaji.web.patient.views import screen
from unaji.web.words import spoken, words


@person_page
@require_GET
def what_if_screen(request: SignedIn, person: Person) -> HttpResponse:
    """Answer as a screen, or as JSON to the screen's script."""
    asked, problem = read_asked(request.GET)
    said = told(what_if(asked, usual_crowd(body_of(person))), spoken())
    if request.headers.get("Accept", "").startswith("application/json"):
        answer = json.loads(said.json())
        return JsonResponse({**answer, "problem": problem}, status=422 if problem else 200)
    sliders = [
        {**asdict(one), "low": SLIDERS[one.id].low, "high": SLIDERS[one.id].high, "step": SLIDERS[one.id].step,
         "at": float(getattr(asked, one.id)), "switch": one.id == "covered"}
        for one in said.sliders
    ]  # fmt: skip
    return screen(
        request, "what_if.html", person, "why", 422 if problem else 200, told=said, sliders=sliders, problem=problem,
        section=mark_safe(said.section), section_usual=mark_safe(said.section_usual),
    )  # fmt: skip


def read_asked(sent: Mapping[str, str]) -> tuple[WhatIf, str]:
    """Read where the sliders stand; what is missing stands at its usual place.

    Returns
    -------
    (WhatIf, str)
        And what is wrong, in the person's language; then everything stands at its usual place.
    """
    values: dict[str, float | bool] = {}
    for name in SLIDERS:
        said = sent.get(name, "")
        if not said:
            continue
        with suppress(ValueError):
            values[name] = said not in ("0", "0.0") if name == "covered" else float(said)
    try:
        return WhatIf(**values), ""  # type: ignore[arg-type]  # a field each, checked by it
    except ValueError:
        return WhatIf(), words()("what_if.out_of_range")


def body_of(person: Person) -> KnownBody:
    """Return what is known of a person's body; what is not is drawn from a population."""
    known = person_of(person)
    year = local_today(person).year
    return KnownBody(
        height_m=None if known.height_cm is None else known.height_cm / 100,
        weight_kg=known.weight_kg,
        age_y=None if known.birth_year is None else float(year - known.birth_year),
        female={"female": True, "male": False}.get(known.sex or ""),
    )
