"""Two reports of one person: what changed, and is that more than chance?

It reads what ``unaji explain --json`` wrote, so that an older report can be compared without the records it came from.
Where days are in both reports, an estimate that moved has been learnt and is no change of the person: then only what is
newly known is told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import betaincinv, gammaincinv

from unaji.errors import InputError
from unaji.report.words import Catalogue, plain

Report = Mapping[str, Any]
LEVEL = 0.90
WEEK = timedelta(days=7)
COMPARED = {
    "period": {"start", "end", "observed_days"},
    "enough": {"verdict"},
    "causes": {"id", "name", "signal", "verdict", "told_apart", "p_cause", "share"},
    "episodes": {"start", "fever"},
    "red_flags": {"id"},
}
"""What of a report is compared, by the key under which it lies."""
LISTS = ("causes", "episodes", "red_flags")
LEAST_WEEKS = 3
"""Fewer whole weeks do not tell how much a week's count varies."""


@dataclass(frozen=True, slots=True)
class RateChange:
    """Episodes without fever, before and after.

    Attributes
    ----------
    before, after : (int, float)
        Episodes, and days on record.
    ratio, low, high : float
        Rate after over rate before, and its 90 % interval; NaN or infinite where one of the two had no episode.
    spread : float
        Variance of a week's count over its mean, at least 1: the interval is wider where episodes come in clusters.
    """

    before: tuple[int, float]
    after: tuple[int, float]
    ratio: float
    low: float
    high: float
    spread: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the 90 % interval leaves out 1."""
        return self.low > 1 or self.high < 1

    @property
    def weekly(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Episodes a week before and after, each with its 90 % interval."""
        return weekly_rate(self.before, self.spread), weekly_rate(self.after, self.spread)


@dataclass(frozen=True, slots=True)
class CauseChange:
    """One factor in both reports.

    Attributes
    ----------
    before, after : dict
        As in the reports.
    word_before, word_after : str
        What it is called in them: "too_early" where a report has too few episodes to rank.
    beyond_chance : bool or None
        Whether the 90 % intervals of its share do not touch; None where days are in both reports, or it was not fitted
        in one.
    """

    name: Mapping[str, str]
    before: Report
    after: Report
    word_before: str
    word_after: str
    beyond_chance: bool | None

    @property
    def reworded(self) -> bool:
        """Whether it is called otherwise than before."""
        return self.word_before != self.word_after

    @property
    def told(self) -> bool:
        """Whether there is anything to say of it: another word, or a change beyond chance."""
        return self.reworded or bool(self.beyond_chance)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from the earlier report to the later one.

    Attributes
    ----------
    shared_days : float
        Days that lie in both periods.
    rate : RateChange or None
        Of the days that are only in one of them; None where the later report does not go on from the earlier one.
    causes : tuple of CauseChange
        All factors that are in both.
    new_flags : tuple of str
        Ids of warning signs that the earlier report has not.
    """

    old: Report
    new: Report
    shared_days: float
    rate: RateChange | None
    causes: tuple[CauseChange, ...]
    new_flags: tuple[str, ...]


def read_report(path: Path) -> Report:
    """Read a report that ``unaji explain --json`` wrote.

    Raises
    ------
    InputError
        It cannot be read, or is no such report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(
            f"{path}: is no JSON ({error}); write it with: unaji explain PERSON --json > {path}"
        ) from error
    if not isinstance(report, dict) or not {"person", "article", "period", "causes", "episodes"} <= set(report):
        raise InputError(f"{path}: is no report of a person; write it with: unaji explain PERSON --json > {path}")
    _check(path, report)
    return report


