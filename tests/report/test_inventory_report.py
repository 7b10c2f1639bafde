"""The report on records: page, terminal and JSON say the same, in both languages, and nothing that is not there."""

import json
import re
from io import StringIO
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from unaji.cli import unaji
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.batch import ROLES, Batch, Device, Kind, frame
from unaji.records.inventory import take_stock
from unaji.records.store.manifest import Rejection
from unaji.records.store.writing import Origin, writing
from unaji.records.suspicions import Doubt
from unaji.report.figures.coverage import coverage_figure, shade
from unaji.report.inventory.json import as_json
from unaji.report.inventory.layout import GROUPS, days_a_cell, strips
from unaji.report.inventory.page import to_html
from unaji.report.inventory.terminal import print_inventory, strip_text
from unaji.report.inventory.words import TEXTS, name_of

DAY = 86_400_000
MAY = 1_714_489_200_000  # 2024-05-01T00:00+09:00


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "p"
    path.mkdir()
    (path / "person.toml").write_text('timezone = "Asia/Tokyo"\n')
    (path / "episodes.csv").write_text("start,intensity\n2024-05-02T10:00,6\n2024-05-04T15:00,4\nlater,5\n")
    (path / "treatments.csv").write_text("time,kind\n2024-05-03T10:00,acupuncture\n")
    minutes = MAY + np.concatenate([np.arange(1440), 3 * 1440 + np.arange(360)]) * 60_000
    scale, other = Device("withings", "manual"), Device("google_fit", "merged", name="花子の体重計")
    for batch in (
        Batch(Kind.SERIES, "hr_bpm", Device("garmin_connect", "watch"), frame(time=minutes, value=70.0)),
        Batch(Kind.SERIES, "weight_kg", scale, frame(time=MAY + np.arange(4) * DAY, value=[61.0, 61.2, 60.9, 61.1])),
        Batch(Kind.SERIES, "weight_kg", other, frame(time=MAY + np.arange(4) * DAY + 1, value=[134.0, 135, 134, 135])),
        Batch(Kind.SERIES, "air_temp_c", Device("jma", "station", site="outdoor"),
              frame(time=MAY + np.arange(96) * 3_600_000, value=15.0)),
    ):  # fmt: skip
        with writing(path) as store, store.incoming() as incoming:
            incoming.add(batch)
            reasons = (Rejection("weight_kg lies outside 2 to 400 kg", 3),) if batch.device == scale else ()
            incoming.commit(Origin(MAY, MAY, ("test",), "", "", reasons))
    return path


@pytest.fixture(scope="module")
def inventory(person):
    return take_stock(person)


def printed(inventory, language):
    console = Console(width=80, record=True, file=StringIO())
    print_inventory(inventory, console, language)
    return console.export_text()


def test_terminal_and_page_tell_doubts_silences_and_what_was_left_out(inventory, language):
    page, text = to_html(inventory, language), printed(inventory, language)
    for place in (re.sub(r"<[^>]+>", "", page), text):
        assert "lb" in place
        assert {"ja": "体重が、ありうる", "en": "weight_kg lies outside"}[language] in place
        assert {"ja": "うなじの熱さ", "en": "nape heat"}[language] in place
        assert "2024-05-02" in place  # the watch was off from the second to the fourth
    assert "花子" not in page + text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_strip_shows_a_full_day_two_empty_ones_and_a_quarter(inventory):
    assert days_a_cell(inventory, 60) == 1
    (rate,) = [one for one in strips(inventory, "body", 1) if one.stream.name.quantity == "hr_bpm"]
    np.testing.assert_allclose(rate.filled, [1, 0, 0, 0.25], atol=0.002)
    assert strip_text(rate) == "#  :"


def test_days_share_cells_where_there_are_many(inventory):
    assert days_a_cell(inventory, 2) == 2
    (rate,) = [one for one in strips(inventory, "body", 2) if one.stream.name.quantity == "hr_bpm"]
    np.testing.assert_allclose(rate.filled, [0.5, 0.125], atol=0.002)


def test_every_stream_stands_in_one_group_only(inventory):
    shown = [one.stream for group in GROUPS for one in strips(inventory, group, 1)]
    assert sorted(map(id, shown)) == sorted(map(id, inventory.streams))


def test_the_picture_has_a_mark_wherever_there_is_something(inventory):
    (rate,) = [one for one in strips(inventory, "body", 1) if one.stream.name.quantity == "hr_bpm"]
    for svg in coverage_figure([("n", "l", rate)], inventory.dates, 1, "f-mind", ["m"] * 12, "spoken"):
        root = ElementTree.fromstring(svg)
        width = float(root.get("width"))
        cells = [e for e in root if "tint" in (e.get("class") or "")]
        assert [(float(e.get("x")), e.get("class")) for e in cells] == [
            (0, "tint5 f-mind"), (pytest.approx(0.75 * width, abs=0.1), "tint3 f-mind"),
        ]  # fmt: skip
        assert root.get("aria-label") == "spoken"


@pytest.mark.parametrize(("filled", "expected"), [(0, 0), (0.01, 1), (0.25, 2), (0.5, 3), (0.75, 4), (1, 4)])
def test_shades_grow_with_cover(filled, expected):
    assert shade(filled) == expected


def test_json_counts_what_was_put_in(inventory):
    told = json.loads(json.dumps(as_json(inventory, "en"), allow_nan=False))
    rate = next(one for one in told["streams"] if one["quantity"] == "hr_bpm")
    assert (rate["rows"], rate["days"], rate["covered_min"]) == (1800, 2, [1440.0, 0.0, 0.0, 360.0])
    assert rate["from"] == "2024-05-01T00:00:00+09:00"
    assert [one["doubt"] for one in told["doubts"]] == ["unit_between"]
    assert [one["rejected"] for one in told["imports"]][1] == [
        {"reason": "weight_kg lies outside 2 to 400 kg", "count": 3}
    ]
    assert [one["line"] for one in told["problems"] if one["rejected"]] == [4]


def test_every_doubt_role_and_name_has_words_in_both_languages():
    assert {str(doubt) for doubt in Doubt} <= TEXTS.keys()
    assert {f"role_{role}" for role in ROLES if role} <= TEXTS.keys()
    for key, (japanese, english) in TEXTS.items():
        placeholders = [set(re.findall(r"\{(\w+)\}", text)) for text in (japanese, english)]
        assert placeholders[0] == placeholders[1], key
    for known in (QUANTITIES, RATINGS, EXPOSURES):
        for name in known:
            assert name_of(name, "ja") != name


def test_the_command_prints_and_writes_the_page(person, tmp_path):
    page = tmp_path / "records.html"
    done = CliRunner().invoke(unaji, ["records", str(person), "--lang", "en", "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert "What looks wrong" in done.stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    told = CliRunner().invoke(unaji, ["records", str(person), "--json"])
    assert json.loads(told.stdout)["days"] == 4
    assert CliRunner().invoke(unaji, ["records", str(tmp_path / "nobody")]).exit_code != 0
