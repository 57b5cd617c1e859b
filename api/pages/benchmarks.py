"""Benchmarks: buildings of a kind by specific consumption, with quartiles, ranks and how they changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.pages.emission_charts import standing
from api.pages.view import Seen
from api.reasons import why
from api.routes.benchmarks import ranked
from api.texts import N_, Language
from core.people import Right
from services.benchmarks import COVERAGE, Benchmark, Measure

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

MEASURES = {
    Measure.ENERGY_PER_AREA: N_("Energy by floor area"),
    Measure.ELECTRICITY_PER_AREA: N_("Electricity by floor area"),
    Measure.HEATING_PER_AREA: N_("Gas and heat by floor area"),
    Measure.WATER_PER_PERSON: N_("Water by person"),
    Measure.WATER_PER_PUPIL: N_("Water by pupil"),
    Measure.WATER_PER_BED: N_("Water by bed"),
    Measure.ENERGY_PER_PERSON: N_("Energy by person"),
    Measure.ENERGY_PER_PUPIL: N_("Energy by pupil"),
    Measure.ENERGY_PER_BED: N_("Energy by bed"),
}


@router.get("/benchmarks")
def benchmarks_page(
    v: Seen,
    measure: Annotated[Measure, Query()] = Measure.ENERGY_PER_AREA,
    year: Annotated[int | None, Query(ge=1990, le=2100)] = None,
) -> Response:
    """Show how buildings compare."""
    this_year = v.now.astimezone(v.room.deps.zone).year
    chosen = year or this_year - 1
    found = ranked(v.room, measure, str(chosen), "", "", None, COVERAGE, "")
    return v.page(
        "benchmarks.html",
        found=found,
        year=chosen,
        this_year=this_year,
        measures={m.value: v.words.text(name) for m, name in MEASURES.items()},
        least=COVERAGE,
        chart=_chart(found, v.words),
        why=lambda code: why(code, v.words).text,
    )


def _chart(found: Benchmark, words: Language) -> dict[str, Any] | None:
    rows = [
        {"kind": words.label(k.kind.value), "value": s.value, "name": s.building.name}
        for k in found.kinds
        for s in k.standings
        if s.value is not None
    ]
    bands = [
        {
            "kind": words.label(k.kind.value),
            "lower": k.quartiles.lower,
            "upper": k.quartiles.upper,
            "median": k.quartiles.median,
        }
        for k in found.kinds
        if not k.quartiles.few
    ]
    title = words.text("Buildings within their kind")
    return standing(rows, bands, unit=found.unit, words=words, title=title) if rows else None
