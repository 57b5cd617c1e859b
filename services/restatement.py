"""Why an open value differs from the published one: its causes one after the other, whose parts add up exactly.

What was published is computed again with one thing after the other as it is now: the program's methods, the readings,
the register, each dated table, the calendar, alerts, deliveries. The difference of each step is its cause's part.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from core.errors import OdecetError
from core.indicators import Scope, Value, ValueStatus
from core.notes import JsonValue
from core.report_periods import ReportId
from services.as_of_register import WORDS, entries_since, register_at
from services.as_of_rollups import RollUpsOf
from services.freezing import Opened
from services.frozen import to_json
from services.frozen_tables import TABLES
from services.indicators import Evaluation
from services.restatement_names import Named, named_days, named_entries, named_late, named_tables, named_used
from services.stands import FrozenAlerts, Live, Shared, Stand, inputs_of, rollups_of
from services.verification import close

__all__ = ["Cause", "FigureChange", "Named", "Part", "Restatement", "restated", "to_tell"]
DIGITS: Final = 800
"""Digits of the sums: more than the largest and the smallest float need together, so that differences are exact."""


class Cause(StrEnum):
    """Why a value is another now, in the order in which causes are taken."""

    METHOD = "method"
    LATE_DATA = "late_data"
    REGISTER = "register"
    FACTORS = "factors"
    TARIFFS = "tariffs"
    POPULATIONS = "populations"
    NORMALS = "normals"
    CALENDAR = "calendar"
    ALERTS = "alerts"
    DELIVERED = "delivered"


_TABLE_CAUSES: Final[Mapping[str, Cause]] = {name: Cause(name) for name in TABLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one cause did to a figure, or several where a number lacks between them; None: not known then.

    `named` says what it was: points with late readings, entries that were corrected, factors with their versions.
    """

    causes: tuple[Cause, ...]
    before: Decimal | None
    after: Decimal | None
    difference: Decimal | None
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChange:
    """A figure that is another now: the parts' differences add up exactly to `difference`, where it is a number."""

    indicator: str
    scope: Scope
    figure: str
    old: Decimal | None
    new: Decimal | None
    difference: Decimal | None
    old_status: ValueStatus | None
    new_status: ValueStatus | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """What has changed in a report since it was published; `cutoff` is up to when readings are in the new values."""

    report: ReportId
    publication: str
    cutoff: datetime
    changes: tuple[FigureChange, ...]
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """A step: the cause that was taken last, the stand with it, the values that come of it, and what it was."""

    cause: Cause
    stand: Stand
    rolled: RollUpsOf
    values: Mapping[tuple[str, str], Value]
    named: tuple[Named, ...] = ()


@dataclass(slots=True)
class _Walk:
    """Computes a report's values stage by stage."""

    last: Opened
    live: Live
    now: datetime
    shared: Shared = field(default_factory=Shared)

    def stage(self, cause: Cause, stand: Stand, named: tuple[Named, ...] = ()) -> _Stage:
        """Return the values of a stand; one that cannot be computed with it is not known."""
        rolled, report = rollups_of(stand, self.live, self.shared), self.last.publication.report
        evaluation = Evaluation(inputs_of(stand, self.live, self.shared, rolled), self.now)
        values: dict[tuple[str, str], Value] = {}
        for scope in dict.fromkeys(value.scope for value in self.last.values):
            for indicator in stand.register.find(WORDS["indicator"]):
                if report.kind in indicator.reports:
                    value = _or_none(evaluation, indicator, scope, report)
                    if value is not None:
                        values[indicator.id, str(scope)] = value
        return _Stage(cause=cause, stand=stand, rolled=rolled, values=values, named=named)


def _or_none(evaluation: Evaluation, indicator: Any, scope: Scope, report: ReportId) -> Value | None:  # noqa: ANN401 - an indicator
    try:
        return evaluation.value(indicator, scope, report.first, report.end)
    except OdecetError:  # a step between two times may not fit together; its neighbours tell the difference
        return None


def restated(last: Opened, then: Stand, present: Stand, live: Live, now: datetime) -> Restatement:
    """Return what has changed since a publication, whose values rested on `then`, up to the `present`."""
    stages = list(_stages(_Walk(last, live, now), then, present))
    published = {(value.indicator, str(value.scope)): value for value in last.values}
    keys = dict.fromkeys((*published, *stages[-1].values))
    return Restatement(
        report=last.publication.report,
        publication=last.publication.id,
        cutoff=present.cutoff,
        changes=tuple(change for key in keys for change in _changes(key, published.get(key), stages)),
        values=tuple(stages[-1].values.values()),
    )


