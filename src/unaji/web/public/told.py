"""What the public pages say: an article's claims, people and questions, laid out for the templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import SafeString

from unaji.claims.graph import citations
from unaji.claims.model import Cause, Claims, Grade, RedFlag, Section, Source, TreatmentClaim, Urgency, Words
from unaji.claims.publication import Contributor, Publication
from unaji.claims.table import JAPANESE
from unaji.report.spreads import is_nothing, is_the_same, say_change, say_range
from unaji.report.words import Catalogue, plain
from unaji.report.words import catalogue as report_words
from unaji.web.casebook.models import Question
from unaji.web.casebook.models.question import QuestionQuerySet
from unaji.web.public import marked_up
from unaji.web.public.cards import HEIGHT_PX, WIDTH_PX, Card, card_of, card_of_index, name_of
from unaji.web.public.pages import Made, start_of, today
from unaji.web.public.shelf import shelf
from unaji.web.public.situations import FELT, FLOW, N_PERSONS, QUANTITIES, Situation, situations_of
from unaji.web.public.text import markdown, paragraphs
from unaji.web.words import LANGUAGES, words

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""When a page changed that tells of articles where there are none."""
SHOWN_QUESTIONS, SHOWN_CHARACTERS = 5, 1200
"""An article is read on a phone: it shows as many of its newest questions with their answers, and leads to the rest."""
QUESTIONS_A_LEAF = 20
"""Questions on a page of all of them."""


# "Muller MD, Sauder CL. …", "Larsson et al. …", "Yu, Sato et al. …" and "Oka T. …", as journals of medicine cite.
_AUTHORS = re.compile(r"(?P<first>[^\W\d_][\w'’-]+)(?:(?: [A-Z]{1,3})?,| et al| [A-Z]{1,3}(?P<alone>\.))")
_YEAR = re.compile(r"\b(?:19|20)\d\d(?: or (?:19|20)\d\d)?(?=[;.,]|$| [A-Z])")


