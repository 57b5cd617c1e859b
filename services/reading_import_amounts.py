"""Amounts and dials of one meter brought together: one value an instant, tariffs to their total, no overlaps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from core.calendar import Bools, Longs, micros
from core.ports import ReadingStore
from core.readings import SeriesKey
from core.table_troubles import Told, Trouble
from services.reading_import_place import MOST, Placed, joined, taken, told_rows

ROUNDING: Final = 1.0
"""How far a total may stand from the sum of its tariffs, each rounded [kWh, m³]."""

SOURCE: Final = "import/"
"""Begin of the source of readings that came in a file."""


def _chosen(placed: Placed, kept: Bools | Longs) -> Placed:
    return replace(placed, table=taken(placed.table, kept), code=placed.code[kept])


def _ordered(placed: Placed) -> Longs:
    """Return the order by series, instant and row."""
    return np.lexsort((placed.table.row, micros(placed.table.at), placed.code))


def once(placed: Placed) -> tuple[Placed, list[Told]]:
    """Return one reading an instant of each series; another value for the same instant is a fault."""
    order = _ordered(placed)
    code, at, table = placed.code[order], placed.table.at[order], placed.table
    again = np.zeros(len(order), bool)
    again[1:] = (code[1:] == code[:-1]) & (at[1:] == at[:-1])
    if not again.any():
        return placed, []
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
    value, span = table.value[order], table.span_s[order]
    other = again & ((value != value[first]) | (span != span[first]))
    faults: list[Told] = []
    for i in np.flatnonzero(other)[:MOST].tolist():
        args = {"subject": placed.series[code[i]].meter, "other": str(int(table.row[order[first[i]]]))}
        faults += told_rows(table, order[i : i + 1], Trouble.TWICE, args)
    kept = np.ones(len(order), bool)
    kept[order[again]] = False
    return _chosen(placed, kept), faults


def overlapping(placed: Placed) -> list[Told]:
    """Return the periods that overlap the one before them."""
    order = _ordered(placed)
    code, end = placed.code[order], micros(placed.table.at)[order]
    begin = end - placed.table.span_s[order] * 1_000_000
    wrong = np.zeros(len(order), bool)
    wrong[1:] = (code[1:] == code[:-1]) & (begin[1:] < end[:-1]) & (placed.table.span_s[order][1:] > 0)
    faults: list[Told] = []
    for i in np.flatnonzero(wrong)[:MOST].tolist():
        args = {"other": str(int(placed.table.row[order[i - 1]]))}
        faults += told_rows(placed.table, order[i : i + 1], Trouble.INVOICE_OVERLAP, args)
    return faults


def with_totals(placed: Placed, store: ReadingStore) -> tuple[Placed, list[Told]]:
    """Return the readings with the sum of the tariffs of each instant, where no total is told or measured.

    The total is what counts; tariffs stand beside it. A total of amounts that differs from its tariffs is a fault.
    """
    faults: list[Told] = []
    for device, whole in _wholes(placed.series):
        tariffs = [n for n, key in enumerate(placed.series) if key.meter == device and _whole(key) == whole]
        rows = np.flatnonzero(np.isin(placed.code, tariffs))
        if not len(rows):
            continue
        total = SeriesKey(device, whole)
        if total in placed.series:
            faults += _against(placed, rows, placed.series.index(total))
            continue
        known = store.known([device])
        if total not in known and _measured([placed.series[n] for n in tariffs if placed.series[n] in known], store):
            continue  # the meter publishes its tariffs alone, and their sum counts by itself
        newest = store.latest([total]) if total in known else None
        if newest is not None and len(newest) and not newest.sources[newest.source[0]].startswith(SOURCE):
            continue
        placed, wrong = _summed(placed, rows, tariffs, total)
        faults += wrong
    return placed, faults


def _measured(keys: Sequence[SeriesKey], store: ReadingStore) -> bool:
    """Return whether any newest reading of these series came from elsewhere than an import."""
    newest = store.latest(keys) if keys else None
    return newest is not None and any(not newest.sources[n].startswith(SOURCE) for n in set(newest.source.tolist()))


def _whole(key: SeriesKey) -> str:
    """Return the register of the total of a tariff's, empty for another register."""
    whole, _, part = key.register.partition("/")
    return whole if part[:1] == "t" and part[1:].isdigit() else ""


def _wholes(series: Sequence[SeriesKey]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((key.meter, _whole(key)) for key in series if _whole(key)))


def _instants(placed: Placed, rows: Longs) -> tuple[Longs, Longs]:
    """Return the distinct instants and spans of rows (m, 2), and the index of each row's."""
    pairs = np.stack([micros(placed.table.at[rows]), placed.table.span_s[rows]], axis=1)
    distinct, which = np.unique(pairs, axis=0, return_inverse=True)
    return distinct, which.reshape(-1)


def _summed(placed: Placed, rows: Longs, tariffs: Sequence[int], total: SeriesKey) -> tuple[Placed, list[Told]]:
    """Return the readings with sums added; an instant that lacks a tariff is a fault."""
    distinct, which = _instants(placed, rows)
    count = np.bincount(which, minlength=len(distinct))
    lacking = count[which] < len(tariffs)
    faults: list[Told] = []
    for i in np.flatnonzero(lacking)[:MOST].tolist():
        here = {int(placed.code[r]) for r in rows[which == which[i]].tolist()}
        absent = ", ".join(placed.series[n].register for n in tariffs if n not in here)
        faults += told_rows(placed.table, rows[i : i + 1], Trouble.TARIFF_LACKING, {"value": absent})
    last = np.zeros(len(distinct), np.int64)
    last[which] = rows
    value = np.bincount(which, weights=placed.table.value[rows], minlength=len(distinct))
    whole = count == len(tariffs)
    added = taken(placed.table, last[whole])
    code = np.full(int(whole.sum()), len(placed.series), np.int32)
    point = placed.points[tariffs[0]]
    return replace(
        placed,
        table=joined(placed.table, replace(added, value=value[whole])),
        code=np.concatenate([placed.code, code]),
        series=(*placed.series, total),
        points=(*placed.points, point),
    ), faults


def _against(placed: Placed, rows: Longs, total: int) -> list[Told]:
    """Return where a total of amounts is not what its tariffs come to."""
    amounts = rows[placed.table.span_s[rows] > 0]
    wholes = np.flatnonzero((placed.code == total) & (placed.table.span_s > 0))
    if not len(amounts) or not len(wholes):
        return []
    distinct, which = _instants(placed, np.concatenate([amounts, wholes]))
    parts = np.bincount(which[: len(amounts)], weights=placed.table.value[amounts], minlength=len(distinct))
    some = np.bincount(which[: len(amounts)], minlength=len(distinct)) > 0
    mine = which[len(amounts) :]
    told = placed.table.value[wholes]
    wrong = some[mine] & (np.abs(parts[mine] - told) > np.maximum(ROUNDING * 2, 1e-3 * np.abs(told)))
    faults: list[Told] = []
    for i in np.flatnonzero(wrong)[:MOST].tolist():
        args = {"value": f"{told[i]:g}", "other": f"{parts[mine[i]]:g}"}
        faults += told_rows(placed.table, wholes[i : i + 1], Trouble.TOTAL_DIFFERS, args)
    return faults
