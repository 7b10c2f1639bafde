"""The whole way of a trial on a small phone: choose, look, draw the lot, follow it, read what it found."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from importlib.resources import files

import pytest

pytest.importorskip("django")

from django.utils import timezone

from tests.web.accounts import sign_in
from tests.web.conftest import make_person
from unaji.care import trial_power
from unaji.records.timeline import Zones
from unaji.web.casebook.actions.trials import plan_of
from unaji.web.casebook.jobs import run
from unaji.web.casebook.models import Exposure, Job, Rating, Trial

pytestmark = pytest.mark.django_db(transaction=True)

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}
ZONES = Zones(("Asia/Tokyo",))
BLOCKED = "Service Worker registration blocked by Playwright"


@pytest.fixture
def visit(browser, live_server):
    """Open a screen as somebody, who signs in anew: the clock may have moved on by weeks."""
    contexts = []

    def opened(person, path, viewport=PHONE, scheme="light"):
        context = browser.new_context(
            viewport=viewport, color_scheme=scheme, locale="ja-JP", service_workers="block", reduced_motion="reduce"
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        session = sign_in(person.user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.heard = []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()


def accept(page) -> None:
    """See that a screen breaks no rule of accessibility, nor of the policy, and is as wide as its window."""
    pytest.importorskip("axe_playwright_python")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == [], page.url
    assert [one for one in page.heard if one != BLOCKED] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url


def test_from_choosing_to_what_it_found(visit, monkeypatch):
    monkeypatch.setattr(trial_power, "N_SIMULATED", 20)
    hana = make_person("hana@example.org")
    page = visit(hana, "/more")

    page.get_by_role("link", name="試す").click()
    accept(page)
    page.get_by_role("link", name="新しく試す").click()
    accept(page)
    page.get_by_role("link", name="カフェインを避ける").click()
    accept(page)
    page.get_by_label("知りたいこと").fill("コーヒーのせいで熱くなるのか")
    page.get_by_label("うなじの熱さ(0〜10)").check()
    page.get_by_role("button", name="内容を確かめる").click()
    page.get_by_role("heading", name="分かる見込み").wait_for()
    accept(page)
    page.get_by_role("button", name="直す").click()
    assert page.get_by_label("知りたいこと").input_value() == "コーヒーのせいで熱くなるのか"
    assert page.get_by_label("うなじの熱さ(0〜10)").is_checked()
    page.get_by_role("button", name="内容を確かめる").click()
    page.get_by_role("button", name="くじを引いて始める").click()
    page.get_by_role("heading", name="コーヒーのせいで熱くなるのか").wait_for()

    plan = plan_of(Trial.objects.get(person=hana))
    changed = next(one.first for one in plan.periods if one.changed)

    def clock(day, hour):
        moment = ZONES.to_utc(datetime.combine(day, time(hour)))
        monkeypatch.setattr(timezone, "now", lambda: moment)

    clock(changed, 21)
    page = visit(hana, "/now")
    page.get_by_role("link", name="きょうは、カフェインを避ける日です").click()
    page.get_by_text("すべての日を見る").click()
    page.get_by_text("この試しをやめる").click()
    accept(page)
    page.get_by_role("link", name="きょうのまとめを書く").click()
    accept(page)
    page.get_by_label("カフェインは、なし").check(force=True)
    page.get_by_role("button", name="保存する").click()
    page.get_by_text("書きとめました").wait_for()
    assert Exposure.objects.get(person=hana).amount == 0

    Exposure.objects.all().delete()
    for one in plan.periods:  # the four weeks, as somebody lives them to whom coffee matters
        noon = ZONES.to_utc(datetime.combine(one.first, time(12)))
        common = {"person": hana, "recorded_at": noon}
        Exposure.objects.create(**common, start=noon, kind="caffeine", amount=0.0 if one.changed else 2.0)
        value = (2.5 if one.changed else 5.5) + 0.4 * (one.block % 3)
        Rating.objects.create(**common, time=noon, quantity="felt_heat", value=value)
    clock(plan.last_day + timedelta(days=1), 12)
    page = visit(hana, "/now")
    page.get_by_role("link", name="最後の日が過ぎました").click()
    page.get_by_role("button", name="結果を調べる").click()
    page.locator(".job").wait_for()
    accept(page)
    run(Job.objects.get(person=hana, kind="trial").pk)
    page.get_by_role("heading", name="効きました").wait_for()  # the page asks by itself whether it is done
    accept(page)
    page.get_by_text("数字の表で見る").click()
    assert page.locator("figure tbody tr").count() == 14
    trial = page.url.rsplit("/", 1)[1]
    for viewport, scheme in ((DESK, "light"), (DESK, "dark"), (PHONE, "dark")):
        accept(visit(hana, f"/trials/{trial}", viewport, scheme))
