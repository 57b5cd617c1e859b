"""Tables for machines: CSV as the web wants it (RFC 4180, UTF-8) and its description by CSVW.

CSVW is the W3C recommendation "Metadata Vocabulary for Tabular Data" (2015).
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from reports.czech import fit

Value = str | float | int | bool | date | datetime | None
CSV_MEDIA: Final = "text/csv; charset=utf-8; header=present"
METADATA_MEDIA: Final = "application/csvm+json"
METADATA_ENDING: Final = ".csv-metadata.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in the file, its datatype (of XML Schema), what it is called and means, in both languages."""

    name: str
    datatype: str
    title: str
    english: str
    meaning: str
    required: bool = False

    def described(self) -> dict[str, Any]:
        """Return its description."""
        made: dict[str, Any] = {
            "name": self.name,
            "titles": {"cs": [self.name, self.title], "en": [self.english]},
            "dc:description": {"@value": self.meaning, "@language": "cs"},
            "datatype": self.datatype,
        }
        return made | ({"required": True} if self.required else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: the name of its file without ending, what it is called, its columns, its key and its rows."""

    key: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    keywords: Mapping[str, Sequence[str]]
    columns: tuple[Column, ...]
    primary: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...] = ()
    themes: tuple[str, ...] = ("ENER", "ENVI")
    first: date | None = None
    last: date | None = None

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.key}.csv"


def as_csv(table: Table) -> bytes:
    """Return the file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[text_of(value) for value in row] for row in table.rows])
    return out.getvalue().encode()


def text_of(value: Value) -> str:
    """Return a value as XML Schema writes it; what is not known is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else fit(str(value)).replace("\n", " ")


def metadata(table: Table, *, publisher: str, licence: str) -> bytes:
    """Return the description of a table by CSVW; its address is relative, so that both stand in one folder."""
    said = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "cs"}],
        "url": table.file,
        "dc:title": [{"@value": text, "@language": code} for code, text in table.title.items()],
        "dc:description": [{"@value": text, "@language": code} for code, text in table.description.items()],
        "dc:publisher": {"@id": publisher},
        "dc:license": {"@id": licence},
        "dialect": {"delimiter": ",", "encoding": "utf-8", "header": True, "quoteChar": '"', "lineTerminators": "\r\n"},
        "tableSchema": {
            "columns": [column.described() for column in table.columns],
            "primaryKey": list(table.primary),
        },
    }
    return json.dumps(said, ensure_ascii=False, indent=2).encode()


def column(told: Iterable[str], *, required: bool = False) -> Column:
    """Return a column told in the order name, datatype, title, English title, meaning."""
    name, datatype, title, english, meaning = told
    return Column(name=name, datatype=datatype, title=title, english=english, meaning=meaning, required=required)
