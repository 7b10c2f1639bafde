"""A trial on oneself: chosen, looked at, registered for good, followed day by day, and read when it is over."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

import unaji
from tests.web.accounts import sign_in
from tests.web.conftest import make_person
from unaji.care import trial_power
from unaji.care.trial import Change, design_trial
from unaji.care.trial_file import plan_toml, read_plan
from unaji.cli import unaji as command
from unaji.quantities import EXPOSURES
from unaji.records.timeline import Person as TimelinePerson
from unaji.records.timeline import Timeline, Zones
from unaji.web.casebook.actions import diary, restoring
from unaji.web.casebook.actions import trials as actions
from unaji.web.casebook.actions.screens import answer_screen
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.files import put_document
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.jobs import run
from unaji.web.casebook.models import (
    AuditEvent,
    Episode,
    Explanation,
    ExportJob,
    Exposure,
    ImportBatch,
    Job,
    Person,
    Rating,
    Treatment,
    Trial,
)
from unaji.web.casebook.trial_choices import choices, expected, outcomes

pytestmark = pytest.mark.django_db
by_a_worker = pytest.mark.django_db(transaction=True)  # who beats in a thread of its own while it works

TOKYO = Zones(("Asia/Tokyo",))
QUESTION = "コーヒーをやめると首の熱さは変わるか"


@pytest.fixture(autouse=True)
def _a_rougher_forecast(monkeypatch):
    monkeypatch.setattr(trial_power, "N_SIMULATED", 20)  # how good it is, is asked in tests/care


def today() -> date:
    return TOKYO.local(timezone.now()).date()


def at(day: date, hour: float) -> datetime:
    return TOKYO.to_utc(datetime.combine(day, time()) + timedelta(hours=hour))


def work(person: Person) -> None:
    while (job := Job.objects.filter(person=person, state="waiting").order_by("made_at").first()) is not None:
        run(job.pk)


def put(person: Person, start: date, *, change="avoid", kind="caffeine", outcome="felt_heat", blocks=5) -> Trial:
    """Store a trial that was registered on the day before its first, whenever that is."""
    plan = design_trial(
        question=QUESTION, change=Change(change), kind=kind, outcome=outcome, start=start, timezone="Asia/Tokyo",
        registered_at=at(start - timedelta(days=1), 20), blocks=blocks, seed=4,
    )  # fmt: skip
    trial = actions.trial_of(person, plan, number=uuid7())
    trial.save(force_insert=True)
    return trial


def live(person: Person, trial: Trial, *, gain=3.0, until: date | None = None) -> None:
    """Write down each day of a trial: coffee or none, and how hot it was."""
    plan = actions.plan_of(trial)
    common = {"person": person, "source": "app"}
    for one in plan.periods:
        if until is not None and one.first > until:
            continue
        noon, wave = at(one.first, 12), 0.3 * (one.block % 3)
        amount = 0.0 if one.changed else 1.0
        Exposure.objects.create(**common, recorded_at=noon, start=noon, kind=plan.kind, amount=amount)
        value = 6.0 + wave - (gain if one.changed else 0.0)
        Rating.objects.create(**common, recorded_at=noon, time=noon, quantity="felt_heat", value=value)


def sent(**changes) -> dict[str, str]:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    usual = {"what": "avoid-caffeine", "outcome": "episodes", "start": tomorrow, "weeks": "4", "question": QUESTION,
             "client_id": str(uuid4()), "then": "register"}  # fmt: skip
    return usual | changes


def warn(person: Person, level_of="today") -> None:
    claims = claims_in_use()
    raised = next(flag.id for flag in claims.red_flags if flag.urgency == level_of)
    signs = {flag.id: flag.id == raised for flag in claims.red_flags}
    screen = answer_screen(person, by=person.user, answers=signs, claims=claims, why="again")
    type(screen).objects.filter(pk=screen.pk).update(acknowledged_at=timezone.now())


# -- what to change ----------------------------------------------------------------------------------------------------


def test_what_may_be_tried_never_raises_what_harms_and_respects_what_does_not_suit(hana):
    codes = {one.code for one in choices(hana)}

    assert {"avoid-caffeine", "avoid-alcohol", "avoid-desk_work", "seek-exercise", "treat-acupuncture"} <= codes
    assert codes.isdisjoint({"seek-alcohol", "seek-sun", "avoid-sleep", "avoid-medication", "seek-hot_flush"})
    actions.mark_unsafe(hana, ("exercise", "acupuncture"), by=hana.user)
    left = {one.code for one in choices(Person.objects.get(pk=hana.pk))}
    assert codes - left == {"seek-exercise", "treat-acupuncture"}


def test_every_choice_can_be_looked_at_and_designed(hana):
    for one in choices(hana):
        wish = actions.Wish("?", one.change, one.kind, "episodes", today() + timedelta(days=1), 2)
        assert actions.laid_out(wish, hana, now=timezone.now(), seed=1).kind == one.kind


def test_what_the_latest_answer_proposes_stands_first(hana, as_hana):
    answer = Explanation(person=hana, made_at=timezone.now(), article="neck_heat", claims_sha256="0",
                         library=unaji.__version__, inputs_sha256="0", verdict="rank")  # fmt: skip
    told = {"bits": {}, "worth_it": True, "settles": 0.62, "settles_if_going_on": 0.2}
    observations = [{"do": "record", "id": "stress", **told}, {"do": "avoid", "id": "alcohol", **told},
                    {"do": "seek", "id": "exercise", **told, "worth_it": False}]  # fmt: skip
    put_document(hana.pk, f"{answer.pk}/findings.json", json.dumps({"next_observation": observations}).encode())
    answer.save(force_insert=True)

    found = choices(hana)
    page = as_hana.get("/trials/new").content.decode()

    assert [one.code for one in found if one.proposed] == ["avoid-alcohol"]
    assert found[0].code == "avoid-alcohol"
    assert "62%" in page
    assert page.index("avoid-alcohol") < page.index("avoid-caffeine")


def test_what_does_not_suit_is_kept_sealed_and_reaches_the_answer_and_the_export(hana, as_hana):
    as_hana.post("/trials/unsafe", {"unsafe": ["exercise", "alcohol"]})  # more alcohol is never asked for anyway
    hana.refresh_from_db()

    from unaji.web.casebook.timeline import person_of

    assert person_of(hana).unsafe == ("exercise",)
    assert b"exercise" not in bytes(hana.unsafe_sealed)
    assert AuditEvent.objects.filter(person_number=hana.pk, action="change", object_type="person").exists()
    assert hana.asked_anew_at > timezone.now() - timedelta(minutes=1)
    assert as_hana.post("/trials/new", sent(what="seek-exercise")).status_code == 422
    assert not Trial.objects.exists()


def test_saving_what_does_not_suit_keeps_what_an_export_said_and_no_chip_shows(hana, as_hana):
    actions.mark_unsafe(hana, ("exercise", "sauna_of_old"), by=hana.user)

    as_hana.post("/trials/unsafe", {"unsafe": ["massage"]})

    assert Person.objects.get(pk=hana.pk).unsafe == ("massage", "sauna_of_old")


@pytest.mark.parametrize(("change", "kind"), [("seek", "exercise"), ("treat", "massage")])
def test_a_trial_that_asks_for_what_turns_out_not_to_suit_ends_with_that(hana, as_hana, change, kind):
    trial = put(hana, today(), change=change, kind=kind, blocks=2)

    as_hana.post("/trials/unsafe", {"unsafe": ["acupuncture"]})
    trial.refresh_from_db()
    assert trial.ended_at is None  # that is not what it asks for
    as_hana.post("/trials/unsafe", {"unsafe": [kind]})

    trial.refresh_from_db()
    assert trial.ended_why == "doctor"
    assert f"/trials/{trial.pk}" not in as_hana.get("/now").content.decode()
    assert AuditEvent.objects.filter(action="end", object_id=str(trial.pk), actor=hana.user.pk).count() == 1
    assert broken_at() is None


def test_a_trial_that_avoids_what_does_not_suit_goes_on(hana, as_hana):
    trial = put(hana, today(), kind="exercise")

    as_hana.post("/trials/unsafe", {"unsafe": ["exercise"]})

    trial.refresh_from_db()
    assert trial.ended_at is None


def test_ratings_that_are_logged_may_be_looked_at_and_sleep_may_not(hana):
    assert "fatigue" not in outcomes(hana)
    for days in range(4):
        diary.rate(hana, by=hana.user, quantity="fatigue", value=3, time=timezone.now() - timedelta(days=days))
        diary.rate(hana, by=hana.user, quantity="sleep_quality", value=3, time=timezone.now() - timedelta(days=days))
    assert "fatigue" in outcomes(hana)
    assert "sleep_quality" not in outcomes(hana)


# -- before it begins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_way_to_a_trial_opens_in_both_languages(hana, as_hana, language):
    hana.user.language = language
    hana.user.save()

    for path in ("/trials", "/trials/new", "/trials/new?what=avoid-caffeine", "/trials/new?what=treat-acupuncture"):
        answer = as_hana.get(path)
        assert answer.status_code == 200, path
        assert f'<html lang="{language}">' in answer.content.decode()


def test_looking_first_says_what_it_is_how_sure_and_what_not_and_registers_nothing(hana, as_hana):
    page = as_hana.post("/trials/new", sent(then="look")).content.decode()

    assert QUESTION in page
    assert "分かる見込みは" in page
    assert "よくある値" in page
    assert "期待の影響は除けません" in page
    assert page.index("やめるとき") < page.index("すること") < page.index("分かる見込み")
    assert not Trial.objects.exists()


def test_the_forecast_takes_the_persons_own_numbers_where_there_are_enough(hana):
    now = timezone.now()
    assert expected(hana, "episodes").days == expected(hana, "felt_heat").days == 0
    for day in range(20):
        moment = now - timedelta(days=day, hours=1)
        diary.log_nothing(hana, by=hana.user, at=moment)
        diary.rate(hana, by=hana.user, quantity="felt_heat", value=4 if day % 2 else 6, time=moment)
        for _ in range(2 if day < 10 else 0):
            diary.log_episode(hana, by=hana.user, start=moment, intensity=5)

    episodes, points = expected(hana, "episodes"), expected(hana, "felt_heat")

    assert (episodes.days, episodes.assumed.per_day, episodes.nothing) == (20, 1.0, False)
    assert (points.days, points.assumed.rating_sd) == (20, 1.0)
    assert expected(hana, "intensity").days == 0


def test_who_noted_no_heat_for_weeks_is_told_that_less_can_hardly_be_found(hana, as_hana):
    for day in range(20):
        diary.log_nothing(hana, by=hana.user, at=timezone.now() - timedelta(days=day))
    assert "ほとんど分かりません" in as_hana.post("/trials/new", sent(then="look")).content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start": "2020-01-01"}, "あしたから60日後"),
        ({"start": "x"}, "あしたから60日後"),
        ({"outcome": "sleep_quality"}, "もう一度選んでください"),
        ({"weeks": "5"}, "もう一度選んでください"),
        ({"question": "  "}, "知りたいことを書いてください"),
        ({"question": "あ" * 201}, "200字まで"),
        ({"what": "seek-alcohol"}, "もう一度選んでください"),
    ],
)
@pytest.mark.parametrize("then", ["look", "register"])
def test_what_cannot_be_is_said_and_not_registered(hana, as_hana, changes, said, then):
    answer = as_hana.post("/trials/new", sent(then=then, **changes))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Trial.objects.exists()


# -- registered --------------------------------------------------------------------------------------------------------


def test_what_is_registered_is_sealed_audited_and_deals_the_days_anew_each_time(hana, as_hana, ken, as_ken):
    for client in (as_hana, as_ken):
        assert client.post("/trials/new", sent()).status_code == 302

    mine, other = Trial.objects.get(person=hana), Trial.objects.get(person=ken)
    plan = actions.plan_of(mine)
    assert (plan.question, plan.kind, plan.outcome, plan.blocks) == (QUESTION, "caffeine", "episodes", 14)
    assert plan.first_day == today() + timedelta(days=1)
    assert not plan.registered_late
    assert plan.seed != actions.plan_of(other).seed
    assert QUESTION.encode() not in bytes(mine.plan_sealed) + bytes(mine.question_sealed)
    assert [(e.action, e.object_type) for e in AuditEvent.objects.filter(object_id=str(mine.pk))] == [
        ("register", "trial")
    ]
    assert "自分の試しを登録した" in as_hana.get("/mine").content.decode()
    assert broken_at() is None


def test_the_same_form_sent_twice_is_registered_once(hana, as_hana):
    form = sent()
    first, second = (as_hana.post("/trials/new", form) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Trial.objects.count() == 1


def test_a_form_with_a_strangers_number_registers_nothing_of_theirs(hana, as_hana, ken, as_ken):
    form = sent()
    as_hana.post("/trials/new", form)

    assert as_ken.post("/trials/new", form).status_code == 422
    assert Trial.objects.get().person == hana


def test_one_runs_at_a_time_and_the_database_says_so_too(hana, as_hana):
    as_hana.post("/trials/new", sent())
    answer = as_hana.post("/trials/new", sent(what="avoid-alcohol"))

    assert answer.status_code == 422
    assert "いま試していることがあります" in answer.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        put(hana, today() + timedelta(days=3))


def test_one_whose_last_day_has_passed_makes_room_for_the_next(hana, as_hana):
    old = put(hana, today() - timedelta(days=40))

    assert as_hana.post("/trials/new", sent()).status_code == 302

    old.refresh_from_db()
    assert old.ended_why == "completed"
    assert Trial.objects.filter(person=hana).running().count() == 1


CHANGES = {
    "question_sealed": b"x", "plan_sealed": b"x", "outcome": "intensity", "made_at": datetime(2026, 1, 1, tzinfo=UTC),
    "registered_at": datetime(2026, 1, 1, tzinfo=UTC), "id": uuid4(),
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_the_database_refuses_to_change_what_was_registered(hana, field):
    trial = put(hana, today() + timedelta(days=1))

    with pytest.raises(DatabaseError, match="casebook_trial is sealed"), transaction.atomic():
        Trial.objects.filter(pk=trial.pk).update(**{field: CHANGES[field]})
    assert actions.plan_of(Trial.objects.get(pk=trial.pk)).kind == "caffeine"


def test_an_end_is_filled_in_once_and_with_a_reason(hana):
    trial = put(hana, today() + timedelta(days=1))
    rows, now = Trial.objects.filter(pk=trial.pk), timezone.now()

    for change in ({"ended_at": now}, {"ended_why": "unwell"}, {"ended_at": now, "ended_why": "bored"},
                   {"ended_at": trial.registered_at - timedelta(days=1), "ended_why": "unwell"}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    rows.update(ended_at=trial.registered_at + timedelta(hours=1), ended_why="unwell")
    for change in ({"ended_at": None, "ended_why": ""}, {"ended_why": "completed"}, {"ended_at": now}):
        with pytest.raises(DatabaseError, match="is sealed"), transaction.atomic():
            rows.update(**change)


def test_a_plan_whose_text_was_exchanged_is_not_read(hana):
    trial = put(hana, today() + timedelta(days=1))
    trial.plan_text = trial.plan_text.replace("minimal_important = 1.0", "minimal_important = 0.1")

    with pytest.raises(unaji.errors.InputError, match="was changed after it was registered"):
        actions.plan_of(trial)


@pytest.fixture(params=["a later format", "a kind nobody knows", "no period"])
def unreadable(request, hana) -> Trial:
    """Store a trial whose plan cannot be told."""
    trial = put(hana, today() + timedelta(days=1))
    plan = actions.plan_of(trial)
    if request.param != "a later format":
        plan = replace(plan, **({"periods": ()} if request.param == "no period" else {"kind": "no_such"}))
    other = actions.trial_of(hana, plan, number=uuid7())
    if request.param == "a later format":
        other.plan_text = other.plan_text.replace("format = 1", "format = 99")
    trial.delete()
    other.save(force_insert=True)
    return other


def test_a_plan_that_cannot_be_read_does_not_stand_before_the_button(as_hana, unreadable):
    for path in ("/now", "/today", "/evening", "/more", "/trials", "/trials/new", f"/trials/{unreadable.pk}"):
        assert as_hana.get(path).status_code == 200, path


def test_a_trial_whose_plan_cannot_be_read_can_be_ended_and_makes_room(hana, as_hana, unreadable):
    as_hana.post("/trials/unsafe", {"unsafe": ["exercise"]})
    assert as_hana.post("/trials/new", sent()).status_code == 422
    assert as_hana.post(f"/trials/{unreadable.pk}/ask").status_code == 422

    as_hana.post(f"/trials/{unreadable.pk}/end", {"why": "not_possible"})

    unreadable.refresh_from_db()
    assert unreadable.ended_why == "not_possible"
    shown = as_hana.get(f"/trials/{unreadable.pk}")
    assert "読めません" in shown.content.decode()
    assert as_hana.post("/trials/new", sent()).status_code == 302
    assert Trial.objects.filter(person=hana).running().count() == 1


# -- while it runs -----------------------------------------------------------------------------------------------------


def day_of(trial: Trial, changed: bool) -> int:
    """Return how many days after its first a trial has its first day of a condition, with a day to come."""
    plan = actions.plan_of(trial)
    return next((one.first - plan.first_day).days for one in plan.periods if one.changed is changed)


@pytest.fixture
def clock(monkeypatch):
    def put_it(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return put_it


START = date(2026, 4, 6)


@pytest.mark.parametrize("changed", [True, False])
def test_now_today_and_the_evening_say_in_one_line_what_today_is(hana, as_hana, clock, changed):
    trial = put(hana, START)
    clock(at(START + timedelta(days=day_of(trial, changed)), 21))
    said = "きょうは、カフェインを避ける日です" if changed else "きょうは、ふだんどおりの日です"

    for path in ("/now", "/today", "/evening", f"/trials/{trial.pk}"):
        assert said in as_hana.get(path).content.decode(), path
    assert "あしたは、" in as_hana.get(f"/trials/{trial.pk}").content.decode()


def test_a_course_of_treatment_says_until_when(hana, as_hana, clock):
    trial = put(hana, START, change="treat", kind="massage", blocks=2)
    clock(at(START, 12))
    changed = actions.plan_of(trial).periods[0].changed
    said = f"いまは、マッサージを{'受ける' if changed else '受けない'}期間です(4月19日まで)"

    assert said in as_hana.get("/now").content.decode()


def test_before_its_first_day_and_after_its_last_it_says_so(hana, as_hana, clock):
    put(hana, START - timedelta(days=70))
    assert "最後の日が過ぎました" in as_hana.get("/now").content.decode()
    Trial.objects.all().delete()
    put(hana, START)
    clock(at(START - timedelta(days=1), 21))
    assert "4月6日 月曜日に始まります" in as_hana.get("/now").content.decode()


def test_a_warning_sign_stops_it_being_something_to_do_until_it_is_answered_anew(hana, as_hana, clock):
    trial = put(hana, START)
    warn(hana)
    clock(at(START + timedelta(days=day_of(trial, True)), 21))

    for path in ("/now", "/evening", f"/trials/{trial.pk}"):
        page = as_hana.get(path).content.decode()
        assert "受診が先です" in page, path
        assert "避ける日です" not in page, path
    assert 'value="caffeine-none"' not in as_hana.get("/evening").content.decode()
    signs = {flag.id: False for flag in claims_in_use().red_flags}
    answer_screen(hana, by=hana.user, answers=signs, claims=claims_in_use(), why="again", at=datetime.now(UTC))
    assert "避ける日です" in as_hana.get("/now").content.decode()


def test_nothing_is_registered_while_a_doctor_comes_first(hana, as_hana):
    warn(hana, "days")

    assert "受診が先です" in as_hana.get("/trials/new").content.decode()
    assert as_hana.post("/trials/new", sent()).status_code == 422
    assert not Trial.objects.exists()


def test_nothing_of_a_trial_is_shown_to_whom_nobody_asked_about_warning_signs(db):
    person = make_person("neu@example.org", asked=False)
    assert sign_in(person.user).get("/trials")["Location"] == "/check"


def evening(client, *chosen, **more):
    return client.post("/evening", {"client_id": str(uuid4()), "drink": list(chosen), **more})


def test_none_is_written_down_so_that_it_is_known_and_asked_only_once(hana, as_hana, clock):
    put(hana, START)
    clock(at(START, 21))

    assert 'value="caffeine-none"' in as_hana.get("/evening").content.decode()
    evening(as_hana, "caffeine-none")

    row = Exposure.objects.get(person=hana)
    assert (row.kind, row.amount) == ("caffeine", 0.0)
    page = as_hana.get("/evening").content.decode()
    assert "「なし」と書いてあります" in page
    assert 'value="caffeine-none"' not in page
    assert "もう" not in page
    assert "カフェイン なし" in as_hana.get("/today").content.decode()


def test_what_was_had_is_written_once_and_none_beside_it_is_refused(hana, as_hana, clock):
    put(hana, START)
    clock(at(START, 21))

    both = evening(as_hana, "caffeine-noon", "caffeine-none")
    assert both.status_code == 422
    assert not Exposure.objects.exists()
    evening(as_hana, "caffeine-noon", "alcohol-night")

    assert {(one.kind, one.amount) for one in Exposure.objects.filter(person=hana)} == {
        ("caffeine", 1.0), ("alcohol", 1.0),
    }  # fmt: skip
    assert "もう1回書いてあります" in as_hana.get("/evening").content.decode()


def test_what_has_no_single_hour_is_led_to_where_its_length_is_written(hana, as_hana, clock):
    put(hana, START, change="seek", kind="exercise")
    clock(at(START, 21))

    page = as_hana.get("/evening").content.decode()
    evening(as_hana, "exercise-noon")

    assert "/add?open=exercise#done" in page
    assert 'value="exercise-noon"' not in page
    assert not Exposure.objects.exists()
    assert EXPOSURES["exercise"].unit == "min"
    evening(as_hana, "exercise-none")
    assert Exposure.objects.get().amount == 0


def test_a_session_is_written_as_a_treatment(hana, as_hana, clock):
    put(hana, START, change="treat", kind="acupuncture", blocks=2)
    clock(at(START, 21))

    evening(as_hana, "acupuncture-noon")

    assert [one.kind for one in Treatment.objects.filter(person=hana)] == ["acupuncture"]
    assert not Exposure.objects.exists()


def test_the_evening_asks_for_the_rating_that_is_looked_at(hana, as_hana, clock):
    clock(at(START, 21))
    assert "today" not in outcomes(hana)
    assert "きょう、うなじはどれくらい熱かったですか" not in as_hana.get("/evening").content.decode()
    put(hana, START, outcome="felt_heat")

    assert "きょう、うなじはどれくらい熱かったですか" in as_hana.get("/evening").content.decode()
    evening(as_hana, felt_heat="4")

    assert [(one.quantity, one.value) for one in Rating.objects.filter(person=hana)] == [("felt_heat", 4.0)]


def test_while_it_runs_only_how_far_it_is_is_told(hana, as_hana):
    trial = put(hana, today() - timedelta(days=4), blocks=7)
    live(hana, trial, until=today() - timedelta(days=1))

    page = as_hana.get(f"/trials/{trial.pk}").content.decode()

    assert "14日のうち4日が過ぎました" in page
    assert "したかどうかを書いた日: 4日" in page
    assert "途中で見ると" in page
    assert "効き" not in page.replace("効き目", "")
    assert as_hana.post(f"/trials/{trial.pk}/ask").status_code == 422
    assert not Job.objects.filter(kind="trial").exists()


def test_a_trial_is_stopped_with_a_reason_and_only_once(hana, as_hana):
    trial = put(hana, today() - timedelta(days=4), blocks=7)

    assert as_hana.post(f"/trials/{trial.pk}/end", {"why": "completed"}).status_code == 422
    assert as_hana.post(f"/trials/{trial.pk}/end", {"why": "unwell"})["Location"] == "/check"
    as_hana.post(f"/trials/{trial.pk}/end", {"why": "unwanted"})

    trial.refresh_from_db()
    assert trial.ended_why == "unwell"
    assert AuditEvent.objects.filter(object_id=str(trial.pk), action="end").count() == 1
    assert "試し" not in as_hana.get("/now").content.decode()


# -- what it found -----------------------------------------------------------------------------------------------------


def exported(client, person, folder):
    client.post("/mine/export")
    work(person)
    wish = ExportJob.objects.filter(person=person).latest("asked_at")
    content = client.get(f"/mine/export/{wish.pk}").getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return content


def analysed(plan, records, *more):
    done = CliRunner().invoke(command, ["trial", "analyse", str(plan), str(records), "--json", *more],
                              catch_exceptions=False, standalone_mode=False)  # fmt: skip
    return json.loads(done.stdout)


@by_a_worker
@pytest.mark.parametrize(("gain", "verdict"), [(3.0, "helps"), (-3.0, "harms"), (0.0, None)])
def test_the_result_is_that_of_the_command_line_on_what_was_exported(hana, as_hana, tmp_path, gain, verdict):
    trial = put(hana, today() - timedelta(days=20), blocks=6)
    live(hana, trial, gain=gain)

    as_hana.post(f"/trials/{trial.pk}/ask")
    work(hana)
    exported(as_hana, hana, tmp_path)
    here = json.loads(actions.result_of(trial))
    there = analysed(tmp_path / "unaji" / "trials" / f"{trial.pk}.toml", tmp_path / "unaji" / "records")

    assert here == there
    assert verdict in (None, here["verdict"])
    assert (here["adherence"]["changed_present"], here["adherence"]["usual_present"]) == (0, 6)
    trial.refresh_from_db()
    assert trial.ended_why == "completed"
    page = as_hana.get(f"/trials/{trial.pk}").content.decode()
    assert {"helps": "効きました", "harms": "かえって悪くなりました"}.get(verdict, "カフェインを避ける") in page
    assert 'class="figure phone"' in page
    assert "期待の影響は除けません" in page


@by_a_worker
def test_of_a_trial_that_was_stopped_the_days_before_are_compared_and_the_command_line_agrees(hana, as_hana, tmp_path):
    trial = put(hana, today() - timedelta(days=12), blocks=10)
    live(hana, trial, until=today() - timedelta(days=1))
    as_hana.post(f"/trials/{trial.pk}/end", {"why": "unwanted"})
    as_hana.post(f"/trials/{trial.pk}/ask")
    work(hana)
    exported(as_hana, hana, tmp_path)

    here = json.loads(actions.result_of(trial))
    until = (today() - timedelta(days=1)).isoformat()
    plan = tmp_path / "unaji" / "trials" / f"{trial.pk}.toml"
    assert here == analysed(plan, tmp_path / "unaji" / "records", "--until", until)
    assert here["verdict"] != "helps"
    assert "stopped" in here["warnings"]
    assert "途中でやめた試しです" not in as_hana.get(f"/trials/{trial.pk}").content.decode()
    assert "やめる前の日まで" in as_hana.get(f"/trials/{trial.pk}").content.decode()


@by_a_worker
def test_a_trial_without_one_day_on_record_says_so(hana, as_hana):
    trial = put(hana, today() - timedelta(days=40))
    diary.log_nothing(hana, by=hana.user)

    as_hana.post(f"/trials/{trial.pk}/ask")
    work(hana)

    assert Job.objects.get(kind="trial").error == "no_trial_day"
    assert "一日もありません" in as_hana.get(f"/trials/{trial.pk}").content.decode()


def test_a_trial_that_was_stopped_before_it_began_has_nothing_to_compare(hana, as_hana):
    as_hana.post("/trials/new", sent(start=(today() + timedelta(days=5)).isoformat()))
    trial = Trial.objects.get()
    as_hana.post(f"/trials/{trial.pk}/end", {"why": "unwanted"})

    page = as_hana.get(f"/trials/{trial.pk}").content.decode()

    assert "始まる日より前に" in page
    assert f"/trials/{trial.pk}/ask" not in page


@pytest.mark.parametrize("why", ["completed", "unwanted"])
def test_who_moves_to_another_zone_does_not_move_the_days_of_a_trial(hana, clock, why):
    trial = put(hana, START, blocks=2)
    last = actions.plan_of(trial).last_day
    ended = at(last + timedelta(days=1), 0.5) if why == "completed" else at(last - timedelta(days=1), 0.5)
    Trial.objects.filter(pk=trial.pk).update(ended_at=ended, ended_why=why)
    running = put(hana, last, blocks=2)
    clock(at(actions.plan_of(running).last_day + timedelta(days=1), 0.5))

    Person.objects.filter(pk=hana.pk).update(timezone="Pacific/Honolulu")

    moved = Trial.objects.get(pk=trial.pk)
    assert actions.counted_until(moved) == (None if why == "completed" else last - timedelta(days=2))
    assert actions.is_over(Trial.objects.get(pk=running.pk))


def test_one_that_was_completed_was_lived_to_its_end_whatever_the_clock_said(hana):
    trial = put(hana, START, blocks=2)
    Trial.objects.filter(pk=trial.pk).update(ended_at=at(START, 12), ended_why="completed")

    assert actions.counted_until(Trial.objects.get(pk=trial.pk)) is None


@by_a_worker
def test_a_result_says_when_records_of_its_days_were_added_or_changed_since(hana, as_hana):
    trial = put(hana, today() - timedelta(days=20), blocks=6)
    first, after = at(today() - timedelta(days=20), 0), at(actions.plan_of(trial).last_day + timedelta(days=1), 0)
    live(hana, trial)
    as_hana.post(f"/trials/{trial.pk}/ask")
    work(hana)

    def stale() -> bool:
        return "記録が増えました" in as_hana.get(f"/trials/{trial.pk}").content.decode()

    def bring(start, end) -> ImportBatch:
        return ImportBatch.objects.create(
            person=hana, size_bytes=1, sha256=uuid4().hex, state="stored", first_at=start, last_at=end
        )

    second = timedelta(seconds=1)
    diary.log_episode(hana, by=hana.user)
    diary.log_episode(hana, by=hana.user, start=after)
    diary.log_episode(hana, by=hana.user, start=first - second)
    bring(after, after + second)
    bring(first - 2 * second, first - second)
    assert not stale()

    for moment in (first, after - second):
        inside = diary.log_episode(hana, by=hana.user, start=moment)
        assert stale()
        diary.withdraw(inside, by=hana.user)
        assert not stale()
    rating = Rating.objects.filter(person=hana).first()
    diary.withdraw(rating, by=hana.user)
    assert stale()
    Rating.objects.filter(pk=rating.pk).update(withdrawn_at=None)
    bring(first - second, first).delete()
    assert not stale()
    bring(first - second, first)
    assert stale()


def test_nothing_is_kept_of_a_trial_of_the_invented_person_whom_anybody_may_be(hana, as_hana):
    over, runs = put(hana, today() - timedelta(days=40)), put_after(hana)
    Person.objects.filter(pk=hana.pk).update(simulated=True)

    answers = [as_hana.post("/trials/new", sent(question="090-1234")),
               as_hana.post("/trials/unsafe", {"unsafe": ["exercise"]}),
               as_hana.post(f"/trials/{runs.pk}/end", {"why": "unwell"}),
               as_hana.post(f"/trials/{over.pk}/ask")]  # fmt: skip

    for answer in answers:
        assert answer.status_code == 422
        assert "架空の人の試し" in answer.content.decode()
    assert set(Trial.objects.filter(person=hana)) == {over, runs}
    runs.refresh_from_db()
    assert runs.ended_at is None
    assert Person.objects.get(pk=hana.pk).unsafe == ()
    assert not Job.objects.filter(person=hana).exists()
    assert as_hana.post("/trials/new", sent(then="look")).status_code == 200


def put_after(person: Person) -> Trial:
    """End what runs, and store one that runs from today on."""
    Trial.objects.filter(person=person).running().update(ended_at=timezone.now(), ended_why="completed")
    return put(person, today())


# -- whose it is, taking it out and in ---------------------------------------------------------------------------------


def test_a_strangers_trial_is_not_there(hana, as_ken):
    trial = put(hana, today() - timedelta(days=40))

    answers = [as_ken.get(f"/trials/{trial.pk}"), as_ken.get(f"/trials/{trial.pk}/plan.toml"),
               as_ken.post(f"/trials/{trial.pk}/end", {"why": "unwell"}),
               as_ken.post(f"/trials/{trial.pk}/ask")]  # fmt: skip
    assert [one.status_code for one in answers] == [404] * 4
    assert QUESTION not in as_ken.get("/trials").content.decode()
    trial.refresh_from_db()
    assert trial.ended_at is None


def test_the_plan_as_a_file_is_read_by_the_library(hana, as_hana, tmp_path):
    trial = put(hana, today() + timedelta(days=1))
    file = tmp_path / "plan.toml"
    file.write_bytes(as_hana.get(f"/trials/{trial.pk}/plan.toml").content)

    assert read_plan(file) == actions.plan_of(trial)


def brought(client, person, content):
    file = io.BytesIO(content)
    file.name = "unaji.zip"
    client.post("/data/upload", {"file": file})
    work(person)
    batch = ImportBatch.objects.filter(person=person).latest("made_at")
    client.post(f"/data/{batch.pk}/save")
    work(person)
    return batch


def plans(person):
    return {actions.plan_of(one).fingerprint for one in Trial.objects.filter(person=person)}


@by_a_worker
def test_an_export_brings_trials_elsewhere_with_their_end_and_takes_them_back(hana, as_hana, ken, as_ken, tmp_path):
    old = put(hana, today() - timedelta(days=60))
    live(hana, old)
    actions.mark_unsafe(hana, ("exercise",), by=hana.user)
    as_hana.post(f"/trials/{old.pk}/ask")
    put(hana, today() - timedelta(days=2))
    work(hana)
    content = exported(as_hana, hana, tmp_path)

    batch = brought(as_ken, ken, content)
    assert plans(ken) == plans(hana)
    assert len(plans(ken)) == 2
    assert Person.objects.get(pk=ken.pk).unsafe == ("exercise",)
    assert sorted(Trial.objects.filter(person=ken).values_list("ended_why", flat=True)) == ["", "completed"]
    assert {one.question for one in Trial.objects.filter(person=ken)} == {QUESTION}
    as_ken.post(f"/data/{batch.pk}/drop")
    work(ken)
    assert not Trial.objects.filter(person=ken).exists()
    assert not Episode.objects.filter(person=ken).kept().exists()
    assert broken_at() is None


@by_a_worker
def test_an_export_brought_back_doubles_no_trial_and_one_that_ran_elsewhere_does_not_run_beside_another(
    hana, as_hana, ken, as_ken, tmp_path
):
    put(hana, today() - timedelta(days=2))
    own = put(ken, today() - timedelta(days=1), kind="alcohol")
    diary.log_nothing(hana, by=hana.user)
    content = exported(as_hana, hana, tmp_path)

    brought(as_hana, hana, content)
    brought(as_ken, ken, content)

    assert Trial.objects.filter(person=hana).count() == 1
    assert Trial.objects.filter(person=ken).running().get() == own
    assert Trial.objects.filter(person=ken).exclude(pk=own.pk).get().ended_why == "moved"


@by_a_worker
def test_a_plan_that_was_changed_in_an_export_is_not_brought_in(hana, as_hana, ken, as_ken, tmp_path):
    put(hana, today() - timedelta(days=2))
    diary.log_nothing(hana, by=hana.user)
    content = exported(as_hana, hana, tmp_path)
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            text = old.read(info)
            new.writestr(info.filename, text.replace(b"minimal_important = 1.0", b"minimal_important = 0.1"))

    brought(as_ken, ken, changed.getvalue())

    assert Exposure.objects.filter(person=ken).exists()
    assert not Trial.objects.filter(person=ken).exists()


def packed(folder, *trials, ends=None):
    """Pack plans as an export has them."""
    with zipfile.ZipFile(folder / "unaji.zip", "w") as archive:
        for k, one in enumerate(trials):
            archive.writestr(f"unaji/trials/{k}.toml", plan_toml(one))
        if ends is not None:
            archive.writestr("unaji/trials/ends.csv", ends)
    return folder / "unaji.zip"


def a_plan(**changes):
    usual = {"change": Change.AVOID, "kind": "caffeine", "start": today(), "blocks": 2, "seed": 4}
    return design_trial(
        question=QUESTION, outcome="episodes", timezone="Asia/Tokyo", registered_at=at(today(), -4), **(usual | changes)
    )


def test_of_an_export_only_plans_are_read_that_could_have_been_made(tmp_path):
    good = a_plan()
    seek = {"change": Change.SEEK, "kind": "alcohol"}
    wrong = [replace(good, **one) for one in (seek, {"kind": "no_such"}, {"outcome": "luck"}, {"periods": ()})]

    assert [one.plan for one in restoring.trials_in(packed(tmp_path, *wrong, good))] == [good]


def test_of_an_export_whose_ends_cannot_be_read_no_trial_goes_on(hana, tmp_path):
    ends = "id,ended_at,ended_why\n" + "x" * 140_000 + ",,\n"

    with transaction.atomic():
        restoring.put_trials(hana, restoring.trials_in(packed(tmp_path, a_plan(), ends=ends)), timezone.now())

    assert Trial.objects.get(person=hana).ended_why == "moved"


@pytest.mark.parametrize("marked", ["here", "in the export"])
@pytest.mark.parametrize(("change", "kind"), [(Change.SEEK, "exercise"), (Change.TREAT, "massage")])
def test_a_trial_from_elsewhere_that_asks_for_what_does_not_suit_does_not_go_on(
    hana, as_hana, tmp_path, marked, change, kind
):
    there = TimelinePerson(id="x", timezone="Asia/Tokyo", unsafe=(kind,) if marked == "in the export" else ())
    if marked == "here":
        actions.mark_unsafe(hana, (kind,), by=hana.user)

    with transaction.atomic():
        restoring.put_trials(
            hana, restoring.trials_in(packed(tmp_path, a_plan(change=change, kind=kind))), timezone.now()
        )
        restoring.put_unsafe(hana, Timeline(person=there))

    assert Trial.objects.get(person=hana).ended_why == ("moved" if marked == "here" else "doctor")
    assert Person.objects.get(pk=hana.pk).unsafe == (kind,)
    assert "/trials/" not in as_hana.get("/now").content.decode()
    assert broken_at() is None


@by_a_worker
def test_erasing_removes_trials_and_what_they_found(hana, as_hana, settings):
    trial = put(hana, today() - timedelta(days=20), blocks=6)
    live(hana, trial)
    as_hana.post(f"/trials/{trial.pk}/ask")
    work(hana)
    number = hana.pk
    assert list((settings.HOME / "people" / str(number) / "documents" / "trials").rglob("*.sealed"))

    as_hana.post("/mine/erase", {"word": "消す"})

    assert not Trial.objects.exists()
    assert not (settings.HOME / "people" / str(number)).exists()


def test_why_and_more_lead_to_trials(as_hana):
    assert 'href="/trials"' in as_hana.get("/more").content.decode()
