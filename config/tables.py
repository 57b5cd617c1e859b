"""Tables of dated values in TOML: those that ship with Odečet, and an operator's own beside them.

An operator's file adds rows; it never changes one that ships. A row of a known id needs the next version.
"""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.dated_tables import Provenance, Reach, Status, Trust, Validity
from core.errors import ConfigError, InputError

FOLDER: Final = Path(__file__).parent
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("is no number")  # noqa: TRY004 - pydantic tells the place of a ValueError
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Words = tuple[str, ...]


class Row(BaseModel):
    """What every row says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(min_length=1)]
    status: Status = Status.OFFICIAL
    trust: Trust = Trust.OPERATOR
    version: Annotated[int, Field(ge=1)] = 1
    note: str = ""

    def provenance(self) -> Provenance:
        """Return where the value comes from."""
        return Provenance(
            source=self.source, status=self.status, trust=self.trust, version=self.version, note=self.note
        )


class DatedRow(Row):
    """A row that holds for months."""

    since: date
    until: date | None = None

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


def together(shipped: Sequence[T], own: Sequence[T], file: Path | None, kind: str) -> tuple[T, ...]:
    """Return the rows that ship and the operator's; raise ConfigError where a version of a row is there twice."""
    rows: dict[tuple[str, int], T] = {}
    for row in (*shipped, *own):
        key = _key(row)
        if key in rows:
            name, version = key
            raise ConfigError(
                f"{file or FOLDER}: {kind} {name!r} has version {version} twice; "
                f"what was used once stays: give yours version = {version + 1}, or an id of its own"
            )
        rows[key] = row
    return tuple(rows.values())


def _key(row: Any) -> tuple[str, int]:  # noqa: ANN401 - of any kind of row
    provenance: Provenance | None = getattr(row, "provenance", None)
    return row.id, provenance.version if provenance else 1
