"""/api/v1/emissions: the inventory, own generation, the change by cause; /api/v1/factors: what it is computed with."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api import emission_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.emission_rows import (
    ChangeRow,
    FactorRow,
    OwnRow,
    PeriodRow,
    Source,
    change_row,
    factor_row,
    own_row,
    period_row,
    source_row,
)
from api.room import InRoom
from api.routes.consumption import From, InScope, To, Zone
from api.spans import MOST_MODELS, addable, compared_with, months_asked, weather_of, whole_months
from api.texts import LANGUAGES, Language, language
from core.calendar import Period
from core.calendar import zone as zone_of
from core.errors import InputError
from core.factors import Carrier
from core.people import Right
from services.emission_change import MOST_MISSING, change
from services.emissions import emissions, own_generation

router = APIRouter(prefix="/api/v1", tags=["emissions"])

Words = Annotated[str, Query(alias="lang", description="Language of texts: cs or en.", examples=["cs"])]
Versions = Annotated[
    list[str],
    Query(
        alias="version",
        description="Compute with a former version of a factor, as id:version.",
        examples=[["mpo-electricity-2020:1"]],
    ),
]
MonthsPeriod = Annotated[
    Period,
    Query(
        description="A calendar period of whole months: month, quarter, half-year, year, heating-season, school-year.",
        examples=["year"],
    ),
]


class Emissions(msgspec.Struct, frozen=True):
    """The answer: a period each; `own_generation` stands beside the inventory."""

    period: Period
    zone: str
    points: Sequence[str]
    values: Sequence[PeriodRow]
    own_generation: Sequence[OwnRow]


class RatioRow(msgspec.Struct, frozen=True):
    """Gross over net calorific value of gas: billed kWh are divided by it before a factor of net calorific value."""

    id: str
    gross_over_net: float
    valid_from: str
    valid_to: str | None
    source: Source


class Factors(msgspec.Struct, frozen=True):
    """All factors, every version; `order` names the schemes that count for a carrier, the first one first."""

    factors: Sequence[FactorRow]
    ratios: Sequence[RatioRow]
    order: dict[str, Sequence[str]]


def language_of(code: str) -> Language:
    """Return a language of texts; raise InputError for one that there is not."""
    if code not in LANGUAGES:
        raise InputError(f"language {code!r} is not known", place="lang", remedy=f"write {' or '.join(LANGUAGES)}")
    return language(code)


def versions_of(texts: Sequence[str]) -> dict[str, int]:
    """Return versions by factor's id, from texts `id:version`."""
    found = {}
    for text in texts:
        name, _, version = text.rpartition(":")
        if not (name and version.isdecimal() and len(version) < 10):  # noqa: PLR2004 - no table has so many
            raise InputError(f"{text!r} is no version", place="version", remedy="write mpo-electricity-2020:1")
        found[name] = int(version)
    return found


@router.get(
    "/emissions",
    dependencies=[allowed(Right.SEE)],
    operation_id="get_emissions",
    summary="Emissions of a scope by period",
    description="By carrier and scope, by location and market, per inhabitant and per user. A total is null where a "
    "factor is lacking, which `lacking` names; nothing is carried over from another year. Water is informative.",
    **documented(Emissions, examples.EMISSIONS, errors=(401, 404, 422, 503)),
)
def get_emissions(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    scope: InScope,
    period: MonthsPeriod = Period.YEAR,
    start: From = "",
    to: To = "",
    zone: Zone = "",
    version: Versions = [],  # noqa: B006 - FastAPI copies it
    lang: Words = "cs",
) -> Response:
    """Return the inventory."""
    words, tz = language_of(lang), zone_of(zone) if zone else room.deps.zone
    months = months_asked(room, period, start, to, tz)
    whose, chosen = addable(room, scope), versions_of(version)
    found = emissions(whose, months, ask=room.ask, tables=room.deps.dated, versions=chosen)
    own = own_generation(whose, months, ask=room.ask, tables=room.deps.dated, versions=chosen)
    return as_json(
        Emissions(
            period=period,
            zone=tz.key,
            points=[p.id for p in whose.points],
            values=[period_row(row, words) for row in found],
            own_generation=[own_row(row, words) for row in own],
        )
    )


@router.get(
    "/emissions/change",
    dependencies=[allowed(Right.SEE)],
    operation_id="get_emissions_change",
    summary="A change of emissions split by cause",
    description="From `compare` to the span: what consumption, weather, factor and population made of it. Parts add up "
    "to the change exactly (Shapley value).",
    **documented(ChangeRow, examples.CHANGE, errors=(401, 404, 422, 503)),
)
def get_change(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    scope: InScope,
    start: From = "",
    to: To = "",
    compare: Annotated[
        str, Query(description="previous-year or FROM/TO, whole months.", examples=["previous-year"])
    ] = "previous-year",
    zone: Zone = "",
    max_missing: Annotated[
        float, Query(ge=0, le=1, description="The missing share up to which a carrier is split.", examples=[0.02])
    ] = MOST_MISSING,
    weather: Annotated[
        bool | None,
        Query(
            description=f"Tell the weather's part by models of the points; else where they are at most {MOST_MODELS}.",
            examples=[True],
        ),
    ] = None,
    version: Versions = [],  # noqa: B006 - FastAPI copies it
    lang: Words = "cs",
) -> Response:
    """Return the change."""
    words, tz = language_of(lang), zone_of(zone) if zone else room.deps.zone
    after = whole_months(start, to, tz, room.deps.clock())
    whose = addable(room, scope)
    found = change(
        whose,
        compared_with(after, compare, tz)[0],
        after[0],
        ask=room.ask,
        tables=room.deps.dated,
        weather=weather_of(room, whose, weather),
        most_missing=max_missing,
        versions=versions_of(version),
    )
    return as_json(change_row(found, words))


@router.get(
    "/factors",
    dependencies=[allowed(Right.PUBLISHED)],
    operation_id="get_factors",
    summary="Emission factors with their sources and versions",
    description="All that emissions are computed with, former versions too.",
    **documented(Factors, examples.FACTORS, errors=(401, 422, 503)),
)
def get_factors(
    room: InRoom,
    carrier: Annotated[Carrier | None, Query(description="Of this carrier.", examples=["electricity"])] = None,
) -> Response:
    """Return the factors."""
    tables = room.deps.dated.factors
    return as_json(
        Factors(
            factors=[factor_row(f) for f in (*tables.factors, *tables.former) if carrier in {None, f.carrier}],
            ratios=[
                RatioRow(
                    r.id,
                    r.gross_over_net,
                    r.valid.since.isoformat(),
                    None if r.valid.until is None else r.valid.until.isoformat(),
                    source_row(r.provenance),
                )
                for r in tables.ratios
            ],
            order={c: list(schemes) for c, schemes in tables.order.items()},
        )
    )
