"""Apple Health: ``export.xml``, as the Health app writes it, of any size.

Read are heart rate, variability with its beats, breathing, blood oxygen, steps, energy, temperatures, sound, sleep,
workouts, symptoms, blood pressure, weight, height, caffeine and alcohol. Everything else is counted by its type.

Times carry an offset, and the instant is taken as written; but the offset is often the phone's on the day of the
export, so the wall clock (`zone_min`) is known only where a record names its zone. Records inside a Correlation stand
once more outside and are skipped. Of the person nothing is kept, and of the device its name only, which the store
hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unaji.records.apple_health.elements import Elements
from unaji.records.apple_health.mapping import Mapping
from unaji.records.apple_health.stream import claims, read_rows
from unaji.records.batch import Batch
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source


def claims_file(head: bytes) -> bool:
    """Say whether the first 64 kB are those of an export: its root, or document type, is HealthData."""
    return claims(head)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog, *, strict: bool = False) -> Iterator[Batch]:
    """Read exports in constant memory.

    Parameters
    ----------
    strict : bool
        Whether an XML parser reads every record, instead of the byte scanner those that are as Apple writes them;
        the same batches, at a fraction of the speed.

    Raises
    ------
    InputError
        A file declares XML entities or is built to exhaust memory.
    """
    for file in files:
        mapping, elements = Mapping(file.name, clock, log), Elements(file.name, log)
        for rows in read_rows(file, log, elements, strict=strict):
            yield from mapping.batches(rows)
        mapping.tell()
        _tell_elements(elements, file.name, log)


def _tell_elements(elements: Elements, file: str, log: ProblemLog) -> None:
    for name, count in elements.others.items():
        rule = f"{count:,} elements that are neither records nor workouts (sums of them, routes) were not read"
        log.remark(file, None, name, rule)
    for name, count in elements.repeated.items():
        if name == "Correlation":
            log.remark(
                file, None, f"{count:,}", "records inside a Correlation stand once more outside it: counted once"
            )
        else:
            log.reject(file, None, name, "records inside this element were not read", count=count)
