"""Import the app, so that whoever is born of this process need not. No query is made and no thread is begun here."""

from __future__ import annotations

import django
from django.apps import apps

if not apps.ready:
    django.setup()
