"""E3, W3, E7, G4: only measures of the plan's activities count, and neither weather nor factors make a saving."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest

from core.calendar import PRAGUE, Period, instant, moment, spans
from core.indicators import Scope, ScopeKind, Value, ValueStatus
from core.registry import Building, Commodity, Entity, Measure, Point, Role
from services.consumption import PointConsumption, Question
from services.indicators import Evaluation, Inputs
from tests.unit.indicator_world import INDICATORS, SHIPPED, codes, dated, shares
from tests.unit.savings_world import DAY, Daily, World, build_world, gas_point, heating, since

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
YEAR = date(2025, 1, 1), date(2026, 1, 1)
BEGIN = date(2025, 1, 1)
WATER = Point(id="water", building="b", name="voda", commodity=Commodity.COLD_WATER)
OTHER = Building(id="b2", organisation="o", name="Dílna", station="liberec")
SUB = Point(id="sub", building="b", name="kotel", commodity=Commodity.GAS, role=Role.SUBMETER, parent="gas")
FAR = Point(id="far", building="b2", name="plyn", commodity=Commodity.GAS)


def measure(key: str, *points: str, activity: str = "2.1-EM-1", **more: object) -> Measure:
    return Measure(id=key, name=key, points=points, effective=BEGIN, activity=activity, **more)  # type: ignore[arg-type]


class Months:
    """Sums the days of a savings world to months."""

    def __init__(self, days: Daily) -> None:
        self._days = days

    def __call__(self, question: Question) -> Sequence[PointConsumption]:
        if question.period is Period.DAY:
            return self._days(question)
        starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
        return [self._one(key, starts, ends) for key in question.points]

    def _one(self, key: str, starts: np.ndarray, ends: np.ndarray) -> PointConsumption:
        edges = [[np.datetime64(moment(at).astimezone(PRAGUE).date()) for at in side] for side in (starts, ends)]
        rows = [self._days.amounts[key][(a <= DAY) & (b > DAY)] for a, b in zip(*edges, strict=True)]
        known = np.array([np.isfinite(row).mean() for row in rows])
        none = np.full(len(starts), np.datetime64("NaT"), "M8[us]")
        return PointConsumption(
            point=key, register="main", unit=self._days.unit.get(key, "kWh"), starts=starts, ends=ends,
            amount=np.array([np.nansum(row) for row in rows]), measured=known, estimated=np.zeros(len(rows)),
            missing=1 - known, first_at=none, last_at=none,
        )  # fmt: skip


GAS = np.where(since("2025-01-01"), 0.8, 1.0) * heating(7)
STILL = heating(8)
TAPS = np.where(since("2025-01-01"), 0.7, 1.0) * (5.0 + np.random.default_rng(3).normal(0, 0.3, len(DAY)))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    amounts = {"gas": GAS, "still": STILL, "far": heating(9), "water": TAPS, "sub": 0.5 * GAS}
    entities: tuple[Entity, ...] = (OTHER, FAR, WATER, gas_point("still"), gas_point("gas"), SUB, *SHIPPED)
    made = build_world(tmp_path_factory.mktemp("world"), amounts, *entities)
    made.ask.unit = {"water": "m³"}  # type: ignore[assignment]
    yield made
    made.close()


def inputs(world: World, *measures: Measure, tables: object = None) -> Inputs:
    register = Measured(world, measures)
    baselines = replace(world.baselines(), ask=Months(world.ask))
    return Inputs(
        register=register,  # type: ignore[arg-type]
        version=1,
        ask=Months(world.ask),
        cutoff=NOW,
        dated=tables or dated(),  # type: ignore[arg-type]
        baselines=baselines,
        stations=baselines.stations,
    )


class Measured:
    """The register with these measures in it."""

    def __init__(self, world: World, measures: Sequence[Measure]) -> None:
        self._world, self._measures = world, list(measures)

    def find(self, kind: type, **where: object) -> list[object]:
        return list(self._measures) if kind is Measure else self._world.records.find(kind, **where)  # type: ignore[arg-type]

    def get(self, kind: type, key: str) -> object:
        return self._world.records.get(kind, key)  # type: ignore[type-var]

    def kept(self, key: str) -> str:
        return self._world.records.kept(key)


def value(world: World, indicator: str, *measures: Measure, tables: object = None, **where: object) -> Value:
    scope = where.get("scope", Scope())
    span = where.get("span", YEAR)
    found = Evaluation(inputs(world, *measures, tables=tables), NOW)
    return found.values([INDICATORS[indicator]], scope, *span)[0]  # type: ignore[arg-type,misc]


def test_a_tagged_measure_saves_what_it_saves_with_an_interval(world: World) -> None:
    found = value(world, "E3", measure("m", "gas"))
    truth = float((GAS / 0.8 * 0.2)[(np.datetime64("2025-01-01") <= DAY) & (np.datetime64("2026-01-01") > DAY)].sum())
    amount = found.amount("saved")
    assert amount.value is not None
    assert amount.low90 is not None
    assert amount.high90 is not None
    assert amount.low90 < truth / 1000 < amount.high90
    assert found.amount("percent").value == pytest.approx(20, abs=6)
    assert (found.status, found.measures, found.activities) == (ValueStatus.FINAL, ("m",), ("2.1-EM-1",))
    for kind in ("measure", "activity", "building", "carrier"):
        assert sum(v or 0.0 for v in shares(found, "saved", kind).values()) == pytest.approx(amount.value, abs=1e-9)


@pytest.mark.parametrize("activity", ["", "9.9-XX-1"])
def test_a_saving_of_no_activity_of_the_plan_does_not_count(world: World, activity: str) -> None:
    one = measure("m", "gas", "water", activity=activity)
    for indicator in ("E3", "W3", "G4", "E7"):
        found = value(world, indicator, one)
        assert found.amounts[0].value == 0.0
        assert not found.parts
    told = codes(value(world, "E3", one))
    assert "no_measures" in told
    assert ("unknown_activity" in told) == bool(activity)


def test_without_a_measure_a_mild_year_saves_nothing(world: World) -> None:
    for indicator in ("E3", "W3", "G4", "E7"):
        assert value(world, indicator).amounts[0].value == 0.0


def test_a_measure_that_does_nothing_saves_nothing_however_mild_the_year(world: World) -> None:
    found = value(world, "E3", measure("m", "still")).amount("saved")
    assert found.low90 is not None
    assert found.high90 is not None
    assert found.low90 < 0.0 < found.high90


def test_the_grid_of_the_year_does_not_change_what_was_reduced(world: World) -> None:
    tables = dated()
    before = value(world, "G4", measure("m", "gas"), tables=tables)
    factors = tuple(replace(f, kg=f.kg / 2) if f.valid.since >= date(2025, 1, 1) else f for f in tables.factors.factors)
    later = replace(tables, factors=replace(tables.factors, factors=factors))
    after = value(world, "G4", measure("m", "gas"), tables=later)
    assert before.amounts == after.amounts
    saved = value(world, "E3", measure("m", "gas")).amount("saved").value or 0.0
    ratio = next(r.gross_over_net for r in tables.factors.ratios)
    assert before.amount("reduced").value == pytest.approx(saved * 0.2 / ratio, rel=1e-6)
    assert before.amount("per_inhabitant").value == pytest.approx(saved * 0.2 / ratio * 1000 / 450_000, rel=1e-6)


def test_without_a_factor_before_the_works_the_reduction_cannot_be_told(world: World) -> None:
    tables = dated()
    none = replace(tables, factors=replace(tables.factors, factors=()))
    found = value(world, "G4", measure("m", "gas"), tables=none)
    assert (found.status, found.amounts[0].value) == (ValueStatus.UNKNOWN, None)
    reason = next(r for r in found.reasons if r.code == "no_factor_before")
    assert (reason.facts["day"], reason.facts["carrier"]) == ("2024-12-31", "gas")
    assert reason.subjects == ("m", "gas")


def test_months_add_up_to_the_year_and_buildings_to_the_region(world: World) -> None:
    both = measure("m", "gas", "water"), measure("n", "far", activity="2.1-EM-2")
    edges = [date(2025, m, 1) for m in range(1, 13)] + [date(2026, 1, 1)]
    shared = Evaluation(inputs(world, *both), NOW)
    for indicator in ("E3", "W3", "G4"):
        one = INDICATORS[indicator]
        year = shared.value(one, Scope(), *YEAR).amounts[0].value or 0.0
        months = [shared.value(one, Scope(), a, b).amounts[0].value for a, b in pairwise(edges)]
        homes = [
            shared.value(one, Scope(kind=ScopeKind.BUILDING, key=key), *YEAR).amounts[0].value for key in ("b", "b2")
        ]
        for parts in (months, homes):
            assert sum(round((v or 0.0) * 1e9) for v in parts) == round(year * 1e9)


def test_an_unknown_saving_is_no_zero(world: World) -> None:
    early = replace(measure("m", "gas"), effective=date(2022, 2, 1))
    alone = value(world, "E3", early)
    assert (alone.status, alone.amounts[0].value) == (ValueStatus.UNKNOWN, None)
    reason = next(r for r in alone.reasons if r.code == "saving_unknown")
    assert (reason.facts["measure"], reason.facts["point"]) == ("m", "gas")
    assert reason.facts["why"]
    beside = value(world, "E3", early, measure("n", "far"))
    assert beside.status is ValueStatus.PROVISIONAL
    assert beside.amounts[0].value == value(world, "E3", measure("n", "far")).amounts[0].value
    assert beside.coverage is not None
    assert beside.coverage.lacking == ("gas",)


def test_what_a_point_above_counts_too_counts_once(world: World) -> None:
    above, below = measure("m", "gas"), measure("n", "sub")
    found = value(world, "E3", above, below)
    assert found.amounts[0].value == value(world, "E3", above).amounts[0].value
    assert (found.status, found.reasons) == (ValueStatus.FINAL, ())
    assert (value(world, "E3", below).amounts[0].value or 0.0) > 10


def test_water_is_saved_in_cubic_metres_and_is_no_energy(world: World) -> None:
    one = measure("m", "water")
    found = value(world, "W3", one).amount("saved").value
    assert found == pytest.approx(5.0 * 0.3 * 365, rel=0.1)
    assert value(world, "E3", one).amounts[0].value == 0.0


def test_a_measure_in_effect_after_the_span_is_not_asked_for(world: World) -> None:
    found = value(world, "E3", measure("m", "gas"), span=(date(2024, 1, 1), date(2025, 1, 1)))
    assert (found.amounts[0].value, found.status) == (0.0, ValueStatus.FINAL)


def test_a_span_that_cuts_a_month_is_told_to_be_unknown(world: World) -> None:
    found = value(world, "E3", measure("m", "gas"), span=(date(2025, 1, 10), date(2026, 1, 1)))
    assert codes(found) == ["whole_months_only"]
    assert found.status is ValueStatus.UNKNOWN


def test_money_needs_a_price_and_says_which_points_lack_one(world: World) -> None:
    found = value(world, "E7", measure("m", "gas"))
    assert found.status is ValueStatus.UNKNOWN
    assert next(r for r in found.reasons if r.code == "no_price").subjects == ("gas",)
