"""Bring the weather of a person's place and period into their folder."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from unaji.errors import InputError, OutputError, UsageError
from unaji.records.clock import Clock
from unaji.records.folder import read_folder, whose_folder
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Problem, Timeline
from unaji.records.weather.client import Client, put_file
from unaji.records.weather.services import (
    LAST_REPORT_H,
    Place,
    Wanted,
    last_stamp,
    open_meteo_files,
    source_of,
    station_files,
    station_of,
)
from unaji.records.weather.stations import nearest

CREDIT = {
    "open-meteo": "Weather data by Open-Meteo.com (CC BY 4.0)",
    "meteostat": "Meteostat and its providers (CC BY 4.0)",
    "noaa-isd": "NOAA National Centers for Environmental Information, Integrated Surface Database",
    "jma": "出典：気象庁ホームページ",
}
FOLDER = "weather"
BEFORE = timedelta(days=2)
"""A change of the weather may be felt a day later, and is itself taken over hours."""
NO_PLACE = (
    "どこの天気かわかりません / nobody says of which place: pass --place 35.7,139.7, or write latitude and longitude "
    "into person.toml"
)
LAST_HOUR = np.timedelta64(LAST_REPORT_H, "h")
JMA_FORM = "https://www.data.jma.go.jp/risk/obsdl/"
JMA_ELEMENTS = ("気温", "現地気圧", "海面気圧", "相対湿度", "降水量", "日照時間", "風速", "日射量")


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came.

    Attributes
    ----------
    files : tuple of str
        Names inside the person's folder.
    values : mapping
        How many values of each quantity the files hold.
    incomplete : tuple of str
        Files that do not reach to the end of their period yet.
    """

    provider: str
    place: Place | None
    station: str
    period: Period
    files: tuple[str, ...]
    values: dict[str, int]
    incomplete: tuple[str, ...]
    problems: tuple[Problem, ...]


