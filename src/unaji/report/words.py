"""What the report says, in Japanese and English: the catalogue, and the phrases that carry a number.

Every sentence lives in ``words/ja.toml`` and ``words/en.toml`` under the same key with the same placeholders; here is
only how a number becomes the text that fills a placeholder.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from unaji.causes.attribution import Estimate
from unaji.report.rounding import Tens, change_percent, half_up, lag_minutes, tens

LANGUAGES = ("ja", "en")
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts of one language, by dotted key."""

    language: str
    texts: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its placeholders filled; KeyError names a key or a placeholder that is missing."""
        return self.texts[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.texts

    def count(self, unit: str, n: float | int) -> str:
        """Return a number with its unit: "3回", "3 episodes", "1 episode"."""
        return self(f"unit.{unit}.{'one' if n == 1 else 'other'}", n=signed(n) if n < 0 else n)

    def join(self, names: list[str] | tuple[str, ...]) -> str:
        """Join names: "a・b・c", "a, b and c"."""
        if len(names) < 2:
            return "".join(names)
        return self("list.last", head=self.texts["list.separator"].join(names[:-1]), last=names[-1])

    def some(self, names: list[str] | tuple[str, ...], most: int = 3) -> str:
        """Join names, the first few only and their number where there are more than `most`."""
        if len(names) <= most:
            return self.join(names)
        return self("list.and_more", names=self.join(names[:most]), n=self.count("items", len(names)))

    def range(self, unit: str, low: float | int, high: float | int) -> str:
        """Return a range with its unit: "2〜6回", "2–6 episodes"; one number where both ends are the same."""
        if low == high:
            return self.count(unit, low)
        return self(f"unit.{unit}.other", n=self("range", low=low, high=high))

    def of_ten(self, share: Estimate) -> str:
        """Say a share as a count of ten episodes: "10回のうち約4回"."""
        count = tens(share)
        if count is None:
            return self("unknown")
        return self("of_ten.about", n=count.count) if count.count else self("of_ten.under_one")

    def short_of_ten(self, count: Tens) -> str:
        """Say a count of ten where the heading names the ten: "約4回"."""
        return self("of_ten.short", n=count.count) if count.count else self("of_ten.short_under_one")

    def of_ten_range(self, count: Tens) -> str:
        """Say the 90 % interval of a count of ten: "2〜6回"."""
        return self.range("episodes", count.low, count.high)

    def percent(self, p: float) -> str:
        """Say a probability in whole percent, never as certain: at most "99%以上", at least "1%未満"."""
        if math.isnan(p):
            return self("unknown")
        if p > 0.99:
            return self("percent.over")
        if p < 0.01:
            return self("percent.under")
        return self("percent.plain", n=half_up(100 * p))

    def change(self, ratio: float) -> str:
        """Say a ratio as a signed change in whole percent: "−47%"."""
        return self("unknown") if not math.isfinite(ratio) else self("percent.plain", n=signed(change_percent(ratio)))

    def change_range(self, ratio: Estimate) -> str:
        """Say the 90 % interval of a ratio as changes: "−38%〜+20%"."""
        return self("range", low=self.change(ratio.p5), high=self.change(ratio.p95))

    def lag(self, lag_h: float) -> str:
        """Say a lag: quarters of an hour below two hours, whole hours from there on."""
        minutes = lag_minutes(lag_h)
        if minutes < 60:
            return self.count("minutes", minutes)
        if minutes % 60:
            return self("lag.hours_minutes", hours=minutes // 60, minutes=minutes % 60)
        return self.count("hours", minutes // 60)

    def lag_range(self, lag_h: Estimate) -> str:
        """Say the 90 % interval of a lag: "1〜6時間", "30分〜4時間"."""
        low, high = lag_minutes(lag_h.p5), lag_minutes(lag_h.p95)
        if low % 60 == high % 60 == 0:
            return self.range("hours", low // 60, high // 60)
        if max(low, high) < 60:
            return self.range("minutes", low, high)
        return self("range", low=self.lag(lag_h.p5), high=self.lag(lag_h.p95))

    def times(self, ratio: float) -> str:
        """Say a rate ratio with one decimal: "3.1倍"."""
        return self("unit.times.other", n=f"{ratio:.1f}")

    def times_range(self, ratio: Estimate) -> str:
        """Say the 90 % interval of a rate ratio: "1.9〜5.0倍"."""
        return self("unit.times.other", n=self("range", low=f"{ratio.p5:.1f}", high=f"{ratio.p95:.1f}"))

    def day(self, local: datetime) -> str:
        """Say a date without its year: "3月12日", "12 March"."""
        return self("date.day", month=self(f"month.{local.month}"), day=local.day)

    def date(self, local: datetime) -> str:
        """Say a date with its year."""
        return self("date.year", year=local.year, month=self(f"month.{local.month}"), day=local.day)

    def moment(self, local: datetime) -> str:
        """Say a day and time: "3月12日 15:58"."""
        return self("date.moment", day=self.day(local), time=f"{local:%H:%M}")


def signed(value: float | int, digits: int = 0) -> str:
    """Write a number with its sign, minus as U+2212; zero has none."""
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return f"{MINUS}{text}" if value < 0 else f"+{text}"


def plain(value: float, digits: int = 1) -> str:
    """Write a number, minus as U+2212, without a sign where it is positive."""
    return f"{value:.{digits}f}".replace("-", MINUS)


@cache
def catalogue(language: str) -> Catalogue:
    """Return the texts of "ja" or "en"."""
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    source = files("unaji.report").joinpath("words", f"{language}.toml")
    return Catalogue(language, dict(flat(tomllib.loads(source.read_text(encoding="utf-8")))))


def flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Give every text of nested tables under its dotted key."""
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        rows += flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return rows
