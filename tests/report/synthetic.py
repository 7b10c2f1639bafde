"""Invented findings for the report's tests: every case the report has to tell, built by hand and seeded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
from scipy.stats import poisson

from unaji.body.hypothesis_drivers import KnownBody
from unaji.care.more_data import MoreData
from unaji.care.outcomes import ItemCourse
from unaji.care.treatment import TreatmentEffect
from unaji.care.weeks import DAYS, ExpectedWeek
from unaji.causes.attribution import (
    Attribution,
    CauseResult,
    EpisodeSources,
    Estimate,
    Pair,
    SignalState,
    Verdict,
)
from unaji.causes.design import BIN_MIN, Design, Grid, Onset, Trigger, courses_of
from unaji.causes.features import MEAN_LAGS_MIN
from unaji.causes.nearby import SkinCourse
from unaji.causes.observed import ObservedTime
from unaji.causes.own_neck import NAMED, OwnNeck, own_neck
from unaji.claims.model import (
    Cause,
    Claims,
    Family,
    Grade,
    Pathway,
    Reading,
    RedFlag,
    Route,
    Signal,
    Source,
    Threshold,
    TreatmentClaim,
    Urgency,
    Words,
)
from unaji.findings import Enough, EpisodeFinding, Findings, RaisedFlag
from unaji.records.timeline import (
    Episode,
    Interval,
    Person,
    Problem,
    Series,
    Timeline,
    Treatment,
    Zones,
    from_utc_ms,
    utc_ms,
)
from unaji.signals.state import AutonomicState

START = datetime(2026, 2, 1, 15, tzinfo=UTC)  # midnight of 2 February in Tokyo
ZONES = Zones(("Asia/Tokyo",))
NAN = float("nan")

CAUSES = (
    # id, ja, en, family, grade, kind, avoidable
    ("pressure_drop", "気圧の急な低下", "a fast fall of air pressure", Family.WEATHER, Grade.D, "level", True),
    ("desk_load", "うつむいた机仕事", "desk work with the head bent", Family.POSTURE, Grade.C, "level", True),
    ("caffeine", "コーヒー", "coffee", Family.INTAKE, Grade.C, "dose", True),
    ("stress", "緊張・ストレス", "tension or stress", Family.MIND, Grade.B, "level", True),
    ("ambient_heat", "部屋の暑さ・厚着", "room heat or warm clothing", Family.AROUND, Grade.A, "level", True),
    ("exercise", "運動", "exercise", Family.BODY, Grade.A, "dose", True),
    ("alcohol", "お酒", "alcohol", Family.INTAKE, Grade.B, "dose", False),
    ("sleep_debt", "睡眠不足", "lack of sleep", Family.BODY, Grade.C, "level", True),
    ("medication", "薬", "medicine", Family.INTAKE, Grade.B, "dose", False),
)


def claims() -> Claims:
    """Return a small article in the shape of the real one."""
    return Claims(
        id="neck_heat",
        title=Words("うなじが熱いとき", "When the nape feels hot"),
        symptom=Words("うなじの熱さ", "heat at the back of the neck"),
        causes=tuple(_cause(*row) for row in CAUSES),
        treatments=(
            TreatmentClaim(
                "needling",
                ("acupuncture",),
                Words("鍼", "acupuncture"),
                Words("鍼で軽くなるという報告がある。", "Relief after acupuncture has been reported."),
                Grade.C,
                ("s2",),
            ),
        ),
        red_flags=(
            RedFlag(
                "thunderclap",
                Urgency.EMERGENCY,
                Words("突然の、今までにない激しい頭や首の痛み", "a sudden headache or neck pain, the worst ever"),
                Words(
                    "急いで調べる必要のある病気のことがあります。",
                    "It can be an illness that must be examined at once.",
                ),
                Words("くも膜下出血", "bleeding around the brain"),
                ("s1",),
            ),
            RedFlag(
                "fever",
                Urgency.TODAY,
                Words("38.0℃以上の熱", "a temperature of 38.0 ℃ or more"),
                Words("38.0℃以上の熱が記録されています。", "A temperature of 38.0 ℃ or more is on record."),
                Words("感染症", "infection"),
                ("s1",),
                Threshold(("core_temp_c", "body_temp_c"), 38.0),
            ),
            RedFlag(
                "shingles",
                Urgency.DAYS,
                Words("片側の帯のような焼ける感じと水ぶくれ", "a burning band with blisters on one side"),
                Words("数日のうちに皮膚科へ。", "See a skin doctor within days."),
                Words("帯状疱疹", "shingles"),
                ("s1",),
            ),
        ),
        companions={"stiffness": Words("肩こり", "stiff shoulders")},
        sources={
            "s1": Source("s1", "A neck pain guideline, 2023.", "https://example.org/guideline?a=1&b=2"),
            "s2": Source("s2", "A trial of needling, 2020.", "https://example.org/trial", checked=False),
            "s3": Source("s3", "Never used."),
        },
        article={"ja": (), "en": ()},
    )


def _cause(cause_id: str, ja: str, en: str, family: Family, grade: Grade, kind: str, avoidable: bool) -> Cause:
    claim = Words(f"{ja}で熱くなる可能性があるという。", f"It is said that {en} may bring on the heat.")
    return Cause(
        id=cause_id,
        name=Words(ja, en),
        claim=claim,
        family=family,
        kind=kind,
        signals=(Signal(Reading.QUANTITY, ("hr_bpm",)),),
        lag_min=(10.0, 600.0),
        routes=(Route(Pathway.VASCULAR, claim, grade, ("s1",)),),
        in_article=cause_id in ("pressure_drop", "desk_load", "stress"),
        avoidable=avoidable,
    )


def estimate(mean: float, p5: float, p95: float) -> Estimate:
    return Estimate(mean, p5, p95)


def result(
    cause_id: str,
    verdict: Verdict,
    p: float,
    share: tuple[float, float, float],
    n: int,
    lag: tuple[float, float, float] | None = None,
    ratio: tuple[float, float, float] | None = None,
    signal: SignalState = SignalState.OK,
    **more: object,
) -> CauseResult:
    """Return one cause's result, its counts following from its share of `n` episodes."""
    explained = Estimate(*(value * n for value in share))
    return CauseResult(
        id=cause_id,
        signal=signal,
        verdict=verdict,
        p_cause=p,
        p_cause_mcse=0.004,
        episodes_explained=explained,
        share=Estimate(*share),
        avoidable=Estimate(*(value * n * 1.05 for value in share)),
        avoidable_half=Estimate(*(value * n * 0.5 for value in share)),
        rate_ratio=Estimate(*ratio) if ratio else None,
        lag_h=Estimate(*lag) if lag else None,
        driver=str(more.pop("driver", "any")),
        shift_p=float(more.pop("shift_p", 0.01)),  # type: ignore[arg-type]
        p_backwards=float(more.pop("p_backwards", 0.05)),  # type: ignore[arg-type]
        filled_share=float(more.pop("filled_share", 0.08)),  # type: ignore[arg-type]
        exposed_share=0.3,
        share_if_cause=Estimate(*(min(value / p, 1.0) for value in share)) if p > 0 else None,
        entry_p=_entries(p, lag),
        **more,  # type: ignore[arg-type]
    )


