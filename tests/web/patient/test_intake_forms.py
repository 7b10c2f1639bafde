"""Whatever a browser sends becomes answers that the claims ask for, or is refused; it never fails otherwise."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unaji.claims.graph import load_claims
from unaji.claims.questionnaire import BACKGROUND, IntakeAnswers, Often, Soon, asked_causes, check_answers
from unaji.claims.screening import check_complete
from unaji.web.patient.forms import WrongError
from unaji.web.patient.intake_forms import BODY_LIMITS, as_far_as_read, check_form, read_intake, read_signs

CLAIMS = load_claims("neck_heat")
IDS = [cause.id for cause in asked_causes(CLAIMS)]
SIGNS = [flag.id for flag in CLAIMS.red_flags]

names = st.one_of(
    st.sampled_from([f"{kind}-{one}" for kind in ("often", "soon") for one in IDS]),
    st.sampled_from([f"background-{one}" for one in BACKGROUND]),
    st.sampled_from(["mine", "do", "mine_text", "do_text", "medicines", "age", *BODY_LIMITS]),
    st.text(max_size=12).map(lambda t: f"often-{t}"),
    st.text(max_size=12),
)
values = st.one_of(
    st.sampled_from([*Often, *Soon, "new", "long", "yes", "no", "40", "160", "5", "-1", "nan", "1e400", "٣", ""]),
    st.text(max_size=20),
)


@settings(max_examples=200)
@given(st.dictionaries(names, values, max_size=8), st.lists(st.one_of(st.sampled_from(["headache"]), st.text())))
@example({"mine": "10", "mine_text": "a\0b"}, [])
def test_a_questionnaire_is_read_into_what_was_asked_or_refused(sent, companions):
    refilled = as_far_as_read(sent, companions, CLAIMS)
    check_answers(refilled, CLAIMS)
    try:
        said = read_intake(sent, companions, CLAIMS)
    except WrongError:
        return
    check_answers(said.answers, CLAIMS)
    assert "\0" not in said.answers.mine.text
    for name, value in said.body.items():
        assert value is None or BODY_LIMITS[name][0] <= value <= BODY_LIMITS[name][1]


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(SIGNS), st.text(max_size=8)).map(lambda one: f"sign-{one}"),
        st.one_of(st.sampled_from(["yes", "no"]), st.text(max_size=5)),
    )
)
def test_warning_signs_are_read_whole_or_not_at_all(sent):
    try:
        answers = read_signs(sent, CLAIMS)
    except WrongError:
        return
    if answers is None:
        open_rows = {row.id for row in check_form(CLAIMS, None, sent).open}
        assert open_rows == {one for one in SIGNS if sent.get(f"sign-{one}") not in ("yes", "no")}
    else:
        check_complete(answers, CLAIMS)


def test_all_signs_answered_are_read_as_they_were_answered():
    sent = {f"sign-{one}": "yes" if one == "hopelessness" else "no" for one in SIGNS}

    assert {one for one, yes in read_signs(sent, CLAIMS).items() if yes} == {"hopelessness"}


def test_nothing_sent_is_nothing_said():
    assert read_intake({}, [], CLAIMS).answers == IntakeAnswers()
    assert read_signs({}, CLAIMS) is None


@pytest.mark.parametrize("said", ["39.9", "250.1", "inf", "1 60", "一六〇"])
def test_a_height_nobody_has_is_refused(said):
    with pytest.raises(WrongError, match="身長"):
        read_intake({"height_cm": said}, [], CLAIMS)
