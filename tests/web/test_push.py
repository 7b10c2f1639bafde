"""Notifications are encrypted as published, signed so that anybody can check it, and go to public addresses alone."""

from __future__ import annotations

import json
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from unaji.web.casebook import push
from unaji.web.casebook.push import Browser, RefusedError, from_base64url, to_base64url

NOW = datetime(2026, 4, 27, 12, 0, tzinfo=UTC)

# RFC 8291, section 5 and appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
BROWSER = Browser(
    "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
)
SENDERS_NUMBER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
SENT = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def key_of(number):
    return ec.derive_private_key(int.from_bytes(from_base64url(number)), ec.SECP256R1())


def test_the_worked_example_of_rfc_8291_comes_out_letter_for_letter():
    sent = push.encrypt(BROWSER, TEXT, own=key_of(SENDERS_NUMBER), salt=from_base64url(SALT))

    assert to_base64url(sent) == SENT


def test_the_single_record_of_rfc_8188_comes_out_letter_for_letter():
    # RFC 8188, section 3.1
    sent = push.encode(
        b"I am the walrus", from_base64url("yqdlZ-tYemfogSmv7Ws5PQ"), from_base64url("I1BsxtFttlv3u_Oo94xnmw"), b"",
        4096,
    )  # fmt: skip

    assert to_base64url(sent) == "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg"


def test_two_notifications_of_one_text_share_neither_salt_nor_key():
    one, other = push.encrypt(BROWSER, TEXT), push.encrypt(BROWSER, TEXT)

    assert one[:16] != other[:16]
    assert one[21:86] != other[21:86]


def test_what_does_not_fit_into_one_record_is_refused():
    assert len(push.encrypt(BROWSER, b"x" * push.MOST_PLAIN_BYTES)) <= 4096

    with pytest.raises(ValueError, match="3993"):
        push.encrypt(BROWSER, b"x" * (push.MOST_PLAIN_BYTES + 1))


def parts_of(header):
    scheme, _, rest = header.partition(" ")
    said = dict(one.split("=", 1) for one in rest.split(", "))
    assert scheme == "vapid"
    head, claims, signature = said["t"].split(".")
    return head, claims, from_base64url(signature), from_base64url(said["k"])


def test_the_push_service_can_check_who_sent_it(settings):
    settings.ORIGIN = "https://unaji.example"

    head, claims, signature, public = parts_of(push.authorization(BROWSER.endpoint, NOW))

    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    known = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    known.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        known.verify(encode_dss_signature(r, s), f"{head}.x{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    told = json.loads(from_base64url(claims))
    assert json.loads(from_base64url(head)) == {"typ": "JWT", "alg": "ES256"}
    assert told["aud"] == "https://push.example.net"
    assert told["sub"] == "https://unaji.example"
    assert NOW.timestamp() < told["exp"] <= (NOW + timedelta(hours=24)).timestamp()


def test_the_signing_key_is_made_once_and_readable_by_its_owner_alone(settings):
    first, second = push.public_key(), push.public_key()

    file = settings.HOME / "keys" / "vapid"
    assert first == second
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(from_base64url(first)) == 65


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.net/x", "https://push.example.net:8443/x", "https://user@push.example.net/x",
        "https://localhost/x", "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.7/x", "https://127.1/x",
        "https://0x7f.0.0.1/x", "https://2130706433/x", "https://printer.local/x", "https://metadata.google.internal/x",
        "https://push.example.net./x", "ftp://push.example.net/x", "https://", "", "https://push.example.net/a b",
        "https://push.example.net:x/", "https://push.example.net/\r\nHost: elsewhere",
    ],
)  # fmt: skip
def test_an_endpoint_that_is_no_public_https_address_is_refused(endpoint):
    with pytest.raises(RefusedError):
        Browser(endpoint, BROWSER.p256dh, BROWSER.auth)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", BROWSER.auth), (BROWSER.p256dh[:-4], BROWSER.auth), ("A" * 87, BROWSER.auth), (BROWSER.p256dh, "AAAA"),
     (BROWSER.p256dh, "*" * 22)],
)  # fmt: skip
def test_keys_that_no_browser_has_are_refused(p256dh, auth):
    with pytest.raises(RefusedError):
        Browser(BROWSER.endpoint, p256dh, auth)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["10.1.2.3"], ["192.168.0.1"], ["169.254.169.254"], ["100.64.0.1"], ["::1"], ["fe80::1"],
        ["fd00::1"], ["::ffff:10.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["224.0.0.1"], ["0.0.0.0"],
        ["93.184.215.14", "127.0.0.1"],
    ],
)  # fmt: skip
def test_a_public_name_that_leads_into_a_private_network_is_refused_when_it_is_sent(monkeypatch, addresses):
    def looked_up(host, port, **_):
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))

    with pytest.raises(RefusedError):
        send()