def _entries(p: float, lag: tuple[float, float, float] | None) -> tuple[float, ...]:
    """Share p among the mean lags, the nearest to the mean most; nothing is known of them where nothing was fitted."""
    if not p > 0:
        return ()
    weight = np.exp(-np.abs(np.log(np.array(MEAN_LAGS_MIN) / (60 * (lag or (2.0,))[0]))))
    return tuple(float(one) for one in p * weight / weight.sum())


def rich_results(n: int) -> tuple[CauseResult, ...]:
    """Return the causes of the person with plenty of records."""
    none = (0.0, 0.0, 0.0)
    return (
        result("pressure_drop", Verdict.CAUSE, 0.97, (0.40, 0.27, 0.54), n, (3.0, 1.0, 6.0), (3.1, 1.9, 5.0)),
        result("desk_load", Verdict.LIKELY, 0.82, (0.19, 0.06, 0.34), n, (1.4, 0.5, 4.0), (2.0, 1.2, 3.1)),
        result("caffeine", Verdict.OPEN, 0.31, (0.05, 0.0, 0.17), n, (1.0, 0.4, 2.6)),
        result("stress", Verdict.UNLIKELY, 0.04, (0.02, 0.0, 0.09), n),
        result("ambient_heat", Verdict.UNLIKELY, 0.03, (0.01, 0.0, 0.08), n),
        result("exercise", Verdict.UNLIKELY, 0.05, (0.01, 0.0, 0.10), n),
        result("medication", Verdict.UNLIKELY, 0.05, (0.01, 0.0, 0.06), n),
        result("alcohol", Verdict.CANNOT_TELL, NAN, none, n, signal=SignalState.NO_CONTRAST, shift_p=NAN),
        result(
            "sleep_debt",
            Verdict.CANNOT_TELL,
            NAN,
            none,
            n,
            signal=SignalState.INSUFFICIENT,
            shift_p=NAN,
            filled_share=0.72,
        ),
    )


