"""Accounts for tests: people who have just signed in, and a device that makes passkeys."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from unaji.web.casebook.models import User

HOST = "localhost"  # the only one to which a browser gives passkeys over http


def account(email="mio@example.org", *, password=None):
    """Make an account whose address is confirmed; it has no casebook."""
    user = User.objects.create_user(email, password)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


def browser():
    """Open a browser at the address of this machine."""
    return Client(HTTP_HOST=HOST)


def sign_in_as_staff(user):
    """Sign in as staff, who have shown with a second means that it is them."""
    return sign_in(user, by="mfa")


def sign_in(user, *, proved_s_ago=0, by="code", **kept):
    """Sign in as somebody who showed that it is them so many seconds ago; None for never."""
    client = browser()
    client.force_login(user)
    session = client.session
    if proved_s_ago is not None:
        session["account_authentication_methods"] = [
            {"method": by, "at": time.time() - proved_s_ago, "reauthenticated": True}
        ]
        session["account_authentication_methods_user"] = str(user.pk)
    session.update(kept)
    session.save()
    return client


def add_app(user):
    """Give an account an authenticator app and recovery codes; return the app's secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def app_code(secret):
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def code_in(mail):
    """Read the code out of a mail."""
    return re.search(r"^\d{4}-\d{4}$", mail.body, re.MULTILINE).group()


def options_in(html):
    """Read what a page asks the device for."""
    return json.loads(re.search(r'<script id="js_data" type="application/json">(.*?)</script>', html).group(1))


class Device:
    """A device with one passkey, in software: signs as the WebAuthn standard asks (ES256, no attestation)."""

    def __init__(self, origin=f"http://{HOST}", *, verifies=True):
        self.origin, self.number = origin, os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.flags = AuthenticatorData.FLAG.UP | (AuthenticatorData.FLAG.UV if verifies else 0)

    def make(self, options):
        """Answer to `creation_options`."""
        asked = options["creation_options"]["publicKey"]
        self.user = asked["user"]["id"]
        public = AttestedCredentialData.create(
            b"\0" * 16, self.number, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(
            self._site(asked["rp"]["id"]), self.flags | AuthenticatorData.FLAG.AT, 0, public
        )
        return self._said(
            clientDataJSON=self._client("webauthn.create", asked),
            attestationObject=AttestationObject.create("none", data, {}),
        )

    def use(self, options):
        """Answer to `request_options`."""
        asked = options["request_options"]["publicKey"]
        client = self._client("webauthn.get", asked)
        data = AuthenticatorData.create(self._site(asked["rpId"]), self.flags, 1)
        signed = self.key.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said(
            clientDataJSON=client, authenticatorData=data, signature=signed, userHandle=websafe_decode(self.user)
        )

    def add_to(self, user, name="電話"):
        """Put the passkey into an account, as if it had been made there."""
        answer = self.make(
            {"creation_options": {"publicKey": {"challenge": "AA", "rp": {"id": HOST},
                                                "user": {"id": websafe_encode(user.pk.hex.encode())}}}}
        )  # fmt: skip
        return Authenticator.objects.create(
            user=user, type="webauthn", data={"name": name, "passwordless": True, "credential": json.loads(answer)}
        )

    def _client(self, what, asked):
        return CollectedClientData.create(what, asked["challenge"], self.origin)

    def _site(self, name):
        return hashlib.sha256(name.encode()).digest()

    def _said(self, **response):
        return json.dumps(
            {
                "id": websafe_encode(self.number), "rawId": websafe_encode(self.number), "type": "public-key",
                "clientExtensionResults": {"credProps": {"rk": True}},
                "response": {name: websafe_encode(value) for name, value in response.items()},
            }
        )  # fmt: skip
