"""What allauth asks us for: our words on its pages and in its mails, and where people go next."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import auto_generate_recovery_codes
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazystr

from unaji.web.addresses import address_of
from unaji.web.casebook.keys import master_ring, number_of, seal, unseal
from unaji.web.casebook.models import User
from unaji.web.words import words


class _Said:
    """A text that is looked up when it is shown, in the language of that moment."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __str__(self) -> str:
        return words()(self.key)


def _errors(*codes: str) -> dict[str, Any]:
    return {code: lazystr(_Said(f"account.error.{code}")) for code in codes}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Accounts."""

    error_messages = DefaultAccountAdapter.error_messages | _errors(
        "account_inactive",
        "duplicate_email",
        "email_password_mismatch",
        "email_taken",
        "enter_current_password",
        "incorrect_code",
        "incorrect_password",
        "invalid_login",
        "rate_limited",
        "same_as_current",
        "too_many_login_attempts",
        "unknown_email",
    )

    def add_message(  # as allauth's, but with our words: none means nothing needs to be said
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        key = f"account.said.{_stem(message_template or '')}"
        if message or key in words():
            messages.add_message(request, level, message or words()(key), extra_tags=extra_tags)

    def render_mail(  # as allauth's, but with our words
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        say, name = words(), f"account.mail.{_stem(template_prefix)}"
        values = {
            "code": context.get("code", ""),
            "sign_in": self.request.build_absolute_uri(reverse("account_login")),
            "sign_up": self.request.build_absolute_uri(reverse("account_signup")),
        }
        parts = [say(f"{name}.body", **values)]
        if "timestamp" in context:  # something was changed: whoever did not do it must learn of it
            parts.append(say("account.mail.not_you", at=f"{timezone.now():%Y-%m-%d %H:%M} UTC", **values))
        parts.append(say("account.mail.foot"))
        to = [email] if isinstance(email, str) else email
        return EmailMessage(say(f"{name}.subject"), "\n\n".join(parts), self.get_from_email(), to, headers=headers)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Say where a request came from, for allauth's limits and the list of who is signed in, as all of the app does.

        Raises
        ------
        PermissionDenied
            Nobody knows: what cannot be counted is not let in.
        """
        address = address_of(request)
        if not address:
            raise PermissionDenied
        return address

    def post_login(self, request: HttpRequest, user: User, **known: Any) -> HttpResponse:
        """Lead a new account on: first to its recovery codes, where a passkey was made, then to the casebook.

        Whoever has just proved their address to make the account is not asked for the same again a minute later.
        """
        if known.get("signup"):
            passkey = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()
            record_authentication(request, user, method="mfa" if passkey else "code", reauthenticated=True)
            if passkey:
                auto_generate_recovery_codes(request)
                known["redirect_url"] = reverse("mfa_view_recovery_codes")
        response: HttpResponse = super().post_login(request, user, **known)
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Lead back to the ways to sign in, of which the password is one."""
        return reverse("mfa_index")

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Offer the quickest proof first: a passkey, the app's code, the password, then a code by mail."""
        order = ["mfa_reauthenticate:webauthn", "mfa_reauthenticate", "reauthenticate", "reauthenticate_by_code"]
        methods = sorted(super().get_reauthentication_methods(user), key=lambda one: order.index(one["id"]))
        return [{**one, "description": words()(f"account.again.by.{one['id'].replace(':', '_')}")} for one in methods]


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Passkeys, authenticator apps and recovery codes, whose secrets lie in the database sealed with the master key."""

    error_messages = DefaultMFAAdapter.error_messages | _errors(
        "cannot_delete_authenticator", "cannot_generate_recovery_codes", "incorrect_code", "unverified_email"
    )

    def encrypt(self, text: str) -> str:
        """Seal a secret of an authenticator app or the seed of recovery codes."""
        ring = master_ring()
        number = max(ring)
        return b64encode(seal(ring[number], text.encode(), _SECRET, number)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open it again."""
        sealed = b64decode(encrypted_text)
        return unseal(master_ring()[number_of(sealed)], sealed, _SECRET).decode()

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """Name a passkey that its owner gave no name."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return words()("account.passkey.unnamed", n=number)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name the app as the device shows it beside the passkey."""
        said: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**said, "name": "unaji"}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """Name the account as the device shows it: by its address."""
        said: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**said, "display_name": user.email}


_SECRET = "mfa secret"


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".txt")
