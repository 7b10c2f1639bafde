"""Turn published records of symptoms into the tables of `unaji attribute`: other symptoms, the same engine.

python examples/published_tables.py SET FOLDER OUT [--person ID]

One person's diary is written as it is. Where a study has many persons with few events each, they are laid end to end,
three empty steps apart, as one record; `--person` takes one of them. Steps that mean more than a day in a long study
are written as hours, so that the record stays small: only their order and number count then.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from statistics import fmean

START = datetime(2001, 1, 1, tzinfo=UTC)
APART = 3
"""Empty steps between two persons: what acted on one must not reach into the next."""
LAG_MIN = (5, 60)
"""Each value already stands where it is to act, so it acts at once."""
DAY, HALF_DAY, HOUR = timedelta(days=1), timedelta(hours=12), timedelta(hours=1)
Row = dict[str, str]


@dataclass
class Record:
    """One person: exposures of each observed step, and the steps with an episode (named again for each more) or a session."""

    exposures: dict[int, dict[str, float | str]]
    episodes: list[int] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)


@dataclass
class Study:
    """All persons of a set, and what one of its steps is written as."""

    persons: dict[str, Record]
    step: timedelta


def both_ways(name: str, value: float | str) -> dict[str, float | str]:
    """A cause only ever adds episodes: what may also act where it is low is entered a second time, upside down."""
    return {f"{name}_high": value, f"{name}_low": "" if value == "" else -float(value)}


def migraine_triggers(folder: Path) -> Study:
    """Migraine and the day before's stress, sleep and change of caffeine, one file a person (Holsteen)."""
    persons = {}
    for path in sorted(folder.glob("n1_*.csv")):
        rows = read(path)
        days = {
            int(r["day"]): both_ways("stress", float(r["stress_global_lag1"]))
            | both_ways("sleep", float(r["sleep_hours_lag1"]))
            | both_ways("caffeine_change", float(r["caff_count_dif_lag1"]))
            for r in rows
        }
        persons[rows[0]["id"]] = Record(days, [int(r["day"]) for r in rows if r["mig.ind"] == "1"])
    return Study(persons, DAY)


def biofeedback_diary(folder: Path) -> Study:
    """Headache days, air quality, and treatment from day 0 on, of one person at a time (Kostecki-Dillon)."""
    persons = {}
    for name, rows in by(read(folder / "KosteckiDillon.csv"), "id"):
        days = {int(r["time"]): both_ways("airq", float(r["airq"])) for r in rows}
        episodes = [int(r["time"]) for r in rows if r["headache"] == "yes"]
        persons[name] = Record(days, episodes, list(range(max(days) + 1)))
    return Study(persons, DAY)


def air_quality(folder: Path) -> Study:
    """The same diaries for all persons together: air quality against each person's own mean, without the treatment."""
    persons = {}
    for name, rows in by(read(folder / "KosteckiDillon.csv"), "id"):
        usual = fmean(float(r["airq"]) for r in rows)
        days = {int(r["time"]): {"airq": float(r["airq"]) - usual} for r in rows}
        persons[name] = Record(days, [int(r["time"]) for r in rows if r["headache"] == "yes"])
    return Study(persons, DAY)


def blood_pressure(folder: Path) -> Study:
    """Headache and blood pressure twice a day for a week; each person's own mean is taken off (R package SCCS)."""
    persons = {}
    for name, rows in by(read(folder / "bpdat.txt", "\t"), "case"):
        usual = {column: fmean(float(r[column]) for r in rows) for column in ("sys", "dia")}
        steps = {
            2 * int(r["dow"]) + int(r["time"]): {column: float(r[column]) - usual[column] for column in usual}
            for r in rows
        }
        headaches = [2 * int(r["dow"]) + int(r["time"]) for r in rows if r["head"] == "1"]
        persons[name] = Record(steps, headaches)
    return Study(persons, HALF_DAY)


def vaccine(folder: Path) -> Study:
    """Purpura and the six weeks after the MMR vaccine, by day of age and written as hours (R package SCCS)."""
    cuts = (0, 427, 488, 549, 610, 671, 10_000)  # age groups of Whitaker et al. 2006
    persons = {}
    for name, rows in by(read(folder / "itpdat.txt", "\t"), "case"):
        first, last, given = (int(rows[0][column]) for column in ("sta", "end", "mmr"))
        steps = {}
        for age in range(first, last + 1):
            steps[age] = {"weeks_0_2": int(0 <= age - given <= 14), "weeks_3_4": int(15 <= age - given <= 28)}
            steps[age] |= {"weeks_5_6": int(29 <= age - given <= 42)}
            steps[age] |= {f"age_over_{a}": int(a < age <= b) for a, b in zip(cuts, cuts[1:], strict=False)}
        persons[name] = Record(steps, [int(r["itp"]) for r in rows])
    return Study(persons, HOUR)


