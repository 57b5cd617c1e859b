"""Which fault befalls which meter of a region, and what of it the register knows.

Faults are laid from the pipe outwards: flow, dial, unit, clock, radio. What a fault needs of the dial at its begin is
read once, so that any slice of the faulted stream can be made alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.calendar import moment
from core.errors import InputError
from core.registry import DialEvent, EventKind, Meter
from simulators.faults import Fault, lay
from simulators.meter import S_US, SimulatedMeter, Stream, read
from simulators.region import SampleRegion
from simulators.truth import OPEN_END, FaultKind, FaultTruth

_OUTWARDS: Final = (
    FaultKind.LEAK, FaultKind.BURST_FLOW, FaultKind.ROLLOVER, FaultKind.STUCK, FaultKind.SWAP, FaultKind.ZERO,
    FaultKind.GLITCH, FaultKind.UNIT_CHANGE, FaultKind.BURST_MESSAGES, FaultKind.CLOCK_DRIFT, FaultKind.GAP,
    FaultKind.DEAD, FaultKind.LATE, FaultKind.DUPLICATE, FaultKind.OUT_OF_ORDER,
)  # fmt: skip
_AROUND: Final = np.timedelta64(3, "D").astype("timedelta64[us]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMeter:
    """A meter with its faults in the order in which they are laid, and the truth about each."""

    meter: SimulatedMeter
    faults: tuple[Fault, ...] = ()
    truth: tuple[FaultTruth, ...] = ()


def planned(meter: SimulatedMeter, faults: Iterable[Fault]) -> PlannedMeter:
    """Return the meter with these faults, each with all that it takes from the dial."""
    out = PlannedMeter(meter=meter)
    for fault in sorted(faults, key=lambda f: (_OUTWARDS.index(f.kind), f.since)):
        until = fault.until if fault.until < OPEN_END else fault.since
        window = _faulted(out, fault.since - _AROUND, until + _AROUND, 0)
        laid = lay(window, fault)
        out = replace(out, faults=(*out.faults, laid.fault), truth=(*out.truth, laid.truth))
    return out


def _faulted(one: PlannedMeter, start: np.datetime64, end: np.datetime64, every_s: int) -> Stream:
    """Return the faulted readings whose true instant is in [start, end)."""
    stream = read(one.meter, start, end, every_s=every_s)
    for fault in one.faults:
        stream = lay(stream, fault).stream
    return stream


def _held_up(fault: Fault) -> np.timedelta64:
    """Return for how long a fault may keep back a reading."""
    given = fault.parameters
    seconds = float(given.get("within_s", 0)) + float(given.get("after_s", 0)) + 3600 * float(given.get("delay_h", 0))
    whole = np.timedelta64(int(seconds * S_US), "us")
    return whole + (fault.until - fault.since) if fault.kind is FaultKind.LATE else whole


def sent_in(one: PlannedMeter, start: np.datetime64, end: np.datetime64, *, every_s: int = 0) -> Stream:
    """Return what the meter sends in [start, end), in order of sending; with `every_s` no oftener than that."""
    if not one.faults:
        return read(one.meter, start, end, every_s=every_s)
    margin = np.timedelta64(2 * max(every_s, one.meter.dial.interval_s), "s")
    reach = sum((_held_up(f) for f in one.faults), margin)
    stream = _faulted(one, start - reach, end + margin, every_s)
    return stream.take((stream.sent >= start) & (stream.sent < end))


def plan(region: SampleRegion, faults: Mapping[str, Sequence[Fault]]) -> tuple[PlannedMeter, ...]:
    """Return every dial of the region with the faults of its device; a device's first dial carries them."""
    left = dict(faults)
    out = tuple(planned(one, left.pop(one.device, ())) for one in region.simulated)
    if left:
        raise InputError(f"no meter {', '.join(sorted(left))} in the region", remedy="name devices of the region")
    return out


def _swapped(meter: Meter, truth: FaultTruth, number: int) -> tuple[Meter, Meter]:
    """Return the register's old and new meter of a swap that somebody recorded."""
    at, told = moment(truth.since), truth.detail
    old = replace(meter, removed=at, final=told["final"])
    new = replace(
        meter,
        id=f"{meter.id.rpartition('-')[0]}-M{number + 1}",
        device=told["new_device"] or meter.device,
        serial=told["serial"] or f"{int(meter.serial or 0) + 1}",
        mounted=at,
        first=told["first"],
    )
    return old, new


def _known_of(meter: Meter, truths: Sequence[FaultTruth]) -> list[Meter]:
    """Return what the register says of a meter: one, and another for each recorded swap."""
    out = [meter]
    for truth in sorted(truths, key=lambda t: t.since):
        if truth.kind is FaultKind.SWAP and truth.detail["recorded"]:
            out[-1:] = _swapped(out[-1], truth, len(out))
        if truth.kind is FaultKind.ROLLOVER:
            out[-1] = replace(out[-1], digits=truth.detail["digits"], first=None)
    return out


def recorded(region: SampleRegion, plans: Sequence[PlannedMeter]) -> tuple[tuple[Meter, ...], tuple[DialEvent, ...]]:
    """Return the meters that the register knows, and the recorded swaps as events.

    A recorded swap is told by both: the old meter's `removed` and `final`, the new one's `mounted` and `first`, and
    a DialEvent that says the same.
    """
    truths: dict[str, list[FaultTruth]] = {}
    for one in plans:
        truths.setdefault(one.meter.device, []).extend(one.truth)
    meters = tuple(known for meter in region.meters for known in _known_of(meter, truths.get(meter.device, [])))
    events = tuple(
        _event(truth)
        for told in truths.values()
        for truth in told
        if truth.kind is FaultKind.SWAP and truth.detail["recorded"]
    )
    return meters, events


def _event(truth: FaultTruth) -> DialEvent:
    at = moment(truth.since)
    return DialEvent(
        id=f"swap-{truth.meter}-{at:%Y%m%d%H%M}",
        meter=truth.meter,
        at=at,
        kind=EventKind.SWAP,
        final=truth.detail["final"],
        first=truth.detail["first"],
        new_device=truth.detail["new_device"],
        register=truth.register,
        note="výměna měřidla",
    )