@dataclass(frozen=True, slots=True)
class Told:
    """A text with its grade, in the words of a badge."""

    text: str
    grade: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A source with the number it has on the page."""

    n: int
    source: Source

    @property
    def language(self) -> str:
        """What its citation is written in, for its ``lang``."""
        return "ja" if JAPANESE.match(self.source.citation) else "en"

    @property
    def short(self) -> str:
        """Who wrote it and when, as it is named beside a claim; the whole citation where that cannot be told from it.

        The list of all sources has the whole: some are the source of ten claims, and a page is read over the air.
        """
        authors, year = _AUTHORS.match(self.source.citation), _YEAR.search(self.source.citation)
        if authors is None or year is None:
            return self.source.citation
        return f"{authors['first']}{'' if authors['alone'] else ' et al.'} {year[0]}"


@dataclass(frozen=True, slots=True)
class ClaimTold:
    """One claim of a section: what is said, how well it is proven, by which ways and which sources.

    Attributes
    ----------
    is_first : bool
        Whether the page has not told this claim before; a link to the claim leads here.
    """

    id: str
    name: str
    text: str
    grade: str
    routes: tuple[Told, ...]
    sources: tuple[Numbered, ...]
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class SectionTold:
    """One section; `grade` is that of the first claim it is tied to, and empty where it claims nothing graded."""

    id: str
    n: int
    heading: str
    text: SafeString
    grade: str
    claims: tuple[ClaimTold, ...]
    sources: tuple[Numbered, ...]
    situations: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class QuestionTold:
    """A published question with its answer and the claims the answer rests on."""

    id: str
    asked: list[str]
    answered: list[str]
    day: datetime
    claims: tuple[ClaimTold, ...]

    @property
    def asked_text(self) -> str:
        """The question as one text."""
        return "\n".join(self.asked)

    @property
    def answered_text(self) -> str:
        """The answer as one text."""
        return "\n".join(self.answered)


# -- pages -------------------------------------------------------------------------------------------------------------


def article_page(article: Publication, language: str) -> Made:
    """Make the page of an article."""
    with translation.override(language):
        numbers = _numbers(article.claims)
        asked = asked_about(article, language)
        questions = _questions(newest(asked), article, language, numbers)
        overdue = article.is_overdue(today())
        sources = tuple(Numbered(numbers[one], article.claims.sources[one]) for one in numbers)
        context = (
            common(language, "public:article", article.slug)
            | shared(card_of(article, language))
            | {
                "article": article,
                "title": article.claims.title.in_(language),
                "symptom": article.claims.symptom.in_(language),
                "category": article.category.in_(language),
                "summary": article.summary.in_(language),
                "days": _days(article),
                "overdue": words()("article.overdue", day=say_date(article.next_review)) if overdue else "",
                "people": [
                    _person(article.author, language, "author"),
                    _person(article.reviewer, language, "reviewer"),
                ],
                "flags": _flags(article.claims, language),
                "sections": _sections(article, language, numbers),
                "people_played": N_PERSONS,
                "questions": questions,
                "questions_n": len(asked),
                "sources": sources,
                "corrections": _corrections(article, language),
                "published_time": article.published.isoformat(),
                "modified_time": article.updated.isoformat(),
            }
        )
        context["marked_up"] = marked_up.of_article(
            article,
            language,
            context["canonical"],
            context["index_url"],
            [one.source for one in sources],
            questions,
            context["card"],
        )
        return Made(render_to_string("public/article.html", context), changed_at(article, language))


def answers_page(article: Publication, language: str, leaf: int) -> Made:
    """Make a page of all questions on an article, newest first; the first leaf is 1."""
    with translation.override(language):
        asked, begin = asked_about(article, language), (leaf - 1) * QUESTIONS_A_LEAF
        numbers = _numbers(article.claims)
        questions = _questions(asked[begin : begin + QUESTIONS_A_LEAF], article, language, numbers)
        # Another language may have fewer leaves, so that every leaf leads to the first one there.
        context = (
            common(language, "public:answers", article.slug)
            | shared(card_of(article, language))
            | {
                "canonical": settings.ORIGIN + _leaf_url(article, language, leaf),
                "title": article.claims.title.in_(language),
                "article_url": reverse("public:article", args=[language, article.slug]),
                "ask_url": reverse("public:ask", args=[language, article.slug]),
                "questions": questions,
                "newer_url": _leaf_url(article, language, leaf - 1) if leaf > 1 else "",
                "older_url": _leaf_url(article, language, leaf + 1) if len(asked) > begin + QUESTIONS_A_LEAF else "",
            }
        )
        context["marked_up"] = marked_up.of_questions(language, context["canonical"], questions)
        return Made(render_to_string("public/answers.html", context), changed_at(article, language))


def _leaf_url(article: Publication, language: str, leaf: int) -> str:
    if leaf == 1:
        return reverse("public:answers", args=[language, article.slug])
    return reverse("public:older_answers", args=[language, article.slug, leaf])


def index_page(language: str) -> Made:
    """Make the list of all articles, by category."""
    with translation.override(language):
        groups: dict[str, list[dict[str, Any]]] = {}
        for one in shelf():
            groups.setdefault(one.category.in_(language), []).append(_listed(one, language))
        context = common(language, "public:index") | shared(card_of_index(language)) | {"groups": groups}
        return Made(render_to_string("public/index.html", context), last_changed(shelf()))


def person_page(person: Contributor, language: str) -> Made:
    """Make the profile of somebody who wrote or checked an article."""
    with translation.override(language):
        theirs = [one for one in shelf() if person.id in (one.author.id, one.reviewer.id)]
        context = (
            common(language, "public:person", person.id)
            | shared(card_of_index(language))
            | {
                "one": _person(person, language),
                "wrote": [_listed(one, language) for one in theirs if one.author.id == person.id],
                "checked": [_listed(one, language) for one in theirs if one.reviewer.id == person.id],
            }
        )
        return Made(render_to_string("public/person.html", context), last_changed(theirs))


def grades_page(language: str) -> Made:
    """Make the page that says what the grades mean."""
    with translation.override(language):
        context = common(language, "public:grades") | shared(card_of_index(language))
        context["grades"] = [str(one) for one in Grade]
        return Made(render_to_string("public/grades.html", context), last_changed(shelf()))


def corrections_page(language: str) -> Made:
    """Make the list of everything that had to be put right."""
    with translation.override(language):
        corrected = [
            {"title": one.claims.title.in_(language), "url": reverse("public:article", args=[language, one.slug]),
             "corrections": _corrections(one, language)}
            for one in shelf() if one.corrections
        ]  # fmt: skip
        context = common(language, "public:corrections") | shared(card_of_index(language))
        context["corrected"] = corrected
        return Made(render_to_string("public/corrections.html", context), last_changed(shelf()))


def asked_page(article: Publication, language: str) -> Made:
    """Make the page that thanks for a question."""
    with translation.override(language):
        context = common(language, "public:asked", article.slug) | {
            "title": article.claims.title.in_(language),
            "article_url": reverse("public:article", args=[language, article.slug]),
        }
        return Made(render_to_string("public/asked.html", context), start_of(article.published))


def last_changed(articles: Iterable[Publication]) -> datetime:
    """Return when the newest of some articles was changed."""
    return max((start_of(one.updated) for one in articles), default=LONG_AGO)


def asked_about(article: Publication, language: str) -> list[Question]:
    """Return the published questions on an article in a language, newest first."""
    return list(_published(article, language).select_related("answer").reverse())


def newest(asked: Sequence[Question]) -> list[Question]:
    """Return those of the newest questions that an article has room for with their answers."""
    shown: list[Question] = []
    room = SHOWN_CHARACTERS
    for one in asked[:SHOWN_QUESTIONS]:
        room -= len(one.moderated_text) + len(one.answer.text)
        if room < 0:
            break
        shown.append(one)
    return shown


def leaves(article: Publication, language: str) -> int:
    """Return on how many pages all questions stand; one where there is none yet."""
    return max(1, -(-_published(article, language).count() // QUESTIONS_A_LEAF))


def _published(article: Publication, language: str) -> QuestionQuerySet:
    return Question.objects.published().filter(article=article.claims.id, language=language)


def changed_at(article: Publication, language: str) -> datetime:
    """Return when the page of an article last changed: its text, its questions, or that its review became overdue."""
    moments = [start_of(article.updated)]
    if article.is_overdue(today()):
        moments.append(start_of(article.next_review + timedelta(days=1)))
    asked = Question.objects.filter(article=article.claims.id, language=language)
    last: datetime | None = asked.aggregate(last=Max("changed_at"))["last"]
    return max(moments if last is None else [*moments, last])


def say_date(day: date) -> str:
    """Say a date with its year."""
    say = words()
    return say("article.date", year=day.year, month=say(f"date.month.{day.month}"), day=day.day)


def shared(card: Card) -> dict[str, Any]:
    """Return what a page says of the picture by which it is shared; the app's icon where there is none."""
    name = name_of(card)
    if not name:
        return {"card": None}
    url = reverse("public:card", args=[card.language, name])
    return {"card": {"url": settings.ORIGIN + url, "width": WIDTH_PX, "height": HEIGHT_PX, "alt": card.alt}}


