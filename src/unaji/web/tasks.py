"""Django's task API, by one name: `django_tasks` with Django 5.2, part of Django from 6.0."""

from django_tasks import task

__all__ = ["task"]
