"""Findings as one JSON object: the same seed gives the same bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from unaji.care.more_data import MoreData
from unaji.care.next_observation import NextObservation
from unaji.care.outcomes import ItemCourse
from unaji.care.treatment import TreatmentEffect
from unaji.causes.attribution import Attribution, CauseResult, EpisodeSources, Estimate, Pair, ProtectorResult
from unaji.claims.model import Urgency
from unaji.findings import EpisodeFinding, Findings, RaisedFlag
from unaji.records.timeline import Zones
from unaji.report.story.period import bounds, days_on_record
from unaji.report.story.safety import is_active
from unaji.report.story.story import enough_sentence
from unaji.report.story.warmth import UNDETERMINED
from unaji.report.words import catalogue

DIGITS = 4
"""Decimals kept: finer than the Monte-Carlo error of any number here, coarser than the last bits of a float."""

Json = dict[str, Any]
Names = Mapping[str, tuple[str, str]]
Grades = Mapping[str, tuple[str, bool]]


def to_json(findings: Findings, language: str = "ja") -> Json:
    """Give the findings as a JSON object; `language` is that of the few sentences in it ("say")."""
    claims, zones = findings.claims, findings.timeline.zones
    head: Json = {
        "unaji": findings.unaji,
        "article": claims.id,
        "person": findings.timeline.person.id,
        "seed": findings.seed,
        "period": _period(findings),
        "enough": {"verdict": findings.enough.verdict, "say": enough_sentence(findings, catalogue(language))},
        "red_flags": [_flag(raised, findings, language) for raised in findings.red_flags],
    }
    if findings.timeline.person.simulated:
        head = {"unaji": head.pop("unaji"), "simulated": True, **head}
    engine = engine_json(
        findings.attribution,
        findings.treatments,
        findings.more_data,
        next_observation=findings.next_observation,
        zones=zones,
        names={cause.id: (cause.name.ja, cause.name.en) for cause in claims.causes},
        grades={cause.id: (cause.grade.value, cause.in_article) for cause in claims.causes},
    )
    engine["episodes"] = [_episode(one, zones) for one in findings.episodes]
    return (
        head
        | engine
        | {
            "outcomes": [_outcome(one) for one in findings.outcomes],
            "missing": list(findings.design.missing),
            "warnings": list(findings.warnings),
            "problems": [
                {
                    "file": p.file,
                    "line": p.line,
                    "value": p.value,
                    "rule": p.rule,
                    "rejected": p.rejected,
                    "count": p.count,
                }
                for p in findings.timeline.problems
            ],
        }
    )


def engine_json(
    attribution: Attribution,
    treatments: Sequence[TreatmentEffect],
    more_data: Sequence[MoreData],
    *,
    next_observation: Sequence[NextObservation] = (),
    zones: Zones,
    names: Names | None = None,
    grades: Grades | None = None,
) -> Json:
    """Give the engine's own part, from "causes" to "checks": what `unaji attribute` prints for any symptom.

    Parameters
    ----------
    names : mapping of id to (ja, en), or None
        Names of the causes; null in the object without them.
    grades : mapping of id to (grade, in_article), or None
        What an article claims of them; null in the object without it.
    """
    return {
        "causes": [_cause(one, names or {}, grades or {}) for one in attribution.causes],
        "background": {"share": _estimate(attribution.background)},
        "echo": {"share": _estimate(attribution.echo)},
        "pairs": [_pair(one) for one in attribution.pairs],
        "episodes": _episodes(attribution.episodes, zones),
        "treatments": [_treatment(one) for one in treatments],
        "protectors": [_protector(one) for one in attribution.protectors],
        "more_data": [_more(one) for one in more_data],
        "next_observation": [_next(one) for one in next_observation],
        "checks": _checks(attribution),
    }


def dumps(findings: Findings, language: str = "ja") -> str:
    """Return the object as text, keys in a fixed order."""
    return write(to_json(findings, language))


def write(value: Json) -> str:
    """Write an object as JSON text: readable, UTF-8, never with NaN in it."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def number(value: float | None) -> float | None:
    """Round to the digits kept; NaN and infinity, which JSON has no word for, become null."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), DIGITS) + 0.0  # + 0.0 turns −0.0 into 0.0


def local_time(moment: datetime, zones: Zones) -> str:
    """Write an instant in ISO 8601 on the person's clock, with its offset."""
    return zones.local(moment).isoformat(timespec="seconds")


def _period(findings: Findings) -> Json:
    start, end = bounds(findings)
    return {
        "start": start.isoformat(timespec="seconds"),
        "end": end.isoformat(timespec="seconds"),
        "days": number((end - start).total_seconds() / 86400),
        "observed_days": number(float(days_on_record(findings.design.grid))),
        "episodes": len(findings.episodes),
    }


def _flag(raised: RaisedFlag, findings: Findings, language: str) -> Json:
    zones, active = findings.timeline.zones, is_active(raised, findings)
    return {
        "id": raised.flag.id,
        "say": raised.flag.say.in_(language),
        "act": "now" if active and raised.flag.urgency is not Urgency.DAYS else "soon",
        "urgency": raised.flag.urgency.value,
        "times": [local_time(time, zones) for time in raised.times],
        "value": number(raised.value),
    }


