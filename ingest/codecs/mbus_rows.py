"""Rows of one form from the records of an M-Bus telegram.

A telegram repeats a quantity: by tariff, sub-unit and storage, as extremes, or with a difference (import and export,
forward and backward) that its text does not tell. Each record therefore lands on a register of its own. Only where a
quantity stands once among the current records is it the register without a suffix; equal ones are numbered in order,
and a person says which of them counts.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ingest.codecs.errors import PayloadError
from ingest.codecs.mbus_units import COUNTED, TIME_POINT, Sense

CURRENT: Final = "instantaneous"
MOST_RECORDS: Final = 2000
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?")
_STAMP: Final = re.compile(r"[0-9]{4}-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9](:[0-9][0-9])?")
_ID: Final = re.compile(r"[0-9A-Fa-f]{1,8}")
_MEDIA: Final = {
    0x00: "other", 0x01: "oil", 0x02: "electricity", 0x03: "gas", 0x04: "heat", 0x05: "steam", 0x06: "hot_water",
    0x07: "water", 0x08: "heat_cost_allocator", 0x09: "compressed_air", 0x0A: "cooling", 0x0B: "cooling",
    0x0C: "heat", 0x0D: "heat_cooling", 0x15: "hot_water", 0x16: "cold_water", 0x17: "dual_water",
}  # fmt: skip
"""Device types of EN 13757-7, table 13."""

_MEDIUM_TEXTS: Final = (
    ("electricity", "electricity"),
    ("gas", "gas"),
    ("heat / cooling", "heat_cooling"),
    ("heat cost", "heat_cost_allocator"),
    ("h.c.a", "heat_cost_allocator"),
    ("heat", "heat"),
    ("cooling", "cooling"),
    ("warm water", "hot_water"),
    ("hot water", "hot_water"),
    ("cold water", "cold_water"),
    ("dual water", "dual_water"),
    ("water", "water"),
    ("steam", "steam"),
    ("oil", "oil"),
    ("compressed", "compressed_air"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record of a telegram: `value` as written, `fault` why it is no reading, empty where it may be one.

    `direction` is positive or negative where the telegram says that only such contributions are counted.
    """

    field: str
    function: str
    storage: int = 0
    tariff: int = 0
    device: int = 0
    sense: Sense
    direction: str = ""
    value: object
    unit_text: str
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Whose telegram it is: `meter` as written, with `serial` its eight digits."""

    meter: str
    manufacturer: str
    medium: str
    medium_text: str
    status: str


def rows_of(head: Head, records: list[Record]) -> list[dict[str, Any]]:
    """Return the rows of the records of a telegram."""
    if len(records) > MOST_RECORDS:
        raise PayloadError(f"{len(records)} records are more than the {MOST_RECORDS} of a telegram")
    records = [replace(r, fault=r.fault or _fault(r, head)) for r in records]
    times = _times(records)
    group = Counter(_place(r) for r in records if _counts(r))
    crowded = {place[:-1] for place, many in group.items() if many > 1}
    seen: Counter[tuple[object, ...]] = Counter()
    rows = []
    for record in records:
        place, ordinal, fault = _place(record), 0, record.fault
        if _counts(record):
            seen[place] += 1
            ordinal = seen[place] if place[:-1] in crowded else 0
            fault = fault or _unclear(record, group, times, crowded=place[:-1] in crowded)
        rows.append(_row(head, record, ordinal, times.get(record.storage), fault))
    return rows


def _counts(record: Record) -> bool:
    """Return whether a record takes a place among those of its quantity, also when its value is none."""
    return record.sense.quantity not in {None, TIME_POINT} and record.function == CURRENT


def _place(record: Record) -> tuple[object, ...]:
    return (
        record.sense.quantity,
        record.sense.part,
        record.direction,
        record.tariff,
        record.device,
        record.storage,
    )


def _fault(record: Record, head: Head) -> str:
    """Return why a record is no reading, as far as it tells by itself."""
    sense = record.sense
    if sense.quantity in {None, TIME_POINT}:
        return sense.fault or "a time"
    if record.function != CURRENT:
        return f"{record.function} value, not the current one"
    if record.storage and sense.quantity not in COUNTED:
        return f"stored value {record.storage}, not the current one"
    if sense.quantity == "heat_cost_units" and head.medium != "heat_cost_allocator":
        return "heat-cost units of a meter that is no heat-cost allocator"
    return "" if number_of(record.value) is not None else f"{record.value!r:.60} is no number"


def _unclear(
    record: Record, group: Mapping[tuple[object, ...], int], times: Mapping[int, str | None], *, crowded: bool
) -> str:
    """Return why a stored value cannot be told from others, empty where it can and for current values."""
    if record.storage == 0:
        return ""
    if times.get(record.storage) is None:
        return f"stored value {record.storage} without one date and time of its own"
    if crowded and group[_place(record)] != group.get((*_place(record)[:-1], 0), 0):
        return f"stored value {record.storage}: which of the equal current values it belongs to is not said"
    return ""


def _times(records: Iterable[Record]) -> dict[int, str | None]:
    """Return the instant that each storage has, None where it has several or one that is no time of day."""
    found: dict[int, str | None] = {}
    for record in records:
        if record.sense.quantity == TIME_POINT and record.function == CURRENT:
            stamp = str(record.value)
            found[record.storage] = _stamp(stamp) if record.storage not in found else None
    return found


def _stamp(text: str) -> str | None:
    if not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None


def number_of(value: object) -> Decimal | None:
    """Return a value as an exact decimal, None where it is no number (a BCD that holds letters, a text, nothing)."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return None
    return Decimal(value.strip())


