"""The web app's settings for tests: a home of its own, swift passwords, static files as they lie in the sources."""

import atexit
import os
import shutil
import tempfile

HOME_OF_TESTS = tempfile.mkdtemp(prefix="unaji-tests-")
atexit.register(shutil.rmtree, HOME_OF_TESTS, ignore_errors=True)
os.environ["UNAJI_HOME"] = HOME_OF_TESTS
os.environ["UNAJI_ORIGIN"] = "http://localhost:8000"
os.environ["UNAJI_EXAMPLE"] = "1"
# Another database for all of these tests: postgresql://user@host:port/name, of which Django makes its own test_name.
os.environ["UNAJI_DATABASE_URL"] = os.environ.get("UNAJI_TEST_DATABASE_URL", "")

from unaji.web.settings import *  # noqa: E402, F403
from unaji.web.settings import DATABASES, MIDDLEWARE, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
MIDDLEWARE = [one for one in MIDDLEWARE if "whitenoise" not in one]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend", "QUEUES": []}}

JOBS_START = ""  # a test puts its own doer in the place of one, and looks into it; see test_apart.py

if "sqlite3" in DATABASES["default"]["ENGINE"]:  # a file: of one in memory, two threads lock each other out
    DATABASES["default"]["TEST"] = {"NAME": f"{HOME_OF_TESTS}/test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
