"""Sparkplug B: readings of nodes and devices whose names, types and units stand in their births alone."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from core.readings import Quality, Readings, SeriesKey
from ingest.codecs.errors import PayloadError
from ingest.codecs.sparkplug import Metric, Payload, decode_payload, number, rebirth_payload
from ingest.instants import YEAR_2000_S, YEAR_2100_S
from ingest.keepalive import Publication
from ingest.message import Message
from ingest.native_meaning import Meaning
from ingest.profile import Decoded, Ignored, Origin, Rank, Reject, matches, precision
from ingest.sparkplug_meaning import Definition, NameRule, definitions
from ingest.sparkplug_state import Node, Nodes, Table

NAMESPACE: Final = "spBv1.0"
BIRTH_MISSING: Final = "birth_missing"
METER_LENGTH: Final = 200
NODE_LEVELS: Final = 4
DEVICE_LEVELS: Final = 5
COMMANDS: Final = frozenset({"NCMD", "DCMD"})


class _Topic(NamedTuple):
    """A topic of the namespace: node, kind (NBIRTH, DDATA, ...) and device, empty for the node itself."""

    node: Node
    kind: str
    device: str

    @property
    def meter(self) -> str:
        """The id of the meter that such messages are of."""
        return "/".join(filter(None, (*self.node, self.device)))


class _Sent(NamedTuple):
    """A message that was decoded, with its place in the batch."""

    number: int
    message: Message
    topic: _Topic
    payload: Payload

    @property
    def ms(self) -> int:
        """When it was sent [ms]; the arrival where it does not say."""
        return self.message.received // 1000 if self.payload.time_ms is None else self.payload.time_ms


class _Row(NamedTuple):
    """A reading on its way into columns."""

    message: int
    meter: str
    meaning: Meaning
    value: float
    at_us: int
    quality: int
    received_us: int
    field: str
    sent: object
    unit: str | None


@dataclass(slots=True)
class _Batch:
    rows: list[_Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


class SparkplugProfile:
    """Reads Sparkplug B and keeps the state of its nodes; may be called by several threads.

    The meter is group/node/device, or group/node for metrics of the node itself. Data whose birth was not seen are
    rejected as birth_missing, so that they are kept and can be read again after the birth, which `due` asks for.
    """

    def __init__(self, *, rules: Sequence[NameRule] = (), name: str = "sparkplug", namespace: str = NAMESPACE) -> None:
        self._rules = tuple(rules)
        self._name = name
        self._namespace = namespace
        self._nodes: Nodes[Definition] = Nodes()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The name of the profile."""
        return self._name

    @property
    def filters(self) -> tuple[str, ...]:
        """Everything of the namespace."""
        return (f"{self._namespace}/#",)

    @property
    def reads_empty(self) -> bool:
        """No: a payload always has its time."""
        return False

    def rank(self, topic: str) -> Rank | None:
        """Return how well the profile knows a topic; None where it is of another namespace."""
        wanted = self.filters[0]
        return precision(wanted) if matches(wanted, topic) else None

    def claims(self, message: Message) -> str:  # noqa: ARG002 - the namespace tells
        """Return an empty text: what stands in this namespace is Sparkplug."""
        return ""

    def due(self, now_us: int) -> list[Publication]:
        """Return the commands that ask nodes for their birth, each node at most once a minute."""
        with self._lock:
            nodes = self._nodes.rebirths(now_us)
        return [
            Publication(f"{self._namespace}/{n.group}/NCMD/{n.name}", rebirth_payload(now_us // 1000)) for n in nodes
        ]

    def found(self) -> list[Node]:
        """Return the nodes whose birth came after data that meant nothing without it, each once.

        Their dead letters with the reason birth_missing may be read now.
        """
        with self._lock:
            return self._nodes.found()

    def node_of(self, topic: str) -> Node | None:
        """Return the node that a topic is of; None where it is of none."""
        found = _topic(topic) if self.rank(topic) is not None else ""
        return None if isinstance(found, str) else found.node

    def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
        """Return the readings of these messages, which change what is known of their nodes; see ingest.profile."""
        batch = _Batch()
        with self._lock:
            for index, message in enumerate(messages):
                self._take(index, message, batch)
        return _decoded(batch, self._name, detailed=detailed)

    def hear(self, messages: Sequence[Message]) -> None:
        """Nothing is learnt before decoding: what is due follows from births and data."""

    def _take(self, index: int, message: Message, batch: _Batch) -> None:
        topic = _topic(message.topic)
        if isinstance(topic, str):
            batch.ignored.append(Ignored(index, topic))
        elif message.retained:
            batch.ignored.append(Ignored(index, "retained"))
        elif len(topic.meter) > METER_LENGTH or not topic.meter.isprintable():
            batch.rejects.append(Reject(index, "topic", "meter_id", f"an id has at most {METER_LENGTH} characters"))
        else:
            try:
                sent = _Sent(index, message, topic, decode_payload(message.payload))
            except PayloadError as err:
                batch.rejects.append(Reject(index, err.place, "unreadable", err.detail))
            else:
                self._read(sent, batch)

    def _read(self, sent: _Sent, batch: _Batch) -> None:
        topic, received_us = sent.topic, sent.message.received
        match topic.kind:
            case "NDEATH":
                self._nodes.node_death(topic.node, _bd_seq(sent.payload), received_us=received_us)
                batch.ignored.append(Ignored(sent.number, "node offline"))
            case "DDEATH":
                self._nodes.device_death(topic.node, topic.device, seq=sent.payload.seq, received_us=received_us)
                batch.ignored.append(Ignored(sent.number, "device offline"))
            case "NBIRTH" | "DBIRTH":
                self._rows(sent, self._born(sent), batch)
            case _:
                table = self._nodes.data(
                    topic.node, topic.device, seq=sent.payload.seq, sent_ms=sent.ms, received_us=received_us
                )
                if table is None:
                    detail = f"the birth of {topic.meter} that names these metrics was not seen: read again after it"
                    batch.rejects.append(Reject(sent.number, "", BIRTH_MISSING, detail))
                else:
                    self._rows(sent, table, batch)

    def _born(self, sent: _Sent) -> Table[Definition]:
        topic, payload, received_us = sent.topic, sent.payload, sent.message.received
        names = definitions(payload.metrics, self._rules)
        aliases = {m.alias: m.name for m in payload.metrics if m.alias is not None and m.name in names}
        table = Table(names, aliases)
        if topic.kind == "NBIRTH":
            self._nodes.node_birth(
                topic.node,
                table,
                bd_seq=_bd_seq(payload),
                seq=payload.seq,
                sent_ms=sent.ms,
                received_us=received_us,
            )
        else:
            self._nodes.device_birth(
                topic.node, topic.device, table, seq=payload.seq, sent_ms=sent.ms, received_us=received_us
            )
        return table

    def _rows(self, sent: _Sent, table: Table[Definition], batch: _Batch) -> None:
        """Add the readings of the metrics that a table defines; what nothing came of says why."""
        before = len(batch.rows), len(batch.rejects)
        for metric in sent.payload.metrics:
            known = table.find(metric.name, metric.alias)
            place = metric.name if metric.name is not None else f"alias {metric.alias}"
            if known is None:
                self._nodes.unknown_metric(sent.topic.node)
                batch.rejects.append(Reject(sent.number, place[:100], BIRTH_MISSING, "no birth defined this metric"))
            elif known.meaning is not None:
                try:
                    batch.rows += _row(sent, metric, known, known.meaning, place)
                except PayloadError as err:
                    reason = err.place or "value_unreadable"
                    batch.rejects.append(Reject(sent.number, place[:100], reason, err.detail))
        if (len(batch.rows), len(batch.rejects)) == before:
            nothing = "birth without readings" if "BIRTH" in sent.topic.kind else "no readings"
            batch.ignored.append(Ignored(sent.number, nothing))


def _row(sent: _Sent, metric: Metric, known: Definition, meant: Meaning, place: str) -> list[_Row]:
    """Return the reading of a metric, none where it says that it has no value; raise PayloadError."""
    value = number(metric, metric.datatype or known.datatype)
    if value is None:
        return []
    if not math.isfinite(value):
        raise PayloadError(f"{value!r} is no finite number")
    at_us, quality = _time(metric, sent.payload, sent.message)
    return [
        _Row(
            message=sent.number,
            meter=sent.topic.meter,
            meaning=meant,
            value=float(value),
            at_us=at_us,
            quality=quality,
            received_us=sent.message.received,
            field=place,
            sent=value,
            unit=known.unit,
        )
    ]


def _topic(text: str) -> _Topic | str:
    """Return the parts of a topic, or why its messages say nothing to be stored."""
    levels = text.split("/")
    if levels[1] == "STATE":
        return "state of a host"
    if len(levels) not in {NODE_LEVELS, DEVICE_LEVELS}:
        return "no topic of Sparkplug B"
    kind, device = levels[2], levels[4] if len(levels) == DEVICE_LEVELS else ""
    if kind in COMMANDS:
        return "command"
    if kind not in {"NBIRTH", "NDATA", "NDEATH"} | {"DBIRTH", "DDATA", "DDEATH"} or (kind[0] == "D") != bool(device):
        return "no topic of Sparkplug B"
    return _Topic(Node(levels[1], levels[3]), kind, device)


def _bd_seq(payload: Payload) -> int | None:
    """Return the number that ties a death to its birth."""
    return next((m.raw for m in payload.metrics if m.name == "bdSeq" and isinstance(m.raw, int)), None)


def _time(metric: Metric, payload: Payload, message: Message) -> tuple[int, int]:
    """Return the instant of a metric [µs] and its quality: its own time, else the message's, else the arrival."""
    ms = metric.time_ms if metric.time_ms is not None else payload.time_ms
    if ms is None:
        return message.received, int(Quality.ARRIVAL_TIME)
    if not YEAR_2000_S <= ms // 1000 < YEAR_2100_S:
        raise PayloadError(f"{ms} is no time between 2000 and 2100 in milliseconds", "time_unreadable")
    return ms * 1000, 0


def _decoded(batch: _Batch, name: str, *, detailed: bool) -> Decoded:
    """Return the rows of a batch in columns, canonical."""
    rows = batch.rows
    series: dict[SeriesKey, int] = {}
    code = [series.setdefault(SeriesKey(r.meter, r.meaning.register), len(series)) for r in rows]
    units = [r.meaning.unit for r in rows]
    scale, divisor, offset = (
        np.array([getattr(u, part) for u in units], np.float64) for part in ("scale", "divisor", "offset")
    )
    readings = Readings(
        series=tuple(series),
        code=np.array(code, np.int32),
        at=np.array([r.at_us for r in rows], np.int64).view("datetime64[us]"),
        value=np.array([r.value for r in rows], np.float64) * scale / divisor + offset,
        kind=np.array([r.meaning.kind for r in rows], np.uint8),
        quality=np.array([r.quality for r in rows], np.uint8),
        span_s=np.zeros(len(rows), np.int64),
        received=np.array([r.received_us for r in rows], np.int64).view("datetime64[us]"),
        sources=(name,),
        source=np.zeros(len(rows), np.int32),
    )
    return Decoded(
        readings=readings,
        message=np.array([r.message for r in rows], np.int32),
        rejects=tuple(batch.rejects),
        ignored=tuple(batch.ignored),
        origins=tuple(Origin(r.field, r.sent, r.unit) for r in rows) if detailed else (),
        row=np.arange(len(rows), dtype=np.int64),
        place=lambda row, key: rows[row].field if key == "value" else f"{rows[row].field} {key}",
    )