def grid(days: int) -> Grid:
    """Return the working grid: nights are not observed, and one weekend has no record."""
    n = days * 1440 // BIN_MIN
    time = np.datetime64("2026-02-01T15:00", "ms") + np.arange(n) * np.timedelta64(BIN_MIN, "m")
    hour = (np.arange(n) * BIN_MIN / 60) % 24
    day = np.arange(n) * BIN_MIN // 1440
    observed = (hour >= 7) & (hour < 23) & ~np.isin(day, [18, 19])
    return Grid(time, hour, day, day % 7 >= 5, observed)


def _triggers(grid_: Grid, rng: np.random.Generator) -> tuple[Trigger, ...]:
    t = np.arange(grid_.n_bins) * BIN_MIN / 1440
    pressure = np.clip(np.sin(2 * np.pi * t / 3.7) + 0.5 * np.sin(2 * np.pi * t / 1.9 + 1) - 0.4, 0, None) * 5
    work = (grid_.local_hour >= 9) & (grid_.local_hour < 17) & ~grid_.day_off
    desk = np.where(work, 0.5 + 0.5 * np.sin(2 * np.pi * t * 6) ** 2, 0.0)
    desk = np.where(grid_.day == 30, np.nan, desk)
    coffee = np.where(rng.random(grid_.n_bins) < 0.004, 1.0, 0.0)
    return (
        Trigger("pressure_drop", "level", pressure),
        Trigger("desk_load", "level", desk),
        Trigger("caffeine", "dose", coffee),
    )


def _starts(grid_: Grid, n: int, pressure: np.ndarray, rng: np.random.Generator) -> list[datetime]:
    # Half of them while pressure falls, so that there is something to see.
    likely = np.where(grid_.observed, 1.0 + 6.0 * (np.array(pressure) > 2.0), 0.0)
    bins = np.sort(rng.choice(grid_.n_bins, n, replace=False, p=likely / likely.sum()))
    return [from_utc_ms(grid_.time[i]) + timedelta(minutes=2) for i in bins]


PATHWAYS = (
    {"vascular": 0.8, "sensory": 0.1, "heat_load": 0.1},
    {"vascular": 0.1, "sensory": 0.8, "muscle": 0.1},
    {"undetermined": 1.0},
    {"vascular": 0.1, "heat_load": 0.7, "undetermined": 0.2},
    {"muscle": 0.6, "sensory": 0.3, "vascular": 0.1},
)


