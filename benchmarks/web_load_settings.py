"""The app's own settings, and one more address: an empty page, which shows what Django and the server take."""

from unaji.web.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.web_load_urls"
