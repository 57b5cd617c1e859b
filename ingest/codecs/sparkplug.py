"""Sparkplug B payloads: protobuf to frozen values, and the command that asks a node for its birth again.

The message types are described here by the field numbers of the Sparkplug 3.0 specification (section 6.4). Data sets,
templates and nested property sets are taken as bytes, so that nothing nests: they hold no register of a meter.
"""

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ingest.codecs.errors import PayloadError
from ingest.codecs.text import SIZE_LIMIT

MOST_METRICS: Final = 10_000
BOOLEAN: Final = 11
FLOAT: Final = 9
SIGNED_BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
UNSIGNED_BITS: Final = {5: 8, 6: 16, 7: 32, 8: 64}
REALS: Final = frozenset({9, 10})
NUMBERS: Final = frozenset({*SIGNED_BITS, *UNSIGNED_BITS, *REALS})
"""Data types that are numbers; times, texts, booleans, files, data sets and templates are none."""

REBIRTH: Final = "Node Control/Rebirth"
_UNIT_KEYS: Final = frozenset({"engunit", "engunits", "engineeringunit", "engineeringunits", "unit", "units"})

_F = descriptor_pb2.FieldDescriptorProto
_KINDS: Final = {
    "uint32": _F.TYPE_UINT32,
    "uint64": _F.TYPE_UINT64,
    "float": _F.TYPE_FLOAT,
    "double": _F.TYPE_DOUBLE,
    "bool": _F.TYPE_BOOL,
    "string": _F.TYPE_STRING,
    "bytes": _F.TYPE_BYTES,
}
_VALUES: Final = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")
_VALUE_KINDS: Final = ("uint32", "uint64", "float", "double", "bool", "string")
_PROPERTY: Final = [
    ("type", 1, "uint32"),
    ("is_null", 2, "bool"),
    *((name, 3 + n, kind) for n, (name, kind) in enumerate(zip(_VALUES, _VALUE_KINDS, strict=True))),
    ("propertyset_value", 9, "bytes"),
    ("propertysets_value", 10, "bytes"),
]
_PROPERTIES: Final = [("keys", 1, "string*"), ("values", 2, "PropertyValue*")]
_METRIC: Final = [
    ("name", 1, "string"),
    ("alias", 2, "uint64"),
    ("timestamp", 3, "uint64"),
    ("datatype", 4, "uint32"),
    ("is_historical", 5, "bool"),
    ("is_transient", 6, "bool"),
    ("is_null", 7, "bool"),
    ("metadata", 8, "bytes"),
    ("properties", 9, "PropertySet"),
    *((name, 10 + n, kind) for n, (name, kind) in enumerate(zip(_VALUES, _VALUE_KINDS, strict=True))),
    ("bytes_value", 16, "bytes"),
    ("dataset_value", 17, "bytes"),
    ("template_value", 18, "bytes"),
]
_PAYLOAD: Final = [
    ("timestamp", 1, "uint64"),
    ("metrics", 2, "Metric*"),
    ("seq", 3, "uint64"),
    ("uuid", 4, "string"),
    ("body", 5, "bytes"),
]


class Metric(NamedTuple):
    """A metric as sent: `field` names which kind of value it carries, `raw` is that value; `unit` its engineering unit.

    Integers are unsigned as on the wire: `number` makes them what their data type says.
    """

    name: str | None
    alias: int | None
    time_ms: int | None
    datatype: int
    historical: bool
    field: str | None
    raw: Any
    unit: str | None


class Payload(NamedTuple):
    """A decoded message: when it was sent [ms since 1970], its sequence number 0 to 255, its metrics."""

    time_ms: int | None
    seq: int | None
    metrics: tuple[Metric, ...]


@cache
def _payload_type() -> Any:  # noqa: ANN401 - a class made at run time
    """Return the message class of a payload."""
    file = descriptor_pb2.FileDescriptorProto(name="odecet/sparkplug.proto", package="odecet", syntax="proto2")
    for name, fields in (
        ("PropertyValue", _PROPERTY),
        ("PropertySet", _PROPERTIES),
        ("Metric", _METRIC),
        ("Payload", _PAYLOAD),
    ):
        _describe(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("odecet.Payload"))


def _describe(message: Any, fields: list[tuple[str, int, str]]) -> None:  # noqa: ANN401 - the library tells no types
    names = [name for name, _, _ in fields]
    if "int_value" in names:
        message.oneof_decl.add(name="value")
    for name, number, kind in fields:
        field = message.field.add(name=name, number=number)
        field.label = _F.LABEL_REPEATED if kind.endswith("*") else _F.LABEL_OPTIONAL
        plain = kind.rstrip("*")
        if plain in _KINDS:
            field.type = _KINDS[plain]
        else:
            field.type, field.type_name = _F.TYPE_MESSAGE, f".odecet.{plain}"
        if name.endswith("_value"):
            field.oneof_index = 0


