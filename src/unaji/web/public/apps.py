"""An audience without tables."""

from __future__ import annotations

from django.apps import AppConfig


class PublicConfig(AppConfig):
    """See the package."""

    name = "unaji.web.public"
    label = "public"
