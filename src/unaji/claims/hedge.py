"""Does a text say of a weakly proven claim that it is not settled?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from unaji.claims.model import Grade

WEAK = (Grade.C, Grade.D)
"""Grades of which nothing is said without a hedge."""

_HEDGES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "ja": re.compile(r"可能性|かもしれません|報告があ[るり]|はっきりしてい(?:な|ません)|確かめられていません"),
        "en": re.compile(
            r"\b(may|might|perhaps|reported|differ|conflicting)\b|\b(not|nor|none)\b.{0,40}\b(clear|known|shown)\b"
            r"|\bno (study|trial|evidence|measurement)\b|\bhas not been\b",
            re.IGNORECASE,
        ),
    }
)


def is_hedged(text: str, language: str) -> bool:
    """Say whether a text leaves open what weak evidence leaves open.

    Parameters
    ----------
    language : {"ja", "en"}
    """
    return _HEDGES[language].search(text) is not None
