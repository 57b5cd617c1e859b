"""What a message would come to, as JSON lines: `odecet decode`, the tests in profiles and the wizard say it alike."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from core.calendar import moment
from core.readings import Kind, Quality, Readings, SeriesKey
from core.registry import Register
from core.units import CANONICAL, Quantity
from ingest.accept import Bounds, accept
from ingest.message import Message
from ingest.profile import Decoded, Profile, Reject, Router

KINDS: Final = {Kind.CUMULATIVE: "cumulative", Kind.INTERVAL: "interval", Kind.DELTA: "delta", Kind.GAUGE: "gauge"}

Line = dict[str, Any]


def explain(message: Message, router: Router, *, now: np.datetime64, bounds: Bounds) -> Line:
    """Return what would be read of a message: readings, or why it is ignored or rejected.

    Bounds of value and time are kept; what is stored already is not looked at, so a retained message is read as well.
    """
    profile, reason, detail = router.choose(message)
    if profile is None:
        return {"rejected": f"{reason}: {detail}"}
    if not message.payload and not profile.reads_empty:
        return {"ignored": "removed"} if message.retained else {"rejected": "empty: nothing is in it"}
    live = Message(topic=message.topic, payload=message.payload, received=message.received)
    decoded = accept(profile.decode([live], detailed=True), [live], now=now, latest=_nothing_stored, bounds=bounds)
    return line_of(decoded, profile)


def _nothing_stored(_series: Sequence[SeriesKey]) -> Readings:
    return Readings.empty()


def line_of(decoded: Decoded, profile: Profile) -> Line:
    """Return what was decoded of one message as a line."""
    wrong = "; ".join(_told(reject) for reject in decoded.rejects)
    if len(decoded.readings):
        line: Line = {"readings": [_reading(decoded, row, profile.name) for row in range(len(decoded.readings))]}
        return line | ({"problems": wrong} if wrong else {})
    if wrong:
        return {"rejected": wrong}
    if decoded.ignored:
        return {"ignored": decoded.ignored[0].reason}
    return {"rejected": f"no_readings: profile {profile.name} found nothing in it"}


def _told(reject: Reject) -> str:
    what = f"{reject.reason}: {reject.detail}" if reject.detail else reject.reason
    return f"{reject.place}: {what}" if reject.place else what


def _reading(decoded: Decoded, row: int, profile: str) -> Line:
    readings = decoded.readings
    key, origin = readings.series[int(readings.code[row])], decoded.origins[row]
    quantity, direction, unit = meaning_of(key.register)
    arrived = int(readings.quality[row]) & Quality.ARRIVAL_TIME
    line: Line = {
        "meter": key.meter,
        "quantity": quantity,
        "register": direction,
        "kind": KINDS[Kind(int(readings.kind[row]))],
        "value": float(readings.value[row]),
        "unit": unit,
        "at": None if arrived else moment(readings.at[row]).isoformat().replace("+00:00", "Z"),
        "field": origin.field,
        "source_value": origin.source_value,
        "source_unit": origin.source_unit,
        "profile": profile,
    }
    return line | ({"span_s": int(readings.span_s[row])} if readings.span_s[row] else {})


def meaning_of(register: str) -> tuple[str | None, str, str | None]:
    """Return quantity, direction and unit of a register; without unit where none is stated."""
    found = Register.parse(register)
    if found.quantity is not Quantity.UNSTATED:
        return str(found.quantity), found.direction, CANONICAL[found.quantity]
    head, dot, rest = found.direction.partition(".")
    if dot and head in set(Quantity):
        return head, rest, None
    return None, found.direction, None
