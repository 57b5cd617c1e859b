"""What pages derive from the register and the roll-ups, held until either changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar, cast

from api.pages.figures import Year, year_of
from api.room import Room
from core.registry import Point
from services.outlook import MADE, Outlook, kept_outlook
from services.rollup import DUE, TOKEN

T = TypeVar("T")
MOST: Final = 24
"""So many derivations are held: of a few kinds, each for the scopes of those who look most."""


class Held:
    """Holds derivations by what they were derived from; may be asked by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Hashable, object]] = OrderedDict()

    def get(self, key: Hashable, state: Hashable, make: Callable[[], T]) -> T:
        """Return what was derived under a key from a state of the world, made anew where that has changed."""
        with self._lock:
            found = self._held.get(key)
            if found is not None and found[0] == state:
                self._held.move_to_end(key)
                return cast("T", found[1])
        made = make()
        with self._lock:
            self._held[key] = (state, made)
            self._held.move_to_end(key)
            while len(self._held) > MOST:
                self._held.popitem(last=False)
        return made


def state_of(room: Room) -> Hashable:
    """Return what pages derive from, as it stands: the register, the roll-ups, the dated tables, the day.

    It is read before what is derived from it, so that a change meanwhile makes the derivation stale, not lost. While
    roll-ups are being computed their cursor stands already and the work that is due shrinks, so both are told.
    """
    records, zone = room.region.deps.records, room.deps.zone
    today = room.deps.clock().astimezone(zone).date()
    return today, room.now().version, room.deps.edition, records.kept(TOKEN), records.kept(DUE)


def held_year(held: Held, room: Room, points: Sequence[Point]) -> Year:
    """Return the year of points, as it stands."""
    ids = tuple(p.id for p in points)
    return held.get(("year", ids), state_of(room), lambda: year_of(room, points))


def held_outlook(held: Held, room: Room) -> Outlook | None:
    """Return what the worker worked out last, of the whole region; a page tells of it what its reader sees."""
    records = room.region.deps.records
    return held.get("outlook", records.kept(MADE), lambda: kept_outlook(records))
