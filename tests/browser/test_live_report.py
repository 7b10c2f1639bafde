"""The report answers to a finger, a mouse and keys; and says the same without its script."""

from __future__ import annotations

import json
import re

import pytest

DOTS = "#figure-days svg.figure.{} [data-episode]"


@pytest.fixture
def page(visit):
    page, heard = visit("rich", width=390)
    page.locator("#figure-one").scroll_into_view_if_needed()
    page.locator(".plot canvas").wait_for()
    yield page
    assert heard == []
    page.close()


def told(page):
    return json.loads(page.locator("#told").text_content())


def view(page):
    """What the chart shows, in seconds since 1970, when it has been drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = page.locator(".plot")
    return float(box.get_attribute("data-from")), float(box.get_attribute("data-to"))


def picture(page):
    return page.locator(".plot canvas").evaluate("canvas => canvas.toDataURL()")


def heading(page):
    view(page)
    return page.locator("#figure-one h3 span").first.inner_text()


def chosen(page):
    """The episode whose card stands below the chart."""
    return page.locator(".chosen h4").inner_text().replace("\n", " ")


def test_it_opens_on_the_episode_of_the_drawing_from_twelve_hours_before(page):
    data = told(page)
    episode = data["episodes"][data["first"]]
    assert heading(page) == episode["title"]
    assert view(page) == pytest.approx((episode["time"] - 12 * 3600, episode["time"] + 3600), abs=1)
    assert page.locator("#figure-one > svg.figure.phone").is_visible() is False
    assert page.locator(".plot canvas").is_visible()


def test_the_caption_keeps_its_numbers_whole_and_its_readings_above_the_words(page):
    """As bare text a reading would stand in brackets within the sentence."""
    caption = page.locator("#figure-one figcaption p")
    view(page)
    assert caption.locator(".n").count() == 2
    page.locator(".live .whole").click()
    view(page)
    assert caption.locator(".n").count() == 0
    page.locator(".live .before").click()
    view(page)
    assert caption.locator(".n").count() == 2


def test_a_tap_on_a_dot_shows_that_episode_and_what_may_be_behind_it(page):
    data = told(page)
    target = next(one for one in data["episodes"] if one["index"] == 5)
    dot = page.locator(DOTS.format("phone")).nth(5)
    assert dot.get_attribute("data-episode") == "5"
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert heading(page) == target["title"]
    assert page.locator("#figure-days .phone .mine").count() == 1
    card = page.locator("#episode-5")
    assert page.locator(".chosen .sources").text_content() == card.locator(".sources").text_content()
    assert page.locator(".chosen .sources li").count() > 1


def test_before_and_after_walk_through_the_episodes_and_stop_at_the_ends(page):
    data = told(page)
    for _ in data["episodes"]:
        if page.locator(".before").is_disabled():
            break
        page.locator(".before").click()
    assert heading(page) == data["episodes"][0]["title"]
    page.locator(".after").click()
    assert heading(page) == data["episodes"][1]["title"]
    assert page.locator(".before").is_enabled()


def test_from_the_whole_record_a_tap_on_an_episode_goes_into_it(page):
    data = told(page)
    page.locator(".controls .whole").click()
    start, end = view(page)
    assert (start, end) == (data["start"], data["start"] + data["samples"] * data["step"])
    over = page.locator(".plot .u-over").bounding_box()
    last = data["episodes"][-1]
    x = over["x"] + over["width"] * (last["time"] - start) / (end - start)
    page.mouse.click(x, over["y"] + 20)
    assert heading(page) == last["title"]


def test_a_finger_moves_the_time_and_two_stretch_it(page):
    start, end = view(page)
    page.locator(".plot").scroll_into_view_if_needed()
    over = page.locator(".plot .u-over").bounding_box()
    y = over["y"] + 50
    page.mouse.move(over["x"] + 200, y)
    page.mouse.down()
    page.mouse.move(over["x"] + 100, y, steps=5)
    page.mouse.up()
    moved = view(page)
    assert moved[0] - start == pytest.approx((end - start) * 100 / over["width"], rel=0.02)
    assert moved[1] - moved[0] == pytest.approx(end - start)
    page.evaluate(
        """() => {
        const box = document.querySelector(".plot"), at = box.querySelector(".u-over").getBoundingClientRect();
        box.setPointerCapture = () => {};
        const send = (type, id, x) => box.dispatchEvent(new PointerEvent(type,
            {pointerId: id, clientX: at.x + x, clientY: at.y + 40, button: type === "pointermove" ? -1 : 0}));
        send("pointerdown", 1, 100); send("pointerdown", 2, 200);
        send("pointermove", 1, 50); send("pointermove", 2, 250);
        send("pointerup", 1, 50); send("pointerup", 2, 250);
        }"""
    )
    stretched = view(page)
    assert stretched[1] - stretched[0] == pytest.approx((moved[1] - moved[0]) / 2, rel=0.02)


def test_keys_and_buttons_do_what_fingers_do(page):
    start, end = view(page)
    page.locator(".plot").focus()
    page.keyboard.press("ArrowLeft")
    assert view(page)[0] == pytest.approx(start - (end - start) / 8, abs=1)
    page.keyboard.press("+")
    assert view(page)[1] - view(page)[0] == pytest.approx((end - start) / 2)
    page.locator(".controls .out").click()
    page.locator(".controls .out").click()
    assert view(page)[1] - view(page)[0] == pytest.approx(2 * (end - start))
    page.keyboard.press("Home")
    page.locator(".plot").focus()
    page.keyboard.press("Home")
    assert view(page)[0] == told(page)["start"]
    assert heading(page) == told(page)["words"]["whole"]


def test_a_cause_that_is_switched_off_leaves_the_picture_and_the_sum(page):
    data = told(page)
    causes = data["layers"][2:]
    everything, summed = picture(page), page.locator(".sum").inner_text()
    for chip in page.locator("button.chip").all()[1:]:
        chip.click()
        assert chip.get_attribute("aria-pressed") == "false"
    only = causes[-1]
    assert picture(page) != everything
    said = page.locator(".sum").inner_text()
    assert said != summed
    assert f"約{round(only['mean'])}回" in said
    low, high = int(only["low"]), -int(-only["high"] // 1)
    assert f"{low}〜{high}回" in said
    page.locator("button.chip").first.click()
    assert page.locator(".sum").inner_text() == data["words"]["sum_none"]
    for chip in page.locator("button.chip").all():
        chip.click()
    assert page.locator(".sum").inner_text() == summed
    assert picture(page) == everything


def test_less_than_half_an_episode_is_told_as_under_one(visit):
    page, _ = visit("pair")
    page.locator("button.chip[data-cause=desk_load]").click()
    assert 0 < next(one for one in told(page)["layers"] if one["id"] == "pressure_drop")["mean"] < 0.5
    assert "のうち1回未満(" in page.locator(".sum").inner_text()
    page.close()


def test_the_exposure_behind_the_dots_can_be_chosen_and_is_drawn_as_the_page_drew_it(page):
    data = told(page)
    shown = "svg => [...svg.querySelectorAll('.cells rect')].map(r => r.outerHTML.replace(/ xmlns=\\S+/, ''))"
    attributes = re.compile(r'(\w+)="([^"]*)"')

    def cells():
        drawn = page.locator("#figure-days svg.phone").evaluate(shown)
        return sorted(tuple(sorted(attributes.findall(one))) for one in drawn)

    first, title = cells(), page.locator("#figure-days h3 span").first.inner_text()
    select = page.locator("#figure-days select")
    mine, other = select.input_value(), next(one for one in data["exposures"] if one["title"] != title)
    select.select_option(other["id"])
    assert cells() != first
    assert page.locator("#figure-days h3 span").first.inner_text() == other["title"]
    assert page.locator("#figure-days svg.phone").get_attribute("aria-label") == other["aria"]
    assert page.locator("#figure-days thead th").last.text_content() == other["name"]
    column = page.locator("#figure-days tbody tr td:last-child").all_text_contents()
    assert column == other["at_onset"]
    select.select_option(mine)
    again = cells()
    assert len(again) == len(first)
    for a, b in zip(first, again, strict=True):
        for (key, value), (other_key, other_value) in zip(a, b, strict=True):
            assert key == other_key
            if key == "class":
                assert value == other_value
            else:
                assert float(value) == pytest.approx(float(other_value), abs=0.11)


def test_a_card_leads_to_the_chart(page):
    page.locator(".episodes details").evaluate_all("all => all.forEach(one => one.open = true)")
    page.locator("#episode-3 .to-chart").click()
    assert heading(page) == next(one for one in told(page)["episodes"] if one["index"] == 3)["title"]
    assert page.locator("#figure-one").evaluate("e => Math.abs(e.getBoundingClientRect().top)") < 2


def test_without_script_the_same_figures_stand_still(visit):
    page, heard = visit("rich", java_script_enabled=False)
    assert page.locator("#figure-one > svg.figure.phone").is_visible()
    for name in (".live", ".picker", ".to-chart"):
        assert not any(one.is_visible() for one in page.locator(name).all())
    assert heard == []
    page.close()


def test_on_paper_nothing_is_left_to_press(visit):
    page, _ = visit("rich", width=1000)
    page.emulate_media(media="print")
    assert page.locator("#figure-one > svg.figure.desktop").is_visible()
    for name in (".live", ".picker", ".to-chart"):
        assert not any(one.is_visible() for one in page.locator(name).all())
    page.close()


def test_who_may_not_be_ranked_gets_no_script(visit):
    page, heard = visit("four_episodes")
    assert page.locator("script").count() == 0
    assert heard == []
    page.close()
