"""About me and the weather on a small phone: said, agreed to, fetched, shown, taken out."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

import pytest

pytest.importorskip("django")

from django.utils import timezone

from tests.records.weather.service import serving
from tests.web.accounts import sign_in
from tests.web.conftest import make_person
from tests.web.test_weather import work
from unaji.records.weather.client import Patience
from unaji.web.casebook.actions import diary, weather
from unaji.web.casebook.models import Person, SeriesFile

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 360, "height": 740}
BLOCKED = "Service Worker registration blocked by Playwright"


@pytest.fixture
def hana() -> Person:
    person = make_person("hana@example.org")
    diary.log_episode(person, by=person.user, start=timezone.now() - timedelta(hours=30), intensity=6)
    return person


@pytest.fixture
def page(browser, live_server, hana):
    """Give a phone that Hana is signed in on; what its console says is collected."""
    context = browser.new_context(
        viewport=PHONE, locale="ja-JP", timezone_id="Asia/Tokyo", service_workers="block", has_touch=True
    )
    cookie = sign_in(hana.user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    context.set_default_timeout(8_000)
    page = context.new_page()
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.goto(live_server.url + "/more")
    yield page
    context.close()


def looks_right(page) -> None:
    """Require that a screen breaks no rule of accessibility, is no wider than the phone and says nothing aside."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert [one for one in page.heard if one != BLOCKED] == []


def test_from_saying_where_one_lives_to_the_days_weather_and_out_again(page, hana, live_server, monkeypatch):
    pytest.importorskip("axe_playwright_python")
    monkeypatch.setattr(weather, "PATIENCE", Patience(tries=1, between_requests_s=0))
    page.get_by_role("link", name="わたしについて").click()
    looks_right(page)

    page.get_by_label("呼び名").fill("はな")
    page.get_by_label("身長(cm)").fill("158")
    page.get_by_label("リストにない場所の緯度と経度").fill("どこか")
    page.get_by_role("button", name="保存する").click()
    page.get_by_text("場所が分かりません").wait_for()
    page.heard = [one for one in page.heard if "422" not in one]  # a browser notes each answer that is none
    looks_right(page)
    page.get_by_label("リストにない場所の緯度と経度").fill("")
    page.get_by_label("住んでいるところに近い町").select_option(label="東京都 東京")
    page.get_by_role("button", name="保存する").click()
    page.get_by_text("東京都 東京", exact=True).and_(page.locator("dd")).wait_for()
    assert Person.objects.get(pk=hana.pk).place == "35.7 139.7"

    with serving(monkeypatch) as server:
        page.get_by_label("天気を取り寄せること").check()
        page.get_by_role("button", name="同意して取り寄せる").click()
        page.get_by_text("天気を取り寄せています").wait_for()
        looks_right(page)
        assert work(hana).state == "done"
        assert server.asked
    page.get_by_role("button", name="いま取り寄せなおす").wait_for()  # the page has seen by itself that it is done
    looks_right(page)

    page.goto(live_server.url + "/data")
    assert page.get_by_text("Weather data by Open-Meteo.com (CC BY 4.0)").is_visible()
    looks_right(page)
    yesterday = (timezone.now() - timedelta(days=1)).date()
    page.goto(f"{live_server.url}/today?day={yesterday}")
    assert page.get_by_text("外の気温は15.0〜15.0℃でした。").is_visible()
    looks_right(page)

    page.goto(live_server.url + "/data")
    page.get_by_role("button", name="取り寄せた天気を取り除く").click()
    page.get_by_text("天気を取り除いています").wait_for()
    assert work(hana).state == "done"
    page.get_by_text("自動では取り寄せません").wait_for()
    assert not SeriesFile.objects.exists()
