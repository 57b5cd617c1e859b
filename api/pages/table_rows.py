"""A row of the dated tables: its versions, and the form by which somebody adds a row, corrects or withdraws one."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.access import FORM_FIELD, allowed
from api.acts import act
from api.pages.deliveries import Sent
from api.pages.plan_forms import said
from api.pages.settings_tables import lines_of, words_of
from api.pages.table_fields import Entry, Field, fields_of
from api.pages.table_forms import content_of, sent_back, shown_of
from api.pages.view import Seen, Viewer, back
from api.problems import Refused
from api.reasons import CARRIERS
from api.settings_texts import ROW_KINDS, TABLES
from api.texts import N_, NOTHING
from core.errors import Conflict, InputError
from core.notes import JsonValue
from core.own_rows import TABLE_OF, DatedTables, ListedRow, RowKind
from core.people import Right
from services.own_rows import Change, Draft, enter, proposed

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

PAGE: Final = "/settings/tables/row"
LOOK, STORE = "look", "store"
LONGEST_NUMBER: Final = 18
FIXED: Final = {RowKind.NORMAL: ("place", "limit_c")}
"""What makes up the id of a kind of row where it has no field of its own: it stays as it is in a correction."""
IDLE: Final = {
    "scheme": N_("Nothing is computed with it: its scheme does not count for this carrier."),
    "supplier": N_("Nothing is computed with it until a row says whom this supplier supplies."),
}


def tables_of(v: Viewer) -> DatedTables:
    """Return the dated tables; raise Refused where this process has none."""
    if v.room.deps.dated_tables is None:
        raise Refused(503, "This process keeps no dated tables.")
    return v.room.deps.dated_tables


def _kind(name: str) -> RowKind:
    if name not in set(RowKind):
        raise HTTPException(404)
    return RowKind(name)


@router.get(PAGE)
def row(v: Seen, kind: Annotated[str, Query()], key: Annotated[str, Query()] = "") -> Response:
    """Show a row with its versions and the form that corrects it, or the form of a new one."""
    of, standing = _kind(kind), tables_of(v).standing()
    versions = standing.of(of, key) if key else ()
    if key and not versions:
        raise HTTPException(404)
    content = versions[0].content if versions else {}
    return _form(v, of, key, shown_of(of, content, v.words))


@router.post(PAGE)
def save(v: Seen, sent: Sent) -> Response:
    """Show what a row would do, or keep it; what is wrong is told beside what was written."""
    kind, key = _kind(said(sent, "row_kind")), said(sent, "key")
    shown = _written(v, kind, key, sent)
    try:
        draft = _draft(v, kind, key, sent)
        if said(sent, "step") == STORE:
            kept = enter(v.room.region.deps.records, tables_of(v), draft, act(v.room, v.name, said(sent, "why")))
            return back(f"{PAGE}?{urlencode({'kind': kind, 'key': kept.key, 'done': 'saved'})}")
        change = proposed(tables_of(v), v.room.region.deps.records, draft)
    except (InputError, Conflict) as err:
        status = 409 if isinstance(err, Conflict) else 422
        place = err.place.partition(".")[0] if isinstance(err, InputError) else ""
        return _form(v, kind, key, shown, status=status, sent=sent, notice=v.told(err), place=place)
    looks = said(sent, "step") == LOOK  # else they come back from there to the form
    return _form(v, kind, key, shown, sent=sent, change=change if looks else None)


def _written(v: Viewer, kind: RowKind, key: str, sent: FormData) -> Mapping[str, Any]:
    """Return what stands in the form: what was written, of a withdrawal what the row says."""
    versions = tables_of(v).standing().of(kind, key) if said(sent, "withdraw") else ()
    return shown_of(kind, versions[0].content, v.words) if versions else sent_back(kind, sent)


def _after(sent: FormData) -> int | None:
    """Return the number of the entered row that was the last one when the form was opened."""
    text = said(sent, "after")
    return int(text) if text.isdecimal() and len(text) < LONGEST_NUMBER else None


def _draft(v: Viewer, kind: RowKind, key: str, sent: FormData) -> Draft:
    """Return the row that was sent; a withdrawal says again what is withdrawn."""
    after = _after(sent)
    if said(sent, "withdraw"):
        versions = tables_of(v).standing().of(kind, key)
        content: dict[str, JsonValue] = {**(versions[0].content if versions else {}), "withdrawn": True}
        return Draft(kind=kind, content=content, after=after)
    content = content_of(kind, sent)
    if key and kind is RowKind.HOLIDAY:
        content["id"] = key
    return Draft(kind=kind, content=content, after=after)


def _form(
    v: Viewer,
    kind: RowKind,
    key: str,
    shown: Mapping[str, Any],
    *,
    status: int = 200,
    sent: FormData | None = None,
    change: Change | None = None,
    notice: str = "",
    place: str = "",
) -> Response:
    standing = tables_of(v).standing()
    versions = standing.of(kind, key) if key else ()
    return v.page(
        "table_row.html",
        status=status,
        kind=kind,
        key=key,
        title=v.words.text(ROW_KINDS[kind]),
        table=TABLE_OF[kind],
        table_name=v.words.text(TABLES[TABLE_OF[kind]]),
        lines=lines_of(v, versions),
        fields=fields_of(kind),
        fixed=("id", *FIXED.get(kind, ())) if key else (),
        shown=shown,
        why=said(sent, "why") if sent is not None else "",
        withdraws=sent is not None and bool(said(sent, "withdraw")),
        after=change.after if change else standing.number,
        notice=notice,
        place=place,
        preview=_preview(v, change) if change else None,
        again=_again(sent) if sent is not None and change else [],
        offered=_offered(v, kind),
        words_of=words_of(v),
    )


def _again(sent: FormData) -> list[tuple[str, str]]:
    """Return the fields of a form that go with the preview, so that they are sent as they were written."""
    leave = {"step", "after", FORM_FIELD}
    return [(name, str(value)) for name, value in sent.multi_items() if name not in leave]


def _preview(v: Viewer, change: Change) -> dict[str, Any]:
    """Return what templates show of a change: the new line, the one that it replaces, fields, rows beside it."""
    others = lines_of(v, [one.row for one in change.beside])
    return {
        "line": lines_of(v, [change.row])[0],
        "former": lines_of(v, [change.former])[0] if change.former else None,
        "fields": list(_changed(v, change)),
        "beside": list(zip(change.beside, others, strict=True)),
        "idle": v.words.text(IDLE[change.idle]) if change.idle else "",
    }


def _changed(v: Viewer, change: Change) -> Iterator[tuple[str, str, str]]:
    """Yield the fields that a version changes, as the form shows them: name, before, after."""
    kind, former = change.row.kind, change.former
    differing = {name for name, *_ in change.fields}
    before = shown_of(kind, former.content if former else {}, v.words)
    after = shown_of(kind, change.row.content, v.words)
    for field in fields_of(kind):
        if field.name in differing:
            yield v.words.text(field.label), _told(v, field, before), _told(v, field, after)


def _told(v: Viewer, field: Field, shown: Mapping[str, Any]) -> str:
    value = shown[field.name]
    if isinstance(value, list):
        told = [
            " + ".join(filter(None, one.values())) if isinstance(one, dict) else _word(v, field, one) for one in value
        ]
        return ", ".join(filter(None, told)) or NOTHING
    return _word(v, field, value) or NOTHING


def _word(v: Viewer, field: Field, text: str) -> str:
    """Return what a code of a choice is called; what is written stays as it is."""
    return v.words.text(field.choices[text]) if field.choices and field.choices.get(text) else text


def _offered(v: Viewer, kind: RowKind) -> Mapping[str, Any]:
    """Return what fields propose: words that other rows use, buildings and organisations to choose from."""
    dated, now = v.room.deps.dated, v.room.now()
    wanted = {field.entry for field in fields_of(kind)}
    used = {field.name: _used(v, kind, field) for field in fields_of(kind) if field.entry is Entry.TEXT}
    order = dated.factors.order if kind is RowKind.FACTOR else {}
    return {
        "words": {name: words for name, words in used.items() if name not in {"id", "note"}},
        "buildings": list(now.buildings.values()) if Entry.BUILDINGS in wanted else [],
        "organisations": list(now.organisations.values()) if Entry.ORGANISATIONS in wanted else [],
        "schemes": [(v.words.text(CARRIERS[carrier]), ", ".join(schemes)) for carrier, schemes in order.items()],
    }


def _used(v: Viewer, kind: RowKind, field: Field) -> list[str]:
    rows: tuple[ListedRow, ...] = tables_of(v).standing().rows
    return sorted({str(one.content[field.name]) for one in rows if one.kind is kind and field.name in one.content})
