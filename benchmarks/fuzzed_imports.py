"""Damage real exports at random and import them: does any crash, hang, or leave something beside the person's folder?

python -m benchmarks.fuzzed_imports [CASES] [SEED]

Every real file of up to 300 kB that an importer claims is damaged again and again, by itself or in an archive that is
damaged too. Reading may end in an error that says what is wrong with the input, in no other; it must take less than two
seconds of processor time. Every twentieth case is imported into a store, which must then be whole, with nothing new
beside it. What fails is kept in ``fuzzed/`` in the working folder, to become a test.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.records.mutations import mutated
from unaji.errors import InputError
from unaji.records.clock import Clock
from unaji.records.detect import importer_of, read_batches, recordings, sources
from unaji.records.importing import import_files
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES
from unaji.records.store.reading import Store
from unaji.records.timeline import Zones

CASES = 20_000
LARGEST = 300_000
LONGEST_S = 2.0
EVERY_TWENTIETH = 20
IN_AN_ARCHIVE = 0.25
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def corpus() -> list[tuple[str, bytes, str]]:
    """Return name, content and importer of each file to damage."""
    found = []
    for path in sorted(SHARED.rglob("*")):
        if path.is_file() and 0 < path.stat().st_size <= LARGEST:
            data = path.read_bytes()
            importer = importer_of(data[:HEAD_BYTES])
            if importer is not None:
                found.append((path.name, data, importer.name))
    return found


def damaged(data: bytes, name: str, rng: np.random.Generator) -> tuple[bytes, str]:
    """Return a damaged file, or a damaged archive with it inside."""
    if rng.random() >= IN_AN_ARCHIVE:
        return mutated(data, rng), name
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED if rng.random() < 0.7 else zipfile.ZIP_STORED) as archive:
        archive.writestr(f"export/{name}", mutated(data, rng) if rng.random() < 0.5 else data)
    return mutated(packed.getvalue(), rng), "export.zip"


def read_all(file: Path) -> int:
    """Read a file as `unaji import` does, without a store; return its rows."""
    log = ProblemLog()
    clock = Clock(Zones(("Asia/Tokyo",)), NOW)
    found = recordings(sources(file, log), log)
    return sum(len(batch) for recording in found for batch in read_batches(recording, clock, log))


def imported(file: Path, folder: Path) -> int:
    """Import a file, and look that the store is whole and nothing else is there."""
    beside = set(folder.iterdir())
    person = folder / "person"
    import_files([file], person, timezone="Asia/Tokyo", now=NOW)
    store = Store.open(person)
    rows = sum(store.read(kind, quantity).height for kind, quantity in store.contents)
    assert set(folder.iterdir()) <= beside | {person}, "something was written beside the person's folder"
    return rows


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    files = corpus()
    if not files:
        raise SystemExit(f"{SHARED}: the shared recordings are not there")
    rng = np.random.default_rng(seed)
    tally, slowest = Counter[str](), (0.0, "")
    for case in range(cases):
        name, data, importer = files[int(rng.integers(len(files)))]
        content, called = damaged(data, name, rng)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            file = folder / called
            file.write_bytes(content)
            begun = time.process_time()
            try:
                rows = imported(file, folder) if case % EVERY_TWENTIETH == 0 else read_all(file)
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
