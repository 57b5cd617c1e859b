"""Odečet's own JSON payload: one reading, or a batch of readings of many meters (docs/payload.md).

Decoding is columnar: messages become rows, rows become columns, each distinct unit, register, series and time is
worked out once. What is wrong is told by its place and leaves the rows beside it alone.
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from core.readings import Codes, Floats, Readings, SeriesKey
from ingest.message import Message
from ingest.native_batch import Batch
from ingest.native_meaning import Meanings
from ingest.native_rows import ABSENT, Rows, rows_of
from ingest.native_times import Times
from ingest.profile import Decoded, Origin, Rank, matches, precision

METER_LENGTH: Final = 200
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PLAIN: Final = frozenset({int, float})


class NativeProfile:
    """Reads Odečet's own JSON; a payload without meter takes it from its topic, behind the first level(s) `root`."""

    def __init__(self, *, root: str = "odecet", name: str = "odecet") -> None:
        self._root = root.strip("/")
        self._name = name
        self._meanings = Meanings()
        self._times = Times()

    @property
    def name(self) -> str:
        """The name of the profile."""
        return self._name

    @property
    def filters(self) -> tuple[str, ...]:
        """Everything below the root."""
        return (f"{self._root}/#",)

    @property
    def reads_empty(self) -> bool:
        """A reading is never empty."""
        return False

    def rank(self, topic: str) -> Rank | None:
        """Return its rank among the bundled profiles for a topic below the root, None for others."""
        return (1, 0, *precision(self.filters[0]), 0) if matches(self.filters[0], topic) else None

    def claims(self, message: Message) -> str:
        """Claim every payload below the root: what is wrong with one is told when it is read."""
        del message
        return ""

    def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
        """Return the readings of these messages; see ingest.profile.Profile."""
        batch = self._batch(messages)
        _refuse_faults(batch)
        batch.meters = self._meters(batch, messages)
        value = _canonical(_values(batch), batch)
        timing = self._times.of(batch)
        series, code = _series(batch)
        readings = Readings(
            series=series,
            code=code,
            at=timing.at.view("datetime64[us]"),
            value=value,
            kind=batch.kinds,
            quality=timing.quality,
            span_s=timing.span_s,
            received=batch.received.view("datetime64[us]"),
            sources=(self._name,),
            source=np.zeros(len(value), np.int32),
        )
        return _kept(batch, readings, detailed=detailed)

    def _batch(self, messages: Sequence[Message]) -> Batch:
        rows = rows_of(messages)
        arrivals = np.fromiter([m.received for m in messages], np.int64, len(messages))
        units, quantities, registers, kinds = (
            [getattr(row, name) for row in rows.rows] for name in ("unit", "quantity", "register", "kind")
        )
        return Batch(
            rows=rows,
            received=arrivals[rows.message],
            bad=np.zeros(len(rows.rows), bool),
            rejects=rows.rejects,
            code=np.array(self._meanings.codes(units, quantities, registers, kinds), np.int32),
            known=self._meanings.known,
        )

    def _meters(self, batch: Batch, messages: Sequence[Message]) -> list[str]:
        """Return the meter of each row, from the payload or else the topic; refuse what cannot be one."""
        meters: list[Any] = batch.column("meter")
        if None in meters:
            topics = [self._of_topic(m.topic) for m in messages]
            meters = [
                topics[at] if meter is None else meter
                for meter, at in zip(meters, batch.rows.message.tolist(), strict=True)
            ]
        texts = set(map(type, meters)) <= {str}
        strange = (
            {m for m in meters if type(m) is str and _strange(m)} if not texts else set(filter(_strange, set(meters)))
        )
        if strange or not texts:
            meters = [_meter(batch, row, meter, strange) for row, meter in enumerate(meters)]
        return meters

    def _of_topic(self, topic: str) -> str:
        """Return what stands in a topic behind the root, nothing where it is not below it."""
        head = f"{self._root}/"
        return topic.removeprefix(head) if topic.startswith(head) else ""


