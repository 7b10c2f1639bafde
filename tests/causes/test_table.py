from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from unaji.causes.grid import bin_of
from unaji.causes.table import read_settings, read_tables
from unaji.errors import InputError

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def hours(n: int, *, step_h: float = 1.0, start: str = "2026-03-02T00:00") -> list[str]:
    first = datetime.fromisoformat(start)
    return [(first + timedelta(hours=step_h * k)).isoformat() for k in range(n)]


@pytest.fixture
def episodes(tmp_path):
    return write(tmp_path, "episodes.csv", "start\n2026-03-02T15:10\n2026-03-03T09:30\n")


def test_a_level_holds_until_the_next_row_and_a_dose_stands_in_its_bin(tmp_path, episodes):
    rows = [f"{t},{k},{1 if k == 3 else ''}" for k, t in enumerate(hours(48))]
    rows[3] = rows[3].removesuffix(",") or rows[3]
    exposures = write(tmp_path, "x.csv", "time,pressure,coffee\n" + "\n".join(rows))
    write(tmp_path, "x.toml", 'timezone = "Asia/Tokyo"\n[exposures.coffee]\nkind = "dose"\nlag_min = [20, 180]\n')
    read = read_tables(episodes, exposures, None, NOW)
    pressure, coffee = read.design.triggers
    at = bin_of(read.design.grid, datetime(2026, 3, 2, 3, 55, tzinfo=UTC) - timedelta(hours=9))
    assert pressure.value[at] == 3
    assert (pressure.kind, coffee.kind, coffee.lag_min) == ("level", "dose", (20.0, 180.0))
    assert np.nansum(coffee.value) == 1
    assert coffee.value[bin_of(read.design.grid, datetime(2026, 3, 1, 18, tzinfo=UTC))] == 1
    assert [o.time.hour for o in read.design.onsets] == [6, 0]  # 15:10 and 09:30 in Tokyo
    assert read.problems == ()


def test_the_sidecars_onset_error_is_used(tmp_path, episodes):
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(f"{t},{k}" for k, t in enumerate(hours(48))))
    write(tmp_path, "x.toml", "onset_error_min = 3\n")
    assert {o.sd_min for o in read_tables(episodes, exposures, None, NOW).design.onsets} == {3.0}


def test_rows_marked_unobserved_and_missing_rows_are_unobserved(tmp_path, episodes):
    lines = [f"{t},1,{int(k < 40)}" for k, t in enumerate(hours(48)) if k not in (5, 6)]
    exposures = write(tmp_path, "x.csv", "time,a,observed\n" + "\n".join(lines))
    design = read_tables(episodes, exposures, None, NOW).design
    assert design.grid.observed.sum() == 38 * 12
    assert [t.id for t in design.triggers] == ["a"]


def test_a_daily_grid_in_local_time_may_move_with_the_clock(tmp_path, episodes):
    days = [(datetime(2026, 3, 1) + timedelta(days=k)).date().isoformat() for k in range(40)]
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(f"{d},{k}" for k, d in enumerate(days)))
    write(tmp_path, "x.toml", 'timezone = "Europe/Berlin"\n')
    design = read_tables(episodes, exposures, None, NOW).design
    assert design.grid.n_days == 40
    for d in (0, 27, 28, 29, 39):  # the clock changes on day 28
        assert set(design.triggers[0].value[design.grid.day == d]) == {d}
    assert design.grid.observed.all()


