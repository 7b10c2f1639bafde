"""Signing in: what django-allauth leaves to us - its words, its sealed secrets, and how long a session lasts."""
