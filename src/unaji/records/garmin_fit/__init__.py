"""Garmin FIT files: days of a watch, trainings with heart beats, scales and blood pressure meters.

What is kept: heart rate, intervals between beats (of ``hrv``, and of ``hr``, which a strap remembered), steps, RMSSD of
the night, stress score, oxygen saturation, breathing rate, resting heart rate, sleep stages, skin and core temperature
where a sensor for them was worn, weight, blood pressure, and trainings. Positions, serial numbers, names and the
temperature of the watch's case are never read. Other messages are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from unaji.records.batch import USER, Batch, Device
from unaji.records.clock import Clock
from unaji.records.garmin_fit.beats import interval_rows, strap_rows
from unaji.records.garmin_fit.messages import DEVICE_INFO, FILE_ID, READ, Reader, Shared, shared_rows, simple_rows
from unaji.records.garmin_fit.protocol import HEADER_SIZES, MAGIC, IntArray, Messages
from unaji.records.garmin_fit.steps import Counts, counts, step_rows
from unaji.records.problems import ProblemLog
from unaji.records.rows import Rows, batches, group, let_in, some_files
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.timeline import BoolArray

TOGETHER_BYTES = 8 << 20
"""Files are read together up to this size, since most are small."""

LARGEST_BYTES = 256 << 20
"""No device writes a larger file."""

ANT, BLUETOOTH = (0, 1), (2, 3)
STRAP_ON_ANT, STRAP_ON_BLUETOOTH = 120, 1
FROM_STRAP = ("hr_bpm", "rri_ms")
WORN = ("hr_bpm", "hr_resting_bpm", "rri_ms", "rmssd_ms", "steps", "stress_score", "spo2_pct", "resp_rate_bpm",
        "skin_temp_c", "skin_temp_dev_c", "sleep", "exercise")  # fmt: skip
METHODS = {"stress_score": "garmin_stress", "core_temp_c": "garmin_fit_core_temperature"}

USERS, NOBODY = 1 << 16, 0xFFFF
"""Numbers that a device may give its users; the last says that it gives none."""

SEVERAL_PEOPLE = "several people used the device and the files do not say which of them is you; nothing was taken"


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as FIT files do."""
    return len(head) >= 12 and head[0] in HEADER_SIZES and head[8:12] == MAGIC


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read FIT files, many small ones together.

    Weights, blood pressures and steps come last: who used a device is known when all files were seen, and the counters
    of steps run on from one file to the next.
    """
    seen = _Seen()
    for some in _together(files, log):
        yield from _read_some(some, clock, log, seen)
    names = tuple(file.name for file in files)
    yield from _of_one_person(seen, clock, log)
    if seen.counts:
        for device, walked in step_rows(seen.counts, seen.names, log):
            rows = let_in(walked, seen.names, clock, log)
            yield from batches(rows, np.full(len(rows), device), lambda k: seen.device(k, "steps"))
    _note_unread(names, seen.unread, log)


@dataclass(slots=True)
class _Seen:
    """What is carried from one lot of files to the next."""

    devices: dict[tuple[int, int], int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    shared: list[tuple[Shared, IntArray]] = field(default_factory=list)
    unread: Counter[int] = field(default_factory=Counter)

    def device(self, key: int, quantity: str, method: str = "", *, strap: bool = False, user: int = NOBODY) -> Device:
        """Return a device by its number in `devices`; of one that several people may use, with the number of one."""
        maker, product = list(self.devices)[key]
        role = "strap" if strap else "watch" if quantity in WORN else ""
        beats = quantity == "rri_ms"
        return Device(
            "garmin_fit",
            role=role,
            name=f"{maker} {product}",
            app="" if user == NOBODY else f"{USER}{user}",
            site="wrist" if role == "watch" and quantity != "exercise" else "",
            method=method or METHODS.get(quantity, ""),
            origin="" if not beats else "strap" if strap else "ppg",
        )


def _together(files: Sequence[Source], log: ProblemLog) -> Iterator[list[tuple[str, bytes]]]:
    lot: list[tuple[str, bytes]] = []
    size = 0
    for file in files:
        data = file.head if len(file.head) < HEAD_BYTES else _load(file, log)
        if lot and size + len(data) > TOGETHER_BYTES:
            yield lot
            lot, size = [], 0
        if data:
            lot.append((file.name, data))
            size += len(data)
    if lot:
        yield lot


def _load(file: Source, log: ProblemLog) -> bytes:
    with file.open() as opened:
        data = opened.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        log.reject(file.name, None, "", f"the file is larger than {LARGEST_BYTES >> 20} MB and was not read")
        return b""
    return data


def _read_some(files: list[tuple[str, bytes]], clock: Clock, log: ProblemLog, seen: _Seen) -> Iterator[Batch]:
    messages = Messages(files, log)
    reader = Reader(messages, clock, tuple(name for name, _ in files), log)
    for number, n in messages.counts():
        if number not in READ:
            seen.unread[number] += n
    devices, straps = _devices(reader, seen.devices), _with_strap(reader)
    first = len(seen.names)
    seen.names += reader.names
    read_now = counts(reader, devices)
    if read_now.file.size:
        seen.counts.append(_numbered(read_now, first))
    for one in shared_rows(reader):
        rows = replace(one.rows, file=one.rows.file + first)
        seen.shared.append((replace(one, rows=rows), devices[one.rows.file]))
    pieces = [*simple_rows(reader), *interval_rows(reader)]
    always = [*strap_rows(reader)]
    for rows in group(pieces, lambda rows: (rows.kind, rows.quantity, rows.method)):
        yield from _batches(rows, reader, devices, straps, seen)
    for rows in group(always, lambda rows: (rows.kind, rows.quantity, rows.method)):
        yield from _batches(rows, reader, devices, np.ones_like(straps), seen)


def _batches(rows: Rows, reader: Reader, devices: IntArray, straps: BoolArray, seen: _Seen) -> Iterable[Batch]:
    rows = let_in(rows, reader.names, reader.clock, reader.log)
    strap = straps[rows.file] & (rows.quantity in FROM_STRAP)
    return batches(
        rows,
        2 * devices[rows.file] + strap,
        lambda key: seen.device(int(key) // 2, rows.quantity, rows.method, strap=bool(key % 2)),
    )


def _of_one_person(seen: _Seen, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Give weights and blood pressures of devices that one person used; of several it cannot be told who is who.

    A file that names nobody is no sign of a second person, and stays.
    """
    users: dict[tuple[int, int], set[int]] = {}
    naming: set[tuple[int, int]] = set()
    for one, device in seen.shared:
        told = ~np.isnan(one.user)
        for key, user in zip(device[told].tolist(), one.user[told].tolist(), strict=True):
            users.setdefault((one.number, key), set()).add(int(user))
        naming |= {(one.number, file) for file in one.rows.file[told].tolist()}
    for one, device in seen.shared:
        crowded = [key for (number, key), some in users.items() if number == one.number and len(some) > 1]
        named = [file for number, file in naming if number == one.number]
        refused = np.isin(device, crowded) & np.isin(one.rows.file, named)
        for file, count in zip(*np.unique(one.rows.file[refused], return_counts=True), strict=True):
            log.reject(seen.names[file], None, one.rows.quantity, SEVERAL_PEOPLE, count=int(count))
        user = np.nan_to_num(one.user, nan=NOBODY).astype(np.int64)
        rows = let_in(replace(one.rows, others={"used": device * USERS + user}).where(~refused), seen.names, clock, log)
        yield from batches(replace(rows, others={}), rows.others["used"], partial(_used, seen, rows.quantity))


