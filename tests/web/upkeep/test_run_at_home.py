"""What the page on running the app at home says is run: the proxies in front of it, and the unit of the system."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.web.processes import FOUND, children
from unaji.web.api.door import WRONG_A_MINUTE

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "run-at-home.md").read_text(encoding="utf-8")
NAME = "unaji.example"
CADDY = """{{
    admin off
    local_certs
    skip_install_trust
    auto_https disable_redirects
    https_port {tls}
    storage file_system {place}
"""
NGINX = """
daemon off;
user root;
pid {place}/pid;
error_log {place}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
{server}
}}
"""


def block(beginning: str) -> str:
    """Return the block of code of the page that begins so."""
    return next(one for one in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) if one.startswith(beginning))


def program(name: str) -> str | None:
    """Return where a program is; that of a service may lie where the path of people does not lead."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Asked(http.client.HTTPConnection):
    """Asks the proxy on this machine as if it had the name of the page."""

    def connect(self):
        unchecked = ssl.create_default_context()  # its certificate was made a moment ago
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        self.sock = unchecked.wrap_socket(socket.create_connection((self.host, self.port), 20), server_hostname=NAME)


def ask(
    port: int, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    with_host = {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
    asked = Asked("127.0.0.1", port)
    try:
        asked.request(method, path, body or None, with_host)
        answer = asked.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        asked.close()


def await_health(port: int, process: subprocess.Popen[bytes], patience_s: float = 120) -> None:
    until = time.monotonic() + patience_s
    while True:
        with suppress(OSError):
            if ask(port, "GET", "/health")[0] == 200:
                return
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Run the app with the settings of the page; give its port and its home."""
    home, port = tmp_path_factory.mktemp("served"), free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UNAJI_", "DJANGO_"))}
    env |= dict(line.split("=", 1) for line in block("UNAJI_HOME=").splitlines())
    env |= {"UNAJI_MAIL_URL": "", "UNAJI_MAIL_FROM": "", "UNAJI_HOME": str(home)}
    command = [sys.executable, "-m", "unaji.cli", "serve", "--home", str(home), "--port", str(port), "--no-example"]
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(command, env=env, stdout=said, stderr=said)
    yield port, home, process
    process.terminate()
    process.wait(timeout=60)


def certificate(place: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    (place / "fullchain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "privkey.pem").write_bytes(key.private_bytes(*plain))


def caddy(place: Path, port: int, tls: int) -> list[str]:
    said = block("{\n    servers").replace(":8000", f":{port}").replace("{\n", CADDY.format(tls=tls, place=place), 1)
    if version_of_caddy() < (2, 7):  # as the page says
        said = said.replace("request_buffers 64KiB", "buffer_requests\n        max_buffer_size 64KiB")
    file = place / "Caddyfile"
    file.write_text(said, encoding="utf-8")
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


def version_of_caddy() -> tuple[int, int]:
    said = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.search(r"(\d+)\.(\d+)", said).groups()
    return int(major), int(minor)


def nginx(place: Path, port: int, tls: int) -> list[str]:
    certificate(place)
    server = block("server {").replace(":8000", f":{port}").replace("listen 443", f"listen {tls}")
    server = server.replace(f"/etc/letsencrypt/live/{NAME}", str(place))
    file = place / "nginx.conf"
    file.write_text(NGINX.format(place=place, server=server), encoding="utf-8")
    place.chmod(0o755)
    return [str(program("nginx")), "-c", str(file)]


@pytest.fixture(params=[caddy, nginx], ids=["caddy", "nginx"])
def proxy(request, served, tmp_path):
    """Run a proxy as the page sets it up; give its port and its process."""
    command_of = request.param
    if program(command_of.__name__) is None:
        pytest.skip(f"{command_of.__name__} is not installed (apt install {command_of.__name__})")
    port, _, app = served
    tls = free_port()
    env = os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command_of(tmp_path, port, tls), env=env, stdout=said, stderr=said)
    try:
        await_health(tls, app)
        yield tls, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_people_come_in_over_https_with_cookies_of_this_host_alone(proxy):
    port, _ = proxy

    status, headers, page = ask(port, "GET", "/account/login/")
    cookies = [value for name, value in headers if name.lower() == "set-cookie"]
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)

    assert status == 200
    assert cookies
    assert all(one.startswith("__Host-") and "Secure" in one for one in cookies)
    assert {name.lower(): value for name, value in headers}["strict-transport-security"].startswith("max-age=")
    sent = {
        "Cookie": "; ".join(one.split(";")[0] for one in cookies),
        "Content_Type": "application/x-www-form-urlencoded",
    }
    form = b"login=mio@example.org&password=not-hers&csrfmiddlewaretoken=" + token[1]
    assert ask(port, "POST", "/account/login/", form, Origin=f"https://{NAME}", **sent)[0] == 200
    assert ask(port, "POST", "/account/login/", form, Origin="https://evil.example", **sent)[0] == 403


def test_nobody_passes_for_another_address_by_writing_one_down(proxy):
    port, _ = proxy
    if (second := datetime.now(UTC).second) > 50:  # what is counted is counted by the minute
        time.sleep(61 - second)

    said = [
        ask(port, "GET", "/api/episodes", Authorization="Bearer unaji_wrong", X_Forwarded_For=f"198.51.100.{n}")[0]
        for n in range(WRONG_A_MINUTE + 2)
    ]

    assert set(said) <= {401, 429}
    assert said[-1] == 429


@pytest.mark.skipif(not FOUND, reason="looks into /proc for the files that the proxy has open")
def test_what_is_uploaded_waits_in_no_file_of_the_proxy(proxy):
    port, process = proxy
    asked = Asked("127.0.0.1", port)
    asked.putrequest("POST", "/data/upload", skip_host=True)
    head = {"Host": NAME, "Content-Type": "multipart/form-data; boundary=0", "Content-Length": "9" * 7}
    for name, value in head.items():
        asked.putheader(name, value)
    asked.endheaders()

    try:
        with suppress(OSError):  # nobody is signed in, and the app may have said so already
            asked.send(b'--0\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + bytes(4 << 20))
        time.sleep(1)
        largest = max(size for one in (process, *children(process)) for size in open_files(one))
    finally:
        asked.close()

    assert largest < 1 << 20


def open_files(number: int) -> list[int]:
    """Return the sizes of the files that a process has open, also of those without a name."""
    sizes = [0]
    for one in Path(f"/proc/{number}/fd").iterdir():
        with suppress(OSError):
            said = one.stat()
            sizes += [said.st_size] if stat.S_ISREG(said.st_mode) else []
    return sizes


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_of_the_page_is_one_that_systemd_knows(tmp_path):
    unit = tmp_path / "unaji.service"
    said = block("[Unit]").replace("/srv/unaji/venv/bin/unaji", sys.executable).replace("User=unaji\n", "")
    unit.write_text(said, encoding="utf-8")

    ran = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)

    assert (ran.returncode, [line for line in ran.stderr.splitlines() if "unaji.service" in line]) == (0, [])
