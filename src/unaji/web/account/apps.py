"""An app without tables, which listens."""

from __future__ import annotations

from django.apps import AppConfig


class AccountConfig(AppConfig):
    """See the package."""

    name = "unaji.web.account"
    label = "signing_in"  # allauth's is "account"

    def ready(self) -> None:
        """Begin to listen."""
        from unaji.web.account.noted import connect  # noqa: PLC0415  # models are loaded only now

        connect()
