"""Meters that publish tariffs or phases alone: the sum of the parts counts, exactly, once, and honestly."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.assigned import Assigned
from core.calendar import PRAGUE, Period, edges, instant
from core.curve import Curve, State, estimated_seconds, periods
from core.errors import InputError
from core.gaps import DayTypes
from core.mounting import Mounting, Rules, build
from core.notes import InboxItem
from core.parts import check_sum, families
from core.ports import ReadingStore, RecordStore, Sheet
from core.readings import Readings, SeriesKey
from core.registry import (
    Building,
    Commodity,
    DialEvent,
    EventKind,
    Meter,
    Organisation,
    Point,
)
from core.sums import added, best
from ingest.tables import FileTables
from services.consumption import PointConsumption, Question, consumption
from services.exchange import apply_import, export_register, plan_import
from services.points import main_register
from services.register import Answer, By, NewMeter, answer, counting
from services.register_rules import Snapshot, place, problems
from services.rollup import RollUps
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 3, 27, tzinfo=PRAGUE)  # the day of 23 hours is among those that follow
QUARTER = np.timedelta64(900, "s")
DEVICE = "p1-meter"
T1, T2, T3 = (f"energy.import/t{n}" for n in (1, 2, 3))
WHOLE = "energy.import"


# Which registers count


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({T1, T2}, f"{T1}+{T2}"),
        ({T1, T2, "energy.export/t1", "energy.export/t2", "power.import"}, f"{T1}+{T2}"),
        ({T1, T2, T3}, f"{T1}+{T2}+{T3}"),
        ({WHOLE, T1, T2}, WHOLE),
        ({"energy.total", T1, T2}, "energy.total"),
        ({T1}, WHOLE),
        ({T1, T3}, WHOLE),
        ({T2, T3}, WHOLE),
        ({T1, "energy.import/l1"}, WHOLE),
        ({T1, T2, "energy.import/l1", "energy.import/l2", "energy.import/l3"}, f"{T1}+{T2}"),
        ({f"energy.import/l{n}" for n in (1, 2, 3)}, "energy.import/l1+energy.import/l2+energy.import/l3"),
        ({"energy.import/l1", "energy.import/l2"}, WHOLE),
        ({"energy.import/hc", "energy.import/hp"}, "energy.import/hc+energy.import/hp"),
        ({"energy.import/vt", "energy.import/nt"}, "energy.import/vt+energy.import/nt"),
        ({"energy.import/hc"}, WHOLE),
        ({"energy.import/c1", "energy.import/c2"}, WHOLE),
        ({"energy.total/n", "energy.total/nr"}, WHOLE),
        ({"energy.import/peak", "energy.import/normal", "energy.import/low"}, WHOLE),
        ({"energy.total/t1", "energy.total/t2"}, "energy.total/t1+energy.total/t2"),
        ({"energy.export/t1", "energy.export/t2"}, WHOLE),
        ({"power.import", T1, T2}, f"{T1}+{T2}"),
        ({"power.total/l1", "power.total/l2", "power.total/l3"}, "power.total/l1+power.total/l2+power.total/l3"),
        ({f"{T1}/l1", f"{T1}/l2", f"{T1}/l3"}, WHOLE),
    ],
)
def test_a_sum_counts_where_a_family_of_parts_is_complete_and_no_whole_is_read(
    present: set[str], expected: str
) -> None:
    meter = Meter(id="m", point="p", device=DEVICE, mounted=START)
    assert main_register(meter, Commodity.ELECTRICITY, present) == expected
    named = replace(meter, register=T2)
    assert main_register(named, Commodity.ELECTRICITY, present) == T2


def test_heat_and_volume_have_parts_too() -> None:
    heat, water = {"energy.total/t1", "energy.total/t2"}, {"volume.total/t1", "volume.total/t2"}
    meter = Meter(id="m", point="p", device=DEVICE, mounted=START)
    assert main_register(meter, Commodity.HEAT, heat | water) == "energy.total/t1+energy.total/t2"
    assert main_register(meter, Commodity.COLD_WATER, heat | water) == "volume.total/t1+volume.total/t2"


def test_families_stand_in_order_and_only_whole() -> None:
    mixed = [f"{WHOLE}/{part}" for part in ("l2", "t2", "l1", "hp", "l3", "t1", "hc", "c1", "t2/l1")]
    assert families(WHOLE, mixed) == [
        (T1, T2),
        (f"{WHOLE}/hc", f"{WHOLE}/hp"),
        (f"{WHOLE}/l1", f"{WHOLE}/l2", f"{WHOLE}/l3"),
    ]
    assert families("energy.imp", mixed) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{T1}+{T1}",
        f"{WHOLE}+{T1}",
        f"{T1}+energy.import/l1",
        f"{T1}+energy.export/t2",
        f"{T1}+",
        f"{T1}+volume.total/t2",
    ],
)
def test_a_sum_that_would_count_twice_or_different_things_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        check_sum(text)


# Curves


def day_of(*amounts: float | None, first: float = 100.0, step_h: float = 1.0, begin_h: float = 0.0) -> Curve:
    """Return the curve of a dial read each `step_h`; None: that reading is lacking."""
    shown = first + np.concatenate([[0], np.cumsum([a or 0.0 for a in amounts])])
    at = instant(START) + ((begin_h + np.arange(len(shown)) * step_h) * 3_600_000_000).astype("timedelta64[us]")
    kept = np.array([True, *(a is not None for a in amounts)])
    return curve_of(at[kept], shown[kept])


def curve_of(at: np.ndarray, value: np.ndarray, gap_h: float = 2.5, events: Iterable[DialEvent] = ()) -> Curve:
    series = (SeriesKey(DEVICE, T1),)
    readings = Readings.of(series, np.zeros(len(at)), at, value)
    return build(readings, (Mounting(device=DEVICE),), tuple(events), Rules(allowed_gap_h=gap_h)).curve


ALWAYS = ((-(2**62), 2**62),)


def nano(curve: Curve, period: Period, days: int = 4) -> np.ndarray:
    return periods(curve, grid(period, days)).nano


def grid(period: Period, days: int = 4) -> np.ndarray:
    return edges(period, instant(START), instant(START + timedelta(days=days)), PRAGUE)


@st.composite
def dials(draw: st.DrawFn) -> Curve:
    """Curves of any dial: gaps, irregular instants, a break, ends before or after those of others."""
    count = draw(st.integers(2, 60))
    waits = draw(st.lists(st.sampled_from([7, 60, 301, 900, 3_600, 20_000]), min_size=count, max_size=count))
    rises = draw(st.lists(st.integers(0, 5_000), min_size=count, max_size=count))
    begin = draw(st.integers(0, 100_000))
    at = instant(START) + (begin + np.cumsum(waits)) * np.timedelta64(1_000_000, "us")
    value = np.cumsum(rises) / 997 + 1_000
    broken = draw(st.integers(0, count))
    value[broken:] -= draw(st.sampled_from([0.0, 900.0]))
    return curve_of(at, value)


@given(parts=st.lists(dials(), min_size=2, max_size=4))
def test_the_periods_of_parts_add_up_to_those_of_the_sum_where_all_are_known(parts: list[Curve]) -> None:
    whole = added(parts, ALWAYS)
    for period in (Period.QUARTER_HOUR, Period.HOUR, Period.DAY):
        each, made = [periods(p, grid(period)) for p in parts], periods(whole, grid(period))
        known = np.all([p.missing_s == 0 for p in each], axis=0)
        assert (made.nano[known] == np.sum([p.nano for p in each], axis=0)[known]).all()
        assert (made.nano <= np.sum([p.nano for p in each], axis=0)).all()
        assert (made.missing_s >= np.max([p.missing_s for p in each], axis=0) - 1).all()
        assert (made.missing_s <= np.minimum(np.sum([p.missing_s for p in each], axis=0), made.span_s) + 1).all()
        estimated = np.minimum(np.max([estimated_seconds(p) for p in each], axis=0), made.span_s - made.missing_s)
        assert (estimated_seconds(made)[known] >= estimated[known] - 1).all()
    sums = {int(nano(whole, p).sum()) for p in (Period.QUARTER_HOUR, Period.HOUR, Period.DAY)}
    assert len(sums) == 1


@given(ways=st.lists(dials(), min_size=2, max_size=3))
def test_the_best_way_is_known_wherever_one_is_and_counts_at_each_time_one(ways: list[Curve]) -> None:
    made = best(ways)
    marks = np.unique(np.concatenate([w.at_us for w in (*ways, made)]))
    states = np.stack([_states(w, marks) for w in ways])
    mine = _states(made, marks)
    assert ((mine == State.MISSING) == (states == State.MISSING).all(axis=0)).all()
    measured = (states == State.MEASURED).any(axis=0)
    assert not (mine[~measured] == State.MEASURED).any()
    assert (np.diff(made.at_us) > 0).all()
    assert (np.diff(made.total) >= 0).all()


MANY = 10
"""Quarter-hours without a reading beyond which a gap is long."""


@given(data=st.data())
def test_what_two_ways_count_of_one_consumption_is_counted_once(data: st.DataObject) -> None:
    """A whole with holes and parts that are read now and then: all between the first and the last reading counts.

    What the parts counted until a reading of the whole that stands alone beyond its hole, no reading tells; it is
    shared by time, and the total is in doubt by no more than that.
    """
    count = data.draw(st.integers(20, 120))
    truth = np.cumsum(data.draw(st.lists(st.integers(0, 900), min_size=count, max_size=count))) / 1000.0
    at = instant(START) + np.arange(count) * QUARTER.astype("timedelta64[us]")
    use = np.arange(count)
    begin, end = sorted(data.draw(st.tuples(st.integers(0, count), st.integers(0, count))))
    hole, width = data.draw(st.integers(0, count)), data.draw(st.just(0) | st.integers(11, 60))  # a long gap
    whole = (use >= begin) & (use < end) & ~((use > hole) & (use < hole + width))
    since, until = sorted(data.draw(st.tuples(st.integers(0, count), st.integers(0, count))))
    every = data.draw(st.integers(1, 9))
    parts = (use >= since) & (use < until) & (use % every == 0)
    ways = [curve_of(at[mask], truth[mask]) if mask.any() else Curve.empty() for mask in (whole, parts)]
    made = best(ways)
    covered = np.zeros(count - 1, bool)
    for seen in (np.flatnonzero(whole), np.flatnonzero(parts)):
        covered[slice(*seen[[0, -1]]) if len(seen) else slice(0)] = True
    seen, reads = np.flatnonzero(whole), np.flatnonzero(parts)
    alone = {a for a, b in pairwise(seen) if b - a > MANY and a == seen[0]}
    alone |= {b for a, b in pairwise(seen) if b - a > MANY and b == seen[-1]}
    split = {(a, b) for a, b in pairwise(reads) if any(a < edge < b for edge in alone)}
    doubt = sum(float(truth[b] - truth[a]) for a, b in split) * 1e9
    counted = int(made.total[-1]) if len(made.total) else 0
    assert counted == pytest.approx(float(np.diff(truth)[covered].sum()) * 1e9, abs=100 + doubt)
    assert counted == int(nano(made, Period.HOUR).sum())


def test_what_is_left_of_a_gap_that_ends_within_anothers_interval_is_an_estimate() -> None:
    """A whole is silent from 1 h to 8 h, its parts are read at odd quarter-hours: which side of 8 h took it is open."""
    at = instant(START) + np.arange(34) * QUARTER.astype("timedelta64[us]")
    truth = (np.arange(34) >= 32) / 1000.0
    silent = [*range(5), 32]
    sums = periods(best([curve_of(at[silent], truth[silent]), curve_of(at[9::2], truth[9::2])]), grid(Period.HOUR))
    assert int(sums.nano.sum()) == 1_500_000  # 1 Wh at least, 2 Wh at most
    assert int(sums.nano[1:3].sum()) == 500_000
    assert estimated_seconds(sums)[1:3].tolist() == [3_600, 900]


def _states(curve: Curve, marks: np.ndarray) -> np.ndarray:
    middle = (marks[:-1] + marks[1:]) / 2
    piece = np.searchsorted(curve.at_us, middle) - 1
    inside = (piece >= 0) & (piece < len(curve.state))
    if not len(curve.state):
        return np.full(len(middle), State.MISSING)
    return np.where(inside, curve.state[np.clip(piece, 0, len(curve.state) - 1)], State.MISSING)


def test_a_part_that_is_missing_makes_the_sum_missing_then() -> None:
    day = day_of(*[1.0] * 48)
    late = day_of(*[2.0] * 30, begin_h=12)
    made = periods(added([day, late], ALWAYS), grid(Period.HOUR, 2))
    assert (made.missing_s[:12] == 3600).all()
    assert (made.nano[:12] == 0).all()
    assert (made.nano[12:42] == 3 * 10**9).all()
    assert (made.missing_s[42:] == 3600).all()


def test_a_dial_that_showed_nothing_at_its_first_reading_had_counted_nothing_before() -> None:
    day, late = day_of(*[1.0] * 48), day_of(*[2.0] * 36, begin_h=12, first=0.0)
    made = periods(added([day, late], ALWAYS, [False, True]), grid(Period.HOUR, 2))
    assert made.nano.tolist() == [10**9] * 12 + [3 * 10**9] * 36
    assert not made.missing_s.any()


def test_gaps_of_parts_cross_periods_as_they_do_in_the_parts() -> None:
    one = day_of(1, 1, 1, 1, None, None, None, None, 1, 1, 1, 1)
    two = day_of(1, 1, 1, 1, 1, 1, None, None, None, None, None, 1)
    made = periods(added([one, two], ALWAYS), grid(Period.HOUR, 1))
    assert estimated_seconds(made)[:12].tolist() == [0] * 4 + [3600] * 7 + [3600]
    whole = periods(added([one, two], ALWAYS), np.array([instant(START), instant(START + timedelta(hours=12))]))
    assert estimated_seconds(whole).tolist() == [0]


def test_the_rest_of_a_gap_counts_what_others_did_not_measure_of_it() -> None:
    """The whole is read at 0 h and 12 h (120 kWh), the parts measure 100 kWh of it in the first six hours."""
    at = instant(START) + np.arange(0, 13, 12) * np.timedelta64(3_600_000_000, "us")
    whole = curve_of(at, np.array([0.0, 120.0]))
    parts = day_of(*[100 / 6] * 6)
    made = best([whole, parts])
    assert made.total[-1] == 120 * 10**9
    known = periods(made, grid(Period.HOUR, 1))
    assert known.nano[:6].sum() == pytest.approx(100 * 10**9, abs=10)
    assert known.nano[6:12].sum() == pytest.approx(20 * 10**9, abs=10)
    assert estimated_seconds(known)[:13].tolist() == [0] * 6 + [3600] * 6 + [0]


def test_parts_of_a_gap_that_are_counted_apart_from_it_are_estimates() -> None:
    one = day_of(1, 1, None, None, None, None, None, None, 1, 1)
    two = day_of(1, 1, 1, 1, 1, begin_h=0)
    made = periods(added([one, two], ALWAYS), grid(Period.HOUR, 1))
    assert estimated_seconds(made)[:6].tolist() == [0, 0, 3600, 3600, 3600, 0]
    half_day = periods(added([one, two], ALWAYS), np.array([instant(START), instant(START + timedelta(hours=12))]))
    assert estimated_seconds(half_day).tolist() == [3 * 3600]


# Over the stores


class Bench:
    """Both stores with a point, and the roll-ups over them."""

    def __init__(self, folder: Path) -> None:
        self.readings: ReadingStore = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
        self.records: RecordStore = SqlRecordStore(f"sqlite:///{folder / 'records.sqlite'}")
        self.readings.start()
        self.records.start()
        self.rollups = RollUps(self.readings, self.records, DayTypes())
        self.save(
            Organisation(id="o", name="Škola"),
            Building(id="b", organisation="o", name="Budova"),
            Point(id="p", building="b", name="Elektřina", commodity=Commodity.ELECTRICITY),
            Meter(id="m1", point="p", device=DEVICE, mounted=START - timedelta(days=1)),
        )

    def save(self, *entities: Organisation | Building | Point | Meter | DialEvent) -> None:
        self.records.save(entities, by="test", now=NOW)

    def write(self, register: str, at: np.ndarray, value: np.ndarray, device: str = DEVICE) -> None:
        self.readings.write(Readings.of((SeriesKey(device, register),), np.zeros(len(at)), at, value))

    def ask(self, period: Period, register: str = "", days: int = 10) -> PointConsumption:
        question = Question(
            points=("p",), period=period, start=START, end=START + timedelta(days=days), register=register
        )
        return consumption(question, readings=self.readings, records=self.records)[0]

    def amounts(self, period: Period, register: str = "", days: int = 10) -> np.ndarray:
        return np.nan_to_num(np.rint(self.ask(period, register, days).amount * 1e9)).astype(np.int64)

    def again(self) -> None:
        """Compute the point anew, as after a change of the register."""
        point = self.records.get(Point, "p")
        self.save(replace(point, name=f"{point.name} znovu"))
        self.rollups.run()

    def close(self) -> None:
        self.readings.close()
        self.records.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def stream(seed: int, days: int = 10, step: np.timedelta64 = QUARTER, first: float = 5_000.0) -> tuple[np.ndarray, ...]:
    end = instant(START + timedelta(days=days))
    at = np.arange(instant(START), end + step, step.astype("timedelta64[us]"))
    steps = np.random.default_rng(seed).uniform(0, 2, len(at) - 1)
    return at, np.round(first + np.concatenate([[0], np.cumsum(steps)]), 3)


def test_the_consumption_of_a_meter_with_two_tariffs_is_their_sum_in_every_period(bench: Bench) -> None:
    (at, one), (_, two) = stream(1), stream(2, first=0.5)
    bench.write(T1, at, one)
    bench.write(T2, at, two)
    bench.rollups.run()
    for period in (Period.QUARTER_HOUR, Period.HOUR, Period.DAY, Period.MONTH):
        assert (bench.amounts(period) == bench.amounts(period, T1) + bench.amounts(period, T2)).all()
        assert bench.ask(period).unit == "kWh"
    assert bench.amounts(Period.DAY).sum() == round((one[-1] - one[0] + two[-1] - two[0]) * 1000) * 10**6
    assert bench.ask(Period.DAY).measured.min() == 1.0


def test_what_arrives_in_pieces_is_what_arrives_at_once(bench: Bench) -> None:
    series = {T1: stream(1), T2: stream(2, step=np.timedelta64(70, "m")), WHOLE: stream(3, first=0.0)}
    order = np.random.default_rng(5).permutation(12)
    for piece in order:
        for register, (at, value) in series.items():
            inside = np.arange(len(at)) * 12 // len(at) == piece
            if register != WHOLE or piece >= 8:
                bench.write(register, at[inside], value[inside])
        bench.rollups.run()
    before = {p: bench.ask(p) for p in (Period.HOUR, Period.DAY, Period.MONTH)}
    bench.again()
    for period, had in before.items():
        now = bench.ask(period)
        for column in ("amount", "measured", "estimated", "missing"):
            np.testing.assert_array_equal(getattr(had, column), getattr(now, column), err_msg=f"{period} {column}")
    assert bench.amounts(Period.QUARTER_HOUR).sum() == bench.amounts(Period.DAY).sum()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_whole_register_that_begins_late_or_ends_counts_nothing_twice_and_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    bench = Bench(tmp_path_factory.mktemp("bench"))
    (at, one), (_, two) = stream(1, days=4), stream(2, days=4)
    whole = one + two
    begin, end = sorted(data.draw(st.tuples(st.integers(0, len(at)), st.integers(0, len(at)))))
    parts_end = data.draw(st.integers(max(end - 50, 2), len(at)))
    use = np.arange(len(at))
    shown = (use >= begin) & (use < end)
    with_parts = (use < parts_end) & (~shown | data.draw(st.booleans()))
    for register, value, mask in ((T1, one, with_parts), (T2, two, with_parts), (WHOLE, whole, shown)):
        if mask.any():
            bench.write(register, at[mask], value[mask])
            bench.rollups.run()
    known = bench.ask(Period.DAY, days=4)
    covered = np.zeros(len(at) - 1, bool)
    for seen in (np.flatnonzero(with_parts), np.flatnonzero(shown)):
        covered[slice(*seen[[0, -1]]) if len(seen) else slice(0)] = True
    true = float(np.diff(whole)[covered].sum())
    assert bench.amounts(Period.DAY, days=4).sum() / 1e9 == pytest.approx(true, abs=1e-6)
    assert np.allclose(known.measured + known.estimated + known.missing, 1.0)
    bench.again()
    np.testing.assert_array_equal(known.amount, bench.ask(Period.DAY, days=4).amount)
    bench.close()


def test_a_third_tariff_that_appears_asks_for_all_it_may_have_counted_before(bench: Bench) -> None:
    (at, one), (_, two), (_, three) = stream(1), stream(2), stream(3, first=700.0)
    bench.write(T1, at, one)
    bench.write(T2, at, two)
    bench.rollups.run()
    assert not np.isnan(bench.ask(Period.DAY).amount).any()
    bench.write(T3, at[480:], three[480:])
    bench.rollups.run()
    days = bench.ask(Period.DAY)
    assert np.isnan(days.amount[:5]).all()
    assert (days.missing[:5] == 1.0).all()
    assert not np.isnan(days.amount[5:]).any()


def test_a_third_tariff_that_starts_from_nothing_changes_nothing_before(bench: Bench) -> None:
    (at, one), (_, two) = stream(1), stream(2)
    bench.write(T1, at, one)
    bench.write(T2, at, two)
    bench.rollups.run()
    before = bench.amounts(Period.DAY)
    bench.write(T3, at[480:], np.arange(len(at) - 480) * 0.25)
    bench.rollups.run()
    after = bench.amounts(Period.DAY)
    assert (after[:5] == before[:5]).all()
    assert (
        after == bench.amounts(Period.DAY, T1) + bench.amounts(Period.DAY, T2) + bench.amounts(Period.DAY, T3)
    ).all()
    assert bench.ask(Period.DAY).missing.max() == 0.0
    bench.again()
    assert (bench.amounts(Period.DAY) == after).all()
    assert bench.amounts(Period.QUARTER_HOUR).sum() == after.sum()


def test_a_meter_may_name_its_sum_and_then_counts_nothing_else(bench: Bench) -> None:
    (at, one), (_, two), (_, whole) = stream(1), stream(2), stream(3)
    for register, value in ((T1, one), (T2, two), (T3, one), (WHOLE, whole)):
        bench.write(register, at, value)
    meter = bench.records.get(Meter, "m1")
    bench.save(replace(meter, register=f"{T1}+{T2}"))
    bench.rollups.run()
    assert (bench.amounts(Period.DAY) == bench.amounts(Period.DAY, T1) + bench.amounts(Period.DAY, T2)).all()
    bench.save(replace(meter, register=WHOLE))
    bench.rollups.run()
    assert bench.amounts(Period.DAY).sum() == round((whole[-1] - whole[0]) * 1000) * 10**6


def test_export_is_the_sum_of_its_tariffs_beside_the_import(bench: Bench) -> None:
    (at, one), (_, two), (_, sold), (_, sold_low) = stream(1), stream(2), stream(3), stream(4)
    values: Mapping[str, np.ndarray] = {
        WHOLE: one + two, T1: one, T2: two, "energy.export/t1": sold, "energy.export/t2": sold_low,
    }  # fmt: skip
    for register, value in values.items():
        bench.write(register, at, value)
    bench.rollups.run()
    for period in (Period.DAY, Period.QUARTER_HOUR):
        parts = bench.amounts(period, "energy.export/t1") + bench.amounts(period, "energy.export/t2")
        assert (bench.amounts(period, "energy.export") == parts).all()
        assert parts.sum() > 0
    assert bench.amounts(Period.DAY).sum() == round((one + two)[-1] * 1000 - (one + two)[0] * 1000) * 10**6


def test_dials_of_a_swapped_meter_are_joined_part_by_part(bench: Bench) -> None:
    """Both dials of the old meter end, both of the new one begin; two swaps recorded, one a dial."""
    (at, one), (_, two) = stream(1), stream(2)
    cut = 500
    when = at[cut] - np.timedelta64(300, "s")
    last = {T1: 0.7 * one[cut] + 0.3 * one[cut - 1], T2: 0.4 * two[cut] + 0.6 * two[cut - 1]}
    for register, value in ((T1, one), (T2, two)):
        shown = value.copy()
        shown[cut:] -= last[register]
        shown[cut:] += 3.5 if register == T2 else 0.0
        bench.write(register, at, shown)
    moment = datetime.fromtimestamp(when.astype(np.int64) / 1e6, UTC)
    bench.rollups.run()
    asked = bench.records.findings(points=["p"], open_only=True)
    assert {f.finding.register for f in asked} == {T1, T2}
    for n, (register, first) in enumerate(((T1, 0.0), (T2, 3.5))):
        at_n = moment + timedelta(minutes=n)
        bench.save(
            DialEvent(
                id=f"e{n}", meter=DEVICE, at=at_n, kind=EventKind.SWAP,
                final=float(last[register]), first=first, register=register,
            )
        )  # fmt: skip
    bench.rollups.run()
    assert bench.records.findings(points=["p"], open_only=True) == []
    true = one[-1] - one[0] + two[-1] - two[0]
    assert bench.amounts(Period.DAY).sum() / 1e9 == pytest.approx(true, abs=1e-6)
    assert bench.ask(Period.DAY).missing.max() == 0.0


def test_a_new_meter_mounted_at_nothing_starts_each_dial_at_nothing(bench: Bench) -> None:
    (at, one), (_, two) = stream(1), stream(2)
    half = len(at) // 2
    when = datetime.fromtimestamp((at[half] + np.timedelta64(450, "s")).astype(np.int64) / 1e6, UTC)
    meter = bench.records.get(Meter, "m1")
    bench.save(replace(meter, removed=when))
    bench.save(Meter(id="m2", point="p", device="new", mounted=when, first=0.0))
    for register, value in ((T1, one), (T2, two)):
        bench.write(register, at[: half + 1], value[: half + 1])
        bench.write(register, at[half + 1 :], value[half + 1 :] - value[half] - 0.001, device="new")
        final = float(value[half]) + 0.001
        swap = DialEvent(
            id=f"e{register[-1]}", meter=DEVICE, at=when, kind=EventKind.SWAP, final=final, register=register
        )
        bench.save(swap)
    bench.rollups.run()
    true = one[-1] - one[0] + two[-1] - two[0]
    assert bench.amounts(Period.DAY).sum() / 1e9 == pytest.approx(true, abs=1e-6)
    assert bench.ask(Period.DAY).missing.max() == 0.0


def test_a_roll_over_of_one_dial_is_of_that_dial_alone(bench: Bench) -> None:
    (at, one), (_, two) = stream(1, first=99_500.0), stream(2)
    turned = np.where(one >= 100_000, one - 100_000, one)
    assert (turned != one).any()
    bench.save(replace(bench.records.get(Meter, "m1"), digits=5))
    bench.write(T1, at, turned)
    bench.write(T2, at, two)
    bench.rollups.run()
    true = one[-1] - one[0] + two[-1] - two[0]
    assert bench.amounts(Period.DAY).sum() / 1e9 == pytest.approx(true, abs=1e-6)


def test_a_heat_meter_counts_its_tariffs_only_until_its_total_is_read(bench: Bench) -> None:
    """Tariffs of heat may count above a threshold alone, so that they say nothing once there is a total."""
    bench.save(replace(bench.records.get(Point, "p"), commodity=Commodity.HEAT))
    (at, one), (_, two), (_, total) = stream(1), stream(2), stream(3)
    bench.write("energy.total/t1", at, one)
    bench.write("energy.total/t2", at, two)
    bench.rollups.run()
    early = bench.amounts(Period.DAY)
    bench.write("energy.total", at[480:640], total[480:640])
    bench.rollups.run()
    days = bench.ask(Period.DAY)
    assert (np.rint(days.amount[:4] * 1e9) == early[:4]).all()
    assert np.isnan(days.amount[-2:]).all()


# Rules of the register, and what stands on points


def registered(**changes: Any) -> Snapshot:  # noqa: ANN401 - fields of a meter
    house = (
        Organisation(id="o", name="Škola"),
        Building(id="b", organisation="o", name="Budova"),
        Point(id="p", building="b", name="Elektřina", commodity=Commodity.ELECTRICITY),
        Point(id="q", building="b", name="Podružné", commodity=Commodity.ELECTRICITY),
        Meter(**({"id": "m1", "point": "p", "device": DEVICE, "mounted": START} | changes)),
    )
    return Snapshot({place(thing): thing for thing in house}, 0)


def faults(register: Snapshot, *things: Meter | DialEvent) -> list[tuple[str, str]]:
    after = register.changed(things)
    about = {place(thing) for thing in things} | {(Meter, "m1")}
    return [(problem.id, problem.field) for problem in problems(after, about)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"register": f"{T1}+{T2}"}, None),
        ({"register": f"{T1} + {T2}", "first": 0.0}, None),
        ({"register": f"{T1}+{T2}", "first": 12.0}, "first"),
        ({"register": f"{T1}+{T2}", "final": 12.0}, "final"),
        ({"register": f"{T1}+{WHOLE}"}, "register"),
        ({"register": f"{T1}+energy.import/l2"}, "register"),
        ({"register": f"{T1}+nonsense.import/t2"}, "register"),
        ({"register": "volume.import/t1+volume.import/t2"}, "register"),
    ],
)
def test_a_sum_that_a_meter_names_is_checked(changes: dict[str, Any], field: str | None) -> None:
    assert {found for _, found in faults(registered(**changes))} == ({field} - {None})


def test_a_dial_of_a_sum_counts_for_no_other_point() -> None:
    register = registered(register=f"{T1}+{T2}")
    beside = Meter(id="m2", point="q", device=DEVICE, mounted=START, register=T2)
    assert ("m2", "device") in faults(register, beside)
    assert faults(register, replace(beside, register=T3)) == []


def test_a_swap_names_one_dial_and_may_tell_of_it_at_the_mounting() -> None:
    register = registered(register=f"{T1}+{T2}")
    swap = DialEvent(id="e", meter=DEVICE, at=START, kind=EventKind.SWAP, first=3.0, register=T1)
    assert faults(register, swap) == []
    assert faults(registered(), swap) == []
    assert ("e", "register") in faults(register, replace(swap, register=f"{T1}+{T2}"))
    assert ("e", "at") in faults(registered(register=T1), swap)
    assert ("e", "at") in faults(registered(), replace(swap, register=""))


def test_the_dials_of_a_sum_leave_the_inbox_and_further_ones_stay() -> None:
    taken = Assigned.of([Meter(id="m", point="p", device=DEVICE, mounted=START, register=f"{T1}+{T2}")])
    there = {r: SeriesKey(DEVICE, r) in taken for r in (T1, T2, "energy.import/c2")}
    assert there == {T1: True, T2: True, "energy.import/c2": False}


def waiting(*registers: str) -> list[InboxItem]:
    return [
        InboxItem(
            device=DEVICE, register=r, unit="kWh", first_seen=START, last_seen=START, count=1, last_value=1.0, topic="t"
        )
        for r in registers
    ]


def test_a_device_with_a_whole_family_needs_no_choice_and_one_part_alone_does() -> None:
    family = waiting(T1, T2, "energy.export/t1", "energy.export/t2")
    assert counting(Commodity.ELECTRICITY, family, NewMeter(first=None)).register == ""
    with pytest.raises(InputError, match="a part of what it counts"):
        counting(Commodity.ELECTRICITY, waiting(T1), NewMeter(first=None))
    named = NewMeter(first=None, register=T1)
    assert counting(Commodity.ELECTRICITY, waiting(T1), named).register == T1


def test_a_sum_stands_in_spreadsheets_and_swaps_of_several_dials_need_no_id(bench: Bench) -> None:
    named = f"{T1}+{T2}"
    bench.save(replace(bench.records.get(Meter, "m1"), register=named))
    tables = FileTables()
    sheets = tables.read("region.xlsx", tables.write("region.xlsx", export_register(bench.records)))
    (meters,) = (s for s in sheets if s.name == "Měřidla")
    assert named in meters.rows[0]
    assert not plan_import(sheets, bench.records).errors
    swaps = Sheet(
        name="Výměny",
        columns=("Zařízení", "Okamžik", "Událost", "Konečný stav", "Jednotka stavů", "Registr"),
        rows=tuple((DEVICE, "2026-04-01T10:00:00+02:00", "výměna", last, "kWh", r) for last, r in ((5, T1), (7, T2))),
    )
    plan = plan_import([swaps], bench.records)
    assert plan.errors == ()
    apply_import(plan, bench.records, By(by="test", now=NOW))
    kept = {e.register: e.final for e in bench.records.find(DialEvent)}
    assert kept == {T1: 5.0, T2: 7.0}
    assert not plan_import([swaps], bench.records).errors
    assert len(bench.records.find(DialEvent)) == 2
    wrong = replace(meters, rows=tuple(tuple(f"{T1}+{WHOLE}" if c == named else c for c in r) for r in meters.rows))
    (fault,) = plan_import([wrong], bench.records).errors
    assert (fault.sheet, fault.column) == ("Měřidla", "Registr")


def test_answers_of_two_dials_at_one_instant_stand_beside_each_other(bench: Bench) -> None:
    (at, one), (_, two) = stream(1), stream(2)
    for register, value in ((T1, one), (T2, two)):
        shown = value.copy()
        shown[500:] -= value[499]
        bench.write(register, at, shown)
    bench.rollups.run()
    asked = bench.records.findings(points=["p"], open_only=True)
    assert len(asked) == 2
    for found in asked:
        answer(bench.records, found, Answer(), By(by="test", now=NOW))
    bench.rollups.run()
    assert bench.records.findings(points=["p"], open_only=True) == []
    assert {e.register for e in bench.records.find(DialEvent)} == {T1, T2}
    assert bench.ask(Period.DAY).missing.max() == 0.0
    true = one[-1] - one[0] + two[-1] - two[0]
    assert bench.amounts(Period.DAY).sum() / 1e9 == pytest.approx(true, abs=5.0)  # but for one step of each dial


def test_an_answer_about_the_export_leaves_the_import_alone(bench: Bench) -> None:
    (at, one), (_, sold) = stream(1), stream(2)
    shown = sold.copy()
    shown[500:] -= sold[499]
    bench.write(WHOLE, at, one)
    bench.write("energy.export", at, shown)
    bench.rollups.run()
    (asked,) = bench.records.findings(points=["p"], open_only=True)
    answer(bench.records, asked, Answer(kind=EventKind.ROLLOVER), By(by="test", now=NOW))
    bench.rollups.run()
    (event,) = bench.records.find(DialEvent)
    assert event.register == "energy.export"
    assert bench.amounts(Period.DAY).sum() == round((one[-1] - one[0]) * 1000) * 10**6


def test_a_roll_over_that_names_no_dial_is_of_the_main_one(bench: Bench) -> None:
    (at, one), (_, sold) = stream(1, first=99_500.0), stream(2, first=9_500.0)
    bench.write(WHOLE, at, np.where(one >= 100_000, one - 100_000, one))
    bench.write("energy.export", at, np.where(sold >= 10_000, sold - 10_000, sold))
    bench.rollups.run()
    assert len(bench.records.findings(points=["p"], open_only=True)) == 2
    for n, turn in enumerate((np.argmax(one >= 100_000), np.argmax(sold >= 10_000))):
        when = datetime.fromtimestamp(at[turn].astype(np.int64) / 1e6, UTC)
        bench.save(DialEvent(id=f"e{n}", meter=DEVICE, at=when, kind=EventKind.ROLLOVER))
    bench.rollups.run()
    (asked,) = bench.records.findings(points=["p"], open_only=True)
    assert asked.finding.register == "energy.export"
    assert bench.amounts(Period.DAY).sum() == round((one[-1] - one[0]) * 1000) * 10**6
