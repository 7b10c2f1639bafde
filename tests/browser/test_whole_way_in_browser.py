"""The whole way of one person, on a phone and at a desk: sign up with a passkey, write, also without a network, bring
data, read why, erase."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_account_in_browser import Visit, sign_up, site  # noqa: F401  # the fixture
from unaji.web.casebook.jobs import run
from unaji.web.casebook.keys import KeyGoneError, person_key
from unaji.web.casebook.models import Episode, ErasureRequest, ImportBatch, Job, Person, User

pytestmark = pytest.mark.django_db(transaction=True)

PHONE, DESK = 360, 1200


def work() -> None:
    """Do what a worker beside the server would do."""
    while (job := Job.objects.filter(state="waiting").order_by("made_at").first()) is not None:
        run(job.pk)


def bring(visit: Visit, file: Path) -> None:
    """Bring a file, see what is in it, save it."""
    visit.page.goto("/data")
    visit.page.locator("input[type=file]").set_input_files(file)
    if visit.page.locator("[name=consent]").count():
        visit.page.locator("[name=consent]").check()
    visit.press("中身を調べる")
    visit.page.wait_for_url("**/data")
    work()
    visit.page.reload()
    visit.press("保存する")
    visit.page.wait_for_url("**/data")
    work()
    visit.page.reload()
    expect(visit.page.locator(".batch").first).to_contain_text("保存しました")


@pytest.mark.shared
def test_from_signing_up_to_erasing(browser, site, shared_data, tmp_path):  # noqa: F811
    pytest.importorskip("axe_playwright_python")
    pypdf = pytest.importorskip("pypdf")
    visit = Visit(browser, site, width=PHONE)
    page = visit.page
    page.set_default_timeout(10_000)

    sign_up(visit)
    visit.link("控えました。つづける")
    visit.at("/welcome")
    page.get_by_label("18歳以上").check()
    page.get_by_label("記録を預かること").check()
    visit.press("記録を始める")
    visit.at("/check")
    for no in page.locator("form.check input[type=radio][value=no]").all():
        no.check(force=True)
    page.locator("form.check button[type=submit]").click()
    page.wait_for_url("**/red-flag/*")
    page.locator("main a[href='/intake']").click()
    visit.at("/intake")
    page.locator("form.questionnaire button[type=submit]").click()
    visit.at("/first-picture")

    for width in (DESK, PHONE):
        visit.widen(width)
        page.goto("/now")
        visit.press("今、熱い 押すだけで記録します")
        page.wait_for_url("**/episodes/*")
        page.goto("/now")
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        visit.context.set_offline(True)
        page.get_by_role("button", name="今、熱い").click()
        expect(page.locator("#held p")).to_contain_text("1件")
        visit.context.set_offline(False)
        page.wait_for_load_state("networkidle")
        expect(page.locator("#held")).to_be_hidden()
    person = Person.objects.get()
    assert Episode.objects.filter(person=person).count() == 4

    session = tmp_path / "session.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in ("TEMP.csv", "EDA.csv", "HR.csv", "IBI.csv", "tags.csv", "info.txt"):
            archive.write(shared_data / "e4-flirt-sample" / one, one)
    session.write_bytes(packed.getvalue())
    bring(visit, session)
    visit.widen(DESK)
    bring(visit, shared_data / "apple-health" / "dogsheep_export.xml")
    assert sorted(ImportBatch.objects.values_list("importer", "state")) == [
        ("Apple Health", "stored"),
        ("Empatica E4", "stored"),
    ]

    page.goto("/why")
    visit.press("調べる")
    page.wait_for_url("**/why")
    work()
    for width in (DESK, PHONE):
        visit.widen(width)
        page.goto("/why")
        visit.look("/why")
        page.get_by_role("link", name="くわしい説明を読む").click()
        page.wait_for_url("**/why/report")
        expect(page.locator("h1")).to_be_visible()
    paper = visit.context.request.get(f"{site}/why/report.pdf")
    assert "うなじ" in "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(paper.body())).pages)

    page.goto("/mine")
    page.get_by_label("消すには「消す」と書いてください").fill("消す")
    visit.press("すべて消す")
    expect(page.locator("h1")).to_have_text("すべて消しました")
    assert not User.objects.exists()
    assert ErasureRequest.objects.get().receipt["gone"]["episode"] == 4
    with pytest.raises(KeyGoneError):
        person_key(person.pk)
    assert [said for said in visit.heard if "ERR_INTERNET_DISCONNECTED" not in said] == []
