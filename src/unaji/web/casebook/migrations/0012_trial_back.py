"""On the way back, jobs that ask what a trial found are removed, which the table did not know before; forwards, nothing.

A step of its own: PostgreSQL changes no table in the transaction that has just removed rows of it.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def remove_jobs(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the jobs; what they found lies in the person's folder and stays."""
    apps.get_model("casebook", "Job")._default_manager.filter(kind="trial").delete()


class Migration(migrations.Migration):
    dependencies = [("casebook", "0011_weather_back")]

    operations = [migrations.RunPython(migrations.RunPython.noop, remove_jobs)]