def _check(path: Path, report: Report) -> None:
    """Refuse a report that lacks what is compared: one of another version, or one that was edited."""
    for key, fields in COMPARED.items():
        value = report.get(key)
        for place, one in enumerate(value) if isinstance(value, list) and key in LISTS else [(None, value)]:
            where = key if place is None else f"{key}[{place}]"
            lacking = sorted(fields - set(one)) if isinstance(one, dict) else ["the object"]
            if lacking:
                raise InputError(
                    f"{path}: {where} lacks {', '.join(lacking)}: it was edited, or written by another version; "
                    f"write it anew with: unaji explain PERSON --json > {path}"
                )
    for key, text in [
        *((f"period.{name}", report["period"][name]) for name in ("start", "end")),
        *((f"episodes[{place}].start", one["start"]) for place, one in enumerate(report["episodes"])),
    ]:
        if not _is_moment(text):
            raise InputError(
                f"{path}: {key} is {text!r}, and must be a time with its offset, such as 2025-03-01T00:00:00+09:00"
            )


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def compare(one: Report, other: Report) -> Comparison:
    """Compare two reports of one person, in whichever order they are given.

    Raises
    ------
    InputError
        They are of two people, or of two articles.
    """
    for key in ("person", "article"):
        if one[key] != other[key]:
            raise InputError(f"the reports are of two: {key} is {one[key]!r} in one and {other[key]!r} in the other")
    old, new = sorted((one, other), key=lambda report: (_ends(report)[1], _ends(report)[0]))
    shared = max(0.0, (_ends(old)[1] - max(_ends(old)[0], _ends(new)[0])) / timedelta(days=1))
    before = {cause["id"]: cause for cause in old["causes"]}
    causes = tuple(
        CauseChange(
            cause["name"], before[cause["id"]], cause, _word(before[cause["id"]], old), _word(cause, new),
            _beyond(before[cause["id"]], cause, shared),
        )
        for cause in new["causes"]
        if cause["id"] in before
    )  # fmt: skip
    known = {flag["id"] for flag in old["red_flags"]}
    flags = tuple(flag["id"] for flag in new["red_flags"] if flag["id"] not in known)
    return Comparison(old, new, shared, _rate(old, new, shared), causes, flags)


def rate_ratio(before: tuple[int, float], after: tuple[int, float], spread: float = 1.0) -> tuple[float, float, float]:
    """Return the ratio of two rates and its 90 % interval.

    Parameters
    ----------
    before, after : (int, float)
        Episodes, and days.
    spread : float
        Variance over mean of a count; both counts are divided by it for the interval.

    Notes
    -----
    Given their sum, the later of two Poisson counts is binomial; the interval is that of Clopper and Pearson for its
    share p, as odds times the ratio of the days. Counts that vary more than Poisson's carry as much information as
    fewer independent ones would: n over the variance ratio (quasi-likelihood).

    References
    ----------
    Przyborowski J, Wilenski H. Homogeneity of results in testing samples from Poisson series. Biometrika
    1940;31:313-323.
    McCullagh P, Nelder JA. Generalized Linear Models, 2nd ed. Chapman and Hall 1989, section 6.2.3.
    """
    (n_before, days_before), (n_after, days_after) = before, after
    if n_before + n_after == 0:
        return math.nan, 0.0, math.inf
    a, b, tail = n_after / spread, n_before / spread, (1 - LEVEL) / 2
    low = float(betaincinv(a, b + 1, tail)) if n_after else 0.0
    high = float(betaincinv(a + 1, b, 1 - tail)) if n_before else 1.0
    days = days_before / days_after

    def odds(share: float) -> float:
        return math.inf if share >= 1 else share / (1 - share) * days

    return (n_after / n_before * days if n_before else math.inf), odds(low), odds(high)


def weekly_rate(counted: tuple[int, float], spread: float = 1.0) -> tuple[float, float, float]:
    """Return episodes a week and their 90 % interval.

    Parameters
    ----------
    counted : (int, float)
        Episodes, and days.
    spread : float
        As in `rate_ratio`.

    Notes
    -----
    The limits of a Poisson mean are quantiles of gamma distributions: those of shape n and of shape n + 1.

    References
    ----------
    Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437-442.
    """
    (n, days), tail = counted, (1 - LEVEL) / 2
    low = spread * float(gammaincinv(n / spread, tail)) if n else 0.0
    high = spread * float(gammaincinv(n / spread + 1, 1 - tail))
    return 7 * n / days, 7 * low / days, 7 * high / days


