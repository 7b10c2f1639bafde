"""From a person's folder to files of weather in it, against a server of our own."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from tests.records.weather.conftest import broken
from tests.records.weather.service import Server, model_hours, serving
from unaji.cli import unaji
from unaji.cli.weather_ import PROVIDERS
from unaji.errors import InputError, OutputError, UsageError
from unaji.records.weather import services
from unaji.records.weather.client import Client, FetchError
from unaji.records.weather.fetch import CREDIT, Period, default_place, fetch_weather, jma_steps, period_of, station_for
from unaji.records.weather.services import Place, place_of, station_of

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
TOKYO = Place(35.68, 139.77)
MAY = Period(date(2025, 5, 1), date(2025, 5, 31))


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    with serving(monkeypatch) as one:
        yield one


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "cache", now=lambda: NOW, sleep=lambda _: None)


@pytest.fixture
def hana(tmp_path: Path) -> Path:
    folder = tmp_path / "hana"
    folder.mkdir()
    (folder / "person.toml").write_text('timezone = "Asia/Tokyo"\nlatitude = 35.681\nlongitude = 139.767\n')
    (folder / "episodes.csv").write_text("start\n2025-05-10T08:00\n2025-05-20T21:00\n")
    return folder


# -- Open-Meteo --------------------------------------------------------------------------------------------------------


def test_a_place_is_asked_for_month_by_month_and_its_files_lie_in_the_folder(server, client, hana):
    fetched = fetch_weather(hana, client, "open-meteo", place=TOKYO, period=Period(date(2025, 4, 20), date(2025, 5, 3)))
    assert fetched.files == (
        "weather/open-meteo_35.7_139.8_2025-04.json",
        "weather/open-meteo_35.7_139.8_2025-05.json",
    )
    assert fetched.values["station_pressure_hpa"] == (30 + 31) * 24
    assert set(fetched.values) == {
        "air_temp_c", "dew_point_c", "precip_mm", "rel_humidity_pct", "sea_level_pressure_hpa", "solar_w_m2",
        "station_pressure_hpa", "sunshine_min", "wind_m_s",
    }  # fmt: skip
    assert fetched.incomplete == ()
    assert [(hana / file).stat().st_size > 1000 for file in fetched.files] == [True, True]


def test_only_a_rounded_place_and_dates_leave_the_machine(server, client, hana):
    fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY)
    asked = parse_qs(urlsplit(server.asked[0]).query)
    assert asked.pop("hourly")[0].split(",") == list(services.OPEN_METEO_HOURLY)
    assert asked == {
        "latitude": ["35.7"], "longitude": ["139.8"], "start_date": ["2025-05-01"], "end_date": ["2025-05-31"],
        "wind_speed_unit": ["ms"], "timezone": ["GMT"],
    }  # fmt: skip


def test_the_present_month_is_asked_for_up_to_yesterday_and_its_file_takes_the_place_of_the_older(
    server, hana, tmp_path
):
    for day in (10, 25):
        at = datetime(2025, 5, day, 9, tzinfo=UTC)
        late = Client(tmp_path / "cache", now=lambda at=at: at, sleep=lambda _: None)
        period = Period(date(2025, 5, 2), date(2025, 5, day - 1))
        assert fetch_weather(hana, late, "open-meteo", place=TOKYO, period=period).values["air_temp_c"] == 24 * (
            day - 1
        )
    assert [parse_qs(urlsplit(path).query)["end_date"] for path in server.asked] == [["2025-05-09"], ["2025-05-24"]]
    assert [file.name for file in (hana / "weather").iterdir()] == ["open-meteo_35.7_139.8_2025-05.json"]


def test_the_second_time_nobody_is_asked_and_offline_suffices(server, client, hana):
    first = fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY)
    offline = Client(client.cache, offline=True, now=client.now)
    assert fetch_weather(hana, offline, "open-meteo", place=TOKYO, period=MAY) == first
    assert len(server.asked) == 1


def test_hours_that_are_not_there_yet_are_told_and_asked_for_anew(server, client, hana):
    server.reply = lambda path: (model_hours("2025-05-01", "2025-05-31", missing=5 * 24), "application/json")
    for _ in range(2):
        fetched = fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY)
        assert fetched.incomplete == fetched.files
        assert fetched.values["air_temp_c"] == 26 * 24
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (model_hours("2024-05-01", "2024-05-31"), "2025-05-01 to 2025-05-31 was asked for, and it is about 2024-05-01"),
        (model_hours("2025-05-01", "2025-06-01"), "2025-05-01 to 2025-05-31 was asked for"),
        (model_hours("2025-05-01", "2025-05-31", latitude=48.1), "35.7,139.8 was asked for, and it is about 48.1"),
        (model_hours("2025-05-01", "2025-05-31", temperature_2m=71.0, dew_point_2m=70.0, surface_pressure=100.8),
         "values are implausible, such as"),
        (b'{"latitude": 35.7, "longitude": 139.7', "no whole answer of Open-Meteo"),
        (b"{}", "no whole answer of Open-Meteo"),
        (b"[" + model_hours("2025-05-01", "2025-05-31") + b"]", "it is not about one place"),
        ('{"latitude":35.7,"longitude":139.7,"utc_offset_seconds":0,"hourly_units":{"temperature_2m":"°C"},"hourly":{"time":[],"temperature_2m":[]}}'.encode(),
         "it holds no weather"),
    ],
    ids=["another year", "a day too many", "another place", "implausible", "cut", "empty", "several", "no hours"],
)  # fmt: skip
def test_an_answer_that_is_not_what_was_asked_for_is_not_kept(server, client, hana, answer, part):
    server.reply = lambda path: (answer, "application/json")
    with pytest.raises(FetchError, match=f"was not kept: .*{part}"):
        fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY)
    assert not (hana / "weather").exists()
    assert not client.cache.exists()


def test_broken_answers_are_refused_and_never_crash():
    (wanted,) = services.open_meteo_files(TOKYO, date(2025, 5, 1), date(2025, 5, 2), datetime(2025, 5, 3, tzinfo=UTC))
    whole, rng, refused = model_hours("2025-05-01", "2025-05-02"), random.Random(7), 0
    assert wanted.request.check(whole)
    for _ in range(200):
        try:
            wanted.request.check(broken(whole, rng))
        except InputError:
            refused += 1
    assert refused > 100


def test_a_folder_that_cannot_be_written_is_told(server, client, hana):
    (hana / "weather").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match=r"weather/open-meteo_.* cannot be written"):
        fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY)


def test_months_that_lie_in_the_folder_whole_are_not_asked_for_again_without_any_cache(server, hana):
    client = Client(None, now=lambda: NOW, sleep=lambda _: None)
    period = Period(date(2025, 4, 20), date(2025, 5, 31))
    first = fetch_weather(hana, client, "open-meteo", place=TOKYO, period=period, keep_whole=True)
    (hana / first.files[0]).write_bytes(b"damaged")

    again = fetch_weather(hana, client, "open-meteo", place=TOKYO, period=period, keep_whole=True)

    assert again == first
    asked = [parse_qs(urlsplit(path).query)["start_date"][0] for path in server.asked]
    assert asked == ["2025-04-01", "2025-05-01", "2025-04-01"]


def test_a_month_that_is_not_whole_in_the_folder_is_asked_for_again(server, hana):
    client = Client(None, now=lambda: NOW, sleep=lambda _: None)
    server.reply = lambda path: (model_hours("2025-05-01", "2025-05-31", missing=30), "application/json")
    for _ in range(2):
        fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY, keep_whole=True)
    assert len(server.asked) == 2


def test_names_of_files_need_not_say_the_place(server, client, hana):
    fetched = fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY, stem="x_")
    assert fetched.files == ("weather/x_2025-05.json",)


def test_who_is_told_the_progress_can_end_it_before_anybody_is_asked(server, client, hana):
    told = []

    def stop_at_the_second(share: float) -> None:
        told.append(share)
        if share:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_weather(hana, client, "open-meteo", place=TOKYO, period=Period(date(2025, 4, 1), date(2025, 5, 31)),
                      progress=stop_at_the_second)  # fmt: skip
    assert told == [0.0, 0.5]
    assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "passing"), [(500, True), (429, True), (403, False)])
def test_a_failure_says_whether_it_may_pass(server, client, hana, status, passing):
    server.status = status
    with pytest.raises(FetchError) as failed:
        fetch_weather(hana, client, "open-meteo", place=TOKYO, period=MAY)
    assert failed.value.passing is passing


def test_a_place_on_the_equator_has_one_name():
    assert str(Place(-0.04, -0.01)) == str(Place(0.04, 0.01))


# -- stations ----------------------------------------------------------------------------------------------------------

METEOSTAT_LIST = json.dumps(
    [
        {"id": "47662", "name": {"en": "Tokyo"}, "location": {"latitude": 35.6833, "longitude": 139.7667},
         "inventory": {"hourly": {"start": "1941-01-01", "end": "2025-05-28"}, "daily": {"start": None, "end": None}}},
        {"id": "47671", "name": {"en": "Haneda"}, "location": {"latitude": 35.55, "longitude": 139.78, "elevation": 8},
         "inventory": {"hourly": {"start": "1973-01-01", "end": "2025-05-28"}}},
        {"id": "99999", "location": {"latitude": 35.7, "longitude": 139.8, "elevation": None},
         "inventory": {"hourly": {"start": "1973-01-01", "end": "1999-05-28"}}},
        {"id": "0CNUO", "location": {"latitude": 35.7, "longitude": 139.8, "elevation": None}, "inventory": {}},
        {"id": "0CNUP", "location": {"latitude": None, "longitude": None}, "inventory": {"hourly": None}},
    ]
).encode()  # fmt: skip
NOAA_LIST = (
    b'"USAF","WBAN","STATION NAME","CTRY","STATE","ICAO","LAT","LON","ELEV(M)","BEGIN","END"\n'
    b'"476620","99999","TOKYO","JA","","RJTD","+35.683","+139.767","+0036.0","19730101","20250530"\n'
    b'"476710","99999","TOKYO INTL","JA","","RJTT","+35.553","+139.781","+0010.7","19730101","20250530"\n'
    b'"999999","00001","NOWHERE","","","","","","","20000101","20250825"\n'
)
METEOSTAT_YEAR = gzip.compress(
    b"year,month,day,hour,temp,temp_source,pres,pres_source\n"
    + b"".join(b"2025,%d,1,%d,15.0,metar,1012.0,metar\n" % (m, h) for m in range(1, 6) for h in range(24))
    + b"2025,5,31,23,15.0,metar,1012.0,metar\n"
)
ISD_YEAR = (
    '"STATION","DATE","REPORT_TYPE","TMP","SLP","MA1"\n'
    + "".join(f'"47662099999","2024-{m:02d}-{d:02d}T{h:02d}:00:00","FM-12","+0150,1","10125,1","99999,9,10080,1"\n'
              for m in range(1, 13) for d in (1, 31 if m == 12 else 28) for h in (0, 6, 12, 18))
).encode()  # fmt: skip


def files_of_stations(path: str) -> tuple[bytes, str]:
    return {
        "/lite.json.gz": (gzip.compress(METEOSTAT_LIST), "application/gzip"),
        "/isd-history.csv": (NOAA_LIST, "text/csv"),
        "/hourly/2025/47662.csv.gz": (METEOSTAT_YEAR, "application/gzip"),
        "/access/2024/47662099999.csv": (ISD_YEAR, "text/csv"),
    }[path]


@pytest.mark.parametrize(("provider", "expected"), [("meteostat", "47662"), ("noaa-isd", "47662099999")])
def test_the_nearest_station_that_reported_is_found_at_home(server, client, provider, expected):
    server.reply = files_of_stations
    station, distance_km = station_for(provider, TOKYO, "", MAY, client)
    assert station == expected
    # 0.017° of latitude and 0.033° of longitude at 36° north: 1.9 km and 3.0 km.
    assert distance_km == pytest.approx(3.5, abs=0.1)
    assert "35.7" not in "".join(server.asked)


@pytest.mark.parametrize(("provider", "expected"), [("meteostat", "47662"), ("noaa-isd", "47662099999")])
def test_offline_the_list_of_the_last_time_is_searched_and_online_a_new_one(server, client, provider, expected):
    server.reply = files_of_stations
    for _ in range(2):
        assert station_for(provider, TOKYO, "", MAY, client)[0] == expected
    assert len(server.asked) == 2
    for days_later in (0, 365):  # what the list does not know yet is no reason to say that there is no station
        offline = Client(client.cache, offline=True, now=lambda days=days_later: NOW + timedelta(days=days))
        last = NOW.date() + timedelta(days=days_later - 1)
        assert station_for(provider, TOKYO, "", Period(MAY.first, last), offline)[0] == expected
    assert len(server.asked) == 2
    with pytest.raises(FetchError, match="not in the cache"):
        station_for(provider, TOKYO, "", MAY, Client(client.cache / "empty", offline=True))


def test_the_command_works_offline_after_it_has_worked(server, run, hana):
    server.reply = files_of_stations
    asked = ["--into", str(hana), "--provider", "noaa-isd", "--from", "2024-05-01", "--to", "2024-05-31"]
    online, offline = run(*asked), run(*asked, "--offline")
    assert (online.exit_code, offline.exit_code) == (0, 0)
    assert offline.stdout == online.stdout
    assert len(server.asked) == 2


def test_no_station_within_reach_is_told(server, client):
    server.reply = files_of_stations
    with pytest.raises(InputError, match="there is no station within 100 km"):
        station_for("noaa-isd", Place(10, 10), "", MAY, client)


def test_a_list_that_is_none_is_told(server, client):
    server.reply = lambda path: (b"<xml/>", "text/csv")
    for provider in ("meteostat", "noaa-isd"):
        with pytest.raises(FetchError, match="the list of stations cannot be read"):
            station_for(provider, TOKYO, "", MAY, client)


def test_a_stations_years_are_fetched_as_they_are(server, client, hana):
    server.reply = files_of_stations
    fetched = fetch_weather(hana, client, "meteostat", station="47662", period=MAY)
    assert fetched.files == ("weather/47662-2025.csv.gz",)
    assert fetched.values == {"air_temp_c": 121, "sea_level_pressure_hpa": 121}
    assert fetched.incomplete == ()  # the year is not over, the period is
    assert (hana / fetched.files[0]).read_bytes() == METEOSTAT_YEAR
    assert not client.cache.exists()  # the file speaks of today too
    past = Period(date(2024, 5, 1), date(2024, 5, 31))
    assert fetch_weather(hana, client, "noaa-isd", station="476620-99999", period=past).values == {
        "air_temp_c": 96, "sea_level_pressure_hpa": 96, "station_pressure_hpa": 96,
    }  # fmt: skip
    assert len(list(client.cache.iterdir())) == 1  # a year that is over is kept


def test_a_year_that_the_station_does_not_have_is_told(server, client, hana):
    server.reply = files_of_stations
    with pytest.raises(FetchError, match=r"no weather of this station.*/hourly/2023/47662.csv.gz"):
        fetch_weather(hana, client, "meteostat", station="47662", period=Period(date(2023, 5, 1), date(2023, 5, 2)))


# -- what is asked for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Tokyo", "35.7", "35.7,139.7,3", "95,10", "10,181", "nan,3", "35.7;139.7"])
def test_a_place_that_is_none_is_told_with_an_example(text):
    with pytest.raises(InputError, match=r"--place 35\.7,139\.7"):
        place_of(text)


def test_a_place_is_rounded_before_anything_else_sees_it():
    assert place_of(" 35.6812, 139.7671") == Place(35.7, 139.8) == Place(35.74, 139.849)


@pytest.mark.parametrize(
    ("provider", "text"), [("meteostat", "../x"), ("meteostat", "Tokyo Haneda"), ("noaa-isd", "47662")]
)
def test_an_id_no_station_can_have_is_told(provider, text):
    with pytest.raises(InputError, match=f"ids of {provider} look like 47662"):
        station_of(provider, text)


def test_the_period_is_by_default_that_of_the_persons_records_and_two_days_before(hana):
    assert period_of(hana, None, None, NOW) == Period(date(2025, 5, 7), date(2025, 5, 20))
    assert period_of(hana, date(2025, 1, 1), None, NOW) == Period(date(2025, 1, 1), date(2025, 5, 20))


def test_weather_that_lies_there_already_does_not_stretch_the_period(hana):
    (hana / "series").mkdir()
    (hana / "series" / "air.csv").write_text("time,site,air_temp_c\n2025-01-01T00:00,outdoor,5\n")
    assert period_of(hana, None, None, NOW).first == date(2025, 5, 7)


def test_the_period_ends_yesterday(hana):
    assert period_of(hana, date(2025, 5, 1), date(2026, 1, 1), NOW).last == date(2025, 5, 31)
    with pytest.raises(InputError, match="the period ends before it begins"):
        period_of(hana, date(2025, 6, 1), date(2025, 6, 2), NOW)


def test_without_records_the_days_must_be_said(tmp_path):
    with pytest.raises(InputError, match="--from 2024-05-01 --to 2024-05-31"):
        period_of(tmp_path / "nobody", None, None, NOW)


def test_the_place_is_by_default_that_of_the_person_to_a_tenth_of_a_degree(hana, tmp_path):
    assert default_place(hana, NOW) == Place(35.7, 139.8)
    assert default_place(tmp_path / "nobody", NOW) is None


def test_without_a_place_nobody_is_asked(server, client, hana):
    for call in (
        lambda: fetch_weather(hana, client, "open-meteo", period=MAY),
        lambda: station_for("meteostat", None, "", MAY, client),
    ):
        with pytest.raises(InputError, match="nobody says of which place"):
            call()
    with pytest.raises(UsageError, match="open-meteo takes --place"):
        fetch_weather(hana, client, "open-meteo", place=TOKYO, station="47662", period=MAY)
    assert server.asked == []


def test_the_japanese_agency_is_asked_by_hand(hana):
    steps = "\n".join(jma_steps(hana, MAY))
    for part in (
        "https://www.data.jma.go.jp/risk/obsdl/",
        "現地気圧",
        "2025-05-01 – 2025-05-31",
        str(hana / "weather"),
    ):
        assert steps.count(part) >= 1


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch, tmp_path: Path) -> Callable[..., object]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def command(*options: str) -> object:
        return CliRunner().invoke(unaji, ["weather", *options])

    return command


def test_the_command_takes_place_and_period_from_the_person(server, run, hana):
    ran = run("--into", str(hana), "--json")
    told = json.loads(ran.stdout)
    assert told["place"] == {"latitude": 35.7, "longitude": 139.8}
    assert told["period"] == {"first": "2025-05-07", "last": "2025-05-20"}
    assert told["values"]["air_temp_c"] == 31 * 24
    assert told["files"] == ["weather/open-meteo_35.7_139.8_2025-05.json"]
    assert (told["warnings"], told["incomplete"], told["station"]) == ([], [], None)
    again = run("--into", str(hana), "--offline")
    assert "air_temp_c: 744 values" in again.stdout
    assert "Open-Meteo.com" in again.stderr
    assert len(server.asked) == 1


def test_the_command_names_the_station_it_found(server, run, hana):
    server.reply = files_of_stations
    ran = run("--into", str(hana), "--provider", "meteostat")
    assert "station 47662, 4 km away" in ran.stderr
    assert "sea_level_pressure_hpa: 121 values" in ran.stdout


def test_every_provider_of_the_command_is_credited():
    assert set(PROVIDERS) == set(CREDIT)


def test_the_command_tells_what_to_download_from_the_japanese_agency(run, hana):
    text = run("--into", str(hana), "--provider", "jma").stdout
    assert "時別値" in text
    assert "2025-05-07 – 2025-05-20" in text
    told = json.loads(run("--into", str(hana), "--provider", "jma", "--json").stdout)
    assert (told["provider"], told["files"]) == ("jma", [])


def test_offline_without_anything_kept_ends_with_a_sentence(server, run, hana):
    ran = run("--into", str(hana), "--offline")
    assert isinstance(ran.exception, FetchError)
    assert "not in the cache" in str(ran.exception)
    assert server.asked == []
