"""A PostgreSQL server of the tests' own, from Debian's package, gone when they end.

`UNAJI_TEST_DATABASE_URL` names another one, on which the whole of tests/web runs (see `tests/web/settings.py`).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "PostgreSQL is not installed (apt install postgresql): what is tested on it did not run"
# Nothing of a test's database must outlive the machine, so it need not wait for the disk.
HURRY = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def programs() -> Path | None:
    """Return the folder of the newest server's programs; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: float(file.parts[-3]))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).resolve().parent if here else None


def available() -> bool:
    """Say whether a server can be started: root may not run one, so it needs a user to run it as."""
    return programs() is not None and (os.geteuid() != 0 or _user() is not None)


@contextmanager
def server(*, careful: bool = False) -> Iterator[str]:
    """Start a server on a free port of this machine alone.

    Parameters
    ----------
    careful : bool
        Whether to write to the disk as a server that must not lose anything does.

    Yields
    ------
    str
        ``postgresql://unaji@127.0.0.1:<port>`` without a database's name; there is one named "postgres".
    """
    place = programs()
    assert place is not None, MISSING
    folder = Path(tempfile.mkdtemp(prefix="unaji-postgres-"))
    user = _user() if os.geteuid() == 0 else None
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, port = folder / "data", _free_port()
        _run(user, [str(place / "initdb"), "--pgdata", str(data), "--username=unaji", "--auth=trust",
                    "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])  # fmt: skip
        options = f"-h 127.0.0.1 -p {port} -k {folder} {'' if careful else HURRY}"
        control = [str(place / "pg_ctl"), "--pgdata", str(data), "--wait"]
        _run(user, [*control, "--log", str(folder / "log"), "--options", options, "start"])
        try:
            yield f"postgresql://unaji@127.0.0.1:{port}"
        finally:
            _run(user, [*control, "--mode", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _run(user: pwd.struct_passwd | None, command: list[str]) -> None:
    who = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # A server that inherited our pipes would keep whoever reads them waiting; so what is said goes to a file.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}, **who,
        )  # fmt: skip
        if done.returncode:
            said.seek(0)
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {said.read().decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
