"""What is due without anybody asking: silent jobs, answers out of date, exports that are over, reminders, weather."""

from __future__ import annotations

import logging
import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from unaji.web.casebook.actions.explanations import refresh_stale
from unaji.web.casebook.actions.exports import finish_erasures, remove_expired
from unaji.web.casebook.actions.imports import sweep_uploads
from unaji.web.casebook.actions.reminders import send_due
from unaji.web.casebook.actions.weather import ask_weather_due
from unaji.web.casebook.beats import call_worker, clock_beats, forget_finished
from unaji.web.casebook.files import sweep_scratch
from unaji.web.casebook.jobs import wake_silent

logger = logging.getLogger(__name__)

DUE: tuple[Callable[[], int], ...] = (
    wake_silent,
    refresh_stale,
    remove_expired,
    finish_erasures,
    sweep_scratch,
    sweep_uploads,
    send_due,
    ask_weather_due,
    call_worker,
    forget_finished,
    clock_beats,
)


class Command(BaseCommand):
    """Looks every few seconds for what is due."""

    help = "Look every few seconds for what is due; runs beside the web server and the worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say how often."""
        parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks")
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look until told to stop."""
        stopped = False

        def stop(_signal: int, _frame: object) -> None:
            nonlocal stopped
            stopped = True

        if not options["once"]:
            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
        while not stopped:
            close_old_connections()
            for due in DUE:
                self._do(due)
            if options["once"]:
                return
            for _ in range(int(options["every"] * 5)):
                if not stopped:
                    time.sleep(0.2)

    def _do(self, due: Callable[[], int]) -> None:
        try:
            number = due()
        except Exception as error:  # one that fails must not keep the others from being done
            logger.error("%s failed: %s", due.__name__, type(error).__name__, exc_info=True)
        else:
            if number:
                logger.info("%s: %d", due.__name__, number)
