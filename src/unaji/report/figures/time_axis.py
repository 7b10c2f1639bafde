"""Days and months along a horizontal axis, on the person's calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

from unaji.findings import Findings
from unaji.report.figures.svg import line, text, text_width
from unaji.report.story.period import bounds
from unaji.report.words import Catalogue


class Calendar:
    """Where an instant stands among the local days of the period."""

    def __init__(self, findings: Findings) -> None:
        self.zones = findings.timeline.zones
        start, end = bounds(findings)
        self.first = start.date()
        self.n_days = max(1, ((end - timedelta(minutes=1)).date() - self.first).days + 1)

    def place(self, moment: datetime) -> tuple[int, float]:
        """Return day index and local hour of an instant."""
        local = self.zones.local(moment)
        return (local.date() - self.first).days, local.hour + local.minute / 60

    def within(self, moment: datetime) -> bool:
        """Whether an instant falls into the period."""
        return 0 <= self.place(moment)[0] < self.n_days

    def days(self, moment: datetime) -> float:
        """Return days since the first midnight; a day has 24 parts on the clock, whatever the season does."""
        day, hour = self.place(moment)
        return day + hour / 24

    def month_labels(self, x0: float, width: float, y: float, words: Catalogue) -> list[Markup]:
        """Label the first day and the first of each month, leaving out labels that would touch."""
        marks, free_from = [], 0.0
        for index in range(self.n_days):
            date = self.first + timedelta(days=index)
            if index and date.day != 1:
                continue
            label = (
                words("date.day", month=words(f"month.{date.month}"), day=date.day)
                if not index
                else (words(f"month.{date.month}"))
            )
            x = x0 + width * index / self.n_days
            room = text_width(label, 12)
            if x >= free_from and x + room <= x0 + width:
                marks += [line(x, y + 4, x, y + 9, "tick"), text(x, y, label)]
                free_from = x + room + 8
        return marks
