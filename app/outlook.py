"""Working out what the first page tells: done by the worker every hour, as the models are."""

from datetime import timedelta

from app.clock import now
from app.recurring import Stopped
from app.wiring import Parts
from core.registry import Building, Measure, Point
from services.outlook import Outlook, expectations, keep_outlook, peaks
from services.savings import Savings


def work_out(parts: Parts, stopped: Stopped) -> None:
    """Work out the outlook as of yesterday and keep it; one that was stopped half way is not kept."""
    register, at = parts.register.view(), now()
    last = at.astimezone(parts.facts.zone).date() - timedelta(days=1)
    points, measures = register.find(Point), register.find(Measure)
    owners = {building.id: building for building in register.find(Building)}
    found = Outlook(
        last=last,
        points=tuple(expectations(parts.baselines(), points, measures, last, stopped=stopped)),
        shares=tuple(Savings(parts.baselines()).shares({p.id: p for p in points}, measures, last, stopped=stopped)),
        peaks=tuple(
            peaks(points, owners, last, ask=parts.ask, tables=parts.dated, zone=parts.facts.zone, stopped=stopped)
        ),
    )
    if not stopped():
        keep_outlook(parts.records, found, at)
