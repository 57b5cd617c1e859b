"""What measures saved: per point a baseline from before the first of them, shared by those in effect at a time.

Rules (docs/measures.md): a baseline learns from the 365 days before the works begin, or where these are not enough from
548 or 730, never over a change of measures. Days of works count for nothing. While several measures are in effect at a
point, its saving is shared as their expected savings, or alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics.baseline.days import Bools, Dates, Floats
from analytics.baseline.fit import Fits
from analytics.baseline.placebo import kind_of
from analytics.baseline.saving import month_spans, savings
from analytics.baseline.sufficiency import TEXTS, Reason, sufficiency
from analytics.sharing import split, weights
from core.calendar import Longs
from core.registry import Measure, Point
from core.rollup import NANO
from services.baselines import KINDS, Baselines, Trained, Window

__all__ = ["TEXTS_OF_SAVINGS", "WINDOWS", "Month", "Reason", "Savings", "Share", "chains", "text_of", "without_works"]

TEXTS_OF_SAVINGS: Final[Mapping[str, str]] = {
    "generation": "generation is no consumption: name the point of supply that the plant feeds",
    "measure_in_training": "not enough data: measure {measure} changed the point within the year before",
    "not_yet": "no whole day has passed since it is in effect ({date})",
    "no_saving": "no saving is known",
    "no_price": "no price is known for point {points}",
    "no_investment": "no investment is stated",
    "short_year": "only {days} days are known since it is in effect, a year is needed",
    "not_significant": "the saving is not significant",
}
"""Reasons besides those of baselines."""
COVERAGE: Final = frozenset({"missing_predict", "no_predict", "missing_temperature"})
"""Reasons that concern what is known of the days, not what happened on them."""
WINDOWS: Final = (365, 548, 730)
"""Days before the works that a baseline learns from: the first length that is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of a measure's share at a point: `days` counted of the month's `of_days`; amounts in the point's unit.

    `actual` and `baseline` are the whole point's; `saving_nano` the share of this measure [1e-9 unit].
    """

    month: date
    days: int
    of_days: int
    actual: float
    baseline: float
    saving_nano: int
    half68: float
    half90: float
    so_far_nano: int
    so_far_half68: float
    so_far_half90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a measure saved at one point: months where it is known, and the reasons where it is not.

    `trained` are the first and last day that the baseline learnt from, None where there is none. `sharing` are the
    measures, with this one, that shared the saving at any time.
    """

    measure: str
    point: str
    unit: str
    months: tuple[Month, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    trained: tuple[date, date] | None = None
    sharing: tuple[str, ...] = ()
    calibration: Mapping[str, object] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether all of its saving is known."""
        return bool(self.months) and not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """Days (D,) on which the same measures are in effect at a point."""

    measures: tuple[Measure, ...]
    days: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """A point with its measures in the order in which their works begin."""

    point: Point
    measures: tuple[Measure, ...]

    def window(self, number: int, length: int) -> Window | None:
        """Return the days that the baseline of a measure learns from, None where another measure changed in them."""
        begins = self.measures[number].begins
        first, last = begins - timedelta(days=length), begins - timedelta(days=1)
        others = [m for n, m in enumerate(self.measures) if n != number]
        changes = [day for m in others for day in (m.effective, m.ended) if day is not None]
        if any(first < day <= last for day in changes):
            return None
        return Window(point=self.point, first=first, last=last)

    def works(self) -> list[tuple[date, date]]:
        """Return the days of works, from and until."""
        return [(m.begins, m.effective) for m in self.measures if m.begins < m.effective]


def text_of(reason: Reason) -> str:
    """Return a reason in English."""
    return {**TEXTS, **TEXTS_OF_SAVINGS}[reason.code].format(**reason.facts)


def chains(points: Mapping[str, Point], measures: Iterable[Measure]) -> list[_Chain]:
    """Return the points that measures name, with all measures of each."""
    held: dict[str, list[Measure]] = {}
    for measure in measures:
        for key in measure.points:
            held.setdefault(key, []).append(measure)
    return [
        _Chain(point=points[key], measures=tuple(sorted(mine, key=lambda m: (m.begins, m.effective, m.id))))
        for key, mine in sorted(held.items())
        if key in points
    ]


def without_works(baselines: Baselines, points: Mapping[str, Point], measures: Iterable[Measure]) -> Baselines:
    """Return baselines that learn nothing from days of works."""
    works = {chain.point.id: tuple(chain.works()) for chain in chains(points, measures)}
    return replace(baselines, leave_out=works)


class Savings:
    """Tells what measures saved; `baselines` fits and keeps what it needs."""

    def __init__(self, baselines: Baselines) -> None:
        self._baselines = baselines

    def shares(
        self,
        points: Mapping[str, Point],
        measures: Sequence[Measure],
        last: date,
        *,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Share]:
        """Return what each measure saved at each of its points until a day, `last` included.

        `measures` must be all that touch these points: those left out would be taken as without effect.
        """
        asked = chains(points, measures)
        baselines = without_works(self._baselines, points, measures)
        first = [w for chain in asked if (w := chain.window(0, WINDOWS[0])) is not None]
        since = min((w.first for w in first if w.first <= last), default=last)
        baselines.look_up([chain.point for chain in asked], since, last)
        ready = {t.window: t for t in baselines.train(first)}
        found: list[Share] = []
        for chain in asked:
            if stopped():
                break
            found += _of_chain(baselines, chain, ready, last)
        return found


def _of_chain(baselines: Baselines, chain: _Chain, ready: Mapping[Window, Trained], last: date) -> list[Share]:
    """Return the shares of all measures of a point."""
    if chain.point.commodity not in KINDS:
        return [_unknown(chain, m, "generation") for m in chain.measures]
    found: list[Share] = []
    for number, measure in enumerate(chain.measures):
        if measure.begins > last:
            found.append(_unknown(chain, measure, "not_yet", date=measure.effective.isoformat()))
            continue
        trained, reasons = _baseline(baselines, chain, number, ready)
        if trained is not None:
            return [*found, *_reported(baselines, chain, number, trained, last)]
        found.append(Share(measure=measure.id, point=chain.point.id, unit="", reasons=reasons))
    return found


def _unknown(chain: _Chain, measure: Measure, code: str, **facts: str | int) -> Share:
    return Share(measure=measure.id, point=chain.point.id, unit="", reasons=(Reason(code=code, facts=facts),))


def _baseline(
    baselines: Baselines, chain: _Chain, number: int, ready: Mapping[Window, Trained]
) -> tuple[Trained | None, tuple[Reason, ...]]:
    """Return the baseline from before a measure, or why there is none."""
    first_reasons: tuple[Reason, ...] = ()
    for length in WINDOWS:
        window = chain.window(number, length)
        if window is None:
            break
        made = [ready[window]] if window in ready else baselines.train([window])
        if made and not made[0].reasons:
            return made[0], ()
        first_reasons = first_reasons or (made[0].reasons if made else ())
    if not first_reasons:
        before = chain.measures[number - 1].id if number else ""
        first_reasons = (Reason(code="measure_in_training", facts={"measure": before}),)
    return None, first_reasons


def _reported(baselines: Baselines, chain: _Chain, number: int, trained: Trained, last: date) -> list[Share]:
    """Return the shares of the measures that a baseline serves, the `number`-th and those after it."""
    active = chain.measures[number:]
    ends = [m.ended for m in chain.measures[:number] if m.ended is not None and m.ended > trained.window.last]
    last = min([last, *(end - timedelta(days=1) for end in ends)])
    begins = min(m.effective for m in active)
    if last < begins:
        return [_unknown(chain, m, "not_yet", date=m.effective.isoformat()) for m in active]
    day = np.arange(np.datetime64(trained.window.first), np.datetime64(last) + 1)
    segments = _segments(active, day, chain.works())
    counted = np.any([s.days for s in segments], axis=0) if segments else np.zeros(len(day), bool)
    fits, use = baselines.applied(trained, last, out=~counted)
    unit = use.units[0] or trained.unit
    holds = not sufficiency(fits, counted).predict[0]
    made = [_Told.of(baselines, segment, fits, unit, holds=holds) for segment in segments]
    return [_share(chain, m, made, trained, unit) for m in active]


def _segments(measures: Sequence[Measure], day: Dates, works: Sequence[tuple[date, date]]) -> list[_Segment]:
    """Return the days by the measures in effect, in order; days of works and of no measure are in none."""
    effective = np.array([_in_effect(m, day) for m in measures])
    busy = np.zeros(len(day), bool)
    for since, until in works:
        busy |= (day >= np.datetime64(since)) & (day < np.datetime64(until))
    code = (effective * (1 << np.arange(len(measures)))[:, None]).sum(axis=0)
    code[busy] = 0
    order = [int(c) for c in dict.fromkeys(code.tolist()) if c]
    return [_Segment(measures=tuple(m for n, m in enumerate(measures) if c >> n & 1), days=code == c) for c in order]


def _in_effect(measure: Measure, day: Dates) -> Bools:
    since = day >= np.datetime64(measure.effective)
    return since if measure.ended is None else since & (day < np.datetime64(measure.ended))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a segment says, month by month (k,): shares in nano (n, k), and why it is not to be told."""

    segment: _Segment
    months: Dates
    days: Longs
    actual: Floats
    baseline: Floats
    nano: Longs
    weight: Floats
    half68: Floats
    half90: Floats
    running68: Floats
    running90: Floats
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    calibration: Mapping[str, object]

    @classmethod
    def of(cls, baselines: Baselines, segment: _Segment, fits: Fits, unit: str, *, holds: bool) -> "_Told":
        """Return what the fits say of a segment's days.

        Where the model holds over all days, a part of them is not asked again for events, which in a few warm weeks
        cannot be told from chance; it is for its coverage.
        """
        calibration = baselines.facts.calibration
        judged = sufficiency(fits, segment.days)
        months, each, running = month_spans(fits.days.day, segment.days)
        alone, so_far = savings(fits, each, calibration), savings(fits, running, calibration)
        weight = weights([_expected(m, unit) for m in segment.measures])
        total = np.rint(alone.saving[0] * NANO).astype(np.int64)
        return cls(
            segment=segment,
            months=months,
            days=alone.days[0],
            actual=alone.actual[0],
            baseline=alone.predicted[0],
            nano=split(total, weight),
            weight=weight,
            half68=alone.half68[0],
            half90=alone.half90[0],
            running68=so_far.half68[0],
            running90=so_far.half90[0],
            reasons=tuple(r for r in judged.predict[0] if r.code in COVERAGE or not holds),
            notes=judged.notes[0],
            calibration=calibration.note(kind_of(fits), int(so_far.days[0, -1])),
        )


def _expected(measure: Measure, unit: str) -> float | None:
    expected = measure.expected(unit)
    return None if expected is None else expected / len(measure.points)


def _share(chain: _Chain, measure: Measure, told: Sequence[_Told], trained: Trained, unit: str) -> Share:
    """Return a measure's share of the segments in which it is in effect."""
    mine = [one for one in told if measure in one.segment.measures]
    known = [one for one in mine if not one.reasons]
    reasons = _once(r for one in mine for r in one.reasons)
    sharing = tuple(dict.fromkeys(m.id for one in known for m in one.segment.measures if m is not measure))
    if not mine:
        reasons = (Reason(code="not_yet", facts={"date": measure.effective.isoformat()}),)
    return Share(
        measure=measure.id,
        point=chain.point.id,
        unit=unit,
        months=_months(measure, known),
        reasons=reasons,
        notes=trained.notes,
        trained=(trained.window.first, trained.window.last),
        sharing=sharing,
        calibration=known[-1].calibration if known else {},
    )


def _once(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons without those that say the same."""
    return tuple({(r.code, tuple(sorted(r.facts.items()))): r for r in reasons}.values())


def _months(measure: Measure, told: Sequence[_Told]) -> tuple[Month, ...]:
    """Return the months of a measure, segments that meet in one joined."""
    rows: dict[date, list[tuple[_Told, int, int]]] = {}
    for one in told:
        place = one.segment.measures.index(measure)
        for column, month in enumerate(one.months):
            if one.days[column]:
                rows.setdefault(month.astype("datetime64[D]").astype(date), []).append((one, place, column))
    made: list[Month] = []
    total, ended68, ended90 = 0, {}, {}
    for month in sorted(rows):
        parts = rows[month]
        total += sum(int(one.nano[place, column]) for one, place, column in parts)
        for one, place, column in parts:
            ended68[id(one)] = float(one.weight[place] * one.running68[column])
            ended90[id(one)] = float(one.weight[place] * one.running90[column])
        made.append(_month(month, parts, total, sum(ended68.values()), sum(ended90.values())))
    return tuple(made)


def _month(month: date, parts: Sequence[tuple[_Told, int, int]], total: int, so_far68: float, so_far90: float) -> Month:
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Month(
        month=month,
        days=sum(int(one.days[column]) for one, _, column in parts),
        of_days=(following - month).days,
        actual=sum(float(one.actual[column]) for one, _, column in parts),
        baseline=sum(float(one.baseline[column]) for one, _, column in parts),
        saving_nano=sum(int(one.nano[place, column]) for one, place, column in parts),
        half68=sum(float(one.weight[place] * one.half68[column]) for one, place, column in parts),
        half90=sum(float(one.weight[place] * one.half90[column]) for one, place, column in parts),
        so_far_nano=total,
        so_far_half68=so_far68,
        so_far_half90=so_far90,
    )
