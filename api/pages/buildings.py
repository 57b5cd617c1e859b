"""All buildings: what each used this year, how it stands among its kind, its trend and alerts; as a file too."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.adding import addends
from api.pages.drawings import Spark, spark
from api.pages.exports import Column, Table, exported
from api.pages.figures import Versus, Year
from api.pages.held import Held, held_year, state_of
from api.pages.pulse import pulses
from api.pages.view import Seen, Viewer
from api.reasons import why
from api.spans import whole_months
from api.texts import N_
from core.alerts import ACTIVE, AlertFilter
from core.people import Right
from core.registry import Building, Commodity, Point, in_force
from services.benchmarks import COVERAGE, Measure, Standing, benchmark

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

ENERGY: Final = frozenset({Commodity.ELECTRICITY, Commodity.GAS, Commodity.HEAT})
WATER: Final = frozenset({Commodity.COLD_WATER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A building in the table. Energy is what is bought; `standing` is of the last twelve whole months."""

    building: Building
    organisation: str
    area_m2: float | None
    energy: Versus | None
    water: Versus | None
    standing: Standing | None
    compared: int
    trend: Spark | None
    alerts: int
    states: Mapping[str, int]
    last: datetime | None


def _amount(found: Versus | None) -> float | None:
    return found.now.amount if found else None


def _place_in_kind(line: Line) -> float | None:
    rank = line.standing.rank if line.standing else None
    return rank / line.compared if rank else None


SORTS: Final[Mapping[str, tuple[str, Callable[[Line], Any]]]] = {
    "name": (N_("Building"), lambda line: line.building.name.casefold()),
    "area": (N_("Area"), lambda line: line.area_m2),
    "energy": (N_("Energy this year"), lambda line: _amount(line.energy)),
    "change": (N_("Change"), lambda line: line.energy.percent if line.energy else None),
    "specific": (N_("kWh/m² a year"), lambda line: line.standing.value if line.standing else None),
    "rank": (N_("Rank in kind"), _place_in_kind),
    "water": (N_("Water this year"), lambda line: _amount(line.water)),
    "water_change": (N_("Change of water"), lambda line: line.water.percent if line.water else None),
    "alerts": (N_("Alerts"), lambda line: line.alerts),
    "last": (N_("Last reading"), lambda line: line.last),
}
"""What the table may be ordered by; what is not known comes last either way."""


@router.get("/buildings")
def buildings(  # noqa: PLR0917 - what the form asks
    v: Seen,
    q: Annotated[str, Query()] = "",
    kind: Annotated[str, Query()] = "",
    organisation: Annotated[str, Query()] = "",
    sort: Annotated[str, Query()] = "name",
    down: Annotated[bool, Query()] = False,  # noqa: FBT002 - of a query
    form: Annotated[str, Query(alias="format")] = "",
) -> Response:
    """Show the buildings, or give what is shown as a file."""
    now = v.room.now()
    order = sort if sort in SORTS else "name"
    wanted = [b for b in now.buildings.values() if kind in {"", b.kind} and organisation in {"", b.organisation}]
    year = held_year(v.request.app.state.held, v.room, list(now.points.values()))
    lines = ordered(_lines(v, wanted, year, q), order, down=down)
    if form:
        return exported(v, form, v.words.text("buildings"), [_table(v, lines)])
    return v.page(
        "buildings.html",
        lines=lines,
        span=year.span,
        sorts=[(key, v.words.text(name)) for key, (name, _) in SORTS.items()],
        asked={"q": q, "kind": kind, "organisation": organisation, "sort": order, "down": down},
        kinds=sorted({b.kind for b in now.buildings.values()}, key=v.words.label),
        organisations=sorted(now.organisations.values(), key=lambda o: o.name.casefold()),
        with_water=any(line.water for line in lines),
        why=lambda code: why(code, v.words).text,
    )


def ordered(lines: Sequence[Line], sort: str, *, down: bool) -> list[Line]:
    """Return lines in an order; those of which it is not known stand last, equals by name."""
    value = SORTS[sort][1]
    by_name = sorted(lines, key=lambda line: (line.building.name.casefold(), line.building.id))
    known = [line for line in by_name if value(line) is not None]
    return [*sorted(known, key=value, reverse=down), *(line for line in by_name if value(line) is None)]


