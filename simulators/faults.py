"""Faults: each a pure function of a stream that returns the faulted stream and the truth about it.

A function takes what it needs to know of the dial at the fault's begin from the stream, unless it is given; what it
took stands in `Faulted.fault.parameters`, so that the same fault can be laid on any other slice of the stream.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from core.calendar import Bools, Instants, micros
from core.errors import InputError
from core.notes import JsonValue
from core.readings import Floats
from core.units import CANONICAL, unit
from simulators.meter import S_US, Stream, canonical
from simulators.noise import seed_of, uniform
from simulators.truth import HOUR_US, OPEN_END, FaultKind, FaultTruth


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault to lay on a stream: kind, instants stated in [since, until), the keyword arguments of its function."""

    kind: FaultKind
    since: np.datetime64
    until: np.datetime64 = OPEN_END
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted:
    """A stream after a fault, the truth about it, and the fault with all that it took from the stream."""

    stream: Stream
    truth: FaultTruth
    fault: Fault


def _faulted(
    stream: Stream,
    fault: Fault,
    changed: Stream,
    *,
    amount: float | None = None,
    detail: Mapping[str, JsonValue] | None = None,
) -> Faulted:
    truth = FaultTruth(
        meter=stream.devices[0],
        register=stream.register,
        kind=fault.kind,
        since=fault.since,
        until=fault.until,
        amount=amount,
        unit=CANONICAL[unit(stream.units[0]).quantity],
        detail=detail or {},
    )
    return Faulted(stream=changed.by_sending(), truth=truth, fault=fault)


def _in_canonical(stream: Stream, value: float) -> float:
    """Return a dial value of the stream's first unit in the canonical one."""
    return float(canonical(np.array([value]), stream.units[0])[0])


def _shown(stream: Stream, value: Floats) -> Floats:
    """Return values as the dial shows them: its decimals, wrapped at its digits."""
    steps = np.rint(value * 10**stream.decimals)
    if stream.digits is not None:
        steps %= 10.0 ** (stream.digits + stream.decimals)
    return np.asarray(steps / 10**stream.decimals)


def _dial_at(stream: Stream, at: np.datetime64) -> float:
    """Return the dial at an instant, between its neighbours; InputError where the stream does not reach it."""
    order = np.argsort(stream.at, kind="stable")
    times, values = micros(stream.at[order]), stream.value[order]
    if not len(times) or not times[0] <= micros(at) <= times[-1]:
        raise InputError(f"the stream has no dial at {at}", remedy="give one that reaches from before to after")
    steps = np.interp(float(micros(at)), times, values) * 10**stream.decimals
    return float(np.floor(steps + 1e-6) / 10**stream.decimals)


def _seconds(stream: Stream, since: np.datetime64, until: np.datetime64) -> Floats:
    """Return the seconds of the fault that have passed at each reading."""
    length = float(micros(until) - micros(since))
    return np.asarray(np.clip(micros(stream.at) - micros(since), 0, length) / S_US)


def _flow(stream: Stream, kind: FaultKind, since: np.datetime64, until: np.datetime64, per_hour: float) -> Faulted:
    passed = _seconds(stream, since, until) / 3600 * per_hour
    known = unit(stream.units[0])
    in_unit = passed * known.divisor / known.scale
    floored = np.floor(in_unit * 10**stream.decimals + 1e-9) / 10**stream.decimals
    changed = replace(stream, value=_shown(stream, stream.value + floored))
    fault = Fault(kind=kind, since=since, until=until, parameters={"per_hour": per_hour})
    hours = float(micros(until) - micros(since)) / HOUR_US
    return _faulted(stream, fault, changed, amount=per_hour * hours, detail={"per_hour": per_hour})


def leak(stream: Stream, *, since: np.datetime64, until: np.datetime64 = OPEN_END, per_hour: float) -> Faulted:
    """Add a small flow [kWh/h or m³/h] that runs all the time; the dial keeps what it counted."""
    return _flow(stream, FaultKind.LEAK, since, until, per_hour)


def burst_flow(stream: Stream, *, since: np.datetime64, until: np.datetime64, per_hour: float) -> Faulted:
    """Add the large flow of a broken pipe [m³/h]."""
    return _flow(stream, FaultKind.BURST_FLOW, since, until, per_hour)