def _stages(walk: _Walk, then: Stand, present: Stand) -> Iterator[_Stage]:
    """Yield the values with one thing after the other as it is now; a thing that is the same has no step."""
    live, span = walk.live, walk.last.publication.report
    code = Named(kind="program", key=live.code, facts={"before": walk.last.publication.code})
    stage = walk.stage(Cause.METHOD, then, (code,))
    yield stage
    register = register_at(live.records, then.audited, then.register.version, present.texts)
    late = replace(then, cutoff=present.cutoff, undone=present.undone, texts=present.texts, register=register)
    before, stage = stage, walk.stage(Cause.LATE_DATA, late)
    yield replace(stage, named=named_late(before.rolled, stage.rolled, (span.first, span.end), then, live))
    entries = [entry for entry in entries_since(live.records, then.audited) if entry.entity in WORDS]
    stand = late
    if entries:
        stand = replace(stand, register=present.register, audited=present.audited)
        before, stage = stage, walk.stage(Cause.REGISTER, stand)
        changed = named_entries(entries, before.rolled, stage.rolled, (span.first, span.end), live)
        yield replace(stage, named=changed)
    for name, cause in _TABLE_CAUSES.items():
        if getattr(stand.dated, name) != getattr(present.dated, name):
            rows = named_tables(name, getattr(stand.dated, name), getattr(present.dated, name))
            stand = replace(stand, dated=replace(stand.dated, **{name: getattr(present.dated, name)}))
            yield walk.stage(cause, stand, rows)
    yield from _rest(walk, stand, present)


def _rest(walk: _Walk, stand: Stand, present: Stand) -> Iterator[_Stage]:
    """Yield the steps of what is neither readings, register nor table."""
    if stand.facts != present.facts or stand.dated.place != present.dated.place:
        days = named_days(stand.facts, present.facts)
        stand = replace(stand, facts=present.facts, dated=present.dated)
        yield walk.stage(Cause.CALENDAR, stand, days)
    report = walk.last.publication.report
    running = walk.last.publication.cutoff.date() <= report.end
    if isinstance(stand.alerts, FrozenAlerts) and (running or not stand.alerts.same(present.alerts)):
        stand = replace(stand, alerts=present.alerts)
        yield walk.stage(Cause.ALERTS, stand)
    if stand.hand.told(report.first, report.end) != present.hand.told(report.first, report.end):
        stand = replace(stand, hand=present.hand)
        yield walk.stage(Cause.DELIVERED, stand)


def _changes(key: tuple[str, str], old: Value | None, stages: Sequence[_Stage]) -> Iterator[FigureChange]:
    steps = [stage.values.get(key) for stage in stages]
    latest = steps[-1]
    told = [value for value in (old, latest) if value is not None]
    for figure in dict.fromkeys(a.figure for value in told for a in value.amounts):
        numbers = _settled([_number(old, figure), *(_number(value, figure) for value in steps)])
        statuses = (old.status if old else None, latest.status if latest else None)
        if numbers[0] == numbers[-1] and statuses[0] == statuses[1]:
            continue
        with localcontext(prec=DIGITS):
            yield FigureChange(
                indicator=key[0],
                scope=told[0].scope,
                figure=figure,
                old=numbers[0],
                new=numbers[-1],
                difference=_less(numbers[-1], numbers[0]),
                old_status=statuses[0],
                new_status=statuses[1],
                parts=tuple(_parts(numbers, [old, *steps], stages)),
            )


def _number(value: Value | None, figure: str) -> float | None:
    amounts = value.amounts if value is not None else ()
    return next((amount.value for amount in amounts if amount.figure == figure), None)


def _settled(numbers: Sequence[float | None]) -> list[Decimal | None]:
    """Return numbers as exact decimals; one that differs from the one before by its rounding alone is the same."""
    found: list[float | None] = []
    for number in numbers:
        former = found[-1] if found else None
        found.append(former if former is not None and number is not None and close(former, number) else number)
    return [None if number is None else Decimal(repr(number)) for number in found]


def _less(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    return None if new is None or old is None else new - old


def _parts(
    numbers: Sequence[Decimal | None], values: Sequence[Value | None], stages: Sequence[_Stage]
) -> Iterator[Part]:
    """Yield what each step did; steps between which a number lacks are told together where both ends have one."""
    ends = [n for n in range(len(numbers)) if numbers[n] is not None or None in {numbers[0], numbers[-1]}]
    for begin, end in pairwise(ends):
        if numbers[begin] != numbers[end]:
            moved = [n for n in range(begin, end) if _moved(values[n], values[n + 1])] or list(range(begin, end))
            yield Part(
                causes=tuple(stages[n].cause for n in moved),
                before=numbers[begin],
                after=numbers[end],
                difference=_less(numbers[end], numbers[begin]),
                named=tuple(one for n in moved for one in _named(stages[n], values[n], values[n + 1])),
            )


def _moved(before: Value | None, after: Value | None) -> bool:
    return (before and before.amounts) != (after and after.amounts)


def _named(stage: _Stage, before: Value | None, after: Value | None) -> tuple[Named, ...]:
    """Return what a cause was, of this value: the method, the used rows of a table, else what is known of the step."""
    if stage.cause is Cause.METHOD and before is not None and after is not None and before.version != after.version:
        facts: Mapping[str, JsonValue] = {"before": before.version, "after": after.version}
        return (Named(kind="method", key=after.method, facts=facts),)
    if stage.cause in _TABLE_CAUSES.values() and before is not None and after is not None:
        return named_used(before, after) or stage.named
    return stage.named


def to_tell(restatement: Restatement) -> dict[str, Any]:
    """Return a restatement as JSON; decimals are texts, so that no digit is lost."""
    said: dict[str, Any] = to_json(replace(restatement, values=()))
    return {name: said[name] for name in ("publication", "cutoff", "changes")}
