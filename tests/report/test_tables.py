"""The tables: the report's numbers, written so that any program can read them and none runs them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.claims.model import Words
from unaji.errors import InputError, OutputError
from unaji.findings import Findings
from unaji.records.problems import ProblemLog
from unaji.records.tables import read_table
from unaji.records.timeline import Episode, Zones
from unaji.report.figures.autonomic import autonomic_figure
from unaji.report.figures.causes import causes_figure
from unaji.report.figures.days import days_figure
from unaji.report.figures.examples import examples_figure
from unaji.report.figures.lags import lags_figure
from unaji.report.figures.neck_ways import neck_ways_figure
from unaji.report.figures.rises import rises_figure
from unaji.report.figures.weeks import weeks_figure
from unaji.report.figures.whole import whole_figure
from unaji.report.html import to_html
from unaji.report.json import to_json
from unaji.report.story.story import Story, tell
from unaji.report.tables import folder as written
from unaji.report.tables.folder import sheets, write_tables
from unaji.report.tables.sheet import FORMULA_SIGNS, Column, Sheet, cell
from unaji.report.words import catalogue, plain, signed

EN = catalogue("en")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "tables.md"
Rows = list[dict[str, str]]


def read(findings: Findings, name: str) -> Rows:
    """Return a table as any other program reads it."""
    (one,) = (one for one in sheets(findings) if one.name == name)
    return list(csv.DictReader(io.StringIO(one.csv(findings.timeline.zones), newline="")))


@pytest.fixture
def story(findings) -> Story:
    return tell(findings, EN)


def shows(text: str, value: str, digits: int) -> bool:
    """Whether a page's text is this value rounded; four decimals rounded again may fall on the other side."""
    if not value or text == EN("unknown"):
        return text == or_unknown(value, digits)
    return float(text) == pytest.approx(float(value), abs=0.5 * 10**-digits + 1e-4)


def or_unknown(value: str, digits: int) -> str:
    return f"{float(value):.{digits}f}" if value else EN("unknown")


# -- the same numbers as on the page -----------------------------------------------------------------------------------


def test_weeks_are_those_of_the_figure(findings):
    assert [
        (
            row["week"],
            row["episodes"],
            or_unknown(row["fitted"], 1),
            or_unknown(row["expected"], 1),
            EN("range", low=row["expected_p5"][:-2], high=row["expected_p95"][:-2])
            if row["expected"]
            else EN("unknown"),
            f"{100 * min(1, float(row['recorded_share'])):.0f}%",
        )
        for row in read(findings, "weeks")
    ] == list(weeks_figure(findings, EN).table.rows)


def test_factors_are_those_of_the_figure(findings, story):
    shown = causes_figure(story.candidates, story.answer.sentence, EN).table.rows
    rows = read(findings, "causes")
    assert [(row["name_en"], row["grade"]) for row in rows] == [(row[0], row[-1]) for row in shown]
    for row, (_, word, p, of_ten, *_) in zip(rows, shown, strict=True):
        assert row["said_en"] == (word if p == EN("unknown") else EN("verdict.pill", word=word, p=p))
        key = "of_ten.about" if row["of_ten"] not in ("", "0") else "of_ten.under_one" if row["of_ten"] else "unknown"
        assert of_ten == EN.texts[key].format(n=row["of_ten"])


def test_factors_are_those_of_the_full_table(findings):
    cells = re.findall(r"<tr>(.*?)</tr>", to_html(findings, "en").split(EN("how.tables"))[-1], re.DOTALL)
    shown = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in cells][1:]
    rows = read(findings, "causes")
    assert len(shown) == len(rows)
    for row, (_, _, p, error, episodes, _, _, avoidable, half, shift, filled, grade) in zip(rows, shown, strict=True):
        assert EN.percent(float(row["p_cause"] or "nan")) == p.replace("&lt;", "<")
        assert shows(episodes, row["episodes_mean"], 1)
        assert shows(avoidable, row["avoidable_mean"], 1)
        assert shows(half, row["avoidable_half_mean"], 1)
        assert EN.percent(float(row["filled_share"])) == filled
        assert row["grade"] == grade
        if row["signal"] == "ok":
            assert shows(error, row["p_cause_mcse"], 3)
            assert shows(shift, row["shift_p"], 2)


