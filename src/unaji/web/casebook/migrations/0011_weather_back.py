"""On the way back, what the tables did not know before there was weather is removed; forwards there is nothing to do.

A step of its own: PostgreSQL changes no table in the transaction that has just removed rows of it.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def remove_rows(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove agreements to the weather with their wordings, and its jobs."""
    for model, field in (("Job", "kind"), ("Consent", "purpose"), ("ConsentText", "purpose")):
        rows = apps.get_model("casebook", model)._default_manager
        rows.filter(**{f"{field}__in": ["weather", "no_weather"]}).delete()


class Migration(migrations.Migration):
    dependencies = [("casebook", "0010_weather")]

    operations = [migrations.RunPython(migrations.RunPython.noop, remove_rows)]