def _meter(batch: Batch, row: int, meter: object, strange: set[str]) -> str:
    if not isinstance(meter, str):
        batch.reject(row, "meter", "meter_id", f"{meter!r:.60} is no text: write the id in quotes")
        return ""
    if meter in strange:
        batch.reject(row, "meter", "meter_id", _strange(meter))
    return meter


def _strange(meter: str) -> str:
    """Return what is wrong with a meter's id, empty where nothing is."""
    if not meter or meter.isspace():
        return "no meter is named, neither in the payload nor in the topic"
    if len(meter) > METER_LENGTH:
        return f"an id has at most {METER_LENGTH} characters"
    return f"{meter!r:.60} holds control characters" if _CONTROL.search(meter) else ""


def _refuse_faults(batch: Batch) -> None:
    faulty = np.array([m.fault is not None for m in batch.known] or [False], bool)
    for row in np.flatnonzero(faulty[batch.code]).tolist():
        fault = batch.known[batch.code[row]].fault
        if fault is not None:
            batch.reject(row, fault.key, fault.reason, fault.detail)


def _values(batch: Batch) -> Floats:
    """Return the values as sent, NaN where one is refused."""
    column = batch.column("value")
    if set(map(type, column)) <= _PLAIN:
        try:
            values = np.array(column, np.float64)
        except OverflowError:  # an integer beyond any float is found below
            values = np.full(len(column), np.nan)
        if np.isfinite(values).all():
            return values
    return np.fromiter([_value(batch, row, value) for row, value in enumerate(column)], np.float64, len(column))


def _value(batch: Batch, row: int, value: object) -> float:
    if value is ABSENT:
        batch.reject(row, "value", "value_missing", "a reading has a value")
        return np.nan
    number = _number(value)
    if number is None:
        batch.reject(row, "value", "value_unreadable", f"{value!r:.60} is no number; the decimal mark is a point")
        return np.nan
    if not math.isfinite(number):
        batch.reject(row, "value", "value_unreadable", f"{value!r:.60} is no finite number")
    return number


def _number(value: object) -> float | None:
    """Return a number, or a text that is one, as a float (infinite where it is beyond any); None for the rest."""
    if type(value) is float:
        return value
    try:
        if type(value) is int:
            return float(value)
    except OverflowError:
        return math.inf
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return None


def _canonical(value: Floats, batch: Batch) -> Floats:
    """Return values in canonical units."""
    units = [m.unit for m in batch.known]
    if not len(value):
        return value
    scale, divisor, offset = (np.array([getattr(u, name) for u in units]) for name in ("scale", "divisor", "offset"))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(value * scale[batch.code] / divisor[batch.code] + offset[batch.code])


def _series(batch: Batch) -> tuple[tuple[SeriesKey, ...], Codes]:
    """Return the distinct series of rows and the code of each row."""
    place: dict[tuple[str, int], int] = {}
    codes = [place.setdefault(pair, len(place)) for pair in zip(batch.meters, batch.code.tolist(), strict=True)]
    merged: dict[SeriesKey, int] = {}
    table = [merged.setdefault(SeriesKey(m, batch.known[c].register), len(merged)) for m, c in place]
    return tuple(merged), np.array(table or [0], np.int32)[np.array(codes, np.int32)]


def _kept(batch: Batch, readings: Readings, *, detailed: bool) -> Decoded:
    """Return the rows that nothing is wrong with, and what is with the others."""
    message = batch.rows.message.astype(np.int32)
    good = np.flatnonzero(~batch.bad)
    if batch.bad.any():
        readings, message = readings.take(good), message[good]
    return Decoded(
        readings=readings,
        message=message,
        rejects=tuple(batch.rejects),
        ignored=tuple(batch.rows.ignored),
        origins=tuple(_origin(batch.rows, row) for row in good.tolist()) if detailed else (),
        row=good,
        place=batch.rows.place,
    )


def _origin(rows: Rows, row: int) -> Origin:
    written = rows.rows[row]
    return Origin(rows.place(row, "value"), written.value, written.unit)