def test_signals_are_those_of_the_whole_record(findings, story):
    shown = whole_figure(findings, story.candidates, EN).table.rows
    assert [
        (
            f"{row['name_en']} ({row['unit'].replace('°C', '℃')})",
            *(plain(float(row[name])) for name in ("low", "mean", "high")),
        )
        for row in read(findings, "signals")
    ] == list(shown)


def test_rises_are_those_of_the_figure(findings):
    figure = rises_figure(findings, EN)
    shown = [] if figure is None else [(rise, kind) for _, rise, kind in figure.table.rows]
    assert [
        (f"{signed(float(row['neck_skin_rise_k']), 1)}℃", EN(f"warm.dot.{row['warmth']}"))
        for row in read(findings, "episodes")
        if row.get("neck_skin_rise_k") and row["fever"] == "0" and row["warmth"] != "unmeasured"
    ] == shown


def test_examples_of_the_nape_are_those_of_the_figure(findings):
    figure = examples_figure(findings, EN)
    shown = [] if figure is None else list(figure.table.rows)
    rows = read(findings, "skin_examples")
    assert [signed(float(row["after_min"]), 1) for row in rows] == [after for _, after, *_ in shown]
    for row, (_, _, measured, expected, interval) in zip(rows, shown, strict=True):
        assert shows(measured, row["measured_c"], 2)
        assert shows(expected, row["expected_c"], 2)
        for text, name in zip(interval.split("–"), ("expected_p5_c", "expected_p95_c"), strict=True):
            assert shows(text, row[name], 2)


def test_levels_at_onset_are_those_of_the_figure_of_days(findings, story):
    strongest = story.candidates.strongest
    figure = days_figure(findings, strongest, EN) if strongest and story.ranked else None
    shown = [] if figure is None else [(time, level) for _, time, level in figure.table.rows]
    assert [(row["start"][11:16], or_unknown(row["level"], 2)) for row in read(findings, "at_onset")] == shown


@pytest.fixture
def drawn(people) -> Findings:
    """The rich person with delays for every factor, and a heart rate measured all the time but for one morning."""
    findings = people["rich"]()
    causes = tuple(replace(one, entry_p=(0.1, 0.2, 0.3, 0.1, 0.1)) for one in findings.attribution.causes)
    hr_bpm = np.random.default_rng(3).normal(66, 5, findings.state.time.size)
    hr_bpm[300:306] = np.nan
    return replace(
        findings,
        attribution=replace(findings.attribution, causes=causes),
        state=replace(findings.state, hr_bpm=hr_bpm),
    )


def test_delays_are_those_of_the_figure(drawn):
    figure = lags_figure(tell(drawn, EN).candidates, EN)
    told: dict[str, list[str]] = {}
    for row in read(drawn, "lags"):
        told.setdefault(row["cause"], []).append(EN.percent(float(row["share"])))
    assert list(told) == ["pressure_drop", "desk_load"]
    assert [tuple(shares) for shares in told.values()] == [row[1:] for row in figure.table.rows]


def test_the_day_of_the_autonomic_signals_is_the_one_of_the_figure(drawn):
    shown = autonomic_figure(drawn, EN).table.rows
    rows = read(drawn, "autonomic")
    assert [f"{int(float(row['from_h'])):02d}:{60 * (float(row['from_h']) % 1):02.0f}" for row in rows] == [
        time for time, _ in shown
    ]
    assert any(row["mean"] for row in rows)
    for row, (_, said) in zip(rows, shown, strict=True):
        values = [plain(float(row[name])) if row[name] else "" for name in ("mean", "usual_p5", "usual_p95")]
        assert said.startswith(values[0] or EN("unknown"))
        assert all(value in said for value in values if values[0])
    assert {row["quantity"] for row in rows} == {"hr_bpm"}


def test_nothing_of_a_figure_that_is_not_drawn(findings, story):
    assert bool(read(findings, "lags")) == bool(story.ranked and lags_figure(story.candidates, EN))
    assert bool(read(findings, "autonomic")) == bool(autonomic_figure(findings, EN))


