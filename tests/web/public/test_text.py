"""Article text: Markdown in, known markup out."""

from __future__ import annotations

import pytest

from unaji.web.public.text import markdown, paragraphs


def test_markdown_becomes_html():
    assert (
        markdown("**強い** と\n\n- 一\n- 二")
        == "<p><strong>強い</strong> と</p>\n<ul>\n<li>一</li>\n<li>二</li>\n</ul>\n"
    )


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '<img src="x" onerror="alert(1)">', "[a](javascript:alert(1))",
     "[a](http://example.org)", "<div style='color:red'>a</div>", "![a](https://example.org/a.png)"],
)  # fmt: skip
def test_what_is_not_known_does_not_come_out_as_markup(text):
    written = markdown(text)

    assert not [one for one in ("<script", "<img", "<div", 'href="java', 'href="http:') if one in written]


def test_a_link_to_elsewhere_tells_the_other_side_nothing():
    assert markdown("[a](https://example.org)") == '<p><a href="https://example.org" rel="noreferrer">a</a></p>\n'


def test_a_plain_text_is_cut_at_its_empty_lines():
    assert paragraphs("一\n二\n\n三\n") == ["一\n二", "三\n"]
