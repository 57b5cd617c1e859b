"""The simulated meters of this process as API and pages ask for them, and what was found against the truth."""

from datetime import timedelta
from typing import Final

from api.problems import Refused
from api.room import Room
from core.alerts import AlertFilter
from core.simulations import Simulations, SimulationState
from services.simulated_truth import Comparison, Places, compared

MOST_ALERTS: Final = 5_000
BEFORE: Final = timedelta(days=2)


def simulations_of(room: Room) -> Simulations:
    """Return the simulated meters of this process; raise Refused where it runs none."""
    if room.deps.simulations is None:
        raise Refused(503, "This process runs no simulated meters; ask the one that ingests and serves together.")
    return room.deps.simulations


def comparison(room: Room, state: SimulationState) -> Comparison:
    """Return what was found of what was planted, of the meters as the register has them now."""
    records, now = room.region.deps.records, room.region.now()
    names = {name for one in state.planted for name in one.devices} | {meter.device for meter in state.meters}
    places = Places.of(
        [meter for meter in now.meters.values() if meter.device in names],
        {point.id: point.building for point in now.points.values()},
    )
    points = sorted(places.points_of(sorted(names)))
    buildings = tuple(sorted({places.buildings[point] for point in points if point in places.buildings}))
    asked = AlertFilter(buildings=buildings, bare=True)
    since = min([one.since for one in state.planted] + ([state.begun] if state.begun else []), default=None)
    return compared(
        state.planted,
        sorted(names),
        places,
        alerts=records.alerts(asked, limit=MOST_ALERTS) if buildings else [],
        findings=records.findings(points=points, start=since and since - BEFORE) if points else [],
        now=room.deps.clock(),
    )
