"""The page of a comparison: what it shows, what it leaves unsaid, and that it loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta
from html import unescape

import pytest
from click.testing import CliRunner

from unaji.cli import unaji
from unaji.report import json as reports
from unaji.report.comparison import compare, say_rate
from unaji.report.comparison_page import to_html
from unaji.report.figures.compared import doublings
from unaji.report.words import catalogue


@pytest.fixture(scope="module")
def spring(people):
    return json.loads(reports.dumps(people["rich"]()))


@pytest.fixture(scope="module")
def summer(spring):
    """A third of the episodes, the first factor gone, the third one likely but within its interval."""
    new = later(spring, 100)
    new["episodes"] = new["episodes"][: len(new["episodes"]) // 3]
    new["causes"][0] |= {"verdict": "unlikely", "p_cause": 0.02, "share": {"mean": 0.0, "p5": 0.0, "p95": 0.01}}
    new["causes"][2] |= {"verdict": "likely", "p_cause": 0.82}
    return new


@pytest.fixture(scope="module")
def longer(spring):
    """The same report with four more weeks, in which the first factor became unclear."""
    new, end = deepcopy(spring), datetime.fromisoformat(spring["period"]["end"])
    new["period"] |= {"end": (end + timedelta(days=28)).isoformat()}
    new["period"]["observed_days"] += 28
    new["episodes"] += [{"start": (end + timedelta(days=d)).isoformat(), "fever": False} for d in range(1, 8)]
    new["causes"][0] |= {"verdict": "open", "p_cause": 0.4}
    return new


def later(report, days):
    moved = deepcopy(report)

    def at(text):
        return (datetime.fromisoformat(text) + timedelta(days=days)).isoformat()

    moved["period"] |= {"start": at(report["period"]["start"]), "end": at(report["period"]["end"])}
    moved["episodes"] = [one | {"start": at(one["start"])} for one in report["episodes"]]
    return moved


def short(report):
    return report | {"enough": report["enough"] | {"verdict": "more"}}


def text_of(page):
    page = re.sub(r"<rp>.*?</rp>|<rt>.*?</rt>", "", page)
    return unescape(re.sub(r"<[^>]+>", "", page.rpartition("<body>")[2]))


def figure(page, name):
    found = re.search(rf'<figure class="card bleed" id="figure-{name}">.*?</figure>', page, re.DOTALL)
    assert found, name
    return found[0]


def test_the_heading_is_the_answer_and_the_pictures_follow_in_order(spring, summer, language):
    words, found = catalogue(language), compare(spring, summer)
    page = to_html(found, language)
    assert text_of(re.search("<h1>.*?</h1>", page)[0]) == words("compare.answer.fewer")
    assert re.findall(r'<figure class="card bleed" id="([a-z-]+)"', page) == [
        "figure-rate", "figure-causes", "figure-treatments"
    ]  # fmt: skip
    assert re.findall(r'<section id="(\w+)"', page) == ["rate", "causes", "treatment"]
    assert say_rate(found, words) in text_of(page)


def test_each_figure_has_two_drawings_a_sentence_for_the_ear_and_a_table(spring, summer, language):
    page = to_html(compare(spring, summer), language)
    for name in ("rate", "causes", "treatments"):
        one = figure(page, name)
        assert len(re.findall(r"<svg [^>]*role=\"img\"", one)) == 2
        assert len(set(re.findall(r'aria-label="([^"]+)"', one))) == 2  # the drawings' own, and the table's
        assert one.count("<table>") == 1


def test_what_changed_stands_apart_from_what_may_be_chance_in_the_earlier_reports_order(spring, summer):
    page = to_html(compare(spring, summer), "en")
    one = text_of(figure(page, "causes").partition("</svg>")[0])
    order = [one.index(text) for text in ("Changes that chance", "a fast fall", "Differences that chance", "coffee")]
    assert order == sorted(order)
    assert "almost certain 97% → little or no link 2%" in one
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>', figure(page, "causes"))
    assert rows[0] == spring["causes"][0]["name"]["en"]


def test_days_in_both_reports_are_said_to_have_been_learnt_and_never_to_have_changed(spring, longer, language):
    words = catalogue(language)
    page = to_html(compare(spring, longer), language)
    drawn = figure(page, "causes")
    for key in ("beyond", "within"):
        assert words(f"compare.group.{key}") not in drawn
        assert words(f"compare.{key}") not in text_of(page)
    assert words("compare.learnt") in text_of(page)
    assert words("compare.new_days", days=words.count("days", 28)) in text_of(figure(page, "rate"))


def test_a_report_against_itself_shows_no_change_anywhere(spring, language):
    words = catalogue(language)
    page = to_html(compare(spring, spring), language)
    assert words("compare.answer.none") in text_of(page)
    assert words("compare.no_days").rstrip("。.") in text_of(page)
    assert words("compare.same").rstrip("。.") in text_of(page)
    assert words("compare.treatment_answer.same") in text_of(page)
    assert words("compare.learnt") not in text_of(page)
    assert "figure-rate" not in page


def test_reports_too_short_to_rank_give_no_tens_and_no_treatment(spring, language):
    words = catalogue(language)
    page = to_html(compare(short(spring), short(later(spring, 100))), language)
    assert words("compare.causes.unranked") in text_of(page)
    assert 'id="figure-causes"' not in page
    assert 'id="treatment"' not in page
    assert "97%" not in text_of(page)
    one_short = to_html(compare(short(spring), later(spring, 100)), language)
    assert re.search(r'class="reach"', figure(one_short, "causes"))
    assert 'id="treatment"' not in one_short


def test_a_new_warning_sign_stands_before_the_heading(spring, people, language):
    new = later(json.loads(reports.dumps(people["emergency"]())), 100)
    page = to_html(compare(spring, new | {"person": spring["person"]}), language)
    assert catalogue(language)("compare.flags") in text_of("<body>" + page.partition("<body>")[2].partition("<h1>")[0])


def test_an_article_of_ones_own_is_compared_without_its_colours(spring, summer):
    one, other = (report | {"article": "my_article"} for report in (spring, summer))
    page = to_html(compare(one, other), "en")
    assert "f-plain" in figure(page, "causes")
    assert "f-weather" not in figure(page, "causes")


def test_the_policy_lets_in_our_style_sheet_and_nothing_else(spring, summer, language):
    page = to_html(compare(spring, summer), language)
    css = re.search("<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in page
    assert not re.search(r"<script|<link|<img|\sstyle=|\ssrc=|\son\w+=", page)
    assert len(page.encode()) < 300_000


def test_a_name_in_a_report_is_only_ever_text(spring, summer):
    sly = deepcopy(summer)
    sly["causes"][0]["name"] = {"ja": "<script>alert(1)</script>", "en": '"><img src=x onerror=alert(1)>'}
    sly["treatments"][0]["kind"] = "<b>needle</b>"
    old = deepcopy(spring)
    old["treatments"][0]["kind"] = "<b>needle</b>"
    for language in ("ja", "en"):
        page = to_html(compare(old, sly), language)
        assert not re.search(r"<script|<img|<b>needle", page)


def test_no_text_is_left_of_its_picture_or_wider_than_it(spring, summer, longer, language):
    for other in (summer, longer):
        page = to_html(compare(spring, other), language)
        for svg in re.findall(r"<svg viewBox=\"0 0 (\d+) [\d.]+\".*?</svg>", page, re.DOTALL):
            assert svg in ("330", "720")
        for width, body in re.findall(r"<svg viewBox=\"0 0 (\d+) [\d.]+\"(.*?)</svg>", page, re.DOTALL):
            xs = [float(x) for x in re.findall(r' (?:x|cx|x1|x2)="(-?[\d.]+)"', body)]
            assert 0 <= min(xs) <= max(xs) <= float(width)


@pytest.mark.parametrize(("ends", "expected"), [((0.5, 1.9), 2), ((0.2, 1.0), 3), ((0.0, float("inf")), 2), ((99,), 4)])
def test_the_axis_of_a_ratio_reaches_as_many_doublings_as_its_ends_need(ends, expected):
    assert doublings(ends) == expected


def test_the_command_writes_the_page_beside_its_sentences_and_refuses_another_name_first(tmp_path, spring, summer):
    for name, report in (("spring", spring), ("summer", summer)):
        (tmp_path / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    files = [str(tmp_path / "spring.json"), str(tmp_path / "summer.json")]
    done = CliRunner().invoke(unaji, ["compare", *files, "--html", str(tmp_path / "change.html"), "--lang", "en"])
    assert done.exit_code == 0
    assert "\nThe earlier report covers" in done.stdout
    assert (tmp_path / "change.html").read_text(encoding="utf-8") == to_html(compare(spring, summer), "en")
    gone = CliRunner().invoke(unaji, ["compare", "gone.json", "gone.json", "--html", str(tmp_path / "summer.json")])
    assert gone.exit_code != 0
    assert "must end in .html" in gone.output + str(gone.exception)
    assert (tmp_path / "summer.json").read_text(encoding="utf-8") == json.dumps(summer)
