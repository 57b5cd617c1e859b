"""Long-term degree days of places, from the table that ships and an operator's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from config.tables import FOLDER, Maker, Makers, Number, Row, both, in_force
from core.climate import Normal
from core.own_rows import ListedRow, RowKind

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
    """Return the normals that ship and the operator's, one of a place and limit, ordered by these."""
    return normals_of(both(own, SHIPPED, Normals, MAKERS))


def normals_of(rows: Sequence[ListedRow]) -> tuple[Normal, ...]:
    """Return what counts of these rows."""
    return tuple(sorted(in_force(rows, RowKind.NORMAL), key=lambda row: (row.place, row.limit_c)))


def _key(row: NormalRow) -> str:
    return f"{row.place} {row.limit_c:g}"


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


MAKERS: Final[Makers] = {RowKind.NORMAL: Maker(model=NormalRow, make=_normal, key=_key, space="normal")}
