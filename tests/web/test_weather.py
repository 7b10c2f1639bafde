"""The weather of one's days: fetched where it is agreed to, from a server of the tests' own, taken out again."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from tests.records.weather.service import Server, model_hours, right, serving
from tests.web.accounts import account, sign_in
from unaji.records.folder import read_folder
from unaji.records.weather.client import Patience
from unaji.web.casebook.actions import diary, weather
from unaji.web.casebook.actions.consents import consented, give_consent, withdraw_consent
from unaji.web.casebook.actions.explanations import fingerprint, strip_of
from unaji.web.casebook.actions.exports import ask_export, erase_person, fetch_export
from unaji.web.casebook.actions.people import describe_person
from unaji.web.casebook.actions.weather import ask_weather, ask_weather_due, remove_weather, say_about
from unaji.web.casebook.apart import memory_mb
from unaji.web.casebook.files import sealed_files
from unaji.web.casebook.jobs import DOERS, run, wake_silent
from unaji.web.casebook.management.commands.clock import DUE
from unaji.web.casebook.models import AuditEvent, Consent, ConsentText, ImportBatch, Job, Person, SeriesFile
from unaji.web.casebook.timeline import timeline_of

pytestmark = pytest.mark.django_db

TOKYO, OSAKA = "35.7 139.7", "34.7 135.5"
CREDIT = "Weather data by Open-Meteo.com (CC BY 4.0)"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(
        weather,
        "PATIENCE",
        Patience(tries=2, connect_s=2, read_s=2, first_pause_s=0.01, between_requests_s=0, longest_retry_after_s=1),
    )
    with serving(monkeypatch) as one:
        yield one


@pytest.fixture
def living(hana) -> Person:
    """Hana, who lives in Tokyo, and whose neck was hot yesterday."""
    start = timezone.now().replace(microsecond=0) - timedelta(days=1)
    diary.log_episode(hana, by=hana.user, start=start, intensity=5)
    describe_person(hana, by=hana.user, place=TOKYO)
    return hana


@pytest.fixture
def agreed(living) -> Person:
    give_consent(living, "weather", language="ja", by=living.user)
    return living


def work(person: Person) -> Job:
    """Do what a worker would do, but for answers; return the last job of the weather."""
    while (
        job := Job.objects.filter(person=person, state="waiting").exclude(kind="explain").order_by("made_at").first()
    ) is not None:
        run(job.pk)
    return Job.objects.filter(person=person, kind__in=("weather", "no_weather")).latest("made_at")


def fetched(person: Person) -> Job:
    ask_weather(person, by=person.user)
    return work(person)


def asked_anew(person: Person) -> datetime | None:
    return Person.objects.get(pk=person.pk).asked_anew_at


def on_disk(person: Person) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sealed_files(person.pk)}


def weather_files(person: Person) -> set[str]:
    return {file.name for file in sealed_files(person.pk) if file.parent.name == "weather"}


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def days_asked(server: Server) -> list[str]:
    return [parse_qs(urlsplit(path).query)["end_date"][0] for path in server.asked]


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_who_agrees_gets_the_weather_of_their_days_with_its_period_and_its_source(server, as_hana, living):
    as_hana.post("/data/weather", {"consent": "yes"})
    job = work(living)

    assert (job.state, job.error) == ("done", "")
    assert Consent.objects.get(person=living, purpose="weather").text.language == "ja"
    series = timeline_of(living).of("station_pressure_hpa", "outdoor")
    assert series.value[0] == 1008.0
    assert str(series.time[-1]) == f"{yesterday()}T23:00:00.000"
    rows = SeriesFile.objects.get(person=living, kind="weather", quantity="station_pressure_hpa")
    assert (rows.rows, rows.last_at.date()) == (len(series), yesterday())
    page = as_hana.get("/data").content.decode()
    assert CREDIT in page
    assert "取り寄せた天気: 気圧(その場所)" in page
    assert f"{rows.rows:,}行" in page


def test_only_a_rounded_place_and_dates_leave_the_machine(server, agreed):
    describe_person(agreed, by=agreed.user, name="架空 みお", contact="090")

    fetched(agreed)

    for path in server.asked:
        asked = parse_qs(urlsplit(path).query)
        assert asked.keys() == {
            "latitude", "longitude", "start_date", "end_date", "hourly", "wind_speed_unit", "timezone",
        }  # fmt: skip
        assert (asked["latitude"], asked["longitude"], asked["timezone"]) == (["35.7"], ["139.7"], ["GMT"])


def test_the_first_month_is_that_of_two_days_before_the_first_record(server, agreed):
    first = datetime(2026, 3, 2, 3, tzinfo=UTC)
    diary.log_episode(agreed, by=agreed.user, start=first)

    fetched(agreed)

    assert days_asked(server)[-1] == "2026-02-28"


def test_a_day_shows_its_weather_without_waiting_for_an_answer(server, agreed):
    assert strip_of(agreed, yesterday()) is None

    fetched(agreed)

    strip = strip_of(agreed, yesterday())
    assert 15.0 in strip.air_temp_c
    assert 1008.0 in strip.pressure_hpa


def test_names_of_files_tell_neither_the_place_nor_that_two_people_share_it(server, agreed, ken):
    diary.log_episode(ken, by=ken.user, start=timezone.now() - timedelta(days=1))
    describe_person(ken, by=ken.user, place=TOKYO)
    give_consent(ken, "weather", language="ja", by=ken.user)
    fetched(agreed)
    fetched(ken)

    hers, his = weather_files(agreed), weather_files(ken)

    assert hers
    assert his
    assert not hers & his
    assert not [name for name in hers | his if "35" in name.partition("_")[2] or "139.7" in name]


def test_nothing_is_kept_outside_the_persons_sealed_folder(server, agreed, settings, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = {file for file in tmp_path.rglob("*") if file.is_file()}

    fetched(agreed)

    new = {file for file in tmp_path.rglob("*") if file.is_file()} - before
    turns = {file for file in new if file.parent == settings.HOME / "weather"}
    assert new - turns
    assert all(file.is_relative_to(settings.HOME / "people" / str(agreed.pk)) for file in new - turns)
    assert not any(b"hourly" in file.read_bytes() for file in new)
    assert not any(b"35.7" in file.read_bytes() or str(agreed.pk) in file.read_text() for file in turns)


def test_nobody_is_asked_for_the_weather_before_they_can_say_a_place(db):
    page = sign_in(account("new@example.org")).get("/welcome").content.decode()

    assert 'value="wearable_import"' in page
    assert 'value="weather"' not in page


# -- who may be asked --------------------------------------------------------------------------------------------------


def test_without_agreement_nothing_is_asked_for(server, as_hana, living):
    as_hana.post("/data/weather")

    assert not Job.objects.filter(kind="weather").exists()
    assert not consented(living, "weather")


def test_what_was_withdrawn_between_asking_and_running_is_stopped(server, as_hana, agreed):
    ask_weather(agreed, by=agreed.user)

    as_hana.post("/data/weather/stop")
    job = work(agreed)

    assert job.state == "cancelled"
    assert server.asked == []


def test_withdrawing_on_the_page_of_consents_stops_it_too(server, as_hana, agreed):
    ask_weather(agreed, by=agreed.user)

    as_hana.post("/mine/consent", {"purpose": "weather", "give": "no"})

    assert work(agreed).state == "cancelled"
    assert server.asked == []


def test_the_worker_itself_looks_whether_it_may_ask(server, as_hana, agreed):
    ask_weather(agreed, by=agreed.user)
    Consent.objects.filter(purpose="weather").update(withdrawn_at=timezone.now())

    job = work(agreed)

    assert (job.state, job.error) == ("failed", "weather_not_agreed")
    assert server.asked == []
    assert "どこにも尋ねていません" in as_hana.get("/data").content.decode()


@pytest.mark.django_db(transaction=True)  # withdrawn by another thread
def test_what_is_withdrawn_while_it_runs_ends_before_the_next_request_and_keeps_nothing(server, agreed):
    diary.log_episode(agreed, by=agreed.user, start=timezone.now() - timedelta(days=70))
    before = on_disk(agreed)

    def withdrawn(path):
        withdraw_consent(Consent.objects.get(purpose="weather"), by=agreed.user)
        connection.close()
        return right(path)

    server.reply = withdrawn
    job = fetched(agreed)

    assert job.state == "cancelled"
    assert len(server.asked) == 1
    assert on_disk(agreed) == before
    assert not SeriesFile.objects.filter(kind="weather").exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_withdrawn_while_the_last_answer_is_on_its_way_is_not_kept(server, agreed):
    before = on_disk(agreed)

    def withdrawn(path):
        Consent.objects.filter(purpose="weather").update(withdrawn_at=timezone.now())
        connection.close()
        return right(path)

    last = (yesterday() - timedelta(days=2)).replace(day=1)  # the newest month comes first
    server.reply = lambda path: (withdrawn if f"start_date={last}" in path else right)(path)
    job = fetched(agreed)

    assert (job.state, job.error) == ("failed", "weather_not_agreed")
    assert server.asked
    assert on_disk(agreed) == before


@pytest.mark.parametrize(
    ("missing", "code"), [("place", "weather_no_place"), ("records", "weather_no_days"), ("operator", "weather_off")]
)
def test_what_is_missing_is_told_and_nobody_is_asked(server, as_hana, hana, settings, missing, code):
    give_consent(hana, "weather", language="ja", by=hana.user)
    if missing != "records":
        diary.log_episode(hana, by=hana.user)
    if missing != "place":
        describe_person(hana, by=hana.user, place=TOKYO)
    settings.WEATHER = missing != "operator"

    job = fetched(hana)

    assert (job.state, job.error) == ("failed", code)
    assert server.asked == []


@pytest.fixture
def reworded(agreed):
    """Let the wording that was agreed to have changed since."""
    for language in ("ja", "en"):
        ConsentText.objects.create(
            purpose="weather", version=99, language=language, body="新しい文", valid_from=timezone.now()
        )
    return agreed


def test_an_agreement_to_a_former_wording_asks_nobody_and_is_asked_anew(server, as_hana, reworded):
    page = as_hana.get("/data").content.decode()
    block = page[page.index("weather-head") :]

    assert ask_weather_due() == 0
    assert 'name="consent"' in block
    assert "新しい文" in block
    assert "同意の文が変わりました" in block

    as_hana.post("/data/weather", {"consent": "yes"})

    assert work(reworded).state == "done"
    assert ask_weather_due(timezone.now() + timedelta(hours=25)) == 1
    assert "同意の文が変わりました" not in as_hana.get("/data").content.decode()


@pytest.mark.parametrize(
    ("language", "begins"), [("ja", "記録が始まる月の1日から"), ("en", "from the first of the month")]
)
def test_the_agreement_says_that_days_without_records_are_asked_for_too(language, begins, db):
    text = ConsentText.objects.filter(purpose="weather", language=language).latest("version").body

    assert begins in text
    assert {"ja": "記録のない日も含めて", "en": "also of those without records"}[language] in text


def test_an_operator_who_wants_none_offers_none(server, as_hana, agreed, settings):
    assert "天気を取り寄せる" in as_hana.get("/data").content.decode()
    settings.WEATHER = False

    as_hana.post("/data/weather", {"consent": "yes"})

    assert not Job.objects.exists()
    for path in ("/data", "/mine/about"):
        assert "weather-head" not in as_hana.get(path).content.decode()


def test_an_agreement_that_is_held_can_be_withdrawn_also_where_none_is_offered(as_hana, agreed, settings):
    settings.WEATHER = False
    assert "天気を取り寄せること" in as_hana.get("/mine").content.decode()

    as_hana.post("/mine/consent", {"purpose": "weather", "give": "no"})

    assert not consented(agreed, "weather")
    assert "天気を取り寄せること" not in as_hana.get("/mine").content.decode()


def test_the_invented_person_has_no_weather_fetched(server, as_hana, agreed):
    Person.objects.filter(pk=agreed.pk).update(simulated=True)

    as_hana.post("/data/weather", {"consent": "yes"})

    assert not Job.objects.exists()
    assert "weather-head" not in as_hana.get("/data").content.decode()


def test_a_stranger_changes_nothing_of_another_persons_weather(server, agreed, ken):
    fetched(agreed)
    before, client = on_disk(agreed), sign_in(ken.user)

    for path in ("/data/weather", "/data/weather/stop", "/data/weather/remove"):
        client.post(path, {"consent": "yes"})
    work(ken)

    assert on_disk(agreed) == before
    assert consented(agreed, "weather")
    assert Job.objects.filter(person=agreed).count() == 1


# -- twice, cut off, moved ---------------------------------------------------------------------------------------------


def test_the_second_time_nobody_is_asked_and_nothing_is_doubled_or_worked_out_anew(server, agreed):
    fetched(agreed)
    n, first, since = len(server.asked), timeline_of(agreed).of("air_temp_c"), asked_anew(agreed)

    job = fetched(agreed)

    assert job.state == "done"
    assert len(server.asked) == n
    assert len(timeline_of(agreed).of("air_temp_c")) == len(first)
    assert asked_anew(agreed) == since


def test_hours_that_came_late_are_asked_for_again_and_results_with_them(server, agreed):
    server.reply = late(hours=20)
    fetched(agreed)
    n, since, rows = len(server.asked), asked_anew(agreed), SeriesFile.objects.get(quantity="air_temp_c").rows
    server.reply = right

    fetched(agreed)

    assert len(server.asked) > n
    assert SeriesFile.objects.get(quantity="air_temp_c").rows == rows + 20
    assert asked_anew(agreed) > since


def test_an_answer_that_says_the_same_in_other_bytes_asks_for_no_new_results(server, agreed):
    server.reply = late(hours=20, took=1.0)
    fetched(agreed)
    n, since = len(server.asked), asked_anew(agreed)
    server.reply = late(hours=20, took=2.0)

    fetched(agreed)

    assert len(server.asked) > n
    assert asked_anew(agreed) == since


def late(hours: int, took: float = 0.0):
    """Answer right, but for so many hours before the end of yesterday, which are not there yet."""

    def reply(path):
        asked = {name: value[0] for name, value in parse_qs(urlsplit(path).query).items()}
        missing = hours if asked["end_date"] == str(yesterday()) else 0
        said = json.loads(model_hours(asked["start_date"], asked["end_date"], missing=missing))
        return json.dumps({**said, "generationtime_ms": took}).encode(), "application/json"

    return reply


def test_a_try_that_died_after_the_folder_is_begun_anew_and_told(server, agreed, monkeypatch):
    job = ask_weather(agreed, by=agreed.user)
    Job.objects.filter(pk=job.pk).update(state="running", tries=1, beat_at=timezone.now())
    job.refresh_from_db()
    with monkeypatch.context() as patched:
        patched.setattr(weather, "_note", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            DOERS["weather"](job, lambda share: None)
    since, n = asked_anew(agreed), len(server.asked)
    assert not SeriesFile.objects.filter(kind="weather").exists()

    long_ago = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(beat_at=long_ago, made_at=long_ago)
    wake_silent()
    done = work(agreed)

    assert (done.state, done.tries) == ("done", 2)
    assert len(server.asked) == n, "what the first try brought lies there whole"
    assert SeriesFile.objects.filter(kind="weather").exists()
    assert asked_anew(agreed) > since


def test_a_try_that_died_in_the_midst_leaves_the_folder_as_it_was_and_is_begun_anew(server, agreed, monkeypatch):
    diary.log_episode(agreed, by=agreed.user, start=timezone.now() - timedelta(days=70))
    before = on_disk(agreed)
    job = ask_weather(agreed, by=agreed.user)
    long_ago = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(state="running", tries=1, beat_at=long_ago, made_at=long_ago)
    job.refresh_from_db()

    def dies_after_the_first_month(share):
        if share:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DOERS["weather"](job, dies_after_the_first_month)
    assert len(server.asked) == 1
    assert on_disk(agreed) == before

    wake_silent()
    done = work(agreed)

    assert (done.state, done.tries) == ("done", 2)
    assert timeline_of(agreed).of("air_temp_c") is not None


@pytest.fixture
def neighbour(ken) -> Person:
    """Ken, who has agreed too, and lives elsewhere."""
    diary.log_episode(ken, by=ken.user, start=timezone.now() - timedelta(days=1))
    describe_person(ken, by=ken.user, place=OSAKA)
    give_consent(ken, "weather", language="ja", by=ken.user)
    return ken


def test_the_service_is_not_asked_more_often_when_there_are_more_people(server, agreed, neighbour, monkeypatch):
    monkeypatch.setattr(weather, "PATIENCE", Patience(tries=1, between_requests_s=1.0))
    at = []

    def noted(path):
        at.append((time.monotonic(), parse_qs(urlsplit(path).query)["latitude"][0]))
        return warmer_in_the_south(path)

    server.reply = noted
    states = []
    for person in (agreed, neighbour):
        states.append(fetched(person).state)
        # The next job is done in a process of its own, which finds nothing of what this one remembers.
        for one in [one for one in vars(weather).values() if hasattr(one, "cache_clear")]:
            one.cache_clear()

    assert states == ["done", "done"]
    assert {latitude for _, latitude in at} == {"35.7", "34.7"}
    assert all(later - earlier > 0.95 for (earlier, _), (later, _) in pairwise(at))


@pytest.mark.parametrize("asks_to_wait", [None, "3600"])
def test_who_comes_after_one_that_was_told_the_service_is_busy_leaves_it_alone(server, agreed, neighbour, asks_to_wait):
    server.reply = warmer_in_the_south
    server.status, server.headers = 429, {} if asks_to_wait is None else {"Retry-After": asks_to_wait}
    assert fetched(agreed).error == "weather_unreachable"
    n, server.status = len(server.asked), 200

    job = fetched(neighbour)

    assert n == 1
    assert (job.state, job.error) == ("failed", "weather_unreachable")
    assert len(server.asked) == n


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_job_that_asks_can_be_ended_by_its_limits_as_any_other(server, agreed, settings):
    settings.JOBS_START = "fork"
    settings.JOB_MEMORY_MB, settings.JOB_MINUTES = memory_mb(os.getpid()) + 400, 1.5 / 60
    server.reply = lambda path: (time.sleep(0.7), right(path))[1]
    diary.log_episode(agreed, by=agreed.user, start=timezone.now() - timedelta(days=700))

    job = fetched(agreed)

    assert (job.state, job.error) == ("failed", "took_too_long")
    assert 0 < len(server.asked) < 10


def months_asked(server: Server) -> list[str]:
    return [day[:7] for day in days_asked(server)]


def test_a_record_of_long_ago_is_fetched_in_several_jobs_with_the_newest_months_first(server, agreed, monkeypatch):
    monkeypatch.setattr(weather, "MOST_MONTHS", 3)
    diary.log_episode(agreed, by=agreed.user, start=timezone.now() - timedelta(days=6 * 30))

    jobs = [fetched(agreed).state for _ in range(4)]

    months = months_asked(server)
    assert jobs == ["done"] * 4
    assert months == sorted(set(months), reverse=True), "each once, the newest first"
    assert 6 <= len(months) <= 8
    assert str(timeline_of(agreed).of("air_temp_c").time[0])[:7] == months[-1]


def test_one_row_of_1995_does_not_take_up_the_worker(server, agreed):
    diary.log_episode(agreed, by=agreed.user, start=datetime(1995, 1, 17, tzinfo=UTC))

    job = fetched(agreed)

    assert job.state == "done"
    assert len(server.asked) == 24
    assert months_asked(server)[0] == f"{yesterday():%Y-%m}"


def test_months_that_came_are_kept_where_the_service_fails_later(server, as_hana, agreed):
    diary.log_episode(agreed, by=agreed.user, start=timezone.now() - timedelta(days=70))
    server.reply = lambda path: right(path) if len(server.asked) == 1 else broken(server, path)
    since = asked_anew(agreed)

    job = fetched(agreed)

    assert (job.state, job.error) == ("failed", "weather_in_part")
    assert str(timeline_of(agreed).of("air_temp_c").time[-1])[:10] == str(yesterday())
    assert SeriesFile.objects.filter(person=agreed, kind="weather", quantity="air_temp_c").exists()
    assert asked_anew(agreed) > since
    page = as_hana.get("/data").content.decode()
    assert "届いた月の天気は残してあります" in page
    assert f"/jobs/{job.pk}/retry" in page

    server.asked.clear()
    server.status, server.reply = 200, right
    assert fetched(agreed).state == "done"
    assert f"{yesterday():%Y-%m}" not in months_asked(server)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [("down", "weather_unreachable"), ("500", "weather_unreachable"), ("429", "weather_unreachable"),
     ("403", "weather_refused"), ("garbage", "weather_refused"), ("page", "weather_refused"),
     ("elsewhere", "weather_refused")],
)  # fmt: skip
def test_trouble_is_told_and_the_folder_stays_as_it_was(server, as_hana, agreed, monkeypatch, trouble, code):
    diary.log_episode(agreed, by=agreed.user, start=timezone.now() - timedelta(days=70))
    before, since = on_disk(agreed), asked_anew(agreed)
    if trouble == "down":
        monkeypatch.setattr("unaji.records.weather.services.OPEN_METEO", "http://127.0.0.1:9/v1/archive")
    elif trouble.isdecimal():
        server.status = int(trouble)
    else:
        answers = {
            "garbage": (b'{"latitude": 35.7', "application/json"), "page": (b"<html>sign in", "text/html"),
            "elsewhere": (model_hours("2020-01-01", "2020-01-31"), "application/json"),
        }  # fmt: skip
        server.reply = lambda path: answers[trouble]

    job = fetched(agreed)

    assert (job.state, job.error) == ("failed", code)
    assert on_disk(agreed) == before
    assert asked_anew(agreed) == since
    page = as_hana.get("/data").content.decode()
    assert "何も変えていません" in page
    assert f"/jobs/{job.pk}/retry" in page


def broken(server, path):
    server.status = 503
    return right(path)


def test_after_trouble_it_can_be_tried_once_more(server, as_hana, agreed):
    server.status = 500
    job = fetched(agreed)
    server.status = 200

    answer = as_hana.post(f"/jobs/{job.pk}/retry", {"back": "patient:about"})

    assert answer["Location"] == "/mine/about"
    assert work(agreed).state == "done"


def test_where_the_weather_is_drawn_its_source_is_named_and_nowhere_else(server, as_hana, agreed):
    def names_it(day):
        return "open-meteo.com" in as_hana.get(f"/today?day={day}").content.decode()

    assert not names_it(yesterday())
    fetched(agreed)

    assert names_it(yesterday())
    assert not names_it(yesterday() - timedelta(days=400))


def test_who_moves_gets_the_weather_of_the_new_place_for_all_days_and_none_of_the_former(server, agreed):
    server.reply = warmer_in_the_south
    fetched(agreed)
    assert set(timeline_of(agreed).of("air_temp_c").value) == {10.0}
    former = weather_files(agreed)

    say_about(agreed, by=agreed.user, place=OSAKA)
    work(agreed)

    assert set(timeline_of(agreed).of("air_temp_c").value) == {20.0}
    present = weather_files(agreed)
    assert len(present) == len(former) > 0
    assert not present & former
    asked = [parse_qs(urlsplit(path).query)["latitude"][0] for path in server.asked]
    assert asked == sorted(asked, reverse=True)
    assert len(set(asked)) == 2


def warmer_in_the_south(path):
    asked = {name: value[0] for name, value in parse_qs(urlsplit(path).query).items()}
    latitude = float(asked["latitude"])
    hours = model_hours(
        asked["start_date"], asked["end_date"], latitude, temperature_2m=10.0 if latitude > 35 else 20.0
    )
    return hours.replace(b"139.7", asked["longitude"].encode()), "application/json"


def test_who_moves_without_having_agreed_is_told_to_nobody(server, living):
    say_about(living, by=living.user, place=OSAKA)

    assert not Job.objects.exists()


# -- out again ---------------------------------------------------------------------------------------------------------


def test_the_weather_is_taken_out_and_nothing_else(server, as_hana, agreed):
    fetched(agreed)
    since = asked_anew(agreed)

    as_hana.post("/data/weather/remove")
    job = work(agreed)

    assert (job.kind, job.state) == ("no_weather", "done")
    assert timeline_of(agreed).of("air_temp_c") is None
    assert len(timeline_of(agreed).episodes) == 1
    assert not SeriesFile.objects.filter(kind="weather").exists()
    assert consented(agreed, "weather")
    assert asked_anew(agreed) > since
    assert strip_of(agreed, yesterday()).air_temp_c.count(None) == 144
    assert CREDIT not in as_hana.get("/data").content.decode()
    lines = AuditEvent.objects.filter(person_number=agreed.pk).values_list("action", flat=True)
    assert {"weather", "no_weather"} <= set(lines)


def test_what_was_taken_out_comes_back_when_it_is_asked_for_and_not_by_itself(server, as_hana, agreed):
    fetched(agreed)
    remove_weather(agreed, by=agreed.user)
    work(agreed)
    Job.objects.update(made_at=F("made_at") - timedelta(days=3))

    assert ask_weather_due() == 0
    assert "自動では取り寄せません" in as_hana.get("/data").content.decode()

    as_hana.post("/data/weather")
    work(agreed)

    assert timeline_of(agreed).of("air_temp_c") is not None


def test_withdrawing_leaves_what_is_there_and_says_so(server, as_hana, agreed):
    fetched(agreed)

    as_hana.post("/data/weather/stop")

    assert timeline_of(agreed).of("air_temp_c") is not None
    assert "いまある天気は、取り除くまで残ります" in as_hana.get("/data").content.decode()


def test_an_import_does_not_forget_the_weather_that_is_listed(server, agreed):
    from unaji.web.casebook.actions.imports import _note_series

    fetched(agreed)
    _note_series(agreed, [])

    assert SeriesFile.objects.filter(kind="weather").exists()


def test_what_is_taken_along_holds_the_weather_its_source_and_what_was_said_of_oneself(server, agreed, tmp_path):
    describe_person(agreed, by=agreed.user, name="架空 花", contact="090")
    fetched(agreed)
    wish = ask_export(agreed, by=agreed.user)
    work(agreed)

    with zipfile.ZipFile(io.BytesIO(b"".join(fetch_export(wish_now(wish), by=agreed.user)))) as archive:
        said = json.loads(archive.read("unaji/about-me.json"))
        archive.extractall(tmp_path / "taken")

    assert (said["name"], said["contact"], said["place"], said["weather"]) == ("架空 花", "090", TOKYO, CREDIT)
    assert fingerprint(read_folder(tmp_path / "taken/unaji/records")) == fingerprint(timeline_of(agreed))


def wish_now(wish):
    wish.refresh_from_db()
    return wish


def test_weather_that_comes_back_in_an_export_is_left_out_and_told(server, agreed, neighbour, as_ken):
    server.reply = warmer_in_the_south
    fetched(agreed)
    rows = sum(SeriesFile.objects.filter(person=agreed, kind="weather").values_list("rows", flat=True))
    wish = ask_export(agreed, by=agreed.user)
    work(agreed)
    file = io.BytesIO(b"".join(fetch_export(wish_now(wish), by=agreed.user)))
    file.name = "unaji.zip"

    as_ken.post("/data/upload", {"file": file, "consent": "yes"})
    run(Job.objects.get(person=neighbour, kind="look").pk)
    page = as_ken.get("/data").content.decode()
    batch = ImportBatch.objects.get(person=neighbour)
    as_ken.post(f"/data/{batch.pk}/save")
    run(Job.objects.get(person=neighbour, kind="store").pk)

    assert f"{rows:,}行: Open-Meteoから取り寄せた天気です。" in page
    batch.refresh_from_db()
    assert batch.state == "stored"
    assert timeline_of(neighbour).of("air_temp_c") is None
    assert len(timeline_of(neighbour).episodes) == 2

    fetched(neighbour)
    assert set(timeline_of(neighbour).of("air_temp_c").value) == {20.0}
    remove_weather(neighbour, by=neighbour.user)
    work(neighbour)
    assert timeline_of(neighbour).of("air_temp_c") is None


def test_who_is_erased_leaves_no_weather_behind(server, agreed, settings):
    fetched(agreed)

    erase_person(agreed, by=agreed.user)

    assert not list((settings.HOME / "people").rglob("*weather*"))
    assert not SeriesFile.objects.exists()


# -- once a day --------------------------------------------------------------------------------------------------------


def test_the_clock_asks_once_a_day(server, agreed):
    assert ask_weather_due in DUE
    assert ask_weather_due() == 1
    assert ask_weather_due() == 0
    assert work(agreed).state == "done"
    assert ask_weather_due(timezone.now() + timedelta(hours=23)) == 0
    assert ask_weather_due(timezone.now() + timedelta(hours=25)) == 1


@pytest.mark.parametrize("without", ["agreement", "place", "a word", "operator", "a real person"])
def test_the_clock_asks_for_nobody_else(agreed, settings, without):
    now = timezone.now()
    if without == "agreement":
        withdraw_consent(Consent.objects.get(purpose="weather"), by=agreed.user)
    elif without == "place":
        describe_person(agreed, by=agreed.user, place="")
    elif without == "a word":
        now += timedelta(days=15)
    elif without == "operator":
        settings.WEATHER = False
    else:
        Person.objects.filter(pk=agreed.pk).update(simulated=True)

    assert ask_weather_due(now) == 0
    assert not Job.objects.exists()
