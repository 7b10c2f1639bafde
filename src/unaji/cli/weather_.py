"""`unaji weather`: the weather of a person's place and period, into their folder."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from unaji.records.weather.client import Client
    from unaji.records.weather.fetch import Fetched, Period
    from unaji.records.weather.services import Place

PROVIDERS = ("open-meteo", "meteostat", "noaa-isd", "jma")


@click.command("weather")
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The person's folder.")
@click.option("--place", help="LAT,LON in degrees; rounded to 0.1. Default: that of person.toml.")
@click.option("--station", default="", help="A station's id, for meteostat and noaa-isd. Default: the nearest.")
@click.option("--provider", type=click.Choice(PROVIDERS), default="open-meteo", show_default=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="Default: 2 days before the records.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Default: the last day of the records.")
@click.option("--offline", is_flag=True, help="Ask nobody: only what was fetched before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def command(
    into: Path,
    place: str | None,
    station: str,
    provider: str,
    first: datetime | None,
    last: datetime | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Fetch the weather of a person's place and period into their folder.

    Only a place rounded to 0.1 degrees (or a station's id) and dates leave this machine. The Japanese agency (jma)
    answers no programs: the command then says what to download by hand.

    \b
    Example:
      unaji weather --provider jma --into someone --from 2024-05-01 --to 2024-05-31
    """
    from unaji.records.weather.fetch import default_place, jma_steps, period_of
    from unaji.records.weather.services import place_of

    client = _client(offline)
    period = period_of(into, _day(first), _day(last), client.now())
    if provider == "jma":
        steps = jma_steps(into, period)
        found: dict[str, Any] = {"provider": "jma", "files": [], "download": list(steps)}
        click.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(steps))
        return
    where = place_of(place) if place else default_place(into, client.now())
    _fetch(into, client, provider, where, station, period, as_json=as_json)


def _fetch(
    into: Path, client: Client, provider: str, place: Place | None, station: str, period: Period, *, as_json: bool
) -> None:
    from unaji.records.weather.fetch import CREDIT, fetch_weather, station_for

    if provider != "open-meteo":
        station, distance_km = station_for(provider, place, station, period, client)
        if distance_km:
            click.echo(f"station {station}, {distance_km:.0f} km away", err=True)
    fetched = fetch_weather(into, client, provider, place=place, station=station, period=period)
    for problem in fetched.problems:
        click.echo(f"  {problem}", err=True)
    for file in fetched.incomplete:
        click.echo(
            f"  {file}: まだ期間の終わりまでありません。一週間ほど後にもう一度実行してください / "
            "it does not reach the end of the period yet; run the same command again in a week",
            err=True,
        )
    if as_json:
        click.echo(json.dumps(_object(fetched, CREDIT[provider]), ensure_ascii=False))
        return
    for quantity, n in fetched.values.items():
        click.echo(f"{quantity}: {n:,} values")
    click.echo(f"{len(fetched.files)} files in {into.resolve()}\n{CREDIT[provider]}", err=True)


def _object(fetched: Fetched, credit: str) -> dict[str, Any]:
    place = fetched.place
    return {
        "provider": fetched.provider,
        "place": None if place is None else {"latitude": place.latitude, "longitude": place.longitude},
        "station": fetched.station or None,
        "period": {"first": fetched.period.first.isoformat(), "last": fetched.period.last.isoformat()},
        "files": list(fetched.files),
        "values": fetched.values,
        "incomplete": list(fetched.incomplete),
        "warnings": [str(problem) for problem in fetched.problems],
        "credit": credit,
    }


def _client(offline: bool) -> Client:
    from unaji.records.weather.client import Client

    home = os.environ.get("XDG_CACHE_HOME")
    cache = Path(home) if home else Path.home() / ".cache"
    return Client(cache / "unaji" / "weather", offline=offline)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