def test_the_neck_is_the_one_of_the_pictures(findings, story):
    rows = read(findings, "neck")
    names = ("nape_skin_temp_c", "core_temp_c", "nape_skin_flow_ml_100g_min", "felt_heat")
    change = {(row["id"], row["quantity"]): signed(float(row["change"]), 1) for row in rows if row["scene"] == "way"}
    ways = {EN(f"pathway.{way}"): tuple(change[way, name] for name in names) for way, _ in change}
    assert ways == {row[0]: row[1:] for row in neck_ways_figure(findings.neck, EN).table.rows}
    for scene in story.neck.scenes:
        found = [(plain(float(row["before"])), plain(float(row["peak"]))) for row in rows if row["id"] == scene.id]
        assert found == [row[1:3] for row in scene.table.rows]


def test_what_to_do_next_is_what_the_page_says(findings, story):
    assert [(row["what_en"], row["why_en"]) for row in read(findings, "next_steps")] == [
        (step.what, step.why) for step in story.open.steps
    ]


def test_probabilities_are_those_of_the_json(findings):
    told = to_json(findings)
    for row, one in zip(read(findings, "episodes"), told["episodes"], strict=True):
        shown = {name: float(row[f"p_{name}"]) for name in one["p"]}
        assert shown == one["p"]
        assert {name: float(row[f"pathway_{name}"]) for name in one["pathway"]} == one["pathway"]
        assert row["start"] == one["start"]
        assert row["fever"] == str(int(one["fever"]))
    for row, one in zip(
        sorted(read(findings, "causes"), key=lambda row: row["id"]),
        sorted(told["causes"], key=lambda one: one["id"]),
        strict=True,
    ):
        for name in ("share", "share_if_cause", "rate_ratio"):
            for part in ("mean", "p5", "p95"):
                expected = None if one[name] is None else one[name][part]
                assert (float(row[f"{name}_{part}"]) if row[f"{name}_{part}"] else None) == expected
    checks = {row["name"]: row["value"] for row in read(findings, "checks")}
    assert set(checks) == set(told["checks"])
    assert [row["id"] for row in read(findings, "more_data")] == [one["id"] for one in told["more_data"]]
    assert [row["kind"] for row in read(findings, "treatment_effects")] == [
        cell(one["kind"], Zones()) for one in told["treatments"]
    ]
    assert len(read(findings, "rating_courses")) == len(told["outcomes"])
    assert len(read(findings, "problems")) == len(told["problems"])
    assert [row["id"] for row in read(findings, "red_flags")] == [one["id"] for one in told["red_flags"]]


# -- what a program meets ----------------------------------------------------------------------------------------------


def cells(findings: Findings) -> Iterator[str]:
    for one in sheets(findings):
        yield from (c for row in csv.reader(io.StringIO(one.csv(findings.timeline.zones), newline="")) for c in row)


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", text) is not None


def test_nothing_in_any_table_is_run_by_a_spreadsheet(findings):
    assert [one for one in cells(findings) if one.startswith(FORMULA_SIGNS) and not is_number(one)] == []


@given(st.sampled_from(FORMULA_SIGNS), st.text())
def test_what_a_person_wrote_is_never_a_formula_and_stays_readable(sign, rest):
    text = cell(sign + rest, Zones())
    assert text == f"'{sign}{rest}"


@given(st.text().filter(lambda text: not text.startswith(FORMULA_SIGNS)))
def test_other_text_stays_as_it_is(text):
    assert cell(text, Zones()) == text


def test_values_are_written_for_programs():
    zones = Zones(("Asia/Tokyo",))
    moment = datetime(2026, 2, 1, 15, 0, 30, tzinfo=UTC)
    said = [cell(one, zones) for one in (None, True, False, -0.25, 3, moment, moment.date())]
    assert said == ["", "1", "0", "-0.25", "3", "2026-02-02T00:00:30+09:00", "2026-02-01"]


def test_an_onset_without_a_time_is_a_date_and_one_without_intensity_has_none(people):
    findings = people["rich"]()
    midnight = findings.timeline.zones.to_utc(datetime(2026, 3, 1))
    one = replace(findings.episodes[0], episode=Episode(midnight, note="=cmd", whole_day=True))
    (row,) = read(replace(findings, episodes=(one,)), "episodes")
    assert (row["start"], row["end"], row["intensity_0_10"], row["note"]) == ("2026-03-01", "", "", "'=cmd")


