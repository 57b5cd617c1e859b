"""What values rest on in the process that serves the API."""

from api.room import Room
from core.gaps import DayTypes
from services.stands import Live


def live_of(room: Room) -> Live:
    """Return what there is now, of the whole region: a report is told of all of it, whoever asks."""
    deps = room.region.deps
    holidays = deps.facts.holidays if deps.facts is not None else frozenset()
    return Live(
        readings=deps.readings,
        records=deps.records,
        dated=deps.dated,
        facts=deps.facts,
        code=deps.version,
        day_types=DayTypes(zone=deps.zone, holidays=holidays),
        zone=deps.zone,
    )
