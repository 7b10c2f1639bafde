"""Every reason is told in Japanese and in English, and no two sound alike."""

from __future__ import annotations

import re

import pytest

from unaji.signals import arousal, latent
from unaji.signals.reasons import ArousalReason, Reason, StateReason, Worded

KINDS = (Reason, StateReason, ArousalReason)


@pytest.mark.parametrize("reason", [reason for kind in KINDS for reason in kind if reason])
def test_every_reason_has_words_in_both_languages(reason: Worded):
    assert re.search("[\u3040-\u30ff]", reason.ja), "kana is in every Japanese sentence"
    assert reason.en.isascii()
    assert len(reason.en) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_reasons_say_the_same(kind: type[Worded]):
    assert len({reason.ja for reason in kind}) == len({reason.en for reason in kind}) == len(kind)
    assert kind(0).ja == kind(0).en == ""


def test_lengths_of_time_in_the_words_are_those_that_are_used():
    assert f"more than {latent.LONGEST_GAP_MIN} minutes" in StateReason.GAP.en
    assert f"at least {latent.FEWEST_MIN} minutes" in StateReason.NO_SIGNAL.en
    assert f"less than {arousal.FEWEST_MIN} minutes" in ArousalReason.NO_SIGNAL.en
