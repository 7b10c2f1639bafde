"""What the resources are put together from: concepts, quantities, references, and ids that follow from the content."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from unaji.causes.attribution import Estimate
from unaji.claims.model import Words
from unaji.report.json import number

Json = dict[str, Any]

OURS = "urn:unaji:"
"""What our code systems begin with. No code of LOINC or SNOMED says "episode of a hot nape" or "may be behind it"."""
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

ID_SPACE = uuid5(NAMESPACE_URL, OURS)
"""With another one every resource would be a new one to whoever has read the former bundle."""

_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Entries:
    """The bundle's resources in order, each once, known by an id that follows from the person and its content.

    Same findings, same ids, same bytes. Of two records that are equal the second counts as another one.
    """

    def __init__(self, person: str) -> None:
        self._person = person
        self._seen: Counter[str] = Counter()
        self.entry: list[Json] = []

    def add(self, resource: Json) -> Json:
        """Put a resource into the bundle and return a reference to it."""
        name = self.id_of(resource)
        self.entry.append({"fullUrl": f"urn:uuid:{name}", "resource": {**resource, "id": name}})
        return {"reference": f"urn:uuid:{name}"}

    def id_of(self, content: Any) -> str:
        """Return the id of some content."""
        written = json.dumps([self._person, content], sort_keys=True)
        self._seen[written] += 1
        again = self._seen[written]
        return str(uuid5(ID_SPACE, written if again == 1 else f"{written}#{again}"))


def both(words: Words) -> str:
    """Say a text in both languages, Japanese first; once where both are the same."""
    return words.ja if words.ja == words.en else f"{words.ja} / {words.en}"


def text(written: str) -> str:
    """Return what a person wrote as text FHIR can hold: signs it forbids become blanks.

    R4 allows of the signs below U+0020 only tab, line feed and carriage return.
    """
    return _NOT_IN_TEXT.sub(" ", written)


def known(**fields: Any) -> Json:
    """Return the fields that say something: FHIR has no null, no empty list and no empty text."""
    return {name: value for name, value in fields.items() if value not in (None, [], {}, "")}


def coding(system: str, code: str, words: Words | None = None) -> Json:
    """Return a code of one of our own systems, such as ``urn:unaji:verdict``."""
    return known(system=f"{OURS}{system}", code=code, display=words and text(words.en))


def concept(system: str, code: str, words: Words, *others: Json) -> Json:
    """Return a concept of ours in words of both languages, with the codes others have for it."""
    return {"coding": [coding(system, code, words), *others], "text": text(both(words))}


def said(system: str, code: str, words: Words) -> Json:
    """Return a code of ours with what is said in this one case, which is more than the code means."""
    return {"coding": [coding(system, code)], "text": text(both(words))}


def quantity(value: float | None, unit: str = "1", code: str = "") -> Json | None:
    """Return a computed value, rounded as everywhere; None where there is none.

    Parameters
    ----------
    unit : str
        As people write it.
    code : str
        The same in UCUM; "" where they are alike.
    """
    rounded = number(value)
    return None if rounded is None else exact(rounded, unit, code)


def exact(value: float, unit: str = "1", code: str = "") -> Json:
    """Return a recorded value as it is."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}


def interval(estimate: Estimate, unit: str = "1", code: str = "") -> Json | None:
    """Return the 90 % interval as a Range; None where there is none."""
    low, high = (quantity(end, unit, code) for end in (estimate.p5, estimate.p95))
    return {"low": low, "high": high} if low and high else None


def component(code: Json, **value: Any) -> list[Json]:
    """Return one component with its value; none where it has none."""
    return [{"code": code, **given}] if (given := known(**value)) else []


def estimated(code: Json, estimate: Estimate | None, unit: str = "1", ucum: str = "") -> list[Json]:
    """Return a mean and its 90 % interval as two components, the latter with ``-90`` after the code."""
    if estimate is None:
        return []
    ends = {
        "coding": [{**one, "code": f"{one['code']}-90"} for one in code["coding"]],
        "text": f"{code['text']} (90 %)",
    }
    return [
        *component(code, valueQuantity=quantity(estimate.mean, unit, ucum)),
        *component(ends, valueRange=interval(estimate, unit, ucum)),
    ]


def notes(*texts: str) -> list[Json]:
    """Return what is said beside a value, one note a text."""
    return [{"text": text(one)} for one in texts if one.strip()]


def joined(parts: Iterable[list[Json]]) -> list[Json]:
    """Put lists of components one after the other."""
    return [one for part in parts for one in part]
