"""An audience without tables."""

from __future__ import annotations

from django.apps import AppConfig


class PatientConfig(AppConfig):
    """See the package."""

    name = "unaji.web.patient"
    label = "patient"
