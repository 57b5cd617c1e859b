"""The engine: reads batches of messages by a compiled profile.

Messages become rows, rows become columns of readings; times, units and series are worked out for the whole batch.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from ingest.codecs.errors import PayloadError
from ingest.message import Message
from ingest.profile import Decoded, Rank, precision
from ingest.profiles.columns import Columns, place
from ingest.profiles.compiled import Compiled, RowRule, compiled
from ingest.profiles.load import Source
from ingest.profiles.paths import MISSING, Context, Node, rows
from ingest.profiles.rules import Entry, ReadingRule, said, unit_of
from ingest.profiles.texts import written
from ingest.profiles.times import ARRIVED, Clocks, TimeRule, choose
from ingest.profiles.values import Unreadable

CACHED_TOPICS: Final = 20_000
DESCRIBED: Final = 2
"""The first of the rank of what devices describe themselves (ingest.discovery), behind the formats."""

METER_LENGTH: Final = 200
MOST_ROWS: Final = 20_000
"""Rows that are read of one message; a year of quarter-hours is twice as many."""

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Captures = Mapping[str, str]


class _Topic(NamedTuple):
    """What is known of a topic: its captures (None: no filter fits), and why all its messages say nothing."""

    captures: Captures | None
    ignored: str


class TomlProfile:
    """Reads the messages of one format by a profile file."""

    def __init__(self, source: Source, fragments: Mapping[str, Source], *, site: str) -> None:
        self.source = source
        self._compiled: Compiled = compiled(source, fragments)
        self._clocks = Clocks(self._compiled.times, site=site)
        self._topics: dict[str, _Topic] = {}

    @property
    def name(self) -> str:
        """The name of the profile."""
        return self.source.spec.name

    @property
    def filters(self) -> tuple[str, ...]:
        """The filters to subscribe to; one that begins with anything would take all that a broker has."""
        if not self.source.spec.match.subscribe:
            return ()
        return tuple(dict.fromkeys(p.filter for p in self._compiled.topics if not p.filter.startswith("#")))

    @property
    def reads_empty(self) -> bool:
        """An empty payload says that a device left, and is passed over."""
        return True

    def rank(self, topic: str) -> Rank | None:
        """Return how well the profile knows a topic, smaller is better; None where it does not read it."""
        spec = self.source.spec
        found = [precision(p.text) for p in self._compiled.topics if p.match(topic) is not None]
        if not found and not spec.match.anywhere:
            return None
        if spec.match.described_first and self.source.bundled:
            return (DESCRIBED, 1, 0 if found else 1, *min(found, default=()), -spec.priority)
        return (int(self.source.bundled), 0 if found else 1, *min(found, default=()), -spec.priority)

    def claims(self, message: Message) -> str:
        """Return nothing where the payload is of this profile, else why it is not.

        What it would ignore on its own topics is of it too; on any other topic only what match.when says is.
        """
        condition, (captures, ignored) = self._compiled.condition, self._topic(message.topic)
        if condition is None or (captures is not None and not message.payload):
            return ""
        try:
            tree = self._compiled.parse(message.payload)
        except PayloadError as err:
            return "" if ignored else str(err)
        row = Context(tree, tree, message.topic, captures or {})
        if condition(row) or (captures is not None and self._ignored(row) is not None):
            return ""
        return "its payload is not as match.when says"

    def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
        """Return the readings of these messages; see ingest.profile.Profile."""
        columns = Columns(self.name)
        for number, message in enumerate(messages):
            self._read(number, message, columns)
        return columns.decoded(messages, self._clocks, self._compiled.meanings.known, detailed=detailed)

    def _read(self, number: int, message: Message, columns: Columns) -> None:
        columns.begin(number)
        if not message.payload:
            columns.ignore("removed")
            return
        captures, ignored = self._topic(message.topic)
        if ignored:
            columns.ignore(ignored)
            return
        try:
            tree = self._compiled.parse(message.payload)
        except PayloadError as err:
            columns.refuse(err.place, "malformed", err.detail)
            return
        start = Context(tree, tree, message.topic, captures or {})
        reason = self._ignored(start)
        if reason is not None:
            columns.ignore(reason)
            return
        fitted = _Reading(columns, self._compiled).rows(self._compiled.rows, start)
        if not columns.told and (fitted or self.source.spec.nothing == "ignore"):
            columns.ignore("no_value" if fitted else "nothing_read")

    def _topic(self, topic: str) -> _Topic:
        """Return what the first filter that a topic fits captures of it, and whether it is ignored; worked out once."""
        try:
            return self._topics[topic]
        except KeyError:
            captures = next((m for p in self._compiled.topics if (m := p.match(topic)) is not None), None)
            found = _Topic(captures, self._ignored_topic(topic))
        if len(self._topics) >= CACHED_TOPICS:
            self._topics.clear()
        self._topics[topic] = found
        return found

    def _ignored_topic(self, topic: str) -> str:
        """Return why every message of a topic says nothing, empty where it does not."""
        for one in self._compiled.ignore:
            if one.condition is None and any(p.match(topic) is not None for p in one.topics):
                return one.reason
        return ""

    def _ignored(self, start: Context) -> str | None:
        """Return why a message says nothing, None where it does not."""
        for one in self._compiled.ignore:
            if one.condition is None or (one.topics and all(p.match(start.topic) is None for p in one.topics)):
                continue
            if one.condition(start):
                return one.reason
        return None


class _Reading:
    """Reads one message into columns."""

    def __init__(self, columns: Columns, made: Compiled) -> None:
        self._columns = columns
        self._meanings = made.meanings
        self._left = MOST_ROWS

    def rows(self, rules: Sequence[RowRule], start: Context) -> bool:
        """Read the rows of every rule from `start` downwards; return whether any fitted."""
        fitted = False
        for rule in rules:
            if rule.topics:
                captures = next((m for p in rule.topics if (m := p.match(start.topic)) is not None), None)
                if captures is None:
                    continue
                start.captures = captures
            here = False
            for row in self._found(rule, start):
                if rule.condition is None or rule.condition(row):
                    here = self._row(rule, row) or here
            fitted = fitted or here
            if here and rule.final:
                break
        return fitted

    def _found(self, rule: RowRule, start: Context) -> Iterator[Context]:
        for row in rows(start, rule.way):
            for one in _zipped(row, rule.zip) if rule.zip else (row,):
                self._left -= 1
                if self._left < 0:
                    self._columns.refuse(one.trail, "too_many_rows", f"more than {MOST_ROWS} rows in a message")
                    return
                found = one if rule.named is None else _named(one, rule)
                if found is not None:
                    yield found

    def _row(self, rule: RowRule, row: Context) -> bool:
        """Read a row; return whether the rule fitted it."""
        if rule.meter is not None:
            row.meter = rule.meter(row)
        if rule.within:
            row.time = _time(rule.times, row)
            return self.rows(rule.within, row)
        if rule.reject:
            self._columns.refuse(row.trail, rule.reject, rule.detail(row) or "")
        if rule.skip or rule.reject:
            return True
        here = _Row(rule, row)
        fitted = False
        for entry in rule.plan.of(row):
            fitted = self._entry(entry, here) or fitted
        return fitted

    def _entry(self, entry: Entry, here: "_Row") -> bool:
        """Read one entry of a row; return whether it is there, be it without value."""
        row, reading = here.row, entry.rule
        value = entry.get(row)
        if value is MISSING or (reading.condition is not None and not reading.condition(row)):
            return False
        if value is not None and (reading.keys is None or type(value) not in {dict, list, bool}):
            number = self._value(entry, value, row)
            if number is not None:
                self._add(entry, here, number, value)
        return True

    def _value(self, entry: Entry, value: Node, row: Context) -> float | None:
        """Return a value as a number in the unit that is stated, None where there is none."""
        reading = entry.rule
        try:
            number = reading.read(value)
            if number is not None and reading.minus is not None:
                other = reading.minus(row)
                less = None if other is MISSING else reading.read(other)
                number = None if less is None else number - less
        except Unreadable as err:
            self._columns.refuse(place(entry, row), err.reason, str(err))
            return None
        if number is None or (reading.spec.scale == 1.0 and reading.spec.offset == 0.0):
            return number
        return number * reading.spec.scale + reading.spec.offset

    def _add(self, entry: Entry, here: "_Row", number: float, value: Node) -> None:
        row, reading = here.row, entry.rule
        code, stated = entry.code, ""
        if entry.texts is not None:
            stated, quantity, register = said(entry.texts, row)
            code = self._meanings.code(unit_of(reading.spec, stated), quantity, register, reading.spec.kind)
        fault = self._meanings.known[code].fault
        if fault is not None:
            if fault.reason != "unit_unknown" or reading.spec.unknown_unit == "reject":
                self._columns.refuse(place(entry, row), fault.reason, fault.detail)
            return
        meter = row.meter if reading.meter is None else reading.meter(row)
        named = self._columns.meters.get(meter or "")
        if named is None or meter is None:
            named = self._named(entry, row, meter)
        if named is not None:
            stamp = self._stamp(reading, here, meter or "")
            self._columns.add(named, code, number, stamp, (entry, row, value, stated), suspect=here.suspect)

    def _named(self, entry: Entry, row: Context, meter: str | None) -> int | None:
        """Return the number of a meter that is new in the batch; tell where it is none."""
        if meter is None or len(meter) > METER_LENGTH or _CONTROL.search(meter):
            self._columns.refuse(place(entry, row), "meter_id", _strange(meter))
            return None
        return self._columns.meters.setdefault(meter, len(self._columns.meters))

    def _stamp(self, reading: ReadingRule, here: "_Row", meter: str) -> int:
        """Return the number of a reading's time; those of a row without one of their own share the row's."""
        if reading.times is None and reading.meter is None:
            if here.stamp < 0:
                here.stamp = self._columns.stamp(*_time(here.rule.times, here.row), meter)
            return here.stamp
        times = here.rule.times if reading.times is None else reading.times
        return self._columns.stamp(*_time(times, here.row), meter)


class _Row:
    """A row that is read: whether the device reports a fault, and the number of its time, once it is noted."""

    __slots__ = ("row", "rule", "stamp", "suspect")

    def __init__(self, rule: RowRule, row: Context) -> None:
        self.rule = rule
        self.row = row
        self.stamp = -1
        self.suspect = rule.suspect is not None and rule.suspect(row)


def _time(rules: Sequence[tuple[int, TimeRule]], row: Context) -> tuple[int, Node]:
    """Return the time of a row as written, with the number of its rule; that of the row around it where it has none."""
    chosen = choose(rules, row)
    return row.time if chosen[0] == ARRIVED else chosen


def _strange(meter: str | None) -> str:
    if meter is None:
        return "the payload names no meter where the profile looks for it"
    return f"{meter[:60]!r} is no id: at most {METER_LENGTH} characters, none of them for control"


def _named(row: Context, rule: RowRule) -> Context | None:
    """Return a row as an object of one key, its name; None where it has none."""
    name = None if rule.named is None else written(rule.named(row))
    if name is None:
        return None
    trail = f"{row.trail.rpartition('[')[0]}[{rule.name_at}={name}]"
    inner: Node = {name: row.node}
    return Context(
        inner, row.root, row.topic, row.captures, name, row.index, row, trail, row.meter, row.time, named=True
    )


def _zipped(row: Context, names: Sequence[str]) -> Iterator[Context]:
    """Return rows of columns beside each other: the nth elements of these lists by name."""
    node = row.node if type(row.node) is dict else {}
    columns = [node.get(name) for name in names]
    if any(type(column) is not list for column in columns):
        return
    for index, values in enumerate(zip(*(c for c in columns if type(c) is list), strict=False)):
        inner = dict(zip(names, values, strict=True))
        trail = f"{row.trail}[{index}]"
        yield replace(row, node=inner, index=index, up=row, trail=trail)
