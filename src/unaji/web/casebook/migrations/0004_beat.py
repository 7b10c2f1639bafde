"""Signs of life of the processes beside the web server."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casebook", "0003_question_changed_at")]

    operations = [
        migrations.CreateModel(
            name="Beat",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