@pytest.mark.parametrize("minutes", [1, 5, 6, 7, 8, 15, 60])
def test_a_grid_of_any_step_observes_all_of_its_time(tmp_path, episodes, minutes):
    rows = [f"{t},{k}" for k, t in enumerate(hours(48 * 60 // minutes, step_h=minutes / 60))]
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(rows))
    design = read_tables(episodes, exposures, None, NOW).design
    assert design.grid.observed.sum() == pytest.approx(48 * 12, abs=2)
    assert np.nanmax(np.abs(design.triggers[0].value - np.arange(design.grid.n_bins) * 5 / minutes)) <= 5 / minutes + 1


def test_the_hour_that_does_not_exist_is_left_out_with_a_remark(tmp_path, episodes):
    rows = [f"{t},{k}" for k, t in enumerate(hours(24 * 4, start="2026-03-27T00:00"))]
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(rows))
    write(tmp_path, "x.toml", 'timezone = "Europe/Berlin"\n')
    read = read_tables(write(tmp_path, "e.csv", "start\n2026-03-28T10:00\n"), exposures, None, NOW)
    assert any("does not exist" in p.rule and "2026-03-29T02:00" in p.value for p in read.problems)
    assert read.design.grid.observed.all()


def test_treatments_are_read(tmp_path, episodes):
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(f"{t},{k}" for k, t in enumerate(hours(48))))
    treatments = write(tmp_path, "t.csv", "time,kind\n2026-03-02T10:00,acupuncture\n")
    design = read_tables(episodes, exposures, treatments, NOW).design
    assert [(course.kind, len(course.sessions)) for course in design.courses] == [("acupuncture", 1)]


def test_episodes_outside_the_grid_are_left_out_and_said(tmp_path):
    episodes = write(tmp_path, "episodes.csv", "start\n2026-03-02T15:10\n2026-02-01T09:30\n")
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(f"{t},{k}" for k, t in enumerate(hours(48))))
    read = read_tables(episodes, exposures, None, NOW)
    assert len(read.design.onsets) == 1
    assert "1 episodes lie outside" in read.problems[-1].rule


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("when,a\n2026-03-02T00:00,1\n", "x.csv: has no column time (found: when, a)"),
        ("time,a\n2026-03-02T00:00,1\n", "at least two rows"),
        ("time,a\nMonday,1\nTuesday,2\n", "x.csv, line 2: found 'Monday'"),
        ("time,a\n2026-03-02T00:00,1\n2026-03-02T00:00,2\n2026-03-02T01:00,2\n", "x.csv, line 3: the time"),
        ("time,a\n" + "".join(f"2026-03-02T00:{m:02d},1\n" for m in (0, 5, 10, 17, 20, 25)), "is not a regular grid"),
        ("time,a\n2026-03-02,1\n2026-03-12,2\n", "rows are 14400 minutes apart"),
        ("time,echo\n2026-03-02,1\n2026-03-03,2\n", "may not be called echo"),
    ],
)
def test_a_table_that_is_no_grid_says_where_and_why(tmp_path, episodes, table, words):
    with pytest.raises(InputError) as refused:
        read_tables(episodes, write(tmp_path, "x.csv", table), None, NOW)
    assert words in str(refused.value)


def test_a_missing_file_is_named(tmp_path, episodes):
    with pytest.raises(InputError, match=r"gone\.csv"):
        read_tables(episodes, tmp_path / "gone.csv", None, NOW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timezone = 'Tokyo'", "Tokyo"),
        ("onset_error_min = 'x'", "onset_error_min must be a number"),
        ("speed = 3", "unknown key speed"),
        ("[exposures.a]\nkind = 'wave'", 'exposures.a.kind must be "level", "dose" or "protector"'),
        ("[exposures.a]\nlag_min = [60, 20]", "exposures.a.lag_min must be two ascending numbers"),
        ("[exposures.a]\nlags = 3", "unknown key exposures.a.lags"),
        ("exposures = 3", "must be tables"),
        ("onset_error_min = nan", "onset_error_min must be a number"),
        ("[exposures.a]\nhold_min = inf", "hold_min must be a number"),
        ("[exposures.a]\nlag_min = [20, inf]", "lag_min must be two ascending numbers"),
        ("timezone = ", "cannot be read as TOML"),
    ],
)
def test_a_wrong_sidecar_names_file_key_and_rule(tmp_path, text, words):
    with pytest.raises(InputError) as refused:
        read_settings(write(tmp_path, "x.toml", text))
    assert "x.toml" in str(refused.value)
    assert words in str(refused.value)


def test_a_setting_for_a_column_that_is_not_there_is_refused(tmp_path, episodes):
    exposures = write(tmp_path, "x.csv", "time,a\n" + "\n".join(f"{t},{k}" for k, t in enumerate(hours(48))))
    write(tmp_path, "x.toml", "[exposures.b]\nkind = 'dose'\n")
    with pytest.raises(InputError, match=r"exposures\.b is not a column"):
        read_tables(episodes, exposures, None, NOW)
