"""When what the public sees of a question last changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casebook", "0002_sealed_rows")]
    operations = [
        migrations.AddField("question", "changed_at", models.DateTimeField(blank=True, db_index=True, null=True)),
    ]