def common(language: str, name: str, *args: str) -> dict[str, Any]:
    """Return what every public page needs: its address, the same page in other languages, where to go from it."""

    def address(of: str, *more: str) -> str:
        return f"{settings.ORIGIN}{reverse(name, args=[of, *more])}"

    others = [{"language": one, "path": reverse(name, args=[one, *args]), "url": address(one, *args)}
              for one in LANGUAGES]  # fmt: skip
    return {
        "language": language,
        "origin": settings.ORIGIN,
        "canonical": address(language, *args),
        "alternates": others,
        "default_url": address("ja", *args),
        "index_url": f"{settings.ORIGIN}{reverse('public:index', args=[language])}",
    }


# -- parts -------------------------------------------------------------------------------------------------------------


def _days(article: Publication) -> list[dict[str, str]]:
    named = {"published": article.published, "updated": article.updated, "last_reviewed": article.last_reviewed}
    return [
        {"name": words()(f"article.day.{name}"), "iso": day.isoformat(), "said": say_date(day), "id": name}
        for name, day in named.items()
    ]


def _person(person: Contributor, language: str, part: str = "") -> dict[str, Any]:
    return {
        "id": person.id,
        "part": part,
        "name": person.name.in_(language),
        "kana": person.kana,
        "invented": person.invented,
        "role": person.role.in_(language),
        "licences": [one.name.in_(language) for one in person.shown_licences],
        "titles": [one.in_(language) for one in person.titles],
        "societies": [one.in_(language) for one in person.societies],
        "profile": person.profile.in_(language),
        "links": [{"name": one.name.in_(language), "url": one.url} for one in person.links],
        "url": reverse("public:person", args=[language, person.id]),
    }