def stuck(
    stream: Stream,
    *,
    since: np.datetime64,
    until: np.datetime64 = OPEN_END,
    catches_up: bool = True,
    held: float | None = None,
    passed: float | None = None,
) -> Faulted:
    """Let the dial repeat its value; then it catches up (transmitter stuck) or has lost what passed (wheel stuck)."""
    held = _dial_at(stream, since) if held is None else held
    if passed is None:
        passed = 0.0 if until >= OPEN_END else max(0.0, _dial_at(stream, until) - held)
    value = np.where(stream.stated_in(since, until), held, stream.value)
    if not catches_up:
        value = np.where(stream.at >= until, _shown(stream, stream.value - passed), value)
    fault = Fault(
        kind=FaultKind.STUCK,
        since=since,
        until=until,
        parameters={"catches_up": catches_up, "held": held, "passed": passed},
    )
    amount = None if until >= OPEN_END else _in_canonical(stream, passed)
    detail = {"catches_up": catches_up, "held": _in_canonical(stream, held)}
    return _faulted(stream, fault, replace(stream, value=value), amount=amount, detail=detail)


def _silent(
    stream: Stream, kind: FaultKind, since: np.datetime64, until: np.datetime64, passed: float | None
) -> Faulted:
    if passed is None and until < OPEN_END:
        passed = _dial_at(stream, until) - _dial_at(stream, since)
    fault = Fault(kind=kind, since=since, until=until, parameters={"passed": passed})
    changed = stream.take(~stream.stated_in(since, until))
    return _faulted(stream, fault, changed, amount=None if passed is None else _in_canonical(stream, passed))


def gap(stream: Stream, *, since: np.datetime64, until: np.datetime64, passed: float | None = None) -> Faulted:
    """Lose the readings of a time without radio; the dial goes on."""
    return _silent(stream, FaultKind.GAP, since, until, passed)


def dead(
    stream: Stream, *, since: np.datetime64, until: np.datetime64 = OPEN_END, passed: float | None = None
) -> Faulted:
    """Send nothing any more, or nothing until somebody changes the battery."""
    return _silent(stream, FaultKind.DEAD, since, until, passed)


def _off_the_line(stream: Stream, fault: Fault, value: Floats, detail: Mapping[str, JsonValue]) -> Faulted:
    wrong = np.where(stream.stated_in(fault.since, fault.until), value, stream.value)
    error = canonical(wrong - stream.value, stream.units[0])
    largest = float(error[np.argmax(np.abs(error))]) if len(error) else 0.0
    readings = int(stream.stated_in(fault.since, fault.until).sum())
    return _faulted(
        stream, fault, replace(stream, value=wrong), amount=largest, detail={**detail, "readings": readings}
    )


def zero(stream: Stream, *, since: np.datetime64, until: np.datetime64) -> Faulted:
    """Show 0 while it boots; then the dial is where it was."""
    fault = Fault(kind=FaultKind.ZERO, since=since, until=until)
    return _off_the_line(stream, fault, np.zeros(len(stream)), {})


def glitch(
    stream: Stream, *, since: np.datetime64, until: np.datetime64, factor: float = 1.0, add: float = 0.0
) -> Faulted:
    """Show value x factor + add (in the dial's unit) for a few readings; then the dial is where it was."""
    fault = Fault(kind=FaultKind.GLITCH, since=since, until=until, parameters={"factor": factor, "add": add})
    value = np.round(stream.value * factor + add, stream.decimals)
    return _off_the_line(stream, fault, value, {"factor": factor, "add": _in_canonical(stream, add)})


def rollover(
    stream: Stream,
    *,
    since: np.datetime64,
    until: np.datetime64 = OPEN_END,
    digits: int,
    shift: float | None = None,
) -> Faulted:
    """Let the dial of so many digits pass from its last value to 0 at `since` (its start is moved to do so)."""
    modulus = 10.0**digits
    shift = modulus - _dial_at(stream, since) if shift is None else shift
    dial = replace(stream, digits=digits)
    changed = replace(dial, value=_shown(dial, stream.value + shift))
    fault = Fault(kind=FaultKind.ROLLOVER, since=since, until=until, parameters={"digits": digits, "shift": shift})
    detail = {"digits": digits, "modulus": _in_canonical(stream, modulus)}
    return _faulted(stream, fault, changed, detail=detail)


