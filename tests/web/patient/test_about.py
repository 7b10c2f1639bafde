"""About me: all optional, kept as said, or nothing kept and the reason beside the field."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.web.accounts import sign_in
from unaji.records.weather.services import Place
from unaji.web.casebook.models import AuditEvent, Person
from unaji.web.casebook.timeline import person_of
from unaji.web.patient.clock import local_today
from unaji.web.patient.places import read_place, towns
from unaji.web.words import LANGUAGES

pytestmark = pytest.mark.django_db

SAID = {
    "display_name": "はな", "name": "架空 花", "kana": "かくう はな", "contact": "090-0000-0000",
    "birth_date": "1980-02-29", "sex": "female", "height_cm": "158.5", "weight_kg": "52", "timezone": "Asia/Tokyo",
    "timezone_other": "", "place": "34.7 135.5", "place_other": "",
}  # fmt: skip


def about(person: Person) -> dict[str, object]:
    fresh = Person.objects.get(pk=person.pk)
    return {name: getattr(fresh, name) for name in SAID if not name.endswith("_other")}


def asked_anew(person: Person):
    return Person.objects.get(pk=person.pk).asked_anew_at


def test_everything_is_kept_as_it_was_said_and_shown_again(as_hana, hana):
    answer = as_hana.post("/mine/about", SAID)

    assert answer["Location"] == "/mine/about"
    kept = {name: value for name, value in SAID.items() if not name.endswith("_other")}
    assert about(hana) == {**kept, "height_cm": 158.5, "weight_kg": 52.0}
    page = as_hana.get("/mine/about").content.decode()
    assert "保存しました。" in page
    for shown in (
        'value="はな"',
        'value="1980-02-29"',
        'value="158.5"',
        '<option value="34.7 135.5" selected>大阪府 大阪',
    ):
        assert shown in page
    known = person_of(Person.objects.get(pk=hana.pk))
    assert (known.birth_year, known.sex, known.latitude, known.longitude) == (1980, "female", 34.7, 135.5)


def test_nothing_need_be_said(as_hana, hana):
    as_hana.post("/mine/about", SAID)

    as_hana.post("/mine/about", {**dict.fromkeys(SAID, ""), "timezone": "Asia/Tokyo"})

    assert set(about(hana).values()) == {"", None, "Asia/Tokyo"}


@pytest.mark.parametrize(
    ("field", "said", "message"),
    [
        ("birth_date", "1980-02-30", "1900年1月1日から今日まで"),
        ("birth_date", "1899-12-31", "1900年1月1日から今日まで"),
        ("birth_date", "2999-01-01", "1900年1月1日から今日まで"),
        ("timezone", "Asia/Atlantis", "地域は見つかりません"),
        ("timezone", "", "地域は見つかりません"),
        ("timezone", "../../etc/passwd", "地域は見つかりません"),
        ("timezone_other", "localtime", "地域は見つかりません"),
        ("place", "91.0 10.0", "場所が分かりません"),
        ("place_other", "どこか", "場所が分かりません"),
        ("place_other", "35.7", "場所が分かりません"),
        ("place_other", "nan, 139", "場所が分かりません"),
        ("height_cm", "39", "40から250まで"),
        ("weight_kg", "1e999", "2から400まで"),
        ("weight_kg", "重い", "2から400まで"),
        ("sex", "unknown", "この画面にない答え"),
        ("name", "あ" * 101, "100字まで"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_nothing_is_stored(as_hana, hana, field, said, message):
    before, since = about(hana), asked_anew(hana)

    answer = as_hana.post("/mine/about", {**SAID, field: said})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert message in re.search(rf'<p class="wrong" id="{field}-wrong">(.*?)</p>', page).group(1)
    box = re.search(rf'<(?:input|select)[^>]* id="{field}"[^>]*>|<select id="{field}"[^>]*>', page).group()
    assert 'aria-invalid="true"' in box
    assert f"{field}-wrong" in re.search(r'aria-describedby="([^"]*)"', box).group(1)
    assert page.count('class="wrong" id=') == 1
    assert 'value="はな"' in page, "what was typed is not lost"
    assert about(hana) == before
    assert asked_anew(hana) == since


def test_a_page_of_fields_says_of_each_what_it_is_used_for(as_hana):
    page = as_hana.get("/mine/about").content.decode()

    for name in SAID:
        assert re.search(rf'<p class="small" id="{name}-use">.+?</p>', page), name


def test_a_name_asks_for_no_new_results_and_a_body_does(as_hana, hana):
    since = asked_anew(hana)

    as_hana.post("/mine/about", {"display_name": "はな", "name": "花", "kana": "はな", "contact": "x"})
    assert asked_anew(hana) == since

    for field, said in (("height_cm", "150"), ("birth_date", "1980-05-01"), ("place_other", "35.71, 139.72"),
                        ("timezone_other", "Europe/Berlin")):  # fmt: skip
        as_hana.post("/mine/about", {field: said})
        assert asked_anew(hana) != since, field
        since = asked_anew(hana)

    as_hana.post("/mine/about", {"birth_date": "1980-06-02"})
    assert asked_anew(hana) == since, "only the year is used"
    assert about(hana)["birth_date"] == "1980-06-02"


def test_a_change_is_audited_once_and_saying_the_same_again_is_not(as_hana, hana):
    def lines():
        return AuditEvent.objects.filter(object_type="person", action="change").count()

    as_hana.post("/mine/about", SAID)
    as_hana.post("/mine/about", SAID)

    assert lines() == 1


def test_a_place_is_never_kept_finer_than_a_tenth_of_a_degree(as_hana, hana):
    as_hana.post("/mine/about", {"place_other": "43.062083、141.354389"})

    assert about(hana)["place"] == "43.1 141.4"
    as_hana.post("/mine/about", {"place_other": "−33.8688 ， 151.2093"})
    assert about(hana)["place"] == "-33.9 151.2"
    page = as_hana.get("/mine/about").content.decode()
    assert '<option value="-33.9 151.2" selected>いまの場所(−33.9, 151.2)</option>' in page
    assert "33.8688" not in page


def test_a_zone_that_is_not_in_the_list_can_be_typed_and_stays_chosen(as_hana, hana):
    as_hana.post("/mine/about", {"timezone": "Asia/Tokyo", "timezone_other": "Europe/Berlin"})

    assert about(hana)["timezone"] == "Europe/Berlin"
    assert '<option value="Europe/Berlin" selected>' in as_hana.get("/mine/about").content.decode()


def test_what_is_said_of_oneself_is_nobody_elses(as_hana, ken):
    as_hana.post("/mine/about", SAID)

    page = sign_in(ken.user).get("/mine/about").content.decode()

    assert "はな" not in page
    assert "158.5" not in page
    assert about(ken)["name"] == ""


def test_the_invented_person_stays_as_they_are(as_hana, hana):
    Person.objects.filter(pk=hana.pk).update(simulated=True)

    answer = as_hana.post("/mine/about", SAID)

    assert answer.status_code == 422
    assert "変えられません" in answer.content.decode()
    assert about(hana)["name"] == ""


def test_what_is_written_is_shown_and_not_run(as_hana):
    as_hana.post("/mine/about", {"display_name": '<script>"x"</script>', "name": '"><b>'})

    for path in ("/mine/about", "/more"):
        page = as_hana.get(path).content.decode()
        assert '<script>"x"' not in page
        assert '"><b>' not in page


def test_about_me_is_found_from_more_and_from_my_data(as_hana):
    for path in ("/more", "/mine"):
        assert 'href="/mine/about"' in as_hana.get(path).content.decode()


def test_the_list_has_the_capitals_of_all_47_prefectures_each_its_own_place():
    listed = towns()

    assert len(listed) == 47
    assert (
        len({one.place for one in listed}) == len({one.ja for one in listed}) == len({one.en for one in listed}) == 47
    )
    assert all(24 < one.place.latitude < 46 and 123 < one.place.longitude < 146 for one in listed)
    assert all(one.ja[one.ja.index(" ") - 1] in "都道府県" for one in listed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_place_can_be_typed_by_its_name(language):
    assert read_place({"ja": "東京都 東京", "en": "Tokyo, Tokyo"}[language]) == Place(35.7, 139.7)


def test_a_birthday_of_today_is_possible_and_one_of_tomorrow_is_not(as_hana, hana):
    today = local_today(hana)

    assert as_hana.post("/mine/about", {"birth_date": str(today)}).status_code == 302
    assert as_hana.post("/mine/about", {"birth_date": str(today + timedelta(days=1))}).status_code == 422
