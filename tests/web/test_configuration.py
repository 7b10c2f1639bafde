"""What the operator decides, and what the databases are told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from unaji.errors import InputError
from unaji.web.configuration import Configuration, configuration, databases, secret_key


def test_what_is_deleted_from_sqlite_is_overwritten_and_what_is_acknowledged_is_on_the_disk(tmp_path):
    said = databases(Configuration(home=tmp_path))["default"]
    with sqlite3.connect(tmp_path / "unaji.sqlite3") as there:
        there.execute("PRAGMA secure_delete=OFF")
        there.executescript(said["OPTIONS"]["init_command"])

        assert there.execute("PRAGMA secure_delete").fetchone() == (1,)
        assert there.execute("PRAGMA synchronous").fetchone() == (2,)
        assert there.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_home_is_closed_to_others(tmp_path: Path):
    home = tmp_path / "new"

    secret_key(Configuration(home=home))

    assert home.stat().st_mode & 0o077 == 0
    assert (home / "keys").stat().st_mode & 0o077 == 0
    assert (home / "keys" / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("said", "weather"), [({}, True), ({"UNAJI_WEATHER": "on"}, True), ({"UNAJI_WEATHER": "off"}, False)]
)
def test_the_operator_can_switch_the_weather_off(tmp_path, said, weather):
    assert configuration({"UNAJI_HOME": str(tmp_path), **said}).weather is weather


def test_a_word_that_was_meant_as_off_is_not_taken_for_on(tmp_path):
    with pytest.raises(InputError, match="UNAJI_WEATHER must be on or off, found '0'"):
        configuration({"UNAJI_HOME": str(tmp_path), "UNAJI_WEATHER": "0"})


def test_what_a_job_may_take_follows_the_machine_unless_the_operator_says_it(tmp_path):
    home = {"UNAJI_HOME": str(tmp_path)}

    assert configuration(home).job_memory_mb >= 1024
    said = configuration(home | {"UNAJI_JOB_MEMORY_MB": "700", "UNAJI_JOB_MINUTES": "2.5", "UNAJI_UPLOAD_GB": "0.5"})
    assert (said.job_memory_mb, said.job_minutes, said.upload_gb) == (700, 2.5, 0.5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("UNAJI_JOB_MEMORY_MB", "2 GB"),
        ("UNAJI_JOB_MINUTES", "0"),
        ("UNAJI_UPLOAD_GB", "-1"),
        ("UNAJI_UPLOAD_GB", "nan"),
    ],
)
def test_a_limit_that_is_none_names_its_variable(tmp_path, name, text):
    with pytest.raises(InputError, match=name):
        configuration({"UNAJI_HOME": str(tmp_path), name: text})