def _cause(result: CauseResult, names: Names, grades: Grades) -> Json:
    name = names.get(result.id)
    grade, in_article = grades.get(result.id, (None, None))
    fitted = math.isfinite(result.p_cause)
    return {
        "id": result.id,
        "name": {"ja": name[0], "en": name[1]} if name else None,
        "p_cause": number(result.p_cause),
        "p_cause_mcse": number(result.p_cause_mcse),
        "verdict": result.verdict.value,
        "episodes_explained": _estimate(result.episodes_explained if fitted else None),
        "share": _estimate(result.share if fitted else None),
        "share_if_cause": _estimate(result.share_if_cause),
        "avoidable": {
            "full": _estimate(result.avoidable if fitted else None),
            "half": _estimate(result.avoidable_half if fitted else None),
        },
        "rate_ratio": _estimate(result.rate_ratio),
        "lag_h": _estimate(result.lag_h),
        "driver": result.driver,
        "signal": result.signal.value,
        "filled_share": number(result.filled_share),
        "exposed_share": number(result.exposed_share),
        "shift_p": number(result.shift_p),
        "p_backwards": number(result.p_backwards),
        "may_be_companion": result.may_be_companion,
        "alias_of": result.alias_of,
        "told_apart": result.told_apart,
        "grade": grade,
        "in_article": in_article,
    }


def _estimate(estimate: Estimate | None) -> Json | None:
    if estimate is None:
        return None
    return {"mean": number(estimate.mean), "p5": number(estimate.p5), "p95": number(estimate.p95)}


def _pair(pair: Pair) -> Json:
    return {"ids": list(pair.ids), "p_either": number(pair.p_either), "correlation": number(pair.correlation)}


def _episodes(episodes: EpisodeSources, zones: Zones) -> list[Json]:
    return [
        {
            "start": local_time(onset, zones),
            **_sources(dict(zip(episodes.sources, map(float, episodes.p[i]), strict=True)), episodes.named(i)),
            "p_mcse": number(float(episodes.mcse[i].max())),
            # The engine alone has seen no temperature: the way the heat came about is not known.
            "pathway": {UNDETERMINED: 1.0},
        }
        for i, onset in enumerate(episodes.onset)
    ]


def _episode(finding: EpisodeFinding, zones: Zones) -> Json:
    episode = finding.episode
    return {
        "start": local_time(episode.start, zones),
        **_sources(finding.p, finding.named),
        "p_mcse": number(finding.p_mcse),
        "pathway": {way: number(p) for way, p in finding.pathway.items()},
        "would_tell": {what: number(bits) for what, bits in finding.would_tell.items()},
        "end": local_time(episode.end, zones) if episode.end else None,
        "whole_day": episode.whole_day,
        "intensity": number(episode.intensity),
        "fever": finding.fever,
        "measured": {name: number(value) for name, value in finding.measured.items()},
    }


def _sources(p: Mapping[str, float], named: tuple[str, ...]) -> Json:
    top = max(p, key=lambda source: p[source], default=None)
    return {
        "p": {source: number(value) for source, value in p.items()},
        "named": list(named),
        "top": top,
        "top_probability": number(p[top]) if top else None,
    }


def _treatment(effect: TreatmentEffect) -> Json:
    return {
        "kind": effect.kind,
        "ratio": _estimate(effect.ratio),
        "p_better": number(effect.p_better),
        "p_worse": number(effect.p_worse),
        "before_after_ratio": number(effect.before_after_ratio),
        "before": {"episodes": effect.episodes_before, "days": effect.days_before},
        "after": {"episodes": effect.episodes_after, "days": effect.days_after},
        "sessions": effect.sessions,
        "after_worst_fortnight": effect.after_worst_fortnight,
    }


def _outcome(course: ItemCourse) -> Json:
    return {
        "kind": course.kind,
        "item": course.item,
        "before": {"mean": number(course.before), "days": course.days_before},
        "after": {"mean": number(course.after), "days": course.days_after},
        "change": {"mean": number(course.change), "p5": number(course.low), "p95": number(course.high)},
        "expected_anyway": number(course.regression),
        "important": course.important,
        "reliable": course.reliable,
        "responded": course.responded,
        "after_worst_fortnight": course.after_worst_fortnight,
    }


def _protector(result: ProtectorResult) -> Json:
    return {
        "id": result.id,
        "signal": result.signal.value,
        "ratio": _estimate(result.ratio),
        "p_protects": number(result.p_protects),
        "p_harms": number(result.p_harms),
    }


def _more(more: MoreData) -> Json:
    return {
        "id": more.id,
        "episodes": {
            "p20": number(more.episodes_low),
            "p50": number(more.episodes_mid),
            "p80": number(more.episodes_high),
        },
        "weeks": {"p20": number(more.weeks_low), "p50": number(more.weeks_mid), "p80": number(more.weeks_high)},
        "settles": more.settles,
    }


def _next(one: NextObservation) -> Json:
    return {
        "do": one.do,
        "id": one.id or None,
        "bits": {"mean": number(one.bits), "mcse": number(one.bits_mcse)},
        "more_bits": {"mean": number(one.more_bits), "mcse": number(one.more_bits_mcse)},
        "worth_it": one.worth_it,
        "settles": number(one.settles),
        "settles_if_going_on": number(one.settles_if_going_on),
        "first_day": one.first_day.isoformat(),
        "days": [day.isoformat() for day in one.days],
        "seed": one.seed,
    }


def _checks(attribution: Attribution) -> Json:
    own: Json = {
        "fitted": attribution.fitted,
        "episodes_fitted": attribution.n_episodes,
        "episodes_merged": attribution.merged,
        "chain_gap": number(attribution.chain_gap),
        "sweeps": attribution.sweeps,
        "rate_upper_per_week": number(attribution.rate_upper_per_week),
    }
    checks = {key: number(value) if isinstance(value, float) else value for key, value in attribution.checks.items()}
    return own | checks
