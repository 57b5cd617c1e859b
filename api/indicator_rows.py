"""Values of indicators as the API tells them: rows of JSON and lines of CSV, in the reader's language."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from api.answers import Value as Cell
from api.indicator_texts import cause_text, reason_text, status_text
from api.texts import Language
from core.indicators import Because, Coverage, Part, Used, Value
from core.notes import JsonValue
from core.plan import Figure, Indicator
from services.indicator_change import Difference, IndicatorChange

Seen = Callable[[str], bool]
"""Whether the caller sees the building, point, measure or alert of an id."""
OPEN_KINDS: Final = frozenset({"carrier", "activity", "cause"})
"""Kinds of parts that name nobody's building."""


class AmountRow(msgspec.Struct, frozen=True):
    """A figure: `value` null where it cannot be determined, with its 90 % interval where it is an estimate."""

    figure: str
    name: str
    unit: str
    decimals: int
    value: float | None
    low90: float | None
    high90: float | None
    target: float | None


class ReasonRow(msgspec.Struct, frozen=True):
    """Why a value is lacking or provisional: a code for programs, a text for people, and what it concerns."""

    code: str
    text: str
    subjects: Sequence[str]


class PartRow(msgspec.Struct, frozen=True):
    """A piece that a figure is made of; those of a kind add up to it where the method says so."""

    figure: str
    kind: str
    key: str
    value: float | None
    facts: Mapping[str, JsonValue]


class ValueRow(msgspec.Struct, frozen=True):
    """A value of an indicator, with all that it rests on. `register` is the version of the register."""

    indicator: str
    name: str
    scope: str
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    status: str = ""
    status_text: str = ""
    amounts: Sequence[AmountRow] = ()
    coverage: Coverage | None = None
    reasons: Sequence[ReasonRow] = ()
    method: str = ""
    version: int = 1
    cutoff: str = ""
    register: int = 0
    computed_at: str = ""
    used: Sequence[Used] = ()
    activities: Sequence[str] = ()
    measures: Sequence[str] = ()
    parts: Sequence[PartRow] = ()
    note: str = ""


class IndicatorValues(msgspec.Struct, frozen=True):
    """The values of an indicator by period."""

    indicator: Indicator
    values: Sequence[ValueRow]


class DifferenceRow(msgspec.Struct, frozen=True):
    """A piece of a change; those of a kind add up to it exactly."""

    kind: str
    key: str
    name: str
    value: float


class ChangeOfIndicator(msgspec.Struct, frozen=True):
    """Why the main figure of an indicator differs between two spans; `change` null where one is not known."""

    indicator: str
    scope: str
    figure: str
    unit: str
    before: ValueRow
    after: ValueRow
    change: float | None
    causes: Sequence[DifferenceRow]
    parts: Sequence[DifferenceRow]
    reasons: Sequence[ReasonRow]


def value_row(indicator: Indicator, value: Value, words: Language, *, parts: bool, seen: Seen) -> ValueRow:
    """Return a value as JSON tells it; `parts` with the pieces that it is made of."""
    return ValueRow(
        indicator=value.indicator,
        name=indicator.name,
        scope=str(value.scope),
        start=value.first.isoformat(),
        end=value.end.isoformat(),
        status=value.status,
        status_text=status_text(words, value.status),
        amounts=[_amount(indicator, figure, value) for figure in indicator.figures],
        coverage=_seen_coverage(value.coverage, seen),
        reasons=[reason_row(one, words, seen) for one in value.reasons],
        method=value.method,
        version=value.version,
        cutoff=_instant(value.cutoff),
        register=value.register,
        computed_at=_instant(value.computed_at),
        used=value.used,
        activities=value.activities,
        measures=[key for key in value.measures if seen(key)],
        parts=[_part(one) for one in value.parts if one.kind in OPEN_KINDS or seen(one.key)] if parts else [],
        note=value.note,
    )


def _amount(indicator: Indicator, figure: Figure, value: Value) -> AmountRow:
    found = value.amount(figure.key)
    year = value.first.year if value.first.year == value.end.year or value.end.month == value.end.day == 1 else None
    target = next((t.value for t in indicator.targets if t.figure == figure.key and t.year == year), None)
    return AmountRow(
        figure.key, figure.name, figure.unit, figure.decimals, found.value, found.low90, found.high90, target
    )


def _seen_coverage(found: Coverage | None, seen: Seen) -> Coverage | None:
    return None if found is None else replace(found, lacking=tuple(key for key in found.lacking if seen(key)))


def reason_row(because: Because, words: Language, seen: Seen) -> ReasonRow:
    """Return a reason as JSON tells it; what the caller does not see is not named."""
    named = [because.facts.get(name) for name in ("measure", "point")]
    foreign = any(isinstance(one, str) and not seen(one) for one in named)
    shown = Because(code=because.code, facts={**because.facts, **_BLANK}) if foreign else because
    return ReasonRow(because.code, reason_text(words, shown), [key for key in because.subjects if seen(key)])


_BLANK: Final = {"measure": "—", "point": "—"}


def _part(part: Part) -> PartRow:
    return PartRow(part.figure, part.kind, part.key, part.value, dict(part.facts))


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def change_row(found: IndicatorChange, words: Language, *, seen: Seen) -> ChangeOfIndicator:
    """Return why an indicator changed, as JSON tells it."""
    figure = found.indicator.figures[0]
    before, after = (
        value_row(found.indicator, value, words, parts=False, seen=seen) for value in (found.before, found.after)
    )
    return ChangeOfIndicator(
        indicator=found.indicator.id,
        scope=str(found.scope),
        figure=figure.key,
        unit=figure.unit,
        before=before,
        after=after,
        change=found.change,
        causes=[_difference(one, words) for one in found.causes],
        parts=[_difference(one, words) for one in found.parts if one.kind in OPEN_KINDS or seen(one.key)],
        reasons=[reason_row(one, words, seen) for one in found.reasons],
    )


def _difference(one: Difference, words: Language) -> DifferenceRow:
    name = cause_text(words, one.key) if one.kind == "cause" else one.key
    return DifferenceRow(one.kind, one.key, name, one.value)


COLUMNS: Final = (
    "indicator", "name", "scope", "from", "to", "figure", "unit", "value", "low90", "high90", "target", "status",
    "measured", "estimated", "missing", "method", "version", "cutoff", "register", "reasons",
)  # fmt: skip
"""Columns of values as CSV, a line a figure."""


def csv_lines(rows: Sequence[ValueRow]) -> Iterator[list[Cell]]:
    """Return the lines of values."""
    for row in rows:
        shares = [None, None, None] if row.coverage is None else [
            row.coverage.measured, row.coverage.estimated, row.coverage.missing,
        ]  # fmt: skip
        for one in row.amounts:
            yield [
                row.indicator, row.name, row.scope, row.start, row.end, one.figure, one.unit, one.value, one.low90,
                one.high90, one.target, row.status, *shares, row.method, row.version, row.cutoff, row.register,
                "; ".join(reason.text for reason in row.reasons),
            ]  # fmt: skip
