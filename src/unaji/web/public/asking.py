"""Take a reader's question from a page that sets no cookie.

Django's protection against forged requests compares a form with a cookie, and the public pages set none. What it guards
is missing here too: the form acts in nobody's name and reads no session, so a forged request could do no more than what
its author could do by themselves. Three things stand in for it, which keep out what is sent blindly:

- the form carries a token, signed with the time and the page it was made for, good for `OPEN_FOR_S`;
- a browser says where a form comes from (``Origin``, ``Sec-Fetch-Site``), and from elsewhere it is refused;
- a field that no person sees stays empty, and an address sends a few questions an hour at most.

The address itself is never stored: what is counted is a keyed hash of it that nobody can turn back without the app's
secret, and that is forgotten within the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from unaji.claims.publication import Publication
from unaji.web.addresses import counted_as
from unaji.web.casebook.actions import questions

OPEN_FOR_S = 4 * 3_600
WINDOW_S = 3_600
MOST_OF_ONE, MOST_OF_ALL = 3, 60
"""Questions within `WINDOW_S`, from one address and from all together."""
HONEYPOT = "website"

_SALT = "unaji.web.public.asking"


class RefusedError(ValueError):
    """A question that is not taken. The message is a key of the words.

    Attributes
    ----------
    status : int
        Of the answer: 422 where the reader can put it right, 403 or 429 where not now.
    """

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent."""

    text: str
    token: str
    trap: str

    @classmethod
    def of(cls, request: HttpRequest) -> Form:
        """Read it from a request."""
        said = request.POST
        return cls(said.get("text", ""), said.get("token", ""), said.get(HONEYPOT, ""))


def token(article: Publication, language: str) -> str:
    """Return the token of a form that is opened now."""
    return TimestampSigner(salt=_SALT).sign(_page(article, language))


def take(request: HttpRequest, form: Form, article: Publication, language: str) -> None:
    """Keep the question of a form.

    Raises
    ------
    RefusedError
        It came from elsewhere, too late, too often, or is too short or too long.
    """
    if not _is_from_here(request):
        raise RefusedError("ask.error.elsewhere", 403)
    _check_token(form.token, article, language)
    if form.trap:
        return  # a program filled the field that nobody sees; it is told what everybody is told
    if len(questions.plain_text(form.text)) < questions.LEAST_CHARACTERS:
        raise RefusedError("ask.error.short", 422)
    if len(questions.plain_text(form.text)) > questions.MOST_CHARACTERS:
        raise RefusedError("ask.error.long", 422)
    if not (_counted(f"ask-{_hashed(counted_as(request))}", MOST_OF_ONE) and _counted("ask-all", MOST_OF_ALL)):
        raise RefusedError("ask.error.often", 429)
    questions.ask(article=article.claims.id, language=language, text=form.text)


def _page(article: Publication, language: str) -> str:
    return f"{language}/{article.slug}"


def _check_token(said: str, article: Publication, language: str) -> None:
    try:
        page = TimestampSigner(salt=_SALT).unsign(said, max_age=OPEN_FOR_S)
    except SignatureExpired:
        raise RefusedError("ask.error.late", 422) from None
    except BadSignature:
        raise RefusedError("ask.error.elsewhere", 403) from None
    if page != _page(article, language):
        raise RefusedError("ask.error.elsewhere", 403)


def _is_from_here(request: HttpRequest) -> bool:
    """Say whether a browser calls the form its own; one that says nothing is believed, its token decides."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin == settings.ORIGIN or (urlsplit(origin).netloc == request.get_host() and origin != "null")


def _hashed(address: str) -> str:
    return salted_hmac(_SALT, address, algorithm="sha256").hexdigest()[:32]


def _counted(key: str, most: int) -> bool:
    """Count one more within the window and say whether that is still few enough."""
    if cache.add(key, 1, WINDOW_S):
        return True
    try:
        return cache.incr(key) <= most
    except ValueError:  # the window ended in between
        cache.set(key, 1, WINDOW_S)
        return True
