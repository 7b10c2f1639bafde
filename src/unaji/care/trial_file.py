"""A trial's plan as a file that a person can read and nobody can change unseen."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from unaji.care.trial import USUAL, Change, Period, Strata, TrialPlan
from unaji.care.trial_effect import Better
from unaji.errors import InputError, OutputError
from unaji.records.person import check_zone

FORMAT = 1
HEAD = """\
# Plan of a trial on one person (N-of-1), settled before its first day. It must not be changed: unaji checks the
# fingerprint and refuses a plan that differs from what was registered. Stop at any time if you feel unwell.
# 一人で行う試験の計画です。始める前に決めたもので、変えてはいけません(変えると unaji は読みません)。
# 具合が悪いときは、いつでもやめてください。
"""
TYPES: dict[str, tuple[type, ...]] = {
    "question": (str,), "change": (str,), "kind": (str,), "outcome": (str,), "better": (str,),
    "minimal_important": (float, int), "timezone": (str,), "period_days": (int,), "washout_days": (int,),
    "strata": (str,), "blocks": (int,), "seed": (int,), "registered_at": (datetime,), "periods": (list,),
}  # fmt: skip
CLOSED: dict[str, type[StrEnum]] = {"change": Change, "better": Better, "strata": Strata}


def plan_toml(plan: TrialPlan) -> str:
    """Return the text of a plan's file."""
    lines = [f"format = {FORMAT}"]
    for one in fields(plan):
        if one.name != "periods":
            lines.append(f"{one.name} = {_value(getattr(plan, one.name))}")
    lines += [f'fingerprint = "{plan.fingerprint}"', "", "periods = ["]
    lines += [
        f'  {{ block = {p.block}, first = {p.first}, last = {p.last}, condition = "{plan.condition(p.changed)}" }},'
        for p in plan.periods
    ]
    return f"{HEAD}\n" + "\n".join([*lines, "]", ""])


def write_plan(plan: TrialPlan, path: Path) -> None:
    """Write a plan to a new file; one that is there is never replaced.

    Raises
    ------
    OutputError
        The file is there already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(plan_toml(plan))
    except FileExistsError as error:
        raise OutputError(
            f"{path}: is there already; a registered plan is never replaced, choose another name"
        ) from error
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); is the folder there?") from error


def read_plan(path: Path) -> TrialPlan:
    """Read a plan's file and hold it against its fingerprint.

    Raises
    ------
    InputError
        The file is no plan, or was changed after it was registered.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; make one with: unaji trial design --out {path}") from error
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: cannot be read as TOML ({error})") from error
    return plan_of(text, str(path))


def plan_of(text: str, path: str) -> TrialPlan:
    """Read the text of a plan's file and hold it against its fingerprint; errors name it by `path`.

    Raises
    ------
    InputError
        The text is no plan, or was changed after it was registered.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: cannot be read as TOML ({error})") from error
    if said.get("format") != FORMAT:
        raise InputError(f"{path}: format is {said.get('format')!r}; this version of unaji reads format {FORMAT}")
    values: dict[str, Any] = {key: _checked(path, said, key) for key in TYPES if key != "periods"}
    values["minimal_important"] = float(values["minimal_important"])
    check_zone(values["timezone"], path)
    if values["registered_at"].tzinfo is None:
        raise InputError(f"{path}: registered_at {values['registered_at']} has no offset, such as +09:00")
    try:
        values["registered_at"] = values["registered_at"].astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"{path}: registered_at {values['registered_at']} is no moment of the calendar") from error
    rows = _checked(path, said, "periods")
    periods = tuple(_period(path, k + 1, row, values["change"]) for k, row in enumerate(rows))
    plan = TrialPlan(**values, periods=periods)
    if said.get("fingerprint") != plan.fingerprint:
        raise InputError(
            f"{path}: the plan was changed after it was registered (its fingerprint is {plan.fingerprint[:12]}…, the "
            f"file says {str(said.get('fingerprint'))[:12]!r}); analyse the plan as registered, or design a new trial"
        )
    return plan


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _checked(path: str, said: dict[str, Any], key: str) -> Any:
    value = said.get(key)
    if not isinstance(value, TYPES[key]) or isinstance(value, bool):
        wanted = " or ".join(one.__name__ for one in TYPES[key])
        raise InputError(f"{path}: {key} must be a {wanted}, found {value!r}")
    if key not in CLOSED:
        return value
    try:
        return CLOSED[key](str(value))
    except ValueError as error:
        raise InputError(f"{path}: {key} must be one of {', '.join(CLOSED[key])}, found {value!r}") from error


def _period(path: str, number: int, row: Any, change: Change) -> Period:
    where = f"{path}: periods, entry {number}"
    if not isinstance(row, dict) or not isinstance(row.get("block"), int):
        raise InputError(f"{where}: must be a table with block, first, last and condition, found {row!r}")
    for key in ("first", "last"):
        if not isinstance(row.get(key), date) or isinstance(row[key], datetime):
            raise InputError(f"{where}: {key} must be a date such as 2026-04-06, found {row.get(key)!r}")
    if row.get("condition") not in (change, USUAL):
        raise InputError(f"{where}: condition must be {change} or {USUAL}, found {row.get('condition')!r}")
    return Period(row["block"], row["first"], row["last"], changed=row["condition"] == change)
