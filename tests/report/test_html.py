from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser

import pytest

from unaji.causes.attribution import SignalState
from unaji.claims.graph import load_claims
from unaji.errors import OutputError
from unaji.report.html import SECTIONS, _row, to_html, unbroken, write_html
from unaji.report.story.story import tell
from unaji.report.words import catalogue

VOID = {"meta", "br", "link", "img", "input", "hr"}
JA = catalogue("ja")
EMPTY_SVG = {"rect", "circle", "line", "path"}


class Page(HTMLParser):
    """Reads a page, keeping what the tests ask for, and notes every tag that is closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style", "title"):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@cache
def html(findings, language="ja"):
    """Each person's page, drawn once."""
    return to_html(findings, language)


def bare(text):
    """A page without the readings above its words."""
    return re.sub(r"</?bdi>|</?ruby>|<rp>.*?</rp>|<rt>.*?</rt>", "", text)


@cache
def read(findings, language="ja"):
    """Each person's page, read once."""
    return Page(html(findings, language))


def test_every_tag_is_closed_in_order(findings, language):
    page = read(findings, language)
    assert page.faults == []
    assert page.open == []


def test_the_page_says_its_language(findings, language):
    assert read(findings, language).all("html") == [{"lang": language}]


def test_nothing_is_loaded_from_anywhere(findings, language):
    page = read(findings, language)
    assert not {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "embed", "video"}
    for tag, attributes in page.elements:
        assert "src" not in attributes
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        if tag != "a":
            assert "href" not in attributes
    css = re.search(r"<style>(.*)</style>", html(findings, language), re.DOTALL)
    assert css
    assert not re.search(r"@import|url\((?!#)", css[1])


def test_the_policy_allows_this_style_sheet_and_nothing_else(people):
    text = html(people["rich"]())
    css = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert css
    digest = base64.b64encode(hashlib.sha256(css[1].encode()).digest()).decode()
    policy = next(one["content"] for one in Page(text).all("meta") if one.get("http-equiv"))
    # the script has its own test, in test_live.py
    policy = re.sub(r" script-src '[^']*';", "", policy)
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_links_lead_to_sources_sections_or_the_telephone(findings):
    page = read(findings)
    sources = {source.url for source in findings.claims.sources.values()}
    ids = {attributes.get("id") for _, attributes in page.elements}
    for link in page.all("a"):
        assert link["href"] in sources or link["href"] == "tel:119" or link["href"][1:] in ids


def test_sections_come_in_the_fixed_order(findings):
    ids = [one["id"] for one in read(findings).all("section")]
    assert ids == list(SECTIONS)


def test_a_note_cannot_leave_its_place(people, language):
    text = html(people["malicious"](), language)
    page = Page(text)
    assert text.count("<script") == 2  # what the script is told, and the script
    assert "<img" not in text
    assert "alert(1)" in "".join(page.words)
    assert not page.all("img")


@pytest.mark.parametrize("name", ["fever", "emergency"])
def test_an_active_red_flag_stands_alone_and_the_rest_waits_behind_one_tap(people, name):
    words = catalogue("ja")
    text = bare(html(people[name]()))
    first, rest = text.split('<details class="later">')
    assert words("flag.first") in first
    assert words("flag.today" if name == "fever" else "flag.emergency").split("、")[0] in Page(first).words[-1] + first
    assert 'id="doctor"' in first
    assert 'id="warm"' in rest
    assert "<h1>" not in first


def test_only_the_ambulance_level_offers_the_call_and_leaves_the_advice_line_out(people):
    emergency, fever = html(people["emergency"]()), html(people["fever"]())
    assert 'href="tel:119"' in emergency
    assert "#7119" not in emergency
    assert 'href="tel:119"' not in fever
    assert "#7119" in fever


def test_an_old_fever_is_listed_first_but_does_not_hide_the_rest(people):
    text = html(people["old_fever"]())
    assert '<details class="later">' not in text
    assert text.index("38.2℃") < text.index('id="warm"')


