"""How long does a "what if" take, and how far may its numbers be trusted? Wall time, in one run.

    python -m benchmarks.what_if [QUESTIONS]

A question is answered, told in Japanese with both drawings, and written as JSON, as a page's script would fetch it, in
a process that has answered before: limit 300 ms, aim 100 ms. Questions are drawn evenly over the sliders, half of them
without a fever, since a fever takes six simulated hours more. Processor time is told too, as others may use the machine
meanwhile. Then: what is paid once in a new process and once for a new body; what the steps leave against finer ones;
and how far the numbers move when other persons are drawn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from unaji.body import what_if as module
from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.what_if import SLIDERS, Crowd, WhatIf, usual_crowd, what_if
from unaji.report.what_if import told

LIMIT_MS, AIM_MS = 300.0, 100.0
SEEDS = range(12)
FINE_STEP_S, FINE_FEVER_STEP_S = 2.5, 60.0
COMPARED = {
    "nape_skin_temp_c": "nape's skin, K",
    "core_temp_c": "core, K",
    "felt_heat": "felt heat",
    "nape_skin_flow_ml_100g_min": "skin flow, share",
}
EXTREMES = {
    "anger 10": WhatIf(stress=10),
    "room 10 °C": WhatIf(room_temp_c=10),
    "room 30 °C": WhatIf(room_temp_c=30),
    "room 40 °C": WhatIf(room_temp_c=40),
    "bent 60°": WhatIf(flexion_deg=60),
    "fever 38.5 °C": WhatIf(body_temp_c=38.5),
    "scarf": WhatIf(covered=True),
    "all, hot": WhatIf(10, 40, 60, 39.5, True),
    "all, cold": WhatIf(10, 10, 60, 39.5, True),
}

FIRST = """
import time
begun = time.perf_counter()
from unaji.body.what_if import WhatIf, usual_crowd, what_if
from unaji.report.what_if import told
imported = time.perf_counter()
usual_crowd()
settled = time.perf_counter()
told(what_if(WhatIf(stress=8)), "ja").json()
print([1000 * (b - a) for a, b in zip((begun, imported, settled), (imported, settled, time.perf_counter()))])
"""


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    once()
    each(n)
    by_steps()
    by_persons()


def once() -> None:
    print("once in a new process, ms: import, persons settled (numba's code included), first answer")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("nothing compiled yet", "from numba's cache"):
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            run = subprocess.run([sys.executable, "-c", FIRST], env=environment, capture_output=True, check=True)
            print(f"  {name:24s}" + "".join(f"{value:9.0f}" for value in json.loads(run.stdout)))
    usual_crowd()
    bodies = [KnownBody(height_m=1.5 + 0.02 * k, female=True) for k in range(10)]
    taken = [timed(lambda body=body: usual_crowd(body)) for body in bodies]
    print(
        f"once for a new body          {statistics.median(taken):9.0f} ms (slowest of {len(taken)}: {max(taken):.0f})"
    )


def each(n: int) -> None:
    rng, crowd = np.random.default_rng(0), usual_crowd()
    for warming in (WhatIf(), WhatIf(stress=5, body_temp_c=38.0)):
        told(what_if(warming, crowd), "ja").json()
    print(f"each question, ms, of {n}: median, 95 of 100, slowest (limit {LIMIT_MS:g}, aim {AIM_MS:g})")
    for name, fever in (("without a fever", False), ("with a fever", True)):
        rows = [steps_of(drawn(rng, fever=fever), crowd) for _ in range(n // 2)]
        for k, part in enumerate(("answer", "words, drawings, JSON", "together", "processor, together")):
            values = [row[k] for row in rows]
            tail = float(np.percentile(values, 95))
            print(f"  {name:16s} {part:22s}{statistics.median(values):7.0f}{tail:7.0f}{max(values):7.0f}")


def steps_of(asked: WhatIf, crowd: Crowd) -> tuple[float, ...]:
    begun, worked = time.perf_counter(), time.process_time()
    result = what_if(asked, crowd)
    answered = time.perf_counter()
    told(result, "ja").json()
    done, spent = time.perf_counter(), time.process_time() - worked
    return tuple(1000 * taken for taken in (answered - begun, done - answered, done - begun, spent))


def drawn(rng: Generator, *, fever: bool) -> WhatIf:
    """Draw a question on the sliders' steps."""
    value = {}
    for name, slider in SLIDERS.items():
        places = round((slider.high - slider.low) / slider.step)
        value[name] = float(round(slider.low + slider.step * rng.integers(places + 1), 1))
    value["body_temp_c"] = max(value["body_temp_c"], 36.9) if fever else SLIDERS["body_temp_c"].usual
    return WhatIf(**{**value, "covered": bool(value["covered"])})


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def by_steps() -> None:
    crowd, usual = usual_crowd(), (module.STEP_S, module.SHARED_STEP_S, module.FEVER_STEP_S)
    print(f"steps of {usual[0]:g} s (fever {usual[2]:g}, shares {usual[1]:g}) against {FINE_STEP_S:g} s (fever "
          f"{FINE_FEVER_STEP_S:g}): the person who errs most of {len(crowd.persons)}; a way's share")  # fmt: skip
    print(f"  {'':14s}" + "".join(f"{name:>18s}" for name in (*COMPARED.values(), "share of heat")))
    for name, asked in EXTREMES.items():
        coarse, shares = crowd.after(asked), crowd.felt_by_way(asked)
        module.STEP_S, module.SHARED_STEP_S, module.FEVER_STEP_S = FINE_STEP_S, FINE_STEP_S, FINE_FEVER_STEP_S
        fine, fine_shares = crowd.after(asked), crowd.felt_by_way(asked)
        module.STEP_S, module.SHARED_STEP_S, module.FEVER_STEP_S = usual
        errors = [
            float(np.abs(coarse[one] / fine[one] - 1 if "flow" in one else coarse[one] - fine[one]).max())
            for one in COMPARED
        ]
        errors.append(max(abs(shares[way] - fine_shares[way]) for way in shares))
        print(f"  {name:14s}" + "".join(f"{error:18.4f}" for error in errors))


def by_persons() -> None:
    names = ("flow_ratio", "nape_change_k", "core_change_k", "felt_heat")
    print(f"other persons: standard deviation over {len(SEEDS)} draws of the median, then of the range's ends")
    print(f"  {'':14s}" + "".join(f"{name:>24s}" for name in names))
    crowds = [usual_crowd(seed=seed) for seed in SEEDS]
    for name, asked in EXTREMES.items():
        results = [what_if(asked, crowd) for crowd in crowds]
        line = ""
        for one in names:
            spreads = [getattr(result, one) for result in results]
            sds = [statistics.stdev([getattr(s, end) for s in spreads]) for end in ("median", "low", "high")]
            line += f"{'':6s}" + " ".join(f"{sd:5.3f}" for sd in sds)
        print(f"  {name:14s}{line}")


if __name__ == "__main__":
    main()
