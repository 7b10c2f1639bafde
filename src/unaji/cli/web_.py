"""`unaji web`: what whoever runs the web app needs beside `unaji serve`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unaji.cli.serve_ import DEFAULT_HOME, needs_web
from unaji.errors import ExitCode, InputError, OutputError, UsageError

if TYPE_CHECKING:
    from unaji.report.words import Catalogue

HOME = click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of all data. [~/.local/share/unaji]"
)
LANGUAGE = click.option(
    "--lang", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="Language of what is printed."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group("web")
def command() -> None:
    """Run the web app: check it, keep a copy, bring one back.

    The environment is that of `unaji serve`: UNAJI_ORIGIN, UNAJI_DATABASE_URL, UNAJI_MAIL_URL. See
    docs/how-to/run-at-home.md.

    \b
    Example:
      unaji web check
      unaji web backup /mnt/copies --keys /mnt/elsewhere --keep 7,5,12
    """


# -- check -------------------------------------------------------------------------------------------------------------


@command.command("check")
@HOME
@click.option("--backups", type=FOLDER, help="Folder of the copies: is the newest fresh, and no key beside it?")
@click.option("--sample", type=click.IntRange(1), default=20, show_default=True, help="Sealed files and notes to open.")
@LANGUAGE
@JSON
def check(home: Path | None, backups: Path | None, sample: int, lang: str, as_json: bool) -> None:
    """Look whether everything is as it should be; the exit code is 6 when something is not.

    \b
    Example:
      unaji web check --home /srv/unaji --backups /mnt/copies
    """
    _open(home)
    from unaji.web.upkeep.checks import State, look

    say = _words(lang)
    lines = []
    for line in look(backups=backups, sample=sample):
        text = say(f"upkeep.check.{line.id}.{line.state}", **line.said)
        todo = say(f"upkeep.check.{line.id}.do") if line.state is State.WRONG else ""
        lines.append({"id": line.id, "state": line.state.value, "say": text, "do": todo})
        if not as_json:
            click.echo(say("upkeep.check.line", mark=say(f"upkeep.check.mark_{line.state}"), text=text))
            if todo:
                click.echo(say("upkeep.check.do_line", text=todo))
    wrong = sum(line["state"] == State.WRONG for line in lines)
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "checks": lines}, ensure_ascii=False))
    else:
        click.echo(say("upkeep.check.some_wrong", n=wrong) if wrong else say("upkeep.check.all_right"))
    if wrong:
        raise click.exceptions.Exit(ExitCode.NOT_READY)


# -- backup ------------------------------------------------------------------------------------------------------------


def _three(_context: click.Context, _option: click.Parameter, said: str | None) -> tuple[int, int, int] | None:
    if said is None:
        return None
    parts = said.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"--keep {said}: say three numbers, of days, weeks and months, such as 7,5,12")
    days, weeks, months = (int(part) for part in parts)
    return days, weeks, months


@command.command("backup")
@click.argument("to", type=FOLDER)
@HOME
@click.option("--keys", type=FOLDER, help="Copy the keys too, into this folder on another disk or machine.")
@click.option("--recipient", default="", help="Encrypt to this public key of age (needs the program age).")
@click.option("--keep", callback=_three, help="Daily, weekly and monthly copies that stay, such as 7,5,12. [all]")
@LANGUAGE
@JSON
def backup(
    to: Path, home: Path | None, keys: Path | None, recipient: str, keep: tuple[int, int, int] | None, lang: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Keep a copy of the data in the folder TO, while the app runs; the keys are never in it.

    With --keep, copies of keys older than seven days are removed too: so long can an erased person's key be brought
    back.

    \b
    Example:
      unaji web backup /mnt/copies --keys /mnt/elsewhere --keep 7,5,12
    """
    _open(home)
    from unaji.web.upkeep.backup import back_up

    made = back_up(to, now=datetime.now(UTC), keys_into=keys, recipient=recipient, keep=keep)
    rows, files = sum(made.manifest.counts.values()), len(made.manifest.sha256) - 1
    if as_json:
        said = {"data": str(made.data), "keys": str(made.keys) if made.keys else None, "size_bytes": made.size_bytes,
                "rows": rows, "files": files, "chain": made.manifest.chain, "encrypted": bool(recipient),
                "removed": [str(one) for one in made.removed]}  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    say = _words(lang)
    click.echo(
        say("upkeep.backup.data", file=made.data, mib=f"{made.size_bytes / (1 << 20):.1f}", rows=rows, files=files)
    )
    click.echo(say("upkeep.backup.without_keys") if made.keys is None else say("upkeep.backup.keys", file=made.keys))
    if not recipient:
        click.echo(say("upkeep.backup.plain"))
    if made.removed:
        click.echo(say("upkeep.backup.removed", n=len(made.removed)))


