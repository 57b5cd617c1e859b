"""Files beside readings for the command line: what is known of meters, and what happened to their dials."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.calendar import moment
from core.errors import InputError
from core.readings import SeriesKey
from core.registry import DialEvent, EventKind
from core.units import Unit, unit
from ingest.series_files import instants, numbers, read_table, refuse, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What a meters file says of a meter: digits, the most that flows, allowed gap [h]."""

    digits: int | None = None
    max_kw: float | None = None
    max_m3_h: float | None = None
    allowed_gap_h: float | None = None

    def max_rate(self, unit: str) -> float | None:
        """Return the most that flows through a register of a canonical unit [kW or m³/h]."""
        return {"kWh": self.max_kw, "m³": self.max_m3_h}.get(unit)


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
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return {name: _facts(*row) for name, row in zip(names, rows, strict=True)}


def _facts(digits: float, max_kw: float, max_m3_h: float, allowed_gap_h: float) -> MeterFacts:
    known = [None if math.isnan(value) else value for value in (digits, max_kw, max_m3_h, allowed_gap_h)]
    whole = None if known[0] is None else int(known[0])
    return MeterFacts(digits=whole, max_kw=known[1], max_m3_h=known[2], allowed_gap_h=known[3])


def read_events(path: Path, units: Mapping[SeriesKey, Unit]) -> list[DialEvent]:
    """Return the events of a file with columns meter, at, kind, final, first, new_meter, register, unit.

    All but the first three may be left out. Dial readings are in the unit column's unit, else in the one of the
    readings of the register, or of the meter's first register.
    """
    table = read_table(path, ("meter", "at", "kind"))
    kinds = texts(table, "kind").to_pylist()
    wrong = np.array([k.lower() not in set(EventKind) for k in kinds], bool)
    refuse(path, "kind", wrong, kinds, "write swap, reset or rollover")
    final, first = (numbers(path, table, c, optional=True) for c in ("final", "first"))
    at = instants(path, table, "at")
    registers = texts(table, "register").to_pylist()
    rows = zip(texts(table, "meter").to_pylist(), kinds, texts(table, "new_meter").to_pylist(), registers, strict=True)
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
            register=register,
        )
        for i, (meter, kind, new, register) in enumerate(rows)
    ]


def _canonical(value: float, of: Unit | None) -> float | None:
    if math.isnan(value):
        return None
    return float(value) if of is None else float(value) * of.scale / of.divisor


def _scales(path: Path, table: pa.Table, units: Mapping[SeriesKey, Unit]) -> list[Unit | None]:
    scales: list[Unit | None] = []
    names = (texts(table, column).to_pylist() for column in ("meter", "register", "unit"))
    for row, (meter, register, written) in enumerate(zip(*names, strict=True), start=2):
        own = [found for key, found in sorted(units.items()) if key.meter == meter and register in {"", key.register}]
        try:
            scales.append(unit(written) if written else next(iter(own), None))
        except InputError as err:
            raise InputError(err.problem, place=f"{path}: row {row}, column unit", remedy=err.remedy) from err
    return scales
