"""A registered trial cannot be changed, whoever asks the database to; its end is filled in once."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE, NAME = "casebook_trial", "casebook_trial_no_update"
END = ("ended_at", "ended_why")


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put the trigger. That a reason comes with the end, and not before, is a constraint of the table."""
    columns = [field.column for field in apps.get_model("casebook", "trial")._meta.local_fields if field.column]
    postgres = schema_editor.connection.vendor == "postgresql"
    differs = "IS DISTINCT FROM" if postgres else "IS NOT"
    fixed = [f'OLD."{one}" {differs} NEW."{one}"' for one in columns if one not in END]
    ended = " OR ".join(f'OLD."{one}" {differs} NEW."{one}"' for one in END)
    when = f'WHEN ({" OR ".join(fixed)} OR (OLD."ended_at" IS NOT NULL AND ({ended})))'
    if postgres:
        schema_editor.execute(
            f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{TABLE} is sealed' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} FOR EACH ROW {when} EXECUTE FUNCTION {NAME}()"
        )
    else:
        schema_editor.execute(
            f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} FOR EACH ROW {when} "
            f"BEGIN SELECT RAISE(ABORT, '{TABLE} is sealed'); END"
        )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the trigger away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME} ON {TABLE}")
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {NAME}()")
    else:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}")


class Migration(migrations.Migration):
    """A trigger."""

    dependencies = [("casebook", "0007_trial_end")]
    operations = [migrations.RunPython(add, remove)]
