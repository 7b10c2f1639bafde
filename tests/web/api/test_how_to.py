"""The lines of docs/how-to/api.md do what is said of them, by curl, against the running app."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

import unaji
from tests.web.api.conftest import device_of
from tests.web.conftest import make_person
from tests.web.test_imports import e4_session
from unaji.web.api import door
from unaji.web.casebook import jobs
from unaji.web.casebook.actions.tokens import Scope
from unaji.web.casebook.files import put_document
from unaji.web.casebook.models import ApiToken, Episode, Explanation, Exposure, Job, Rating

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "api.md").read_text(encoding="utf-8")
LINES = [block.strip() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if block.startswith("curl")]

pytestmark = pytest.mark.django_db(transaction=True)


def work(person):
    while (job := Job.objects.filter(person=person, state="waiting").order_by("made_at").first()) is not None:
        jobs.run(job.pk)


@pytest.fixture
def swift(monkeypatch):
    """Put a short answer in the place of the one that takes a while to work out."""

    def answer(job, _progress):
        said = {"enough": {"verdict": "more"}}
        made = Explanation(person=job.person, made_at=timezone.now(), article="neck_heat", claims_sha256="0",
                           library=unaji.__version__, inputs_sha256="0", verdict="more")  # fmt: skip
        put_document(job.person_id, f"{made.pk}/findings.json", json.dumps(said).encode())
        made.save(force_insert=True)

    monkeypatch.setitem(jobs.DOERS, "explain", answer)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: its lines were not run")
def test_the_lines_for_curl_do_what_is_said_of_them(live_server, tmp_path, swift):
    hana = make_person("hana@example.org")
    (tmp_path / "export.zip").write_bytes(e4_session())
    around = {**os.environ, "UNAJI": live_server.url, "UNAJI_TOKEN": device_of(hana).key}
    cache.clear()
    known, statuses = {}, []

    for line in LINES:
        written = line.replace("curl -sS", 'curl -sS -w "\\n%{http_code}"', 1)
        for name, number in known.items():
            written = written.replace(f"{{{name}}}", number)
        done = subprocess.run(
            ["bash", "-c", written], env=around, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        told, _, status = done.stdout.rpartition("\n")
        statuses.append(int(status))
        if "client_id" in line:
            known["id"] = json.loads(told)["id"]
        if "-F file" in line or "refresh" in line:
            known["upload" if "-F file" in line else "job"] = json.loads(told)["id"]
            work(hana)  # what a worker does meanwhile

    assert statuses == [201, 201, 201, 200, 204, 201, 201, 200, 201, 200, 202, 202, 200, 200]
    assert Episode.objects.filter(person=hana).kept().count() == 1
    assert Rating.objects.get(person=hana).value == 7.0
    assert {one.kind for one in Exposure.objects.filter(person=hana)} == {"check_in", "caffeine"}
    assert json.loads(told)["findings"]["enough"]["verdict"] == "more"


def test_what_the_page_says_of_scopes_and_limits_is_so():
    assert set(re.findall(r"^\|[^|]*\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(Scope.values)
    assert f"used {door.TOKEN_A_MINUTE} times a minute" in PAGE
    assert f"{door.WRONG_A_MINUTE} times in a minute without one" in PAGE


def test_the_table_of_scopes_names_every_operation(db):
    from tests.web.api.test_door import ANY_ID, NEEDS

    rows = dict(re.findall(r"^\|[^|]*\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    for (_, path), scopes in NEEDS.items():
        for scope in scopes:
            assert f"/api{path.replace(ANY_ID, '{id}')}" in rows[scope]
    assert not ApiToken.objects.exists()
