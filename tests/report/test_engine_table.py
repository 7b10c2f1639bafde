"""The table of `unaji attribute`: every exposure, its interval, and what cannot be said."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from unaji.causes import engine
from unaji.explain import explain_tables
from unaji.report.engine import print_engine


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(4)
    hours = np.arange("2026-01-05T00", "2026-03-30T00", dtype="datetime64[h]")
    level = np.repeat(rng.standard_normal(hours.size // 8), 8)
    coffee = (rng.random(hours.size) < 0.05).astype(int)
    hours = hours.astype("datetime64[m]")
    rest = np.arange(len(hours)) // 24 % 3
    rows = [f"{t},{x:.3f},{c},5,{r},2" for t, x, c, r in zip(hours, level, coffee, rest, strict=True)]
    (folder / "x.csv").write_text("\n".join(["time,level,coffee,steady,rest,walk", *rows]), encoding="utf-8")
    kinds = {"coffee": "dose", "rest": "protector", "walk": "protector"}
    settings = "".join(f'[exposures.{name}]\nkind = "{kind}"\n' for name, kind in kinds.items())
    (folder / "x.toml").write_text(settings, encoding="utf-8")
    onsets = hours[np.flatnonzero(coffee)[:45]] + np.timedelta64(1, "h")
    (folder / "e.csv").write_text("\n".join(["start", *map(str, onsets)]), encoding="utf-8")
    (folder / "t.csv").write_text("time,kind\n2026-02-20T10:00,acupuncture\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "SWEEPS", 1000)
        patch.setattr(engine, "BURN_IN", 500)
        return explain_tables(Path(folder / "e.csv"), folder / "x.csv", folder / "t.csv", seed=1)


def printed(result) -> str:
    out = io.StringIO()
    print_engine(result, Console(file=out, width=80))
    return out.getvalue()


def test_the_guilty_exposure_stands_first_with_its_interval(result):
    lines = printed(result).splitlines()
    rows = [line for line in lines if line.strip().startswith(("coffee", "level", "steady"))]
    assert rows[0].split()[:2] == ["coffee", "cause"]
    assert "no contrast" in next(row for row in rows if row.strip().startswith("steady"))
    assert any("acupuncture: episodes with over without" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_what_may_protect_and_what_the_controls_found_is_told(result):
    text = " ".join(printed(result).split())
    assert "rest, which may protect: episodes with much over with little" in text
    assert "walk, which may protect: no contrast" in text
    assert "invented exposures reached P 0." in text
    assert "it may follow from the episodes" not in text
    causes = tuple(replace(c, p_backwards=0.97) if c.id == "level" else c for c in result.attribution.causes)
    turned = replace(result, attribution=replace(result.attribution, causes=causes))
    assert "level explains what was before it (0.97): it may follow from the episodes" in " ".join(
        printed(turned).split()
    )


def test_no_episode_gives_the_bound_and_no_table(result):
    empty = replace(
        result, attribution=replace(result.attribution, fitted=False, n_episodes=0, rate_upper_per_week=0.25)
    )
    assert "Rate below 0.25 a week (95 %)" in printed(empty)
    assert "coffee" not in printed(empty)
