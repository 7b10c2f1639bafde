"""Weather files read into batches: MB/s and memory, beside what a script with pandas does with the same file.

    python benchmarks/importers_weather.py [--years 10] [--peers /path/to/python]

Each program runs in a process of its own, in turn, on the same invented files: CPU seconds of the best of three calls,
memory it took beyond what was there before (Linux only). `--peers` names an interpreter of an environment with pandas;
without it only unaji is timed. The peer does the same work as far as scripts usually go: times, numbers and missing
codes of the same columns, without quality, ranges, or counting what was left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

OURS = """
import io
from datetime import UTC, datetime
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import file_source
from pathlib import Path
from {module} import {read} as importer
def work(path):
    batches = importer([file_source(Path(path))], Clock(None, datetime(2030, 1, 1, tzinfo=UTC)), ProblemLog())
    return sum(len(batch) for batch in batches)
"""
PANDAS = {
    "Open-Meteo JSON": """
import json, pandas as pd
def work(path):
    hours = json.load(open(path))["hourly"]
    table = pd.DataFrame(hours)
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return int(table.drop(columns="time").notna().sum().sum())
""",
    "Meteostat gzip": """
import pandas as pd
def work(path):
    table = pd.read_csv(path)
    table.index = pd.to_datetime(table[["year", "month", "day", "hour"]], utc=True)
    table["wspd"] /= 3.6
    return int(table[["temp", "rhum", "prcp", "wspd", "pres"]].notna().sum().sum())
""",
    "NOAA ISD": """
import pandas as pd
def work(path):
    table = pd.read_csv(path, dtype=str)
    table.index = pd.to_datetime(table["DATE"], utc=True)
    n = 0
    for column, place, missing in (("TMP", 0, 9999), ("DEW", 0, 9999), ("SLP", 0, 99999), ("WND", 3, 9999),
                                   ("MA1", 2, 99999)):
        value = pd.to_numeric(table[column].str.split(",", expand=True)[place])
        n += int((value.where(value != missing) / 10).notna().sum())
    return n
""",
}
CHILD = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
{work}
def memory_mb(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))
work(sys.argv[2])
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # forget the highest memory so far
before, seconds = memory_mb("VmRSS"), []
for _ in range(3):
    begun = time.process_time()
    values = work(sys.argv[1])
    seconds.append(time.process_time() - begun)
print(json.dumps(dict(values=values, seconds=min(seconds), memory=memory_mb("VmHWM") - before)))
"""


def open_meteo_json(hours: int) -> bytes:
    rng = np.random.default_rng(1)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    columns = {
        "temperature_2m": (15, 8), "surface_pressure": (1008, 7), "pressure_msl": (1012, 7), "wind_speed_10m": (4, 1),
        "precipitation": (1, 0.2),
    }  # fmt: skip
    units = dict(zip(columns, ("°C", "hPa", "hPa", "m/s", "mm"), strict=True))
    hourly = {name: np.round(rng.normal(mean, sd, hours), 1).tolist() for name, (mean, sd) in columns.items()}
    hourly["time"] = [f"{start + timedelta(hours=h):%Y-%m-%dT%H:%M}" for h in range(hours)]
    head = {"latitude": 35.7, "longitude": 139.7, "elevation": 38.0, "utc_offset_seconds": 0, "hourly_units": units}
    return json.dumps({**head, "hourly": hourly}).encode()


def meteostat_gzip(hours: int) -> bytes:
    rng = np.random.default_rng(2)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    temp, pres = rng.normal(15, 8, hours), rng.normal(1012, 7, hours)
    rows = [
        f"{t.year},{t.month},{t.day},{t.hour},{a:.1f},metar,60,metar,0.0,metar,10.1,metar,{p:.1f},dwd_mosmix"
        for t, a, p in zip((start + timedelta(hours=h) for h in range(hours)), temp, pres, strict=True)
    ]
    columns = ",".join(f"{name},{name}_source" for name in ("temp", "rhum", "prcp", "wspd", "pres"))
    return gzip.compress((f"year,month,day,hour,{columns}\n" + "\n".join(rows) + "\n").encode())


