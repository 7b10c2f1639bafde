"""Which of the processes beside the web server still live."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Beat(models.Model):
    """When a process last showed that it does its work; one row each."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    objects: ClassVar[models.Manager[Beat]] = models.Manager()

    def __str__(self) -> str:
        """Name the process."""
        return self.name
