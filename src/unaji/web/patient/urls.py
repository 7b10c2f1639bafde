"""Addresses of the person's screens."""

from __future__ import annotations

from django.urls import path

from unaji.web.patient import intake, views

app_name = "patient"

urlpatterns = [
    path("now", views.now, name="now"),
    path("now/log", views.log, name="log"),
    path("now/nothing", views.nothing, name="nothing"),
    path("now/earlier", views.earlier, name="earlier"),
    path("episodes/<uuid:pk>", views.episode, name="episode"),
    path("episodes/<uuid:pk>/withdraw", views.withdraw_episode, name="withdraw_episode"),
    path("today", views.today, name="today"),
    path("entries/<slug:kind>/<uuid:pk>/withdraw", views.withdraw_entry, name="withdraw"),
    path("add", views.add, name="add"),
    path("more", views.more, name="more"),
    path("welcome", views.welcome, name="welcome"),
    path("check", intake.check, name="check"),
    path("red-flag/<uuid:pk>", intake.red_flag, name="red_flag"),
    path("intake", intake.intake, name="intake"),
    path("first-picture", intake.picture, name="first_picture"),
    path("app.webmanifest", views.manifest, name="manifest"),
]
