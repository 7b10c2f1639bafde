"""A server of the tests' own that answers as the weather services do, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from unaji.records.weather import services, stations

UNITS = {
    "temperature_2m": "°C", "relative_humidity_2m": "%", "dew_point_2m": "°C", "surface_pressure": "hPa",
    "pressure_msl": "hPa", "wind_speed_10m": "m/s", "precipitation": "mm", "shortwave_radiation": "W/m²",
    "sunshine_duration": "s",
}  # fmt: skip
USUAL = {
    "temperature_2m": 15.0, "relative_humidity_2m": 60, "dew_point_2m": 7.3, "surface_pressure": 1008.0,
    "pressure_msl": 1012.5, "wind_speed_10m": 3.0, "precipitation": 0.0, "shortwave_radiation": 100.0,
    "sunshine_duration": 600.0,
}  # fmt: skip


def model_hours(first: str, last: str, latitude: float = 35.7, missing: int = 0, **values: float) -> bytes:
    """What Open-Meteo answers for two days and those between, with so many hours still missing at the end."""
    start, days = date.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    times = [f"{start + timedelta(days=d)}T{h:02d}:00" for d in range(days) for h in range(24)]
    columns = {name: [value] * (len(times) - missing) + [None] * missing for name, value in {**USUAL, **values}.items()}
    return json.dumps(
        {
            "latitude": latitude,
            "longitude": 139.7,
            "elevation": 38.0,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "hourly_units": {"time": "iso8601", **UNITS},
            "hourly": {"time": times, **columns},
        }
    ).encode()


def right(path: str) -> tuple[bytes, str]:
    asked = parse_qs(urlsplit(path).query)
    return model_hours(asked["start_date"][0], asked["end_date"][0], float(asked["latitude"][0])), "application/json"


@dataclass
class Server:
    url: str = ""
    reply: Callable[[str], tuple[bytes, str]] = right
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Let all services have their addresses on this machine."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            try:
                body, kind = state.reply(self.path)
            except KeyError:
                self.send_error(404)
                return
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    monkeypatch.setattr(services, "OPEN_METEO", f"{state.url}/v1/archive")
    monkeypatch.setattr(services, "METEOSTAT", f"{state.url}/hourly")
    monkeypatch.setattr(services, "NOAA_ISD", f"{state.url}/access")
    monkeypatch.setattr(stations, "METEOSTAT_LIST", f"{state.url}/lite.json.gz")
    monkeypatch.setattr(stations, "NOAA_LIST", f"{state.url}/isd-history.csv")
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
