"""The region now: consumption against last year and the weather, alerts by loss, savings, capacity, quality, live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from alerts.wording import loss, title
from api.access import allowed
from api.pages.charts import stacked_by_month
from api.pages.drawings import Spark, spark
from api.pages.figures import Carrier, Figure, Versus, Year, carriers, use_of
from api.pages.held import held_outlook, held_year, state_of
from api.pages.pulse import Newest, Pulse, State, pulses
from api.pages.view import Seen, Viewer
from api.routes.measures import ALL_TIME
from api.snapshot import Snapshot
from api.texts import Language
from core.alerts import ACTIVE, Alert, AlertFilter
from core.calendar import Period
from core.people import Right
from core.registry import Commodity, Point
from services.measures import UnitSaving, once, within
from services.outlook import Expected, Outlook

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

ENERGY: Final = (Commodity.ELECTRICITY, Commodity.GAS, Commodity.HEAT)
QUALITY_DAYS: Final = 30
SHOWN_ALERTS: Final = 6
SHOWN_PEAKS: Final = 5
SHOWN_SILENT: Final = 5
SHOWN_READINGS: Final = 8
NEAR_RESERVED: Final = 0.8
"""Points that used less of what is reserved need no look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A carrier: this year and this month against last year, and against what the weather let expect."""

    carrier: Carrier
    name: str
    year: Versus
    month: Versus | None
    expected: Expected | None
    of_points: int
    trend: Spark | None

    @property
    def wanted(self) -> bool:
        """Whether more is better."""
        return self.carrier.commodity is Commodity.PV


@router.get("/")
def overview(v: Seen) -> Response:
    """Show the region."""
    now, held = v.room.now(), v.request.app.state.held
    points = list(now.points.values())
    if not now.buildings:
        return v.page("empty.html")
    year, outlook = held_year(held, v.room, points), held_outlook(held, v.room)
    grouped = carriers(v.room, points, year)
    return v.page(
        "overview.html",
        span=year.span,
        month=v.words.long_month(year.last_month.month),
        building_count=len(now.buildings),
        point_count=len(points),
        cards=[card(v.words, c, year, outlook) for c in grouped],
        outlook=outlook,
        chart=energy_chart(v.words, year, grouped),
        quality=held.get(("quality", tuple(now.points)), state_of(v.room), lambda: _quality(v, points)),
        **alerts_shown(v),
        saved=_saved(v, outlook),
        peaks=[p for p in (outlook.peaks if outlook else ()) if p.point in now.points and p.share >= NEAR_RESERVED],
        peak_count=sum(p.point in now.points for p in (outlook.peaks if outlook else ())),
        points=now.points,
        buildings=now.buildings,
        shown_peaks=SHOWN_PEAKS,
        **live_of(v, points),
    )


def card(words: Language, carrier: Carrier, year: Year, outlook: Outlook | None) -> Card:
    """Return what is told of a carrier."""
    found = year.of(carrier.points)
    if found is None:  # a carrier has points
        raise AssertionError(carrier)
    ids = [p.id for p in carrier.points]
    expected, known = outlook.together(ids) if outlook is not None else (None, 0)
    name = words.label(carrier.commodity)
    return Card(
        carrier=carrier,
        name=f"{name} ({carrier.unit})" if carrier.several else name,
        year=found,
        month=year.month(carrier.points),
        expected=expected,
        of_points=known,
        trend=spark(year.trend(carrier.points)),
    )


# Alerts, savings, quality


def alerts_shown(v: Viewer, building: str = "") -> dict[str, Any]:
    """Return the alerts (of a building) that cost most, their number, and what all of them cost a day."""
    asked = AlertFilter(states=ACTIVE, buildings=(building,) if building else ())
    found = v.room.deps.records.alerts(asked)
    found = sorted(found, key=lambda a: (-(a.loss_czk_per_day or 0.0), -a.severity.rank, a.opened_at))
    priced = [a.loss_czk_per_day for a in found if a.loss_czk_per_day and a.standing]
    now, code = v.room.now(), v.words.code

    def place(alert: Alert) -> str:
        building, point = now.buildings.get(alert.building), now.points.get(alert.subject)
        return ", ".join(filter(None, (building.name if building else "", point.name if point else alert.subject)))

    return {
        "alerts": found[:SHOWN_ALERTS],
        "alert_count": len(found),
        "loss_czk": sum(priced) if priced else None,
        "title": lambda alert: title(alert.rule, code),
        "loss": lambda alert: loss(alert, code),
        "place": place,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What the plan's measures saved in one unit: so far and this year, verified."""

    unit: str
    so_far: UnitSaving
    year: UnitSaving | None


