"""Where a person may be, to 0.1°: a list of towns to choose from, and how a place is said and kept."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from unaji.errors import InputError
from unaji.records.weather.services import Place
from unaji.records.weather.services import place_of as read_degrees
from unaji.web.words import spoken

PLACES = Path(__file__).parent / "places.toml"


@dataclass(frozen=True, slots=True)
class Town:
    """One place that can be chosen."""

    ja: str
    en: str
    place: Place

    @property
    def name(self) -> str:
        """Its name in the language of this request."""
        return self.ja if spoken() == "ja" else self.en


@cache
def towns() -> tuple[Town, ...]:
    """Return the places that can be chosen."""
    listed = tomllib.loads(PLACES.read_text(encoding="utf-8"))["places"]
    return tuple(Town(one["ja"], one["en"], Place(one["latitude"], one["longitude"])) for one in listed)


def place_name(place: Place) -> str:
    """Say a place: by its name where it is one of the list, else by its degrees."""
    return next((one.name for one in towns() if one.place == place), degrees(place))


def degrees(place: Place) -> str:
    """Say a place by its degrees, as it can be typed."""
    return f"{place.latitude:.1f}, {place.longitude:.1f}".replace("-", "−")


def as_kept(place: Place) -> str:
    """Return a place as `Person.place` keeps it."""
    return f"{place.latitude:.1f} {place.longitude:.1f}"


def read_place(text: str) -> Place | None:
    """Read a place that was chosen or typed: a name of the list, or latitude and longitude; None where it is neither.

    Minus and comma may be those of a Japanese keyboard. What is finer than 0.1° is gone from here on.
    """
    named = next((one for one in towns() if text in (one.ja, one.en)), None)
    if named is not None:
        return named.place
    plain = text.translate(str.maketrans("−－，、", "--,,"))
    with suppress(InputError):
        return read_degrees(plain if "," in plain else ",".join(plain.split()))
    return None
