"""The page "what happens in your neck when …" tells every scenario, with pictures that are there and whole.

Its numbers move with the model and are not compared; python docs/make_scenarios.py writes it anew.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from unaji.body.scenario_file import find_scenario, shipped_scenarios

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "explanation" / "scenarios.md"
PICTURES = DOCS / "scenarios"
MOST_BYTES = 1_500_000


@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_scenario_is_told_in_both_languages_with_two_pictures(name):
    page, asked = PAGE.read_text(encoding="utf-8"), find_scenario(name)
    assert f'## {asked.title.ja} · {asked.title.en} <a id="{name}"></a>' in page
    assert asked.shows.ja in page
    assert asked.shows.en in page
    assert f"(#{name})" in page
    for kind in ("section", "course"):
        assert page.count(f"../scenarios/{name}-{kind}.svg") == 1
        root = ET.parse(PICTURES / f"{name}-{kind}.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("role") == "img"


def test_there_is_no_picture_without_a_scenario_and_together_they_are_small():
    pictures = sorted(PICTURES.iterdir())
    assert {one.name for one in pictures} == {
        f"{s}-{k}.svg" for s in shipped_scenarios() for k in ("section", "course")
    }
    assert sum(one.stat().st_size for one in pictures) < MOST_BYTES
    text = "".join(one.read_text(encoding="utf-8") for one in pictures)
    assert not re.search(r"<script|<image|href=|\bon\w+=", text)


def test_no_number_of_the_page_is_unknown():
    assert not re.search(r"\bnan\b|\binf\b", PAGE.read_text(encoding="utf-8"))