def test_no_sign_found_is_not_called_safe(people):
    text = re.sub(r"</?span[^>]*>", "", bare(html(people["null"]())))
    assert "今回の質問では見つかりませんでした" in text
    assert "「安全」という意味ではありません" in text


def test_a_simulated_person_is_labelled_on_the_page_and_on_every_figure(people, language):
    label = catalogue(language)("simulated")
    text = bare(html(people["rich"](), language))
    computed = catalogue(language)("neck.tag")
    figures = text.count("<figure")
    assert figures == 13
    # The four of the computed neck say that nobody's neck was measured; all others that the person is simulated.
    assert text.count(f'<span class="tag">{computed}</span>') == 4
    assert text.count(f'<span class="tag">{label}</span>') == figures - 4 + 1
    assert label in re.search(r"<title>(.*)</title>", text)[1]
    assert label not in bare(html(people["null"](), language))


def test_a_person_without_any_explanation_gets_ten_hatched_squares_and_no_winner(people):
    text = html(people["null"]())
    squares = re.search(r'<ol class="squares".*?</ol>', text, re.DOTALL)
    assert squares
    assert squares[0].count('<li class="f-background background"') == squares[0].count("<li") == 10
    assert "記録の中には、説明が見つかりませんでした" in text
    assert '<article class="card cause' not in text


def test_there_are_always_ten_squares_when_there_are_any(findings):
    squares = re.search(r'<ol class="squares".*?</ol>', html(findings), re.DOTALL)
    if findings.enough.verdict in ("rank", "conclude"):
        assert squares
        assert squares[0].count("<li") == 10
    else:
        assert squares is None


def test_four_episodes_are_too_few_for_tens_and_for_an_order(people):
    text = re.sub(r"</?span[^>]*>", "", html(people["four_episodes"]()))
    assert "4回では、まだ言えません" in text
    assert "10回のうち" not in text
    assert 'id="figure-causes"' not in text


def test_heat_felt_without_warming_is_never_left_as_imagined(findings, language):
    text = html(findings, language)
    words = catalogue(language)
    felt = any(one.pathway.get("sensory", 0) > 0.5 for one in findings.episodes)
    assert (words("warm.not_imagined") in text) == felt


def test_no_need_to_avoid_is_never_said_of_medicine(people):
    text = bare(html(people["rich"]()))
    heading = re.search(r'id="not_behind".*?<h2>(.*?)</h2>', text, re.DOTALL)
    assert heading
    assert "避けなくてよさそう" in heading[1]
    assert "薬" not in heading[1]


def test_the_word_for_cause_is_never_used(findings):
    # The notes and the claims of these invented people do not use it, so neither may the page.
    assert "原因" not in html(findings)


def test_two_that_cannot_be_told_apart_share_one_card(people):
    text = html(people["pair"]())
    assert text.count('<article class="card cause pair">') == 1
    assert "どちらかが関わっていそうです" in text


def test_every_figure_has_a_sentence_a_caption_and_a_table(people, language):
    text = html(people["rich"](), language)
    computed = f'<span class="tag">{catalogue(language)("neck.tag")}</span>'
    for figure in re.findall(r"<figure.*?</figure>", text, re.DOTALL):
        if computed in figure:
            assert re.search(r'role="img" aria-labelledby="([^"]+)" aria-describedby="([^"]+)"', figure)
            assert re.search(r"<desc id=[^>]+>.{40,}</desc>", figure, re.DOTALL)
            continue
        assert figure.count('role="img"') >= 2
        assert len(set(re.findall(r'class="figure \w+" role="img" aria-label="([^"]+)"', figure))) == 1
        assert "<figcaption>" in figure
        assert "<table>" in figure


