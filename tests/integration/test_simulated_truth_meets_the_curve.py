"""The curve of the core, judged by the simulators' truth: every kind of fault on meters of every commodity."""

import numpy as np
import pytest

from core.calendar import Period, edges, instant
from core.curve import periods
from core.mounting import FOREVER, Built, Mounting, Rules, build, moduli
from core.notes import Rule
from core.readings import Readings, SeriesKey, concat
from core.registry import DialEvent, Meter
from core.rollup import NANO
from core.units import unit
from simulators.demo_faults import demo_faults
from simulators.history import history
from simulators.peers import DEVICE, PeerStream, peer_fault_streams
from simulators.plan import PlannedMeter, plan, recorded
from simulators.region import max_rate, sample_region
from simulators.truth import FaultKind, FaultTruth, hourly_amounts

END = np.datetime64("2026-10-31T23:00", "us")
START = np.datetime64("2025-10-31T23:00", "us")


@pytest.fixture(scope="module")
def region() -> tuple[tuple[PlannedMeter, ...], tuple[Meter, ...], tuple[DialEvent, ...], Readings]:
    sample = sample_region(1)
    plans = plan(sample, demo_faults(sample, END))
    after = END + np.timedelta64(2, "h")
    return plans, *recorded(sample, plans), concat(batch.readings for batch in history(plans, START, after))


def mounting(meter: Meter) -> Mounting:
    known = unit(meter.unit)
    return Mounting(
        device=meter.device,
        start_us=int(instant(meter.mounted).astype(np.int64)),
        end_us=FOREVER if meter.removed is None else int(instant(meter.removed).astype(np.int64)),
        first=meter.first,
        final=meter.final,
        modulus=None if meter.digits is None else 10.0**meter.digits * known.scale / known.divisor,
        moduli=moduli(known),
    )


def curve_of(one: PlannedMeter, meters: tuple[Meter, ...], events: tuple[DialEvent, ...], readings: Readings) -> Built:
    mounted = [m for m in meters if m.point == one.meter.point]
    series = {SeriesKey(m.device, one.meter.register) for m in mounted}
    code = [n for n, key in enumerate(readings.series) if key in series]
    mine = readings.take(np.isin(readings.code, code))
    told = [e for e in events if e.meter == one.meter.device]
    rules = Rules(unit=one.meter.dial.canonical_unit, max_rate=max_rate(one.meter.load))
    return build(mine, [mounting(m) for m in mounted], told, rules)


LOST = {FaultKind.DEAD, FaultKind.STUCK}
"""What no arithmetic can know: consumption that no dial showed."""


def test_a_year_of_faulty_meters_has_the_true_months(
    region: tuple[tuple[PlannedMeter, ...], tuple[Meter, ...], tuple[DialEvent, ...], Readings],
) -> None:
    plans, meters, events, readings = region
    months = edges(Period.MONTH, START, END)
    for one in plans:
        if one.meter.register == "energy.export" or any(t.kind in LOST for t in one.truth):
            continue
        made = periods(curve_of(one, meters, events, readings).curve, months)
        at, true = hourly_amounts(one.meter.load, months[0], months[-1], one.truth)
        truth = np.add.reduceat(true, np.searchsorted(at, months[:-1]))
        known = unit(one.meter.dial.unit)
        step = known.scale / known.divisor / 10**one.meter.dial.decimals
        unrecorded = any(not t.detail.get("recorded", True) for t in one.truth)
        assert np.all(made.nano >= 0)
        if unrecorded:
            assert made.missing_s.sum() > 0
            assert np.all(made.nano / NANO <= truth + 2 * step)
            continue
        # Between two readings the curve is straight and the truth is not: an interval's worth at each end of a month.
        slack = 2 * step + 0.001 * truth
        assert np.all(np.abs(made.nano / NANO - truth) <= slack), (one.meter.device, made.nano / NANO - truth)
        assert made.missing_s.sum() == 0, one.meter.device


def seen(truth: FaultTruth) -> bool:
    """Return whether the dial shows the fault: one that stood still and never caught up does not."""
    return bool(truth.detail.get("catches_up", True))


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (FaultKind.ZERO, Rule.GLITCH),
        (FaultKind.GLITCH, Rule.GLITCH),
        (FaultKind.ROLLOVER, Rule.ROLLOVER),
        (FaultKind.STUCK, Rule.STUCK),
        (FaultKind.GAP, Rule.GAP),
        (FaultKind.DUPLICATE, Rule.REVISION),
    ],
)
def test_a_fault_is_found_by_the_rule_that_is_meant_for_it(
    region: tuple[tuple[PlannedMeter, ...], tuple[Meter, ...], tuple[DialEvent, ...], Readings],
    kind: FaultKind,
    rule: Rule,
) -> None:
    plans, meters, events, readings = region
    hit = [one for one in plans for t in one.truth if t.kind is kind and t.amount != 0 and seen(t)]
    assert hit
    for one in hit:
        found = {mark.rule for _, mark in curve_of(one, meters, events, readings).marks}
        assert rule in found, (one.meter.device, kind, found)


@pytest.mark.parametrize("mean_kw", [30.0, 120.0])
@pytest.mark.parametrize("row", range(9))
def test_each_peer_stream_has_its_true_total(mean_kw: float, row: int) -> None:
    stream: PeerStream = peer_fault_streams(mean_kw)[row]
    zeros = np.zeros(len(stream.at), np.int32)
    readings = Readings.of([SeriesKey(DEVICE, "energy.import")], zeros, stream.at, stream.dial_kwh)
    modulus = None if stream.digits is None else 10.0**stream.digits
    events = [] if stream.event is None else [stream.event]
    built = build(readings, [Mounting(device=DEVICE, modulus=modulus)], events, Rules(max_rate=stream.max_kw))
    total = np.diff(built.curve.at(np.array(stream.span, "M8[us]").astype(np.int64)))[0] / NANO
    assert total == pytest.approx(stream.total_kwh, rel=1e-9)
