"""An article's ``model.toml``, read into the types of `unaji.claims.model` and checked against the vocabulary.

The file has the tables ``title`` and ``symptom``, then, each by id: ``links`` (steps of cause and effect with their
grades), ``causes`` (with ``signals`` and ``routes``, a route being a chain of links), ``treatments``, ``red_flags``,
``companions`` (complaints that go along), ``sources``, and ``exposures`` where the article speaks of kinds that
`unaji.quantities` does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from unaji.claims.model import (
    DERIVED,
    Cause,
    Claims,
    Family,
    Grade,
    Helpline,
    Link,
    Pathway,
    Reading,
    RedFlag,
    Route,
    Signal,
    Source,
    Threshold,
    Transform,
    TreatmentClaim,
    Urgency,
    Words,
)
from unaji.claims.table import Table, read_table
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS, ExposureKind

LAG_LIMITS_MIN = (5.0, 1440.0)
EXPERIMENTS = ("avoid", "seek")
"""The engine's grid has bins of 5 minutes and its slowest lag is a day [min]."""

_DIALLED = re.compile(r"[0-9]+(-[0-9]+)*")
_OVER_TIME = (Transform.FALL, Transform.RISE, Transform.CHANGE, Transform.LEAKY_MEAN, Transform.BUILD_UP)
_ABOVE = (Transform.EXCESS, Transform.DEBT)


class _Kind(StrEnum):
    LEVEL = "level"
    DOSE = "dose"


class _Shape(StrEnum):
    DOSE = "dose"
    SPAN = "span"


def read_model(file: Path) -> Claims:
    """Read a model file into claims whose article is still empty.

    Raises
    ------
    ClaimsError
        Naming the file, the key and the reason of the first rule that is broken.
    """
    model = read_table(file)
    claims = _claims(file.resolve().parent.name, model)
    model.finish()
    _check_ids_differ(model, claims)
    _check_kinds_differ(model, claims.treatments)
    _check_sources_used(model, claims)
    return claims


@dataclass(frozen=True, slots=True)
class _Known:
    """What has been defined so far and may be referred to."""

    exposures: Mapping[str, ExposureKind]
    sources: Mapping[str, Source]
    links: Mapping[str, Link]
    companions: Mapping[str, Words]
    red_flags: tuple[str, ...]


def _claims(article_id: str, model: Table) -> Claims:
    exposures = {one: _exposure(one, table) for one, table in model.tables("exposures", {}).items()}
    sources = {one: _source(one, table) for one, table in model.tables("sources").items()}
    links = {one: _link(one, table, sources) for one, table in model.tables("links").items()}
    companions = {one: table.as_words() for one, table in model.tables("companions", {}).items()}
    red_flags = tuple(_red_flag(one, table, sources) for one, table in model.tables("red_flags").items())
    known = _Known(EXPOSURES | exposures, sources, links, companions, tuple(flag.id for flag in red_flags))
    causes = tuple(_cause(one, table, known) for one, table in model.tables("causes").items())
    treatments = tuple(_treatment(one, table, links) for one, table in model.tables("treatments", {}).items())
    _check_links_used(model, links, causes, treatments)
    return Claims(
        id=article_id,
        title=model.words("title"),
        symptom=model.words("symptom"),
        causes=causes,
        treatments=treatments,
        red_flags=red_flags,
        companions=companions,
        sources=sources,
        article={},
        exposures=exposures,
    )


def _exposure(exposure_id: str, table: Table) -> ExposureKind:
    if exposure_id in EXPOSURES:
        table.fail("this kind of exposure is known to unaji already; leave it out")
    name = table.words("name")
    kind = ExposureKind(exposure_id, table.choice("shape", _Shape).value, table.text("unit"), name.ja, name.en)
    table.finish()
    return kind


def _source(source_id: str, table: Table) -> Source:
    source = Source(source_id, table.text("citation"), table.text("url", ""), table.flag("checked", True))
    if source.url and not source.url.startswith("https://"):
        table.fail(f"must start with https://, got {source.url!r}", "url")
    table.finish()
    return source


