"""Long-term degree days of places, from the table that ships and an operator's own."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from config.tables import FOLDER, Number, Row, all_made, read_rows
from core.climate import Normal
from core.errors import ConfigError

SHIPPED: Final = FOLDER / "degree_days.toml"


class NormalRow(Row):
    """A normal as a table writes it."""

    place: str
    limit_c: Number
    outdoor_c: Number
    days: Number
    span: str = ""
    altitude_m: Number | None = None


class Normals(BaseModel):
    """A table of normals."""

    model_config = Row.model_config

    normal: tuple[NormalRow, ...] = ()


def load_normals(own: Path | None = None) -> tuple[Normal, ...]:
    """Return the normals that ship and the operator's; of one place and limit the newest version stands first."""
    rows = [*_rows(SHIPPED), *(() if own is None else _rows(own))]
    keys = [(row.place, row.limit_c, row.provenance.version) for row in rows]
    for place, limit_c, version in keys:
        if keys.count((place, limit_c, version)) > 1:
            raise ConfigError(
                f"{own or SHIPPED}: normal of {place} below {limit_c:g} °C has version {version} twice; "
                f"what was used once stays: give yours version = {version + 1}"
            )
    return tuple(sorted(rows, key=lambda row: (row.place, row.limit_c, -row.provenance.version)))


def _rows(file: Path) -> tuple[Normal, ...]:
    return all_made(file, "normal", _normal, read_rows(file, Normals).normal)


def _normal(row: NormalRow) -> Normal:
    return Normal(
        place=row.place,
        limit_c=row.limit_c,
        outdoor_c=row.outdoor_c,
        days=row.days,
        span=row.span,
        altitude_m=row.altitude_m,
        provenance=row.provenance(),
    )
