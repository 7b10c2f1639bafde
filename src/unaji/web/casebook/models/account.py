"""Who signs in, and by what other ways their data is reached: tokens of the API, reminders."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models.own import Own, OwnQuerySet


class Users(BaseUserManager["User"]):
    """Makes accounts."""

    def create_user(self, email: str, password: str | None = None, **more: Any) -> User:
        """Make an account; without a password it is entered by passkey or by a code sent by mail."""
        user = self.model(email=self.normalize_email(email), **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Find an account by its address, however its letters are written."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """An account: an address, a language, nothing of the person's health."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=2, default="", blank=True)  # "" follows the browser
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)  # moderates questions; never sees a casebook
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Users] = Users()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=models.Q(language__in=["", "ja", "en"]), name="user_language_known"),
        ]

    def __str__(self) -> str:
        """Name the account by its number: an address is personal."""
        return str(self.pk)


class ApiToken(Own):
    """A key to the API for a person's own devices; of the key itself only a hash is kept."""

    name = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnQuerySet[ApiToken]] = OwnQuerySet.as_manager()  # type: ignore[assignment]


class PushSubscription(Own):
    """A browser that wants to be reminded."""

    endpoint = models.URLField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    made_at = models.DateTimeField(auto_now_add=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnQuerySet[PushSubscription]] = OwnQuerySet.as_manager()  # type: ignore[assignment]


class Reminder(Own):
    """When and how a person wants to be asked how the day was."""

    local_time = models.TimeField()
    by_mail = models.BooleanField(default=False)
    by_push = models.BooleanField(default=False)
    sent_on = models.DateField(null=True, blank=True)

    objects: ClassVar[OwnQuerySet[Reminder]] = OwnQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("person", name="reminder_once_a_person")]
