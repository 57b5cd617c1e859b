"""Inhabitants of the region, from the table that ships and an operator's own."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from config.tables import FOLDER, Day, Maker, Makers, Number, Row, both, in_force
from core.own_rows import RowKind
from core.populations import Population

SHIPPED: Final = FOLDER / "populations.toml"


class PopulationRow(Row):
    """A population as a table writes it."""

    id: str
    place: str
    at: Day
    until: Day | None = None
    inhabitants: Number
    series: str = ""


class Populations(BaseModel):
    """A table of populations."""

    model_config = Row.model_config

    population: tuple[PopulationRow, ...] = ()


def load_populations(own: Path | None = None) -> tuple[Population, ...]:
    """Return the populations that ship and the operator's."""
    return in_force(both(own, SHIPPED, Populations, MAKERS), RowKind.POPULATION)


def _population(row: PopulationRow) -> Population:
    return Population(
        id=row.id,
        place=row.place,
        at=row.at,
        until=row.until,
        inhabitants=row.inhabitants,
        series=row.series,
        provenance=row.provenance(),
    )


MAKERS: Final[Makers] = {RowKind.POPULATION: Maker(model=PopulationRow, make=_population, space="population")}
