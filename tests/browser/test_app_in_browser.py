"""The person's screens in a browser: one tap with and without a network, exactly once; nothing in the console."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import expect

from tests.web.conftest import make_person
from unaji.web.casebook.models import Episode, Exposure, Person, Rating

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hana() -> Person:
    return make_person("hana@example.org")


def session_of(person: Person) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.user_id)
    session[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.user.get_session_auth_hash()
    session.create()
    return session.session_key


@pytest.fixture
def phone(browser, live_server, hana):
    """Open a phone of 360 px that Hana is signed in on; what its console says is collected."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="ja-JP", timezone_id="Asia/Tokyo")
    context.add_cookies([{"name": "sessionid", "value": session_of(hana), "url": live_server.url}])
    context.set_default_timeout(8_000)
    page = context.new_page()
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.goto(live_server.url + "/now")
    yield page
    context.close()


def shell_is_kept(page) -> None:
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")


def all_is_sent(page) -> None:
    page.wait_for_load_state("networkidle")
    expect(page.locator("#held")).to_be_hidden()


def test_one_tap_is_saved_and_can_be_told_more_of(phone, hana):
    phone.get_by_role("button", name="今、熱い").click()
    phone.wait_for_url("**/episodes/*")
    scale = phone.get_by_label("どれくらい熱いですか", exact=True)
    scale.fill("7")
    phone.get_by_label("怒り", exact=True).check()
    phone.get_by_label("机", exact=True).check()
    phone.get_by_role("button", name="おさまった").click()
    phone.wait_for_url("**/today")

    episode = Episode.objects.get(person=hana)
    assert (episode.intensity, episode.place) == (7, "desk")
    assert episode.end is not None
    assert phone.heard == []


def test_a_slider_that_was_not_touched_says_nothing(phone, hana):
    phone.get_by_role("button", name="今、熱い").click()
    phone.wait_for_url("**/episodes/*")
    phone.get_by_role("button", name="続いている").click()
    phone.wait_for_url("**/now")

    assert Episode.objects.get(person=hana).intensity is None


def test_taps_without_a_network_wait_in_the_phone_and_arrive_once(phone, hana):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    for n in (1, 2):
        phone.get_by_role("button", name="今、熱い").click()
        expect(phone.locator("#held p")).to_contain_text(f"{n}件を電話の中に預かっています")
    assert Episode.objects.filter(person=hana).count() == 0

    phone.context.set_offline(False)
    all_is_sent(phone)

    assert Episode.objects.filter(person=hana, source="offline").count() == 2
    phone.reload()
    expect(phone.locator(".now-head p")).to_contain_text("2回")


def test_the_app_opens_without_a_network_and_keeps_what_is_noted(phone, hana, live_server):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.goto(live_server.url + "/now")
    expect(phone.locator(".now-head p")).to_contain_text("電波がありません")
    phone.get_by_role("button", name="きょうは何もない").click()
    expect(phone.locator("#held p")).to_contain_text("1件")

    phone.context.set_offline(False)
    phone.goto(live_server.url + "/now")
    all_is_sent(phone)

    assert Exposure.objects.filter(person=hana, kind="check_in").count() == 1


def test_an_entry_whose_answer_was_lost_is_not_doubled(phone, hana):
    lost = []

    def lose(route):
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch())  # the server has it, but the phone never hears so
            route.abort()
        else:
            route.continue_()

    phone.route("**/now/sync", lose)
    phone.get_by_role("button", name="今、熱い").click()
    expect(phone.locator("#held p")).to_contain_text("1件")
    assert Episode.objects.filter(person=hana).count() == 1

    phone.reload()
    all_is_sent(phone)

    assert Episode.objects.filter(person=hana).count() == 1


def test_an_entry_that_was_taken_back_in_the_phone_is_not_kept(phone, hana):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.get_by_role("button", name="今、熱い").click()
    phone.get_by_role("button", name="さいごの1件を取り消す").click()
    phone.context.set_offline(False)
    phone.reload()
    all_is_sent(phone)

    assert Episode.objects.filter(person=hana).kept().count() == 0


def test_a_time_before_is_kept_without_a_network_too(phone, hana, live_server):
    shell_is_kept(phone)
    phone.goto(live_server.url + "/now/earlier")
    phone.context.set_offline(True)
    phone.get_by_role("button", name="記録する").click()
    phone.wait_for_url("**/now")
    expect(phone.locator("#held p")).to_contain_text("1件")
    phone.context.set_offline(False)
    phone.reload()
    all_is_sent(phone)

    episode = Episode.objects.get(person=hana)
    assert 29 * 60 < (episode.recorded_at - episode.start).total_seconds() < 33 * 60