def decode_payload(payload: bytes) -> Payload:
    """Return what a payload says; raise PayloadError for what is no Sparkplug B."""
    if len(payload) > SIZE_LIMIT:
        raise PayloadError(f"{len(payload)} bytes are more than the {SIZE_LIMIT} that are read of one payload")
    try:
        sent = _payload_type().FromString(payload)
        if len(sent.metrics) > MOST_METRICS:
            raise PayloadError(f"{len(sent.metrics)} metrics are more than the {MOST_METRICS} of a message")
        metrics = tuple(_metric(metric) for metric in sent.metrics)
    except (DecodeError, UnicodeDecodeError) as err:
        raise PayloadError(f"no Sparkplug B payload: {err}"[:200]) from err
    return Payload(
        time_ms=sent.timestamp if sent.HasField("timestamp") else None,
        seq=sent.seq if sent.HasField("seq") else None,
        metrics=metrics,
    )


def _metric(sent: Any) -> Metric:  # noqa: ANN401 - a message class made at run time
    field = None if sent.is_null else sent.WhichOneof("value")
    return Metric(
        name=_text(sent.name) if sent.HasField("name") else None,
        alias=sent.alias if sent.HasField("alias") else None,
        time_ms=sent.timestamp if sent.HasField("timestamp") else None,
        datatype=sent.datatype,
        historical=sent.is_historical,
        field=field,
        raw=None if field is None else _sound(getattr(sent, field), field),
        unit=_unit(sent.properties) if sent.HasField("properties") else None,
    )


def _unit(properties: Any) -> str | None:  # noqa: ANN401 - a message class made at run time
    """Return the engineering unit that a birth states, None where it states none."""
    for key, value in zip(properties.keys, properties.values, strict=False):
        word = _text(key).replace(" ", "").replace("_", "").lower()
        if word in _UNIT_KEYS and value.WhichOneof("value") == "string_value":
            return _text(value.string_value).strip() or None
    return None


def _text(value: str | bytes) -> str:
    """Return a text; what is no UTF-8 comes out of the library as bytes, and is refused."""
    if isinstance(value, bytes):
        raise PayloadError(f"{value[:60]!r} is no UTF-8")
    return value


def _sound(value: Any, field: str) -> Any:  # noqa: ANN401 - whatever a metric holds
    return _text(value) if field == "string_value" else value


def number(metric: Metric, datatype: int) -> float | int | None:
    """Return the value of a metric as its data type says; None where it has none; raise PayloadError where they differ.

    A Float is the shortest decimal of its four bytes, as it was meant; integers undo the two's complement.
    """
    if metric.field is None:
        return None
    if datatype in REALS and metric.field in {"float_value", "double_value"}:
        return float(str(np.float32(metric.raw))) if metric.field == "float_value" else float(metric.raw)
    if metric.field in {"int_value", "long_value"}:
        width = 32 if metric.field == "int_value" else 64
        if datatype in SIGNED_BITS:
            return _signed(metric.raw, width, SIGNED_BITS[datatype])
        if datatype in UNSIGNED_BITS and metric.raw < 1 << UNSIGNED_BITS[datatype]:
            return int(metric.raw)
    raise PayloadError(f"a {metric.field} {metric.raw!r:.40} is no value of data type {datatype}")


def _signed(raw: int, width: int, bits: int) -> int:
    """Return a signed integer from the unsigned one of the wire, extended to `width` bits or left as its own `bits`."""
    wide = raw - (1 << width) if raw >> (width - 1) else raw
    if -(1 << (bits - 1)) <= wide < 1 << (bits - 1):
        return wide
    if raw < 1 << bits:
        return raw - (1 << bits)
    raise PayloadError(f"{raw} is no signed integer of {bits} bits")


def rebirth_payload(now_ms: int) -> bytes:
    """Return the command that asks a node to publish its birth again."""
    command = _payload_type()(timestamp=now_ms)
    command.metrics.add(name=REBIRTH, timestamp=now_ms, datatype=BOOLEAN, boolean_value=True)
    return bytes(command.SerializeToString())


def encode_payload(payload: Payload) -> bytes:
    """Return the bytes of a payload; for tests and tools that play a node."""
    made = _payload_type()()
    if payload.time_ms is not None:
        made.timestamp = payload.time_ms
    if payload.seq is not None:
        made.seq = payload.seq
    for metric in payload.metrics:
        _encode(made.metrics.add(), metric)
    return bytes(made.SerializeToString())


def _encode(made: Any, metric: Metric) -> None:  # noqa: ANN401 - a message class made at run time
    for name, value in (("name", metric.name), ("alias", metric.alias), ("timestamp", metric.time_ms)):
        if value is not None:
            setattr(made, name, value)
    if metric.datatype:
        made.datatype = metric.datatype
    if metric.historical:
        made.is_historical = True
    if metric.field is None:
        made.is_null = True
    else:
        setattr(made, metric.field, metric.raw)
    if metric.unit is not None:
        made.properties.keys.append("engUnit")
        made.properties.values.add(type=12, string_value=metric.unit)
