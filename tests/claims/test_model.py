"""The small promises of the types themselves."""

from __future__ import annotations

from dataclasses import fields

import pytest

from unaji.claims.model import DERIVED, Words
from unaji.signals.state import AutonomicState


def test_words_are_given_in_the_language_asked_for():
    words = Words("首", "neck")
    assert (words.in_("ja"), words.in_("en")) == ("首", "neck")


def test_words_know_no_third_language():
    with pytest.raises(ValueError, match="'ja' or 'en', got 'fr'"):
        Words("首", "neck").in_("fr")


def test_every_derived_signal_is_one_that_signals_computes():
    assert set(DERIVED) <= {field.name for field in fields(AutonomicState)}
