import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.calendar import moment
from core.errors import InputError
from core.readings import Readings, concat
from core.registry import Commodity, Role
from core.units import unit
from simulators.demo_faults import demo_faults
from simulators.faults import Fault
from simulators.files import write_history
from simulators.history import history
from simulators.loads import TYPICAL
from simulators.peers import START as PEERS_START
from simulators.peers import peer_fault_streams
from simulators.plan import PlannedMeter, plan, recorded
from simulators.region import SampleRegion, sample_region, with_measure
from simulators.truth import FaultKind

END = np.datetime64("2026-11-01T05:00", "us")
START = END - np.timedelta64(200, "D")


@pytest.fixture(scope="module")
def region() -> SampleRegion:
    return sample_region(1)


@pytest.fixture(scope="module")
def plans(region: SampleRegion) -> tuple[PlannedMeter, ...]:
    return plan(region, demo_faults(region, END))


def test_a_region_is_the_same_for_the_same_seed(region: SampleRegion) -> None:
    assert sample_region(1) == region
    assert sample_region(2) != region


def test_a_larger_region_begins_with_the_smaller_one(region: SampleRegion) -> None:
    assert sample_region(1, 20).buildings[:12] == region.buildings


def test_a_region_of_220_buildings_has_some_1300_points_with_their_own_codes() -> None:
    large = sample_region(3, 220)
    assert 1150 < len(large.points) < 1450
    codes = [p.code for p in large.points if p.code]
    assert len(set(codes)) == len(codes)
    for things in (large.points, large.meters, large.buildings, large.organisations):
        assert len({t.id for t in things}) == len(things)


def test_codes_are_an_ean_with_its_check_digit_and_an_eic(region: SampleRegion) -> None:
    for point in region.points:
        if point.commodity is Commodity.ELECTRICITY and point.role is Role.BILLING:
            weighed = sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(point.code))
            assert point.code.startswith("859182400")
            assert weighed % 10 == 0
        if point.commodity is Commodity.GAS:
            assert point.code.startswith("27ZG")
            assert len(point.code) == 16


def test_everything_in_a_region_belongs_together(region: SampleRegion) -> None:
    organisations = {o.id for o in region.organisations}
    buildings = {b.id: b for b in region.buildings}
    points = {p.id for p in region.points}
    assert {b.organisation for b in region.buildings} == organisations
    assert {p.building for p in region.points} == set(buildings)
    assert {m.point for m in region.meters} == points
    assert {p.parent for p in region.points if p.parent} <= points
    assert {s.device for s in region.simulated} == {m.device for m in region.meters}
    for commodity in Commodity:
        assert any(p.commodity is commodity for p in region.points)


def test_amounts_are_plausible_for_area_and_users(region: SampleRegion) -> None:
    points = {p.id: p for p in region.points}
    buildings = {b.id: b for b in region.buildings}
    for one in region.simulated:
        point = points[one.point]
        building, annual = buildings[point.building], one.load.annual
        typical = TYPICAL[building.kind]
        if point.parent:
            continue
        if point.commodity is Commodity.ELECTRICITY:
            assert 0.7 < annual / building.areas[0].value / typical.electricity < 1.35
        if point.commodity in {Commodity.GAS, Commodity.HEAT}:
            assert 0.7 < annual / building.areas[0].value / typical.heat < 1.35
        if point.commodity is Commodity.COLD_WATER:
            assert 0.7 < annual / building.users[0].value / typical.water < 1.35


def test_no_point_draws_more_than_its_stated_maximum(region: SampleRegion) -> None:
    limits = {p.id: p.max_rate for p in region.points}
    plain = plan(region, {})
    batch = next(iter(history(plain, np.datetime64("2026-01-01", "us"), np.datetime64("2026-02-01", "us"))))
    for one, stream in zip(plain, batch.streams, strict=True):
        known = unit(one.meter.dial.unit)
        step = known.scale / known.divisor / 10**stream.decimals
        hours = np.diff(stream.at) / np.timedelta64(1, "h")
        rate = (np.diff(stream.value) * known.scale / known.divisor - step) / hours
        limit = limits[one.meter.point]
        assert limit is not None
        assert rate.max() <= limit, one.meter.device


def test_the_demo_has_every_kind_of_fault(plans: tuple[PlannedMeter, ...]) -> None:
    assert {t.kind for one in plans for t in one.truth} == set(FaultKind)


def test_the_register_knows_recorded_swaps_and_no_other(region: SampleRegion, plans: tuple[PlannedMeter, ...]) -> None:
    meters, events = recorded(region, plans)
    swaps = [t for one in plans for t in one.truth if t.kind is FaultKind.SWAP]
    known = [t for t in swaps if t.detail["recorded"]]
    assert len(swaps) > len(known) == len(events) == len(meters) - len(region.meters)
    for event in events:
        old = next(m for m in meters if m.device == event.meter and m.removed == event.at)
        new = next(m for m in meters if m.device == (event.new_device or event.meter) and m.mounted == event.at)
        assert (old.final, new.first) == (event.final, event.first)
        assert old.point == new.point
        assert old.serial != new.serial


def test_a_fault_on_an_unknown_meter_is_refused(region: SampleRegion) -> None:
    with pytest.raises(InputError, match="no meter nowhere"):
        plan(region, {"nowhere": [Fault(kind=FaultKind.ZERO, since=START, until=END)]})


def test_a_measure_changes_one_meter_from_its_day(region: SampleRegion) -> None:
    day = np.datetime64("2026-06-01", "us").item().date()
    changed = with_measure(region, "lk-sk-001-e", since=day, factor=0.8)
    unlike = [a.device for a, b in zip(region.simulated, changed.simulated, strict=True) if a != b]
    assert unlike == ["lk-sk-001-e"]


