"""The level of a list of warning signs, worked out from the claims alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.claims.graph import load_claims
from unaji.claims.model import Urgency
from unaji.claims.screening import MOST_URGENT_FIRST, check_complete, level_of, rules_version, signs_of

CLAIMS = load_claims("neck_heat")
IDS = tuple(flag.id for flag in CLAIMS.red_flags)
NO_TO_ALL = dict.fromkeys(IDS, False)


def yes_to(*ids):
    return NO_TO_ALL | dict.fromkeys(ids, True)


def test_the_most_urgent_sign_decides():
    assert level_of(yes_to("arm_strip_signs"), CLAIMS) is Urgency.DAYS
    assert level_of(yes_to("arm_strip_signs", "temple_headache"), CLAIMS) is Urgency.TODAY
    assert level_of(yes_to("arm_strip_signs", "temple_headache", "chest_pressure"), CLAIMS) is Urgency.EMERGENCY


def test_nothing_answered_with_yes_gives_no_level():
    assert level_of(NO_TO_ALL, CLAIMS) is None
    assert signs_of(NO_TO_ALL, CLAIMS) == ()


@given(st.sets(st.sampled_from(IDS)))
def test_another_yes_never_makes_it_less_urgent(yes):
    rank = {None: len(MOST_URGENT_FIRST)} | {level: n for n, level in enumerate(MOST_URGENT_FIRST)}
    before = rank[level_of(yes_to(*yes), CLAIMS)]
    for more in IDS:
        assert rank[level_of(yes_to(*yes, more), CLAIMS)] <= before


def test_signs_stand_by_urgency_then_in_the_order_of_the_claims():
    signs = signs_of(yes_to("midlife_or_new_medicine", "arm_strip_signs", "hopelessness", "stroke_signs"), CLAIMS)

    assert [one.id for one in signs] == ["stroke_signs", "hopelessness", "arm_strip_signs", "midlife_or_new_medicine"]


def test_a_list_with_a_gap_has_no_level():
    with pytest.raises(ValueError, match="not answered: chest_pressure"):
        level_of({one: False for one in IDS if one != "chest_pressure"}, CLAIMS)


def test_a_sign_nobody_asks_of_is_refused():
    with pytest.raises(ValueError, match="no such sign: made_up"):
        check_complete(NO_TO_ALL | {"made_up": True}, CLAIMS)


def test_a_sign_that_the_claims_no_longer_know_is_passed_over_in_old_answers():
    assert [one.id for one in signs_of({"gone": True, "hopelessness": True}, CLAIMS)] == ["hopelessness"]


def test_the_version_changes_with_any_text_and_with_the_urgency_but_not_by_itself():
    first, *others = CLAIMS.red_flags
    changed = [
        replace(first, question=replace(first.question, en="Other?")),
        replace(first, say=replace(first.say, ja="別の助言です。")),
        replace(first, tell=None),
        replace(first, urgency=Urgency.DAYS),
    ]
    versions = {rules_version(replace(CLAIMS, red_flags=(one, *others))) for one in changed}

    assert len(versions) == len(changed)
    assert rules_version(CLAIMS) not in versions
    assert rules_version(load_claims("neck_heat")) == rules_version(CLAIMS)


def test_what_to_say_on_the_phone_is_there_for_every_sign_and_is_no_question():
    for flag in CLAIMS.red_flags:
        assert flag.tell is not None, flag.id
        assert flag.tell.ja.endswith("。")
        assert flag.tell.en.endswith(".")
        assert "か。" not in flag.tell.ja


def test_the_helpline_is_the_number_that_the_advice_names():
    with_line = [flag for flag in CLAIMS.red_flags if flag.helpline]

    assert [flag.id for flag in with_line] == ["hopelessness"]
    for flag in with_line:
        for language in ("ja", "en"):
            assert flag.helpline.number in flag.say.in_(language)
            assert flag.helpline.name.in_(language) in flag.say.in_(language)
