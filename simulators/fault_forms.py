"""Faults as people ask for them while meters run: which kinds there are, what each is told, and the fault it makes.

A fault that is laid on a running meter changes nothing that was sent before: it begins no earlier than what has gone
out, and what needs another past (a roll-over moves the dial's start) is for meters that have sent nothing yet.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from core.calendar import instant
from core.errors import InputError
from core.simulations import FaultForm, FaultWish, Given, Parameter
from core.units import unit
from simulators.faults import Fault
from simulators.meter import SimulatedMeter
from simulators.truth import OPEN_END, FaultKind

HOURS_A_YEAR: Final = 8766
LONGEST_H: Final = 24.0 * 400
_SHARE: Final = {FaultKind.LEAK: 1.6, FaultKind.BURST_FLOW: 40.0}
"""The usual flow of a leak and a burst, as a multiple of the meter's mean."""


def _flow(name: str = "per_hour") -> Parameter:
    return Parameter(name=name, default=None, unit="per_hour", least=1e-6, most=1e6)


def _dial(name: str, default: float | None = 0.0) -> Parameter:
    return Parameter(name=name, default=default, unit="dial")


FORMS: Final[Mapping[FaultKind, FaultForm]] = {
    FaultKind(form.kind): form
    for form in (
        FaultForm(kind="leak", parameters=(_flow(),), hours=24 * 7, open_end=True),
        FaultForm(kind="burst_flow", parameters=(_flow(),), hours=6),
        FaultForm(kind="stuck", parameters=(Parameter(name="catches_up", default=True),), hours=48, open_end=True),
        FaultForm(kind="dead", hours=96, open_end=True),
        FaultForm(kind="gap", hours=24),
        FaultForm(kind="zero", hours=1),
        FaultForm(
            kind="glitch",
            parameters=(Parameter(name="factor", default=10.0, least=-1000, most=1000), _dial("add")),
            hours=1,
        ),
        FaultForm(kind="rollover", parameters=(Parameter(name="digits", default=5.0, least=1, most=12),), early=True),
        FaultForm(kind="swap", parameters=(_dial("first"), Parameter(name="new_name", default=False))),
        FaultForm(
            kind="unit_change",
            parameters=(
                Parameter(name="to", default="MWh", choices=("kWh", "Wh", "MWh", "GJ", "m³", "l")),
                Parameter(name="stated", default=True),
            ),
            hours=24 * 7,
            open_end=True,
        ),
        FaultForm(
            kind="late",
            parameters=(Parameter(name="delay_h", default=12.0, unit="h", least=0.1, most=240),),
            hours=12,
        ),
        FaultForm(
            kind="duplicate",
            parameters=(Parameter(name="after_s", default=5.0, unit="s", least=1, most=86_400), _dial("add")),
            hours=12,
        ),
        FaultForm(
            kind="out_of_order",
            parameters=(Parameter(name="within_s", default=7200.0, unit="s", least=1, most=86_400),),
            hours=12,
        ),
        FaultForm(
            kind="clock_drift",
            parameters=(Parameter(name="s_per_day", default=60.0, unit="s_a_day", least=-3600, most=3600),),
            hours=24 * 7,
            open_end=True,
        ),
        FaultForm(
            kind="burst_messages",
            parameters=(Parameter(name="every_s", default=5.0, unit="s", least=1, most=600),),
            hours=1,
        ),
    )
}
_WHOLE: Final = frozenset({"digits", "after_s", "within_s", "every_s"})
MOST_MESSAGES: Final = 20_000


def fault_of(wish: FaultWish, meter: SimulatedMeter, since: datetime) -> Fault:
    """Return the fault of a wish from an instant on; raise InputError, naming the place, where it cannot be."""
    if wish.kind not in set(FaultKind):
        raise InputError(f"{wish.kind!r} is no fault", place="kind", remedy=f"write one of {', '.join(FaultKind)}")
    kind = FaultKind(wish.kind)
    form = FORMS[kind]
    hours = _hours(wish, form)
    until = OPEN_END if hours is None else instant(since + timedelta(hours=hours))
    given = _given(wish, form)
    if kind is FaultKind.BURST_MESSAGES and (hours or 0) * 3600 / float(given["every_s"]) > MOST_MESSAGES:
        raise InputError(
            f"more than {MOST_MESSAGES} messages", place="hours", remedy="write fewer hours, or a longer distance"
        )
    return Fault(kind=kind, since=instant(since), until=until, parameters=_fitted(kind, given, meter, since))


def _hours(wish: FaultWish, form: FaultForm) -> float | None:
    if form.hours is None:
        return None
    if wish.hours is None:
        return None if form.open_end else form.hours
    if not 0 < wish.hours <= LONGEST_H:
        raise InputError(f"{wish.hours:g} hours cannot be", place="hours", remedy=f"write up to {LONGEST_H:g}")
    return wish.hours


def _given(wish: FaultWish, form: FaultForm) -> dict[str, Given]:
    known = {parameter.name: parameter for parameter in form.parameters}
    strange = sorted(set(wish.parameters) - set(known))
    if strange:
        names = ", ".join(known) or "none"
        raise InputError(f"{form.kind} has no {', '.join(strange)}", place="parameters", remedy=f"it has: {names}")
    read = {name: parameter.read(wish.parameters.get(name)) for name, parameter in known.items()}
    return {name: value for name, value in read.items() if value is not None}


def _fitted(kind: FaultKind, given: dict[str, Given], meter: SimulatedMeter, since: datetime) -> dict[str, Given]:
    """Return the arguments of the fault's function: flows and names that suit the meter, whole numbers whole."""
    out: dict[str, Given] = {name: int(value) if name in _WHOLE else value for name, value in given.items()}
    if kind in _SHARE and "per_hour" not in out:
        out["per_hour"] = float(f"{_SHARE[kind] * meter.load.annual / HOURS_A_YEAR:.4g}")
    if kind is FaultKind.SWAP:
        renamed = bool(out.pop("new_name", False))
        out |= {"recorded": False, "new_device": f"{meter.device}-{since:%Y%m%d%H%M%S}" if renamed else ""}
    if kind is FaultKind.UNIT_CHANGE:
        _check_unit(str(out["to"]), meter.dial.unit)
    return out


def _check_unit(to: str, of: str) -> None:
    if unit(to).quantity is not unit(of).quantity or to == of:
        raise InputError(
            f"a dial in {of} does not become one in {to}", place="to", remedy="name another unit of the same quantity"
        )