def air_pollution(folder: Path) -> Study:
    """Asthma admissions of a city by day, and fine dust as measured and against the mean of its 30 days."""
    rows = read(folder / "pmdat.txt", "\t")
    dust = [float(r["pm10"]) for r in rows]
    month = [fmean(dust[i // 30 * 30 : i // 30 * 30 + 30]) for i in range(len(dust))]
    days = {i: {"pm10": dust[i], "pm10_of_month": dust[i] - month[i]} for i in range(len(dust))}
    return Study({"city": Record(days, [i for i, r in enumerate(rows) for _ in range(int(r["asma"]))])}, DAY)


def bladder(folder: Path) -> Study:
    """Bladder tumours under thiotepa or placebo, by month and written as hours (first four recurrences)."""
    persons = {}
    for name, rows in by(read(folder / "bladder2.csv"), "id"):
        known = {"placebo": int(rows[0]["rx"] == "1"), "size": rows[0]["size"], "number": rows[0]["number"]}
        steps: dict[int, dict[str, float | str]] = {month: dict(known) for month in range(int(rows[-1]["stop"]))}
        persons[name] = Record(steps, [int(r["stop"]) - 1 for r in rows if r["event"] == "1"])
    return Study(persons, HOUR)


def infections(folder: Path) -> Study:
    """Infections in chronic granulomatous disease under interferon or placebo, by day and written as hours."""
    persons = {}
    for name, rows in by(read(folder / "cgd.csv"), "id"):
        known = {"placebo": int(rows[0]["treat"] == "placebo"), "x_linked": int(rows[0]["inherit"] == "X-linked")}
        known |= {"steroids": int(rows[0]["steroids"])} | both_ways("age", float(rows[0]["age"]))
        steps: dict[int, dict[str, float | str]] = {day: dict(known) for day in range(int(rows[-1]["tstop"]))}
        persons[name] = Record(steps, [int(r["tstop"]) - 1 for r in rows if r["status"] == "1"])
    return Study(persons, HOUR)


SETS: dict[str, Callable[[Path], Study]] = {
    f.__name__: f
    for f in (migraine_triggers, biofeedback_diary, air_quality, blood_pressure, vaccine, air_pollution, bladder, infections)
}


def read(path: Path, delimiter: str = ",") -> list[Row]:
    """Read a table; columns may be set apart by more than one blank."""
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=delimiter, skipinitialspace=True))


def by(rows: Iterable[Row], column: str) -> Iterable[tuple[str, list[Row]]]:
    """Rows of each person, in the order of the file."""
    return ((name, list(own)) for name, own in groupby(rows, key=lambda row: row[column]))


def write_tables(study: Study, out: Path, person: str | None = None) -> None:
    """Write episodes.csv, exposures.csv, exposures.toml, and treatments.csv where there are sessions."""
    records = [study.persons[person]] if person else list(study.persons.values())
    columns = list(next(iter(records[0].exposures.values())))
    exposures, episodes, sessions, at = [], [], [], 0
    for record in records:
        shift = at - min(record.exposures)
        exposures += [
            [stamp(i + shift, study.step), *values.values()] for i, values in sorted(record.exposures.items())
        ]
        episodes += [
            [moment] for i, n in Counter(record.episodes).items() for moment in onsets(i + shift, n, study.step)
        ]
        sessions += [[stamp(i + shift, study.step), "course"] for i in record.sessions]
        at = max(record.exposures) + shift + 1 + APART
    out.mkdir(parents=True, exist_ok=True)
    write(out / "exposures.csv", ["time", *columns], exposures)
    write(out / "episodes.csv", ["start"], episodes)
    if sessions:
        write(out / "treatments.csv", ["time", "kind"], sessions)
    settings = "\n".join(f"[exposures.{name}]\nlag_min = {list(LAG_MIN)}" for name in columns)
    (out / "exposures.toml").write_text(f'timezone = "UTC"\n{settings}\n', encoding="utf-8")


def stamp(step: int, length: timedelta) -> str:
    """When a step begins."""
    return (START + step * length).isoformat()


def onsets(step: int, n: int, length: timedelta) -> list[str]:
    """When the episodes of a step began: the date alone for one in a day, else spread evenly over the step."""
    begin = START + step * length
    if n == 1 and length == DAY:
        return [begin.date().isoformat()]
    return [(begin + length * (k + 0.5) / n).isoformat() for k in range(n)]


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    """Write a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--person", help="one person's id; without it all are laid end to end")
    given = parser.parse_args()
    write_tables(SETS[given.set](given.folder), given.out, given.person)
