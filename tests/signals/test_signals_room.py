from __future__ import annotations

import subprocess
import sys

import pytest

from unaji import signals


@pytest.mark.parametrize("name", signals.__all__)
def test_every_public_name_is_there(name):
    assert getattr(signals, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = signals.nothing_of_this_name


def test_importing_the_room_loads_no_compiler_and_no_table_library():
    code = "import sys; from unaji import signals; print([m for m in ('numba', 'scipy', 'polars') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
