"""A trial is registered from the first, ends once with a reason, and runs alone."""

import django.utils.timezone
from django.db import migrations, models

ENDS = [
    ("completed", "Completed"),
    ("unwell", "Unwell"),
    ("doctor", "Doctor"),
    ("not_possible", "Not Possible"),
    ("unwanted", "Unwanted"),
    ("moved", "Moved"),
]


class Migration(migrations.Migration):
    dependencies = [("casebook", "0006_person_unsafe")]

    operations = [
        # Nothing wrote trials before: there is no row that waits for its time of registration.
        migrations.AlterField("trial", "registered_at", models.DateTimeField()),
        migrations.AlterField("trial", "made_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.AddField("trial", "ended_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "trial",
            "ended_why",
            models.CharField(blank=True, choices=ENDS, default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "trial",
            models.UniqueConstraint(
                models.F("person"), condition=models.Q(("ended_at__isnull", True)), name="trial_runs_alone"
            ),
        ),
        migrations.AddConstraint(
            "trial",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("ended_why", "")),
                    models.Q(
                        ("ended_at__gte", models.F("registered_at")),
                        ("ended_at__isnull", False),  # else a reason alone would be "not known", which passes
                        ("ended_why__in", [code for code, _ in ENDS]),
                    ),
                    _connector="OR",
                ),
                name="trial_ended_with_a_reason",
            ),
        ),
    ]
