"""Rows on their way from an importer to the store: many at a time, in unaji's names, units and UTC.

An importer is a generator of batches, so that an export of any length passes through constant memory; no row is ever
a Python object of its own. Columns that say nothing are left null, which costs nothing in Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl


class Kind(StrEnum):
    """What the rows of a batch are."""

    SERIES = "series"
    """Values at instants; `Batch.quantity` is a name of `unaji.quantities.QUANTITIES`."""
    INTERVAL = "interval"
    """Means or sums over intervals of such a quantity; ``end`` is set."""
    BEATS = "beats"
    """Intervals between heart beats: quantity ``rri_ms``, ``time`` is when the interval ends, ``gap`` is set."""
    SLEEP = "sleep"
    """Stages of sleep: quantity ``sleep``, ``label`` one of `SLEEP_STAGES`."""
    WORKOUT = "workout"
    """Training: quantity ``exercise``, ``value`` in minutes, ``label`` the maker's word for what was done."""
    EXPOSURE = "exposure"
    """Something done, taken or met: quantity is a name of `unaji.quantities.EXPOSURES`."""
    SYMPTOM = "symptom"
    """A complaint logged with the maker's app: quantity is its name (``headache``), ``label`` how strong."""
    RATING = "rating"
    """A feeling: quantity is a name of `unaji.quantities.RATINGS`, ``value`` 0 to 10."""


SLEEP_STAGES = ("in_bed", "asleep", "light", "deep", "rem", "awake")

ROLES = ("ecg", "strap", "monitor", "ring", "watch", "phone", "logger", "station", "model", "merged", "manual", "")
"""What kind of device wrote a row; which of two is preferred is decided when reading, never on import."""

USER = "user "
"""Begins `Device.app` where a device that several people may use gives them numbers; the number follows."""

COLUMNS: Mapping[str, pl.DataType] = {
    "time": pl.Int64(),  # ms since 1970-01-01 UTC: the instant, or the start of the interval
    "end": pl.Int64(),  # ms since 1970-01-01 UTC; null for instants
    "zone_min": pl.Int16(),  # offset of the wall clock from UTC at `time` [min]; null where the source does not say
    "value": pl.Float64(),
    "label": pl.String(),
    "gap": pl.Boolean(),  # beats: the interval before this one is not known
    "vendor_id": pl.String(),  # what the maker calls the row, where rows have names: the same row edited keeps it
    "low_quality": pl.Boolean(),  # the source itself marks the value as doubtful
}
"""Columns of every batch, in this order."""


@dataclass(frozen=True, slots=True)
class Device:
    """Who wrote the rows of a batch; nothing here names a person or a device.

    Attributes
    ----------
    source : str
        The importer: "apple_health", "garmin_fit", "jma".
    role : str
        One of `ROLES`.
    name : str
        What the export calls the device, to tell two apart: it is hashed with the person's salt at the store's door
        and never written. "" where the export does not say.
    app : str
        What wrote the row on the device, where that is no private name ("com.withings.wiScaleNG"), or whose of several
        users' it is ("user 1").
    site : str
        Where on the body or in the world: "wrist", "finger", "outdoor"; "" when not known.
    method : str
        The maker's own name of a score ("garmin_stress"), or how a value was derived; "" for a plain measurement.
    origin, corrected : str
        Of beats: as in `unaji.records.timeline.Beats`.
    """

    source: str
    role: str = ""
    name: str = ""
    app: str = ""
    site: str = ""
    method: str = ""
    origin: str = ""
    corrected: str = "unknown"

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role is {self.role!r}; it must be one of {', '.join(filter(None, ROLES))}")


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Rows of one quantity from one device.

    Attributes
    ----------
    rows : polars.DataFrame
        With all of `COLUMNS`; in any order of time.
    """

    kind: Kind
    quantity: str
    device: Device
    rows: pl.DataFrame

    def __post_init__(self) -> None:
        if dict(self.rows.schema) != dict(COLUMNS):
            raise ValueError(
                f"{self.quantity}: the columns are {dict(self.rows.schema)}; they must be those of COLUMNS"
            )

    def __len__(self) -> int:
        return self.rows.height


def frame(**columns: Any) -> pl.DataFrame:
    """Return rows with all of `COLUMNS`, those not given being null; values are cast to the column's type.

    Parameters
    ----------
    **columns : array_like, shape (n,), or a scalar
        By the names of `COLUMNS`; ``datetime64[ms]`` arrays are taken as times in UTC.

    Examples
    --------
    >>> frame(time=[0, 60_000], value=[61.0, 63.0], zone_min=540).row(1)
    (60000, None, 540, 63.0, None, None, None, None)
    """
    unknown = columns.keys() - COLUMNS.keys()
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no such column; there are {', '.join(COLUMNS)}")
    given = {name: _series(name, value) for name, value in columns.items() if not _is_scalar(value)}
    rows = pl.DataFrame(given).with_columns(
        pl.lit(columns.get(name), dtype=dtype).alias(name) for name, dtype in COLUMNS.items() if name not in given
    )
    return rows.select(COLUMNS.keys())


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _series(name: str, value: Any) -> pl.Series:
    series = pl.Series(name, value, strict=False)
    if isinstance(series.dtype, pl.Datetime):
        series = series.dt.epoch("ms")
    if series.dtype.is_float():
        series = series.fill_nan(None)
    return series.cast(COLUMNS[name])
