"""Dated values that numbers rest on: factors, prices, inhabitants, normals, school holidays, each with its source."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.pages.view import Seen, Viewer
from api.reasons import CARRIERS, part_name, status_name
from api.settings_texts import HOLIDAYS, TABLES, TRUST, table_word
from api.texts import N_, NBSP, NOTHING
from core.dated_tables import Provenance, Reach, Validity
from core.overview import Overview
from core.people import Right
from core.tariffs import MeasuredRule, Price, ReservedRule

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

PAGE: Final = "/settings/tables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a table as shown: what it is of, its value, when it holds, and where it comes from.

    Both days included. `newest`: no later version of it is there; of an older one nothing new is computed.
    """

    key: str
    of: str
    value: str
    since: date | None
    until: date | None
    source: str
    note: str
    status: str
    trust: str
    version: int
    newest: bool = True


@router.get(PAGE)
def tables(v: Seen, table: Annotated[str, Query()] = "factors") -> Response:
    """Show a table with the source, version and validity of every row."""
    chosen = table if table in TABLES else "factors"
    told = _overview(v)
    return v.page(
        "settings_tables.html",
        tables={code: v.words.text(name) for code, name in TABLES.items()},
        chosen=chosen,
        lines=with_newest(LINES[chosen](v)),
        file=next((one for one in told.tables if one.table == chosen), None),
        status_of=lambda code: status_name(code, v.words),
        trust_of=lambda code: table_word(TRUST, code, v.words),
    )


def _overview(v: Viewer) -> Overview:
    told = v.room.deps.overview
    return told() if told is not None else Overview()


def with_newest(lines: Iterable[Line]) -> list[Line]:
    """Return lines, those of a later begin first, each told whether it is the newest version of its key."""
    found = list(lines)
    last: dict[str, int] = {}
    for line in found:
        last[line.key] = max(last.get(line.key, 0), line.version)
    shown = [replace(line, newest=line.version == last[line.key]) for line in found]
    return sorted(shown, key=lambda one: (one.of, -(one.since or date.min).toordinal(), one.key, -one.version))


def _line(key: str, of: str, value: str, valid: Validity | None, told: Provenance) -> Line:
    return Line(
        key=key,
        of=of,
        value=value,
        since=valid.since if valid else None,
        until=_last_day(valid.until) if valid else None,
        source=told.source,
        note=told.note,
        status=told.status.value,
        trust=told.trust.value,
        version=told.version,
    )


def _last_day(end: date | None) -> date | None:
    """Return the last day on which something holds that ends before a day."""
    return None if end is None else end - timedelta(days=1)


def _number(v: Viewer, value: float | None, unit: str) -> str:
    """Return a value with every digit that counts: what is compared with a source is not rounded."""
    return NOTHING if value is None else f"{v.words.exact(float(f'{value:.10g}'))}{NBSP}{unit}"


def _factors(v: Viewer) -> list[Line]:
    found = v.room.deps.dated.factors
    lines = []
    for f in found.factors:
        name = v.words.text(CARRIERS[f.carrier])
        of = f"{name} ({f.supplier or f.scheme})"
        unit = f"kg{NBSP}{f.gas}/{f.per}" + (f" ({v.words.text(BASES[f.basis])})" if f.basis in BASES else "")
        lines.append(_line(f.id, of, _number(v, f.kg, unit), f.valid, f.provenance))
    for r in found.ratios:
        of = v.words.text(N_("Gas: gross over net calorific value")) + _whom(r.reach)
        lines.append(_line(r.id, of, _number(v, r.gross_over_net, "").strip(), r.valid, r.provenance))
    for c in found.conversions:
        of = v.words.text(N_("Gas: energy of a cubic metre")) + _whom(c.reach)
        lines.append(_line(c.id, of, _number(v, c.kwh_per_m3, "kWh/m³"), c.valid, c.provenance))
    return lines


BASES: Final = {"net": N_("net calorific value"), "gross": N_("gross calorific value")}


def _whom(reach: Reach) -> str:
    named = [*reach.points, *reach.buildings, *reach.organisations]
    return f": {', '.join(named)}" if named else ""


def _tariffs(v: Viewer) -> list[Line]:
    found = v.room.deps.dated.tariffs
    lines = [_price(v, one) for one in found.prices]
    for rule in found.rules:
        of = v.words.text(N_("Reserved capacity")) + f": {rule.distributor}, {rule.level}"
        value = _reserved(v, rule) if isinstance(rule, ReservedRule) else _measured(v, rule)
        lines.append(_line(rule.id, of, value, rule.valid, rule.provenance))
    return lines


def _price(v: Viewer, one: Price) -> Line:
    parts = ", ".join(part_name(part, v.words) for part in one.covers)
    of = f"{v.words.label(one.commodity.value)}: {parts}{_whom(one.reach)}"
    amounts = [_number(v, one.per_unit_czk, f"Kč/{one.unit}")] if one.per_unit_czk is not None else []
    amounts += [_number(v, one.month_czk, v.words.text(N_("Kč a month")))] if one.month_czk is not None else []
    return _line(one.id, of, ", ".join(amounts), one.valid, one.provenance)


def _reserved(v: Viewer, rule: ReservedRule) -> str:
    unit = v.words.text(N_("Kč/kW and month"))
    told = (
        (N_("for the year"), rule.yearly_czk_kw),
        (N_("for a month"), rule.monthly_czk_kw),
        (N_("breach"), rule.breach_czk_kw),
        (N_("breach of input power"), rule.input_breach_czk_kw),
    )
    return ", ".join(f"{v.words.text(name)} {_number(v, value, unit)}" for name, value in told if value is not None)


def _measured(v: Viewer, rule: MeasuredRule) -> str:
    unit = v.words.text(N_("Kč/kW and month"))
    return ", ".join(
        f"{plan.name}: {_number(v, plan.input_czk_kw, unit)} + {_number(v, plan.maximum_czk_kw, unit)}"
        for plan in rule.plans
    )


def _populations(v: Viewer) -> list[Line]:
    unit = v.words.text(N_("inhabitants"))
    lines = []
    for one in v.room.deps.dated.populations:
        of = one.place + (f" ({one.series})" if one.series else "")
        line = _line(one.id, of, _number(v, one.inhabitants, unit), None, one.provenance)
        lines.append(replace(line, since=one.at, until=_last_day(one.until)))
    return lines


def _normals(v: Viewer) -> list[Line]:
    lines = []
    for one in v.room.deps.dated.normals:
        key = f"{one.place} {one.limit_c:g}"
        of = v.words.text(N_("%(place)s, days below %(limit)s °C")) % {
            "place": one.place,
            "limit": v.words.exact(one.limit_c),
        }
        days = _number(v, one.days, v.words.text(N_("days")))
        value = f"{days}, {_number(v, one.outdoor_c, '°C')}" + (f" ({one.span})" if one.span else "")
        lines.append(_line(key, of, value, None, one.provenance))
    return lines


def _holidays(v: Viewer) -> list[Line]:
    return [
        Line(
            key=f"{one.first}",
            of=table_word(HOLIDAYS, one.kind, v.words),
            value=f"{v.words.day(one.first)} – {v.words.day(one.last)}",
            since=one.first,
            until=None,
            source=one.source,
            note="",
            status=one.status,
            trust=one.trust,
            version=1,
        )
        for one in _overview(v).holidays
    ]


LINES: Final[dict[str, Callable[[Any], list[Line]]]] = {
    "factors": _factors,
    "tariffs": _tariffs,
    "populations": _populations,
    "degree_days": _normals,
    "school_holidays": _holidays,
}
