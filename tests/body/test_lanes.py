"""Numbers for eight persons at once: what compiles is what NumPy does, and compiled code never outlives its sources."""

from __future__ import annotations

import operator
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import unaji
from unaji.body import _lanes
from unaji.body._lanes import WIDTH, differ, if_positive, larger, load, or_else, smaller, store, unrolled

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, WIDTH)), RNG.normal(size=(2, WIDTH))


@pytest.mark.parametrize(
    "operation", [operator.add, operator.sub, operator.mul, operator.truediv, larger, smaller, or_else]
)
def test_operations_are_numpys_with_lanes_and_with_plain_numbers(operation):
    @njit
    def both(a, b, out):
        store(out, 0, operation(load(a, 0), load(b, 0)))
        store(out, 1, operation(load(a, 0), 2.5))
        store(out, 2, operation(load(a, 1), 2))

    out = np.empty((3, WIDTH))
    a = A.copy()
    a[:, 3] = np.nan if operation is or_else else a[:, 3]
    both(a, B, out)
    expected = [operation(a[0], B[0]), operation(a[0], 2.5), operation(a[1], 2)]
    np.testing.assert_array_equal(out, expected)


def test_a_choice_is_made_person_by_person():
    @njit
    def choose(a, b, out):
        store(out, 0, if_positive(load(a, 0), load(b, 0), -1.0))

    out = np.empty((1, WIDTH))
    choose(A, B, out)
    np.testing.assert_array_equal(out[0], np.where(A[0] > 0, B[0], -1.0))


@pytest.mark.parametrize("where", range(WIDTH))
def test_a_difference_in_any_lane_is_seen_and_nan_is_like_nan(where):
    @njit
    def told(a, b):
        return differ(load(a, 0), load(b, 0))

    same = np.full((1, WIDTH), np.nan)
    other = same.copy()
    other[0, where] = 1.0
    for a, b, expected in ((same, same.copy(), False), (other, other.copy(), False), (same, other, True)):
        assert told(a, b) is expected
        assert differ(a[0], b[0]) is expected
    assert told(other, other + 1e-12)


@unrolled
def _horner(x, coefficients, out, last):
    total = last
    for k in range(3):
        total = total * x[0] + coefficients[k]
    out[0] = 1.0 / -total - total


def test_what_is_unrolled_computes_what_python_computes():
    @njit
    def run(x, coefficients, out):
        _horner((x, coefficients, out, 0.5))

    coefficients = RNG.normal(size=(3, WIDTH))
    compiled, plain = np.empty((1, WIDTH)), np.empty((1, WIDTH))
    run(A, coefficients, compiled)
    _horner((A, coefficients, plain, 0.5))
    np.testing.assert_allclose(compiled, plain, rtol=1e-12)
    total = ((0.5 * A[0] + coefficients[0]) * A[0] + coefficients[1]) * A[0] + coefficients[2]
    np.testing.assert_allclose(plain[0], -1 / total - total, rtol=1e-12)


def test_rows_begin_at_lines_of_the_cache():
    for n in range(1, 40):
        rows = _lanes.lanes(n)
        assert rows.shape == (n, WIDTH)
        assert rows.ctypes.data % 64 == 0
        assert not rows.any()


RUN = """
import numpy as np
from unaji.body import _kernels_toy as toy
out = np.empty((1, 8))
toy.run(np.ones((1, 8)), out)
print(out[0, 0])
"""


def test_compiled_code_is_made_anew_when_a_file_it_was_put_together_from_changes(tmp_path):
    package = tmp_path / "src" / "unaji"
    shutil.copytree(Path(unaji.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "body" / "_kernels_toy.py").write_text(
        "from unaji.body._lanes import entry, load, store\n"
        "from unaji.body._toy import twice\n"
        "@entry\n"
        "def run(a, out):\n"
        "    store(out, 0, twice(load(a, 0)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    environment.pop("NUMBA_DISABLE_JIT", None)
    environment.pop("NUMBA_CACHE_DIR", None)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python itself would miss a change within a second
    for factor in (2.0, 3.0, 3.0):
        (package / "body" / "_toy.py").write_text(
            f"from unaji.body._lanes import inlined\n@inlined\ndef twice(x):\n    return x * {factor}\n"
        )
        done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) == factor
    kept = [file.name for file in (package / "body" / "__pycache__").glob("*.nbi")]
    assert any("_kernels_toy" in name for name in kept)
