"""Telegrams of a meter's customer port (P1 and its kin: DSMR, e-MUCS, IEC 62056-21 mode D) to OBIS lines and rows.

The grammar is the standard's, not a country's: a code with values in brackets a line, so what is in no list is kept too
(docs/decisions/0020-p1-by-its-grammar.md). Sources: IEC 62056-21, DSMR 5.0.2 P1, e-MUCS-P1 1.7.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import ConfigError, UnitError
from core.units import unit
from ingest.codecs import obis
from ingest.codecs.errors import PayloadError
from ingest.codecs.text import checked_encoding, text_of

MOST_LINES: Final = 2000
LONGEST: Final = 1 << 15
_LINE: Final = re.compile(r"([^()\s!/]{1,40})((?:\([^()]*\))+)")
_GROUP: Final = re.compile(r"\(([^()]*)\)")
_VALUE: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_STAMP: Final = re.compile(r"([0-9]{12})([SW]?)")
_CRC: Final = re.compile(r"[0-9A-Fa-f]{4}")
_HEX_TEXT: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){2,48}")
_OWN_IDS: Final = ("0-0:96.1.1", "0-0:96.1.0", "0-0:42.0.0", "1-0:0.0.0", "1-0:96.1.0", "1-0:96.1.1")
_CLOCK: Final = "0-0:1.0.0"
_OLD_HOURLY: Final = 7
"""Groups of 24.3.0 of DSMR 2 and 3: time, three of status, code of the value, unit, value."""

COUNTED: Final = frozenset({"energy", "volume", "heat_cost_units"})
_DEVICES: Final = {2: "electricity", 3: "gas", 4: "heat", 6: "hot_water", 7: "cold_water", 8: "heat_cost_allocator"}
"""Device types of 0-n:24.1.0 (EN 13757-3)."""

Lines = Mapping[str, list[dict[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """A whole telegram from / to !, its checksum proven where it has one.

    `zone` is where the meter's clock runs: the S and W behind a time say summer or winter there.
    """

    encoding: str = "latin-1"
    zone: str = "Europe/Prague"

    def __post_init__(self) -> None:
        checked_encoding(self.encoding)
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as err:
            raise ConfigError(f"zone {self.zone!r} is not known: write one such as Europe/Prague") from err

    def parse(self, payload: bytes) -> dict[str, Any]:
        """Return {"header", "crc", "time", "id", "name", "lines", "rows"}; raise PayloadError for what is no telegram.

        `lines` is {code as written: [{"value", "unit"}, ...]}, one entry a bracket. `crc` is ok or absent. `rows`, one
        a register or measurement: id (equipment id as written), name (the same read as text), code, medium, quantity,
        register, kind, value (text as written), unit, time (ISO 8601; None where its line and telegram tell none), skip
        (None, else why it is no reading).
        """
        text = text_of(payload, self.encoding or "latin-1")
        if len(text) > LONGEST or text.count("\n") > MOST_LINES:
            raise PayloadError(f"more than {LONGEST} characters or {MOST_LINES} lines are no telegram")
        body, crc = _framed(text)
        header, lines = _lines(body, proven=crc == "ok")
        clock = _first(lines, _CLOCK)
        own = next(filter(None, (_first(lines, code) for code in _OWN_IDS)), "")
        main = {"id": own or None, "name": _readable(own), "time": self._time(clock)}
        rows = [*self._main_rows(lines, main), *self._channel_rows(lines, main)]
        return {"header": header, "crc": crc, **main, "lines": lines, "rows": _unique(rows)}

    def _main_rows(self, lines: Lines, main: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = []
        for code, groups in lines.items():
            meant = obis.meaning(code)
            if meant is None or not groups:
                continue
            own = self._time(groups[0]["value"]) if len(groups) == 2 else None  # noqa: PLR2004 - time and value
            row = _row(code, groups[-1], meant.quantity, register=meant.register, kind=meant.kind)
            if len(groups) > 1 and own is None:
                row["skip"] = f"{len(groups)} values where one is expected, or a time and one"
            elif meant.kind == "snapshot" and own is None:
                row["skip"] = "the value of a billing period that is over, without its time"
            whose = {"id": main["id"], "name": main["name"], "medium": meant.medium}
            rows.append({**row, **whose, "time": own or main["time"]})
        return rows

    def _channel_rows(self, lines: Lines, main: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of the meters behind the port, each with its own id and time."""
        rows = []
        for code, groups in lines.items():
            place = obis.parse(code)
            if place is None or place.a != 0 or place.b == 0 or place.c != 24 or not groups:  # noqa: PLR2004 - M-Bus
                continue
            if place.d == 2 and len(groups) == 2:  # noqa: PLR2004 - the last value with its time
                rows.append(_channel_row(code, place, groups[1], lines=lines, main=main))
            elif place.d == 3 and len(groups) == _OLD_HOURLY:  # noqa: PLR2004 - DSMR 2 and 3
                value = {"value": groups[-1]["value"], "unit": groups[-2]["value"]}
                rows.append(_channel_row(code, place, value, lines=lines, main=main))
            else:
                continue
            rows[-1]["time"] = self._time(groups[0]["value"])
        return rows

    def _time(self, stamp: str) -> str | None:
        """Return YYMMDDhhmmss with S or W as ISO 8601 with its offset, without either as a wall time; else None."""
        found = _STAMP.fullmatch(stamp)
        if found is None:
            return None
        try:
            wall = datetime.strptime(found[1], "%y%m%d%H%M%S")  # noqa: DTZ007 - the offset follows
            if not found[2]:
                return wall.isoformat()
            standard = ZoneInfo(self.zone).utcoffset(wall.replace(month=1, day=1)) or timedelta()
            offset = standard + timedelta(hours=1 if found[2] == "S" else 0)
            return wall.replace(tzinfo=timezone(offset)).isoformat()
        except (ValueError, OverflowError):
            return None


