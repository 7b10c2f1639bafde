"""The project's addresses, and three doors more for tests of who gets through."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path

from unaji.web.access import freshly_signed_in, person_page, staff_page
from unaji.web.urls import *  # noqa: F403
from unaji.web.urls import urlpatterns as known


@staff_page
def staff_only(request):
    return HttpResponse("staff")


@person_page
@freshly_signed_in
def give_away(request, person):
    return HttpResponse(f"{request.method} {request.POST.get('all', '')}")


@staff_page
def breaks(request):
    raise RuntimeError("her note says: 熱い")


urlpatterns = [*known, path("staff", staff_only), path("give", give_away), path("breaks", breaks)]
