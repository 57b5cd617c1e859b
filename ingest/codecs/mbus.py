"""M-Bus telegrams as gateways publish them: XML of libmbus, JSON of pyMeterBus, or the bytes in hexadecimal."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingest.codecs.errors import PayloadError
from ingest.codecs.mbus_frame import frame_rows
from ingest.codecs.mbus_rows import CURRENT, Head, Record, head_of, rows_of
from ingest.codecs.mbus_units import Sense, sense_of_enums, sense_of_text
from ingest.codecs.text import text_of
from ingest.codecs.xml import tree_of

_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_FUNCTIONS: Final = {
    "instantaneous value": CURRENT,
    "actual value": CURRENT,
    "maximum value": "maximum",
    "minimum value": "minimum",
    "value during error state": "error",
    "instantaneous_value": CURRENT,
    "maximum_value": "maximum",
    "minimum_value": "minimum",
    "error_state_value": "error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MBus:
    """A telegram in XML, JSON or hexadecimal bytes, told by its first character; its rows are under `rows`."""

    encoding: str = ""

    def parse(self, payload: bytes) -> dict[str, Any]:
        """Return {"rows": [...]}; see `mbus_rows`."""
        start = payload.lstrip()[:1]
        if start == b"<":
            return {"rows": mbus_rows(tree_of(payload, encoding=self.encoding))}
        text = text_of(payload, self.encoding)
        if start == b"{":
            return {"rows": mbus_rows(_json(text))}
        return {"rows": frame_rows(text)}


def mbus_rows(tree: object) -> list[dict[str, Any]]:
    """Return a row a record of a decoded telegram; raise PayloadError for what is none or reports an error.

    Keys: id (as written), serial (eight digits), manufacturer, medium (electricity, heat, cold_water, ...),
    medium_text, status, field (place in the payload), quantity (of core.units), register (total, import/t1,
    flow/d1/n2, ...), direction, unit, value (exact decimal text in this unit), source_value, source_unit, kind
    (cumulative, gauge, snapshot), current, storage, tariff, device, function, time (of the meter's clock, local, None
    where it tells none), skip (None for a reading, else why it is none; then value or quantity may be None).
    """
    if isinstance(tree, dict) and "MBusData" in tree:
        return rows_of(*_of_xml(tree["MBusData"]))
    if isinstance(tree, dict) and isinstance(tree.get("body"), dict):
        return rows_of(*_of_json(tree["body"]))
    raise PayloadError("no M-Bus telegram: expected the element MBusData or the key body")


def _of_xml(tree: object) -> tuple[Head, list[Record]]:
    inside = tree if isinstance(tree, dict) else {}
    slave = inside.get("SlaveInformation")
    about = slave if isinstance(slave, dict) else {}
    if "Error" in about:
        place = "MBusData/SlaveInformation/Error"
        raise PayloadError(f"the gateway could not read the meter: {_word(about['Error'])[:100]}", place)
    head = head_of(
        _word(about.get("Id")),
        "MBusData/SlaveInformation/Id",
        manufacturer=_word(about.get("Manufacturer")),
        medium=_word(about.get("Medium")),
        status=_word(about.get("Status")),
    )
    found = inside.get("DataRecord", [])
    return head, [_xml_record(r, n) for n, r in enumerate(found if isinstance(found, list) else [found])]


def _xml_record(found: object, position: int) -> Record:
    record = found if isinstance(found, dict) else {}
    number = record.get("@id", str(position))
    field = f"DataRecord[@id={number}]"
    unit = record.get("Unit")
    function = _word(record.get("Function"))
    return Record(
        field=field,
        function=_FUNCTIONS.get(function.lower(), function.lower()[:40] or "unnamed"),
        storage=_whole(record.get("StorageNumber"), f"{field}/StorageNumber"),
        tariff=_whole(record.get("Tariff"), f"{field}/Tariff"),
        device=_whole(record.get("Device"), f"{field}/Device"),
        sense=sense_of_text(unit) if isinstance(unit, str) else Sense(None, fault="a record without a unit"),
        value=record.get("Value"),
        unit_text=_word(unit),
    )


def _of_json(body: Mapping[str, Any]) -> tuple[Head, list[Record]]:
    header = body.get("header")
    about = header if isinstance(header, dict) else {}
    head = head_of(
        _json_id(about.get("identification")),
        "body.header.identification",
        manufacturer=_word(about.get("manufacturer")),
        medium=_word(about.get("medium")),
        status=_word(about.get("status")),
    )
    found = body.get("records")
    if not isinstance(found, list):
        raise PayloadError("expected a list of records", "body.records")
    return head, [_json_record(r, f"body.records[{n}]") for n, r in enumerate(found)]


def _json_id(written: object) -> str:
    """Return the number of a meter that is written as bytes ("0x00, 0x80, 0x26, 0x57") or digits."""
    word = _word(written)
    parts = [part.strip() for part in word.split(",")]
    if all(re.fullmatch(r"0x[0-9a-fA-F]{1,2}", part) for part in parts):
        return "".join(part[2:].zfill(2) for part in parts)
    return word


_ENHANCED: Final = {"": "", "POSITIVE_ACCUMULATION": "positive", "NEGATIVE_ACCUMULATION": "negative"}


def _json_record(found: object, field: str) -> Record:
    record = found if isinstance(found, dict) else {}
    unit = _word(record.get("unit"))
    function = _word(record.get("function")).rpartition(".")[2].lower()
    enhanced = _word(record.get("unit_enh")).rpartition(".")[2]
    unknown = enhanced not in _ENHANCED
    return Record(
        field=field,
        function=_FUNCTIONS.get(function, function[:40] or "unnamed"),
        storage=_whole(record.get("storage_number"), f"{field}.storage_number"),
        tariff=_whole(record.get("tariff"), f"{field}.tariff"),
        device=_whole(record.get("device"), f"{field}.device"),
        sense=sense_of_enums(_word(record.get("type")), unit),
        direction=_ENHANCED.get(enhanced, enhanced),
        value=record.get("value"),
        unit_text=unit,
        fault=f"what {enhanced[:40]!r} changes of the value is not known" if unknown else "",
    )


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError) as err:
        raise PayloadError(f"no JSON: {err}"[:200]) from err


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _whole(value: object, place: str) -> int:
    """Return a number of a record; one that is absent is 0."""
    if value is None or value == "":
        return 0
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if type(value) is int and 0 <= value < 10**15:
        return value
    raise PayloadError(f"{value!r:.40} is no whole number", place)
