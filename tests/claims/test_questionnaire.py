"""A questionnaire follows from any article's claims."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from unaji.claims.graph import load_claims
from unaji.claims.questionnaire import (
    CauseAnswer,
    IntakeAnswers,
    Often,
    OwnWords,
    Soon,
    as_plain,
    asked_background,
    asked_causes,
    check_answers,
    from_plain,
)

CLAIMS = load_claims("neck_heat")

ANSWERS = IntakeAnswers(
    causes={"stress": CauseAnswer(Often.OFTEN, Soon.HOUR), "sun": CauseAnswer(Often.NO)},
    background={"medication": "new"},
    companions=("headache",),
    medicines="血圧の薬",
    age_band="40",
    mine=OwnWords("会議で困る", 7),
)


def test_every_cause_is_asked_after_but_what_only_a_device_knows():
    asked = {cause.id for cause in asked_causes(CLAIMS)}

    assert {cause.id for cause in CLAIMS.causes} - asked == {"arousal"}


def test_another_article_asks_its_own_questions(cold_fingers):
    other = load_claims(cold_fingers)

    assert [cause.id for cause in asked_causes(other)] == ["cold_air", "smoke"]
    assert asked_background(other) == ()
    assert asked_background(CLAIMS) == ("medication", "hot_flush")


def test_answers_are_the_same_after_a_way_through_json():
    assert from_plain(json.loads(json.dumps(as_plain(ANSWERS))), CLAIMS) == ANSWERS
    assert from_plain(as_plain(IntakeAnswers()), CLAIMS) == IntakeAnswers()


def test_old_answers_stay_readable_when_the_claims_ask_no_longer(cold_fingers):
    read = from_plain(as_plain(ANSWERS), load_claims(cold_fingers))

    assert read == replace(ANSWERS, causes={}, background={})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"causes": {"moon": CauseAnswer()}}, "no such cause: 'moon'"),
        ({"causes": {"arousal": CauseAnswer()}}, "no such cause: 'arousal'"),
        ({"background": {"wealth": "yes"}}, "no such circumstance"),
        ({"background": {"medication": "maybe"}}, "'maybe' is none of"),
        ({"companions": ("wings",)}, "no such complaint"),
        ({"age_band": "25"}, "no such age band"),
        ({"do": OwnWords("", 11)}, "within 0 to 10"),
    ],
)
def test_what_was_not_asked_is_refused(wrong, said):
    check_answers(ANSWERS, CLAIMS)

    with pytest.raises(ValueError, match=said):
        check_answers(replace(ANSWERS, **wrong), CLAIMS)
