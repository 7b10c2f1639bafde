"""The command line: one module a verb. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from unaji import __version__
from unaji.errors import ExitCode, UnajiError

VERBS = {
    "attribute": "Which exposures are behind any symptom? The engine alone, on two tables.",
    "cohort": "Which causes do many people share, and what does that tell about each of them?",
    "compare": "What changed between two reports of one person, and is that more than chance?",
    "erase": "Remove all records of a person.",
    "explain": "Why does this person's neck feel hot, and does treatment help?",
    "export": "Write all records of a person as plain tables.",
    "hrv": "Heart rate variability of one recording, whole or window by window.",
    "import": "Bring vendors' exports into a person's folder.",
    "records": "Which records are there, on which days, and what looks wrong with them?",
    "serve": "The web app: diary, explanation and the public article, on this machine.",
    "simulate": "The neck under a scenario, or the heat balance over a table of surroundings.",
    "simulate-person": "Make up a person with a known truth, to try things on.",
    "trial": "Plan a trial on yourself, its days drawn by lot, and analyse it.",
    "web": "Run the web app: is all as it should be, keep a copy, bring one back.",
    "weather": "Fetch the weather of a person's place and period into their folder.",
}


class _Verbs(click.Group):
    """Imports a verb only when it is asked for, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = import_module(f"unaji.cli.{cmd_name.replace('-', '_')}_")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs)
@click.version_option(__version__, prog_name="unaji")
def unaji() -> None:
    """Find out why the back of a person's neck feels hot, from that person's own records.

    It is not a medical device and diagnoses nothing.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 8
      unaji explain someone --html report.html
    """


def main() -> None:
    """Run the command line; problems the user can put right are told without a traceback."""
    try:
        code = unaji(standalone_mode=False)  # what a verb ended with, where it ended early
        sys.stdout.flush()
        if isinstance(code, int) and code:
            sys.exit(code)
    except UnajiError as error:
        click.echo(f"unaji: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except BrokenPipeError:  # the reader of the pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        click.echo(f"unaji: cannot write the result ({error.strerror or error})", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer has nowhere to go
        sys.exit(ExitCode.OUTPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("unaji: stopped; nothing was left half-written", err=True)
        sys.exit(ExitCode.INTERRUPTED)
