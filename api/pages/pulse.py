"""Which points are heard: the newest reading of each, and whether the point is alive, silent, or was never heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from api.room import Room
from api.texts import N_
from core.calendar import instant, micros, moment
from core.readings import Quality
from core.registry import Point, Role
from core.registry import Register as RegisterName
from core.units import CANONICAL

HEARD_WITHIN: Final = timedelta(days=1)
"""A meter that sends by itself is silent after a day without a reading; detectors tell it sooner, and by its habits."""
READ_WITHIN: Final = timedelta(days=62)
"""A meter that people read is silent after two months."""


class State(StrEnum):
    """How a point is heard."""

    ALIVE = "alive"
    SILENT = "silent"
    NEVER = "never_heard"
    UNMETERED = "unmetered"


TEXTS: Final = {
    State.ALIVE: N_("alive"),
    State.SILENT: N_("silent"),
    State.NEVER: N_("never heard"),
    State.UNMETERED: N_("without meter"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """A point's newest reading on the meters that stand on it: as its dial shows it, in the canonical unit."""

    point: str
    at: datetime
    device: str
    register: str
    value: float
    unit: str
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How a point is heard; `newest` None where it never was."""

    state: State
    newest: Newest | None


def newest_of(room: Room, points: Sequence[Point]) -> dict[str, Newest]:
    """Return the newest reading of each point that has one."""
    now, readings = room.now(), room.deps.readings
    ids = [p.id for p in points]
    devices = sorted({m.device for key in ids for m in now.meters_of.get(key, ())})
    mountings = now.mountings(ids, readings.known(devices)) if devices else []
    keys = list(dict.fromkeys(m.key for m in mountings))
    if not keys:
        return {}
    found = readings.latest(keys)
    rows = {found.series[code]: row for row, code in enumerate(found.code.tolist())}
    at_us, value, quality = micros(found.at), found.value, found.quality
    newest: dict[str, tuple[int, Newest]] = {}
    for m in mountings:
        row = rows.get(m.key)
        if row is None or at_us[row] < micros(instant(m.since)):
            continue
        until = int(at_us[row]) if m.until is None else min(int(at_us[row]), int(micros(instant(m.until))))
        if m.point not in newest or until > newest[m.point][0]:
            newest[m.point] = (
                until,
                Newest(
                    point=m.point,
                    at=moment(np.datetime64(until, "us")),
                    device=m.key.meter,
                    register=m.key.register,
                    value=float(value[row]),
                    unit=CANONICAL.get(RegisterName.parse(m.key.register).quantity, ""),
                    by_hand=bool(quality[row] & Quality.MANUAL),
                ),
            )
    return {point: one for point, (_, one) in newest.items()}


def pulses(room: Room, points: Sequence[Point]) -> dict[str, Pulse]:
    """Return how each point is heard."""
    newest, now, held = newest_of(room, points), room.deps.clock(), room.now()
    return {
        p.id: Pulse(
            state=_state(p, newest.get(p.id), now, metered=bool(held.meters_of.get(p.id))), newest=newest.get(p.id)
        )
        for p in points
    }


def _state(point: Point, newest: Newest | None, now: datetime, *, metered: bool) -> State:
    if point.role is Role.VIRTUAL or not metered:
        return State.UNMETERED
    if newest is None:
        return State.NEVER
    usual = READ_WITHIN if newest.by_hand else HEARD_WITHIN
    allowed = max(usual, timedelta(hours=point.allowed_gap_h or 0))
    return State.ALIVE if now - newest.at <= allowed else State.SILENT
