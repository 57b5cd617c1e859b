"""The faults of the demo region: each kind once, on meters that suit it, some over, some still running at the end."""

import math
from typing import Final, NamedTuple

import numpy as np

from core.registry import Commodity
from core.units import unit
from simulators.faults import Fault
from simulators.meter import SimulatedMeter
from simulators.region import SampleRegion
from simulators.truth import OPEN_END, FaultKind


class _Wanted(NamedTuple):
    """A fault: on the n-th meter of a commodity, from so many days before the end, for so many (None: it lasts).

    Among the parameters `share` is a flow as a multiple of the mean one, `add` and `first` are canonical.
    """

    kind: FaultKind
    commodity: Commodity
    nth: int
    days_before: float
    days: float | None
    parameters: dict[str, float | str | bool]


_E, _W, _G, _H, _HW = (
    Commodity.ELECTRICITY,
    Commodity.COLD_WATER,
    Commodity.GAS,
    Commodity.HEAT,
    Commodity.HOT_WATER,
)
_WANTED: Final = (
    _Wanted(FaultKind.LEAK, _W, 0, 9.0, None, {"share": 1.6}),
    _Wanted(FaultKind.LEAK, _W, 2, 260.0, 45.0, {"share": 0.8}),
    _Wanted(FaultKind.BURST_FLOW, _W, 4, 74.3, 0.3, {"share": 40.0}),
    _Wanted(FaultKind.STUCK, _H, 0, 40.0, 2.0, {"catches_up": True}),
    _Wanted(FaultKind.STUCK, _HW, 0, 120.0, 6.0, {"catches_up": False}),
    _Wanted(FaultKind.DEAD, _HW, 1, 4.2, None, {}),
    _Wanted(FaultKind.ZERO, _E, 1, 63.2, 0.02, {}),
    _Wanted(FaultKind.GLITCH, _E, 2, 31.4, 0.02, {"factor": 10.0}),
    _Wanted(FaultKind.GLITCH, _E, 3, 18.1, 0.02, {"add": -25.0}),
    _Wanted(FaultKind.ROLLOVER, _G, 0, 210.0, None, {}),
    _Wanted(FaultKind.SWAP, _E, 4, 300.4, None, {"first": 0.0, "serial": "31415926", "recorded": True}),
    _Wanted(FaultKind.SWAP, _W, 6, 150.6, None, {"first": 0.0, "new_device": "nova", "recorded": True}),
    _Wanted(FaultKind.SWAP, _W, 8, 12.4, None, {"first": 4.0, "recorded": False}),
    _Wanted(FaultKind.UNIT_CHANGE, _G, 1, 90.0, None, {"to": "GJ"}),
    _Wanted(FaultKind.GAP, _G, 2, 25.0, 1.5, {}),
    _Wanted(FaultKind.LATE, _E, 5, 20.0, 2.0, {"delay_h": 60.0}),
    _Wanted(FaultKind.DUPLICATE, _W, 1, 15.0, 1.0, {"after_s": 4}),
    _Wanted(FaultKind.DUPLICATE, _E, 6, 11.0, 0.1, {"after_s": 900, "add": 1.0}),
    _Wanted(FaultKind.OUT_OF_ORDER, _H, 1, 28.0, 2.0, {"within_s": 9000}),
    _Wanted(FaultKind.CLOCK_DRIFT, _W, 3, 50.0, 30.0, {"s_per_day": 9.0}),
    _Wanted(FaultKind.BURST_MESSAGES, _E, 7, 6.0, 0.1, {"every_s": 5}),
)


def main_dials(region: SampleRegion, commodity: Commodity) -> list[SimulatedMeter]:
    """Return the main dials of a commodity, in order."""
    kinds = {point.id: point for point in region.points}
    chosen = [one for one in region.simulated if kinds[one.point].commodity is commodity]
    return [one for one in chosen if not kinds[one.point].parent and one.register != "energy.export"]


def _fault(wanted: _Wanted, meter: SimulatedMeter, end: np.datetime64) -> Fault:
    since = end - np.timedelta64(round(wanted.days_before * 86400), "s")
    length = np.timedelta64(round((wanted.days or 0) * 86400), "s")
    given = dict(wanted.parameters)
    if "share" in given:
        given["per_hour"] = round(float(given.pop("share")) * meter.load.annual / 8766, 4)
    known = unit(meter.dial.unit)
    for name in {"add", "first"} & given.keys():
        given[name] = round(float(given[name]) * known.divisor / known.scale, meter.dial.decimals)
    if wanted.kind is FaultKind.ROLLOVER:
        given["digits"] = math.ceil(math.log10(meter.load.annual * known.divisor / known.scale * 2))
    if given.get("new_device"):
        given["new_device"] = f"{meter.device}-{given['new_device']}"
    until = since + length if wanted.days else OPEN_END
    return Fault(kind=wanted.kind, since=since, until=until, parameters=given)


def demo_faults(region: SampleRegion, end: np.datetime64) -> dict[str, list[Fault]]:
    """Return faults by device for a history that ends at `end`; a small region gets those it has meters for."""
    out: dict[str, list[Fault]] = {}
    for wanted in _WANTED:
        dials = main_dials(region, wanted.commodity)
        if wanted.nth < len(dials):
            meter = dials[wanted.nth]
            out.setdefault(meter.device, []).append(_fault(wanted, meter, end))
    return out
