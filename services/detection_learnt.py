"""What was learnt of a point when all of it was looked at: by what newer readings are judged, and what is told of it.

It is kept in the record store, so a restart goes on where the last evaluation was.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np

from analytics.anomalies.capacity import errors_now
from analytics.anomalies.screen_days import Beside as DaysBeside
from analytics.anomalies.screen_days import DayScreen, day_screen
from analytics.anomalies.screen_flow import FlowScreen, flow_screen
from analytics.anomalies.screen_meter import MeterScreen, meter_screen
from analytics.anomalies.tuning import Tuning
from analytics.anomalies.waste import Days
from analytics.baseline.cleaning import Commodity as Kind
from core.detectors import Learnt
from core.registry import DialEvent, Meter, Point
from services.detection import PointReport, Told

VERSION: Final = 2
"""Of what is learnt: another one learns all points anew."""
LEAST_HOURS: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLearnt:
    """What was learnt of a point until an instant; the screens are None where there is nothing to look at by them.

    `of` says of which register and settings it was learnt. `model` (as JSON) foretells days until `model_until`.
    """

    of: str
    until: datetime
    meter: MeterScreen | None
    flow: FlowScreen | None
    days: DayScreen | None
    errors_kw: tuple[float, ...]
    report: PointReport
    model: dict[str, Any] | None = None
    model_until: int = 0
    events: bool = False

    def stored(self) -> Learnt:
        """Return it as the record store keeps it."""
        return Learnt(point=self.report.point, until=self.until, content=_ENCODER.encode((VERSION, self)))


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=float)
_DECODER: Final = msgspec.msgpack.Decoder(tuple[int, PointLearnt])


def of_stored(kept: Learnt) -> PointLearnt | None:
    """Return what is kept, None where another version made it."""
    try:
        return _DECODER.decode(kept.content)[1]
    except msgspec.MsgspecError:
        return None


def fingerprint(
    point: Point, meters: Sequence[Meter], events: Sequence[DialEvent], tuning: Tuning, beside: Sequence[object] = ()
) -> str:
    """Return a text that differs where a point is measured, set or compared otherwise."""
    told = repr((VERSION, point, meters, events, sorted(tuning.factors.items()), sorted(tuning.off), beside))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def learnt_of(told: Told, report: PointReport, tuning: Tuning, of: str, now: datetime) -> PointLearnt:
    """Return what was learnt of a point by looking at all of it."""
    watching, shown = told.watching, told.shown
    kind = watching.kind or Kind.ELECTRICITY
    found, hours, seen = list(told.found), shown.hours, shown.seen
    meter = None if seen is None or not len(seen.watched.at_us) else meter_screen(seen, kind, found, tuning)
    water = watching.kind is Kind.WATER and hours is not None and len(hours) >= LEAST_HOURS
    expectation = told.beside.expectation
    model = None if expectation is None else expectation.model
    return PointLearnt(
        of=of,
        until=now,
        meter=meter,
        flow=flow_screen(hours, found) if water and hours is not None else None,
        days=_days(told, tuning),
        errors_kw=_errors(told),
        report=report,
        model=None if model is None else model.to_json(),
        model_until=0 if expectation is None else expectation.model_until,
        events=expectation is not None and expectation.left_out is not None,
    )


def _days(told: Told, tuning: Tuning) -> DayScreen | None:
    shown = told.shown
    if shown.days is None or not np.isfinite(shown.days.total).any():
        return None
    whole = _whole(shown.days)
    cut = len(whole.day)
    beside = DaysBeside(
        holiday=np.isin(whole.day, told.watching.watched.holidays),
        expected=None if shown.expected is None else shown.expected[:cut],
        temp_c=None if shown.temp_c is None else shown.temp_c[:cut],
        sun=None if shown.sun is None else shown.sun[:cut],
    )
    return day_screen(whole, beside, tuning) if cut else None


def _whole(days: Days) -> Days:
    """Return days without the last, which still runs."""
    names = ("day", "total", "base", "free", "weekend", "start_us", "known_us")
    return replace(days, **{name: getattr(days, name)[:-1] for name in names})


def _errors(told: Told) -> tuple[float, ...]:
    seen = told.shown.seen
    if seen is None or not told.watching.point.reserved_kw or not len(seen.steps):
        return ()
    energy = np.cumsum(np.maximum(seen.steps.counted, 0.0))
    return tuple(errors_now(seen.steps.at_us, energy).tolist())
