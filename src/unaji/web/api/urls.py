"""Addresses of the API, and what all of them share: no cookie counts, and every answer is JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

import unaji
from unaji.web.access import Rule
from unaji.web.api import answers, entries, files, problems
from unaji.web.casebook.audit import acting_as

app_name = "api"

View = Callable[..., HttpResponse]


class Api(NinjaAPI):
    """The API; its description says of every problem that it is told as one."""

    def set_default_exception_handlers(self) -> None:
        """Answer whatever comes up with a problem."""
        self.add_exception_handler(Exception, problems.told)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Describe the API, with the media type of problems set right."""
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, said in operation["responses"].items():
                    if int(status) >= 400 and "content" in said:
                        said["content"] = {problems.MEDIA_TYPE: said["content"].pop("application/json")}
        return schema


api = Api(
    title="unaji",
    version=unaji.__version__,
    description="Write into your own diary, bring files of your devices, read what the records say. Tokens are made in "
    "the app, under My data.",
    docs_url=None,  # its scripts come from elsewhere, which the content security policy does not let in
    urls_namespace="api",
)
for router in (entries.router, files.router, answers.router):
    api.add_router("", router)


def _guarded(view: View, *, rule: Rule, sized: bool) -> View:
    """Give a view its rule; too large a body is refused unread, and a method that is not known is a problem too."""

    @csrf_exempt  # nothing here is done on the strength of a cookie
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if sized and int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return problems.answer("too_large")
        with acting_as("api"), translation.override(translation.get_language()):
            response = view(request, *args, **kwargs)
            if response.status_code == 405:
                told = problems.answer("wrong_method")
                told["Allow"] = response["Allow"]
                return told
            return response

    guarded.rule = rule  # type: ignore[attr-defined]
    return guarded


def _unknown(request: HttpRequest) -> HttpResponse:
    return problems.answer("not_found")


urlpatterns: list[URLPattern] = []
for one in api.urls[0]:
    assert isinstance(one, URLPattern)
    if one.name == "api-root":
        continue  # says nothing
    rule = Rule.ANYONE if one.name == "openapi-json" else Rule.TOKEN
    one.callback = _guarded(one.callback, rule=rule, sized=one.name != "upload")
    urlpatterns.append(one)
urlpatterns += [
    path("", _guarded(_unknown, rule=Rule.ANYONE, sized=False), name="api-root"),  # Ninja asks where the API begins
    re_path(r"^.+$", _guarded(_unknown, rule=Rule.ANYONE, sized=False)),
]
