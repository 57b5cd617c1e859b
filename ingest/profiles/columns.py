"""What a profile reads of a batch of messages, column by column, on the way to readings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from core.calendar import Bools, Longs
from core.readings import Codes, Floats, Kind, Quality, Readings, SeriesKey
from ingest.message import Message
from ingest.native_meaning import Meaning
from ingest.profile import Decoded, Ignored, Origin, Reject
from ingest.profiles.paths import Context, Node
from ingest.profiles.rules import Entry
from ingest.profiles.texts import template
from ingest.profiles.times import Clocks, Resolved

LONGEST_SPAN_S: Final = 10 * 366 * 86400
CUT_OFF: Final = 2e-4
"""Two writings of one dial differ by no more [kWh, m³, ...]: half of the sixth decimal of a GJ is 0.14 Wh."""


class Place(NamedTuple):
    """Where a reading stood: its entry and row, the value as written, the unit as written where a row states it."""

    entry: Entry
    row: Context
    value: Node
    unit: str


def place(entry: Entry, row: Context) -> str:
    """Return where a reading stands in its payload, as text."""
    if entry.rule.spec.field:
        made = template(entry.rule.spec.field, entry.groups)
        text = made if isinstance(made, str) else made(row)
        if text:
            return text
    inner = entry.field
    if inner.startswith("$root."):
        return inner.removeprefix("$root.")
    if row.named:
        inner = inner.removeprefix(row.key).removeprefix(".") or "$row"
    if inner in {"$root", "$row"}:
        return row.trail or "payload"
    if not row.trail or inner.startswith("$"):
        return inner
    return f"{row.trail}{inner}" if inner.startswith("[") else f"{row.trail}.{inner}"


@dataclass(slots=True)
class Columns:
    """Readings of a batch so far; each has the number of its message, its meter and its stamp (a time of a row)."""

    name: str
    meters: dict[str, int] = field(default_factory=dict)
    message: list[int] = field(default_factory=list)
    meter: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    stamp_of: list[int] = field(default_factory=list)
    suspect: list[int] = field(default_factory=list)
    places: list[tuple[Entry, Context, Any, str]] = field(default_factory=list)
    stamps: list[tuple[int, Any, int, str]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    told: bool = False
    _now: int = 0

    def begin(self, number: int) -> None:
        """Go on with another message."""
        self._now = number
        self.told = False

    def refuse(self, where: str, reason: str, detail: str) -> None:
        """Note what cannot be taken."""
        self.told = True
        self.rejects.append(Reject(self._now, where, reason, detail))

    def ignore(self, reason: str) -> None:
        """Note that the message says nothing."""
        self.told = True
        self.ignored.append(Ignored(self._now, reason))

    def stamp(self, rule: int, raw: Node, meter: str | None) -> int:
        """Note a time of the message; return its number."""
        self.stamps.append((rule, raw, self._now, meter or ""))
        return len(self.stamps) - 1

    def add(
        self, meter: int, code: int, value: float, stamp: int, where: tuple[Entry, Context, Any, str], *, suspect: bool
    ) -> None:
        """Add a reading of the meter with this number in `meters`."""
        self.told = True
        if suspect:
            self.suspect.append(len(self.value))
        self.message.append(self._now)
        self.meter.append(meter)
        self.code.append(code)
        self.value.append(value)
        self.stamp_of.append(stamp)
        self.places.append(where)

    def decoded(
        self, messages: Sequence[Message], clocks: Clocks, known: Sequence[Meaning], *, detailed: bool
    ) -> Decoded:
        """Return what the batch says."""
        message = np.array(self.message, np.int32)
        code = np.array(self.code, np.int32)
        received = np.fromiter([m.received for m in messages], np.int64, len(messages))
        resolved, stamp = self._resolved(clocks, received), np.array(self.stamp_of, np.int64)
        readings = self._readings(known, code, resolved, stamp, received[message])
        good = self._good(known, code, resolved, stamp)
        self._refuse_endless(readings, good)
        good &= self._once(readings, message, good)
        kept = np.flatnonzero(good)
        if len(kept) < len(good):
            readings, message = readings.take(kept), message[kept]
        return Decoded(
            readings=readings,
            message=message,
            rejects=tuple(self.rejects),
            ignored=tuple(self.ignored),
            origins=tuple(self._origin(n) for n in kept.tolist()) if detailed else (),
            row=kept,
            place=lambda row, _key: place(*self.places[row][:2]),
        )

    def _resolved(self, clocks: Clocks, received: Longs) -> Resolved:
        if not self.stamps:
            return Resolved(at=np.empty(0, np.int64), quality=np.empty(0, np.uint8))
        rules, raw, numbers, meters = zip(*self.stamps, strict=True)
        return clocks.resolve(np.array(rules, np.int64), raw, meters, received[np.array(numbers, np.int64)])

    def _readings(
        self, known: Sequence[Meaning], code: Codes, resolved: Resolved, stamp: Longs, received: Longs
    ) -> Readings:
        series, number = self._series(known)
        kinds = np.array([int(m.kind) for m in known] or [0], np.uint8)[code]
        quality = resolved.quality[stamp].copy() if len(stamp) else np.empty(0, np.uint8)
        quality[self.suspect] |= np.uint8(Quality.SUSPECT)
        spans = self._spans() if (kinds == Kind.INTERVAL).any() else np.zeros(len(code), np.int64)
        return Readings(
            series=series,
            code=number,
            at=(resolved.at[stamp] if len(stamp) else np.empty(0, np.int64)).view("datetime64[us]"),
            value=_canonical(np.array(self.value, np.float64), known, code),
            kind=kinds,
            quality=quality,
            span_s=np.where(kinds == Kind.INTERVAL, spans, 0),
            received=received.view("datetime64[us]"),
            sources=(self.name,),
            source=np.zeros(len(code), np.int32),
        )

    def _series(self, known: Sequence[Meaning]) -> tuple[tuple[SeriesKey, ...], Codes]:
        """Return the distinct series and the number of each reading's."""
        registers: dict[str, int] = {}
        of = [registers.setdefault(m.register, len(registers)) for m in known]
        pairs = np.array(self.meter, np.int64) * len(registers)
        pairs += np.array(of or [0], np.int64)[np.array(self.code, np.int32)]
        found, number = np.unique(pairs, return_inverse=True)
        names, directions = tuple(self.meters), tuple(registers)
        places = (divmod(pair, len(directions)) for pair in found.tolist())
        series = tuple(SeriesKey(names[m], directions[r]) for m, r in places)
        return series, number.astype(np.int32)

    def _spans(self) -> Longs:
        """Return the length [s] of each reading's period, 0 where its rule states none."""
        spans = np.zeros(len(self.places), np.int64)
        for n, (entry, row, *_) in enumerate(self.places):
            span = entry.rule.span
            if span:
                stated = span if type(span) is int else span(row)  # type: ignore[operator]
                spans[n] = int(stated) if type(stated) in {int, float} and 0 < stated <= LONGEST_SPAN_S else 0
        return spans

    def _good(self, known: Sequence[Meaning], code: Codes, resolved: Resolved, stamp: Longs) -> Bools:
        """Return which readings have a time that can be; tell what is wrong with the others."""
        good = np.ones(len(code), bool)
        if resolved.faults:
            for n in np.flatnonzero(np.isin(stamp, list(resolved.faults))).tolist():
                self._reject(n, *resolved.faults[int(stamp[n])], good)
        snapshots = np.array([m.snapshot for m in known] or [False], bool)[code]
        if snapshots.any():
            arrived = (resolved.quality[stamp] & np.uint8(Quality.ARRIVAL_TIME)) > 0
            for n in np.flatnonzero(snapshots & arrived & good).tolist():
                self._reject(n, "time_missing", "a snapshot is of its own date, and there is none", good)
        return good

    def _refuse_endless(self, readings: Readings, good: Bools) -> None:
        """Take out the amounts of a period whose length nothing states."""
        for n in np.flatnonzero((readings.kind == Kind.INTERVAL) & (readings.span_s <= 0) & good).tolist():
            self._reject(n, "span", "an interval has a length: give span_s", good)

    def _once(self, readings: Readings, message: Codes, good: Bools) -> Bools:
        """Return which readings are the first of their series and instant in their message.

        Where two say different values neither is taken: a profile that puts a tariff on the register of the sum would
        count twice. The same value in a second unit differs by what its six decimals cut off.
        """
        keep = np.ones(len(message), bool)
        order = np.lexsort((np.arange(len(message)), readings.at, readings.code, message))
        order = order[good[order]]
        same = np.zeros(len(order), bool)
        for column in (message, readings.code, readings.at):
            ordered = column[order]
            equal = ordered[1:] == ordered[:-1]
            same[1:] = equal if column is message else same[1:] & equal
        if not same.any():
            return keep
        group = np.cumsum(~same)
        values: Floats = readings.value[order]
        first = np.flatnonzero(~same)
        with np.errstate(invalid="ignore"):  # two infinities are the same, and are refused by the bounds
            differs = np.bincount(group, weights=np.abs(values - values[first][group - 1]) > CUT_OFF) > 0
        twice = differs[group]
        keep[order[same]] = False
        for n in order[twice].tolist():
            detail = f"two different values of {readings.series[int(readings.code[n])].register} at one instant"
            self._reject(n, "register_twice", detail, keep)
        return keep

    def _reject(self, n: int, reason: str, detail: str, good: Bools) -> None:
        good[n] = False
        self.rejects.append(Reject(self.message[n], place(*self.places[n][:2]), reason, detail))

    def _origin(self, n: int) -> Origin:
        entry, row, value, stated = self.places[n]
        written = entry.rule.spec.unit if entry.texts is None else stated
        if entry.texts is None and "{" in written:
            made = template(written, entry.groups)
            written = made if isinstance(made, str) else ""
        return Origin(place(entry, row), value, written or None)


def _canonical(value: Floats, known: Sequence[Meaning], code: Codes) -> Floats:
    """Return values in canonical units."""
    if not len(value):
        return value
    scale, divisor, offset = (np.array([getattr(m.unit, n) for m in known]) for n in ("scale", "divisor", "offset"))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(value * scale[code] / divisor[code] + offset[code])