def test_an_evening_is_told_without_a_network_and_arrives_once(phone, hana, live_server):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.goto(live_server.url + "/evening")
    expect(phone.get_by_text("電波がありません")).to_be_visible()
    phone.get_by_label("きょうは何もない").check()
    phone.locator("#scale-stress").fill("7")
    phone.locator("[value=caffeine-morning]").check()
    phone.get_by_role("button", name="保存する").click()
    phone.wait_for_url("**/now")
    expect(phone.locator("#held p")).to_contain_text("1件")
    assert not Exposure.objects.exists()

    phone.context.set_offline(False)
    phone.reload()
    all_is_sent(phone)

    kinds = sorted(Exposure.objects.filter(person=hana).values_list("kind", "source"))
    assert kinds == [("caffeine", "offline"), ("check_in", "offline")]
    assert Rating.objects.get(person=hana).value == 7.0


def test_what_is_added_without_a_network_has_the_moment_that_the_phone_showed(phone, hana, live_server):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.get_by_role("link", name="足す", exact=True).click()
    phone.get_by_text("机仕事", exact=True).click()
    phone.locator("details[open]").get_by_role("button", name="記録する").click()
    phone.wait_for_url("**/now")
    expect(phone.locator("#held p")).to_contain_text("1件")
    phone.context.set_offline(False)
    phone.reload()
    all_is_sent(phone)

    worked = Exposure.objects.get(person=hana)
    assert (worked.kind, worked.source) == ("desk_work", "offline")
    assert (worked.end - worked.start).total_seconds() == 3600
    assert 0 <= (worked.recorded_at - worked.end).total_seconds() < 120


def test_what_is_wrong_with_an_entry_is_said_beside_it_and_it_can_be_set_right(phone, hana, live_server):
    phone.goto(live_server.url + "/add?open=sleep")
    form = phone.locator("details[open]")
    form.locator("[name=end]").fill("2026-11-20T05:00")
    form.get_by_role("button", name="記録する").click()
    expect(form.get_by_role("alert")).to_contain_text("終わりが始まりより前")
    form.locator("[name=end]").fill("2999-11-20T05:00")  # which this phone lets pass and the server does not
    form.get_by_role("button", name="記録する").click()
    expect(form.get_by_role("alert")).to_contain_text("先の時刻")
    expect(phone.locator("#held")).to_be_hidden()
    form.locator("[name=start]").fill("2026-11-19T23:00")
    form.locator("[name=end]").fill("2026-11-20T05:00")
    form.get_by_role("button", name="記録する").click()
    phone.wait_for_url("**/today?day=2026-11-20")

    assert Exposure.objects.get(person=hana).kind == "sleep"
    assert phone.heard == []


def test_what_waited_and_is_refused_is_kept_until_somebody_has_read_why(phone, hana, live_server):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.goto(live_server.url + "/now/earlier")
    phone.locator("[name=start]").fill("2999-11-20T05:00")
    phone.get_by_role("button", name="記録する").click()
    phone.wait_for_url("**/now")
    phone.context.set_offline(False)
    phone.goto(live_server.url + "/today")  # it is sent here, where there is no room to say so
    phone.wait_for_load_state("networkidle")
    phone.goto(live_server.url + "/now")
    expect(phone.locator("#held p")).to_contain_text("先の時刻")
    phone.get_by_role("button", name="わかりました").click()
    expect(phone.locator("#held")).to_be_hidden()
    phone.reload()
    phone.wait_for_load_state("networkidle")

    expect(phone.locator("#held")).to_be_hidden()
    assert not Episode.objects.exists()


def test_a_moment_that_is_none_is_refused_and_does_not_stop_the_form(phone, hana, live_server):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.goto(live_server.url + "/now/earlier")
    phone.locator("[name=start]").evaluate("one => { one.type = 'text'; one.value = '22026-11-20T05:00' }")
    phone.get_by_role("button", name="記録する").click()
    phone.wait_for_url("**/now")
    phone.context.set_offline(False)
    phone.reload()

    expect(phone.locator("#held p")).to_contain_text("受け取れませんでした")


BACK = "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"


def test_a_page_that_the_browser_kept_whole_keeps_what_is_filled_in_and_can_be_sent_again(phone, hana, live_server):
    phone.goto(live_server.url + "/add?open=caffeine")
    form = phone.locator("details[open] form")
    number = form.locator("[name=client_id]").input_value()
    form.locator("[name=amount]").fill("3")
    form.evaluate("one => { one.dataset.busy = 'yes' }")  # as it is left by what was sent from it
    phone.evaluate(BACK)

    assert form.locator("[name=client_id]").input_value() != number
    form.get_by_role("button", name="記録する").click()
    phone.wait_for_url("**/today?day=*")
    assert Exposure.objects.get(person=hana).amount == 3


