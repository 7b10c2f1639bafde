"""Small FIT files and Garmin Connect's JSON into rows: files and megabytes a second, beside other parsers.

    python -m benchmarks.importers_garmin [--files 10000] [--days 400] [--fit FOLDER]

The FIT files are made here, six kinds in turn, or are those of FOLDER again and again. Ours are read to batches, ready
for the store; the parsers beside decode each message to its values and convert nothing. Each runs in a process of its
own; the others in an environment that is made for them, since some want old versions of what we use. CPU seconds are
counted, not wall time, so that a busy machine changes little. Of the slow parsers a part of the files is enough.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from datetime import UTC, datetime
from pathlib import Path

from tests.records.fit_writer import Message, fit_file

T0 = 1_000_000_000
PEER_FILES = 600
PEERS = {
    "fitparse": "fitparse==1.2.0",
    "fitdecode": "fitdecode==0.11.0",
    "pyfitparsernative": "pyfitparsernative==0.2.3",
}

OURS = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from unaji.records import {module} as importer
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import file_source
from unaji.records.timeline import Zones
paths = sorted(Path(sys.argv[1]).iterdir())
clock = Clock(Zones(("Asia/Tokyo",)), datetime.now(UTC))
def run(paths):
    return sum(len(b) for b in importer.read([file_source(p) for p in paths], clock, ProblemLog()))
run(paths[:12])
begun = time.process_time()
rows = run(paths)
print(time.process_time() - begun, len(paths), rows)
"""
PEER = """
import sys, time
from pathlib import Path
paths = sorted(Path(sys.argv[1]).iterdir())[: int(sys.argv[2])]
{run}
run(paths[0])
begun = time.process_time()
for path in paths:
    run(path)
print(time.process_time() - begun, len(paths), 0)
"""
RUN = {
    "fitparse": (
        "import fitparse\n"
        "def run(path):\n"
        "    for message in fitparse.FitFile(str(path)).get_messages():\n"
        "        message.get_values()\n"
    ),
    "fitdecode": (
        "import fitdecode\n"
        "def run(path):\n"
        "    with fitdecode.FitReader(path) as frames:\n"
        "        for frame in frames:\n"
        "            if frame.frame_type == fitdecode.FIT_FRAME_DATA:\n"
        "                [(field.name, field.value) for field in frame.fields]\n"
    ),
    "pyfitparsernative": (
        "import pyfitparsernative\ndef run(path):\n    pyfitparsernative.parse_fit_file(str(path))\n"
    ),
    "json": "import json\ndef run(path):\n    json.loads(path.read_bytes())\n",
}


# -- files -------------------------------------------------------------------------------------------------------------


def small_fit_file(k: int) -> bytes:
    """Return one of six kinds of files, of a time of its own."""
    t = T0 + 100_000 * (k % 4000) + k
    head = Message(0, {0: ("enum", 4), 1: ("u16", 1), 2: ("u16", 2697), 3: ("u32z", 7), 4: ("u32", t)})
    zone = Message(103, {253: ("u32", t), 0: ("u32", t + 9 * 3600)})
    match k % 6:
        case 0:
            day = [Message(55, {26: ("u16", (t + 60 * m) & 0xFFFF), 24: ("byte", 8)}) for m in range(300)]
            return fit_file([head, zone, *day])
        case 1 | 2:
            return fit_file([head, *(Message(30, {253: ("u32", t + m), 0: ("u16", 7000 + m)}) for m in range(2))])
        case 3:
            return fit_file([head, *(Message(20, {253: ("u32", t + m), 3: ("u8", 60 + m)}) for m in range(14))])
        case _:
            ride = [Message(20, {253: ("u32", t + m), 3: ("u8", 60 + m % 9), 13: ("s8", 20)}) for m in range(60)]
            beats = [Message(78, {0: ("u16", [900, 65535, 65535, 65535, 65535])}) for _ in range(60)]
            both = [message for pair in zip(ride, beats, strict=True) for message in pair]
            return fit_file([head, zone, *both])