def _saved(v: Viewer, outlook: Outlook | None) -> list[Saved]:
    """Return the verified savings of the plan's measures at the points that the reader sees."""
    if outlook is None:
        return []
    now = v.room.now()
    plan = {m.id for m in now.measures.values() if m.activity}
    seen = [s for s in outlook.shares if s.measure in plan and s.point in now.points]
    shares = once(seen, now.points)
    last = outlook.last
    year = {u.unit: u for u in within(shares, last.replace(month=1, day=1), last, until=last)}
    return [Saved(unit=u.unit, so_far=u, year=year.get(u.unit)) for u in within(shares, ALL_TIME, last, until=last)]


def _quality(v: Viewer, points: Sequence[Point]) -> Figure | None:
    """Return how well the last days are known, over all points with a meter."""
    cut = v.now.astimezone(v.room.deps.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    now = v.room.now()
    metered = [p for p in points if now.meters_of.get(p.id)]
    days = use_of(v.room, metered, Period.DAY, cut - timedelta(days=QUALITY_DAYS), cut)
    return days.shares([p.id for p in metered])


# Live


@router.get("/live")
def live(v: Seen) -> Response:
    """Show what has just come, for the page to ask again and again."""
    return v.page("live.html", **live_of(v, list(v.room.now().points.values())))


def live_of(v: Viewer, points: Sequence[Point]) -> dict[str, Any]:
    """Return what the live part of the page shows: the newest readings, and who is silent."""
    now, found = v.room.now(), pulses(v.room, points)
    newest = sorted((p.newest for p in found.values() if p.newest is not None), key=lambda n: n.at, reverse=True)
    silent = sorted((key for key, p in found.items() if p.state is State.SILENT), key=lambda key: _at(found[key]))
    return {
        "newest": [_feed(now, one) for one in newest[:SHOWN_READINGS]],
        "last": newest[0].at if newest else None,
        "states": {state.value: sum(p.state is state for p in found.values()) for state in State},
        "silent": [(now.points[key], _at(found[key])) for key in silent[:SHOWN_SILENT]],
        "ingest": v.room.deps.ingest(),
        "quality_days": QUALITY_DAYS,
    }


def _at(pulse: Pulse) -> datetime:
    if pulse.newest is None:  # who is silent was heard
        raise AssertionError(pulse)
    return pulse.newest.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A reading of the live feed with its place."""

    point: Point
    building: str
    reading: Newest


def _feed(now: Snapshot, one: Newest) -> Heard:
    point = now.points[one.point]
    building = now.buildings.get(point.building)
    return Heard(point=point, building=building.name if building else "", reading=one)


# The chart


def energy_chart(words: Language, year: Year, grouped: Sequence[Carrier]) -> dict[str, Any] | None:
    """Return the energy by month and commodity [MWh], with the year before as a mark; None without energy."""
    chosen = [c for c in grouped if c.commodity in ENERGY and c.unit == "kWh"]
    if not chosen:
        return None
    months = [year.by_month(c.points) for c in chosen]
    rows = []
    for place in range(12):
        before = [m[place].before for m in months]
        known = [f.amount for f in before if f is not None and f.amount is not None]
        for carrier, held in zip(chosen, months, strict=True):
            now = held[place].now
            rows.append(
                {
                    "month": words.month(place + 1),
                    "place": place + 1,
                    "name": words.label(carrier.commodity),
                    "amount": now.amount / 1000 if now is not None and now.amount is not None else None,
                    "before": sum(known) / 1000 if known else None,
                    "note": quality_note(words, now),
                }
            )
    names = [(words.label(c.commodity), c.commodity.value) for c in chosen]
    about = words.text("Energy of the region by month, this year and the year before")
    return stacked_by_month(rows, unit="MWh", names=names, words=words, title=about)


def quality_note(words: Language, figure: Figure | None) -> str:
    """Return how well a figure is known, as text."""
    if figure is None:
        return words.text("no data yet")
    parts = [
        f"{words.share(value)} {words.text(name)}"
        for value, name in (
            (figure.measured, "measured"),
            (figure.estimated, "estimated"),
            (figure.missing, "missing"),
        )
        if value > 1e-9  # noqa: PLR2004 - rounding of sums of shares
    ]
    return ", ".join(parts)
