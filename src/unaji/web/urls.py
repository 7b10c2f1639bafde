"""All addresses: the person's screens at the root, the public pages below their language, accounts below /account/."""

from __future__ import annotations

from django.urls import include, path

from unaji.web import views
from unaji.web.account.views import end_session

urlpatterns = [
    path("health", views.health, name="health"),
    path("example", views.look_at_example, name="example"),
    path("language/", views.choose_language, name="language"),
    path("account/sessions/end", end_session, name="end_session"),
    path("account/", include("allauth.urls")),
    path("api/", include("unaji.web.api.urls")),
    path("", include("unaji.web.patient.urls")),
    path("", include("unaji.web.public.urls")),
]

handler403 = "unaji.web.views.forbidden"
handler404 = "unaji.web.views.not_found"
handler429 = "unaji.web.views.too_many"  # allauth's
handler500 = "unaji.web.views.failed"
