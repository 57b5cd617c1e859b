"""The JSON of Odečet's own payload to rows: one row a reading, with the defaults of its batch filled in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from core.calendar import Longs
from ingest.message import Message
from ingest.profile import Ignored, Reject

ABSENT: Final = msgspec.UNSET
SHOWN: Final = 80


class Row(msgspec.Struct, gc=False):
    """A reading as written; None where a key is absent or null, but `value`, where null is a fault."""

    meter: Any = None
    at: Any = None
    value: Any = ABSENT
    unit: Any = None
    register: Any = None
    quantity: Any = None
    kind: Any = None
    span_s: Any = None
    quality: Any = None
    zone: Any = None
    begin: Any = msgspec.field(default=None, name="from")
    end: Any = msgspec.field(default=None, name="to")


class Document(Row, gc=False):
    """An object on the top level: a reading, or the defaults of `readings`."""

    readings: list[Row] | None = None


DEFAULTS: Final = tuple(name for name in Row.__struct_fields__ if name != "value")
_DECODER: Final = msgspec.json.Decoder(Document | list[Row])
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)

SINGLE: Final = ""
KEYED: Final = "readings"
BARE: Final = "[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of many messages: `message` is the index of each row's message.

    A message's rows start at `first[message]`; `number` tells which elements of its list they are where some were
    left out; `style` tells how its places are written.
    """

    rows: list[Row]
    message: Longs
    first: list[int]
    style: list[str]
    number: dict[int, list[int]]
    rejects: list[Reject]
    ignored: list[Ignored]

    def place(self, row: int, key: str) -> str:
        """Return where a key of a row stands in its payload: value, readings[3].value, [3].value."""
        message = int(self.message[row])
        style = self.style[message]
        if style == SINGLE:
            return key
        nth = row - self.first[message]
        if message in self.number:
            nth = self.number[message][nth]
        return f"{KEYED if style == KEYED else ''}[{nth}].{key}"


def rows_of(messages: Sequence[Message]) -> Rows:
    """Return the rows of messages; a payload that is no JSON, or not of this form, is rejected as a whole."""
    gathered = Rows(rows=[], message=np.empty(0, np.int64), first=[], style=[], number={}, rejects=[], ignored=[])
    counts = [_gather(gathered, i, message.payload) for i, message in enumerate(messages)]
    return Rows(
        rows=gathered.rows,
        message=np.repeat(np.arange(len(messages)), counts),
        first=gathered.first,
        style=gathered.style,
        number=gathered.number,
        rejects=gathered.rejects,
        ignored=gathered.ignored,
    )


def _gather(into: Rows, index: int, payload: bytes) -> int:
    """Add the rows of a payload; return how many they are."""
    into.first.append(len(into.rows))
    try:
        document = _DECODER.decode(payload)
    except _UNREADABLE:
        return _salvage(into, index, payload)
    if type(document) is list:
        return _add(into, index, document, BARE)
    if document.readings is None:
        into.style.append(SINGLE)
        into.rows.append(document)
        return 1
    _fill(document.readings, document)
    return _add(into, index, document.readings, KEYED)


def _add(into: Rows, index: int, rows: list[Row], style: str) -> int:
    into.style.append(style)
    into.rows.extend(rows)
    if not rows:
        into.ignored.append(Ignored(index, "no_readings"))
    return len(rows)


def _fill(rows: list[Row], defaults: Row) -> None:
    """Give each row what the batch says for all."""
    for name in DEFAULTS:
        default = getattr(defaults, name)
        if default is not None:
            for row in rows:
                if getattr(row, name) is None:
                    setattr(row, name, default)


def _salvage(into: Rows, index: int, payload: bytes) -> int:
    """Read a payload as Python does, which takes NaN and huge numbers, to save the readings beside the bad ones."""
    try:
        document = json.loads(payload)
    except _UNREADABLE as err:
        return _refuse(into, Reject(index, "", "malformed", f"no JSON: {str(err)[:SHOWN]}"))
    if isinstance(document, list):
        return _salvage_list(into, index, document, BARE, Row())
    if not isinstance(document, dict):
        what = f"{type(document).__name__} is no reading: send an object, or a list of objects"
        return _refuse(into, Reject(index, "", "malformed", what))
    listed = document.pop("readings", None)
    row = msgspec.convert(document, Row)
    if listed is None:
        into.style.append(SINGLE)
        into.rows.append(row)
        return 1
    if not isinstance(listed, list):
        return _refuse(into, Reject(index, "readings", "malformed", "is no list of readings"))
    return _salvage_list(into, index, listed, KEYED, row)


def _salvage_list(into: Rows, index: int, listed: list[Any], style: str, defaults: Row) -> int:
    good = [n for n, entry in enumerate(listed) if isinstance(entry, dict)]
    for n in sorted(set(range(len(listed))) - set(good)):
        place = f"{KEYED if style == KEYED else ''}[{n}]"
        into.rejects.append(Reject(index, place, "malformed", "is no object with a reading"))
    rows = [msgspec.convert(listed[n], Row) for n in good]
    _fill(rows, defaults)
    into.number[index] = good
    into.style.append(style)
    into.rows.extend(rows)
    if not listed:
        into.ignored.append(Ignored(index, "no_readings"))
    return len(rows)


def _refuse(into: Rows, reject: Reject) -> int:
    into.style.append(SINGLE)
    into.rejects.append(reject)
    return 0
