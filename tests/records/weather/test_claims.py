"""A file of weather is claimed by one importer at most, and by none of the others."""

from __future__ import annotations

import pytest

from tests.records.test_detect import SAMPLES, STRANGERS, WEATHER
from unaji.records import jma
from unaji.records.weather import jma_tables, meteostat, noaa_isd, open_meteo, pvgis, surfrad

IMPORTERS = {
    "jma": jma, "jma_tables": jma_tables, "meteostat": meteostat, "noaa_isd": noaa_isd, "open_meteo": open_meteo,
    "pvgis": pvgis, "surfrad": surfrad,
}  # fmt: skip


def claimants(head: bytes) -> list[str]:
    return [name for name, module in IMPORTERS.items() if module.claims_file(head)]


@pytest.mark.parametrize("head", [head for name, heads in SAMPLES.items() if name not in WEATHER for head in heads])
def test_nobody_here_claims_what_is_another_importers(head):
    assert claimants(head) == []


@pytest.mark.parametrize("head", STRANGERS)
def test_nobody_here_claims_a_stranger(head):
    assert claimants(head) == []


@pytest.mark.shared
def test_of_all_real_files_only_those_of_weather_are_claimed(shared_data):
    claimed: dict[str, list[str]] = {}
    for file in sorted(f for f in shared_data.rglob("*") if f.is_file()):
        with file.open("rb") as opened:
            for name in claimants(opened.read(65_536)):
                claimed.setdefault(name, []).append(file.relative_to(shared_data).parts[0])
    assert claimed == {
        "jma": ["weather-jma-tokyo-daily"] * 6, "jma_tables": ["weather-jma-etrn"] * 3, "pvgis": ["weather-hourly-tmy"],
        "surfrad": ["weather-hourly-tmy"],
    }  # fmt: skip
