"""ISHNE Holter recordings (.ecg): a fixed header, then 16-bit samples of all leads in turn.

There are no beats in such a file; `unaji.signals.ecg` finds them. The person's names in the header are not read.

References
----------
Badilini F, "The ISHNE Holter standard output file format", Ann Noninvasive Electrocardiol, 1998;3:263-266.
doi:10.1111/j.1542-474X.1998.tb00353.x
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from unaji.errors import InputError
from unaji.records.timeline import FloatArray

MAGIC = b"ISHNE1.0"
HEADER_BYTES = 522
MOST_LEADS = 12
NOT_RECORDED = -(1 << 15)
NV_PER_MV = 1e6


@dataclass(frozen=True, slots=True)
class IshneHeader:
    """What the header says of the recording, and nothing of the person.

    Attributes
    ----------
    start : datetime or None
        Wall clock of the first sample; None when the date is not a date.
    resolution_nv : tuple of int
        Nanovolts a unit, one a lead.
    first_sample : int
        Where the samples begin in the file.
    """

    sampling_rate_hz: float
    n_samples: int
    start: datetime | None
    resolution_nv: tuple[int, ...]
    first_sample: int


def read_signal(path: Path, lead: int = 0) -> tuple[FloatArray, IshneHeader]:
    """Read one lead.

    Parameters
    ----------
    lead : int
        Which, from 0.

    Returns
    -------
    signal : ndarray, shape (n_samples,)
        Millivolts; NaN where the recorder marked a sample as not recorded.
    header : IshneHeader

    Raises
    ------
    InputError
        The file cannot be read, is not of this format or is damaged, or there is no such lead.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name}: the file cannot be read ({error.strerror}); check that it is there") from error
    header = _header(data, path.name)
    n_leads = len(header.resolution_nv)
    if not 0 <= lead < n_leads:
        raise InputError(f"{path.name}: there is no lead {lead}; it has {n_leads}, counted from 0")
    samples = np.frombuffer(data, dtype="<i2", offset=header.first_sample, count=header.n_samples * n_leads)
    units = samples.reshape(-1, n_leads)[:, lead]
    signal = units * (header.resolution_nv[lead] / NV_PER_MV)
    signal[units == NOT_RECORDED] = np.nan
    return signal, header


def _header(data: bytes, file: str) -> IshneHeader:
    if not data.startswith(MAGIC) or len(data) < HEADER_BYTES:
        raise InputError(f"{file}: the file does not begin with {MAGIC.decode()} and a header; is it a Holter's .ecg?")
    n_said, first_sample = struct.unpack_from("<i4xi", data, 14)
    day, month, year, hour, minute, second, n_leads = struct.unpack_from("<3h6x4h", data, 138)
    resolution_nv = struct.unpack_from(f"<{MOST_LEADS}h", data, 206)[: max(n_leads, 0)]
    (rate_hz,) = struct.unpack_from("<h", data, 272)
    if not 1 <= n_leads <= MOST_LEADS or rate_hz <= 0 or first_sample < HEADER_BYTES or min(resolution_nv) <= 0:
        raise InputError(
            f"{file}: the header says {n_leads} leads at {rate_hz} Hz from byte {first_sample} on, which cannot be; "
            "export the recording again"
        )
    n_there, left_over = divmod(len(data) - first_sample, 2 * n_leads)
    # Some recorders count the samples of one lead, others those of all leads together.
    if left_over or n_said not in (n_there, n_there * n_leads):
        raise InputError(
            f"{file}: the header promises {n_said:,} samples and {max(n_there, 0):,} a lead are there; copy it again"
        )
    try:
        start = datetime(year, month, day, hour, minute, second)
    except ValueError:
        start = None
    return IshneHeader(float(rate_hz), n_there, start, tuple(resolution_nv), first_sample)
