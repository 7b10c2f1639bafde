"""A worker may be asked what a trial found."""

from django.db import migrations, models

KINDS = [
    ("look", "Look"),
    ("store", "Store"),
    ("undo", "Undo"),
    ("explain", "Explain"),
    ("export", "Export"),
    ("trial", "Trial"),
]


class Migration(migrations.Migration):
    dependencies = [("casebook", "0008_sealed_trials")]

    operations = [
        migrations.RemoveConstraint("job", "job_kind_known"),
        migrations.AlterField("job", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=models.Q(("kind__in", [code for code, _ in KINDS])), name="job_kind_known"
            ),
        ),
    ]