# -- restore -----------------------------------------------------------------------------------------------------------


@command.command("restore")
@click.argument("archive", metavar="FROM", type=FILE)
@click.option("--keys", type=FILE, help="The copy of the keys; take the newest.")
@click.option("--identity", type=FILE, help="Private key of age, for copies that are encrypted.")
@click.option("--home", type=FOLDER, required=True, help="Where to: a folder that is not there yet, or is empty.")
@LANGUAGE
@JSON
def restore(archive: Path, keys: Path | None, identity: Path | None, home: Path, lang: str, as_json: bool) -> None:
    """Bring a copy back into an empty home, and see that it is what was kept.

    A copy of PostgreSQL goes into the empty database that UNAJI_DATABASE_URL names. Whoever was erased after the copy
    was made is erased again, where --keys is a copy made after that.

    \b
    Example:
      unaji web restore /mnt/copies/unaji-data-….tar --keys /mnt/elsewhere/unaji-keys-….tar --home /srv/unaji-again
    """
    needs_web()
    from unaji.web.upkeep.restore import load_database, point_to, unpack, verify

    home = home.expanduser().absolute()
    manifest = unpack(archive, home, keys=keys, identity=identity)
    os.environ.setdefault("UNAJI_ORIGIN", "http://localhost:8000")
    point_to(home)
    load_database(home, manifest)
    done = verify(home, manifest)
    if as_json:
        said = {"home": str(home), "made_at": manifest.made_at, "people": done.people,
                "erased": [str(one) for one in done.erased], "unopened": [str(one) for one in done.unopened],
                "opened": done.opened, "wrong": list(done.wrong)}  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        _tell_restored(_words(lang), done, home, with_keys=keys is not None)
    if done.wrong:
        raise OutputError(f"{home}: differs from what was kept: {done.wrong[0]}")


def _tell_restored(say: Catalogue, done: Any, home: Path, *, with_keys: bool) -> None:
    manifest = done.manifest
    click.echo(say("upkeep.restore.unpacked", at=manifest.made_at, version=manifest.unaji))
    click.echo(
        say(
            "upkeep.restore.counted",
            tables=len(manifest.counts),
            rows=sum(manifest.counts.values()),
            people=done.people,
        )
    )
    if done.erased:
        click.echo(say("upkeep.restore.erased", n=len(done.erased)))
    if done.unopened:
        click.echo(say("upkeep.restore.unopened", n=len(done.unopened), who=", ".join(map(str, done.unopened[:5]))))
    click.echo(say(f"upkeep.restore.opened_{done.opened or 'nothing'}"))
    for one in done.wrong:
        click.echo(say("upkeep.restore.wrong", what=one))
    click.echo(say("upkeep.restore.next" if with_keys else "upkeep.restore.keys_next", home=home))


# -- moderator ---------------------------------------------------------------------------------------------------------


@command.command("moderator")
@click.argument("email")
@HOME
@click.option("--remove", is_flag=True, help="Let the account answer no longer.")
@LANGUAGE
def moderator(email: str, home: Path | None, remove: bool, lang: str) -> None:
    """Let an account answer readers' questions; it sees nobody's casebook by that.

    \b
    Example:
      unaji web moderator editor@unaji.example
    """
    _open(home)
    from unaji.web.casebook.actions.staff import set_moderator

    user = set_moderator(email, moderates=not remove)
    click.echo(_words(lang)("upkeep.moderator.taken" if remove else "upkeep.moderator.given", email=user.email))


# -- the app -----------------------------------------------------------------------------------------------------------


def _open(home: Path | None) -> None:
    """Let Django know the home; it must be there, since looking at one that is not would make it."""
    needs_web()
    chosen = (home or Path(os.environ.get("UNAJI_HOME", "") or DEFAULT_HOME)).expanduser().absolute()
    if not (chosen / "keys").is_dir():
        raise InputError(f"{chosen}: no home of unaji (it has no keys); name it with --home, or make one: unaji serve")
    os.environ.setdefault("UNAJI_ORIGIN", "http://localhost:8000")
    from unaji.web.upkeep.restore import point_to

    point_to(chosen)


def _words(language: str) -> Catalogue:
    from unaji.web.words import catalogue

    return catalogue(language)
