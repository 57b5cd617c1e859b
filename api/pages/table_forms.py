"""Forms for rows of the dated tables: what they say as a row, and a row as it stands in them, without loss."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from starlette.datastructures import FormData

from api.pages.forms import number_of
from api.pages.plan_forms import said
from api.pages.table_fields import Entry, Field, fields_of
from api.texts import Language
from core.errors import InputError
from core.notes import JsonValue
from core.own_rows import RowKind

BLANK_PLANS: Final = 2
DAY: Final = timedelta(days=1)
DECEMBER: Final = 12
PLAN: Final = ("name", "input_czk_kw", "maximum_czk_kw")
MANY: Final = frozenset({Entry.TICKS, Entry.BUILDINGS, Entry.ORGANISATIONS})


def content_of(kind: RowKind, form: FormData) -> dict[str, JsonValue]:
    """Return the row that a form says, without what was left empty; raise InputError naming the field."""
    read = ((field.name, _READ[field.entry](form, field.name)) for field in fields_of(kind))
    return {name: value for name, value in read if value not in (None, "", [])}


def _number(form: FormData, name: str) -> JsonValue:
    return number_of(said(form, name), place=name)


def _month(form: FormData, name: str) -> date | None:
    """Return the first day of a month as browsers write it, or as people do."""
    text = said(form, name)
    if not text:
        return None
    parts = [int(part) for part in text.replace("/", "-").replace(".", "-").split("-") if part.strip().isdigit()]
    big = [part for part in parts if part > DECEMBER]
    small = [part for part in parts if 1 <= part <= DECEMBER]
    if (
        len(parts) != len(("year", "month"))
        or len(big) != 1
        or len(small) != 1
        or not date.min.year <= big[0] < date.max.year
    ):
        raise InputError(f"{text!r} is no month", place=name, remedy="write it as 2026-01")
    return date(big[0], small[0], 1)


def _first(form: FormData, name: str) -> JsonValue:
    found = _month(form, name)
    return found.isoformat() if found else ""


def _end(form: FormData, name: str) -> JsonValue:
    """Return the month after the last one: rows hold until it begins."""
    found = _month(form, name)
    return (found.replace(day=28) + 4 * DAY).replace(day=1).isoformat() if found else ""


def _day(form: FormData, name: str) -> date | None:
    text = said(form, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as err:
        raise InputError(f"{text!r} is no day", place=name, remedy="write it as 2026-01-01") from err


def _that_day(form: FormData, name: str) -> JsonValue:
    found = _day(form, name)
    return found.isoformat() if found else ""


def _day_after(form: FormData, name: str) -> JsonValue:
    found = _day(form, name)
    return (min(found, date.max - DAY) + DAY).isoformat() if found else ""


def _several(form: FormData, name: str) -> JsonValue:
    return [text for one in form.getlist(name) if isinstance(one, str) and (text := one.strip())]


def _ids(form: FormData, name: str) -> JsonValue:
    return [text for one in said(form, name).split(",") if (text := one.strip())]


def _plans(form: FormData, name: str) -> JsonValue:
    columns = [form.getlist(f"{name}_{part}") for part in PLAN]
    return [dict(_plan(row, name)) for row in zip(*columns, strict=False) if any(str(one).strip() for one in row)]


def _plan(row: tuple[Any, ...], name: str) -> Iterator[tuple[str, JsonValue]]:
    for part, one in zip(PLAN, row, strict=True):
        text = str(one).strip()
        yield part, text if part == "name" else number_of(text, place=name)


_READ: Final[Mapping[Entry, Callable[[FormData, str], JsonValue]]] = {
    Entry.TEXT: said,
    Entry.CHOICE: said,
    Entry.NUMBER: _number,
    Entry.MONTH: _first,
    Entry.LAST_MONTH: _end,
    Entry.DAY: _that_day,
    Entry.LAST_DAY: _day_after,
    Entry.TICKS: _several,
    Entry.BUILDINGS: _several,
    Entry.ORGANISATIONS: _several,
    Entry.IDS: _ids,
    Entry.PLANS: _plans,
}


def shown_of(kind: RowKind, content: Mapping[str, Any], words: Language) -> dict[str, Any]:
    """Return what stands in the fields of a form for a row, without loss."""
    return {field.name: _shown(field, content.get(field.name), words) for field in fields_of(kind)}


def _shown(field: Field, value: Any, words: Language) -> Any:  # noqa: ANN401 - JSON in, text or list out
    if field.entry in MANY:
        return list(value) if value is not None else [field.usual] if field.usual else []
    if field.entry is Entry.PLANS:
        plans = [{part: _text(one.get(part), words) for part in PLAN} for one in value or ()]
        return [*plans, *[dict.fromkeys(PLAN, "")] * BLANK_PLANS]
    if field.entry is Entry.IDS:
        return ", ".join(value or ())
    return (
        _SHOWN[field.entry](str(value))
        if value and field.entry in _SHOWN
        else _text(field.usual if value is None else value, words)
    )


def _before(day: str) -> str:
    return (date.fromisoformat(day) - DAY).isoformat()


_SHOWN: Final[Mapping[Entry, Callable[[str], str]]] = {
    Entry.MONTH: lambda day: day[:7],
    Entry.LAST_MONTH: lambda day: _before(day)[:7],
    Entry.LAST_DAY: _before,
}


def _text(value: JsonValue, words: Language) -> str:
    """Return a value as it is written into a field: a number with all its digits."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        return "" if value is None else str(value)
    text = repr(value).removesuffix(".0") if "e" not in repr(value) else format(value, "f")
    return text.replace(".", ",") if words.code == "cs" else text


def sent_back(kind: RowKind, form: FormData) -> dict[str, Any]:
    """Return what stood in the fields of a form, as it was written."""
    shown: dict[str, Any] = {}
    for field in fields_of(kind):
        if field.entry in MANY:
            shown[field.name] = _several(form, field.name)
        elif field.entry is Entry.PLANS:
            columns = [[str(one) for one in form.getlist(f"{field.name}_{part}")] for part in PLAN]
            shown[field.name] = [dict(zip(PLAN, row, strict=True)) for row in zip(*columns, strict=False)]
        else:
            shown[field.name] = said(form, field.name)
    return shown