def _listed(article: Publication, language: str) -> dict[str, Any]:
    return {
        "title": article.claims.title.in_(language),
        "symptom": article.claims.symptom.in_(language),
        "summary": article.summary.in_(language),
        "url": reverse("public:article", args=[language, article.slug]),
        "updated": say_date(article.updated),
        "updated_iso": article.updated.isoformat(),
    }


def _flags(claims: Claims, language: str) -> list[str]:
    """Return the signs for which an ambulance is called, in the words of the red flags."""
    return [one.question.in_(language) for one in claims.red_flags if one.urgency is Urgency.EMERGENCY]


def _corrections(article: Publication, language: str) -> list[dict[str, str]]:
    return [
        {"iso": one.day.isoformat(), "day": say_date(one.day), "what": one.what.in_(language)}
        for one in article.corrections
    ]


def _numbers(claims: Claims) -> dict[str, int]:
    """Number the sources in the order in which the article's sections come to them."""
    ids = [claim for section in claims.article["ja"] for claim in section.claims]
    return {source.id: n for n, source in enumerate(citations(claims, ids), start=1)}


def _sections(article: Publication, language: str, numbers: dict[str, int]) -> list[SectionTold]:
    claims = {one.id: one for one in article.claims.claims}
    told: list[SectionTold] = []
    seen: set[str] = set()
    for n, section in enumerate(article.claims.article[language], start=1):
        graded = [one for one in (claims[name] for name in section.claims) if not isinstance(one, RedFlag)]
        flagged = [source for name in section.claims for source in claims[name].sources] if not graded else []
        told.append(
            SectionTold(
                id=section.id,
                n=n,
                heading=section.heading,
                text=markdown(section.text),
                grade=str(graded[0].grade) if graded else "",
                claims=tuple(
                    replace(_claim(one, language, numbers, article.claims), is_first=one.id not in seen)
                    for one in graded
                ),
                sources=_numbered(flagged, numbers, article.claims),
                situations=_situations(article, language) if _is_figure_here(article, section) else (),
            )
        )
        seen.update(section.claims)
    return told


def _is_figure_here(article: Publication, section: Section) -> bool:
    return bool(article.situations) and section.id == article.situations_after


def _claim(claim: Cause | TreatmentClaim, language: str, numbers: dict[str, int], claims: Claims) -> ClaimTold:
    steps: Sequence[Any] = claim.routes if isinstance(claim, Cause) else claim.links
    return ClaimTold(
        id=claim.id,
        name=claim.name.in_(language),
        text=claim.claim.in_(language),
        grade=str(claim.grade),
        routes=tuple(Told(one.claim.in_(language), str(one.grade)) for one in steps),
        sources=_numbered(claim.sources, numbers, claims),
    )


