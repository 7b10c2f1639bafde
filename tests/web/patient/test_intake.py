"""The questionnaire that follows from the claims, and the first picture that follows from its answers."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.claims.conftest import EN, JA, MODEL
from tests.web.conftest import make_person
from unaji.care.first_picture import Means, OnRecord, first_picture
from unaji.claims.questionnaire import IntakeAnswers, asked_causes
from unaji.web.casebook.actions import diary, screens
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.example import load_example
from unaji.web.casebook.models import AuditEvent, Exposure, Intake, Person, Rating, RedFlagScreen
from unaji.web.words import catalogue

FORM = {
    "often-stress": "often",
    "soon-stress": "hour",
    "often-caffeine": "sometimes",
    "soon-caffeine": "day",
    "often-sun": "no",
    "background-medication": "new",
    "companion": ["headache", "eye_strain"],
    "medicines": "血圧の薬",
    "age": "40",
    "height_cm": "160",
    "weight_kg": "52.5",
    "mine_text": "会議で気になる",
    "mine": "7",
    "do_text": "集中",
    "do": "4",
}
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def cold_fingers(tmp_path, settings):
    """An app about another symptom, made of claims alone."""
    folder = tmp_path / "cold_fingers"
    folder.mkdir()
    for name, text in (("model.toml", MODEL), ("ja.md", JA), ("en.md", EN)):
        (folder / name).write_text(text, encoding="utf-8")
    settings.ARTICLE = str(folder)
    return folder


def latest(person):
    return Intake.objects.filter(person=person).order_by("-at").first()


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# -- the questionnaire -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_cause_that_can_be_noticed_is_asked_after(as_hana, hana, language):
    hana.user.language = language
    hana.user.save()

    page = as_hana.get("/intake").content.decode()

    for cause in claims_in_use().causes:
        there = f'name="often-{cause.id}"' in page
        assert there == (cause in asked_causes(claims_in_use()))
        assert (cause.name.in_(language) in page) == there
    for name in claims_in_use().companions.values():
        assert name.in_(language) in page
    assert 'name="background-medication"' in page
    assert 'name="background-hot_flush"' in page


def test_what_was_answered_is_kept_sealed_and_the_body_with_the_person(as_hana, hana):
    answer = as_hana.post("/intake", FORM)

    intake, person = latest(hana), Person.objects.get(pk=hana.pk)
    assert answer["Location"] == "/first-picture"
    assert intake.answers["causes"] == {
        "stress": {"often": "often", "soon": "hour"},
        "caffeine": {"often": "sometimes", "soon": "day"},
        "sun": {"often": "no", "soon": "unknown"},
    }
    assert intake.answers["companions"] == ["headache", "eye_strain"]
    assert intake.answers["mine"] == {"text": "会議で気になる", "degree": 7}
    assert intake.article == "neck_heat"
    assert intake.screen == RedFlagScreen.objects.get(person=hana)
    assert (person.height_cm, person.weight_kg) == (160, 52.5)
    assert "会議".encode() not in bytes(intake.answers_sealed)
    assert AuditEvent.objects.filter(object_id=str(intake.pk), action="create").count() == 1


def test_an_empty_questionnaire_is_taken_and_leaves_the_body_as_it_was(as_hana, hana):
    as_hana.post("/intake", FORM)

    assert as_hana.post("/intake", {}).status_code == 302
    assert Intake.objects.filter(person=hana).count() == 2
    assert latest(hana).answers["causes"] == {}
    assert Person.objects.get(pk=hana.pk).height_cm == 160


def test_the_questionnaire_comes_back_as_it_was_answered(as_hana):
    as_hana.post("/intake", FORM)

    page = as_hana.get("/intake").content.decode()

    assert 'name="often-stress" value="often" checked' in page
    assert 'value="eye_strain" checked' in page
    assert 'name="age" value="40" checked' in page
    assert re.search(r'name="soon-stress">.*?value="hour" selected', page)
    assert 'value="52.5"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"often-stress": "always"},
        {"often-made_up": "often"},
        {"often-arousal": "often"},
        {"soon-stress": "yesterday"},
        {"background-medication": "perhaps"},
        {"background-wealth": "yes"},
        {"companion": ["wings"]},
        {"age": "25"},
        {"height_cm": "1.6"},
        {"height_cm": "nan"},
        {"weight_kg": "1e9"},
        {"mine": "11"},
        {"do": "-1"},
        {"mine_text": "長" * 501},
        {"medicines": "長" * 301},
    ],
)
def test_what_was_not_offered_is_refused_and_the_rest_is_not_lost(as_hana, hana, wrong):
    answer = as_hana.post("/intake", FORM | wrong)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert Intake.objects.filter(person=hana).count() == 0
    assert 'role="alert"' in page
    assert 'name="often-caffeine" value="sometimes" checked' in page
    if "mine_text" in wrong:
        assert wrong["mine_text"] in page


@pytest.mark.parametrize("field", ["mine_text", "do_text", "medicines"])
def test_what_is_written_stays_text_wherever_it_is_shown(as_hana, field):
    as_hana.post("/intake", FORM | {field: XSS})
    refused = as_hana.post("/intake", FORM | {field: XSS, "age": "25"})

    for page in (as_hana.get("/intake"), as_hana.get("/first-picture"), refused):
        assert "<script>alert" not in page.content.decode()
        assert "<img src=x" not in page.content.decode()
    assert "&lt;script&gt;alert(1)" in refused.content.decode()


def test_the_warning_signs_come_before_the_questionnaire(db, client):
    new = make_person("mio@example.org", asked=False)
    client.force_login(new.user)

    assert client.get("/intake")["Location"] == "/check"
    assert client.post("/intake", FORM)["Location"] == "/check"
    with pytest.raises(screens.NotScreenedError):
        screens.answer_intake(new, by=new.user, answers=IntakeAnswers(), claims=claims_in_use(), language="ja")


def test_nobody_sees_what_somebody_else_answered(as_hana, as_ken):
    as_hana.post("/intake", FORM)

    assert as_ken.get("/first-picture")["Location"] == "/intake"
    assert "血圧の薬" not in as_ken.get("/intake").content.decode()


@pytest.mark.parametrize("path", ["/check", "/intake", "/first-picture"])
def test_a_visitor_is_asked_to_sign_in(visitor, path):
    assert visitor.get(path)["Location"].startswith("/account/login/")


# -- the first picture -------------------------------------------------------------------------------------------------


def test_causes_stand_in_the_group_that_the_answers_give_them(as_hana):
    as_hana.post("/intake", FORM)

    page = as_hana.get("/first-picture").content.decode()

    plausible, rest = page.split('<section class="group cannot_tell">')
    cannot_tell, not_reported = rest.split('<section class="group not_reported">')
    not_reported = not_reported.split("何を記録すると")[0]
    names = {cause.id: cause.name.ja for cause in claims_in_use().causes}
    assert names["stress"] in plausible
    assert '「1時間以内」で、言われている<span class="n">30分〜4時間</span>と重なります' in plausible
    assert "症状が出る前に、薬を始めたか変えたと答えました。" in plausible
    assert names["caffeine"] in cannot_tell  # a day later is not what is claimed of caffeine
    assert '言われているのは<span class="n">20分〜3時間</span>です' in cannot_tell
    assert "機器の記録が要ります" in cannot_tell
    assert names["sun"] in not_reported
    assert "話から考えられる要因は2つあります" in plausible


def test_it_says_that_nothing_was_measured_and_calls_nothing_a_cause(as_hana, hana):
    as_hana.post("/intake", FORM)

    for language, said in (("ja", "まだ何も測っていません。"), ("en", "Nothing has been measured yet.")):
        hana.user.language = language
        hana.user.save()
        text = text_of(as_hana.get("/first-picture"))
        assert said in text
        assert "原因" not in text
        assert "%" not in text


def test_every_grade_is_read_out_beside_its_cause(as_hana):
    as_hana.post("/intake", FORM)

    page = as_hana.get("/first-picture").content.decode()

    for cause in claims_in_use().causes:
        name = re.escape(cause.name.ja)
        assert re.search(
            rf'<span>{name}</span>\s*<span class="grade" role="img" aria-label="医学の裏づけ {cause.grade}:', page
        )


def test_what_is_logged_already_is_not_asked_for_again(as_hana, hana):
    as_hana.post("/intake", FORM)
    before = text_of(as_hana.get("/first-picture"))
    for _ in range(3):
        diary.rate(hana, by=hana.user, quantity="stress", value=5, client_id=uuid4())

    after = text_of(as_hana.get("/first-picture"))

    assert "ストレス・緊張を、0から10で記録する" in before
    assert "ストレス・緊張を、0から10で記録する" not in after
    assert "もう記録しているもの:ストレス・緊張" in after
    assert "測った記録は、まだ使っていません。" in after


def test_another_article_makes_its_own_questions_and_picture(cold_fingers, as_ken, ken):
    """The whole way with claims that the app has never heard of: cold fingers, and a way of its own to be exposed."""
    assert "指が白くなりますか" in as_ken.get("/check").content.decode()
    assert as_ken.post("/check", {"sign-white_fingers": "yes"}).status_code == 302
    screen = RedFlagScreen.objects.filter(person=ken).order_by("-at").first()
    told = as_ken.get(f"/red-flag/{screen.pk}").content.decode()
    assert screen.level == "days"
    assert "「指が白くなりますか」という質問に、「はい」と答えました。" in told
    as_ken.post(f"/red-flag/{screen.pk}")

    page = text_of(as_ken.get("/intake"))
    assert "指先の冷えのことを教えてください" in page
    assert "たばこ" in page
    assert "首" not in page
    assert as_ken.post("/intake", {"often-smoke": "often", "soon-smoke": "now"}).status_code == 302
    assert as_ken.post("/intake", {"often-stress": "often"}).status_code == 422

    picture = text_of(as_ken.get("/first-picture"))
    assert "話から考えられる要因は1つあります" in picture
    assert "たばこを「足す」に記録する" in picture
    assert "うなじ" not in picture


# -- the invented person, and the words --------------------------------------------------------------------------------


def test_the_invented_person_has_answered_and_lands_on_now(db, client):
    person = load_example()
    load_example()
    client.force_login(person.user)

    assert client.get("/now").status_code == 200
    assert [one.level for one in RedFlagScreen.objects.filter(person=person)] == ["none"]
    assert Intake.objects.filter(person=person).count() == 1
    page = client.get("/first-picture").content.decode()
    assert "測った記録は、まだ使っていません。" in page
    assert 'class="group plausible"' in page
    assert 'class="group not_reported"' in page


def test_both_languages_say_the_same_things_with_the_same_gaps():
    ja, en = (catalogue(language).texts for language in ("ja", "en"))
    mine = ("check.", "sign.", "intake.", "first.", "scale.mine", "scale.do", "unit.check", "unit.first")
    keys = [key for key in ja if key.startswith(mine)]

    assert len(keys) > 150
    assert [key for key in en if key.startswith(mine)] == keys
    for key in keys:
        gaps = [set(re.findall(r"{(\w+)}", texts[key])) for texts in (ja, en)]
        if not key.startswith("unit."):  # "1" may be written as a word
            assert gaps[0] == gaps[1], key
        assert "!" not in ja[key] + en[key]
        assert "!" not in ja[key]
        assert "原因" not in ja[key]


# -- what the first picture asks for can be written down ---------------------------------------------------------------


def test_everything_that_is_to_be_logged_by_hand_can_be_added(as_hana, hana):
    picture = first_picture(claims_in_use(), IntakeAnswers(), OnRecord())
    page = as_hana.get("/add").content.decode()

    for step in picture.steps:
        if step.means in (Means.RATING, Means.EXPOSURE):
            for name in step.names:
                assert f'name="what" value="{name}"' in page, name
    assert as_hana.post("/add", {"what": "hot_flush", "start": "2026-01-05T10:00", "amount": "1"}).status_code == 302
    assert as_hana.post("/add", {"what": "anger", "start": "2026-01-05T10:00", "anger": "8"}).status_code == 302
    assert Exposure.objects.get(person=hana).kind == "hot_flush"
    assert Rating.objects.get(person=hana).value == 8


def test_another_articles_own_exposure_can_be_added_and_is_named_in_both_languages(cold_fingers, as_ken, ken):
    assert as_ken.post("/add", {"what": "smoking", "start": "2026-01-05T10:00", "amount": "2"}).status_code == 302
    assert as_ken.post("/add", {"what": "hot_flush", "start": "2026-01-05T10:00"}).status_code == 422

    for language, name in (("ja", "たばこ"), ("en", "smoking")):
        ken.user.language = language
        ken.user.save()
        assert name in as_ken.get("/today?day=2026-01-05").content.decode()
        assert name in as_ken.get("/add").content.decode()
