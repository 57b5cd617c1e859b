"""A load becomes a dial: unit, resolution, digits, start, instants of reading; and the stream of what it sends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from core.calendar import Bools, Instants, Longs, micros
from core.errors import InputError
from core.readings import Codes, Floats, Readings, SeriesKey, concat
from core.rollup import NANO
from core.units import CANONICAL, unit
from simulators.loads import Load
from simulators.noise import seed_of, uniform
from simulators.truth import consumed_nano

S_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """What a meter shows: `unit`, `decimals` (resolution), `digits` before the mark (None: never rolls over).

    `first` is the dial [unit] when mounted; a reading is due every `interval_s`, `phase_s` after the whole interval
    and up to `jitter_s` later.
    """

    unit: str = "kWh"
    decimals: int = 3
    digits: int | None = None
    first: float = 0.0
    interval_s: int = 900
    phase_s: int = 0
    jitter_s: int = 0

    def __post_init__(self) -> None:
        if self.interval_s <= 0 or self.jitter_s < 0 or self.phase_s < 0:
            raise InputError(f"interval {self.interval_s} s cannot be", remedy="write one above 0, no negative delays")
        if self.jitter_s + self.phase_s >= self.interval_s:
            raise InputError("jitter and phase reach into the next interval", remedy="keep both below the interval")

    @property
    def canonical_unit(self) -> str:
        """The canonical unit of what is counted (kWh, m³)."""
        return CANONICAL[unit(self.unit).quantity]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMeter:
    """A dial on a load: `device` is the name it publishes under, `mounted` the instant from which it counts."""

    device: str
    point: str
    register: str
    load: Load
    dial: Dial
    mounted: np.datetime64


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a meter sends, in order of sending; one entry a reading in every array.

    `at` is the instant that the reading states, `sent` when it goes out, `value` the dial in `units[unit]`, said under
    the name `devices[device]`. `decimals` and `digits` are the dial's.
    """

    register: str
    decimals: int
    digits: int | None
    devices: tuple[str, ...]
    units: tuple[str, ...]
    at: Instants
    value: Floats
    sent: Instants
    device: Codes
    unit: Codes

    def __len__(self) -> int:
        return len(self.at)

    def take(self, chosen: npt.NDArray[np.generic]) -> Self:
        """Return the readings that an index or mask chooses."""
        columns = {name: getattr(self, name)[chosen] for name in ("at", "value", "sent", "device", "unit")}
        return replace(self, **columns)

    def by_sending(self) -> Self:
        """Return the stream in order of sending; readings sent together keep their order."""
        return self.take(np.argsort(self.sent, kind="stable"))

    def stated_in(self, since: np.datetime64, until: np.datetime64) -> Bools:
        """Return which readings state an instant in [since, until)."""
        return np.asarray((self.at >= since) & (self.at < until))


def read_instants(meter: SimulatedMeter, start: np.datetime64, end: np.datetime64, every_s: int = 0) -> Instants:
    """Return the instants in [start, end) at which the meter is read; with `every_s` only each so many seconds."""
    dial = meter.dial
    step = dial.interval_s * S_US
    first, last = int(micros(start)) // step - 1, int(micros(end)) // step + 1
    number = np.arange(first, last + 1)
    number = number[number % max(1, every_s // dial.interval_s) == 0]
    delay = np.floor(uniform(seed_of(meter.device, "jitter"), number) * (dial.jitter_s + 1)).astype(np.int64)
    at = (number * step + (dial.phase_s + np.minimum(delay, dial.jitter_s)) * S_US).astype("datetime64[us]")
    return np.asarray(at[(at >= start) & (at < end) & (at >= meter.mounted)])


def dial_steps(dial: Dial, nano: Longs) -> Longs:
    """Return the dial in steps of its last digit after `nano` have passed: whole steps, never rounded up."""
    known = unit(dial.unit)
    step_nano = known.scale * NANO / known.divisor / 10**dial.decimals
    whole = step_nano == int(step_nano)
    passed = nano // int(step_nano) if whole else np.floor(nano / step_nano).astype(np.int64)
    steps = round(dial.first * 10**dial.decimals) + passed
    return np.asarray(steps if dial.digits is None else steps % 10 ** (dial.digits + dial.decimals))


def read(meter: SimulatedMeter, start: np.datetime64, end: np.datetime64, *, every_s: int = 0) -> Stream:
    """Return the meter's faultless readings that state an instant in [start, end), sent at once."""
    at = read_instants(meter, start, end, every_s)
    value = dial_steps(meter.dial, consumed_nano(meter.load, meter.mounted, at)) / 10**meter.dial.decimals
    code = np.zeros(len(at), np.int32)
    return Stream(
        register=meter.register,
        decimals=meter.dial.decimals,
        digits=meter.dial.digits,
        devices=(meter.device,),
        units=(meter.dial.unit,),
        at=at,
        value=value,
        sent=at,
        device=code,
        unit=code,
    )


def canonical(value: Floats, name: str) -> Floats:
    """Return values of a unit in the canonical one, as the edge of ingestion does."""
    known = unit(name)
    return np.asarray(value * known.scale / known.divisor + known.offset)


def canonical_values(stream: Stream) -> Floats:
    """Return the stream's values in canonical units."""
    out = np.empty(len(stream))
    for code, name in enumerate(stream.units):
        chosen = stream.unit == code
        out[chosen] = canonical(stream.value[chosen], name)
    return out


def as_readings(streams: Sequence[Stream], *, source: str = "simulator") -> Readings:
    """Return the streams as the readings that a store keeps, canonical, received when they were sent."""
    return concat(
        Readings.of(
            [SeriesKey(device, s.register) for device in s.devices],
            s.device,
            s.at,
            canonical_values(s),
            received=s.sent,
            source=source,
        )
        for s in streams
    )