def weekly_spread(reports: tuple[Report, ...]) -> float:
    """Return variance over mean of the episodes a whole week within each report, pooled and at least 1.

    It is 1, that of Poisson counts, where the weeks are too few to tell.
    """
    chi2, degrees = 0.0, 0
    for report in reports:
        counts = np.array(weekly_counts(report))
        if counts.size >= LEAST_WEEKS and counts.any():
            chi2 += float(((counts - counts.mean()) ** 2).sum() / counts.mean())
            degrees += counts.size - 1
    return max(1.0, chi2 / degrees) if degrees else 1.0


def weekly_counts(report: Report) -> tuple[int, ...]:
    """Count the episodes without fever in each whole week from the first day on."""
    start, end = _ends(report)
    weeks = (end - start) // WEEK
    week = [(onset - start) // WEEK for onset in _onsets(report)]
    return tuple(np.bincount([one for one in week if 0 <= one < weeks], minlength=weeks).tolist())


def sentences(found: Comparison, words: Catalogue) -> tuple[str, ...]:
    """Put a comparison into words: the rate, then each factor that is called otherwise or changed beyond chance."""
    return (*rate_sentences(found, words), *factor_sentences(found, words))


def rate_sentences(found: Comparison, words: Catalogue) -> tuple[str, ...]:
    """Say which periods are compared, what to read first, and how the rate changed."""
    said = [words("compare.periods", old=say_period(found.old, words), new=say_period(found.new, words))]
    if found.new_flags:
        said.append(words("compare.flags"))
    if found.shared_days:
        said.append(words("compare.shared", days=words.count("days", round(found.shared_days))))
    return (*said, say_rate(found, words))


def factor_sentences(found: Comparison, words: Catalogue) -> tuple[str, ...]:
    """Say how each factor changed that is called otherwise or changed beyond chance."""
    said = []
    told = [one for one in found.causes if one.told]
    for one in told:
        before, after = called(one, words)
        why = say_why(one, words)
        said.append(words("compare.cause", name=one.name[words.language], before=before, after=after, why=why))
    if not told:
        said.append(words("compare.same"))
    return tuple(said)


def say_rate(found: Comparison, words: Catalogue) -> str:
    """Say how the episodes a week changed, or why that cannot be said."""
    rate = found.rate
    if rate is None:
        return words("compare.no_days" if _goes_on(found.old, found.new, found.shared_days) else "compare.no_rate")
    a_week = [plain(7 * n / days) for n, days in (rate.before, rate.after)]
    if not (math.isfinite(rate.ratio) and rate.ratio > 0):
        return words("compare.rate_bare", before=a_week[0], after=a_week[1], why=_why(rate, words))
    return words(
        "compare.rate", before=a_week[0], after=a_week[1], ratio=plain(rate.ratio), low=plain(rate.low),
        high=plain(rate.high), why=_why(rate, words),
    )  # fmt: skip


def called(one: CauseChange, words: Catalogue) -> tuple[str, str]:
    """Say what a factor is called before and after, with its probability where the report gives one."""
    return _called(one.before, one.word_before, words), _called(one.after, one.word_after, words)


def say_why(one: CauseChange, words: Catalogue) -> str:
    """Say whether a factor's change is more than chance, or was only learnt."""
    if one.beyond_chance is None:
        return words("compare.learnt" if one.after["signal"] == "ok" else "compare.apart")
    return words("compare.beyond" if one.beyond_chance else "compare.within")


def say_period(report: Report, words: Catalogue) -> str:
    """Say from which day to which a report goes."""
    start, end = _ends(report)
    last = end - timedelta(minutes=1)
    return words("date.period", start=words.date(start), end=words.date(last))


def to_json(found: Comparison, words: Catalogue) -> dict[str, Any]:
    """Return the comparison as one object for ``--json``."""
    rate = found.rate
    return {
        "person": found.new["person"],
        "article": found.new["article"],
        "periods": [found.old["period"], found.new["period"]],
        "shared_days": round(found.shared_days, 2),
        "new_red_flags": list(found.new_flags),
        "rate": None
        if rate is None
        else {
            "before": {"episodes": rate.before[0], "days": rate.before[1]},
            "after": {"episodes": rate.after[0], "days": rate.after[1]},
            "ratio": _finite(rate.ratio), "p5": _finite(rate.low), "p95": _finite(rate.high),
            "spread": round(rate.spread, 3), "beyond_chance": rate.beyond_chance,
        },
        "causes": [
            {
                "id": one.after["id"],
                "before": {key: one.before[key] for key in ("verdict", "p_cause", "share")},
                "after": {key: one.after[key] for key in ("verdict", "p_cause", "share")},
                "reworded": one.reworded, "beyond_chance": one.beyond_chance,
            }
            for one in found.causes
        ],
        "say": list(sentences(found, words)),
    }  # fmt: skip


# -- parts -------------------------------------------------------------------------------------------------------------


def _ends(report: Report) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(report["period"]["start"]), datetime.fromisoformat(report["period"]["end"])


def _onsets(report: Report) -> list[datetime]:
    return [datetime.fromisoformat(one["start"]) for one in report["episodes"] if not one["fever"]]


def _goes_on(old: Report, new: Report, shared_days: float) -> bool:
    """Whether the later report begins with the earlier one, or lies behind it."""
    return not shared_days or abs(_ends(old)[0] - _ends(new)[0]) <= timedelta(days=1)


def _rate(old: Report, new: Report, shared_days: float) -> RateChange | None:
    """Count the days that lie in one report only; where the later one goes on, those behind the earlier one's end."""
    if not _goes_on(old, new, shared_days):
        return None
    before, after = (len(_onsets(one)) for one in (old, new))
    days_before, days_after = (float(one["period"]["observed_days"]) for one in (old, new))
    if shared_days:
        after = sum(onset >= _ends(old)[1] for onset in _onsets(new))
        days_after -= days_before
    if days_before <= 0 or days_after <= 0:
        return None
    spread = weekly_spread((new,) if shared_days else (old, new))
    ratio, low, high = rate_ratio((before, days_before), (after, days_after), spread)
    return RateChange((before, days_before), (after, round(days_after, 2)), ratio, low, high, spread)


def _beyond(before: Report, after: Report, shared_days: float) -> bool | None:
    if shared_days or before["signal"] != "ok" or after["signal"] != "ok":
        return None
    old, new = before["share"], after["share"]
    return bool(old["p95"] < new["p5"] or new["p95"] < old["p5"])


def _word(cause: Report, report: Report) -> str:
    """Say what a factor is called, as the report itself does."""
    if cause["told_apart"]:
        return "told_apart"
    if cause["signal"] == "ok" and report["enough"]["verdict"] in ("more", "none"):
        return "too_early"
    undecided = cause["verdict"] == "cannot_tell" and cause["signal"] != "ok"
    return str(cause["signal"] if undecided else cause["verdict"])


def _called(cause: Report, word: str, words: Catalogue) -> str:
    said = words(f"verdict.{word}")
    if word in ("cannot_tell", "told_apart", "too_early") or cause["signal"] != "ok" or cause["p_cause"] is None:
        return said
    return words("verdict.pill", word=said, p=words.percent(cause["p_cause"]))


def _why(rate: RateChange, words: Catalogue) -> str:
    if not rate.beyond_chance:
        return words("compare.rate_chance")
    return words("compare.rate_fewer" if rate.high < 1 else "compare.rate_more")


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
