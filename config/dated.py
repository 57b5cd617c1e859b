"""All dated tables together: those in files, and what people entered on top of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from config import degree_days, factors, populations, school_holidays, tariffs
from config.tables import Maker, Makers, both, in_force, listed_row, with_newest
from core.errors import ConfigError, InputError, StoreError
from core.factors import Carrier
from core.notes import JsonValue
from core.own_rows import TABLE_OF, ListedRow, Origin, OwnRow, RowKind, StandingTables
from core.region_tables import RegionTables
from core.tariffs import overlapping

HOLIDAY_YEARS: Final = range(2000, 2051)
MAKERS: Final[Makers] = {
    **factors.MAKERS,
    **tariffs.MAKERS,
    **populations.MAKERS,
    **degree_days.MAKERS,
    **school_holidays.MAKERS,
}
LONGEST_KEY: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: the file that ships, and how such a file is read."""

    shipped: Path
    model: type[BaseModel]
    makers: Makers


TABLES: Final[Mapping[str, Table]] = {
    "factors": Table(shipped=factors.SHIPPED, model=factors.Factors, makers=factors.MAKERS),
    "tariffs": Table(shipped=tariffs.SHIPPED, model=tariffs.TariffTable, makers=tariffs.MAKERS),
    "populations": Table(shipped=populations.SHIPPED, model=populations.Populations, makers=populations.MAKERS),
    "degree_days": Table(shipped=degree_days.SHIPPED, model=degree_days.Normals, makers=degree_days.MAKERS),
    "school_holidays": Table(
        shipped=school_holidays.SHIPPED, model=school_holidays.SchoolHolidays, makers=school_holidays.MAKERS
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the files say: every row, which schemes count for a carrier, whose inhabitants count."""

    rows: tuple[ListedRow, ...]
    order: Mapping[Carrier, tuple[str, ...]]
    place: str


def read_files(own: Mapping[str, Path | None], place: str) -> Files:
    """Return what the files say that ship and those of an operator, by table; raise ConfigError where one is wrong."""
    rows = [row for name, t in TABLES.items() for row in both(own.get(name), t.shipped, t.model, t.makers)]
    found = Files(rows=tuple(rows), order=factors.load_order(own.get("factors")), place=place)
    _check_connections(rows, str(own.get("tariffs") or tariffs.SHIPPED))
    return found


def _check_connections(rows: Sequence[ListedRow], where: str) -> None:
    if pair := overlapping(in_force(rows, RowKind.CONNECTION)):
        raise ConfigError(
            f"{where}: connections {pair[0].id!r} and {pair[1].id!r} say two things of the same points at once; "
            "end the first where the second begins"
        )


def standing(files: Files, entered: Sequence[OwnRow]) -> StandingTables:
    """Return the tables with what was entered; raise StoreError for a row that this program cannot read."""
    number = entered[-1].number if entered else 0
    return standing_of(files, [_stored(row) for row in entered], number)


def standing_of(files: Files, entered: Sequence[ListedRow], number: int) -> StandingTables:
    """Return the tables with entered rows."""
    rows = tuple(with_newest([*files.rows, *entered], MAKERS))
    return StandingTables(
        number=number,
        rows=rows,
        dated=RegionTables(
            factors=factors.factor_tables(rows, files.order),
            tariffs=tariffs.tariff_tables(rows),
            populations=in_force(rows, RowKind.POPULATION),
            normals=degree_days.normals_of(rows),
            place=files.place,
        ),
        school=school_holidays.school_days(in_force(rows, RowKind.HOLIDAY), HOLIDAY_YEARS),
    )


def _stored(row: OwnRow) -> ListedRow:
    try:
        made = _made(row.kind, {**json.loads(row.content), "version": row.version})
    except (ValueError, InputError) as err:
        raise StoreError(
            f"version {row.version} of {row.kind} {row.key!r}, entered on {row.at.date()}, cannot be read: {err}; "
            "use the newer Odečet that wrote it"
        ) from err
    return ListedRow(**{**_fields(made), "entered": row})


def _fields(row: ListedRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ListedRow.__slots__}


def _made(kind: RowKind, content: Mapping[str, Any]) -> ListedRow:
    maker = MAKERS[kind]
    row = maker.model.model_validate(dict(content))
    return listed_row(kind, maker, row, maker.make(row), Origin.ENTERED)


def drafted(kind: RowKind, content: Mapping[str, JsonValue], rows: Sequence[ListedRow]) -> ListedRow:
    """Return a row that somebody wants to enter, of the next version of its id; raise InputError naming the field."""
    draft = _checked(kind, {"version": 1, **content})
    key, maker = draft.key, MAKERS[kind]
    if not key.strip() or len(key) > LONGEST_KEY or not key.isprintable():
        raise InputError(
            f"id {key!r} cannot be", place="id", remedy=f"write a word of up to {LONGEST_KEY} characters in one line"
        )
    former = [row.version for row in rows if row.key == key and _same_space(MAKERS[row.kind], maker, row.kind, kind)]
    version = max(former, default=0) + 1
    if content.get("version", version) != version:
        raise InputError(
            f"version {content['version']} of {key!r} is not the next one, {version}",
            place="version",
            remedy="look at its history and correct the newest version",
        )
    return _checked(kind, {**content, "version": version})


def _same_space(one: Maker, other: Maker, kind: RowKind, other_kind: RowKind) -> bool:
    return kind is other_kind or bool(one.space and one.space == other.space)


def _checked(kind: RowKind, content: Mapping[str, Any]) -> ListedRow:
    try:
        return _made(kind, content)
    except ValidationError as err:
        raise _refused(kind, err.errors(include_url=False)[0]) from err


DAYS: Final = frozenset({"date_from_datetime_parsing", "date_parsing", "date_type", "date_from_datetime_inexact"})
NUMBERS: Final = frozenset(
    {"float_type", "float_parsing", "finite_number", "int_type", "int_parsing", "int_from_float"}
)


def wrong(place: str, problem: str, remedy: str) -> InputError:
    """Return what is wrong with a field of a row."""
    return InputError(problem, place=place, remedy=remedy)


def _refused(kind: RowKind, error: Any) -> InputError:  # noqa: ANN401 - pydantic's own dictionary
    """Return what is wrong with a field in our words."""
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in error["loc"])
    if error["type"] in {"missing", "string_too_short"}:
        return wrong(place, f"{place} is missing", "write it")
    if error["type"] == "extra_forbidden":
        known = ", ".join(MAKERS[kind].model.model_fields)
        return wrong(place, f"a row of kind {kind} has no field {place}", f"write some of {known}")
    return _of_value(place, error)


def _of_value(place: str, error: Any) -> InputError:  # noqa: ANN401 - same
    code, bounds, value = error["type"], error.get("ctx") or {}, error["input"]
    if code == "greater_than_equal":
        return wrong(place, f"{value!r} cannot be {place}", f"write a number that is not below {bounds['ge']:g}")
    if code == "less_than_equal":
        return wrong(place, f"{value!r} cannot be {place}", f"write a number that is not above {bounds['le']:g}")
    if code in {"enum", "literal_error"}:
        return wrong(place, f"{value!r} cannot be {place}", f"write one of {bounds['expected']}")
    if code in DAYS or error["msg"].endswith("is no day"):
        return wrong(place, f"{value!r} is no day", "write it as 2026-01-01")
    if code in NUMBERS or error["msg"].endswith("is no number"):
        return wrong(place, f"{value!r} is no number", "write a number")
    return wrong(place, f"{value!r} cannot be {place}", "see what a row of this kind may say")


def schema(kind: RowKind) -> Mapping[str, JsonValue]:
    """Return what a row of a kind may say, as a JSON schema."""
    made: Mapping[str, JsonValue] = MAKERS[kind].model.model_json_schema()
    return made


def table_of(kind: RowKind) -> Table:
    """Return the table in which rows of a kind stand."""
    return TABLES[TABLE_OF[kind]]
