"""Reminders: guarantors whose part of a report lacks are written to before it is due, of each date once."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import Final

from core.alerts import Change
from core.deliveries import EDITABLE
from core.notes import JsonValue
from core.people import Person, Role
from core.plan import ReportKind
from core.report_periods import ReportId
from core.sending import ChannelKind, Outgoing
from services.deliveries import BoardRow, Deadlines, board
from services.stands import Live

NAMES: Final[Mapping[ReportKind, str]] = {
    ReportKind.ANNUAL: "Výroční zpráva za rok",
    ReportKind.MID_YEAR: "Monitorovací zpráva za 1. pololetí",
    ReportKind.CLOSING: "Závěrečné vyhodnocení",
}
"""The reports as letters call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """How many letters were put into the outbox, and the areas of which nobody with a mail address is known."""

    letters: int
    unreached: tuple[str, ...] = ()


def due_reports(deadlines: Deadlines, today: date, plan_years: str = "") -> list[ReportId]:
    """Return the reports that are to be delivered within the coming year, by the local day."""
    candidates = [ReportId(kind=ReportKind.ANNUAL, period=str(today.year - back)) for back in (0, 1)]
    candidates += [ReportId(kind=ReportKind.MID_YEAR, period=str(today.year))]
    candidates += [ReportId(kind=ReportKind.CLOSING, period=plan_years)] if plan_years else []
    return [one for one in candidates if today <= deadlines.of(one) <= today + timedelta(days=365)]


def stage(deadlines: Deadlines, report: ReportId, today: date) -> int | None:
    """Return how many days before the due date people are to be reminded now: the last such date that has come."""
    left = (deadlines.of(report) - today).days
    return min((days for days in deadlines.remind_days if days >= left >= 0), default=None)


def remind(live: Live, deadlines: Deadlines, now: datetime, *, plan_years: str = "", address: str = "") -> Reminded:
    """Put reminders that are due into the outbox; one that was put there already is not put again."""
    today = now.astimezone(live.zone).date()
    people, letters, unreached = live.records.people(), [], set[str]()
    for report in due_reports(deadlines, today, plan_years):
        days = stage(deadlines, report, today)
        if days is None:
            continue
        rows = board(live.records, live.records, report, deadlines=deadlines, today=today)
        late = [row for row in rows if row.delivery.state in EDITABLE]
        told = {row.area.id: recipients(people, row.area.id) for row in late}
        unreached |= {area for area, found in told.items() if not found}
        for person in people:
            mine = [row for row in late if person in told[row.area.id]]
            if mine:
                letters.append(_letter(person, report, days, mine, now, address))
    live.records.change_alerts(Change(outgoing=tuple(letters)))
    return Reminded(letters=len(letters), unreached=tuple(sorted(unreached)))


def recipients(people: Iterable[Person], area: str) -> list[Person]:
    """Return the guarantors of an area who can be written to, the coordinators where there is none."""
    reached = [one for one in people if one.active and one.mail]
    guarantors = [
        one for one in reached if any(g.role is Role.GUARANTOR and (not g.areas or area in g.areas) for g in one.grants)
    ]
    return guarantors or [one for one in reached if any(g.role is Role.COORDINATOR for g in one.grants)]


def _letter(  # noqa: PLR0917 - what a letter is made of
    person: Person, report: ReportId, days: int, rows: Sequence[BoardRow], now: datetime, address: str
) -> Outgoing:
    areas = ",".join(row.area.id for row in rows)
    key = hashlib.sha256(f"reminder|{report}|{days}|{rows[0].due}|{person.id}".encode()).hexdigest()[:40]
    return Outgoing(
        key=key,
        channel=ChannelKind.MAIL,
        recipient=person.id,
        address=person.mail,
        items=(),
        content=_content(report, rows, address) | {"payload": {"report": str(report), "areas": areas}},
        created=now,
        due=now,
    )


def _content(report: ReportId, rows: Sequence[BoardRow], address: str) -> dict[str, JsonValue]:
    due = f"{rows[0].due.day}. {rows[0].due.month}. {rows[0].due.year}"
    name = f"{NAMES[report.kind]} {report.period}"
    subject = f"{name}: podklady do {due}"
    lines = [f"• {row.area.name}: {_lacks(row)}" for row in rows]
    closing = f"Odevzdat je můžete zde: {address}/plan" if address else ""
    text = "\n".join(filter(None, [f"{name} – do {due} je třeba odevzdat:", *lines, closing]))
    items = "".join(f"<li>{escape(line.removeprefix('• '))}</li>" for line in lines)
    link = f'<p><a href="{escape(address)}/plan">Odevzdat</a></p>' if address else ""
    html = f"<p>{escape(name)} – do {due} je třeba odevzdat:</p><ul>{items}</ul>{link}"
    return {"subject": subject, "head": subject, "rank": 0, "language": "cs", "text": text, "html": html}


def _lacks(row: BoardRow) -> str:
    """Return in few words what a part lacks."""
    indicators = [str(one.facts["indicator"]) for one in row.missing if "indicator" in one.facts]
    texts = sum(one.code == "text_missing" for one in row.missing)
    said = [f"hodnoty {', '.join(indicators)}"] if indicators else []
    said += ["texty"] if texts else []
    return " a ".join(said) if said else "vyplněno, zbývá odevzdat"