def swap(
    stream: Stream,
    *,
    since: np.datetime64,
    until: np.datetime64 = OPEN_END,
    first: float = 0.0,
    final: float | None = None,
    new_device: str = "",
    serial: str = "",
    recorded: bool = True,
) -> Faulted:
    """Mount another meter at `since`: the old dial ends at `final`, the new one starts at `first` (dial's unit).

    It publishes under `new_device`, or the old name where that is empty. `recorded` says whether anybody wrote it down.
    """
    final = _dial_at(stream, since) if final is None else final
    after = stream.at >= since
    changed = replace(stream, value=np.where(after, _shown(stream, stream.value - final + first), stream.value))
    if new_device:
        changed = replace(
            changed,
            devices=(*stream.devices, new_device),
            device=np.where(after, len(stream.devices), stream.device).astype(np.int32),
        )
    given = {"new_device": new_device, "serial": serial, "recorded": recorded}
    fault = Fault(kind=FaultKind.SWAP, since=since, until=until, parameters={"first": first, "final": final, **given})
    detail = {"final": _in_canonical(stream, final), "first": _in_canonical(stream, first), **given}
    return _faulted(stream, fault, changed, detail=detail)


def unit_change(
    stream: Stream, *, since: np.datetime64, until: np.datetime64 = OPEN_END, to: str, stated: bool = True
) -> Faulted:
    """Send the same dial in another unit, saying so or (a firmware's mistake) not."""
    old, new = unit(stream.units[0]), unit(to)
    if old.quantity is not new.quantity:
        raise InputError(
            f"{to} does not measure what {stream.units[0]} does", remedy="name a unit of the same quantity"
        )
    factor = old.scale * new.divisor / (old.divisor * new.scale)
    chosen = stream.stated_in(since, until)
    changed = replace(
        stream,
        value=np.where(chosen, np.round(stream.value * factor, 9), stream.value),
        units=(*stream.units, to) if stated else stream.units,
        unit=np.where(chosen & stated, len(stream.units), stream.unit).astype(np.int32),
    )
    fault = Fault(kind=FaultKind.UNIT_CHANGE, since=since, until=until, parameters={"to": to, "stated": stated})
    return _faulted(stream, fault, changed, detail={"from": stream.units[0], "to": to, "stated": stated})


def late(stream: Stream, *, since: np.datetime64, until: np.datetime64, delay_h: float) -> Faulted:
    """Send the readings of a time in one batch, `delay_h` after its end."""
    chosen = stream.stated_in(since, until)
    batch = until + np.timedelta64(int(delay_h * 3600 * S_US), "us")
    changed = replace(stream, sent=np.where(chosen, batch, stream.sent))
    fault = Fault(kind=FaultKind.LATE, since=since, until=until, parameters={"delay_h": delay_h})
    return _faulted(stream, fault, changed, detail={"delay_h": delay_h})


def _joined(stream: Stream, more: Stream) -> Stream:
    return replace(
        stream,
        at=np.concatenate([stream.at, more.at]),
        value=np.concatenate([stream.value, more.value]),
        sent=np.concatenate([stream.sent, more.sent]),
        device=np.concatenate([stream.device, more.device]),
        unit=np.concatenate([stream.unit, more.unit]),
    )


def duplicate(
    stream: Stream, *, since: np.datetime64, until: np.datetime64, after_s: int = 5, add: float = 0.0
) -> Faulted:
    """Send each reading once more `after_s` later, with the same value or revised by `add` (the later one holds)."""
    again = stream.take(stream.stated_in(since, until))
    again = replace(
        again,
        sent=again.sent + np.timedelta64(after_s, "s"),
        value=again.value if not add else np.round(again.value + add, stream.decimals),
    )
    fault = Fault(kind=FaultKind.DUPLICATE, since=since, until=until, parameters={"after_s": after_s, "add": add})
    changed = _joined(stream, again)
    detail = {"after_s": after_s, "add": _in_canonical(stream, add), "readings": len(again)}
    return _faulted(stream, fault, changed, amount=_in_canonical(stream, add), detail=detail)


