"""Origins: what the numbers in the field `origin` of readings mean."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.calendar import Longs
from core.errors import StoreError
from core.readings import Codes, Readings
from storage.influx_lines import WITHDRAWN, Origin, decode, origin_line
from storage.influx_server import NAMES, InfluxServer

_TYPES: Final = {
    "id": pa.int64(),
    "kind": pa.int64(),
    "quality": pa.int64(),
    "span_s": pa.int64(),
    "source": NAMES,
}
_QUERY: Final = "SELECT id, kind, quality, span_s, source FROM origin"


class Origins:
    """The origins that this process has seen; others are looked up, new ones stored before readings refer to them."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self._known: dict[int, Origin] = {}
        self._written: set[int] = set()

    def load(self) -> None:
        """Learn all that are stored."""
        answer = self._server.query(_QUERY, _TYPES)
        sources = [decode(name) for name in answer.names["source"]]
        columns = (answer.columns[name].tolist() for name in _TYPES)
        self._known = {
            number: Origin(kind, quality, span_s, sources[source])
            for number, kind, quality, span_s, source in zip(*columns, strict=True)
        }

    def numbers(self, readings: Readings) -> Longs:
        """Return the number of each reading's origin, all of them stored."""
        origins, code = _distinct(readings)
        found = [(origin.number, origin) for origin in origins]
        new = {number: origin for number, origin in found if number not in self._written}
        if new:
            self._store(new)
        return np.array([number for number, _ in found], np.int64)[code]

    def withdrawn(self) -> int:
        """Return the number of the mark that a reading was taken out, stored too."""
        if WITHDRAWN.number not in self._written:
            self._store({WITHDRAWN.number: WITHDRAWN})
        return WITHDRAWN.number

    def _store(self, new: dict[int, Origin]) -> None:
        """Write origins, known or not: what a server shows need not outlast it, what it acknowledged does."""
        clash = [number for number, origin in new.items() if self._known.get(number, origin) != origin]
        if clash:
            raise StoreError(f"{self._known[clash[0]]} and {new[clash[0]]} share a number; rename one of the sources")
        self._server.write([origin_line(origin) for origin in new.values()])
        self._known = {**self._known, **new}
        self._written.update(new)

    def columns(self, numbers: Longs) -> tuple[list[Origin], Codes]:
        """Return the distinct origins of these numbers, and which one each is."""
        distinct, code = np.unique(numbers, return_inverse=True)
        if not all(number in self._known for number in distinct.tolist()):
            self.load()  # another process stored it
        try:
            return [self._known[number] for number in distinct.tolist()], code.astype(np.int32)
        except KeyError as err:
            raise StoreError(f"origin {err} of readings is not stored; restore the measurement `origin`") from err


def _distinct(readings: Readings) -> tuple[list[Origin], Codes]:
    """Return the distinct origins of readings, and which one each has."""
    spans, span = np.unique(readings.span_s, return_inverse=True)
    packed = (span * len(readings.sources) + readings.source) * 65536 + readings.kind * np.int64(256) + readings.quality
    _, first, code = np.unique(packed, return_index=True, return_inverse=True)
    rows: npt.NDArray[Any] = np.stack([readings.kind[first], readings.quality[first]], axis=1)
    origins = [
        Origin(kind, quality, int(spans[s]), readings.sources[source])
        for (kind, quality), s, source in zip(rows.tolist(), span[first], readings.source[first], strict=True)
    ]
    return origins, code.astype(np.int32)
