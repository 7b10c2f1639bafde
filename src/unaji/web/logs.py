"""Logs carry ids, counts and durations; what may tell of a person is cut off before a line is written."""

from __future__ import annotations

import logging
import re

_QUERY = re.compile(r"\?[^\s\"']*")
_ADDRESS = re.compile(
    r"""[^\s<>"'=]+@[^\s<>"']+              # of mail
    | \b\d{1,3}(?:\.\d{1,3}){3}\b         # of the net, IPv4
    | (?<!\w)(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?!\w)  # and IPv6
    """,
    re.VERBOSE | re.IGNORECASE,
)


class WithoutQuery(logging.Filter):
    """Cut query strings, addresses of mail and net, and what exceptions say: their type and place are enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; every record passes."""
        record.msg, record.args = _ADDRESS.sub("…", _QUERY.sub("?…", record.getMessage())), ()
        if record.exc_info and record.exc_info[1] is not None:
            error, trace = record.exc_info[1], record.exc_info[1].__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = "" if trace is None else f" at {trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
            record.msg += f" [{type(error).__module__}.{type(error).__qualname__}{place}]"
            record.exc_info = record.exc_text = None
        return True
