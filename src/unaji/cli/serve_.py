"""`unaji serve`: the web app on this machine."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import click

from unaji.errors import UsageError

DEFAULT_HOME = Path("~/.local/share/unaji")


@click.command("serve")
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of all data. [~/.local/share/unaji]"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--example/--no-example", default=None, help="Let visitors look at an invented person. [only on this machine]"
)
def command(home: Path | None, host: str, port: int, example: bool | None) -> None:
    """Start the web app: on SQLite in a folder of its own, with an invented person to look at.

    Everything else is set by the environment: UNAJI_ORIGIN (the https address people open), UNAJI_DATABASE_URL
    (PostgreSQL), UNAJI_MAIL_URL, UNAJI_BEHIND_PROXY. See docs/how-to/run-at-home.md.

    \b
    Example:
      unaji serve
      unaji serve --home /srv/unaji --port 8080 --no-example
    """
    needs_web()
    from unaji.web import serving

    chosen = home or Path(os.environ.get("UNAJI_HOME", "") or DEFAULT_HOME).expanduser()
    origin = os.environ.get("UNAJI_ORIGIN", f"http://localhost:{port}")
    shown = (not origin.startswith("https://")) if example is None else example
    env = serving.environment(chosen.absolute(), origin, example=shown)
    os.environ.update(env)
    serving.prepare()
    serving.warm()
    if shown:
        from unaji.web.casebook.example import load_example

        load_example()
    click.echo(f"unaji: {env['UNAJI_ORIGIN']}  (data: {chosen.absolute()}; stop with Ctrl+C)", err=True)
    serving.run_all(
        [serving.server_command(host, port), serving.worker_command(), serving.clock_command()],
        env,
        lambda said: click.echo(f"unaji: {said}", err=True),
    )


def needs_web() -> None:
    """Say what to install where the web app's libraries are missing.

    Raises
    ------
    UsageError
        They are.
    """
    if find_spec("django") is None or find_spec("allauth") is None:
        raise UsageError("the web app needs more libraries; install them with: pip install 'unaji[web]'")
