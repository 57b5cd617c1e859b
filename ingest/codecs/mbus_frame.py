"""The bytes of an M-Bus telegram in hexadecimal, as some gateways pass them on, to rows.

Reads the variable data structure (CI 72) with or without the frame of the link layer (68 L L 68 ... CS 16).
Sources: EN 13757-2 (link layer), EN 13757-3:2018 (data and value information, tables 4 to 16), EN 13757-7 (header).
"""

import re
import struct
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ingest.codecs.errors import PayloadError
from ingest.codecs.mbus_rows import CURRENT, Head, Record, head_of, rows_of
from ingest.codecs.mbus_units import TIME_POINT, Sense

MOST_BYTES: Final = 4096
MOST_EXTENSIONS: Final = 10
LONG_HEADER: Final = 0x72
START: Final = 0x68
STOP: Final = 0x16
ENCRYPTED: Final = frozenset({5, 7, 13})
"""Modes of AES (EN 13757-7); other values stand in the old signature field of meters that encrypt nothing."""

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_LENGTHS: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_FUNCTIONS: Final = (CURRENT, "maximum", "minimum", "error")
REAL: Final = 5
VARIABLE: Final = 13


class _Info(NamedTuple):
    """The data and value information of a record: coding, place among its like, value information bytes."""

    coding: int
    function: str
    storage: int
    tariff: int
    device: int
    vif: tuple[int, ...]


