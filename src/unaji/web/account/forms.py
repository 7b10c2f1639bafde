"""The one form of allauth's that does not fit: signing in by password, where signing up asks for none."""

from __future__ import annotations

from allauth.account.forms import LoginForm


class PasswordSignInForm(LoginForm):  # type: ignore[misc]  # allauth carries no types
    """Address and password; allauth drops the password where sign-up has none."""

    def _setup_password_field(self) -> None:
        """Keep the field."""
