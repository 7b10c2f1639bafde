"""A result is a finite number or a reason, never neither."""

from __future__ import annotations

import math

import pytest

from unaji.signals.value import Value


def test_a_number_that_is_not_finite_becomes_a_missing_result_with_its_reason():
    found = Value.of(float("nan"), "ms", 3, 0.5, otherwise="too few beats")
    assert (found.value, found.reason, found.quality) == (None, "too few beats", 0.0)
    assert math.isnan(float(found))
    assert float(Value.of(12, "ms", 3, 1.0)) == 12.0


@pytest.mark.parametrize(
    "wrong",
    [{"value": float("inf")}, {"value": None}, {"value": 1.0, "quality": 1.5}],
    ids=["inf", "no reason", "quality"],
)
def test_a_result_that_contradicts_itself_cannot_be_made(wrong):
    with pytest.raises(ValueError, match=r"value|quality"):
        Value(**({"unit": "ms", "n": 1} | wrong))
