"""Emissions: by carrier over the years or months, a head, why they changed, with every factor and its source."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.emission_rows import (
    CarrierRow,
    ChangeRow,
    OwnRow,
    PeriodRow,
    SplitRow,
    UsedFactor,
    change_row,
    own_row,
    period_row,
)
from api.pages.emission_charts import by_carrier, floor_of, waterfall
from api.pages.figures import Figure
from api.pages.view import Seen, Viewer
from api.reasons import Lacking, carrier_name, status_name
from api.routes.consumption import InScope
from api.spans import addable, compared_with, weather_of, whole_months
from api.texts import N_, Language
from core.calendar import Period
from core.factors import WATER_SCOPE
from core.people import Right
from services.emission_change import change
from services.emissions import Scope, emissions, own_generation
from services.monthly_use import Months, months_of

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

YEARS_SHOWN: Final = 5
CAUSES: Final = {
    "consumption": N_("Consumption"),
    "weather": N_("Weather"),
    "factor": N_("Emission factor"),
    "population": N_("Population"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseLine:
    """A part of the change: its name, amount and share, or why it is not known."""

    name: str
    part: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Carbon:
    """What the page shows of emissions: periods, the newest one, its carriers, factors and what is lacking."""

    labels: list[str]
    rows: list[PeriodRow]
    own: list[OwnRow]
    newest: PeriodRow
    energy: list[CarrierRow]
    water: list[CarrierRow]
    factors: list[UsedFactor]
    lacking: list[Lacking]


@router.get("/emissions")
def emissions_page(
    v: Seen,
    scope: InScope,
    by: Annotated[str, Query()] = "year",
    year: Annotated[int | None, Query(ge=1990, le=2100)] = None,
    weather: Annotated[bool | None, Query()] = None,
) -> Response:
    """Show emissions of a scope."""
    zone = v.room.deps.zone
    last = year or v.now.astimezone(zone).year - 1
    whose = addable(v.room, scope)
    shown = _carbon(v, whose, last, by)
    after = whole_months(str(last), "", zone, v.now)
    effect = weather_of(v.room, whose, weather)
    found = change(
        whose,
        compared_with(after, "", zone)[0],
        after[0],
        ask=v.room.ask,
        tables=v.room.deps.dated,
        weather=effect,
    )
    row = change_row(found, v.words)
    now = v.room.now()
    bars = _bars(row, v.words)
    title = v.words.text("What changed the emissions")
    fall = waterfall(bars, unit="t CO₂", words=v.words, title=title) if bars else None
    return v.page(
        "emissions.html",
        scope=scope,
        named=[now.building(b).name for b in scope.buildings] + [now.organisation(o).name for o in scope.organisations],
        year=last,
        this_year=v.now.astimezone(zone).year,
        by="month" if by == "month" else "year",
        tried=effect is not None,
        shown=shown,
        quality=_quality(shown.newest),
        carrier=lambda code: carrier_name(code, v.words),
        status_of=lambda code: status_name(code, v.words),
        chart=_chart(v.words, shown),
        change=row,
        causes=_causes(row.split, v.words),
        fall=fall,
        cut=bool(bars) and floor_of(bars) > 0,
    )


def _quality(row: PeriodRow) -> Figure:
    parts = {name: getattr(row, name) for name in ("measured", "estimated", "missing")}
    return Figure(amount=row.location_known_t, unit="t", **parts)


def _carbon(v: Viewer, whose: Scope, last: int, by: str) -> Carbon:
    months = _months(v, last, by)
    ask, tables = v.room.ask, v.room.deps.dated
    rows = [period_row(r, v.words) for r in emissions(whose, months, ask=ask, tables=tables)]
    own = [own_row(r, v.words) for r in own_generation(whose, months, ask=ask, tables=tables)]
    if by == "month":
        yearly = emissions(whose, _months(v, last, "year"), ask=ask, tables=tables)
        newest = period_row(yearly[-1], v.words)
    else:
        newest = rows[-1]
    labels = [v.words.month(f.month) if by == "month" else str(f.year) for f in (_first(r) for r in rows)]
    energy = [c for c in newest.carriers if c.scope != WATER_SCOPE]
    return Carbon(
        labels=labels,
        rows=rows,
        own=own,
        newest=newest,
        energy=energy,
        water=[c for c in newest.carriers if c.scope == WATER_SCOPE],
        factors=[f for c in newest.carriers for f in c.location.factors],
        lacking=[lack for c in newest.carriers for lack in c.location.lacking],
    )


def _first(row: PeriodRow) -> datetime:
    return datetime.fromisoformat(row.start)


def _months(v: Viewer, last: int, by: str) -> Months:
    zone = v.room.deps.zone
    begin = last if by == "month" else last - YEARS_SHOWN + 1
    start, end = datetime(begin, 1, 1, tzinfo=zone), datetime(last + 1, 1, 1, tzinfo=zone)
    return months_of(Period.MONTH if by == "month" else Period.YEAR, start, end, zone)


def _chart(words: Language, shown: Carbon) -> dict[str, Any] | None:
    rows, names = [], {}
    for label, period in zip(shown.labels, shown.rows, strict=True):
        for place, row in enumerate(period.carriers):
            if row.scope == WATER_SCOPE:
                continue
            name = carrier_name(row.carrier, words)
            names[name] = row.carrier
            note = ", ".join(f"{f.factor.id} v{f.factor.version}" for f in row.location.factors)
            lacks = ", ".join(lack.text for lack in row.location.lacking)
            amount = row.location.known_t
            rows.append({"period": label, "name": name, "amount": amount, "place": place, "note": note or lacks})
    if not any(row["amount"] for row in rows):
        return None
    title = words.text("Emissions by carrier")
    return by_carrier(rows, names=list(names.items()), order=shown.labels, words=words, title=title)


def _causes(split: SplitRow | None, words: Language) -> list[CauseLine]:
    if split is None:
        return []
    return [
        CauseLine(
            name=words.text(name),
            part=split.parts.get(cause),
            reason=split.reasons[cause].text if cause in split.reasons else "",
        )
        for cause, name in CAUSES.items()
    ]


def _bars(row: ChangeRow, words: Language) -> list[dict[str, Any]]:
    split = row.split
    if split is None:
        return []
    bars, level = [_bar(row.before_start[:4], 0.0, split.before, "whole", words)], split.before
    for cause, name in CAUSES.items():
        part = split.parts.get(cause)
        if part is not None:
            bars.append(_bar(words.text(name), level, level + part, "more" if part > 0 else "less", words))
            level += part
    bars.append(_bar(row.after_start[:4], 0.0, split.after, "whole", words))
    return bars


def _bar(label: str, low: float, high: float, kind: str, words: Language) -> dict[str, Any]:
    amount = high if kind == "whole" else high - low
    sign = "+" if kind == "more" else ""
    return {
        "label": label,
        "low": low,
        "high": high,
        "top": max(low, high),
        "kind": kind,
        "text": f"{sign}{words.number(amount)}",
    }
