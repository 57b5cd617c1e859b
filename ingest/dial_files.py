"""Files beside readings for the command line: what is known of meters, and what happened to their dials."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.calendar import moment
from core.errors import InputError
from core.registry import DialEvent, EventKind
from core.units import Unit, unit
from ingest.series_files import instants, numbers, read_table, refuse, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What a meters file says of a dial: digits, the most that flows [kW, m³/h], allowed gap [h]."""

    digits: int | None = None
    max_rate: float | None = None
    allowed_gap_h: float | None = None


def read_meters(path: Path) -> dict[str, MeterFacts]:
    """Return what a file with columns meter, digits, max_kw, max_m3_h, allowed_gap_h (all but meter optional) says."""
    table = read_table(path, ("meter",))
    names = texts(table, "meter").to_pylist()
    columns = {c: numbers(path, table, c, optional=True) for c in ("digits", "max_kw", "max_m3_h", "allowed_gap_h")}
    for name, values in columns.items():
        refuse(path, name, values < 0, texts(table, name), "write a number above zero, or nothing")
    digits = columns["digits"]
    refuse(
        path, "digits", (digits != np.rint(digits)) & ~np.isnan(digits), texts(table, "digits"), "write a whole number"
    )
    rate = np.where(np.isnan(columns["max_kw"]), columns["max_m3_h"], columns["max_kw"])
    rows = zip(names, digits, rate, columns["allowed_gap_h"], strict=True)
    return {
        name: MeterFacts(
            digits=None if math.isnan(d) else int(d),
            max_rate=None if math.isnan(r) else float(r),
            allowed_gap_h=None if math.isnan(g) else float(g),
        )
        for name, d, r, g in rows
    }


def read_events(path: Path, units: Mapping[str, Unit]) -> list[DialEvent]:
    """Return the events of a file with columns meter, at, kind, final, first, new_meter.

    Dial readings are in the unit column's unit, else in the one of the meter's readings.
    """
    table = read_table(path, ("meter", "at", "kind"))
    kinds = texts(table, "kind").to_pylist()
    wrong = np.array([k.lower() not in set(EventKind) for k in kinds], bool)
    refuse(path, "kind", wrong, kinds, "write swap, reset or rollover")
    final, first = (numbers(path, table, c, optional=True) for c in ("final", "first"))
    at = instants(path, table, "at")
    rows = zip(texts(table, "meter").to_pylist(), kinds, texts(table, "new_meter").to_pylist(), strict=True)
    scales = _scales(path, table, units)
    return [
        DialEvent(
            id=f"row-{i + 2}",
            meter=meter,
            at=moment(at[i]),
            kind=EventKind(kind.lower()),
            final=_canonical(final[i], scales[i]),
            first=_canonical(first[i], scales[i]),
            new_device=new,
        )
        for i, (meter, kind, new) in enumerate(rows)
    ]


def _canonical(value: float, of: Unit | None) -> float | None:
    if math.isnan(value):
        return None
    return float(value) if of is None else float(value) * of.scale / of.divisor


def _scales(path: Path, table: pa.Table, units: Mapping[str, Unit]) -> list[Unit | None]:
    scales: list[Unit | None] = []
    rows = zip(texts(table, "meter").to_pylist(), texts(table, "unit").to_pylist(), strict=True)
    for row, (meter, written) in enumerate(rows, start=2):
        try:
            scales.append(unit(written) if written else units.get(meter))
        except InputError as err:
            raise InputError(err.problem, place=f"{path}: row {row}, column unit", remedy=err.remedy) from err
    return scales
