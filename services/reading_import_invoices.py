"""Invoices to amounts: what the documents of one period come to, credit notes and corrections taken into account.

The lines of documents are kept by point, so that a credit note finds the invoice of an earlier file and the same file
twice changes nothing. A period's amount is the sum of its documents; a correction takes the place of those before it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from core.calendar import micros
from core.ports import RecordStore
from core.reading_tables import TableReadings
from core.table_troubles import Told, Trouble
from services.exchange_values import plain
from services.reading_import_place import Placed, taken, told_rows

_CREDITS: Final = ("dobropis", "storno", "credit", "opravnydanovydoklad", "vratka")
_CORRECTIONS: Final = ("oprava", "opravnafaktura", "opravena", "korekce", "correction")


class Kind(StrEnum):
    """What a line of a document does to the amount of its period."""

    INVOICE = "invoice"
    CREDIT = "credit"
    CORRECTION = "correction"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a document: amount [canonical unit] of a register in a period [µs], what it cost [Kč]."""

    register: str
    begin: int
    end: int
    value: float
    doc: str = ""
    kind: Kind = Kind.INVOICE
    czk: float | None = None

    @property
    def period(self) -> tuple[str, int, int]:
        """What the documents of one period have in common."""
        return self.register, self.begin, self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Netted:
    """A table of invoices with one amount a period, and the ledgers as they would be, by point."""

    placed: Placed
    ledgers: Mapping[str, tuple[Line, ...]]
    faults: tuple[Told, ...]


def ledger_key(point: str) -> str:
    """Return the key under which the lines of a point are kept."""
    return f"invoices/{point}"


def ledger(records: RecordStore, point: str) -> tuple[Line, ...]:
    """Return the lines of documents of a point, as imported before."""
    text = records.kept(ledger_key(point))
    return tuple(msgspec.json.decode(text, type=list[Line])) if text else ()


def ledger_text(lines: Sequence[Line]) -> str:
    """Return lines as they are kept."""
    return msgspec.json.encode(lines).decode() if lines else ""


def kind_of(written: str, *, negative: bool) -> Kind:
    """Return what a line does, by what its document is called and whether an amount of its row is below zero."""
    word = plain(written)
    if any(word.startswith(credit) for credit in _CREDITS) or negative:
        return Kind.CREDIT
    return Kind.CORRECTION if any(word.startswith(c) for c in _CORRECTIONS) else Kind.INVOICE


def net(placed: Placed, records: RecordStore) -> Netted:
    """Return one amount for each period of each register of each point, the last row of each period standing for it."""
    faults: list[Told] = []
    ledgers: dict[str, tuple[Line, ...]] = {}
    chosen: list[int] = []
    values = placed.table.value.copy()
    for point, rows in _by_point(placed).items():
        case = _Point(placed, ledger(records, point), rows)
        amounts = case.amounts(faults)
        for row, amount in amounts.items():
            chosen.append(row)
            values[row] = amount
        ledgers[point] = case.kept()
    index = np.array(sorted(chosen), np.int64)
    table = taken(replace(placed.table, value=values), index)
    return Netted(placed=replace(placed, table=table, code=placed.code[index]), ledgers=ledgers, faults=tuple(faults))


def _by_point(placed: Placed) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, code in enumerate(placed.code.tolist()):
        found.setdefault(placed.points[code] or placed.series[code].meter, []).append(row)
    return found