def _lines(v: Viewer, chosen: Sequence[Building], year: Year, q: str) -> list[Line]:
    now, today = v.room.now(), v.now.astimezone(v.room.deps.zone).date()
    held = pulses(v.room, list(now.points.values()))
    counted = Counter(a.building for a in v.room.deps.records.alerts(AlertFilter(states=ACTIVE)))
    ranked = standings(v)
    lines = []
    for b in chosen:
        owner = now.organisations[b.organisation].name if b.organisation in now.organisations else ""
        if not _found(q, b, owner):
            continue
        points = now.points_of.get(b.id, ())
        adding = addends(points, now).points
        standing, compared = ranked.get(b.id, (None, 0))
        energy, trend = _energy(adding, year)
        heard = [held[p.id] for p in points]
        lines.append(
            Line(
                building=b,
                organisation=owner,
                area_m2=in_force(b.areas, today),
                energy=energy,
                water=_water(adding, year),
                standing=standing,
                compared=compared,
                trend=trend,
                alerts=counted[b.id],
                states=Counter(p.state.value for p in heard),
                last=max((p.newest.at for p in heard if p.newest is not None), default=None),
            )
        )
    return lines


def _found(q: str, b: Building, owner: str) -> bool:
    text = f"{b.name} {b.id} {b.address} {owner}".casefold()
    return all(word in text for word in q.casefold().split())


def _energy(points: Sequence[Point], year: Year) -> tuple[Versus | None, Spark | None]:
    """Return the energy bought [kWh] against last year, and its trend; None where none is measured.

    What is counted in another unit, such as gas in m³, lacks in it.
    """
    chosen = [p for p in points if p.commodity in ENERGY]
    return year.of(chosen, "kWh"), spark(year.trend(chosen, "kWh")) if chosen else None


def _water(points: Sequence[Point], year: Year) -> Versus | None:
    return year.of([p for p in points if p.commodity in WATER], "m³")


def standings(v: Viewer) -> dict[str, tuple[Standing, int]]:
    """Return how buildings stand among their kind by energy per m² in the last twelve whole months."""
    now = v.room.now()

    def made() -> dict[str, tuple[Standing, int]]:
        zone = v.room.deps.zone
        first = v.now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        spans = [
            whole_months(
                f"{first.year - back}-{first.month:02}", f"{first.year - back + 1}-{first.month:02}", zone, v.now
            )
            for back in (1, 2)
        ]
        found = benchmark(
            Measure.ENERGY_PER_AREA,
            list(now.buildings.values()),
            now.points,
            spans[0],
            spans[1],
            ask=v.room.ask,
            tables=v.room.deps.dated,
            least=COVERAGE,
        )
        return {
            s.building.id: (s, sum(one.rank is not None for one in k.standings))
            for k in found.kinds
            for s in k.standings
        }

    held: Held = v.request.app.state.held
    return held.get(("standings", tuple(now.buildings)), state_of(v.room), made)


# As a file


def _table(v: Viewer, lines: Sequence[Line]) -> Table:
    columns: list[Column[Line]] = [
        Column(N_("Id"), lambda line: line.building.id),
        Column(N_("Building"), lambda line: line.building.name),
        Column(N_("Kind"), lambda line: v.words.label(line.building.kind.value)),
        Column(N_("Organisation"), lambda line: line.organisation),
        Column(N_("Area [m²]"), lambda line: line.area_m2),
        Column(N_("Energy this year [kWh]"), lambda line: _amount(line.energy)),
        Column(N_("Energy, same days of last year [kWh]"), lambda line: _before(line.energy)),
        Column(N_("Change [%]"), lambda line: line.energy.percent if line.energy else None),
        Column(N_("Measured share"), lambda line: line.energy.now.measured if line.energy else None),
        Column(N_("Missing share"), lambda line: line.energy.now.missing if line.energy else None),
        Column(N_("kWh/m² in the last twelve months"), lambda line: line.standing.value if line.standing else None),
        Column(N_("Rank in kind"), lambda line: line.standing.rank if line.standing else None),
        Column(N_("Buildings compared"), lambda line: line.compared or None),
        Column(N_("Water this year [m³]"), lambda line: _amount(line.water)),
        Column(N_("Water, same days of last year [m³]"), lambda line: _before(line.water)),
        Column(N_("Change of water [%]"), lambda line: line.water.percent if line.water else None),
        Column(N_("Open alerts"), lambda line: line.alerts),
        Column(N_("Last reading"), lambda line: line.last),
    ]
    return Table.of(v.words.text("Buildings"), columns, lines, v)


def _before(found: Versus | None) -> float | None:
    return found.before.amount if found and found.before else None