def fetch_weather(
    into: Path, client: Client, provider: str, *, place: Place | None = None, station: str = "", period: Period,
    stem: str = "", keep_whole: bool = False, most: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Fetched:  # fmt: skip
    """Fetch the weather of a place or station and put the service's files into a person's folder.

    Parameters
    ----------
    provider : str
        "open-meteo", "meteostat" or "noaa-isd".
    place : Place, optional
        For "open-meteo".
    station : str
        For "meteostat" and "noaa-isd": see `station_for`.
    stem : str
        For "open-meteo": how the files' names begin, where names are read by more people than contents and must not
        say the place.
    keep_whole : bool
        Whether a file that lies in the folder already, whole and of days that are over, is left as it is and not asked
        for again. So the folder does what the client's cache does, and nothing of it lies elsewhere.
    most : int, optional
        How many files are asked for at most, the newest first; what is beyond waits for another time. By default all
        are, the oldest first.
    progress : callable, optional
        Told the share that is done before each file, the first time before anybody is asked; whatever it raises
        ends the fetching.

    Raises
    ------
    InputError
        The place, station or period is not one that can be asked for, or an answer could not be had; what had come
        before it stays.
    OutputError
        A file cannot be written.
    """
    counts: Counter[str] = Counter()
    names: list[str] = []
    incomplete: list[str] = []
    log = ProblemLog()
    files = list(_files(provider, place, station, period, client.now(), stem))
    left = len(files) if most is None else most
    if most is not None:
        files.reverse()
    for n, file in enumerate(files):
        if progress is not None:
            progress(n / len(files))
        there = _whole_in_folder(into, file, client.now()) if keep_whole else None
        if there is None and left == 0:
            continue
        data = client.get(file.request) if there is None else there
        if there is None:
            left -= 1
            put_into_folder(into, file.file_name, data)
        names.append(f"{FOLDER}/{file.file_name}")
        batches = list(file.read([source_of(names[-1], data)], Clock(None, client.now()), log))
        for batch in batches:
            counts[batch.quantity] += len(batch)
        if last_stamp(batches) < np.datetime64(min(file.request.last_day, period.last)) + LAST_HOUR:
            incomplete.append(names[-1])
    values = dict(sorted(counts.items()))
    return Fetched(provider, place, station, period, tuple(names), values, tuple(incomplete), log.problems())


def _whole_in_folder(into: Path, file: Wanted, now: datetime) -> bytes | None:
    """Return a file that lies in the folder and will not change any more; None where it has to be asked for."""
    if file.request.last_day >= now.date():
        return None
    with contextlib.suppress(OSError, InputError):
        data = (into / FOLDER / file.file_name).read_bytes()
        if file.request.check(data):
            return data
    return None


def _files(
    provider: str, place: Place | None, station: str, period: Period, now: datetime, stem: str
) -> Iterator[Wanted]:
    if provider != "open-meteo":
        yield from station_files(provider, station_of(provider, station), period.first, period.last, now)
    elif station:
        raise UsageError("--station is for meteostat and noaa-isd; open-meteo takes --place LAT,LON")
    elif place is None:
        raise InputError(NO_PLACE)
    else:
        yield from open_meteo_files(place, period.first, period.last, now, stem)


def station_for(provider: str, place: Place | None, station: str, period: Period, client: Client) -> tuple[str, float]:
    """Return the station named, or the nearest one and its distance [km] (0 where it was named)."""
    if station:
        return station_of(provider, station), 0.0
    if place is None:
        raise InputError(NO_PLACE)
    found = nearest(provider, place, period.first, period.last, client)
    return found.id, found.distance_km


def put_into_folder(person: Path, name: str, data: bytes) -> None:
    """Put a service's file below ``weather/`` of a person's folder, where it is read by its content.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    try:
        (person / FOLDER).mkdir(parents=True, exist_ok=True)
        put_file(person / FOLDER / name, data)
    except OSError as error:
        raise OutputError(f"{person / FOLDER / name}: cannot be written ({error.strerror or error})") from error


def default_place(into: Path, now: datetime) -> Place | None:
    """Return the place that ``person.toml`` says, to 0.1°; None where it says none."""
    if not into.is_dir():
        return None
    person, _ = whose_folder(into, None, now, ProblemLog())
    if person.latitude is None or person.longitude is None:
        return None
    return Place(person.latitude, person.longitude)


def period_of(into: Path, first: date | None, last: date | None, now: datetime) -> Period:
    """Return the days asked for; by default those of the person's records, with two days before, up to yesterday.

    Raises
    ------
    InputError
        Nobody says a period, or it is not in the past.
    """
    yesterday = now.date() - timedelta(days=1)
    if first is None or last is None:
        known = _days_of_records(into, now)
        first, last = first or known.first - BEFORE, last or known.last
    last = min(last, yesterday)
    if last < first:
        raise InputError(
            f"--from {first} --to {last}: 終わりが始まりより前です (天気はきのうまであります) / "
            "the period ends before it begins; weather is there up to yesterday"
        )
    return Period(first, last)


def _days_of_records(into: Path, now: datetime) -> Period:
    """Return the days of what lies in a person's folder."""
    try:
        timeline = read_folder(into, now=now)
    except InputError as error:
        raise InputError(f"{error}. Say the days: --from 2024-05-01 --to 2024-05-31") from error
    days = days_recorded(timeline)
    if days is None:
        raise InputError(f"{into}: the folder holds no records yet; say the days: --from 2024-05-01 --to 2024-05-31")
    return days


def days_recorded(timeline: Timeline) -> Period | None:
    """Return the days of what a person recorded, which weather says nothing of; None where nothing was recorded."""
    own = replace(timeline, series=tuple(s for s in timeline.series if s.site != "outdoor"))
    return None if own.span is None else Period(own.span.start.date(), own.span.end.date())


def jma_steps(into: Path, period: Period) -> tuple[str, ...]:
    """Say how to download the Japanese agency's form by hand, since it answers no programs; Japanese, then English."""
    days = f"{period.first} – {period.last}"
    return (
        "気象庁の過去の観測値は、プログラムからは取得できません。",
        f"{JMA_FORM} をブラウザで開き、次を選んで「CSVファイルをダウンロード」を押してください。",
        "  地点: 最寄りの気象台など (気圧を測っている所) を一つ",
        f"  項目: 時別値 — {'、'.join(JMA_ELEMENTS)}",
        f"  期間: {days}",
        "  表示オプション: 利用上注意が必要なデータと観測環境の変化以前のデータを表示させ、「すべて数値で格納」",
        f"届いた data.csv を {into / FOLDER} に入れてください。",
        f"The agency answers no programs. Open {JMA_FORM} in a browser; choose one observatory that measures pressure, "
        f"the hourly values (時別値) of {', '.join(JMA_ELEMENTS)} for {days}, and everything stored as numbers "
        f"(すべて数値で格納). Download the CSV file and put it into {into / FOLDER}.",
    )
