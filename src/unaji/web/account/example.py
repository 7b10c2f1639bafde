"""The example account is everybody's who looks around: nobody changes how it is entered, or sees who else does."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from unaji.web.casebook.example import is_example

Answer = Callable[[HttpRequest], HttpResponse]


def example_keeps_out(get_response: Answer) -> Answer:
    """Lead the example account from the account's pages back to the diary; leaving stays possible."""

    def answer(request: HttpRequest) -> HttpResponse:
        inside = request.path.startswith(ACCOUNT) and request.path != reverse("account_logout")
        if inside and request.user.is_authenticated and is_example(request.user):
            return redirect("patient:more")
        return get_response(request)

    return answer


ACCOUNT = "/account/"