def _row(head: Head, record: Record, ordinal: int, time: str | None, fault: str) -> dict[str, Any]:
    sense, number = record.sense, number_of(record.value)
    current = record.function == CURRENT and record.storage == 0
    gauge = "cumulative" if sense.quantity in COUNTED else "gauge"
    direction = _direction(record, head)
    return {
        "id": head.meter,
        "serial": head.meter.zfill(8),
        "manufacturer": head.manufacturer,
        "medium": head.medium,
        "medium_text": head.medium_text,
        "status": head.status,
        "field": record.field,
        "quantity": sense.quantity,
        "register": _register(record, direction, ordinal),
        "direction": direction,
        "unit": sense.unit,
        "value": None if number is None else format((number * sense.scale).normalize(), "f"),
        "source_value": record.value,
        "source_unit": record.unit_text,
        "kind": gauge if current else "snapshot",
        "current": current,
        "storage": record.storage,
        "tariff": record.tariff,
        "device": record.device,
        "function": record.function,
        "time": time,
        "skip": fault or None,
    }


def _direction(record: Record, head: Head) -> str:
    if record.sense.part:
        return record.sense.part
    if record.direction and head.medium == "electricity":
        return "import" if record.direction == "positive" else "export"
    return record.direction or "total"


def _register(record: Record, direction: str, ordinal: int) -> str:
    tail = (("t", record.tariff), ("d", record.device), ("n", ordinal))
    return "/".join([direction, *(f"{letter}{number}" for letter, number in tail if number)])


def medium_of(text: str) -> str:
    """Return the medium that a gateway's text or number means."""
    if re.fullmatch(r"0x[0-9a-fA-F]{1,2}", text):
        return _MEDIA.get(int(text, 16), "other")
    folded = text.lower()
    return next((medium for start, medium in _MEDIUM_TEXTS if folded.startswith(start)), "other")


def head_of(meter: str, place: str, *, manufacturer: str = "", medium: str = "", status: str = "") -> Head:
    """Return whose telegram it is; raise PayloadError where the number of the meter is none."""
    if not _ID.fullmatch(meter):
        raise PayloadError(f"{meter[:60]!r} is no number of a meter: expected up to eight digits", place)
    return Head(meter=meter, manufacturer=manufacturer, medium=medium_of(medium), medium_text=medium, status=status)