def test_each_press_of_undo_takes_one_back_and_says_so(phone, hana):
    shell_is_kept(phone)
    phone.context.set_offline(True)
    hot, note = phone.get_by_role("button", name="今、熱い"), phone.locator("#held p")
    for n in (1, 2):
        hot.click()
        expect(note).to_contain_text(f"{n}件")
    phone.get_by_role("button", name="さいごの1件を取り消す").click()
    expect(note).to_contain_text("1件")
    phone.get_by_role("button", name="さいごの1件を取り消す").click()
    expect(phone.locator("#held")).to_be_hidden()
    hot.click()
    expect(note).to_contain_text("1件")
    phone.context.set_offline(False)
    phone.reload()
    all_is_sent(phone)
    phone.wait_for_function("() => import('/static/unaji/queue.js').then(q => q.held()).then(all => !all.length)")

    assert Episode.objects.filter(person=hana).kept().count() == 1
    assert Episode.objects.filter(person=hana).count() == 3


TAKEN_BACK_ON_ITS_WAY = """async () => {
  const queue = await import("/static/unaji/queue.js");
  const ask = window.fetch;
  window.fetch = async (to, how) => { if (how.method === "POST") await queue.undoLast(); return ask(to, how) };
  const client_id = crypto.randomUUID();
  await queue.keep({ kind: "episode", client_id, at: "2999-01-01T00:00:00Z", typed: ["at"] });
  const { refused } = await queue.send();
  return [client_id in refused, (await queue.refusals()).length, (await queue.held()).map((one) => one.kind)];
}"""


def test_what_was_taken_back_on_its_way_is_not_told_as_refused(phone, hana):
    assert phone.evaluate(TAKEN_BACK_ON_ITS_WAY) == [True, 0, ["withdraw"]]


def test_signing_out_asks_before_what_waits_is_lost(phone, hana, live_server):
    phone.goto(live_server.url + "/more")
    phone.route("**/now/sync", lambda route: route.abort())
    phone.evaluate("import('/static/unaji/queue.js').then(q => q.keep({kind: 'nothing', client_id: crypto.randomUUID(),"
                   " at: new Date().toISOString()}))")  # fmt: skip
    asked = []
    phone.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    phone.get_by_role("button", name="サインアウト").click()
    phone.wait_for_timeout(500)

    assert "まだ送れていない記録" in asked[0]
    assert phone.url.endswith("/more")


def test_signing_out_asks_too_before_what_was_refused_is_forgotten_unread(phone, hana, live_server):
    phone.goto(live_server.url + "/more")
    entry = "{kind: 'episode', client_id: crypto.randomUUID(), at: '2999-01-01T00:00:00Z', typed: ['at']}"
    phone.evaluate(f"import('/static/unaji/queue.js').then(q => q.keep({entry}).then(() => q.send()))")
    asked = []
    phone.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    phone.get_by_role("button", name="サインアウト").click()
    phone.wait_for_timeout(500)

    assert len(asked) == 1
    assert phone.url.endswith("/more")


def test_a_phone_that_nobody_is_signed_in_on_keeps_nothing_for_the_next_one(phone, hana, live_server):
    shell_is_kept(phone)
    phone.goto(live_server.url + "/more")
    phone.get_by_role("button", name="サインアウト").click()
    phone.wait_for_load_state("networkidle")
    phone.goto(live_server.url + "/now/shell")
    phone.get_by_role("button", name="今、熱い").click()
    phone.wait_for_url("**/account/login/**")

    assert not Episode.objects.exists()


def test_what_waits_is_not_given_to_somebody_else_who_signs_in(phone, hana, live_server):
    ken = make_person("ken@example.org")
    shell_is_kept(phone)
    phone.context.set_offline(True)
    phone.get_by_role("button", name="今、熱い").click()
    expect(phone.locator("#held p")).to_contain_text("1件")
    phone.context.set_offline(False)
    phone.context.clear_cookies()
    phone.context.add_cookies([{"name": "sessionid", "value": session_of(ken), "url": live_server.url}])
    phone.goto(live_server.url + "/now")
    phone.wait_for_load_state("networkidle")

    assert Episode.objects.count() == 0


def test_nothing_of_the_person_stays_in_the_browser_after_signing_out(phone, hana):
    shell_is_kept(phone)
    phone.goto(phone.url.replace("/now", "/more"))
    phone.get_by_role("button", name="サインアウト").click()
    phone.wait_for_load_state("networkidle")

    kept = phone.evaluate(
        "async () => { const names = await caches.keys(); const out = [];"
        "for (const n of names) for (const r of await (await caches.open(n)).keys()) out.push(new URL(r.url).pathname);"
        "return out }"
    )
    shells = {"/now/shell", "/now/earlier/shell", "/add/shell", "/evening/shell"}
    assert {path for path in kept if not path.startswith("/static/")} == shells


@pytest.mark.parametrize(
    "path",
    [
        "/now",
        "/today",
        "/add",
        "/why",
        "/course",
        "/more",
        "/data",
        "/mine",
        "/now/earlier",
        "/add/shell",
        "/evening/shell",
    ],
)
def test_a_screen_has_no_violation_of_accessibility_and_a_silent_console(phone, live_server, path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    phone.goto(live_server.url + path)

    found = axe.Axe().run(phone)

    assert found.response["violations"] == []
    assert phone.heard == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
