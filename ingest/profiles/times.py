"""When readings are of: the time rules of profiles, resolved for a whole batch at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from core.calendar import Bools, Longs, zone
from core.readings import Bytes, Quality
from ingest.instants import EPOCH, MICROSECOND, NAIVE_EPOCH, Stamps, WallClock, stamps
from ingest.profiles.paths import MISSING, Context, Getter, Node, getter
from ingest.profiles.spec import TimeSpec
from ingest.profiles.texts import TextError, template

UNIX: Final = {"unix_s": 1_000_000, "unix_ms": 1000, "unix_us": 1, "unix_ns": 0}
NO_TIME: Final = frozenset({"", "null", "none", "n/a", "-", "unknown", "unavailable"})
ARRIVED: Final = -1
"""The rule of a stamp without time."""

_US_LIMIT: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRule:
    """Where a time stands, and how it is read."""

    get: Callable[[Context], Any]
    place: str
    formats: tuple[str, ...]
    zone: str
    standard: bool
    doubtful: str


def time_rule(spec: str | TimeSpec, default_zone: str) -> TimeRule:
    """Return the compiled rule; raise PathError, TextError, InputError (zone)."""
    written = TimeSpec(path=spec) if isinstance(spec, str) else spec
    if bool(written.path) == bool(written.text):
        raise ValueError("a time has a path, or a text made of several places")
    formats = (written.format,) if isinstance(written.format, str) else tuple(written.format)
    for form in formats:
        if form not in {"auto", *UNIX} and "%" not in form:
            raise ValueError(f"format {form!r} is not auto, {', '.join(UNIX)}, or one such as %d.%m.%Y %H:%M:%S")
    name = written.zone or default_zone
    if name and name != "site":
        zone(name)
    return TimeRule(
        get=_text(written.text) if written.text else getter(written.path),
        place=written.path or written.text,
        formats=formats,
        zone=name,
        standard=written.standard,
        doubtful=written.doubtful,
    )


def _text(text: str) -> Getter:
    made = template(text)
    if isinstance(made, str):
        raise TextError(f"{text!r} is the same in every message: name places in braces")

    def get(row: Context) -> Node:
        found = made(row)
        return MISSING if found is None else found

    return get


def choose(rules: Sequence[tuple[int, TimeRule]], row: Context) -> tuple[int, Any]:
    """Return the number of the first rule whose time is there, and the time as written; ARRIVED where none is."""
    for number, rule in rules:
        raw = rule.get(row)
        if raw is MISSING or raw is None or (type(raw) is str and raw.strip().lower() in NO_TIME):
            continue
        return number, raw
    return ARRIVED, None


@dataclass(slots=True)
class Resolved:
    """Stamps resolved: instants [µs], flags, and by index what cannot be read (reason, detail)."""

    at: Longs
    quality: Bytes
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


class Clocks:
    """Resolves the stamps of a profile's batches; remembers what resolves the repeated hour of each zone."""

    def __init__(self, rules: Sequence[TimeRule], *, site: str) -> None:
        self._rules = rules
        self._site = site
        self._clocks: dict[str, WallClock] = {}

    def resolve(self, rule: Longs, raw: Sequence[Any], series: Sequence[str], received: Longs) -> Resolved:
        """Return the instants of stamps: `rule` numbers the rule of each, `raw` is what was written."""
        arrived = rule == ARRIVED
        done = Resolved(
            at=received.copy(),
            quality=np.where(arrived, np.uint8(Quality.ARRIVAL_TIME), np.uint8(0)),
        )
        for number in np.unique(rule[~arrived]).tolist():
            chosen = np.flatnonzero(rule == number)
            self._resolve(self._rules[number], chosen, [raw[i] for i in chosen.tolist()], series, done)
        return done

    def _resolve(
        self, rule: TimeRule, chosen: Longs, raw: Sequence[Any], series: Sequence[str], done: Resolved
    ) -> None:
        read = _stamps(raw, rule.formats)
        arrivals = done.at[chosen]
        faults = {i: ("time_unreadable", why) for i, why in read.faults.items()}
        us = read.us.copy()
        rows = np.flatnonzero(read.naive & ~np.isin(np.arange(len(us)), list(faults)))
        if len(rows):
            names = [series[i] for i in chosen[rows].tolist()]
            us[rows], unsure, wrong = self._local(rule, us[rows], names, arrivals[rows])
            done.quality[chosen[rows[unsure]]] |= np.uint8(Quality.AMBIGUOUS_TIME)
            faults |= {int(rows[i]): why for i, why in wrong.items()}
        done.at[chosen] = us
        for i, why in faults.items():
            where = int(chosen[i])
            done.at[where] = arrivals[i]
            if rule.doubtful == "arrival":
                done.quality[where] |= np.uint8(Quality.ARRIVAL_TIME)
            else:
                done.faults[where] = why

    def _local(
        self, rule: TimeRule, wall: Longs, series: Sequence[str], received: Longs
    ) -> tuple[Longs, Bools, dict[int, tuple[str, str]]]:
        """Return wall times as instants, which are ambiguous, and what is wrong with which."""
        name = self._site if rule.zone == "site" else rule.zone
        sure = np.zeros(len(wall), bool)
        if not name:
            why = ("time_zone", f"{rule.place} has no offset and the profile names no zone: add zone to its time")
            return received, sure, dict.fromkeys(range(len(wall)), why)
        if rule.standard:
            return wall - _standard_offsets(name, wall), sure, {}
        if name not in self._clocks:
            self._clocks[name] = WallClock(zone(name))
        us, unsure, gone = self._clocks[name].resolve(wall, series, received)
        told = ("time_nonexistent", f"the clock of {name} was put forward over this time")
        return us, unsure, dict.fromkeys(np.flatnonzero(gone).tolist(), told)


