"""Costs: what points cost in a year by part of the bill, and a point's demand against its reserved capacity."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.cost_rows import AdviceAnswer, DemandAnswer, advice_answer, demand_answer
from api.pages.emission_charts import duration, peaks
from api.pages.view import Seen, Viewer
from api.reasons import part_name, status_name, why
from api.routes.consumption import InScope
from api.routes.costs import MOST_WITH_DEMAND, owner_of
from api.spans import addable
from api.texts import Language
from core.calendar import Period
from core.people import Right
from core.registry import Commodity, Point
from core.tariffs import PARTS_OF, CostPart
from services.costs import PointCost, costs
from services.demand import advice, demand, year_until
from services.monthly_use import Months, months_of

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])


@dataclass(frozen=True, slots=True, kw_only=True)
class CommodityCost:
    """A commodity's costs: known parts and their sum; `whole` where every bill is; what is lacking by reason."""

    commodity: Commodity
    bills: tuple[PointCost, ...]
    parts: dict[str, float]
    known_czk: float | None
    whole: bool
    lacking: dict[str, list[str]]


@router.get("/costs")
def costs_page(v: Seen, scope: InScope, year: Annotated[int | None, Query(ge=1990, le=2100)] = None) -> Response:
    """Show the costs of a year."""
    zone, now = v.room.deps.zone, v.room.now()
    chosen = year or v.now.astimezone(zone).year
    months = _months(v, chosen, Period.YEAR)
    whose = addable(v.room, scope)
    reserved = [p for p in whose.points if p.commodity is Commodity.ELECTRICITY and p.reserved_kw]
    found = costs(
        whose.points,
        whose.buildings,
        months,
        ask=v.room.ask,
        tables=v.room.deps.dated,
        with_demand=len(reserved) <= MOST_WITH_DEMAND,
    )
    return v.page(
        "costs.html",
        scope=scope,
        named=[now.building(b).name for b in scope.buildings] + [now.organisation(o).name for o in scope.organisations],
        year=chosen,
        this_year=v.now.astimezone(zone).year,
        blocks=_blocks(found, v.words),
        reserved=reserved,
        buildings=now.buildings,
        part=lambda code: part_name(code, v.words),
    )


def _months(v: Viewer, year: int, period: Period) -> Months:
    zone = v.room.deps.zone
    return months_of(period, datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone), zone)


def _blocks(found: list[PointCost], words: Language) -> list[CommodityCost]:
    grouped: dict[Commodity, list[PointCost]] = defaultdict(list)
    for bill in found:
        grouped[bill.point.commodity].append(bill)
    return [_block(c, grouped[c], words) for c in Commodity if c in grouped]


def _block(commodity: Commodity, bills: list[PointCost], words: Language) -> CommodityCost:
    parts: dict[str, float] = {}
    lacking: dict[str, dict[str, None]] = defaultdict(dict)
    for bill in bills:
        for part in bill.parts:
            if part.known_czk is not None:
                parts[part.part] = parts.get(part.part, 0.0) + part.known_czk
            for code in part.reasons:
                lacking[why(code, words).text][part_name(part.part, words)] = None
    known = [b.known_czk for b in bills if b.known_czk is not None]
    return CommodityCost(
        commodity=commodity,
        bills=tuple(bills),
        parts={p: parts[p] for p in PARTS_OF[commodity] if parts.get(p) or (p is CostPart.BREACH and p in parts)},
        known_czk=sum(known) if known else None,
        whole=all(b.czk is not None for b in bills),
        lacking={text: list(names) for text, names in lacking.items()},
    )


@router.get("/demand/{key:path}")
def demand_page(v: Seen, key: str, year: Annotated[int | None, Query(ge=1990, le=2100)] = None) -> Response:
    """Show a point's demand: maxima by month, the duration curve, advice."""
    room, zone = v.room, v.room.deps.zone
    point = room.now().point(key)
    owner, chosen = owner_of(room, point), year or v.now.astimezone(zone).year
    months = _months(v, chosen, Period.MONTH)
    found = demand_answer(demand(point, owner, months, ask=room.ask, tables=room.deps.dated), v.words, zone)
    past = year_until(v.now, zone)
    told = advice(point, owner, past, ask=room.ask, tables=room.deps.dated)
    shown = advice_answer(point.id, told, v.words)
    return v.page(
        "demand.html",
        point=point,
        building=room.now().buildings.get(point.building),
        year=chosen,
        this_year=v.now.astimezone(zone).year,
        found=found,
        common=_common(found),
        curve=_curve(found, v.words),
        bars=_peaks(found, v.words),
        advice=shown,
        current=_current(shown, point, v),
        status_of=lambda code: status_name(code, v.words),
        peak_at=lambda text: v.minute(datetime.fromisoformat(text)),
    )


def _common(found: DemandAnswer) -> list[str]:
    """Return what is said of every month, to be said once."""
    told = [[reason.text for reason in month.reasons] for month in found.months]
    return [text for text in (told[0] if told else []) if all(text in texts for texts in told)]


def _current(shown: AdviceAnswer, point: Point, v: Viewer) -> float | None:
    today = v.now.astimezone(v.room.deps.zone).date()
    held = [d for d in point.reserved_kw if not d.kind and d.since <= today]
    return max(held, key=lambda d: d.since).value if held and shown.rule is not None else None


def _reserved(row: Any) -> float | None:  # noqa: ANN401 - a row of the answer
    if row.yearly_kw is None:
        return float(row.input_kw) if row.input_kw is not None else None
    return float(row.yearly_kw + row.monthly_kw)


def _curve(found: DemandAnswer, words: Language) -> dict[str, Any] | None:
    if not found.curve.power_kw:
        return None
    hours = [share * found.curve.hours for share in found.curve.share]
    rows = [{"hours": h, "power": p} for h, p in zip(hours, found.curve.power_kw, strict=True)]
    levels = {_reserved(m) for m in found.months} - {None}
    name = words.text("reserved")
    lines = [
        {"power": level, "name": f"{name} {words.number(level)} kW"}
        for level in sorted(level for level in levels if level is not None)
    ]
    return duration(rows, lines, words=words, title=words.text("Duration curve of quarter-hours"))


def _peaks(found: DemandAnswer, words: Language) -> dict[str, Any] | None:
    shown = [m for m in found.months if m.peak_kw is not None]
    if not shown:
        return None
    names = [words.month(int(m.month[5:])) for m in shown]
    rows = [
        {
            "month": name,
            "peak": m.peak_kw,
            "reserved": _reserved(m),
            "kind": "above" if m.breach_kw else "below",
            "note": "; ".join(r.text for r in m.reasons),
        }
        for name, m in zip(names, shown, strict=True)
    ]
    return peaks(rows, order=names, words=words, title=words.text("Highest quarter-hour of each month"))
