"""A device of Hana's, which comes with a token, and one of Ken's."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache
from django.test import Client

from unaji.web.casebook.actions.tokens import make_token


class Device:
    """Calls the API with a token and nothing else."""

    def __init__(self, key):
        self.key = key
        self.client = Client(enforce_csrf_checks=True)

    def call(self, method, path, body=None, **more):
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            more.update(data=json.dumps(body) if not isinstance(body, bytes) else body, content_type="application/json")
        return self.client.generic(method, f"/api{path}", headers={**headers, **more.pop("headers", {})}, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body, **more):
        return self.call("POST", path, body, **more)

    def send(self, content, name="session.zip", field="file"):
        from django.core.files.uploadedfile import SimpleUploadedFile

        return self.client.post(
            "/api/uploads", {field: SimpleUploadedFile(name, content)}, headers={"Authorization": f"Bearer {self.key}"}
        )


@pytest.fixture(autouse=True)
def _nobody_called_yet(db):
    cache.clear()


def device_of(person, *scopes):
    return Device(make_token(person, by=person.user, name="a device", scopes=scopes or ("log", "upload", "read"))[1])


@pytest.fixture
def hanas(hana):
    return device_of(hana)


@pytest.fixture
def kens(ken):
    return device_of(ken)