def noaa_csv(hours: int) -> bytes:
    rng = np.random.default_rng(3)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    tenths = rng.normal(150, 80, hours).astype(int)
    rows = [
        f'"47662099999","{start + timedelta(hours=h):%Y-%m-%dT%H:%M:%S}","4","35.68","139.77","36.0","TOKYO, JA",'
        f'"FM-12","99999","V020","090,1,N,0082,1","99999,9,9,N","010000,1,9,9","{t:+05d},1","+9999,9","10182,1",'
        f'"99999,9,10176,1","SYN05247662 32575 60505 10089 20031 30079 40123 57004"'
        for h, t in enumerate(tenths.tolist())
    ]
    header = (
        '"STATION","DATE","SOURCE","LATITUDE","LONGITUDE","ELEVATION","NAME","REPORT_TYPE","CALL_SIGN",'
        '"QUALITY_CONTROL","WND","CIG","VIS","TMP","DEW","SLP","MA1","REM"\n'
    )
    return (header + "\n".join(rows) + "\n").encode()


def jma_csv(hours: int) -> bytes:
    rng = np.random.default_rng(4)
    start = datetime(2015, 1, 1, 1, tzinfo=UTC)
    elements = ("気温(℃)", "現地気圧(hPa)", "海面気圧(hPa)", "降水量(mm)")
    names = ",".join(name for name in elements for _ in range(3))
    pressure, air = rng.normal(1008, 7, hours), rng.normal(15, 8, hours)
    rows = [
        f"{t.year}/{t.month}/{t.day} {t.hour}:00:00,{a:.1f},8,1,{p:.1f},8,1,{p + 2.9:.1f},8,1,0,8,1"
        for t, a, p in zip((start + timedelta(hours=h) for h in range(hours)), air, pressure, strict=True)
    ]
    head = [
        "ダウンロードした時刻：2026/01/01 10:00:00", "", "," + ",".join(["東京"] * 12), f"年月日時,{names}",
        "," + ",".join(["", "品質情報", "均質番号"] * 4),
    ]  # fmt: skip
    return "\r\n".join([*head, *rows, ""]).encode("cp932")


FILES = {
    "Open-Meteo JSON": (open_meteo_json, "unaji.records.weather.open_meteo", "read", "open-meteo.json"),
    "Meteostat gzip": (meteostat_gzip, "unaji.records.weather.meteostat", "read", "47662.csv.gz"),
    "NOAA ISD": (noaa_csv, "unaji.records.weather.noaa_isd", "read", "47662099999.csv"),
    "JMA download": (jma_csv, "unaji.records.jma", "batches", "data.csv"),
}


def run(python: str, work: str, file: Path, warm: Path) -> dict[str, float]:
    done = subprocess.run(
        [python, "-c", CHILD.format(work=work), str(file), str(warm)], stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--peers", help="Interpreter of an environment with pandas.")
    arguments = parser.parse_args()
    hours = round(arguments.years * 8766)
    print(f"{'':34}{'MB':>7}{'CPU s':>9}{'MB/s':>8}{'values/s':>12}{'memory MB':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, module, read, file_name) in FILES.items():
            warm, file = Path(folder) / "warm" / file_name, Path(folder) / file_name
            warm.parent.mkdir(exist_ok=True)
            warm.write_bytes(make(48))
            file.write_bytes(make(hours))
            data = file.read_bytes()
            size_mb = len(gzip.decompress(data) if file_name.endswith(".gz") else data) / 1e6
            programs = {f"unaji, {name}": (sys.executable, OURS.format(module=module, read=read))}
            if arguments.peers and name in PANDAS:
                programs[f"pandas, {name}"] = (arguments.peers, PANDAS[name])
            for program, (python, work) in programs.items():
                got = run(python, work, file, warm)
                rates = (
                    f"{size_mb / got['seconds']:>8.0f}{got['values'] / got['seconds']:>12,.0f}{got['memory']:>11.0f}"
                )
                print(f"{program:34}{size_mb:>7.1f}{got['seconds']:>9.3f}{rates}", flush=True)


if __name__ == "__main__":
    main()
