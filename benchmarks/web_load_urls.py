"""The app's addresses, and an empty page that asks no database."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def empty(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"")


urlpatterns = [path("empty", empty), path("", include("unaji.web.urls"))]
