"""The action plan as it is edited: goals, areas, activities, projects, indicators, each with its history."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.documents import to_document
from api.pages.deliveries import Sent
from api.pages.forms import count_of
from api.pages.plan_forms import BLANK_ROWS, KINDS, Kind, free_id, said
from api.pages.public import KINDS as REPORTS
from api.pages.reports import PROJECT_STATES, STRATEGIC
from api.pages.view import Seen, Viewer, back
from api.texts import N_
from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry
from core.people import Right
from core.plan import Activity, Area, Direction, Figure, Goal, Target
from core.registry import Entity
from services import register as acts
from services.indicator_methods import METHODS
from services.plan import check_plan, tree

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.INDICATORS)])
EDITING: Final = [allowed(Right.PUBLISH, everywhere=True)]

TITLES: Final = {
    "goals": N_("Goal"),
    "areas": N_("Area of activity"),
    "activities": N_("Activity"),
    "projects": N_("Project"),
    "indicators": N_("Indicator"),
}
DIRECTIONS: Final = {
    Direction.UP: N_("is to grow"),
    Direction.DOWN: N_("is to fall"),
    Direction.NONE: N_("no direction"),
}
MOST_ENTRIES: Final = 30


@router.get("/plan")
def plan(v: Seen) -> Response:
    """Show the plan."""
    found = tree(v.room.region.deps.records)
    return v.page("plan.html", tree=found, strategic=STRATEGIC, states=PROJECT_STATES, edits=_edits(v))


def _edits(v: Viewer) -> bool:
    return v.may("check_and_publish", everywhere=True)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise HTTPException(404)
    return KINDS[name]


@router.get("/plan/{kind}/new", dependencies=EDITING)
def new(v: Seen, kind: str, area: Annotated[str, Query()] = "", activity: Annotated[str, Query()] = "") -> Response:
    """Show the form of something new; its id is proposed."""
    records, one = v.room.region.deps.records, _kind(kind)
    stems = {"activities": f"{area}-", "indicators": f"{area}-I", "projects": f"{activity}-P"}
    taken = [e.id for e in records.find(one.kind)]
    proposed = free_id(stems[kind], taken) if kind in stems and (area or activity) else ""
    return _form(v, one, {"id": proposed, "area": area, "activity": activity}, present=None)


@router.get("/plan/{kind}/{key:path}")
def edit(v: Seen, kind: str, key: str) -> Response:
    """Show a thing of the plan with its history, as a form to whom may change it."""
    one = _kind(kind)
    present = v.room.region.deps.records.get(one.kind, key)
    return _form(v, one, to_document(present), present=present)


def _form(
    v: Viewer, kind: Kind, shown: Mapping[str, Any], *, present: Entity | None, notice: str = "", status: int = 200
) -> Response:
    records = v.room.region.deps.records
    figures = [*_as_figures(shown), *[Figure(key="", name="", unit="", decimals=1)] * BLANK_ROWS]
    targets = [*_as_targets(shown), *[Target(figure="", year=0, value=0.0)] * BLANK_ROWS]
    return v.page(
        "plan_form.html",
        status=status,
        kind=kind,
        title=v.words.text(TITLES[kind.plural]),
        shown=shown,
        present=present,
        notice=notice,
        edits=_edits(v),
        goals=records.find(Goal),
        areas=records.find(Area),
        activities=records.find(Activity),
        figures=figures,
        targets=targets,
        methods=METHODS.values(),
        strategic=STRATEGIC,
        states=PROJECT_STATES,
        directions=DIRECTIONS,
        report_kinds=REPORTS,
        history=_history(v, kind, present.id) if present else [],
    )


def _as_figures(shown: Mapping[str, Any]) -> list[Figure]:
    return [Figure(**one) for one in shown.get("figures", ())]


def _as_targets(shown: Mapping[str, Any]) -> list[Target]:
    return [Target(**one) for one in shown.get("targets", ())]


def _history(v: Viewer, kind: Kind, key: str) -> list[tuple[AuditEntry, list[tuple[str, str, str]]]]:
    """Return the newest changes of a thing, each with the fields that differ."""
    entries = v.room.region.deps.records.audit(entity=kind.one, key=key, limit=MOST_ENTRIES)
    return [(one, _differences(one)) for one in entries]


def _differences(entry: AuditEntry) -> list[tuple[str, str, str]]:
    before, after = entry.before or {}, entry.after or {}
    if not before or not after:
        return []
    names = dict.fromkeys((*before, *after))
    return [(n, _text(before.get(n)), _text(after.get(n))) for n in names if before.get(n) != after.get(n)]


def _text(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, list):
        return "; ".join(_text(one) for one in value) or "—"
    if isinstance(value, dict):
        return " ".join(_text(one) for one in value.values())
    return str(value) if value not in {None, ""} else "—"


@router.post("/plan/{kind}", dependencies=EDITING)
def save(v: Seen, kind: str, sent: Sent) -> Response:
    """Add something, or put it in the place of what is changed; what is wrong is told beside what was written."""
    one, changing = _kind(kind), said(sent, "changing")
    present = v.room.region.deps.records.get(one.kind, changing) if changing else None
    try:
        made = one.read(sent)
        _check_id(made, changing)
        check_plan([made])
        doing, records = act(v.room, v.name, said(sent, "why") or "page of the plan"), v.room.writing(Right.PUBLISH)
        if present is not None:
            acts.update(records, made, doing, former=present)
        else:
            acts.create(records, [made], doing)
    except (InputError, Conflict, NotFound) as err:
        return _form(v, one, _written(sent), present=present, notice=v.told(err), status=422)
    return back(f"/plan/{kind}/{made.id}?done=saved")


def _check_id(made: Entity, changing: str) -> None:
    if changing and made.id != changing:
        raise InputError("an id stays as it is", place="id", remedy="add a new one instead")


def _written(sent: FormData) -> dict[str, Any]:
    """Return what was written, for the form to be shown again."""
    lists = {"goals", "strategic", "reports"}
    found: dict[str, Any] = {name: sent.getlist(name) if name in lists else said(sent, name) for name in sent}
    rows = zip(*(sent.getlist(f"figure_{n}") for n in ("key", "name", "unit", "decimals")), strict=False)
    found["figures"] = [
        {
            "key": str(k),
            "name": str(n),
            "unit": str(u),
            "decimals": 1 if (decimals := count_of(str(d))) is None else decimals,
        }
        for k, n, u, d in rows
        if str(k) or str(n)
    ]
    if isinstance(found.get("strategic"), list) and len(found["strategic"]) == 1 and "priority_area" not in sent:
        found["strategic"] = found["strategic"][0]
    return found


@router.post("/plan/{kind}/{key:path}/remove", dependencies=EDITING)
def remove(v: Seen, kind: str, key: str) -> Response:
    """Remove something; the audit trail keeps it."""
    acts.remove(v.room.writing(Right.PUBLISH), _kind(kind).kind, [key], act(v.room, v.name, "page of the plan"))
    return back("/plan?done=removed")