def _link(link_id: str, table: Table, sources: Mapping[str, Source]) -> Link:
    link = Link(link_id, table.words("claim"), table.choice("grade", Grade), _sources(table, sources))
    table.finish()
    return link


def _red_flag(flag_id: str, table: Table, sources: Mapping[str, Source]) -> RedFlag:
    if flag_id in EXPOSURES:
        table.fail("a kind of exposure has this name: logging it would raise the flag")
    flag = RedFlag(
        id=flag_id,
        urgency=table.choice("urgency", Urgency),
        question=table.words("question"),
        say=table.words("say"),
        thinks_of=table.words("thinks_of"),
        sources=_sources(table, sources),
        threshold=_threshold(table.table("threshold")) if "threshold" in table else None,
        tell=table.words("tell") if "tell" in table else None,
        helpline=_helpline(table.table("helpline")) if "helpline" in table else None,
    )
    table.finish()
    return flag


def _helpline(table: Table) -> Helpline:
    helpline = Helpline(table.text("number"), table.words("name"))
    if not _DIALLED.fullmatch(helpline.number):
        table.fail(f"must be digits parted by hyphens, got {helpline.number!r}", "number")
    table.finish()
    return helpline


def _threshold(table: Table) -> Threshold:
    threshold = Threshold(_quantities(table, "quantities"), table.number("at_least"))
    for quantity in (QUANTITIES[name] for name in threshold.quantities):
        if not quantity.low <= threshold.at_least <= quantity.high:
            plausible = f"{quantity.low:g} to {quantity.high:g} {quantity.unit}"
            table.fail(f"must lie within the plausible range of {quantity.name}, {plausible}", "at_least")
    table.finish()
    return threshold


def _cause(cause_id: str, table: Table, known: _Known) -> Cause:
    kind = table.choice("kind", _Kind)
    cause = Cause(
        id=cause_id,
        name=table.words("name"),
        claim=table.words("claim"),
        family=table.choice("family", Family),
        kind=kind.value,
        signals=tuple(_signal(signal, kind, known.exposures) for signal in table.array("signals")),
        lag_min=table.span("lag_min", *LAG_LIMITS_MIN),
        routes=tuple(_route(one, route, known.links) for one, route in table.tables("routes").items()),
        in_article=table.flag("in_article"),
        avoidable=table.flag("avoidable", True),
        red_flags=table.references("red_flags", known.red_flags, "a red flag of this article", ()),
        companions=table.references("companions", known.companions, "a companion complaint of this article", ()),
        experiment=table.references("experiment", EXPERIMENTS, "something to ask for (avoid, seek)", ()),
    )
    if cause.experiment and not cause.exposure_kinds:
        table.fail("what can be changed at will is read from an exposure; this cause has no such signal", "experiment")
    table.finish()
    return cause


def _signal(table: Table, kind: _Kind, exposures: Mapping[str, ExposureKind]) -> Signal:
    reading = table.choice("reading", Reading)
    transform = table.choice("transform", Transform, Transform.VALUE)
    signal = Signal(
        reading=reading,
        names=_names(table, reading, exposures),
        transform=transform,
        over_min=table.positive("over_min") if transform in _OVER_TIME else 0.0,
        above=table.number("above") if transform in _ABOVE else 0.0,
        hold_min=table.positive("hold_min", 30.0),
        sites=table.texts("sites", ()) if reading is Reading.QUANTITY else (),
    )
    _check_kind(table, kind, signal, exposures)
    table.finish()
    return signal


def _check_kind(table: Table, kind: _Kind, signal: Signal, exposures: Mapping[str, ExposureKind]) -> None:
    """Doses are read from doses as they are, levels from anything else; a debt is one of sleep."""
    exposed = signal.reading is Reading.EXPOSURE
    if kind is _Kind.DOSE and not (exposed and signal.transform is Transform.VALUE):
        table.fail("a cause of kind 'dose' is read from exposures, with the transform 'value'")
    shape = _Shape.DOSE if kind is _Kind.DOSE else _Shape.SPAN
    for name in signal.names if exposed else ():
        if exposures[name].shape != shape:
            table.fail(f"a cause of kind '{kind}' needs shape '{shape}'; {name} is a {exposures[name].shape}", "names")
    if signal.transform is Transform.DEBT and not (exposed and signal.names == ("sleep",)):
        table.fail(
            "'debt' adds up missing sleep: the reading must be 'exposure' and the names [\"sleep\"]", "transform"
        )