def _episodes(starts: list[datetime], sources: EpisodeSources, rng: np.random.Generator) -> list[EpisodeFinding]:
    told = []
    for i, start in enumerate(starts):
        pathway = PATHWAYS[i % len(PATHWAYS)]
        measured = {} if "undetermined" in pathway and len(pathway) == 1 else _measured(pathway, rng)
        row = dict(zip(sources.sources, map(float, sources.p[i]), strict=True))
        end = start + timedelta(minutes=40) if i % 3 == 0 else None
        episode = Episode(start, end, float(1 + i % 9), note="肩もこっていた" if i % 4 == 0 else "")
        skin = _skin(start, measured, i) if measured else None
        told.append(EpisodeFinding(episode, row, sources.named(i), dict(pathway), measured, skin=skin))
    return told


def _skin(start: datetime, measured: dict[str, float], i: int) -> SkinCourse:
    """Follow the nape for an hour on either side: what rises does so around the onset; one in four has a gap."""
    after = np.arange(-58.5, 60, 5)
    expected = 34.0 + 0.3 * np.sin(2 * np.pi * (start.hour + after / 60) / 24)
    rise = measured["neck_skin_rise_k"] * np.clip((after + 15) / 20, 0, 1) * np.exp(-np.clip(after - 20, 0, None) / 40)
    value = expected + rise + 0.06 * np.sin(2.3 * np.arange(after.size) + i)
    if i % 4 == 1:
        value[16:19] = np.nan
    return SkinCourse(*(tuple(one.tolist()) for one in (after, value, expected)), measured["neck_skin_rise_sd_k"])


def _measured(pathway: dict[str, float], rng: np.random.Generator) -> dict[str, float]:
    warm = pathway.get("sensory", 0) < 0.5
    rise = rng.normal(0.8, 0.25) if warm else rng.normal(0.0, 0.15)
    return {
        "neck_skin_rise_k": float(rise),
        "neck_skin_rise_sd_k": 0.2,
        "core_temp_c": float(36.7 + rng.normal(0, 0.1)),
    }


def _sources(
    grid_: Grid, starts: list[datetime], causes: tuple[CauseResult, ...], triggers: tuple[Trigger, ...], n: int
) -> EpisodeSources:
    fitted = [one for one in causes if one.signal is SignalState.OK]
    names = (*(one.id for one in fitted), "background", "echo")
    height = _intensity(grid_, names, triggers, n)[:, np.searchsorted(grid_.time, [utc_ms(s) for s in starts]) - 1]
    p = (height / height.sum(axis=0)).T if starts else np.zeros((0, len(names)))
    return EpisodeSources(tuple(starts), names, p, np.full_like(p, 0.004))


def _intensity(grid_: Grid, names: tuple[str, ...], triggers: tuple[Trigger, ...], n: int) -> np.ndarray:
    rows = []
    for name in names:
        trigger = next((one for one in triggers if one.id == name), None)
        level = np.ones(grid_.n_bins) if trigger is None else np.nan_to_num(np.array(trigger.value))
        if trigger is not None and trigger.kind == "dose":
            level = np.convolve(level, np.exp(-np.arange(36) / 12))[: grid_.n_bins]
        level = np.convolve(level, np.ones(12) / 12)[: grid_.n_bins]
        share = {"pressure_drop": 0.4, "desk_load": 0.19, "caffeine": 0.05, "background": 0.3, "echo": 0.03}.get(
            name, 0
        )
        level = level * grid_.observed
        rows.append(level / level.sum() * share * n if share else np.zeros(grid_.n_bins))
    return np.array(rows, dtype=np.float32)