def _used(seen: _Seen, quantity: str, used: int) -> Device:
    return seen.device(int(used) // USERS, quantity, user=int(used) % USERS)


def _numbered(part: Counts, first: int) -> Counts:
    """Count files from the first of all."""
    return Counts(part.file + first, part.device, part.activity, part.time_ms, part.steps, part.zone_min, part.began_ms)


def _devices(reader: Reader, known: dict[tuple[int, int], int]) -> IntArray:
    """Return which device wrote each file, by maker and product, adding new ones to those known."""
    table = reader.messages.table(FILE_ID, 1, 2)
    maker, product = (np.nan_to_num(table.one(field), nan=-1).astype(np.int64) for field in (1, 2))
    devices = np.full(len(reader.names), known.setdefault((-1, -1), len(known)))
    file = reader.file(table)
    for k in range(len(table) - 1, -1, -1):  # the first in a file counts
        devices[file[k]] = known.setdefault((int(maker[k]), int(product[k])), len(known))
    return devices


def _with_strap(reader: Reader) -> BoolArray:
    """Say in which files a chest strap was connected."""
    table = reader.messages.table(DEVICE_INFO, 1, 25)
    kind, by = table.one(1), table.one(25)
    strap = (kind == STRAP_ON_ANT) & (np.isin(by, ANT) | np.isnan(by))
    strap |= (kind == STRAP_ON_BLUETOOTH) & np.isin(by, BLUETOOTH)
    has = np.zeros(len(reader.names), dtype=bool)
    has[reader.file(table)[strap]] = True
    return has


def _note_unread(names: Sequence[str], unread: Counter[int], log: ProblemLog) -> None:
    if unread:
        where = some_files(names, np.arange(len(names)))
        kinds = ", ".join(f"{number} ({n:,})" for number, n in sorted(unread.items()))
        rule = f"messages of kinds that unaji does not read were left out; by number and how many: {kinds}"
        log.remark(where, None, f"{sum(unread.values()):,}", rule)
