"""What was found wrong while reading: collected as it happens, told once, never a flood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from unaji.records.timeline import Problem

SHOWN_PER_RULE = 20
LONGEST_VALUE = 60


class ProblemLog:
    """Collects problems; of those that break the same rule in the same file, the first 20 are told one by one."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str, bool], list[Problem]] = {}
        self._counts: Counter[tuple[str, str, bool]] = Counter()
        self.offsets_min: Counter[int] = Counter()
        """Offsets from UTC that the files' own times carried [min], to say which zone the person may live in."""

    def reject(
        self, file: str, line: int | None, value: object, rule: str, *, count: int = 1, lost: bool = True
    ) -> None:
        """Note something that was left out: `count` rows or values; `lost` is False for a repeat and the like."""
        rule = rule.removeprefix(f"{file}: ")  # an error says it too
        self._note(Problem(file, line, _short(value), rule, rejected=True, count=count, lost=lost))

    def remark(self, file: str, line: int | None, value: object, rule: str, *, lost: bool = False) -> None:
        """Note something worth knowing about what was kept; `lost` where a part of it was not."""
        self._note(Problem(file, line, _short(value), rule, rejected=False, lost=lost))

    def rows(
        self,
        file: str,
        lines: Iterable[int],
        values: Iterable[object],
        rule: str,
        *,
        rejected: bool = True,
        lost: bool = True,
    ) -> None:
        """Note many rows that break one rule."""
        pairs = list(zip(lines, values, strict=True))
        for line, value in pairs[:SHOWN_PER_RULE]:
            self._note(Problem(file, int(line), _short(value), rule, rejected, lost=lost))
        if len(pairs) > SHOWN_PER_RULE:
            self._counts[file, rule, rejected] += len(pairs) - SHOWN_PER_RULE

    def problems(self) -> tuple[Problem, ...]:
        """Return everything noted: by rule in order of first sight, the rows beyond the first 20 as one count."""
        told: list[Problem] = []
        for key, shown in self._shown.items():
            told += shown
            hidden = self._counts[key] - sum(problem.count for problem in shown)
            if hidden:
                more = f"{hidden:,} more rows like these: {shown[0].rule}"
                told.append(replace(shown[0], line=None, value="", rule=more, count=hidden))
        return tuple(told)

    def rejected(self) -> list[Problem]:
        """Return, for each rule that something was left out for, the first such problem with the count of all."""
        by_rule: dict[str, Problem] = {}
        for key, count in self._counts.items():
            _, rule, rejected = key
            if rejected:
                before = by_rule.get(rule)
                first, so_far = (before, before.count) if before else (self._shown[key][0], 0)
                by_rule[rule] = replace(first, count=so_far + count)
        return list(by_rule.values())

    def _note(self, problem: Problem) -> None:
        key = (problem.file, problem.rule, problem.rejected)
        self._counts[key] += problem.count
        shown = self._shown.setdefault(key, [])
        if len(shown) < SHOWN_PER_RULE:
            shown.append(problem)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
