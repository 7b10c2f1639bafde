"""The public pages: articles, who wrote them, what changed, and a way to ask."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from unaji.claims.publication import Publication
from unaji.web.access import anyone
from unaji.web.casebook.actions.questions import MOST_CHARACTERS
from unaji.web.public import asking, cards, feeds, told
from unaji.web.public.pages import Made, handed_out, start_of
from unaji.web.public.shelf import contributors, find_article
from unaji.web.public.situations import SCHEMES, WIDTHS_PX, situations_of
from unaji.web.words import spoken, words


@anyone
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show a person their own screen, and everybody else the articles in their language."""
    if request.user.is_authenticated:
        return redirect("/now")
    return redirect("public:index", spoken())


@anyone
@require_safe
def index(request: HttpRequest, language: str) -> HttpResponse:
    """All articles."""
    return handed_out(request, lambda: told.index_page(language))


@anyone
@require_safe
def article(request: HttpRequest, language: str, slug: str) -> HttpResponse:
    """One article."""
    found = _article(slug)
    return handed_out(request, lambda: told.article_page(found, language))


@anyone
@require_safe
def answers(request: HttpRequest, language: str, slug: str, leaf: int = 1) -> HttpResponse:
    """All questions on an article with their answers."""
    found = _article(slug)
    if leaf > 1 and leaf > told.leaves(found, language):
        raise Http404
    return handed_out(request, lambda: told.answers_page(found, language, leaf))


@anyone
@require_safe
def picture(request: HttpRequest, language: str, slug: str, situation: str, width: str, scheme: str) -> HttpResponse:
    """One drawing of an article's figure."""
    found = _article(slug)
    if situation not in found.situations or width not in WIDTHS_PX or scheme not in SCHEMES:
        raise Http404

    def make() -> Made:
        one = next(one for one in situations_of(found) if one.id == situation)
        drawn = one.pictures[language, width]
        return Made(drawn.light if scheme == "light" else drawn.dark, start_of(found.updated), "image/svg+xml")

    return handed_out(request, make)


@anyone
@require_safe
def card(request: HttpRequest, language: str, name: str) -> HttpResponse:
    """The picture of a page where its address is shared; its name changes with what it shows."""
    file = cards.file_of(name)
    if file is None:
        raise Http404
    response = HttpResponse(file.read_bytes(), content_type="image/png")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is there to be shown elsewhere
    return response


@anyone
@require_safe
def person(request: HttpRequest, language: str, person_id: str) -> HttpResponse:
    """Somebody who wrote or checked an article."""
    found = contributors().get(person_id)
    if found is None:
        raise Http404
    return handed_out(request, lambda: told.person_page(found, language))


@anyone
@require_safe
def grades(request: HttpRequest, language: str) -> HttpResponse:
    """How evidence is graded."""
    return handed_out(request, lambda: told.grades_page(language))


@anyone
@require_safe
def corrections(request: HttpRequest, language: str) -> HttpResponse:
    """What had to be put right."""
    return handed_out(request, lambda: told.corrections_page(language))


@anyone
@require_safe
def feed(request: HttpRequest, language: str) -> HttpResponse:
    """What changed, as Atom."""
    return handed_out(request, lambda: feeds.feed(language))


@anyone
@require_safe
def site_map(request: HttpRequest) -> HttpResponse:
    """All public pages."""
    return handed_out(request, feeds.site_map)


@anyone
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What robots may look at."""
    return handed_out(request, feeds.robots)


# -- asking ------------------------------------------------------------------------------------------------------------


@anyone
@csrf_exempt  # see `unaji.web.public.asking`: there is no cookie to compare with, and a token of its own
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, language: str, slug: str) -> HttpResponse:
    """Ask a question about an article."""
    found, text, error, status = _article(slug), "", "", 200
    if request.method == "POST":
        form = asking.Form.of(request)
        try:
            asking.take(request, form, found, language)
        except asking.RefusedError as refused:
            text, error, status = form.text, words()(str(refused), most=MOST_CHARACTERS), refused.status
        else:
            return _not_kept(redirect("public:asked", language, slug))
    context = told.common(language, "public:ask", slug) | {
        "title": found.claims.title.in_(language),
        "article_url": reverse("public:article", args=[language, slug]),
        "slug": slug,
        "text": text,
        "error": error,
        "token": asking.token(found, language),
        "trap": asking.HONEYPOT,
        "most": MOST_CHARACTERS,
    }
    return _not_kept(HttpResponse(render_to_string("public/ask.html", context), status=status))


@anyone
@require_safe
def asked(request: HttpRequest, language: str, slug: str) -> HttpResponse:
    """Thank for a question."""
    found = _article(slug)
    return handed_out(request, lambda: told.asked_page(found, language))


def _article(slug: str) -> Publication:
    found = find_article(slug)
    if found is None:
        raise Http404
    return found


def _not_kept(response: HttpResponse) -> HttpResponse:
    """Keep a page with a token or a reader's words out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response
