"""What a person must not have more of."""

from django.db import migrations

import unaji.web.casebook.sealed


class Migration(migrations.Migration):
    dependencies = [("casebook", "0005_consent_of_both")]

    operations = [
        migrations.AddField("person", "unsafe_sealed", unaji.web.casebook.sealed.SealedField(blank=True, default=b"")),
    ]
