"""Damage real exports at random and import them: does any crash, hang, or leave something beside the person's folder?

python -m benchmarks.fuzzed_imports [CASES] [SEED] [--documented]

Every real file of up to 300 kB that an importer claims, and files of formats that are only known from documentation
(with ``--documented`` only these), are damaged again and again, by themselves or in an archive that is damaged too;
tables, which are read by a mapping, by the one that is proposed for the damaged table. Reading may end in an error that
says what is wrong with the input, in no other; it must take less than two seconds of processor time. Every twentieth
case is imported into a store, which must then be whole, with nothing new beside it. What fails is kept in ``fuzzed/``
in the working folder, to become a test.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.documented_files import TABLE, documented_files
from tests.records.mutations import mutated
from unaji.errors import InputError
from unaji.records.clock import Clock
from unaji.records.detect import importer_of, read_batches, recordings, sources
from unaji.records.importing import import_files
from unaji.records.mapping.guessing import guess
from unaji.records.mapping.model import TableMap
from unaji.records.mapping.reading import reader_of
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, file_source
from unaji.records.store.reading import Store
from unaji.records.timeline import Zones

CASES = 20_000
LARGEST = 300_000
LONGEST_S = 2.0
EVERY_TWENTIETH = 20
ONLY_TOUCHED = 0.5
IN_AN_ARCHIVE = 0.25
LIKELY = b'0123456789-+.,:;/ \t\n"{}[]TZe'
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CLOCK = Clock(Zones(("Asia/Tokyo",)), NOW)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def real_files() -> list[tuple[str, bytes, str]]:
    """Return name, content and importer of each real file to damage."""
    found = []
    for path in sorted(SHARED.rglob("*")):
        if path.is_file() and 0 < path.stat().st_size <= LARGEST:
            data = path.read_bytes()
            importer = importer_of(data[:HEAD_BYTES])
            if importer is not None:
                found.append((path.name, data, importer.name))
    return found


def touched(data: bytes, rng: np.random.Generator) -> bytes:
    """Write one to three other bytes, which leaves headers whole more often and leads further in than `mutated`."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        likely = LIKELY if rng.random() < 0.7 else bytes(range(256))
        out[int(rng.integers(len(out)))] = likely[int(rng.integers(len(likely)))]
    return bytes(out)


def damaged(data: bytes, name: str, rng: np.random.Generator, *, alone: bool) -> tuple[bytes, str]:
    """Return a damaged file, or, if it need not be alone, perhaps a damaged archive with it inside."""
    if rng.random() < ONLY_TOUCHED:
        return touched(data, rng), name
    if rng.random() >= IN_AN_ARCHIVE or alone:
        return mutated(data, rng), name
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED if rng.random() < 0.7 else zipfile.ZIP_STORED) as archive:
        archive.writestr(f"export/{name}", mutated(data, rng) if rng.random() < 0.5 else data)
    return mutated(packed.getvalue(), rng), "export.zip"


def read_all(file: Path, table_map: TableMap | None) -> int:
    """Read a file as `unaji import` does, without a store; return its rows."""
    log = ProblemLog()
    if table_map is not None:
        return sum(len(batch) for batch in reader_of(table_map)([file_source(file)], CLOCK, log))
    found = recordings(sources(file, log), log)
    return sum(len(batch) for recording in found for batch in read_batches(recording, CLOCK, log))


def imported(file: Path, folder: Path, table_map: TableMap | None) -> int:
    """Import a file, and look that the store is whole and nothing else is there."""
    beside = set(folder.iterdir())
    person = folder / "person"
    import_files([file], person, timezone="Asia/Tokyo", now=NOW, table_map=table_map)
    store = Store.open(person)
    rows = sum(store.read(kind, quantity).height for kind, quantity in store.contents)
    assert set(folder.iterdir()) <= beside | {person}, "something was written beside the person's folder"
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="?", type=int, default=CASES)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--documented", action="store_true", help="damage only files made as documentation says")
    options = parser.parse_args()
    cases, seed = options.cases, options.seed
    real = [] if options.documented else real_files()
    if not real and not options.documented:
        raise SystemExit(f"{SHARED}: the shared recordings are not there; pass --documented")
    files = [*real, *documented_files()]
    rng = np.random.default_rng(seed)
    tally, slowest = Counter[str](), (0.0, "")
    for case in range(cases):
        name, data, importer = files[int(rng.integers(len(files)))]
        content, called = damaged(data, name, rng, alone=importer == TABLE)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            file = folder / called
            file.write_bytes(content)
            begun = time.process_time()
            try:
                table_map = guess(file_source(file), CLOCK, "fuzzed").table_map if importer == TABLE else None
                rows = imported(file, folder, table_map) if case % EVERY_TWENTIETH == 0 else read_all(file, table_map)
                outcome = "rows" if rows else "nothing"
            except InputError:
                outcome = "refused"
            except Exception as error:
                outcome = f"CRASHED {importer}: {type(error).__name__} {error}"[:160]
            took_s = time.process_time() - begun
        if took_s > LONGEST_S:
            outcome = f"SLOW {importer}"
        if outcome[0].isupper():
            kept = Path("fuzzed") / f"{seed}-{case}-{called}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(content)
        tally[outcome] += 1
        slowest = max(slowest, (took_s, importer))
        if case % 500 == 499:
            print(f"{case + 1:,} cases; slowest {slowest[0]:.2f} s ({slowest[1]}); {dict(tally)}", flush=True)
    print(f"{len(files)} files of {len({importer for _, _, importer in files})} sources")
    for outcome, count in tally.most_common():
        print(f"{count:7,}  {outcome}")
    print(f"slowest: {slowest[0]:.2f} s ({slowest[1]})")


if __name__ == "__main__":
    main()
