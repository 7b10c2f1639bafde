"""What does the engine find on simulated persons with a known truth, beside other methods on the same persons?

    pip install '.[bench]'
    python -m benchmarks.attribution [--persons 150] [--null 80] [--seed 20000] [--workers 2] [--misspecified]
                                     [--no-baselines] [--keep FOLDER]

Prints every figure with its bootstrap standard error, the reference and the line to reach, as Markdown. Persons without
causes take the seeds from 10,000 above. `--misspecified` draws persons whose lags, drivers, noise and gaps lie outside
the engine's dictionary. `--keep` stores each person as soon as they are done and reads them again when the sources have
not changed. Run it from the project's folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # one thread a worker; must be set before numpy is loaded


def main(arguments: list[str] | None = None) -> int:
    """Examine the persons and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--persons", type=int, default=150)
    parser.add_argument("--null", type=int, default=80)
    parser.add_argument("--seed", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--misspecified", action="store_true")
    parser.add_argument("--no-baselines", dest="baselines", action="store_false")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    given = parser.parse_args(arguments)
    if given.baselines and (missing := _missing()):
        parser.error(f"the other methods need {', '.join(missing)}: pip install '.[bench]', or give --no-baselines")

    from benchmarks.attribution.persons import examine_all, tasks
    from benchmarks.attribution.table import table

    todo = tasks(given.persons, given.null, given.seed, misspecified=given.misspecified, baselines=given.baselines)
    found = []
    for person in examine_all(todo, given.workers, given.keep):
        found.append(person)
        print(f"\r{len(found)} of {len(todo)} persons", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(table(sorted(found, key=lambda f: f.seed)))
    return 0


def _missing() -> list[str]:
    return [name for name in ("pandas", "shap", "sklearn", "statsmodels") if find_spec(name) is None]


if __name__ == "__main__":
    sys.exit(main())
