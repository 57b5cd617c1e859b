"""The fault streams on which six peers' arithmetic was measured: 30 days of quarter-hour dials, each with one fault.

The dial stands at 120,000 kWh; the building draws by day and night around a mean. Each row tells the true total of the
month and, where a meter was swapped, the event that an operator would have recorded.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from core.calendar import Instants, Longs, instant, moment
from core.readings import Floats
from core.registry import DialEvent, EventKind
from simulators.noise import seed_of, uniform

START: Final = datetime(2025, 4, 30, 22, 0, tzinfo=UTC)
"""1 May 2025 in Prague; the 30 days end inside the month."""
DAYS: Final = 30
QUARTERS: Final = DAYS * 96
DIAL_KWH: Final = 120_000.0
_WH: Final = 1000
_FIVE_DIGITS: Final = 100_000.0
_FAULT_AT: Final = QUARTERS // 2
_SWAP_AFTER: Final = np.timedelta64(7 * 60, "s")
DEVICE: Final = "peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStream:
    """A row: the readings (n instants in UTC, dial in kWh), the truth, and what an operator may know.

    `total_kwh` is consumed from the first to the last instant of `span`. `event` is the recorded swap, None where
    nothing was swapped; `digits` are those of the dial, None where it does not roll over; `max_kw` is a fair rating.
    """

    name: str
    at: Instants
    dial_kwh: Floats
    total_kwh: float
    span: tuple[np.datetime64, np.datetime64]
    event: DialEvent | None = None
    digits: int | None = None
    max_kw: float


def _amounts_wh(mean_kw: float, seed: int) -> Longs:
    """Return whole Wh of each quarter-hour: a day and night profile with noise, the mean met exactly."""
    number = np.arange(QUARTERS)
    hour = (number % 96) / 4
    day = 0.45 + 1.1 * np.clip(np.sin((hour - 5) / 15 * np.pi), 0, None) * ((hour > 5) & (hour < 20))  # noqa: PLR2004 - the working day
    shape = day * (0.9 + 0.2 * uniform(seed_of(seed, mean_kw), number))
    total = round(mean_kw * 24 * DAYS * _WH)
    edges = np.rint(np.concatenate([[0.0], np.cumsum(shape)]) / shape.sum() * total).astype(np.int64)
    return np.asarray(np.diff(edges))


def _row(name: str, mean_kw: float, at: Instants, dial_kwh: Floats, **more: object) -> PeerStream:
    return PeerStream(
        name=name,
        at=at,
        dial_kwh=np.round(dial_kwh, 3),
        total_kwh=mean_kw * 24 * DAYS,
        span=(instant(START), instant(START + timedelta(days=DAYS))),
        max_kw=mean_kw * 5,
        **more,  # type: ignore[arg-type]  # names of PeerStream's own fields
    )


def _swap(name: str, mean_kw: float, at: Instants, dial_kwh: Floats, first: float | None) -> PeerStream:
    """Return the stream with the meter exchanged in the middle; first None is 95 % of the old dial."""
    when = at[_FAULT_AT] + _SWAP_AFTER
    rise = dial_kwh[_FAULT_AT + 1] - dial_kwh[_FAULT_AT]
    final = round(float(dial_kwh[_FAULT_AT] + rise * (_SWAP_AFTER / np.timedelta64(900, "s"))), 3)
    begun = round(final * 0.95, 3) if first is None else first
    after = at > when
    event = DialEvent(
        id=f"peer-{re.sub(r'[^a-z0-9]+', '-', name)}",
        meter=DEVICE,
        at=moment(when),
        kind=EventKind.SWAP,
        final=final,
        first=begun,
        register="energy.import",
    )
    return _row(name, mean_kw, at, np.where(after, dial_kwh - final + begun, dial_kwh), event=event)


def _glitch(
    name: str, mean_kw: float, at: Instants, dial_kwh: Floats, *, factor: float = 1.0, add: float = 0.0
) -> PeerStream:
    wrong = dial_kwh.copy()
    wrong[_FAULT_AT] = wrong[_FAULT_AT] * factor + add
    return _row(name, mean_kw, at, wrong)


def peer_fault_streams(mean_kw: float, *, seed: int = 1) -> list[PeerStream]:
    """Return the nine rows for a building of this mean power [kW]: 720 h x mean is the true total of each."""
    at = instant(START) + np.arange(QUARTERS + 1) * np.timedelta64(900, "s").astype("timedelta64[us]")
    passed = np.concatenate([[0], np.cumsum(_amounts_wh(mean_kw, seed))]) / _WH
    dial = np.round(DIAL_KWH + passed, 3)
    in_gap = (np.arange(QUARTERS + 1) > _FAULT_AT) & (np.arange(QUARTERS + 1) < _FAULT_AT + 36 * 4)
    half = passed[_FAULT_AT]
    rolled = np.round(_FIVE_DIGITS - half + passed, 3) % _FIVE_DIGITS
    final = float(dial[_FAULT_AT])
    return [
        _row("clean", mean_kw, at, dial),
        _row("36 h radio gap", mean_kw, at[~in_gap], dial[~in_gap]),
        _swap("swap, new dial 0", mean_kw, at, dial, 0.0),
        _swap("swap, refurbished dial at 95 % of old", mean_kw, at, dial, None),
        _swap("swap, dial 330,000 higher", mean_kw, at, dial, round(final + 330_000, 3)),
        _row("rollover 99,999", mean_kw, at, rolled, digits=5),
        _glitch("one zero glitch", mean_kw, at, dial, factor=0.0),
        _glitch("one -25 kWh glitch", mean_kw, at, dial, add=-25.0),
        _glitch("one +5,000 kWh glitch", mean_kw, at, dial, add=5000.0),
    ]