class _Bytes:
    """The bytes of a telegram, taken one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def take(self, count: int) -> bytes:
        if self.at + count > len(self._data):
            raise PayloadError(f"the telegram ends {self.at + count - len(self._data)} bytes early", f"byte {self.at}")
        self.at += count
        return self._data[self.at - count : self.at]

    def one(self) -> int:
        return self.take(1)[0]

    @property
    def left(self) -> int:
        return len(self._data) - self.at


def frame_rows(text: str) -> list[dict[str, Any]]:
    """Return the rows of a telegram in hexadecimal (see `mbus_rows`); raise PayloadError for what is none."""
    digits = re.sub(r"[\s:]", "", text) if len(text) <= 3 * MOST_BYTES else text
    if len(digits) > 2 * MOST_BYTES or not _HEX.fullmatch(digits):
        raise PayloadError(f"{text[:40]!r} is no M-Bus telegram in hexadecimal of at most {MOST_BYTES} bytes")
    data = _link(bytes.fromhex(digits))
    if len(data) < 3:  # noqa: PLR2004 - control, address and kind of telegram
        raise PayloadError("the telegram has no head")
    if data[2] != LONG_HEADER:
        raise PayloadError(f"CI 0x{data[2]:02x} is not read: expected 72, a telegram that names its meter", "byte 2")
    stream = _Bytes(data, 3)
    head = _head(stream.take(12))
    return rows_of(head, list(_records(stream)))


def _link(data: bytes) -> bytes:
    """Return control, address and user data; check the frame around them where there is one."""
    if data[:1] != b"\x68" or len(data) < 6 or data[3] != START or data[1] != data[2]:  # noqa: PLR2004 - its shortest
        return data
    length = data[1]
    if len(data) != length + 6 or data[-1] != STOP:
        raise PayloadError(f"the frame says {length} bytes and has {len(data) - 6}", "byte 1")
    inside = data[4:-2]
    if sum(inside) & 0xFF != data[-2]:
        raise PayloadError(f"checksum 0x{data[-2]:02x}, computed 0x{sum(inside) & 0xFF:02x}", f"byte {len(data) - 2}")
    return inside


def _head(data: bytes) -> Head:
    if data[11] & 0x1F in ENCRYPTED:
        raise PayloadError(f"the telegram is encrypted (mode {data[11] & 0x1F}): decrypt it in the gateway", "byte 13")
    maker = int.from_bytes(data[4:6], "little")
    letters = "".join(chr(64 + (maker >> shift & 0x1F)) for shift in (10, 5, 0))
    return head_of(
        data[3::-1].hex(), "byte 3", manufacturer=letters, medium=f"0x{data[7]:02x}", status=f"{data[9]:02x}"
    )


def _records(stream: _Bytes) -> Iterator[Record]:
    number = 0
    while stream.left:
        dif = stream.one()
        if dif == 0x2F:  # noqa: PLR2004 - a filler
            continue
        if dif & 0x0F == 0x0F:  # noqa: PLR2004 - the maker's own bytes, or more telegrams follow
            return
        yield _record(_info(dif, stream), stream, f"record[{number}]")
        number += 1


def _info(dif: int, stream: _Bytes) -> _Info:
    storage, tariff, device = dif >> 6 & 1, 0, 0
    extended, n = dif & 0x80, 0
    while extended:
        if n == MOST_EXTENSIONS:
            raise PayloadError(f"more than {MOST_EXTENSIONS} extensions of a record", f"byte {stream.at}")
        dife = stream.one()
        storage |= (dife & 0x0F) << (1 + 4 * n)
        tariff |= (dife >> 4 & 3) << (2 * n)
        device |= (dife >> 6 & 1) << n
        extended, n = dife & 0x80, n + 1
    return _Info(dif & 0x0F, _FUNCTIONS[dif >> 4 & 3], storage, tariff, device, _value_information(stream))


def _value_information(stream: _Bytes) -> tuple[int, ...]:
    """Return the bytes of the value information; a unit in letters stands between them and is passed by."""
    vif = [stream.one()]
    letters = vif[0] & 0x7F == 0x7C  # noqa: PLR2004 - the unit is written out
    if letters:
        stream.take(stream.one())
    while vif[-1] & 0x80:
        if len(vif) > MOST_EXTENSIONS:
            raise PayloadError(f"more than {MOST_EXTENSIONS} extensions of a value", f"byte {stream.at}")
        vif.append(stream.one())
    return tuple(vif)


def _record(info: _Info, stream: _Bytes, field: str) -> Record:
    sense, direction = _sense(info.vif)
    written, length = _data(info, stream)
    value: object = written.hex()
    if sense.quantity == TIME_POINT:
        value = _time(written) if info.coding < 8 else None  # noqa: PLR2004 - times are integers, no BCD
    elif sense.quantity is not None and length is not None:
        value = _number(info.coding, written)
    return Record(
        field=field,
        function=info.function,
        storage=info.storage,
        tariff=info.tariff,
        device=info.device,
        sense=sense,
        direction=direction,
        value=value,
        unit_text=bytes(info.vif).hex(),
    )


def _data(info: _Info, stream: _Bytes) -> tuple[bytes, int | None]:
    """Return the bytes of a value and their length, None where that is written beside them (texts)."""
    if info.coding != VARIABLE:
        length = _LENGTHS[info.coding]
        return stream.take(length), length
    lvar = stream.one()
    if lvar < 0xC0:  # noqa: PLR2004 - a text
        return stream.take(lvar), None
    if lvar < 0xF0:  # noqa: PLR2004 - a long number: 0xC0 to 0xEF with the length in the low bits
        return stream.take(lvar & 0x0F), None
    raise PayloadError(f"a value of length code 0x{lvar:02x} is not known", f"byte {stream.at - 1}")


def _number(coding: int, data: bytes) -> str | None:
    """Return a value as text, hexadecimal where it is a BCD that holds letters, None where there is none."""
    if not data:
        return None
    if coding == REAL:
        return repr(struct.unpack("<f", data)[0])
    if coding < 8:  # noqa: PLR2004 - integers lie below, BCD above
        return str(int.from_bytes(data, "little", signed=True))
    digits = data[::-1].hex()
    if digits[0] == "f" and digits[1:].isdigit():
        return f"-{digits[1:]}"
    return digits


def _time(data: bytes) -> str | None:
    """Return the wall time of types F and I, or the day of type G; None where it is marked invalid."""
    try:
        if len(data) == 2:  # noqa: PLR2004 - type G
            return _day(data).date().isoformat()
        if len(data) == 4 and not data[0] & 0x80:  # noqa: PLR2004 - type F
            return _day(data[2:]).replace(hour=data[1] & 0x1F, minute=data[0] & 0x3F).isoformat()
        if len(data) == 6 and not data[1] & 0x80:  # noqa: PLR2004 - type I
            clock = _day(data[3:5]).replace(hour=data[2] & 0x1F, minute=data[1] & 0x3F, second=data[0] & 0x3F)
            return clock.isoformat()
    except ValueError:
        return None
    return None


def _day(data: bytes) -> datetime:
    year = data[0] >> 5 | (data[1] & 0xF0) >> 1
    return datetime(2000 + year, data[1] & 0x0F, data[0] & 0x1F)  # noqa: DTZ001 - the meter's wall clock


Scales = tuple[tuple[int, int, str, str, str, int], ...]
_TENS: Final[Scales] = (
    (0x00, 0x07, "energy", "", "Wh", -3),
    (0x08, 0x07, "energy", "", "J", 0),
    (0x10, 0x07, "volume", "", "m³", -6),
    (0x28, 0x07, "power", "", "W", -3),
    (0x30, 0x07, "power", "", "J/h", 0),
    (0x38, 0x07, "flow", "", "m³/h", -6),
    (0x40, 0x07, "flow", "", "m³/min", -7),
    (0x48, 0x07, "flow", "", "m³/s", -9),
    (0x58, 0x03, "temperature", "flow", "°C", -3),
    (0x5C, 0x03, "temperature", "return", "°C", -3),
    (0x64, 0x03, "temperature", "external", "°C", -3),
)
"""First code, bits of the exponent, quantity, part, unit and exponent of the first code (EN 13757-3, table 10)."""

_TENS_FB: Final[Scales] = (
    (0x00, 0x01, "energy", "", "MWh", -1),
    (0x08, 0x01, "energy", "", "GJ", -1),
    (0x10, 0x01, "volume", "", "m³", 2),
    (0x28, 0x01, "power", "", "MW", -1),
    (0x30, 0x01, "power", "", "GJ/h", -1),
)
_TENS_FD: Final[Scales] = ((0x40, 0x0F, "voltage", "", "V", -9), (0x50, 0x0F, "current", "", "A", -12))
_TABLES: Final[dict[int, Scales]] = {0xFB: _TENS_FB, 0xFD: _TENS_FD}
_DIRECTIONS: Final = {0x3B: "positive", 0x3C: "negative"}


def _sense(vif: tuple[int, ...]) -> tuple[Sense, str]:
    """Return what a value is and which contributions it counts; an extension that is not known makes it none."""
    table: Scales = _TENS
    code, extensions = vif[0] & 0x7F, vif[1:]
    if vif[0] in _TABLES:
        if not extensions:
            raise PayloadError(f"value information {bytes(vif).hex()} ends early")
        table, code, extensions = _TABLES[vif[0]], vif[1] & 0x7F, vif[2:]
    sense = _plain(table, code)
    direction, exponent = "", 0
    for extension in (byte & 0x7F for byte in extensions):
        if extension in _DIRECTIONS and not direction:
            direction = _DIRECTIONS[extension]
        elif 0x70 <= extension <= 0x77:  # noqa: PLR2004 - times a power of ten
            exponent += extension - 0x76
        elif extension == 0x7D:  # noqa: PLR2004 - times 1000
            exponent += 3
        else:
            return Sense(None, fault=f"what {bytes(vif).hex()} says of a value is not known"), ""
    return sense._replace(scale=sense.scale.scaleb(exponent)), direction


def _plain(table: Scales, code: int) -> Sense:
    for first, bits, quantity, part, unit, exponent in table:
        if code & ~bits == first:
            return Sense(quantity, part, unit, Decimal(1).scaleb(exponent + (code & bits)))
    if table is _TENS and code in {0x6C, 0x6D}:
        return Sense(TIME_POINT)
    if table is _TENS and code == 0x6E:  # noqa: PLR2004 - units of a heat-cost allocator
        return Sense("heat_cost_units", unit="unit")
    return Sense(None, fault=f"0x{code:02x} is no quantity that is kept")