class _Point:
    """The documents of one point: those of the table and those kept before."""

    def __init__(self, placed: Placed, before: Sequence[Line], rows: Sequence[int]) -> None:
        self._table = placed.table
        self._negative = frozenset(placed.table.row[placed.table.value < 0].tolist())
        first = {int(placed.table.row[row]): row for row in reversed(rows)}  # what a document cost is told once
        self._lines = {
            row: _line(placed, row, self._negative, priced=first[int(placed.table.row[row])] == row) for row in rows
        }
        known = {(line.doc, line.period) for line in self._lines.values()}
        self._before = tuple(line for line in before if (line.doc, line.period) not in known)

    def kept(self) -> tuple[Line, ...]:
        """Return all lines that are known now."""
        every = [*self._before, *self._lines.values()]
        return tuple(sorted(dict.fromkeys(every), key=lambda line: (line.begin, line.register, line.doc, line.value)))

    def amounts(self, faults: list[Told]) -> dict[int, float]:
        """Return the amount of each period, by the last row of the table that tells of it."""
        periods: dict[tuple[str, int, int], list[int]] = {}
        for row, line in self._lines.items():
            periods.setdefault(line.period, []).append(row)
        found: dict[int, float] = {}
        for period, rows in periods.items():
            before = [line for line in self._before if line.period == period]
            wrong = self._wrong(rows, before)
            if wrong:
                faults += wrong
            else:
                found[rows[-1]] = _sum([*before, *(self._lines[row] for row in rows)])
        return found

    def _wrong(self, rows: Sequence[int], before: Sequence[Line]) -> list[Told]:
        lines = [self._lines[row] for row in rows]
        credits_ = [r for r, line in zip(rows, lines, strict=True) if line.kind is Kind.CREDIT and line.value > 0]
        positive = [r for r in credits_ if int(self._table.row[r]) not in self._negative]
        if positive:
            return _told(self._table, positive[0], Trouble.CREDIT_SIGN)
        standing = _standing([*before, *lines])
        if not standing:
            return _told(self._table, rows[0], Trouble.CREDIT_ALONE)
        if len(standing) > 1:
            invoices = [r for r, line in zip(rows, lines, strict=True) if line.kind is Kind.INVOICE]
            if len(invoices) > 1:
                other = str(int(self._table.row[invoices[0]]))
                return _told(self._table, invoices[-1], Trouble.INVOICE_TWICE, {"other": other})
            other = next((line.doc for line in before if line.kind is not Kind.CREDIT), "")
            return _told(self._table, rows[-1], Trouble.INVOICE_OTHER, {"other": other})
        amount = _sum([*before, *lines])
        if amount < 0:
            return _told(self._table, rows[-1], Trouble.NET_NEGATIVE, {"value": f"{amount:g}"})
        return []


def _told(table: TableReadings, row: int, trouble: Trouble, args: dict[str, str] | None = None) -> list[Told]:
    return told_rows(table, np.array([row]), trouble, args)


def _line(placed: Placed, row: int, negative: frozenset[int], *, priced: bool) -> Line:
    table = placed.table
    end = int(micros(table.at[row]))
    doc, written = table.documents[int(table.document[row])]
    price = float(table.price_czk[row])
    value = float(table.value[row])
    return Line(
        register=placed.series[int(placed.code[row])].register,
        begin=end - int(table.span_s[row]) * 1_000_000,
        end=end,
        value=value,
        doc=doc,
        kind=kind_of(written, negative=int(table.row[row]) in negative),
        czk=price if priced and not math.isnan(price) else None,
    )


def _since_correction(lines: Sequence[Line]) -> list[Line]:
    """Return the lines from the last correction on."""
    last = max((n for n, line in enumerate(lines) if line.kind is Kind.CORRECTION), default=0)
    return list(lines[last:])


def _standing(lines: Sequence[Line]) -> list[Line]:
    """Return the invoices that no credit note takes back whole."""
    counted = _since_correction(lines)
    given_back = [line.value for line in counted if line.kind is Kind.CREDIT]
    invoices = [line for line in counted if line.kind is not Kind.CREDIT]
    standing = list(invoices)
    for value in given_back if len(invoices) > 1 else ():
        back = next((line for line in standing if math.isclose(line.value, -value, abs_tol=1e-9)), None)
        if back is not None:
            standing.remove(back)
    return standing


def _sum(lines: Sequence[Line]) -> float:
    """Return what the lines come to, to the billionth: what cancels is zero."""
    return round(math.fsum(line.value for line in _since_correction(lines)), 9) + 0.0