def _names(table: Table, reading: Reading, exposures: Mapping[str, ExposureKind]) -> tuple[str, ...]:
    if reading is Reading.QUANTITY:
        return _quantities(table, "names")
    vocabulary = {Reading.RATING: RATINGS, Reading.EXPOSURE: exposures, Reading.DERIVED: DERIVED}[reading]
    return table.references("names", vocabulary, f"a known {reading}: {', '.join(vocabulary)}")


def _quantities(table: Table, key: str) -> tuple[str, ...]:
    names = table.references(key, QUANTITIES, "a known quantity (see unaji.quantities)")
    units = {QUANTITIES[name].unit for name in names}
    if len(units) > 1:
        table.fail(f"quantities of different units cannot be combined: {', '.join(sorted(units))}", key)
    return names


def _route(route_id: str, table: Table, known: Mapping[str, Link]) -> Route:
    links = _links(table, known)
    route = Route(
        pathway=table.choice("pathway", Pathway),
        claim=table.words("claim"),
        grade=_weakest(links),
        sources=_each_once(link.sources for link in links),
        id=route_id,
        links=links,
    )
    table.finish()
    return route


def _treatment(treatment_id: str, table: Table, known: Mapping[str, Link]) -> TreatmentClaim:
    links = _links(table, known)
    treatment = TreatmentClaim(
        id=treatment_id,
        kinds=table.texts("kinds"),
        name=table.words("name"),
        claim=table.words("claim"),
        grade=_weakest(links),
        sources=_each_once(link.sources for link in links),
        links=links,
    )
    table.finish()
    return treatment


def _sources(table: Table, known: Mapping[str, Source]) -> tuple[str, ...]:
    return table.references("sources", known, "a source defined under [sources]")


def _links(table: Table, known: Mapping[str, Link]) -> tuple[Link, ...]:
    return tuple(known[one] for one in table.references("links", known, "a link defined under [links]"))


def _each_once(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))


def _weakest(links: Iterable[Link]) -> Grade:
    return max(link.grade for link in links)


def _check_ids_differ(model: Table, claims: Claims) -> None:
    """Causes, treatments and red flags share one namespace: the article's sections are tied to them by id alone."""
    ids = [("causes", cause.id) for cause in claims.causes]
    ids += [("treatments", treatment.id) for treatment in claims.treatments]
    ids += [("red_flags", flag.id) for flag in claims.red_flags]
    home: dict[str, str] = {}
    for group, one in ids:
        if one in home:
            model.fail(f"the id is taken by {home[one]}.{one}; ids must differ", f"{group}.{one}")
        home[one] = group


def _check_links_used(
    model: Table, links: Iterable[str], causes: Iterable[Cause], treatments: Iterable[TreatmentClaim]
) -> None:
    chains = [route.links for cause in causes for route in cause.routes] + [one.links for one in treatments]
    used = {link.id for chain in chains for link in chain}
    for link in links:
        if link not in used:
            model.fail("no route and no treatment uses this link", f"links.{link}")


def _check_kinds_differ(model: Table, treatments: Iterable[TreatmentClaim]) -> None:
    speaks: dict[str, str] = {}
    for treatment in treatments:
        for kind in treatment.kinds:
            if kind in speaks:
                model.fail(f"{kind!r} is spoken of by {speaks[kind]} already", f"treatments.{treatment.id}.kinds")
            speaks[kind] = treatment.id


def _check_sources_used(model: Table, claims: Claims) -> None:
    used = _each_once(claim.sources for claim in claims.claims)
    for source in claims.sources:
        if source not in used:
            model.fail("this source is defined but never used", f"sources.{source}")