def test_every_time_carries_an_offset(findings):
    times = [one for one in cells(findings) if re.match(r"\d{4}-\d\d-\d\dT", one)]
    assert times
    assert [one for one in times if not re.fullmatch(r"[\d-]{10}T[\d:.]+\+09:00", one)] == []


def test_every_column_is_explained_in_both_languages(findings, tmp_path):
    write_tables(tmp_path / "tables", findings)
    files = {file.name: file.read_text(encoding="utf-8-sig") for file in (tmp_path / "tables").glob("*.csv")}
    explained = list(csv.DictReader(io.StringIO(files.pop("columns.csv"))))
    headers = [(name, column) for name, text in files.items() for column in next(csv.reader(io.StringIO(text)))]
    assert sorted((row["file"], row["column"]) for row in explained) == sorted(headers)
    assert all(row["meaning_ja"] and row["meaning_en"] for row in explained)
    readme = (tmp_path / "tables" / "README.txt").read_text(encoding="utf-8")
    assert Counter(re.findall(r"^(\w+\.csv)  ", readme, re.M)) == Counter(2 * list(files))


def test_excel_is_told_that_a_table_is_utf8_and_no_other_reader_is_disturbed(people, tmp_path):
    """Excel knows UTF-8 by the three bytes before it; with Japanese settings it takes all else for Shift_JIS."""
    write_tables(tmp_path / "tables", people["rich"]())
    files = sorted((tmp_path / "tables").glob("*.csv"))
    assert len(files) == len(sheets(people["rich"]())) + 1
    assert {file.read_bytes()[:3] for file in files} == {b"\xef\xbb\xbf"}
    assert {file.read_bytes().count(b"\xef\xbb\xbf") for file in files} == {1}
    file = tmp_path / "tables" / "causes.csv"
    log = ProblemLog()
    own = read_table(file, file.name, log)
    assert own.text("id") == list(pl.read_csv(file)["id"]) == [one["id"] for one in read(people["rich"](), "causes")]
    assert log.problems() == ()


def test_the_page_tells_of_every_table(people):
    page = PAGE.read_text(encoding="utf-8")
    assert [one.name for one in sheets(people["rich"]()) if f"`{one.name}.csv`" not in page] == []


def test_a_row_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="1 columns and a row of 2 cells"):
        Sheet("odd", Words("", ""), (Column("a", "", Words("", "")),), ((1, 2),))


# -- the folder --------------------------------------------------------------------------------------------------------


def test_same_findings_same_bytes(people, tmp_path):
    for name in ("a", "b"):
        write_tables(tmp_path / name, people["rich"].__wrapped__())
    assert [file.read_bytes() for file in sorted((tmp_path / "a").iterdir())] == [
        file.read_bytes() for file in sorted((tmp_path / "b").iterdir())
    ]


def test_a_folder_that_is_there_is_left_alone(people, tmp_path):
    (tmp_path / "episodes.csv").write_text("start\n", encoding="utf-8")
    with pytest.raises(InputError, match="is there already"):
        write_tables(tmp_path, people["null"]())
    assert [one.name for one in tmp_path.iterdir()] == ["episodes.csv"]


def test_nothing_is_left_where_it_cannot_be_written(people, tmp_path, monkeypatch):
    original, done = Path.write_text, []

    def full(path: Path, *args: object, **named: object) -> int:
        done.append(path)
        if len(done) > 5:
            raise OSError(28, "No space left on device")
        return original(path, *args, **named)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space left"):
        write_tables(tmp_path / "tables", people["null"]())
    assert len(done) > 5
    assert list(tmp_path.iterdir()) == []


def test_the_readme_says_first_that_a_doctor_comes_first_and_that_a_person_is_invented(people):
    for name, language in (("fever", "ja"), ("rich", "en")):
        findings = people[name]()
        text = written.readme(findings, sheets(findings))
        heading = tell(findings, catalogue(language)).safety.heading
        assert heading in text
        assert (catalogue(language)("simulated") in text) == findings.timeline.person.simulated
    assert (
        written.readme(people["fever"](), ()).splitlines()[0] == tell(people["fever"](), catalogue("ja")).safety.heading
    )
