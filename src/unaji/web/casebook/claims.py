"""The article whose claims the app asks after and tests."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from unaji.claims.graph import load_claims
from unaji.claims.model import Claims


def claims_in_use() -> Claims:
    """Return the claims of the article that the settings name."""
    return _loaded(str(settings.ARTICLE))


@cache
def _loaded(article: str) -> Claims:
    return load_claims(article)