def _numbered(ids: Iterable[str], numbers: dict[str, int], claims: Claims) -> tuple[Numbered, ...]:
    return tuple(Numbered(numbers[one], claims.sources[one]) for one in sorted(set(ids), key=numbers.__getitem__))


def _questions(
    asked: Iterable[Question], article: Publication, language: str, numbers: dict[str, int]
) -> list[QuestionTold]:
    known = {one.id: one for one in article.claims.claims}
    return [
        QuestionTold(
            id=str(one.pk),
            asked=paragraphs(one.moderated_text),
            answered=paragraphs(one.answer.text),
            day=one.answer.answered_at,
            claims=tuple(_rested_on(known[name], language, numbers, article.claims)
                         for name in one.answer.claims if name in known),
        )
        for one in asked
    ]  # fmt: skip


def _rested_on(
    claim: Cause | TreatmentClaim | RedFlag, language: str, numbers: dict[str, int], claims: Claims
) -> ClaimTold:
    if isinstance(claim, RedFlag):
        asked: Words = claim.question
        return ClaimTold(claim.id, asked.in_(language), claim.say.in_(language), "", (), ())
    return _claim(claim, language, numbers, claims)


# -- the figure --------------------------------------------------------------------------------------------------------


def _situations(article: Publication, language: str) -> tuple[dict[str, Any], ...]:
    return tuple(_situation(one, article, language) for one in situations_of(article))


def _situation(one: Situation, article: Publication, language: str) -> dict[str, Any]:
    say, flag = words(), one.flag(article.claims)
    phone, desktop = one.pictures[language, "phone"], one.pictures[language, "desktop"]

    def address(width: str, scheme: str) -> str:
        return reverse("public:picture", args=[language, article.slug, one.id, width, scheme])

    return {
        "id": one.id,
        "title": one.title.in_(language),
        "shows": one.shows.in_(language),
        "numbers": [_number(name, one, say) for name in QUANTITIES],
        "when": _when(one.after_s, say),
        "links": [Told(link.claim.in_(language), str(link.grade)) for link in one.links_in(article.claims)],
        "flag": "" if flag is None else flag.say.in_(language),
        "alt": say("figure.alt", title=one.title.in_(language), what=phone.alt),
        "phone": {"width": phone.width, "height": phone.height, "light": address("phone", "light"),
                  "dark": address("phone", "dark")},
        "desktop": {"width": desktop.width, "height": desktop.height, "light": address("desktop", "light"),
                    "dark": address("desktop", "dark")},
    }  # fmt: skip


def _number(name: str, one: Situation, say: Catalogue) -> dict[str, str]:
    """Say a number in the middle of people, and between which values nine in ten of them lie."""
    before, peak, spread = plain(one.before[name]), plain(one.peak[name]), one.ranges[name]
    of_report, told_range = report_words(say.language), ""
    if is_the_same(spread) if name == FLOW else is_nothing(spread):
        value = say("figure.as_before") if name == FLOW else say("figure.same", value=_unit(name, before, say))
    elif name == FLOW:
        times = plain(one.peak[name] / one.before[name])  # as the picture says it
        value, told_range = (_unit(name, said, say) for said in (times, say_range(spread, of_report)))
    else:
        value = _unit(name, before if before == peak else say("figure.change", before=before, peak=peak), say)
        told_range = say_range(spread, of_report) if name == FELT else say_change(spread, of_report)
    return {"name": say(f"figure.name.{name}"), "value": value, "range": told_range}


def _unit(name: str, value: str, say: Catalogue) -> str:
    return say(f"figure.unit.{name}", value=value)


def _when(after_s: float, say: Catalogue) -> str:
    if after_s < 2 * 3_600:
        return say("figure.minutes", n=round(after_s / 60))
    return say("figure.hours", n=round(after_s / 3_600))
