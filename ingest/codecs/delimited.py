"""Delimited text (CSV) to rows: a dict a line, named by the heading or, without one, by position."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.errors import ConfigError
from ingest.codecs.errors import PayloadError
from ingest.codecs.mbus_frame import frame_rows
from ingest.codecs.text import checked_encoding, text_of

MOST_FIELDS: Final = 50_000
MOST_LINES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """Lines of fields; every value stays the text that it is, without the blanks around it.

    With `header` the first line names the fields and every other must have as many, for a shifted column is a wrong
    reading. Without, `columns` name them by position; fewer fields are refused, more are left out (a gateway appends
    its signal strength), and a column named _ is none. `telegram` names a column that holds M-Bus bytes in
    hexadecimal, as Elvaco's gateways send them: each line then becomes a row a record (`mbus_rows`), beside its fields.
    """

    delimiter: str = ";"
    header: bool = True
    columns: tuple[str, ...] = ()
    encoding: str = ""
    telegram: str = ""

    def __post_init__(self) -> None:
        checked_encoding(self.encoding)
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n \0':
            raise ConfigError(f"delimiter {self.delimiter!r} is none: write one character such as ; , or a tab")
        if not self.header and not self.columns:
            raise ConfigError("a table without a heading needs the names of its columns")
        if len(set(self.columns) - {"_"}) != len([c for c in self.columns if c != "_"]):
            raise ConfigError("a column is named twice")

    def parse(self, payload: bytes) -> list[dict[str, Any]]:
        """Return the rows of the lines that are not empty."""
        lines = self._lines(text_of(payload, self.encoding.lower()))
        if not lines:
            raise PayloadError("no line of fields")
        names = _heading(lines.pop(0)) if self.header else self.columns
        rows = [self._row(names, fields, place) for place, fields in lines]
        return [part for row in rows for part in self._records(row)] if self.telegram else rows

    def _lines(self, text: str) -> list[tuple[str, list[str]]]:
        if text.count(self.delimiter) > MOST_FIELDS or text.count("\n") + text.count("\r") > 2 * MOST_LINES:
            raise PayloadError(f"more than {MOST_FIELDS} fields or {MOST_LINES} lines")
        reader = csv.reader(text.splitlines(keepends=True), delimiter=self.delimiter, strict=True)
        lines = []
        try:
            for fields in reader:
                trimmed = [field.strip() for field in fields]
                if any(trimmed):
                    lines.append((f"line {reader.line_num}", trimmed))
        except csv.Error as err:
            raise PayloadError(f"no readable table: {err}", f"line {reader.line_num}") from err
        return lines

    def _row(self, names: Sequence[str], fields: list[str], place: str) -> dict[str, Any]:
        extra = fields[len(names) :]
        if len(fields) < len(names) or (self.header and any(extra)):
            raise PayloadError(f"{len(fields)} fields where {len(names)} are named", place)
        return {name: field for name, field in zip(names, fields, strict=False) if name != "_"}

    def _records(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        if self.telegram not in row:
            raise PayloadError(f"no column {self.telegram!r}: there are {', '.join(row)}"[:200], "line 1")
        return [{**row, **record} for record in frame_rows(row[self.telegram])]


def _heading(line: tuple[str, list[str]]) -> list[str]:
    place, names = line
    while names and not names[-1]:
        names.pop()
    if "" in names or len(set(names)) != len(names):
        raise PayloadError("the heading names a column twice or not at all", place)
    return names
