"""The back-test: when rules would have fired over the stored history of a point, for how long, and at what loss."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.tuning import Tuning
from core.alerts import Detection
from core.calendar import instant, micros
from core.errors import InputError
from core.registry import Point
from services.detecting import Region
from services.detection import HISTORY, Beside, Prices, Told, detection, told_of
from services.detection_past import Past
from services.detection_rules import OF_EXPECTED, rules_of

COMPARED: Final = OF_EXPECTED | {Rule.WARM_HEATING, Rule.PV_LOW}
"""Rules that compare with a model, the weather or the sun."""
LONGEST: Final = timedelta(days=366 * 10)
"""The longest history that is asked for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A time at which a rule would have spoken: what would have been told, when first, and what was lost in all."""

    detection: Detection
    raised_at: datetime
    hours: float
    lost: float | None
    lost_czk: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """What a rule would have told: its firings in order of time; `hours` and losses are sums of those known."""

    rule: Rule
    firings: tuple[Firing, ...]

    @property
    def hours(self) -> float:
        """How long it would have stood [h]."""
        return sum(one.hours for one in self.firings)

    @property
    def lost_czk(self) -> float | None:
        """What was lost in all [Kč], None where no price is known."""
        known = [one.lost_czk for one in self.firings if one.lost_czk is not None]
        return round(sum(known), 2) if known else None

    def lost(self, unit: str) -> float | None:
        """Return what was lost in all in a unit, None where no loss is known."""
        known = [one.lost for one in self.firings if one.lost is not None and one.detection.unit == unit]
        return round(sum(known), 6) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What the rules of a point would have told from an instant to another, and how they were tuned."""

    point: Point
    unit: str
    since: datetime
    until: datetime
    rules: tuple[RuleTest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A rule tested as it is set and as it would be set: firings that would vanish, come, and stay."""

    before: RuleTest
    after: RuleTest

    @property
    def gone(self) -> tuple[Firing, ...]:
        """Firings that would not be told any more."""
        return _not_among(self.before.firings, self.after.firings)

    @property
    def new(self) -> tuple[Firing, ...]:
        """Firings that would be told in addition."""
        return _not_among(self.after.firings, self.before.firings)


def _not_among(some: Iterable[Firing], others: Sequence[Firing]) -> tuple[Firing, ...]:
    """Return the firings that touch none of the others."""
    return tuple(one for one in some if not any(_touch(one.detection, other.detection) for other in others))


def _touch(one: Detection, other: Detection) -> bool:
    return one.at_from <= other.at_to and other.at_from <= one.at_to


class Backtests:
    """Tries rules on history."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._past = Past(region.readings, region.days, region.day_types)

    def run(
        self, point: Point, since: datetime, until: datetime, *, tuning: Tuning, rules: Iterable[Rule] = ()
    ) -> Backtest:
        """Return what rules (none named: all that look at the point) would have told; the point's own past is known."""
        wanted = frozenset(rules) or rules_of(point)
        told, prices = self._look(point, since, until, compared=bool(wanted & COMPARED))
        return self._tested(told(tuning), prices, since, until, wanted)

    def compare(
        self, point: Point, since: datetime, until: datetime, rule: Rule, tunings: tuple[Tuning, Tuning]
    ) -> Compared:
        """Return what a rule would have told tuned one way and the other; switched off it tells nothing."""
        told, prices = self._look(point, since, until, compared=rule in COMPARED)

        def tested(tuning: Tuning) -> RuleTest:
            if rule in tuning.off:
                return RuleTest(rule=rule, firings=())
            return self._tested(told(tuning), prices, since, until, [rule]).rules[0]

        return Compared(before=tested(tunings[0]), after=tested(tunings[1]))

    def _look(
        self, point: Point, since: datetime, until: datetime, *, compared: bool
    ) -> tuple[Callable[[Tuning], Told], Prices]:
        if not since < until:
            raise InputError("the history ends before it begins", place="from", remedy="name an earlier day")
        if until - since > LONGEST:
            raise InputError("the history is longer than ten years", place="from", remedy="ask for less at once")
        region = self._region
        register, zone = region.register(), region.days.zone
        first, last = ((at).astimezone(zone).date() for at in (since - HISTORY, until - timedelta(seconds=1)))
        expectation = region.expectations(register).of([point], first, last, compared=compared)[point.id]
        span = int(micros(instant(since - HISTORY))), int(micros(instant(until))) + 1
        watching = next(iter(self._past.look(register, [point], span)))

        def told(tuning: Tuning) -> Told:
            return told_of(watching, Beside(expectation=expectation, tuning=replace(tuning, off=frozenset())), until)

        return told, region.prices(register)

    def _tested(self, told: Told, prices: Prices, since: datetime, until: datetime, rules: Iterable[Rule]) -> Backtest:
        wanted = sorted(set(rules) or rules_of(told.watching.point))
        begin = int(micros(instant(since)))
        inside = [one for one in told.found if one.to_us is None or one.to_us > begin]
        return Backtest(
            point=told.watching.point,
            unit=told.watching.unit,
            since=since,
            until=until,
            rules=tuple(
                RuleTest(rule=rule, firings=tuple(_firing(told, f, prices, until) for f in inside if f.rule is rule))
                for rule in wanted
            ),
        )


def _firing(told: Told, found: Finding, prices: Prices, until: datetime) -> Firing:
    """Return what would have been told of a finding, and what it cost while it lasted."""
    said = detection(told, found, prices, until)
    hours = (said.at_to - said.at_from) / timedelta(hours=1)
    days = hours / 24
    czk = said.loss_czk_per_day
    return Firing(
        detection=said,
        raised_at=said.at_from + timedelta(microseconds=max(found.raised_us - found.from_us, 0)),
        hours=round(hours, 3),
        lost=None if said.loss_per_day is None else round(said.loss_per_day * days, 6),
        lost_czk=None if czk is None else round(czk * days, 2),
    )
