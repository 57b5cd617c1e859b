"""Replaced readings in InfluxDB: several of one series and instant stand apart by a slot."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy.typing as npt
import pyarrow as pa

from core.calendar import Longs, micros
from core.readings import Readings, SeriesKey
from storage.influx_lines import revision_lines
from storage.influx_select import Page, rows
from storage.influx_server import InfluxServer

FIELDS: Final = {"value": pa.float64(), "received": pa.int64(), "origin": pa.int64()}
SLOTTED: Final = {**FIELDS, "slot": pa.int64()}


Column = npt.NDArray[Any]


class _Said(NamedTuple):
    value: float
    received_us: int
    origin: int


_Slots = dict[_Said, int]


def keep(server: InfluxServer, revisions: Readings, origins: Longs, measurement: str = "revision") -> None:
    """Keep revisions, each once, however often it is delivered."""
    if not len(revisions):
        return
    at = micros(revisions.at)
    stored = rows(server, measurement, revisions.series, (int(at.min()), int(at.max()) + 1), SLOTTED)
    there: dict[tuple[int, int], _Slots] = {}
    for place, said, slot in _stored(stored):
        there.setdefault(place, {})[said] = slot
    slots = [_slot(there.setdefault(place, {}), said) for place, said in _asked(revisions, origins)]
    server.write(revision_lines(revisions, origins, slots, measurement))


def _slot(taken: _Slots, said: _Said) -> int:
    """Return the slot that holds this already, else the next free one."""
    return taken.setdefault(said, max(taken.values(), default=-1) + 1)


def _stored(page: Page) -> Iterator[tuple[tuple[int, int], _Said, int]]:
    columns: list[Column] = [page.code, page.time, *(page.columns[name] for name in SLOTTED)]
    for code, time, value, received, origin, slot in zip(*(column.tolist() for column in columns), strict=True):
        yield (code, time), _Said(value, received, origin), slot


def _asked(revisions: Readings, origins: Longs) -> Iterator[tuple[tuple[int, int], _Said]]:
    columns: list[Column] = [revisions.code, micros(revisions.at), revisions.value, micros(revisions.received), origins]
    for code, time, value, received, origin in zip(*(column.tolist() for column in columns), strict=True):
        yield (code, time), _Said(value, received, origin)


def revised(
    server: InfluxServer, series: list[SeriesKey], span_us: tuple[int, int], measurement: str = "revision"
) -> Page:
    """Return the revisions of these series with start <= time < end."""
    return rows(server, measurement, series, span_us, FIELDS)
