"""Tables of dated values in TOML: those that ship with Odečet, and an operator's own beside them.

An operator's file adds rows; it never changes one that ships. A row of a known id needs the next version, which
replaces the former ones whole; one that is `withdrawn` replaces them by nothing.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.dated_tables import Provenance, Reach, Status, Trust, Validity
from core.errors import ConfigError, InputError
from core.own_rows import ListedRow, Origin, RowKind

FOLDER: Final = Path(__file__).parent
M = TypeVar("M", bound=BaseModel)


def _day(value: object) -> object:
    if isinstance(value, bool | int | float):
        raise ValueError("is no day")  # noqa: TRY004 - pydantic tells the place of a ValueError
    return value


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("is no number")  # noqa: TRY004 - pydantic tells the place of a ValueError
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Day = Annotated[date, BeforeValidator(_day)]
Words = tuple[str, ...]


class Row(BaseModel):
    """What every row says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(min_length=1)]
    status: Status = Status.OFFICIAL
    trust: Trust = Trust.OPERATOR
    version: Annotated[int, Field(ge=1)] = 1
    note: str = ""
    withdrawn: bool = False

    def provenance(self) -> Provenance:
        """Return where the value comes from."""
        return Provenance(
            source=self.source, status=self.status, trust=self.trust, version=self.version, note=self.note
        )


class DatedRow(Row):
    """A row that holds for months."""

    since: Day
    until: Day | None = None

    def valid(self) -> Validity:
        """Return when it holds."""
        return Validity(since=self.since, until=self.until)


class Reaching(BaseModel):
    """A row that concerns some points."""

    points: Words = ()
    buildings: Words = ()
    organisations: Words = ()

    def reach(self) -> Reach:
        """Return whom it concerns."""
        return Reach(points=self.points, buildings=self.buildings, organisations=self.organisations)


def read_rows(file: Path, model: type[M]) -> M:
    """Return what a TOML file says; raise ConfigError that names file, key and remedy."""
    try:
        tree = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{file}: {err}; write it as TOML, see config/{model.__name__.lower()}.toml") from err
    except UnicodeDecodeError as err:
        raise ConfigError(f"{file}: byte {err.start} is no UTF-8; save the file as UTF-8") from err
    except OSError as err:
        raise ConfigError(f"{file}: {err.strerror}; name a file that Odečet's user may read") from err
    try:
        return model.model_validate(tree)
    except ValidationError as err:
        lines = [_told(file, error) for error in err.errors(include_url=False)]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from err


def _told(file: Path, error: Any) -> str:  # noqa: ANN401 - pydantic's own dictionary
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{file}: {place}: there is no such key; take it out, or see the names in the table that ships"
    if error["type"] == "missing":
        return f"{file}: {place}: is missing; write it into the row of this number"
    return f"{file}: {place}: {error['input']!r} cannot be: {message[:1].lower()}{message[1:]}; correct it"


def made(file: Path, kind: str, number: int, make: Any, row: Any) -> Any:  # noqa: ANN401 - of any kind of row
    """Return what a row makes; what is wrong with it is told with its file and place."""
    try:
        return make(row)
    except InputError as err:
        raise ConfigError(f"{file}: {kind}.{number}: {err.problem}; {err.remedy or 'correct it'}") from err


def all_made(file: Path, kind: str, make: Any, rows: Iterable[Any]) -> tuple[Any, ...]:  # noqa: ANN401 - same
    """Return what rows make, in their order."""
    return tuple(made(file, kind, number, make, row) for number, row in enumerate(rows, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """How rows of a kind are read: what a table writes, what that makes, and the id that its versions share.

    Kinds of one `space` have their ids in common.
    """

    model: type[Row]
    make: Callable[[Any], Any]
    key: Callable[[Any], str] = attrgetter("id")
    space: str


Makers = Mapping[RowKind, Maker]


def listed(file: Path, table: type[BaseModel], makers: Makers, origin: Origin) -> tuple[ListedRow, ...]:
    """Return the rows of a file; raise ConfigError that names file, place and remedy."""
    rows = read_rows(file, table)
    return tuple(
        listed_row(kind, maker, row, made(file, kind.value, number, maker.make, row), origin)
        for kind, maker in makers.items()
        for number, row in enumerate(getattr(rows, kind.value), 1)
    )


def listed_row(kind: RowKind, maker: Maker, row: Row, what: object, origin: Origin) -> ListedRow:
    """Return a row with what it makes."""
    content = row.model_dump(mode="json", exclude_defaults=True, exclude={"version", "withdrawn"})
    return ListedRow(
        kind=kind,
        key=maker.key(row),
        version=row.version,
        content=content,
        made=what,
        origin=origin,
        withdrawn=row.withdrawn,
    )


def both(own: Path | None, shipped: Path, table: type[BaseModel], makers: Makers) -> tuple[ListedRow, ...]:
    """Return the rows that ship and the operator's; raise ConfigError where a version of a row is there twice."""
    rows = listed(shipped, table, makers, Origin.SHIPPED)
    if own is not None:
        rows += listed(own, table, makers, Origin.FILE)
    seen: set[tuple[str, str, int]] = set()
    for row in rows:
        space = makers[row.kind].space
        if space and (space, row.key, row.version) in seen:
            raise ConfigError(
                f"{own or shipped}: {space} {row.key!r} has version {row.version} twice; "
                f"what was used once stays: give yours version = {row.version + 1}, or an id of its own"
            )
        seen.add((space, row.key, row.version))
    return tuple(with_newest(rows, makers))


def with_newest(rows: Iterable[ListedRow], makers: Makers) -> Iterator[ListedRow]:
    """Yield rows in their order, each told whether it is the newest version; of equals the one entered last is."""
    last: dict[tuple[str, str], tuple[int, int]] = {}
    found = [(row, (makers[row.kind].space or row.kind.value, row.key)) for row in rows]
    for place, (row, key) in enumerate(found):
        last[key] = max(last.get(key, (0, 0)), (row.version, place))
    for place, (row, key) in enumerate(found):
        yield replace(row, newest=last[key] == (row.version, place))


def in_force(rows: Iterable[ListedRow], *kinds: RowKind) -> tuple[Any, ...]:
    """Return what the rows of some kinds make that count."""
    return tuple(row.made for row in rows if row.counts and row.kind in kinds)
