"""Reading an Apple Health export: speed and memory, beside other programs in the same run.

    python benchmarks/importers_apple_health.py [--mb 300] [--large-mb 2000] [--peers FOLDER]

Each program runs in a process of its own, in turn, on the same made export (`make_apple_export.py`): CPU seconds of
reading it (modules loaded, loops compiled before), seconds by the wall, highest memory of the process. unaji reads to
batches, once more with each batch written to Parquet, and from the zipped export; a larger file shows that memory does
not grow with it. The others, healthkit-to-sqlite (into SQLite) and apple-health-parser (every type into data frames),
live in an environment of their own, made in `--peers` (a temporary folder when not given), for their old pins. With
`--no-peers` they are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

from make_apple_export import write_export

PEERS = ("healthkit-to-sqlite==1.0.1", "apple-health-parser==2.0.5")
UNAJI = """
import json, sys, time, zipfile
from datetime import UTC, datetime
from pathlib import Path
from unaji.records.apple_health import read
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source, file_source

def source(path):
    if not path.endswith(".zip"):
        return file_source(Path(path))
    archive = zipfile.ZipFile(path)
    name, = archive.namelist()
    size = archive.getinfo(name).file_size
    return Source(name, archive.open(name).read(HEAD_BYTES), lambda: archive.open(name), size)

def run(path):
    rows = 0
    for number, batch in enumerate(read([source(path)], Clock(None, datetime(2035, 1, 1, tzinfo=UTC)), ProblemLog())):
        rows += len(batch)
        if to_parquet:
            batch.rows.write_parquet(f"{sys.argv[3]}/{number}.parquet")
    return rows

to_parquet = False
run(sys.argv[1])
to_parquet = sys.argv[4] == "parquet"
"""
SQLITE = """
import contextlib, io, json, sys, time
from healthkit_to_sqlite.cli import cli

def run(path):
    import sqlite3
    cli.main([path, f"{sys.argv[3]}/health.db", "--silent", "--xml"], standalone_mode=False)
    with sqlite3.connect(f"{sys.argv[3]}/health.db") as database:
        tables = [name for name, in database.execute("select name from sqlite_master where name like 'r%'")]
        return sum(database.execute(f"select count(*) from [{table}]").fetchone()[0] for table in tables)
"""
PARSER = """
import json, sys, time
from apple_health_parser.utils.parser import Parser

def run(path):
    parser = Parser(path, output_dir=sys.argv[3], overwrite=True)
    return sum(len(parser.get_flag_records(flag).records) for flag in parser.flags)
"""
TIMED = """
begun = time.process_time()
rows = run(sys.argv[2])
print(json.dumps([rows, time.process_time() - begun]))
"""


def main() -> None:
    """Run what is asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=300.0)
    parser.add_argument("--large-mb", type=float, default=0.0, help="size of a second, larger export for unaji alone")
    parser.add_argument("--peers", type=Path, help="where the other programs are installed, or will be")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export, small = work / "export.xml", work / "small.xml"
        write_export(export, options.mb)
        write_export(small, 1)
        zipped = work / "export.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(export, "apple_health_export/export.xml")
        runs = [
            ("unaji, to batches", sys.executable, UNAJI, export, ""),
            ("unaji, to Parquet", sys.executable, UNAJI, export, "parquet"),
            ("unaji, from the zip, to batches", sys.executable, UNAJI, zipped, ""),
        ]
        if options.large_mb:
            large = work / "large.xml"
            write_export(large, options.large_mb)
            runs.insert(1, (f"unaji, to batches, {options.large_mb:g} MB", sys.executable, UNAJI, large, ""))
        if not options.no_peers:
            python = environment(options.peers or work / "peers")
            runs += [
                ("healthkit-to-sqlite 1.0.1", python, SQLITE, export, ""),
                ("apple-health-parser 2.0.5", python, PARSER, zipped, ""),
            ]
        measured = {name: measure(python, code, small, file, how) for name, python, code, file, how in runs}
        sizes = {name: (export if file == zipped else file).stat().st_size for name, _, _, file, _ in runs}
    first = next(iter(measured))
    ours = sizes[first] / measured[first]["cpu_s"]
    print(f"{'':36}{'MB/s (CPU)':>12}{'wall s':>9}{'peak MB':>9}{'rows':>12}{'unaji is … x':>14}")
    for name, result in measured.items():
        rate = sizes[name] / result["cpu_s"]
        print(
            f"{name:36}{rate / 1e6:12.1f}{result['wall_s']:9.1f}{result['peak_mb']:9.0f}{result['rows']:12,.0f}"
            f"{ours / rate:14.1f}"
        )


def environment(folder: Path) -> str:
    """Return the interpreter of the other programs' environment, made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return str(python)


def measure(python: str, code: str, small: Path, file: Path, how: str) -> dict[str, float]:
    """Run a program in a process of its own and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        child = subprocess.Popen(
            [python, "-c", code + TIMED, str(small), str(file), folder, how], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        answer = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{python} failed with {child.returncode}")
        rows, cpu_s = json.loads(answer.strip().splitlines()[-1])
        wall_s = time.monotonic() - begun
        return {"rows": rows, "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": used.ru_maxrss / 1024}


if __name__ == "__main__":
    main()
