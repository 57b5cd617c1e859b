"""Answers: JSON by msgspec (large arrays never pass through pydantic), CSV for machines and for Czech spreadsheets."""

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.responses import Response

from core.calendar import Instants

JSON: Final = "application/json"
CSV: Final = "text/csv; charset=utf-8"
_encoder: Final = msgspec.json.Encoder()

Value = str | float | int | bool | None


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401 - whatever JSON can say
    """Return a value as JSON; NaN becomes null."""
    return Response(_encoder.encode(value), status, dict(headers or {}), media_type=JSON)


def etag(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    """Return the entity tag of a value's JSON."""
    return f'"{hashlib.sha256(_encoder.encode(value)).hexdigest()[:24]}"'


def as_csv(
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    czech: bool,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a table: RFC 4180 with points, or as Czech spreadsheets read it (semicolon, decimal comma, BOM)."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if czech else ",", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value, czech=czech) for value in row] for row in rows)
    text = ("\ufeff" if czech else "") + out.getvalue()
    told = {"Content-Disposition": f'attachment; filename="{name}.csv"', **(headers or {})}
    return Response(text.encode(), 200, told, media_type=CSV)


def _cell(value: Value, *, czech: bool) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).replace(".", ",") if czech else repr(value)
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and text[:1] else text  # a spreadsheet would run it as a formula


def utc_texts(at: Instants) -> list[str | None]:
    """Return instants as ISO 8601 in UTC to the second (to the microsecond where there is one), None for NaT."""
    texts = at.astype("datetime64[us]").astype(str).tolist()
    return [None if text == "NaT" else f"{text.removesuffix('.000000')}Z" for text in texts]
