"""Inhabitants of the region, from the table that ships and an operator's own."""

from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from config.tables import FOLDER, Number, Row, all_made, read_rows, together
from core.populations import Population

SHIPPED: Final = FOLDER / "populations.toml"


class PopulationRow(Row):
    """A population as a table writes it."""

    id: str
    place: str
    at: date
    until: date | None = None
    inhabitants: Number
    series: str = ""


class Populations(BaseModel):
    """A table of populations."""

    model_config = Row.model_config

    population: tuple[PopulationRow, ...] = ()


def load_populations(own: Path | None = None) -> tuple[Population, ...]:
    """Return the populations that ship and the operator's."""
    mine = () if own is None else _rows(own)
    return together(_rows(SHIPPED), mine, own, "population")


def _rows(file: Path) -> tuple[Population, ...]:
    return all_made(file, "population", _population, read_rows(file, Populations).population)


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