def test_each_scene_of_the_computed_neck_has_its_numbers_in_a_table_and_its_grades(people, language):
    text = html(people["rich"](), language)
    section = re.search(r'<section[^>]*id="neck".*?</section>', text, re.DOTALL)
    assert section
    scenes = section[0].count('<div class="neck-scene"')
    assert scenes == 2
    assert len(re.findall(r'<svg[^>]* class="figure neck', section[0])) >= 2 * scenes
    assert section[0].count("<table>") >= scenes
    assert section[0].count(catalogue(language)("neck.no_links")) == scenes, "this invented article claims no links"


def test_the_links_of_a_scene_are_told_with_the_weakest_grade_of_the_article(people, language):
    findings = replace(people["rich"](), claims=load_claims("neck_heat"))
    section = re.search(r'<section[^>]*id="neck".*?</section>', html(findings, language), re.DOTALL)
    assert section
    # pressure on a hot nape and a pressed nerve are both graded D in the article
    assert section[0].count(catalogue(language)("neck.links", grade="D")) == 2
    assert catalogue(language)("neck.no_links") not in section[0]


def test_no_type_in_a_figure_is_below_12_px(people):
    css = re.search(r"<style>(.*)</style>", html(people["rich"]()), re.DOTALL)
    assert css
    sizes = [float(size) for size in re.findall(r"font-size:([\d.]+)px", css[1])]
    assert min(sizes) >= 12


def test_every_episode_has_a_card_and_only_the_latest_are_unfolded(people):
    findings = people["rich"]()
    text = html(findings)
    assert text.count('<article class="card episode"') == len(findings.episodes)
    assert text.split('<details class="row"><summary><span>ほかの')[0].count('<article class="card episode"') == 3


def test_a_year_with_200_episodes_stays_small(people):
    assert len(html(people["rich"](days=364, n=200)).encode()) < 1_500_000
    assert len(html(people["rich"]()).encode()) < 1_000_000


def test_an_episode_with_only_a_date_is_shown_without_a_time(people):
    findings = people["rich"]()
    first = findings.episodes[0]
    start = findings.observed.period.start + timedelta(days=3)
    dated = replace(first, episode=replace(first.episode, start=start, end=None, whole_day=True))
    text = re.sub(r"</?span[^>]*>", "", html(replace(findings, episodes=(dated, *findings.episodes[1:]))))
    assert "2月5日(時刻なし)" in text


def test_same_findings_give_the_same_page(people):
    one, same = people["rich"](), people["rich"].__wrapped__()
    assert one is not same
    assert to_html(one, "ja") == to_html(same, "ja")


def test_a_number_is_kept_with_its_unit_and_text_is_escaped():
    assert unbroken("約4回<b>") == '約<span class="n">4回</span>&lt;b&gt;'
    assert unbroken("1〜6時間") == '<span class="n">1〜6時間</span>'
    assert unbroken("about 3 hours, 12 things") == 'about <span class="n">3 hours</span>, 12 things'


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "report.html"
    write_html(target, "熱")
    assert target.read_text(encoding="utf-8") == "熱"
    write_html(target, "次")
    assert target.read_text(encoding="utf-8") == "次"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_is_an_output_error_that_says_where(tmp_path):
    with pytest.raises(OutputError, match=r"none.report\.html: the report could not be written"):
        write_html(tmp_path / "none" / "report.html", "x")
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken"):
        write_html(tmp_path / "taken", "x")
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]


def test_of_what_took_no_part_the_full_table_says_no_number(people):
    """It is not that it explains no episode: nothing is known."""
    findings = people["rich"]()
    causes = findings.attribution.causes
    unrecorded = replace(causes[-1], signal=SignalState.INSUFFICIENT, p_cause=float("nan"), p_cause_mcse=float("nan"))
    part = replace(findings.attribution, causes=(*causes[:-1], unrecorded))
    factor = next(
        one for one in tell(replace(findings, attribution=part), JA).candidates.factors if one.id == unrecorded.id
    )
    assert _row(factor, JA)[2:9] == ["—"] * 7
