"""What may be behind it before anything is measured, and what to log first."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.care.first_picture import KNOWN, NEXT_BEST, OPEN, Means, OnRecord, Reason, Standing, first_picture, time_fits
from unaji.claims.graph import load_claims
from unaji.claims.model import Reading
from unaji.claims.questionnaire import BACKGROUND, CauseAnswer, IntakeAnswers, Often, Soon, asked_causes

CLAIMS = load_claims("neck_heat")
NOTHING = OnRecord()
ASKED = [cause.id for cause in asked_causes(CLAIMS)]


def picture(answers=None, there=NOTHING, **causes):
    return first_picture(CLAIMS, answers or IntakeAnswers(causes=causes), there)


def reason(found, cause_id):
    return next(one.reason for one in found.causes if one.cause.id == cause_id)


@pytest.mark.parametrize(
    ("cause", "answer", "expected"),
    [
        ("caffeine", CauseAnswer(Often.OFTEN, Soon.HOUR), Reason.OFTEN),  # 20 to 180 min
        ("caffeine", CauseAnswer(Often.SOMETIMES), Reason.SOMETIMES),
        ("caffeine", CauseAnswer(Often.OFTEN, Soon.DAY), Reason.OTHER_TIME),
        ("caffeine", CauseAnswer(Often.NO, Soon.HOUR), Reason.NOT_NOTICED),
        ("caffeine", CauseAnswer(), Reason.NOT_KNOWN),
        ("arousal", CauseAnswer(), Reason.DEVICE_ONLY),
    ],
)
def test_a_cause_stands_by_what_was_said_of_it(cause, answer, expected):
    answers = IntakeAnswers(causes={} if cause == "arousal" else {cause: answer})

    assert reason(picture(answers), cause) is expected


def test_a_time_fits_where_it_meets_the_lags_of_the_claims():
    pressure, sun = CLAIMS.cause("pressure_drop"), CLAIMS.cause("sun")  # 120 to 1440 min, 5 to 60 min

    assert [time_fits(pressure, one) for one in Soon] == [False, False, True, True, None]
    assert [time_fits(sun, one) for one in Soon] == [True, True, False, False, None]


def test_a_new_medicine_makes_medicine_worth_looking_into():
    answers = IntakeAnswers(causes={"medication": CauseAnswer(Often.NO)}, background={"medication": "new"})

    assert reason(picture(answers), "medication") is Reason.CIRCUMSTANCE
    assert reason(picture(IntakeAnswers(background={"medication": "long"})), "medication") is Reason.NOT_KNOWN


def test_a_complaint_that_goes_along_is_shown_and_decides_nothing():
    with_it = picture(IntakeAnswers(companions=("eye_strain",)))

    assert next(one.companions for one in with_it.causes if one.cause.id == "desk_load") == ("eye_strain",)
    assert reason(with_it, "desk_load") is Reason.NOT_KNOWN


def test_one_rating_that_feeds_two_open_causes_comes_before_one_that_feeds_one():
    found = picture(
        stress=CauseAnswer(Often.OFTEN), chronic_stress=CauseAnswer(Often.OFTEN), fatigue=CauseAnswer(Often.OFTEN),
        **{one: CauseAnswer(Often.NO) for one in ASKED if one not in ("stress", "chronic_stress", "fatigue")},
    )  # fmt: skip

    assert [step.names for step in found.steps[:2]] == [("stress",), ("fatigue",)]
    assert [cause.id for cause in found.steps[0].feeds] == ["stress", "chronic_stress"]


def test_the_weather_comes_in_one_step_with_all_it_feeds():
    weather = next(step for step in picture().steps if step.means is Means.WEATHER)

    assert {cause.id for cause in weather.feeds} == {"temp_change", "pressure_drop", "ambient_heat", "humidity"}
    assert set(weather.names) == {"air_temp_c", "station_pressure_hpa", "sea_level_pressure_hpa", "rel_humidity_pct"}


def test_what_is_on_record_is_not_asked_for_again():
    there = OnRecord({Reading.RATING: frozenset({"stress"}), Reading.EXPOSURE: frozenset({"desk_work"})})
    found = picture(there=there, stress=CauseAnswer(Often.OFTEN))

    fed = {one.cause.id for one in found.causes if one.fed_by}
    assert fed == {"stress", "chronic_stress", "desk_load"}
    assert not {cause.id for step in found.steps for cause in step.feeds} & fed


def test_a_second_best_signal_on_record_leaves_the_best_worth_logging():
    there = OnRecord({Reading.QUANTITY: frozenset({"screen_min"})})
    steps = picture(there=there, phone=CauseAnswer(Often.OFTEN)).steps

    assert any(step.names == ("phone",) for step in steps)
    assert not any(step.names == ("screen_min",) for step in steps)


answers = st.builds(
    IntakeAnswers,
    causes=st.dictionaries(
        st.sampled_from(ASKED), st.builds(CauseAnswer, st.sampled_from(Often), st.sampled_from(Soon))
    ),
    background=st.fixed_dictionaries({}, optional={one: st.sampled_from(all_) for one, all_ in BACKGROUND.items()}),
)
on_record = st.builds(
    lambda ratings, exposures: OnRecord({Reading.RATING: ratings, Reading.EXPOSURE: exposures}),
    st.frozensets(st.sampled_from(["stress", "anger", "fatigue", "neck_stiffness"])),
    st.frozensets(st.sampled_from(["desk_work", "sleep", "sun", "caffeine"])),
)


@settings(max_examples=50, deadline=None)
@given(answers, on_record)
def test_whatever_is_said_every_cause_stands_once_and_can_be_looked_into_by_some_step(said, there):
    found = first_picture(CLAIMS, said, there)

    assert sorted(one.cause.id for one in found.causes) == sorted(cause.id for cause in CLAIMS.causes)
    standings = [list(Standing).index(one.standing) for one in found.causes]
    assert standings == sorted(standings)
    reachable = {cause.id for step in found.steps for cause in step.feeds} | {
        one.cause.id for one in found.causes if one.fed_by
    }
    assert reachable == {cause.id for cause in CLAIMS.causes}


@settings(max_examples=50, deadline=None)
@given(answers, on_record)
def test_each_step_adds_at_least_as_much_as_the_next_whatever_is_on_record(said, there):
    """The greedy rule worked out the slow way: from the steps alone, what each adds to those before it."""
    found = first_picture(CLAIMS, said, there)
    weight = {one.cause.id: OPEN[one.reason] * KNOWN[one.cause.grade] for one in found.causes}
    fed = {one.cause.id: NEXT_BEST ** one.cause.signals.index(one.fed_by) if one.fed_by else 0 for one in found.causes}

    added = []
    for step in found.steps:
        gain = 0.0
        for cause in step.feeds:
            best = min(i for i, signal in enumerate(cause.signals) if set(signal.names) <= set(step.names))
            gain += weight[cause.id] * (NEXT_BEST**best - fed[cause.id])
            fed[cause.id] = NEXT_BEST**best
        added.append(gain)
    assert all(one > 0 for one in added)
    assert all(one >= other - 1e-12 for one, other in itertools.pairwise(added))


def test_another_article_gets_its_own_picture(tmp_path):
    from tests.claims.conftest import EN, JA, MODEL

    for name, text in (("model.toml", MODEL), ("ja.md", JA), ("en.md", EN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = first_picture(
        load_claims(tmp_path), IntakeAnswers(causes={"smoke": CauseAnswer(Often.OFTEN, Soon.NOW)}), NOTHING
    )

    assert [(one.cause.id, one.standing) for one in found.causes] == [
        ("smoke", Standing.PLAUSIBLE),
        ("cold_air", Standing.CANNOT_TELL),
    ]
    assert [step.means for step in found.steps] == [Means.EXPOSURE, Means.WEATHER]