def _standard_offsets(name: str, wall: Longs) -> Longs:
    """Return the zone's offsets [µs] without summer time, year by year."""
    years, back = np.unique(wall.view("datetime64[us]").astype("datetime64[Y]").astype(np.int64), return_inverse=True)
    offsets = []
    for year in years.tolist():
        start = datetime(min(max(1970 + year, 1), 9998), 1, 1, tzinfo=zone(name))
        aware = (start.utcoffset() or timedelta()) - (start.dst() or timedelta())
        offsets.append(aware // MICROSECOND)
    return np.array(offsets, np.int64)[back]


def _stamps(raw: Sequence[Any], formats: Sequence[str]) -> Stamps:
    """Return the times of a column in these formats; a text is tried in each."""
    if formats == ("auto",):
        return stamps([_known(one) for one in raw])
    done: dict[Any, tuple[int, bool] | str] = {}
    for one in raw:
        key = one if type(one) in {str, int, float} else repr(one)[:80]
        if key not in done:
            done[key] = _try(one, formats)
    found = [done[one if type(one) in {str, int, float} else repr(one)[:80]] for one in raw]
    pairs = [(0, False) if isinstance(f, str) else f for f in found]
    return Stamps(
        us=np.fromiter([us for us, _ in pairs], np.int64, len(pairs)),
        naive=np.fromiter([naive for _, naive in pairs], bool, len(pairs)),
        absent=np.zeros(len(pairs), bool),
        faults={i: f for i, f in enumerate(found) if isinstance(f, str)},
    )


def _known(one: Node) -> Node:
    """Return a time as the reader of instants takes it: UTC written as a word is an offset."""
    if type(one) is str and one.endswith((" UTC", " utc")):
        return f"{one[:-4]}Z"
    return one


def _try(one: Node, formats: Sequence[str]) -> tuple[int, bool] | str:
    """Return microseconds and whether they are of the wall, or what is wrong."""
    why = f"{one!r:.60} is not written as {' or '.join(formats)}"
    for form in formats:
        try:
            found = _read(one, form)
        except (TypeError, ValueError, ArithmeticError):
            continue
        if abs(found[0]) < _US_LIMIT:
            return found
    return why


def _read(one: Node, form: str) -> tuple[int, bool]:
    if form == "auto":
        read = stamps([_known(one)])
        if read.faults:
            raise ValueError(read.faults[0])
        return int(read.us[0]), bool(read.naive[0])
    if form in UNIX:
        if type(one) is bool:
            raise ValueError("no number")
        number = int(one) if type(one) is str and one.strip().isdigit() else float(one)
        return (int(number) // 1000 if form == "unix_ns" else round(number * UNIX[form])), False
    if type(one) is not str:
        one = str(one)
    stamp = datetime.strptime(one.strip(), form)  # noqa: DTZ007 - a naive time is of the wall; its zone comes later
    if stamp.tzinfo is None:
        return (stamp - NAIVE_EPOCH) // MICROSECOND, True
    return (stamp.astimezone(UTC) - EPOCH) // MICROSECOND, False
