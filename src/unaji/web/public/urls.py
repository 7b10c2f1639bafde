"""Addresses of the public pages."""

from __future__ import annotations

from django.urls import path, register_converter

from unaji.web.public import staff, views
from unaji.web.words import LANGUAGES

app_name = "public"


class LanguageConverter:
    """The first part of a public address: the language it is in."""

    regex = "|".join(LANGUAGES)

    def to_python(self, value: str) -> str:
        """Read it."""
        return value

    def to_url(self, value: str) -> str:
        """Write it."""
        return value


class LeafConverter:
    """Which of several pages, from the second on: the first has an address without a number."""

    regex = "[2-9]|[1-9][0-9]{1,3}"

    def to_python(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_url(self, value: int | str) -> str:
        """Write it."""
        return str(value)


register_converter(LanguageConverter, "language")
register_converter(LeafConverter, "leaf")

urlpatterns = [
    path("", views.home, name="home"),
    path("<language:language>/", views.index, name="index"),
    path("<language:language>/card-<slug:name>.png", views.card, name="card"),
    path("<language:language>/feed.xml", views.feed, name="feed"),
    path("<language:language>/grades/", views.grades, name="grades"),
    path("<language:language>/corrections/", views.corrections, name="corrections"),
    path("<language:language>/people/<slug:person_id>/", views.person, name="person"),
    path("<language:language>/<slug:slug>/", views.article, name="article"),
    path("<language:language>/<slug:slug>/questions/", views.answers, name="answers"),
    path("<language:language>/<slug:slug>/questions/<leaf:leaf>/", views.answers, name="older_answers"),
    path("<language:language>/<slug:slug>/ask/", views.ask, name="ask"),
    path("<language:language>/<slug:slug>/asked/", views.asked, name="asked"),
    path(
        "<language:language>/<slug:slug>/neck/<slug:situation>-<slug:width>-<slug:scheme>.svg",
        views.picture,
        name="picture",
    ),
    path("sitemap.xml", views.site_map, name="site_map"),
    path("robots.txt", views.robots, name="robots"),
    path("questions/", staff.waiting, name="waiting"),
    path("questions/<uuid:pk>/answer", staff.answer, name="answer"),
    path("questions/<uuid:pk>/decline", staff.take_down, name="take_down"),
]
