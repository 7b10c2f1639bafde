"""What there is of a person as one JSON object."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np

from unaji.records.clock import iso_local
from unaji.records.inventory import Inventory, Name, Stream
from unaji.records.timeline import Zones, from_utc_ms
from unaji.report.inventory.words import sentence


def dumps(inventory: Inventory, language: str = "ja") -> str:
    """Return the inventory as JSON text; its sentences are in the language asked for."""
    return json.dumps(as_json(inventory, language), ensure_ascii=False, indent=1, allow_nan=False)


def as_json(inventory: Inventory, language: str) -> dict[str, Any]:
    """Return the inventory as plain values."""
    zones = inventory.zones
    return {
        "from": str(inventory.dates[0]),
        "to": str(inventory.dates[-1]),
        "days": int(inventory.dates.size),
        "streams": [_stream(one, zones) for one in inventory.streams],
        "overlaps": [
            {"taken": _name(one.taken), "other": _name(one.other), "minutes": round(one.minutes, 1)}
            for one in inventory.overlaps
        ],
        "doubts": [
            {"doubt": str(one.doubt), "quantity": one.quantity, "sources": list(one.sources),
             "values": dict(one.values), "text": sentence(one, language)}
            for one in inventory.suspicions
        ],
        "imports": [
            {"import": one.id, "at": _at(one.imported_ms, zones), "importers": list(one.importers), "rows": one.rows,
             "rejected": [{"reason": reason.reason, "count": reason.count} for reason in one.rejected]}
            for one in inventory.imports
        ],
        "problems": [
            {"file": one.file, "line": one.line, "reason": one.rule, "count": one.count, "rejected": one.rejected}
            for one in inventory.problems
        ],
    }  # fmt: skip


def _stream(one: Stream, zones: Zones) -> dict[str, Any]:
    spread = dict(zip(("p05", "median", "p95"), one.spread, strict=True)) if one.spread else None
    return {
        **_name(one.name), "rows": one.rows, "doubted": one.doubted, "from": iso_local(one.first, zones),
        "to": iso_local(one.last, zones), "days": one.days, "values": spread,
        "rows_a_day": one.rows_a_day.tolist(),
        "covered_min": None if one.covered_min is None else np.round(one.covered_min, 1).tolist(),
        "gaps": [{"from": iso_local(start, zones), "to": iso_local(end, zones)} for start, end in one.gaps],
    }  # fmt: skip


def _name(name: Name) -> dict[str, Any]:
    return {
        "quantity": name.quantity, "kind": name.kind, "source": name.source, "role": name.role, "site": name.site,
        "method": name.method, "number": name.number,
    }  # fmt: skip


def _at(ms: int, zones: Zones) -> str:
    moment: datetime = from_utc_ms(np.datetime64(ms, "ms"))
    return iso_local(moment, zones)