def out_of_order(
    stream: Stream, *, since: np.datetime64, until: np.datetime64, within_s: int = 7200, seed: int = 0
) -> Faulted:
    """Let each reading be held up by up to `within_s`, so that they overtake each other."""
    chosen = stream.stated_in(since, until)
    held_up = uniform(seed_of(seed, "held up"), micros(stream.at) // S_US) * within_s * S_US
    changed = replace(stream, sent=np.where(chosen, stream.sent + held_up.astype("timedelta64[us]"), stream.sent))
    fault = Fault(
        kind=FaultKind.OUT_OF_ORDER, since=since, until=until, parameters={"within_s": within_s, "seed": seed}
    )
    return _faulted(stream, fault, changed, detail={"within_s": within_s})


def clock_drift(stream: Stream, *, since: np.datetime64, until: np.datetime64 = OPEN_END, s_per_day: float) -> Faulted:
    """Let the meter's clock gain (or lose) seconds every day until it is set right; values are the true ones."""
    gained = np.trunc(_seconds(stream, since, until) / 86400 * s_per_day).astype(np.int64)
    at = stream.at + (np.where(stream.stated_in(since, until), gained, 0) * S_US).astype("timedelta64[us]")
    fault = Fault(kind=FaultKind.CLOCK_DRIFT, since=since, until=until, parameters={"s_per_day": s_per_day})
    days = float(micros(until) - micros(since)) / S_US / 86400
    detail = {"s_per_day": s_per_day, "most_s": None if until >= OPEN_END else int(days * s_per_day)}
    return _faulted(stream, fault, replace(stream, at=at), detail=detail)


def burst_messages(stream: Stream, *, since: np.datetime64, until: np.datetime64, every_s: int = 2) -> Faulted:
    """Send a reading every few seconds for a while besides the ordinary ones."""
    extra = _between(stream, np.arange(since, until, np.timedelta64(every_s, "s")).astype("datetime64[us]"))
    fault = Fault(kind=FaultKind.BURST_MESSAGES, since=since, until=until, parameters={"every_s": every_s})
    detail = {"every_s": every_s, "readings": len(extra)}
    return _faulted(stream, fault, _joined(stream, extra), detail=detail)


def _between(stream: Stream, at: Instants) -> Stream:
    """Return dial readings between the stream's own, none where the dial does not simply rise."""
    if not len(stream):
        return stream
    order = np.argsort(stream.at, kind="stable")
    times, values = micros(stream.at[order]), stream.value[order]
    after = np.searchsorted(times, micros(at), side="left")
    known: Bools = (after > 0) & (after < len(times))
    at, after = at[known], after[known]
    rising = (values[after] >= values[after - 1]) & (times[after] != micros(at))
    at, after = at[rising], after[rising]
    steps = np.interp(micros(at), times, values) * 10**stream.decimals
    out = stream.take(order[after - 1])
    return replace(out, at=at, sent=at, value=np.floor(steps + 1e-6) / 10**stream.decimals)


_FUNCTIONS: Final[Mapping[FaultKind, Callable[..., Faulted]]] = {
    FaultKind.LEAK: leak,
    FaultKind.BURST_FLOW: burst_flow,
    FaultKind.STUCK: stuck,
    FaultKind.DEAD: dead,
    FaultKind.ZERO: zero,
    FaultKind.GLITCH: glitch,
    FaultKind.ROLLOVER: rollover,
    FaultKind.SWAP: swap,
    FaultKind.UNIT_CHANGE: unit_change,
    FaultKind.GAP: gap,
    FaultKind.LATE: late,
    FaultKind.DUPLICATE: duplicate,
    FaultKind.OUT_OF_ORDER: out_of_order,
    FaultKind.CLOCK_DRIFT: clock_drift,
    FaultKind.BURST_MESSAGES: burst_messages,
}


def lay(stream: Stream, fault: Fault) -> Faulted:
    """Lay a fault on a stream."""
    return _FUNCTIONS[fault.kind](stream, since=fault.since, until=fault.until, **fault.parameters)
