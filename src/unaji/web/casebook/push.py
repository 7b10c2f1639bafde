"""Send a notification to a browser: encrypted for it alone, signed by us, to a public address and nowhere else.

The push service of the browser's maker carries it and cannot read it. What is sent is encrypted by RFC 8291 (of which
the content encoding is RFC 8188's) and signed by RFC 8292 with a key that is made on first use and lies beside the
other keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from unaji.web.configuration import write_private

CURVE = ec.SECP256R1()
RECORD_BYTES = 4096
MOST_PLAIN_BYTES = 3993
"""What fits into one record of 4096 bytes, which is all that a push service must take (RFC 8291, section 4)."""
PORT = 443
TIMEOUT_S = 10.0
SIGNED_FOR = timedelta(hours=12)
TO_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # IPv6 addresses that a gateway turns into IPv4, also into private ones


class RefusedError(ValueError):
    """An endpoint or a key of a browser that is not one, or that does not lie in the public network."""


class GoneError(Exception):
    """The browser does not want to be notified any more."""


class FailedError(Exception):
    """The push service could not be reached, or did not take it; the message is its status or the error's kind."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a browser is notified, and for what keys.

    Attributes
    ----------
    endpoint : str
        Address at the push service.
    p256dh : str
        The browser's public key, base64url.
    auth : str
        Its secret of 16 bytes, base64url.

    Raises
    ------
    RefusedError
        One of them cannot be.
    """

    endpoint: str
    p256dh: str
    auth: str

    def __post_init__(self) -> None:
        _where(self.endpoint)
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(self.p256dh))
            secret = from_base64url(self.auth)
        except ValueError:
            raise RefusedError("not the keys of a browser") from None
        if len(secret) != 16:
            raise RefusedError("the browser's secret must have 16 bytes")


def notify(browser: Browser, text: bytes, *, now: datetime, topic: str, keep_for: timedelta) -> None:
    """Send a notification; one of the same topic that is still on its way is replaced.

    Parameters
    ----------
    topic : str
        At most 32 letters of base64url.
    keep_for : timedelta
        How long the push service keeps it while the browser is not reached.

    Raises
    ------
    GoneError
        The browser does not want it any more: 404 or 410.
    FailedError
        It was not taken; a later one may be.
    RefusedError
        The endpoint leads into a private network.
    """
    headers = {
        "Authorization": authorization(browser.endpoint, now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(keep_for.total_seconds())),
        "Topic": topic,
        "Urgency": "normal",
    }
    status = _post(browser.endpoint, encrypt(browser, text), headers)
    if status in (404, 410):
        raise GoneError
    if not 200 <= status < 300:
        raise FailedError(str(status))


# -- RFC 8291 and RFC 8188: encrypted for the browser ------------------------------------------------------------------


def encrypt(
    browser: Browser, text: bytes, *, own: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Encrypt a notification for one browser.

    Parameters
    ----------
    own : EllipticCurvePrivateKey, optional
        Our key for this one message. Default: a fresh one, as must be.
    salt : bytes, optional
        16 bytes. Default: random, as must be.

    References
    ----------
    RFC 8291, "Message Encryption for Web Push", 2017, section 3.4.
    """
    if len(text) > MOST_PLAIN_BYTES:
        raise ValueError(f"a notification holds {MOST_PLAIN_BYTES} bytes, this has {len(text)}")
    own = own or ec.generate_private_key(CURVE)
    browsers = from_base64url(browser.p256dh)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, browsers))
    ours = _point(own)
    input_key = _hkdf(from_base64url(browser.auth), shared, b"WebPush: info\0" + browsers + ours, 32)
    return encode(text, input_key, salt or os.urandom(16), ours, RECORD_BYTES)


def encode(plain: bytes, input_key: bytes, salt: bytes, key_id: bytes, record_bytes: int) -> bytes:
    """Encode what fits into one record.

    References
    ----------
    RFC 8188, "Encrypted Content-Encoding for HTTP", 2017, section 2.
    """
    key = _hkdf(salt, input_key, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, input_key, b"Content-Encoding: nonce\0", 12)
    last = b"\2"  # delimits the last record, which the first one is here
    head = salt + record_bytes.to_bytes(4) + len(key_id).to_bytes(1) + key_id
    return head + AESGCM(key).encrypt(nonce, plain + last, None)