def test_a_name_that_nobody_knows_fails_and_may_be_tried_later(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(push.FailedError):
        send()


def send(text=TEXT):
    push.notify(BROWSER, text, now=NOW, topic="unaji", keep_for=timedelta(hours=2))


class Service:
    """A push service on this machine: it keeps what it was sent and answers as it is told to."""

    def __init__(self, certificate, key):
        self.answer, self.heard, self.slow = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", b"", 0.0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, args=(context,), daemon=True)
        self.thread.start()

    def _serve(self, context):
        plain, _ = self.socket.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as held:
                while b"\r\n\r\n" not in self.heard or len(self.heard.partition(b"\r\n\r\n")[2]) < 140:
                    self.heard += held.recv(65536)
                for byte in self.answer if self.slow else [self.answer]:
                    held.sendall(bytes([byte]) if self.slow else byte)
                    threading.Event().wait(self.slow)
        except OSError:  # the other side broke off
            pass

    def close(self):
        self.socket.close()


@pytest.fixture
def service(monkeypatch, tmp_path):
    """Stand in for the push service of the worked example, known by a certificate of its own."""
    certificate, key = certificate_for("push.example.net", tmp_path)
    service = Service(certificate, key)

    def trusted():
        return ssl.create_default_context(cafile=str(certificate))

    monkeypatch.setattr(push, "_trusted", trusted)
    monkeypatch.setattr(push, "PORT", service.port)
    monkeypatch.setattr(push, "_public_address", lambda host: "127.0.0.1")
    yield service
    service.close()


def certificate_for(name, folder):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def test_what_is_sent_is_what_the_browser_can_open(service):
    send()
    service.thread.join(timeout=5)

    head, _, body = service.heard.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    said = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    assert lines[0] == "POST /push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV HTTP/1.1"
    assert said["host"].split(":")[0] == "push.example.net"
    assert said["content-encoding"] == "aes128gcm"
    assert said["ttl"] == "7200"
    assert opened(body) == TEXT


def opened(body):
    """Open a notification as the browser of the worked example does, written apart from what seals it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    salt, ours, sealed = body[:16], body[21 : 21 + body[20]], body[21 + body[20] :]
    browsers = key_of("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    shared = browsers.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), ours))
    info = b"WebPush: info\0" + from_base64url(BROWSER.p256dh) + ours
    input_key = HKDF(hashes.SHA256(), 32, from_base64url(BROWSER.auth), info).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(input_key)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(input_key)
    plain = AESGCM(key).decrypt(nonce, sealed, None)
    assert plain.endswith(b"\2")
    return plain[:-1]


@pytest.mark.parametrize(("status", "error"), [(404, push.GoneError), (410, push.GoneError), (500, push.FailedError),
                                               (429, push.FailedError), (302, push.FailedError)])  # fmt: skip
def test_a_service_that_does_not_take_it_is_told_apart_from_a_browser_that_is_gone(service, status, error):
    service.answer = f"HTTP/1.1 {status} No\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n".encode()

    with pytest.raises(error):
        send()


def test_a_service_that_answers_a_byte_at_a_time_is_left_in_time(service, monkeypatch):
    monkeypatch.setattr(push, "TIMEOUT_S", 1.0)
    service.answer, service.slow = b"HTTP/1.1 201 Created\r\n" + b"X-Slow: yes\r\n" * 50, 0.2
    began = datetime.now(UTC)

    with pytest.raises(push.FailedError):
        send()

    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_a_service_that_cannot_show_who_it_is_gets_nothing(service, monkeypatch):
    monkeypatch.setattr(push, "_trusted", ssl.create_default_context)

    with pytest.raises(push.FailedError):
        send()

    assert service.heard == b""
