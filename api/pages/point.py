"""A metering point: its consumption by any period, its meters, what was found on its dials, its newest readings."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.access import allowed
from api.acts import answer_finding, finding_id
from api.asking import Span, check_size, instant_of
from api.pages.charts import COMMODITIES
from api.pages.forms import local_moment, number_of
from api.pages.lines import beside, chart_of
from api.pages.shape import calendar_of, week_shape, years_shape
from api.pages.view import Seen, Viewer, back
from api.routes.readings import Reading, Wanted, read_page, rows, windows_of
from api.texts import Language
from core.calendar import Period
from core.notes import PointFinding
from core.people import Right
from core.registry import EventKind

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

MOST_BARS: Final = 3_000
TAIL: Final = 20
TAIL_DAYS: Final = 400
SHOWN_FINDINGS: Final = 50
PERIODS: Final = (Period.QUARTER_HOUR, Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)
TODAY_TOO: Final = frozenset({Period.QUARTER_HOUR, Period.HOUR, Period.DAY})
"""Periods that show the day that runs, until the last whole hour."""
DAYS_SHOWN: Final = {
    Period.QUARTER_HOUR: 2,
    Period.HOUR: 7,
    Period.DAY: 31,
    Period.WEEK: 182,
    Period.MONTH: 365,
    Period.YEAR: 1461,
}
"""How many days are shown where no span is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A finding as shown, with the values its form proposes."""

    id: str
    found: PointFinding
    kind: str
    at: str
    final: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of a point is shown: the period and its days, both included."""

    period: Period
    first: date
    last: date
    span: Span
    over: Span | None


def _shown(v: Viewer, period: Period, start: str, end: str) -> Shown:
    """Return the days asked for, both included; else those that suit the period, today the last."""
    zone = v.room.deps.zone
    today = v.now.astimezone(zone).date()
    last = instant_of(end, zone, place="to").astimezone(zone).date() if end else today
    first = instant_of(start, zone, place="from").astimezone(zone).date() if start else _first(period, last)
    edges = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    begin, close = edges
    cut = v.now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    cut = min(cut if period in TODAY_TOO else cut.replace(hour=0), close)
    over = Span(start=begin, end=cut) if begin < cut else None
    return Shown(period=period, first=first, last=last, span=Span(start=begin, end=close), over=over)


def _year_until(v: Viewer) -> Span:
    """Return the year until today's midnight."""
    end = v.now.astimezone(v.room.deps.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(start=end - timedelta(days=365), end=end)


def _first(period: Period, last: date) -> date:
    first = last - timedelta(days=DAYS_SHOWN[period] - 1)
    return (
        first.replace(day=1)
        if period is Period.MONTH
        else first.replace(month=1, day=1)
        if period is Period.YEAR
        else first
    )


@router.get("/points/{key:path}")
def point(
    v: Seen,
    key: str,
    period: Annotated[Period, Query()] = Period.DAY,
    start: Annotated[str, Query(alias="from")] = "",
    to: Annotated[str, Query()] = "",
) -> Response:
    """Show a point."""
    now = v.room.now()
    found = now.point(key)
    shown = _shown(v, period if period in PERIODS else Period.DAY, start, to)
    check_size(shown.period, shown.span, 1, most=MOST_BARS)
    use = beside(v.room, [found], shown.period, shown.over) if shown.over else None
    lines = use.lines([key], shown.period, v.words, v.room.deps.zone) if use else []
    lines = lines if any(line.found.now.unit for line in lines) else []
    findings = v.room.deps.records.findings(points=[key], limit=SHOWN_FINDINGS)
    devices = {m.device for m in now.meters_of.get(key, ())}
    return v.page(
        "point.html",
        point=found,
        building=now.buildings.get(found.building),
        shown=shown,
        periods=PERIODS,
        lines=lines,
        total=use.versus([key]) if use else None,
        chart=chart_of(v.words, found.name, lines, shown.period, v.room.deps.zone) if lines else None,
        week=week_shape(v, [found], _year_until(v)) if lines else None,
        calendar=calendar_of(v, [found], _year_until(v).end.astimezone(v.room.deps.zone).year) if lines else None,
        years=years_shape(v, [found], COMMODITIES[found.commodity.value]) if lines else None,
        meters=now.meters_of.get(key, ()),
        events=[e for e in now.events.values() if e.meter in devices],
        questions=[_question(v, f) for f in findings if f.open],
        findings=[f for f in findings if not f.open],
        kinds=list(EventKind),
        readings=newest(v, key),
    )


def newest(v: Viewer, key: str) -> list[Reading]:
    """Return the newest readings of a point, the newest first, looking back as far as there may be some."""
    now, deps = v.room.now(), v.room.deps
    windows = windows_of(now, deps.readings, [key], [], "")
    keys = list(dict.fromkeys(w.key for w in windows))
    latest = deps.readings.latest(keys) if keys else None
    if latest is None or not len(latest):
        return []
    end = latest.at.max() + np.timedelta64(1, "s")
    for hours in (2, 24, 24 * 31, 24 * TAIL_DAYS):
        wanted = Wanted(windows=windows, start=end - np.timedelta64(hours, "h"), end=end, revisions=False)
        chunk, _ = read_page(deps.readings, wanted, "", 10_000)
        if len(chunk.readings) >= TAIL:
            break
    return rows(chunk)[-TAIL:][::-1]


def _question(v: Viewer, found: PointFinding) -> Asked:
    proposal = found.finding.proposal or {}
    at = proposal.get("at") or found.finding.at_to
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    wall = at.astimezone(v.room.deps.zone)
    return Asked(
        id=finding_id(found),
        found=found,
        kind=str(proposal.get("kind") or EventKind.SWAP),
        at=wall.strftime("%Y-%m-%dT%H:%M:%S"),
        final=_dial(v.words, proposal.get("final")),
        first=_dial(v.words, proposal.get("first")),
    )


def _dial(words: Language, value: object) -> str:
    """Return a dial reading as a person would write it into a field, empty where it is not known."""
    if not isinstance(value, int | float):
        return ""
    text = repr(float(value)).removesuffix(".0")
    return text.replace(".", ",") if words.code == "cs" else text


@router.post("/findings/{finding}", dependencies=[allowed(Right.READINGS)])
def answer(  # noqa: PLR0917 - the fields of the form
    v: Seen,
    finding: str,
    point: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    at: Annotated[str, Form()] = "",
    proposed_at: Annotated[str, Form()] = "",
    final: Annotated[str, Form()] = "",
    first: Annotated[str, Form()] = "",
    new_device: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Record what happened to a dial. A time left as proposed keeps the proposal's own, to the microsecond."""
    said = {
        "kind": kind,
        "at": None if at == proposed_at else local_moment(at, v.room.deps.zone, place="at"),
        "final": number_of(final, place="final"),
        "first": number_of(first, place="first"),
        "new_device": new_device.strip(),
        "note": note.strip(),
    }
    answer_finding(v.room, finding, said, by=v.name)
    return back(f"/points/{point}?done=answered")