def _hkdf(salt: bytes, input_key: bytes, info: bytes, length: int) -> bytes:
    """Derive a key of at most 32 bytes (RFC 5869, of which one round is enough)."""
    extracted = hmac.digest(salt, input_key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\1", hashlib.sha256)[:length]


# -- RFC 8292: signed by us --------------------------------------------------------------------------------------------


def authorization(endpoint: str, now: datetime) -> str:
    """Return the header by which the push service knows us again.

    References
    ----------
    RFC 8292, "Voluntary Application Server Identification (VAPID) for Web Push", 2017, sections 2 and 3.
    """
    where = _where(endpoint)
    claims = {
        "aud": f"https://{where.netloc}",
        "exp": int((now + SIGNED_FOR).timestamp()),
        "sub": settings.ORIGIN if settings.ORIGIN.startswith("https://") else f"mailto:{settings.DEFAULT_FROM_EMAIL}",
    }
    key = _own_key()
    signed = ".".join(to_base64url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"vapid t={signed}.{to_base64url(r.to_bytes(32) + s.to_bytes(32))}, k={public_key()}"


def public_key() -> str:
    """Return our public key, with which a browser subscribes, in base64url."""
    return to_base64url(_point(_own_key()))


def _own_key() -> ec.EllipticCurvePrivateKey:
    file: Path = settings.HOME / "keys" / "vapid"
    if not file.exists():
        number = ec.generate_private_key(CURVE).private_numbers().private_value
        write_private(file, to_base64url(number.to_bytes(32)))
    return _key(file.read_text(encoding="ascii"))


@lru_cache(maxsize=4)
def _key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_base64url(text.strip())), CURVE)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64url(some: bytes) -> str:
    """Write bytes in base64url without padding."""
    return base64.urlsafe_b64encode(some).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Read base64url, with or without padding.

    Raises
    ------
    ValueError
        It is none.
    """
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


# -- to a public address and nowhere else ------------------------------------------------------------------------------
# A person's browser names the endpoint, so that our server must not be led by it to what only our server can reach.


def _where(endpoint: str) -> SplitResult:
    try:
        where = urlsplit(endpoint)
        port = where.port
    except ValueError:
        raise RefusedError("not an address") from None
    host = where.hostname or ""
    printable = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    if where.scheme != "https" or "@" in where.netloc or port not in (None, 443) or not printable:
        raise RefusedError("a push service is reached over https at its usual port")
    if "." not in host or host.endswith((".local", ".internal", ".localhost", ".")) or _is_number(host):
        raise RefusedError("a push service has a public name")
    return where


def _is_number(host: str) -> bool:
    # What ends in digits is read as an IPv4 address by some resolvers, also in forms such as 127.1 or 0x7f.1.
    return ":" in host or host.rsplit(".", 1)[-1][:1].isdigit()


def _public_address(host: str) -> str:
    """Return one address of a host, all of which must be public: one that mixes them is up to something."""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise FailedError("no_such_host") from None
    for one in found:
        address = ipaddress.ip_address(one)
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address.sixtofour or address
        if not address.is_global or address.is_multicast or (address.version == 6 and address in TO_IPV4):
            raise RefusedError("the endpoint does not lie in the public network")
    return min(found, key=lambda one: (":" in one, one))  # IPv4 first: it is there on every machine


def _post(endpoint: str, body: bytes, headers: dict[str, str]) -> int:
    """Post to a push service and return its status; nothing is followed, and all of it takes ten seconds at most."""
    where = _where(endpoint)
    host = where.hostname or ""
    connection = _Pinned(host, _public_address(host))
    watch = threading.Timer(TIMEOUT_S, connection.cut)
    watch.start()
    try:
        connection.request("POST", where._replace(scheme="", netloc="", fragment="").geturl(), body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FailedError(type(error).__name__) from None
    finally:
        watch.cancel()
        connection.close()


class _Pinned(http.client.HTTPSConnection):
    """A connection to the very address that was looked at: asking for it again could give another one."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(host, PORT, timeout=TIMEOUT_S, context=_trusted())
        self.address = address
        self._held: ssl.SSLSocket | None = None

    def connect(self) -> None:
        """Connect to the address, and see that it is the host."""
        plain = socket.create_connection((self.address, PORT), TIMEOUT_S)
        try:
            self._held = _trusted().wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        self.sock = self._held
        self._held.do_handshake()

    def cut(self) -> None:
        """Break off, wherever it is: one who answers a byte at a time must not hold up the others."""
        if self._held is not None:
            with suppress(OSError):  # it has just come to its end by itself
                self._held.shutdown(socket.SHUT_RDWR)


def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
