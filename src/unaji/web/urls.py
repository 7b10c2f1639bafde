"""All addresses: the person's screens at the root, the public pages below their language, accounts below /account/."""

from __future__ import annotations

from django.urls import include, path

from unaji.web import views

urlpatterns = [
    path("health", views.health, name="health"),
    path("example", views.look_at_example, name="example"),
    path("language/", views.choose_language, name="language"),
    path("account/", include("allauth.urls")),
    path("api/", include("unaji.web.api.urls")),
    path("", include("unaji.web.patient.urls")),
    path("", include("unaji.web.public.urls")),
]

handler404 = "unaji.web.views.not_found"
handler500 = "unaji.web.views.failed"
