"""Turn a daily headache-and-weather diary into the tables of `unaji attribute`: another symptom, the same engine.

python examples/headache_tables.py DIARY_FOLDER OUT_FOLDER [--timezone Europe/Oslo]
"""

from __future__ import annotations

import argparse
import csv
from datetime import date
from pathlib import Path

from unaji.records.folder import read_folder
from unaji.records.timeline import Timeline, from_utc_ms

SETTINGS = """timezone = "{timezone}"
# Each reading is one a day, so nothing faster than hours can be seen.
[exposures.pressure_fall_hpa]
lag_min = [60, 1440]
[exposures.pressure_rise_hpa]
lag_min = [60, 1440]
[exposures.warmth_c]
lag_min = [60, 1440]
[exposures.temp_change_c]
lag_min = [60, 1440]
[exposures.rel_humidity_pct]
lag_min = [60, 1440]
[exposures.travel]
lag_min = [60, 1440]
"""


def daily(timeline: Timeline, quantity: str) -> dict[date, float]:
    """Return the value of each local day."""
    series = timeline.of(quantity, "outdoor")
    assert series is not None
    stamps = (from_utc_ms(stamp) for stamp in series.time)
    return {timeline.zones.local(at).date(): float(v) for at, v in zip(stamps, series.value, strict=True)}


def rows(timeline: Timeline) -> list[dict[str, object]]:
    """One row a diary day. A change of pressure across a change of place is travel, not weather: it is left empty."""
    pressure, air = daily(timeline, "sea_level_pressure_hpa"), daily(timeline, "air_temp_c")
    humidity = daily(timeline, "rel_humidity_pct")
    moved = {timeline.zones.local(e.start).date() for e in timeline.exposures_of("travel")}
    table = []
    for day in sorted(pressure):
        yesterday = date.fromordinal(day.toordinal() - 1)
        comparable = yesterday in pressure and day not in moved
        change = pressure[day] - pressure[yesterday] if comparable else None
        table.append(
            {
                "time": day.isoformat(),
                "pressure_fall_hpa": "" if change is None else max(0.0, -change),
                "pressure_rise_hpa": "" if change is None else max(0.0, change),
                "warmth_c": air.get(day, ""),
                "temp_change_c": abs(air[day] - air[yesterday]) if comparable and {day, yesterday} <= set(air) else "",
                "rel_humidity_pct": humidity.get(day, ""),
                "travel": int(day in moved),
            }
        )
    return table


def write_tables(diary: Path, out: Path, timezone: str) -> None:
    """Write episodes.csv, exposures.csv and exposures.toml."""
    timeline = read_folder(diary, timezone=timezone)
    out.mkdir(parents=True, exist_ok=True)
    table = rows(timeline)
    with (out / "exposures.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    days = [timeline.zones.local(episode.start).date().isoformat() for episode in timeline.episodes]
    (out / "episodes.csv").write_text("\n".join(["start", *days]) + "\n", encoding="utf-8")
    (out / "exposures.toml").write_text(SETTINGS.format(timezone=timezone), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("diary", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--timezone", default="Europe/Oslo")
    given = parser.parse_args()
    write_tables(given.diary, given.out, given.timezone)
