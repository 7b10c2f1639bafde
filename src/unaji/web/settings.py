"""Django's settings; what the operator decides comes from `unaji.web.configuration`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from unaji.web.configuration import configuration, databases, mail, secret_key

CHOSEN = configuration()
HERE = Path(__file__).parent

SECRET_KEY = secret_key(CHOSEN)
DEBUG = False
ALLOWED_HOSTS = [CHOSEN.host, "localhost", "127.0.0.1", "[::1]"] if not CHOSEN.secure else [CHOSEN.host]
ORIGIN = CHOSEN.origin
HOME = CHOSEN.home
EXAMPLE = CHOSEN.example
WEATHER = CHOSEN.weather
ARTICLES = CHOSEN.articles
# How a job's process is started: born of one that has the app imported already, or (where a process may not multiply
# once it has loaded the system's libraries) begun afresh. "" does jobs in the worker itself, without limits.
JOBS_START = "forkserver" if sys.platform == "linux" else "spawn"
JOB_MEMORY_MB, JOB_MINUTES = CHOSEN.job_memory_mb, CHOSEN.job_minutes
UPLOAD_BYTES = int(CHOSEN.upload_gb * (1 << 30))

INSTALLED_APPS = [
    "unaji.web.casebook",
    "unaji.web.account",
    "unaji.web.patient",
    "unaji.web.public",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_tasks",
    "django_tasks_db",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "unaji.web.middleware.headers",
    "csp.middleware.CSPMiddleware",
    "unaji.web.middleware.cookieless_public",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "unaji.web.middleware.language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "unaji.web.account.example.example_keeps_out",
    "allauth.account.middleware.AccountMiddleware",
    "unaji.web.account.sessions.sessions",
]

ROOT_URLCONF = "unaji.web.urls"
WSGI_APPLICATION = "unaji.web.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"words": "unaji.web.words", "devices": "unaji.web.account.devices"},
            "builtins": ["unaji.web.words", "django.templatetags.static"],
        },
    }
]

DATABASES = databases(CHOSEN)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "casebook_cache"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}

# -- people ------------------------------------------------------------------------------------------------------------

CODE_LASTS_S = 600  # a code sent by mail

AUTH_USER_MODEL = "casebook.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # addresses are unique however their letters are written: a constraint says so
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "patient:now"
ACCOUNT_ADAPTER = "unaji.web.account.adapters.AccountAdapter"
ACCOUNT_FORMS = {"login": "unaji.web.account.forms.PasswordSignInForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]  # a password may be added later, and need not
ACCOUNT_SIGNUP_REDIRECT_URL = "patient:welcome"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = CODE_LASTS_S
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = CODE_LASTS_S
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = CODE_LASTS_S
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if CHOSEN.secure else "http"
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": True, "length": 8}
MFA_ADAPTER = "unaji.web.account.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = True
MFA_TOTP_ISSUER = "unaji"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
USERSESSIONS_TRACK_ACTIVITY = True

SESSION_COOKIE_AGE = 30 * 86_400
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [CHOSEN.origin]
CSRF_FAILURE_VIEW = "unaji.web.views.refused"

# -- transport ---------------------------------------------------------------------------------------------------------

if CHOSEN.secure:
    SESSION_COOKIE_NAME, SESSION_COOKIE_SECURE = "__Host-unaji", True
    CSRF_COOKIE_NAME, CSRF_COOKIE_SECURE = "__Host-csrf", True
    LANGUAGE_COOKIE_NAME, LANGUAGE_COOKIE_SECURE = "__Host-lang", True
    SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD = 63_072_000, True, True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health$"]
if CHOSEN.behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = False
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
        "worker-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_PERMISSIONS = 0o600

# -- words and files ---------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
ARTICLE = "neck_heat"  # whose claims are asked after: the name of one that ships with unaji, or a folder

STATIC_URL = "/static/"
STATIC_ROOT = CHOSEN.home / "static"
STATICFILES_DIRS = [HERE / "static", ("report", HERE.parent / "report" / "styles")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "unaji.web.static_files.NamedByContent"},
}
WHITENOISE_MAX_AGE = 3600

DEFAULT_FROM_EMAIL = SERVER_EMAIL = CHOSEN.mail_from
globals().update(mail(CHOSEN))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_addresses": {"()": "unaji.web.logs.WithoutQuery"}},
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["no_addresses"]}},
    "root": {"handlers": ["terminal"], "level": "WARNING"},
    "loggers": {"unaji": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
