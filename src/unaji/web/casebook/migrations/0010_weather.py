"""What the weather needs: a purpose that is agreed to by itself, and two kinds of jobs."""

from __future__ import annotations

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

sealed_rows = import_module("unaji.web.casebook.migrations.0002_sealed_rows")

FORMER_PURPOSES = [
    ("care", "Care"),
    ("wearable_import", "Wearable Import"),
    ("share_with_practitioner", "Share With Practitioner"),
    ("case_publication", "Case Publication"),
    ("research_pooled", "Research Pooled"),
    ("contact", "Contact"),
]
PURPOSES = [*FORMER_PURPOSES, ("weather", "Weather")]
FORMER_KINDS = [
    ("look", "Look"),
    ("store", "Store"),
    ("undo", "Undo"),
    ("explain", "Explain"),
    ("export", "Export"),
    ("trial", "Trial"),
]
KINDS = [*FORMER_KINDS, ("weather", "Weather"), ("no_weather", "No Weather")]


def unseal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the triggers away: SQLite makes a table anew to change a constraint, and loses them without a word."""
    sealed_rows.remove(apps, schema_editor)


def seal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put the triggers."""
    sealed_rows.add(apps, schema_editor)


def known(
    model: str, field: str, values: list[tuple[str, str]], name: str
) -> list[migrations.operations.base.Operation]:
    """Let a column hold these values and no others."""
    length = 30 if field == "purpose" else 10
    condition = models.Q((f"{field}__in", [value for value, _ in values]))
    return [
        migrations.AlterField(model, field, models.CharField(choices=values, max_length=length)),
        migrations.RemoveConstraint(model, name),
        migrations.AddConstraint(model, models.CheckConstraint(condition=condition, name=name)),
    ]


class Migration(migrations.Migration):
    dependencies = [("casebook", "0009_job_trial")]

    operations = [
        migrations.RunPython(unseal, seal),
        *known("consenttext", "purpose", PURPOSES, "consent_text_purpose_known"),
        *known("consent", "purpose", PURPOSES, "consent_purpose_known"),
        *known("job", "kind", KINDS, "job_kind_known"),
        migrations.RunPython(seal, unseal),
    ]
