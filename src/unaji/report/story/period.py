"""Which stretch of time the findings speak of, on the person's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from unaji.causes.design import Grid
from unaji.findings import Findings
from unaji.report.words import Catalogue


@dataclass(frozen=True, slots=True)
class Period:
    """Start and end on the person's clock, and how much of it was on record.

    Attributes
    ----------
    days : float
        Length [days of 24 h].
    observed_days : int
        Local days with any time in which an episode would have been logged.
    text : str
        Such as "2026年2月2日〜4月26日".
    """

    start: datetime
    last: datetime
    days: float
    observed_days: int
    text: str


def bounds(findings: Findings) -> tuple[datetime, datetime]:
    """Return the first instant of the diary's period and the first after it, on the person's clock."""
    when, zones = findings.observed.period, findings.timeline.zones
    return zones.local(when.start), zones.local(when.end)


def period(findings: Findings, words: Catalogue) -> Period:
    """Return the period in words and numbers."""
    start, end = bounds(findings)
    last = end - timedelta(minutes=1)  # midnight belongs to the day before
    text = words("date.period", start=words.date(start), end=words.date(last))
    return Period(start, last, (end - start) / timedelta(days=1), days_on_record(findings.design.grid), text)


def days_on_record(grid: Grid) -> int:
    """Count the local days with any time in which an episode would have been logged."""
    return int(np.unique(grid.day[grid.observed]).size)
