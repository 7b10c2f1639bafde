"""Agreements below 18: from 15 on both agree, the person and whoever has custody."""

from __future__ import annotations

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

sealed_rows = import_module("unaji.web.casebook.migrations.0002_sealed_rows")

KNOWN = ["self", "both", "guardian"]
FORMER = ["self", "guardian"]
NAME = "consent_given_by_known"


def unseal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the triggers away: SQLite makes a table anew to change a constraint, and loses them without a word."""
    sealed_rows.remove(apps, schema_editor)


def seal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put the triggers."""
    sealed_rows.add(apps, schema_editor)


def say_guardian(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """On the way back: that the person agreed as well could not be said."""
    apps.get_model("casebook", "Consent")._default_manager.filter(given_by="both").update(given_by="guardian")


class Migration(migrations.Migration):
    dependencies = [("casebook", "0004_beat")]

    operations = [
        migrations.RunPython(unseal, seal),
        migrations.AlterField(
            "consent",
            "given_by",
            models.CharField(
                choices=[("self", "Self"), ("both", "Both"), ("guardian", "Guardian")], default="self", max_length=10
            ),
        ),
        migrations.RemoveConstraint("consent", NAME),
        migrations.AddConstraint(
            "consent", models.CheckConstraint(condition=models.Q(("given_by__in", KNOWN)), name=NAME)
        ),
        migrations.RunPython(migrations.RunPython.noop, say_guardian),
        migrations.RunPython(seal, unseal),
    ]