def _framed(text: str) -> tuple[str, str]:
    """Return what stands before the checksum and how that fares; raise PayloadError where it is wrong."""
    start, end = text.find("/"), text.rfind("!")
    if end < 0:
        raise PayloadError("the telegram has no end: expected a line with !", "last line")
    telegram = text[max(start, 0) : end + 1]
    written = text[end + 1 :].strip(" \r\n\t\0\x03")
    if not written:
        return telegram[:-1], "absent"
    if not _CRC.fullmatch(written):
        raise PayloadError(f"{written[:40]!r} after the end is no checksum of four digits", "last line")
    native = re.sub(r"\r?\n", "\r\n", telegram)
    computed = {crc16(form.encode("latin-1", "replace")) for form in (telegram, native)}
    if int(written, 16) not in computed:
        shown = f"{crc16(native.encode('latin-1', 'replace')):04X}"
        raise PayloadError(f"checksum {written.upper()}, computed {shown}: the telegram is damaged", "last line")
    return telegram[:-1], "ok"


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest >> 1 ^ (0xA001 if rest & 1 else 0)
        table.append(rest)
    return tuple(table)


_CRC_TABLE: Final = _table()


def crc16(data: bytes) -> int:
    """Return the CRC-16 of DSMR P1: polynomial x16+x15+x2+1, least significant bit first, initial value 0."""
    rest = 0
    for byte in data:
        rest = rest >> 8 ^ _CRC_TABLE[(rest ^ byte) & 0xFF]
    return rest


def _lines(body: str, *, proven: bool) -> tuple[str, dict[str, list[dict[str, str]]]]:
    """Return the header and the groups of each code; a line that is none is passed by only in a proven telegram."""
    header, last, lines = "", "", dict[str, list[dict[str, str]]]()
    for number, line in enumerate(map(str.strip, body.split("\n")), 1):
        if line.startswith("/") and not header and not lines:
            header = line[1:]
            continue
        found = _LINE.fullmatch(f"{last}{line}" if last and line.startswith("(") else line)
        if found is not None:
            last = found[1]
            lines.setdefault(last, []).extend(_group(group) for group in _GROUP.findall(found[2]))
        elif line and not proven:
            raise PayloadError(
                f"{line[:60]!r} is no line of a telegram: expected 1-0:1.8.0(000123.456*kWh)", f"line {number}"
            )
    if not lines:
        raise PayloadError("no line of a telegram: expected such as 1-0:1.8.0(000123.456*kWh)")
    return header, lines


def _group(text: str) -> dict[str, str]:
    value, _, of = text.partition("*")
    return {"value": value.strip(), "unit": of.strip()}


def _first(lines: Lines, code: str) -> str:
    """Return the first value of a code, empty where there is none."""
    groups = lines.get(code) or lines.get(f"{code}*255") or lines.get(code.rpartition(":")[2] if code[0] == "1" else "")
    return groups[0]["value"] if groups else ""


def _readable(own: str) -> str | None:
    """Return an equipment id that is hexadecimal of text as that text, any other as it is."""
    if _HEX_TEXT.fullmatch(own):
        text = bytes.fromhex(own)
        if all(0x20 <= byte < 0x7F for byte in text):  # noqa: PLR2004 - printable ASCII
            return text.decode("ascii").strip()
    return own or None


def _quantity(unit_text: str) -> str | None:
    try:
        return str(unit(unit_text).quantity)
    except UnitError:
        return None


def _channel_row(
    code: str, place: obis.Code, value: Mapping[str, str], *, lines: Lines, main: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the row of a meter behind the port, its time left out; one without an id is named by its channel."""
    own = _first(lines, f"0-{place.b}:96.1.1") or _first(lines, f"0-{place.b}:96.1.0")
    device = _first(lines, f"0-{place.b}:24.1.0")
    quantity = _quantity(value["unit"]) or ""
    several = sum(1 for other in lines if re.fullmatch(rf"0-{place.b}:24\.[23]\.[0-9]+", other)) > 1
    register = f"total/n{place.e}" if several else "total"
    kind = "cumulative" if quantity in COUNTED else "gauge"
    return {
        **_row(code, value, quantity, register=register, kind=kind),
        "id": own or (f"{main['id']}/{place.b}" if main["id"] else None),
        "name": _readable(own),
        "medium": _DEVICES.get(int(device) if re.fullmatch(r"[0-9]{1,3}", device) else 0, "other"),
    }


def _row(code: str, group: Mapping[str, str], quantity: str, *, register: str, kind: str) -> dict[str, Any]:
    value, of = group["value"], group["unit"]
    skip = None
    if not _VALUE.fullmatch(value):
        skip = f"{value[:40]!r} is no number"
    elif not of or _quantity(of) != quantity or not quantity:
        skip = f"the unit {of[:20]!r} does not measure {quantity or 'anything that is kept'}"
    return {
        "code": code,
        "quantity": quantity or None,
        "register": register,
        "kind": kind,
        "value": value,
        "unit": of or None,
        "skip": skip,
    }


def _unique(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows, all but one marked of those that land on one register, and all where their values differ."""
    taken: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["skip"] is None:
            taken.setdefault((row["id"], row["quantity"], row["register"], row["time"]), []).append(row)
    for same in taken.values():
        agreed = len({row["value"] for row in same}) == 1
        for row in same[1:] if agreed else same:
            row["skip"] = f"{len(same)} lines of one register"
    return rows
