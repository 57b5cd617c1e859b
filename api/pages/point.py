"""A metering point: its consumption by any period, its meters, what was found on its dials, its newest readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.access import allowed
from api.acts import answer_finding, finding_id
from api.asking import Span, check_size, instant_of
from api.comparison import Against, Side, counterparts, differ, places
from api.pages.charts import over_time
from api.pages.figures import COMPARABLE_MISSING, Figure, joined
from api.pages.forms import local_moment, number_of
from api.pages.region import quality_note
from api.pages.view import Seen, Viewer, back
from api.routes.readings import Reading, Wanted, read_page, rows, windows_of
from api.texts import Language
from core.calendar import Bools, Instants, Period, instant, local, moment
from core.notes import PointFinding
from core.people import Right
from core.registry import EventKind, Point
from services.consumption import PointConsumption, Question

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

MOST_BARS: Final = 3_000
TAIL: Final = 20
TAIL_DAYS: Final = 400
SHOWN_FINDINGS: Final = 50
PERIODS: Final = (Period.QUARTER_HOUR, Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)
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
class Line:
    """A period: its name, figure, and the one of the year before with the difference in percent."""

    label: str
    start: datetime
    figure: Figure
    before: float | None
    percent: float | None
    reason: str


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


def _shown(v: Viewer, period: Period, start: str, end: str) -> Shown:
    """Return the days asked for, both included; else those that suit the period, today the last."""
    zone = v.room.deps.zone
    today = v.now.astimezone(zone).date()
    last = instant_of(end, zone, place="to").astimezone(zone).date() if end else today
    first = instant_of(start, zone, place="from").astimezone(zone).date() if start else _first(period, last)
    edges = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    begin, close = edges
    return Shown(period=period, first=first, last=last, span=Span(start=begin, end=close))


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
    lines, unit = consumption_lines(v, found, shown)
    findings = v.room.deps.records.findings(points=[key], limit=SHOWN_FINDINGS)
    devices = {m.device for m in now.meters_of.get(key, ())}
    return v.page(
        "point.html",
        point=found,
        building=now.buildings.get(found.building),
        shown=shown,
        periods=PERIODS,
        lines=lines,
        unit=unit,
        total=joined([line.figure for line in lines]),
        chart=_chart(v, found, shown, lines, unit) if lines else None,
        meters=now.meters_of.get(key, ()),
        events=[e for e in now.events.values() if e.meter in devices],
        questions=[_question(v, f) for f in findings if f.open],
        findings=[f for f in findings if not f.open],
        kinds=list(EventKind),
        readings=newest(v, key),
    )


def _ask(v: Viewer, key: str, shown: Shown, span: Span) -> PointConsumption | None:
    zone = v.room.deps.zone
    parts = v.room.ask(Question(points=(key,), period=shown.period, start=span.start, end=span.end, zone=zone))
    return parts[0] if parts else None


def consumption_lines(v: Viewer, found: Point, shown: Shown) -> tuple[list[Line], str]:
    """Return the periods shown with their counterparts of the year before, and the unit."""
    part = _ask(v, found.id, shown, shown.span)
    if part is None or not len(part.starts):
        return [], ""
    other = counterparts(Against.PREVIOUS_YEAR, shown.period, shown.span, v.room.deps.zone)
    before = None
    if other.start < other.end:
        before = _ask(v, found.id, shown, Span(start=moment(other.start), end=moment(other.end)))
    matched, there = _matched(part, before, other.starts)
    amounts, mine = matched.amount, Side(amount=part.amount, missing=part.missing)
    compared = differ(mine, matched, there, COMPARABLE_MISSING)
    labels = period_labels(v.words, shown.period, local(part.starts, v.room.deps.zone))
    return [
        Line(
            label=labels[i],
            start=moment(part.starts[i]),
            figure=_figure(part, i),
            before=_number(amounts[i]),
            percent=_number(compared.percent[i]),
            reason=compared.reason[i],
        )
        for i in range(len(part.starts))
    ], part.unit


def _matched(part: PointConsumption, before: PointConsumption | None, starts: Instants) -> tuple[Side, Bools]:
    n = len(part.starts)
    if before is None or not len(before.starts) or before.unit != part.unit:
        return Side(amount=np.full(n, np.nan), missing=np.ones(n)), np.zeros(n, bool)
    place = places(before.starts, starts)
    there = place >= 0
    amount, missing = np.where(there, before.amount[place], np.nan), np.where(there, before.missing[place], 1.0)
    return Side(amount=amount, missing=missing), there


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _figure(part: PointConsumption, i: int) -> Figure:
    hours = float((part.ends[i] - part.starts[i]) / np.timedelta64(1, "h"))
    amount = _number(part.amount[i])
    return Figure(
        amount=amount,
        unit=part.unit,
        measured=float(part.measured[i]),
        estimated=float(part.estimated[i]),
        missing=float(part.missing[i]),
        lacking=int(amount is None),
        hours=hours,
    )


def period_labels(words: Language, period: Period, wall: Instants) -> list[str]:
    """Return the name of each period as a person writes it, of naive wall times."""
    made = []
    for start in wall.astype("datetime64[s]").tolist():
        if period is Period.YEAR:
            made.append(str(start.year))
        elif period is Period.MONTH:
            made.append(f"{words.month(start.month)} {start.year}")
        elif period in {Period.HOUR, Period.QUARTER_HOUR}:
            made.append(f"{words.day(start.date())} {start:%H:%M}")
        else:
            made.append(words.day(start.date()))
    return made


def _chart(v: Viewer, found: Point, shown: Shown, lines: Sequence[Line], unit: str) -> dict[str, Any]:
    words, zone = v.words, v.room.deps.zone
    starts = np.array([instant(line.start) for line in lines], "datetime64[us]")
    lengths = np.array([line.figure.hours * 3600 for line in lines])
    wall = local(starts, zone)
    ends = wall + (lengths * 1e6).astype("timedelta64[us]")
    ends[:-1] = np.where((wall[1:] > wall[:-1]), wall[1:], ends[:-1])
    made = [
        {**_bar(words, line, unit), "start": begin, "end": end}
        for line, begin, end in zip(lines, _texts(wall), _texts(ends), strict=True)
    ]
    about = words.text("consumption with its quality")
    title = f"{found.name}: {about}"
    return over_time(made, period=shown.period, unit=unit, words=words, title=title)


def _bar(words: Language, line: Line, unit: str) -> dict[str, Any]:
    """Return what a chart shows of a period."""
    f = line.figure
    known = f.measured + f.estimated
    return {
        "zero": 0,
        "measured": None if f.amount is None or not known else f.amount * f.measured / known,
        "total": f.amount,
        "missing": f.missing,
        "before": line.before,
        "label": line.label,
        "text": words.amount(f.amount, unit),
        "was": words.amount(line.before, unit),
        "note": quality_note(words, f),
    }


def _texts(wall: Instants) -> list[str]:
    return [f"{text}Z" for text in wall.astype("datetime64[s]").astype(str).tolist()]


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
