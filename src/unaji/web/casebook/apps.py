"""The app with all tables."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CasebookConfig(AppConfig):
    """The only app with tables of unaji's own."""

    name = "unaji.web.casebook"
    label = "casebook"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """See that what can be agreed to is in the database, and that it is known what does which job."""
        post_migrate.connect(_put_consent_texts, sender=self)
        import_module("unaji.web.casebook.actions.imports")  # what does the jobs registers itself
        import_module("unaji.web.casebook.actions.explanations")
        import_module("unaji.web.casebook.actions.exports")
        import_module("unaji.web.casebook.actions.trials")


def _put_consent_texts(**_: Any) -> None:
    from unaji.web.casebook.actions.consents import put_texts  # noqa: PLC0415  # models are loaded only now

    put_texts()