def connect_answers(day: int) -> dict[str, object]:
    """Return the four answers of a day: heart rate, stress, the night's RMSSD, sleep."""
    t = 1_700_006_400_000 + 86_400_000 * day

    def iso(ms: int) -> str:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.0")

    span = {
        "startTimestampGMT": iso(t), "endTimestampGMT": iso(t + 86_400_000),
        "startTimestampLocal": iso(t + 32_400_000),
    }  # fmt: skip
    return {
        "heart": span | {"heartRateValues": [[t + 120_000 * i, 50 + i % 60 if i % 97 else None] for i in range(720)]},
        "stress": span | {
            "stressValuesArray": [[t + 180_000 * i, i % 90 - 2] for i in range(480)],
            "bodyBatteryValuesArray": [[t + 180_000 * i, "MEASURED", i % 100, 2.0] for i in range(480)],
        },
        "hrv": {"hrvReadings": [
            {"hrvValue": 40 + i % 20, "readingTimeGMT": iso(t + 300_000 * i),
             "readingTimeLocal": iso(t + 32_400_000 + 300_000 * i)} for i in range(90)
        ]},
        "sleep": {
            "dailySleepDTO": {"sleepStartTimestampGMT": t, "sleepEndTimestampGMT": t + 28_800_000},
            "sleepMovement": [
                {"startGMT": iso(t + 60_000 * i), "endGMT": iso(t + 60_000 * i + 60_000), "activityLevel": 5.677653939}
                for i in range(480)
            ],
            "sleepLevels": [
                {"startGMT": iso(t + 1_200_000 * i), "endGMT": iso(t + 1_200_000 * (i + 1)), "activityLevel": i % 4}
                for i in range(24)
            ],
            "sleepHeartRate": [{"value": 50 + i % 20, "startGMT": t + 120_000 * i} for i in range(240)],
        },
    }  # fmt: skip


# -- running -----------------------------------------------------------------------------------------------------------


def measured(python: str, code: str, *arguments: str) -> tuple[float, int, int]:
    """Run code in another process; return CPU seconds, files and rows."""
    done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, check=True)
    seconds, files, rows = done.stdout.split()
    return float(seconds), int(files), int(rows)


def peer_python(folder: Path) -> str:
    """Make an environment with the other parsers and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS.values()], check=True)
    return python


def fit_speed(folder: Path, python: str) -> None:
    seconds, files, rows = measured(sys.executable, OURS.format(module="garmin_fit"), str(folder))
    ours = files / seconds
    print(f"{files:,} FIT files to {rows:,} rows: {ours:,.0f} files/s")
    for peer in PEERS:
        seconds, files, _ = measured(python, PEER.format(run=RUN[peer]), str(folder), str(PEER_FILES))
        print(f"  {peer}: {files / seconds:,.0f} files/s; unaji is {ours * seconds / files:.1f} times as fast")


def json_speed(folder: Path) -> None:
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    seconds, files, rows = measured(sys.executable, OURS.format(module="garmin_connect"), str(folder))
    print(f"{files:,} answers, {megabytes:.0f} MB, to {rows:,} rows: {megabytes / seconds:.0f} MB/s")
    parsing, _, _ = measured(sys.executable, PEER.format(run=RUN["json"]), str(folder), str(files))
    print(f"  json of the standard library, parsing alone: {megabytes / parsing:.0f} MB/s")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--days", type=int, default=400)
    options.add_argument("--fit", type=Path, help="folder of FIT files to read instead of made ones")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        (place / "fit").mkdir()
        (place / "json").mkdir()
        real = [path.read_bytes() for path in sorted(given.fit.glob("*.fit"))] if given.fit else []
        for k in range(given.files):
            data = real[k % len(real)] if real else small_fit_file(k)
            (place / "fit" / f"{k:06}.fit").write_bytes(data)
        for day in range(given.days):
            for name, answer in connect_answers(day).items():
                (place / "json" / f"{name}-{day:04}.json").write_text(json.dumps(answer, separators=(",", ":")))
        fit_speed(place / "fit", peer_python(place / "peers"))
        json_speed(place / "json")


if __name__ == "__main__":
    main()