def same(one: Readings, other: Readings) -> bool:
    keys = [[r.series[c] for c in r.code] for r in (one, other)]
    arrays = all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("at", "value", "received"))
    return arrays and keys[0] == keys[1]


def test_a_history_goes_on_from_any_cursor_with_the_same_readings(plans: tuple[PlannedMeter, ...]) -> None:
    start = END - np.timedelta64(70, "D")
    whole = list(history(plans[:12], start, END))
    assert [b.done for b in whole] == list(range(1, whole[-1].total + 1))
    rest = list(history(plans[:12], start, END, cursor=whole[0].cursor))
    assert len(rest) == len(whole) - 1
    assert same(concat(b.readings for b in whole[1:]), concat(b.readings for b in rest))
    with pytest.raises(InputError, match="another history"):
        list(history(plans[:12], start, END, cursor="1/99"))


def test_old_history_may_be_coarser_on_the_same_line(plans: tuple[PlannedMeter, ...]) -> None:
    start, fine = np.datetime64("2026-03-01", "us"), np.datetime64("2026-03-20", "us")
    clean = [one for one in plans if not one.faults and one.meter.dial.interval_s == 900][:3]
    mixed = concat(b.readings for b in history(clean, start, np.datetime64("2026-04-01", "us"), fine_since=fine))
    full = concat(b.readings for b in history(clean, start, np.datetime64("2026-04-01", "us")))
    for key in mixed.series:
        one, other = mixed.of_series(key), full.of_series(key)
        assert (one.at < fine).sum() == 19 * 24
        assert (one.at >= fine).sum() == 12 * 96
        assert np.array_equal(one.value, other.value[np.isin(other.at, one.at)])


def test_readings_of_a_history_are_canonical(plans: tuple[PlannedMeter, ...]) -> None:
    start = np.datetime64("2026-02-01", "us")
    batch = next(iter(history(plans, start, start + np.timedelta64(1, "D"))))
    for one, stream in zip(plans, batch.streams, strict=True):
        known = unit(one.meter.dial.unit)
        own = batch.readings.of_series((stream.devices[0], stream.register))  # type: ignore[arg-type]
        assert own.value == pytest.approx(stream.value * known.scale / known.divisor, rel=1e-12)


def test_files_hold_readings_events_and_truth(
    tmp_path: Path, region: SampleRegion, plans: tuple[PlannedMeter, ...]
) -> None:
    start = END - np.timedelta64(20, "D")
    _, every = recorded(region, plans)
    events = [replace(every[0], id="inside", at=moment(END - np.timedelta64(2, "D"))), *every]
    told: list[tuple[int, int]] = []
    done = write_history(tmp_path / "a", plans, start, END, events=events, progress=lambda n, of: told.append((n, of)))
    lines = (tmp_path / "a" / "readings.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "meter,register,at,value,unit"
    assert len(lines) - 1 == done.readings > 50_000
    assert told[-1][0] == told[-1][1]
    faults = [json.loads(line) for line in (tmp_path / "a" / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(faults) == done.faults
    assert {"meter", "kind", "from", "to", "amount", "unit", "detail"} <= set(faults[0])
    assert len((tmp_path / "a" / "events.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert lines[-1].split(",")[2] <= "2026-11-01T05:00:00Z"
    assert any(line.split(",")[2] == "2026-11-01T05:00:00Z" for line in lines[1:])
    truth = pq.read_table(tmp_path / "a" / "truth_hourly.parquet")
    assert truth.num_rows == len(plans) * 20 * 24

    write_history(tmp_path / "b", plans, start, END, form="parquet")
    table = pq.read_table(tmp_path / "b" / "readings.parquet")
    assert table.num_rows == done.readings
    assert table["value"].to_pylist() == [float(line.split(",")[3]) for line in lines[1:]]


def test_a_stopped_writing_leaves_no_file_that_looks_whole(tmp_path: Path, plans: tuple[PlannedMeter, ...]) -> None:
    done = write_history(tmp_path, plans[:3], START, END, cancelled=lambda: True)
    assert done.stopped
    assert not (tmp_path / "readings.csv").exists()


@pytest.mark.parametrize("mean_kw", [30.0, 120.0])
def test_peer_streams_have_the_stated_total_and_one_fault_each(mean_kw: float) -> None:
    rows = peer_fault_streams(mean_kw)
    assert len(rows) == 9
    assert len({row.name for row in rows}) == 9
    for row in rows:
        assert row.total_kwh == mean_kw * 720
        assert row.span[0] == row.at[0] == np.datetime64(PEERS_START.replace(tzinfo=None), "us")
        assert row.span[1] == row.at[-1]
        steps = np.diff(row.dial_kwh)
        if row.event is not None:
            after = row.at > np.datetime64(row.event.at.replace(tzinfo=None), "us")
            final, first = row.event.final, row.event.first
            assert final is not None
            assert first is not None
            total = final - row.dial_kwh[0] + row.dial_kwh[-1] - first
            assert row.dial_kwh[after][0] >= first
            assert row.dial_kwh[~after][-1] <= final
        elif row.digits:
            total = float((np.round(steps, 3) % 10**row.digits).sum())
            assert (steps < 0).sum() == 1
        else:
            total = row.dial_kwh[-1] - row.dial_kwh[0]
        assert total == pytest.approx(row.total_kwh, rel=1e-9)
    assert len(rows[1].at) == len(rows[0].at) - (36 * 4 - 1)
    assert (np.diff(rows[6].dial_kwh) < 0).sum() == 1
    assert math.isclose(rows[0].dial_kwh[0], 120_000)