def _series(grid_: Grid, rng: np.random.Generator) -> tuple[Series, ...]:
    hourly = grid_.time[::12]
    hours = np.arange(hourly.size)
    worn = ~np.isin(hours // 24, [18, 19, 40])
    heart = 66 + 9 * np.sin(2 * np.pi * (hours - 9) / 24) + rng.normal(0, 3, hours.size)
    nape = 34 + 0.5 * np.sin(2 * np.pi * (hours - 15) / 24) + rng.normal(0, 0.2, hours.size)
    pressure = 1013 + 7 * np.sin(2 * np.pi * hours / 90)
    morning = hourly[8::48]
    return (
        Series("hr_bpm", hourly[worn], heart[worn], site="wrist"),
        Series("neck_skin_temp_c", hourly[worn], nape[worn], site="nape"),
        Series("station_pressure_hpa", hourly, pressure, site="outdoor"),
        Series("body_temp_c", morning, 36.5 + rng.normal(0, 0.15, morning.size)),
    )


def _state(grid_: Grid, rng: np.random.Generator) -> AutonomicState:
    n = grid_.n_bins // 12
    names = ("hr_bpm", "rmssd_ms", "sdnn_ms", "scl_microsiemens", "scr_microsiemens", "skin_temp_c", "activity")
    index = rng.normal(0, 1, n)
    index[400:450] = np.nan
    return AutonomicState(
        time=grid_.time[::12][:n],
        step_s=3600.0,
        **{name: np.full(n, np.nan) for name in names},
        sympathetic_index=index,
        quality={name: np.zeros(n) for name in (*names, "sympathetic_index")},
        channels=("hr",),
    )


def _weeks(grid_: Grid, intensity: np.ndarray, first_treated: int | None) -> tuple[ExpectedWeek, ...]:
    """Return what the intensity makes of each week; sessions leave four of five."""
    week = grid_.day // DAYS
    by_week = np.bincount(week[grid_.observed], weights=intensity.sum(axis=0)[grid_.observed])
    found = []
    for i, mean in enumerate(by_week):
        treated = first_treated is not None and i >= first_treated // DAYS
        low, high = poisson(mean).ppf([0.05, 0.95])
        fitted = float(mean) * (0.8 if treated else 1.0)
        found.append(ExpectedWeek(i + 1, fitted, Estimate(float(mean), float(low), float(high)), treated))
    return tuple(found)


@cache
def _neck(named: tuple[str, ...]) -> OwnNeck:
    """Return the neck of one body; computed once, since every case asks for it."""
    nothing = (0.0, 0.0, 0.0)
    causes = [result(one, Verdict.CAUSE, 0.97, nothing, 1) for one in named]
    return own_neck(KnownBody(1.62, 56.0, 40.0, female=True), causes)


OUTCOMES = (
    ItemCourse("neck_stiffness", "acupuncture", 5.8, 3.9, 13, 12, -1.9, True, True, True, 0.4, -0.7, -1.2, True),
    ItemCourse("neck_pain", "acupuncture", 3.0, 2.8, 13, 12, -0.2, False, False, False, 0.5, NAN, NAN, False),
    ItemCourse("stress", "acupuncture", 4.0, 4.1, 13, 12, 0.1, False, False, False, 0.5, 0.0, 0.1, False),
)


def _cause_draws(results, rng):
    """Draws whose median and ends of the 90 % interval are those of the results, in the order of the causes."""
    levels = rng.permuted(np.tile(np.linspace(0, 1, 300), (len(results), 1)), axis=1)
    told = [one.episodes_explained for one in results]
    ends = [[max(0.0, 2 * e.p5 - e.mean), e.p5, e.mean, e.p95, 2 * e.p95 - e.mean] for e in told]
    return np.stack(
        [np.interp(u, [0, 0.05, 0.5, 0.95, 1], np.nan_to_num(e)) for u, e in zip(levels, ends, strict=True)], axis=1
    )


def rich(
    *,
    days: int = 84,
    n: int = 46,
    causes: tuple[CauseResult, ...] | None = None,
    simulated: bool = True,
    pairs: tuple[Pair, ...] = (),
    with_treatment: bool = True,
    seed: int = 7,
) -> Findings:
    """Return a person with plenty of records; the other cases start from here."""
    rng = np.random.default_rng(seed)
    grid_ = grid(days)
    results = rich_results(n) if causes is None else causes
    triggers = _triggers(grid_, rng)
    starts = _starts(grid_, n, triggers[0].value, rng)
    sources = _sources(grid_, starts, results, triggers, n)
    sessions = tuple(START + timedelta(days=41 + 5 * i, hours=10) for i in range(6)) if with_treatment else ()
    courses = courses_of(("acupuncture", session) for session in sessions)
    intensity = _intensity(grid_, sources.sources, triggers, n)
    attribution = Attribution(
        fitted=n > 0,
        n_episodes=n,
        causes=results,
        background=estimate(0.30, 0.2, 0.4) if n else estimate(NAN, NAN, NAN),
        echo=estimate(0.03, 0.0, 0.1) if n else estimate(NAN, NAN, NAN),
        pairs=pairs,
        episodes=sources,
        treatments=(),
        protectors=(),
        rate_upper_per_week=None if n else 3 / (days / 7),
        merged=1 if n else 0,
        chain_gap=0.018 if n else NAN,
        sweeps=4000 if n else 0,
        checks={"placebo_best": 0.22, "shifts": 80} if n else {},
        cause_draws=_cause_draws(results, np.random.default_rng(seed)) if n else np.zeros((0, len(results))),
        intensity=intensity,
    )
    weeks = days / 7
    verdict = "conclude" if n >= 40 and weeks >= 12 else "rank" if n >= 15 and weeks >= 6 else "more" if n else "none"
    timeline = Timeline(
        person=Person("p01", "Asia/Tokyo", simulated=simulated),
        zones=ZONES,
        series=_series(grid_, rng),
        episodes=tuple(Episode(start) for start in starts),
        treatments=tuple(Treatment(time, "acupuncture", ("GB20", "LI4")) for time in sessions),
        problems=(Problem("episodes.csv", 12, "25:61", "this is not a time; write it as 2026-02-03T14:30"),),
    )
    first = sessions[0] if sessions else START
    before = sum(start < first for start in starts)
    crude = ((n - before) / (days - 41)) / (before / 41) if before else NAN
    counts = (before, len(starts) - before, 41, round(days - 41))
    effects = (TreatmentEffect("acupuncture", estimate(0.87, 0.62, 1.2), 0.78, 0.22, crude, *counts, 6, True),)
    more = (
        MoreData("caffeine", 14.2, 22.0, 31.5, 3.6, 5.6, 8.0, True),
        MoreData("sleep_debt", 60, 90, 140, 30, 60, 90, False),
    )
    return Findings(
        unaji="0.1.0",
        claims=claims(),
        timeline=timeline,
        seed=1,
        enough=Enough(verdict, n, weeks),
        red_flags=(),
        attribution=attribution,
        design=Design(grid_, triggers, tuple(Onset(start) for start in starts), courses),
        observed=ObservedTime(grid_, Interval(START, START + timedelta(days=days)), 0, False, ()),
        episodes=tuple(_episodes(starts, sources, rng)),
        treatments=effects if with_treatment and n else (),
        outcomes=OUTCOMES if with_treatment and n else (),
        weeks=_weeks(grid_, intensity, 41 if with_treatment else None) if n else (),
        more_data=more if n else (),
        state=_state(grid_, rng),
        neck=_neck(tuple(one.id for one in results if one.verdict in NAMED)),
        warnings=("nights_assumed:3", "filled:desk_load:0.41", "rows_rejected:1"),
    )


def null() -> Findings:
    """Return a person whose records explain nothing."""
    causes = tuple(
        result(one, Verdict.UNLIKELY, 0.04, (0.02, 0.0, 0.09), 46) for one in ("pressure_drop", "desk_load", "stress")
    )
    return rich(causes=causes, simulated=False, with_treatment=False)


def undecided() -> Findings:
    """Return a person with enough records and nothing settled."""
    causes = (
        result("pressure_drop", Verdict.OPEN, 0.45, (0.15, 0.0, 0.4), 30),
        result("caffeine", Verdict.CANNOT_TELL, 0.06, (0.05, 0.0, 0.25), 30),
    )
    return rich(n=30, causes=causes, simulated=False)


def four_episodes() -> Findings:
    """Return a person with four episodes in two weeks."""
    causes = tuple(
        result(one, Verdict.OPEN, p, (0.2, 0.0, 0.6), 4)
        for one, p in (("pressure_drop", 0.25), ("desk_load", 0.18), ("caffeine", 0.14))
    )
    return rich(days=14, n=4, causes=causes, simulated=False, with_treatment=False)


def no_episodes() -> Findings:
    """Return a person who logged none in four weeks."""
    nothing = (NAN, NAN, NAN)
    causes = tuple(
        result(one, Verdict.CANNOT_TELL, NAN, nothing, 1, shift_p=NAN) for one in ("pressure_drop", "desk_load")
    )
    findings = rich(days=28, n=0, causes=causes, simulated=False, with_treatment=False)
    return replace(findings, design=replace(findings.design, missing=("alcohol", "sleep_debt")))


def fever() -> Findings:
    """Return a person with a fever two days before the record's end."""
    findings = rich(simulated=False)
    at = START + timedelta(days=82, hours=5)
    flag = findings.claims.red_flags[1]
    hot = Series("body_temp_c", np.array([utc_ms(at)]), np.array([38.6]))
    sick = EpisodeFinding(
        Episode(at, intensity=9.0), {}, (), {"core": 0.9, "undetermined": 0.1}, {"body_temp_c": 38.6}, True
    )
    return replace(
        findings,
        red_flags=(RaisedFlag(flag, (at,), 38.6),),
        timeline=replace(findings.timeline, series=(*findings.timeline.series, hot)),
        episodes=tuple(sorted((*findings.episodes, sick), key=lambda one: one.episode.start)),
    )


def emergency() -> Findings:
    """Return a person who logged a sign that needs an ambulance, long ago, and a recent fever."""
    findings = fever()
    flag = RaisedFlag(findings.claims.red_flags[0], (START + timedelta(days=20),))
    return replace(findings, red_flags=(*findings.red_flags, flag))


def old_fever() -> Findings:
    """Return a person whose only fever is two months old: listed, no longer in front of everything."""
    findings = rich(simulated=False)
    at = START + timedelta(days=10)
    return replace(findings, red_flags=(RaisedFlag(findings.claims.red_flags[1], (at,), 38.2),))


def pair() -> Findings:
    """Return a person with two causes that cannot be told apart."""
    causes = (
        result("stress", Verdict.OPEN, 0.55, (0.2, 0.0, 0.45), 46),
        result("desk_load", Verdict.OPEN, 0.48, (0.18, 0.0, 0.45), 46),
        result("pressure_drop", Verdict.UNLIKELY, 0.03, (0.01, 0.0, 0.06), 46),
    )
    return rich(causes=causes, pairs=(Pair(("stress", "desk_load"), 0.93, -0.8),), simulated=False)


def no_signals() -> Findings:
    """Return a person with a diary and nothing else."""
    findings = rich(simulated=False, with_treatment=False)
    bare = tuple(replace(one, pathway={"undetermined": 1.0}, measured={}) for one in findings.episodes)
    return replace(findings, state=None, episodes=bare, timeline=replace(findings.timeline, series=()))


def malicious() -> Findings:
    """Return a person whose notes and ids try to get out of their place."""
    findings = rich(n=20)
    evil = "<script>alert(1)</script>\"'><img src=https://evil.example/x onerror=alert(2)>"
    episodes = tuple(replace(one, episode=replace(one.episode, note=evil)) for one in findings.episodes)
    timeline = replace(
        findings.timeline,
        person=replace(findings.timeline.person, id=evil),
        problems=(Problem(evil, 1, evil, evil),),
        treatments=tuple(replace(one, kind=evil) for one in findings.timeline.treatments),
    )
    effects = tuple(replace(one, kind=evil) for one in findings.treatments)
    return replace(findings, episodes=episodes, timeline=timeline, treatments=effects, warnings=(evil,))


CASES = {
    "rich": rich,
    "null": null,
    "undecided": undecided,
    "four_episodes": four_episodes,
    "no_episodes": no_episodes,
    "fever": fever,
    "emergency": emergency,
    "old_fever": old_fever,
    "pair": pair,
    "no_signals": no_signals,
    "malicious": malicious,
}
