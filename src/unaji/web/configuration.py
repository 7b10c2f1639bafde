"""What the operator decides: where things lie, under which address, which database. Read from the environment once."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from unaji.claims.publication import SHIPPED
from unaji.errors import InputError

LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the environment says.

    Attributes
    ----------
    home : Path
        Folder of everything unaji keeps: database (unless PostgreSQL), keys, people's files. ``UNAJI_HOME``.
    origin : str
        Address people open, such as ``https://unaji.example``. ``UNAJI_ORIGIN``.
    database : str
        ``postgresql://user:password@host:port/name``; empty for SQLite in `home`. ``UNAJI_DATABASE_URL``.
    behind_proxy : bool
        Whether a reverse proxy ends TLS and sets ``X-Forwarded-Proto``. ``UNAJI_BEHIND_PROXY=1``.
    mail : str
        ``smtp://user:password@host:port`` (``smtps://`` for TLS); empty prints it to the terminal. ``UNAJI_MAIL_URL``.
    mail_from : str
        Sender of mail. ``UNAJI_MAIL_FROM``.
    example : bool
        Whether anybody may look around as the example person. ``UNAJI_EXAMPLE=1``.
    weather : bool
        Whether people may have the weather of their days fetched from Open-Meteo; ``UNAJI_WEATHER=off`` where nothing
        may leave the machine.
    articles : Path
        Folder of the published articles. Default: those that ship with unaji. ``UNAJI_ARTICLES``.
    job_memory_mb : float
        Memory that reading a file or working out an answer may take [MiB]; what takes more is stopped. Default: half of
        the machine's, at least 1024. ``UNAJI_JOB_MEMORY_MB``.
    job_minutes : float
        Time that it may take [min]. ``UNAJI_JOB_MINUTES``.
    upload_gb : float
        How much of one person's may wait to be read or saved, and so the largest file too [GiB]; within a day they may
        bring three times as much. ``UNAJI_UPLOAD_GB``.
    """

    home: Path
    origin: str = "http://localhost:8000"
    database: str = ""
    behind_proxy: bool = False
    mail: str = ""
    mail_from: str = "unaji@localhost"
    example: bool = False
    weather: bool = True
    articles: Path = SHIPPED
    job_memory_mb: float = 1024.0
    job_minutes: float = 30.0
    upload_gb: float = 8.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise InputError(f"UNAJI_ORIGIN must be an address such as https://unaji.example, found {self.origin!r}")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise InputError(
                f"UNAJI_ORIGIN is {self.origin!r}: health data goes over https only; put a reverse proxy with a "
                "certificate in front and write https:// (plain http is for this machine alone: http://localhost:8000)"
            )

    @property
    def secure(self) -> bool:
        """Whether people come over https."""
        return self.origin.startswith("https://")

    @property
    def host(self) -> str:
        """Name of the host people open."""
        return urlsplit(self.origin).hostname or "localhost"

    @property
    def keys(self) -> Path:
        """Folder of the keys, which is never in a backup of the data."""
        return self.home / "keys"


def configuration(environment: Mapping[str, str] | None = None) -> Configuration:
    """Read the configuration.

    Raises
    ------
    InputError
        Naming the variable and what it must be.
    """
    said = os.environ if environment is None else environment
    home = said.get("UNAJI_HOME", "")
    if not home:
        raise InputError("UNAJI_HOME is not set: name the folder in which unaji keeps its data (unaji serve sets it)")
    weather = said.get("UNAJI_WEATHER", "") or "on"
    if weather not in ("on", "off"):  # a word that was meant as "off" must not be taken for "on"
        raise InputError(f"UNAJI_WEATHER must be on or off, found {weather!r}")
    return Configuration(
        home=Path(home).expanduser().absolute(),
        origin=said.get("UNAJI_ORIGIN", "http://localhost:8000").rstrip("/"),
        database=said.get("UNAJI_DATABASE_URL", ""),
        behind_proxy=said.get("UNAJI_BEHIND_PROXY", "") == "1",
        mail=said.get("UNAJI_MAIL_URL", ""),
        mail_from=said.get("UNAJI_MAIL_FROM", "unaji@localhost"),
        example=said.get("UNAJI_EXAMPLE", "") == "1",
        weather=weather == "on",
        articles=Path(said.get("UNAJI_ARTICLES", "") or SHIPPED).expanduser().absolute(),
        job_memory_mb=_number(said, "UNAJI_JOB_MEMORY_MB", max(1024.0, _machine_mb() / 2), at_least=256),
        job_minutes=_number(said, "UNAJI_JOB_MINUTES", 30.0, at_least=1),
        upload_gb=_number(said, "UNAJI_UPLOAD_GB", 8.0, at_least=0.01),
    )


def _number(said: Mapping[str, str], name: str, default: float, *, at_least: float) -> float:
    text = said.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not at_least <= number < math.inf:
        raise InputError(f"{name} must be a number of at least {at_least:g}, found {text!r}")
    return number


def _machine_mb() -> float:
    """Return the machine's memory [MiB]; 0 where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 20)
    except (AttributeError, ValueError, OSError):
        return 0.0


def databases(chosen: Configuration) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES.

    Raises
    ------
    InputError
        ``UNAJI_DATABASE_URL`` names another kind of database.
    """
    if not chosen.database:
        return {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": chosen.home / "unaji.sqlite3",
                # Opening costs more than a query, and the last one that closes writes the whole log back.
                "CONN_MAX_AGE": 60,
                # Writers queue instead of failing when two processes write at the same time. An acknowledged entry is
                # on the disk; a deleted row is overwritten there, so that erasing leaves nothing to be found.
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
                },
            }
        }
    parts = urlsplit(chosen.database)
    if parts.scheme not in ("postgresql", "postgres"):
        raise InputError("UNAJI_DATABASE_URL must look like postgresql://user:password@host:5432/name")
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    }


def mail(chosen: Configuration) -> dict[str, Any]:
    """Return Django's settings of mail: printed to the terminal where no server is named."""
    if not chosen.mail:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(chosen.mail)
    if parts.scheme not in ("smtp", "smtps"):
        raise InputError("UNAJI_MAIL_URL must look like smtps://user:password@mail.example:465")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_TIMEOUT": 20,
    }


def secret_key(chosen: Configuration) -> str:
    """Return the key that signs sessions; made on first use, readable by the operator alone."""
    file = chosen.keys / "secret"
    if not file.exists():
        chosen.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(file, secrets.token_urlsafe(64))
    return file.read_text(encoding="ascii").strip()


def write_private(file: Path, text: str) -> None:
    """Write a file that is there once, readable by its owner alone; one that another process made first stays."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(fresh, file)  # fails where it is there, unlike a rename
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
