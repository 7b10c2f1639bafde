from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta
from importlib.resources import files

import numpy as np
import pytest

from unaji.report.html import to_html
from unaji.report.live.script import LIBRARY, as_data, script
from unaji.report.live.told import BINS, to_script
from unaji.report.story.story import tell
from unaji.report.words import catalogue

UPLOT_1_6_32 = "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
"""SHA-256 of dist/uPlot.iife.min.js in the package as its makers published it."""


@pytest.fixture(scope="module")
def person(people):
    return people["rich"]()


@pytest.fixture(scope="module")
def told(person):
    words = catalogue("en")
    return to_script(person, tell(person, words), words)


def curve(layer):
    steps = np.frombuffer(base64.b64decode(layer["steps"]), dtype=np.uint8)
    return layer["top"] * (steps / 255) ** 2


def test_the_library_is_the_published_one():
    library = files("unaji.report.live").joinpath(LIBRARY).read_bytes()
    assert hashlib.sha256(library).hexdigest() == UPLOT_1_6_32
    assert "MIT License" in files("unaji.report.live").joinpath("uPlot-LICENSE").read_text(encoding="utf-8")


def test_the_policy_lets_in_this_script_and_no_other(people):
    text = to_html(people["rich"]())
    running = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert running == [script()]
    digest = base64.b64encode(hashlib.sha256(running[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; base-uri 'none'" in text
    assert (
        re.search(r"\beval\(|new Function|innerHTML ?=|https?://(?!github.com/leeoniya|www.w3.org)", running[0]) is None
    )


def test_no_text_can_end_the_data():
    hostile = {"name": "</script><script>alert(1)</script><!-- & \u2028"}
    written = as_data(hostile)
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == hostile


def test_the_curves_are_those_of_the_engine(person, told):
    """Against the intensity itself: the mean of each quarter of an hour, over the usual mean."""
    grid, attribution = person.design.grid, person.attribution
    sources = attribution.episodes.sources
    intensity = np.asarray(attribution.intensity, dtype=float)
    seen = grid.observed & (intensity.sum(axis=0) > 0)
    usual = intensity[sources.index("background")][grid.observed].mean()
    sums = np.zeros(told["samples"])
    for layer in told["layers"]:
        sums += curve(layer)
    for sample in np.linspace(0, told["samples"] - 1, 60).astype(int):
        bins = slice(sample * BINS, (sample + 1) * BINS)
        if seen[bins].any():
            expected = intensity[:, bins][:, seen[bins]].sum(axis=0).mean() / usual
            assert sums[sample] == pytest.approx(expected, abs=0.01 * max(one["top"] for one in told["layers"]))
        else:
            assert sums[sample] == 0
            assert any(a <= sample < b for a, b in told["gaps"])


def test_each_cause_is_told_with_its_own_numbers(person, told):
    by_id = {one.id: one for one in person.attribution.causes}
    assert len(told["layers"]) > 3
    for place, layer in enumerate(told["layers"][2:]):
        explained = by_id[layer["id"]].episodes_explained
        assert (layer["mean"], layer["low"], layer["high"]) == (explained.mean, explained.p5, explained.p95)
        for one in told["episodes"]:
            assert one["p"][place] == pytest.approx(person.episodes[one["index"]].p.get(layer["id"], 0.0), abs=5e-5)
    means = [one["mean"] for one in told["layers"][2:]]
    assert np.argmax(means) == len(means) - 1


def test_the_clock_is_the_persons(person, told):
    assert told["offsets"] == [(told["start"], 9 * 3600)]
    for one in told["episodes"]:
        episode = person.episodes[one["index"]].episode
        assert one["time"] == int(episode.start.timestamp())
        assert f"{person.timeline.zones.local(episode.start):%H:%M}" in one["title"]
    assert timedelta(seconds=told["step"]) == timedelta(minutes=15)


def test_a_page_of_twelve_weeks_is_small(people, language):
    assert len(to_html(people["rich"](), language).encode()) < 1_500_000


@pytest.mark.parametrize("name", ["four_episodes", "no_episodes"])
def test_where_nothing_may_be_ranked_nothing_is_told(people, name, language):
    words = catalogue(language)
    one = people[name]()
    assert to_script(one, tell(one, words), words) is None
    assert "<script" not in to_html(one, language)


def test_the_dates_below_five_years_have_room_on_a_phone():
    """A page of 360 px leaves less than 314 for the time; the script wants 58 from one date to the next."""
    hours = re.search(r"const TICKS = \[([\d, ]+)\]", script())
    longest = max(int(one) for one in hours[1].split(","))
    assert longest * 314 / (5 * 365.25 * 24) >= 58
