"""What can go wrong that the person at the keyboard can put right, and the exit code of each."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line returns to the shell."""

    OK = 0
    UNEXPECTED = 1  # a defect of unaji, with a traceback
    USAGE = 2  # options that do not fit together
    INPUT = 3  # a file or folder that cannot be used as it is
    CLAIMS = 4  # an article's model file that is wrong
    OUTPUT = 5  # the result could not be written
    NOT_READY = 6  # `unaji web check` found something that is not as it should be
    INTERRUPTED = 130


class UnajiError(Exception):
    """A problem the user can put right; shown without a traceback."""

    exit_code = ExitCode.INPUT


class InputError(UnajiError):
    """A file or folder that cannot be used: says which, where, what was found and what to do."""


class UsageError(UnajiError):
    """Options or arguments that contradict each other."""

    exit_code = ExitCode.USAGE


class ClaimsError(UnajiError):
    """An article's model file breaks a rule: says file, key and reason."""

    exit_code = ExitCode.CLAIMS


class OutputError(UnajiError):
    """A result could not be written; nothing is left half-written."""

    exit_code = ExitCode.OUTPUT
