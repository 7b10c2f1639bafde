"""What was signed, answered or audited cannot be changed, whoever asks the database to."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SEALED = {
    "casebook_consenttext": (),
    "casebook_consent": ("withdrawn_at",),
    "casebook_redflagscreen": ("acknowledged_at",),
    "casebook_intake": (),
    "casebook_explanation": (),
    "casebook_auditevent": (),
}
"""Tables whose rows are never changed, but for these columns, which are filled once."""
NEVER_REMOVED = ("casebook_auditevent",)


def _columns(apps: Apps, table: str) -> list[str]:
    model = next(one for one in apps.get_models() if one._meta.db_table == table)
    return [field.column for field in model._meta.local_fields if field.column]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put the triggers."""
    for table, open_columns in SEALED.items():
        fixed = [one for one in _columns(apps, table) if one not in open_columns]
        _put(schema_editor, table, "UPDATE", fixed, open_columns)
    for table in NEVER_REMOVED:
        _put(schema_editor, table, "DELETE", [], ())


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the triggers away."""
    names = [(table, "UPDATE") for table in SEALED] + [(table, "DELETE") for table in NEVER_REMOVED]
    for table, event in names:
        name = f"{table}_no_{event.lower()}"
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


def _put(
    schema_editor: BaseDatabaseSchemaEditor, table: str, event: str, fixed: list[str], open_columns: tuple[str, ...]
) -> None:
    name, said = f"{table}_no_{event.lower()}", f"{table} is sealed"
    postgres = schema_editor.connection.vendor == "postgresql"
    differs = "IS DISTINCT FROM" if postgres else "IS NOT"
    conditions = [f'OLD."{one}" {differs} NEW."{one}"' for one in fixed]
    conditions += [f'(OLD."{one}" IS NOT NULL AND OLD."{one}" {differs} NEW."{one}")' for one in open_columns]
    when = f"WHEN ({' OR '.join(conditions)})" if conditions else ""
    if postgres:
        schema_editor.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()"
        )
    else:
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {when} "
            f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


class Migration(migrations.Migration):
    """Triggers."""

    dependencies = [("casebook", "0001_casebook")]
    operations = [migrations.RunPython(add, remove)]
