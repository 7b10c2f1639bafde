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
        import_module("unaji.web.casebook.actions.weather")


def _put_consent_texts(apps: Any = None, **_: Any) -> None:
    from unaji.web.casebook.actions.consents import put_texts  # noqa: PLC0415  # models are loaded only now

    put_texts(_purposes_of(apps))


def _purposes_of(apps: Any) -> frozenset[str]:
    """Return the purposes that the tables know as they now are: fewer where somebody has migrated back."""
    from unaji.web.casebook.models.consent import Purpose  # noqa: PLC0415

    if apps is None:  # tables that were emptied, not migrated
        return frozenset(Purpose.values)
    try:
        purpose = apps.get_model("casebook", "ConsentText")._meta.get_field("purpose")
    except LookupError:
        return frozenset()
    return frozenset(value for value, _ in purpose.choices)
