"""How the Japan Meteorological Agency names elements and marks values, in its download form and on its pages alike.

A value may carry a sign of its quality: ``)`` nearly complete (at least 80 % of the data; used like a whole one),
``]`` incomplete, ``#`` hidden as doubtful, ``×`` and ``///`` missing, ``--`` the phenomenon did not occur.

References
----------
Japan Meteorological Agency, 値欄の記号の説明 (what the signs beside values mean),
www.data.jma.go.jp/obd/stats/data/mdrr/man/remark.html
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from unaji.records.timeline import BoolArray, FloatArray

DID_NOT_OCCUR = "--"
MISSING = ("", "×", "///", "//", "/")
HIDDEN = "#"
JST_MIN = 540


@dataclass(frozen=True, slots=True)
class Element:
    """What becomes of one element.

    Attributes
    ----------
    factor : float
        From the agency's unit to ours.
    before_min : int
        Length of the interval that ends at an hourly stamp [min]; 0 for readings.
    total : bool
        A sum or a mean of sums: of an incomplete one only a bound is known.
    """

    quantity: str
    factor: float = 1.0
    before_min: int = 0
    total: bool = False


PER_HOUR = 1e6 / 3600  # MJ/m² in an hour, as W/m²
PER_DAY = 1e6 / 86_400


def _named(names: str, element: Element) -> dict[str, Element]:
    return dict.fromkeys(names.split(), element)


HOURLY: dict[str, Element] = {
    **_named("気温", Element("air_temp_c")),
    **_named("相対湿度 湿度", Element("rel_humidity_pct")),
    **_named("露点温度 露天温度", Element("dew_point_c")),
    **_named("現地気圧 気圧/現地", Element("station_pressure_hpa")),
    **_named("海面気圧 気圧/海面", Element("sea_level_pressure_hpa")),
    **_named("風速 風向・風速/風速 風向・風速/平均風速 風速・風向/平均風速", Element("wind_m_s", before_min=10)),
    **_named("降水量", Element("precip_mm", before_min=60, total=True)),
    **_named("日照時間", Element("sunshine_min", 60, before_min=60, total=True)),
    **_named("全天日射量 日射量", Element("solar_w_m2", PER_HOUR, before_min=60, total=True)),
}
"""Elements of hourly tables without their unit, in every spelling met; ``/`` joins the lines of a page's heading."""

DAILY: dict[str, Element] = {
    **_named("平均気温 気温/平均", Element("air_temp_c")),
    **_named("平均湿度 平均相対湿度 日平均湿度 湿度/平均", Element("rel_humidity_pct")),
    **_named("平均現地気圧 現地平均気圧 気圧/現地/平均", Element("station_pressure_hpa")),
    **_named("平均海面気圧 海面平均気圧 気圧/海面/平均", Element("sea_level_pressure_hpa")),
    **_named("平均風速 風向・風速/平均風速 風速/平均風速", Element("wind_m_s")),
    **_named("降水量の合計 降水量合計 降水量/合計", Element("precip_mm", total=True)),
    **_named("日照時間", Element("sunshine_min", 60, total=True)),
    **_named("合計全天日射量 全天日射量の合計", Element("solar_w_m2", PER_DAY, total=True)),
}


def element_name(heading: str) -> str:
    """Return an element's name without its unit, full-width signs as plain ones: ``湿度 （％）`` is ``湿度``."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", heading))
    return re.sub(r"\([^()]*\)$", "", plain)


@dataclass(frozen=True, eq=False, slots=True)
class Values:
    """A column of marked values.

    Attributes
    ----------
    value : ndarray, shape (n,)
        In the agency's unit; NaN where there is none.
    incomplete : ndarray of bool, shape (n,)
        Marked ``]``: more data are missing than the agency allows.
    missing, hidden, strange : ndarray of bool, shape (n,)
        Marked as missing, hidden as doubtful, or neither number nor known sign.
    """

    value: FloatArray
    incomplete: BoolArray
    missing: BoolArray
    hidden: BoolArray
    strange: BoolArray


def read_values(cells: Sequence[str], *, none_is_zero: bool) -> Values:
    """Take values and signs apart.

    Parameters
    ----------
    none_is_zero : bool
        Whether ``--`` means an amount of nothing, as it does of rain.
    """
    text = pl.Series(list(cells), dtype=pl.String).str.normalize("NFKC").str.strip_chars()
    bare = text.str.strip_chars_end(")]*").str.strip_chars()
    none = (bare == DID_NOT_OCCUR).to_numpy()
    missing = bare.is_in([unicodedata.normalize("NFKC", sign) for sign in MISSING]).to_numpy()
    hidden = (bare.str.strip_chars_end(HIDDEN).str.strip_chars() != bare).to_numpy()
    value = np.array(bare.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy())
    if none_is_zero:
        value[none] = 0.0
    strange = np.isnan(value) & ~(none | missing | hidden)
    incomplete = text.str.contains("]", literal=True).to_numpy()
    return Values(value, incomplete, missing & (text != "").to_numpy(), hidden, strange)
