"""Rows on their way to the store."""

import numpy as np
import polars as pl
import pytest

from unaji.records.batch import COLUMNS, Batch, Device, Kind, frame


def test_columns_not_given_are_null_and_the_types_are_always_the_same() -> None:
    rows = frame(time=np.array(["2024-05-01T00:00", "2024-05-01T00:01"], dtype="datetime64[ms]"), value=[61, 62.5])
    assert dict(rows.schema) == dict(COLUMNS)
    assert rows["time"].to_list() == [1_714_521_600_000, 1_714_521_660_000]
    assert rows["value"].to_list() == [61.0, 62.5]
    assert rows["end"].null_count() == 2


def test_a_scalar_stands_for_every_row_and_a_nan_is_no_value() -> None:
    rows = frame(time=[0, 1], zone_min=540, value=np.array([np.nan, 1.0]), label="deep")
    assert rows["zone_min"].to_list() == [540, 540]
    assert rows["value"].to_list() == [None, 1.0]
    assert rows["label"].to_list() == ["deep", "deep"]


def test_a_batch_with_other_columns_or_a_device_of_no_known_role_is_refused() -> None:
    with pytest.raises(ValueError, match="must be those of COLUMNS"):
        Batch(Kind.SERIES, "hr_bpm", Device("x"), pl.DataFrame({"time": [0]}))
    with pytest.raises(ValueError, match="role is 'toaster'"):
        Device("x", role="toaster")
    with pytest.raises(ValueError, match="no such column"):
        frame(time=[0], heart=[1])
