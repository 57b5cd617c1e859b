"""/api/v1/plan: the action plan as a tree, its parts by resource with their history, and loading it as a whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import plan_examples as examples
from api.access import allowed
from api.acts import act
from api.answers import as_json, etag
from api.contract import documented, page_type
from api.documents import Document, convert, from_document, merged, read_object, same_id, to_document
from api.paging import LIMIT, Limit, page_of
from api.room import Body, Caller, InRoom, Room
from api.routes.register import IfMatch, Key, Why, check_unchanged, shown
from api.routes.work import Cursor
from core.errors import InputError
from core.notes import AuditEntry
from core.people import Right
from core.plan import Activity, Area, Goal, Indicator, Project
from core.registry import Entity
from services import register as acts
from services.plan import PlanTree, check_plan, load, tree
from services.register import By

router = APIRouter(prefix="/api/v1/plan", tags=["plan"], dependencies=[allowed(Right.INDICATORS, Right.SEE)])
EDITING: Final[dict[str, Any]] = {"dependencies": [allowed(Right.PUBLISH, everywhere=True)]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A kind of thing of the plan and how the API names it."""

    plural: str
    one: str
    kind: type[Entity]
    example: Document


PARTS: Final = (
    Part(plural="goals", one="goal", kind=Goal, example=examples.GOAL),
    Part(plural="areas", one="area", kind=Area, example=examples.AREA),
    Part(plural="activities", one="activity", kind=Activity, example=examples.ACTIVITY),
    Part(plural="projects", one="project", kind=Project, example=examples.PROJECT),
    Part(plural="indicators", one="indicator", kind=Indicator, example=examples.INDICATOR),
)


class WholePlan(msgspec.Struct, frozen=True):
    """A plan to be loaded: what it names is added or replaced, what it does not name stays."""

    goals: Sequence[Goal] = ()
    areas: Sequence[Area] = ()
    activities: Sequence[Activity] = ()
    projects: Sequence[Project] = ()
    indicators: Sequence[Indicator] = ()


class PlanLoaded(msgspec.Struct, frozen=True):
    """How many things were given, and how many of them are new or changed."""

    given: int
    changed: int


@router.get(
    "",
    operation_id="get_plan",
    summary="The action plan: goals, and areas with their activities, projects and indicators",
    **documented(PlanTree, examples.TREE, errors=(401, 503)),
)
def get_plan(room: InRoom) -> Response:
    """Return the plan."""
    found = tree(room.region.deps.records)
    return as_json(found, headers={"ETag": etag(found)})


@router.put(
    "",
    operation_id="load_plan",
    summary="Add or replace parts of the plan, all of them or none",
    **documented(
        PlanLoaded, examples.LOADED, body=WholePlan, body_example=examples.WHOLE, errors=(401, 403, 409, 422, 503)
    ),
    **EDITING,
)
def load_plan(room: InRoom, by: Caller, body: Body, why: Why = "") -> Response:
    """Load a plan."""
    document = read_object(body)
    strange = [name for name in document if name not in WholePlan.__struct_fields__]
    if strange:
        raise InputError(
            f"a plan has no {strange[0]}", place=strange[0], remedy=f"name {', '.join(WholePlan.__struct_fields__)}"
        )
    given = convert(document, WholePlan)
    plan = [one for name in WholePlan.__struct_fields__ for one in getattr(given, name)]
    done = load(room.writing(Right.PUBLISH), plan, act(room, by, why))
    return as_json(PlanLoaded(len(plan), len(done.saved)))


@router.get(
    "/history",
    operation_id="list_plan_history",
    summary="Changes of the plan, newest first",
    **documented(page_type(AuditEntry), examples.HISTORY, errors=(401, 422, 503)),
)
def list_history(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    kind: Annotated[str, Query(description="Of this kind: goal, area, ...", examples=["indicator"])] = "indicator",
    key: Annotated[str, Query(description="Of this id.", examples=["E4"])] = "",
    limit: Limit = LIMIT,
    after: Cursor = 0,
) -> Response:
    """Return a page of the history of one kind of thing."""
    kinds = [part.one for part in PARTS]
    if kind not in kinds:
        raise InputError(f"{kind!r} is not of the plan", place="kind", remedy=f"write one of {', '.join(kinds)}")
    records = room.region.deps.records
    found = records.audit(entity=kind, key=key or None, before=after or None, limit=limit + 1)
    page = found[:limit]
    cursor = page[-1].id if len(found) > limit else None
    body, headers = page_of(request, page, total=None, limit=limit, cursor=cursor)
    return as_json(body, headers=headers)


# One thing at a time


def saved(room: Room, part: Part, key: str, made: Callable[[Entity], Entity], *, if_match: str, doing: By) -> Response:
    """Save what `made` makes of the present one, unless it was changed meanwhile."""
    present = room.region.deps.records.get(part.kind, key)
    check_unchanged(present, if_match)
    entity = made(present)
    check_plan([entity])
    acts.update(room.writing(Right.PUBLISH), entity, doing, former=present)
    return shown(entity)


def list_route(part: Part) -> Callable[..., Response]:
    """Return the route that lists a part of the plan."""

    def listing(room: InRoom) -> Response:
        found = room.region.deps.records.find(part.kind)
        return as_json({"items": found, "next": None, "total": len(found)})

    return listing


def get_route(part: Part) -> Callable[..., Response]:
    """Return the route that gets one."""

    def getting(room: InRoom, key: Key) -> Response:
        return shown(room.region.deps.records.get(part.kind, key))

    return getting


def create_route(part: Part) -> Callable[..., Response]:
    """Return the route that makes one."""

    def creating(room: InRoom, by: Caller, body: Body, why: Why = "") -> Response:
        entity = from_document(read_object(body), part.kind)
        check_plan([entity])
        acts.create(room.writing(Right.PUBLISH), [entity], act(room, by, why))
        return shown(entity, status=201, location=f"/api/v1/plan/{part.plural}/{entity.id}")

    return creating


def put_route(part: Part) -> Callable[..., Response]:
    """Return the route that replaces one."""

    def putting(  # noqa: PLR0917 - FastAPI fills these by name
        room: InRoom, by: Caller, key: Key, body: Body, if_match: IfMatch = "", why: Why = ""
    ) -> Response:
        entity = from_document(same_id(read_object(body), key), part.kind)
        return saved(room, part, key, lambda _: entity, if_match=if_match, doing=act(room, by, why))

    return putting


def patch_route(part: Part) -> Callable[..., Response]:
    """Return the route that changes fields of one."""

    def patching(  # noqa: PLR0917 - FastAPI fills these by name
        room: InRoom, by: Caller, key: Key, body: Body, if_match: IfMatch = "", why: Why = ""
    ) -> Response:
        patch = same_id(read_object(body), key)

        def made(present: Entity) -> Entity:
            return from_document(merged(to_document(present), patch), part.kind)

        return saved(room, part, key, made, if_match=if_match, doing=act(room, by, why))

    return patching


def delete_route(part: Part) -> Callable[..., Response]:
    """Return the route that removes one."""

    def deleting(room: InRoom, by: Caller, key: Key, if_match: IfMatch = "", why: Why = "") -> Response:
        check_unchanged(room.region.deps.records.get(part.kind, key), if_match)
        acts.remove(room.writing(Right.PUBLISH), part.kind, [key], act(room, by, why))
        return Response(status_code=204)

    return deleting


def _about(part: Part, body: type | None, example: Any, status: int = 200) -> Mapping[str, Any]:  # noqa: ANN401 - whatever JSON can say
    errors = (401, 403, 404, 409, 412, 422, 503)
    if body is None:
        return {**documented(None, None, status=204, errors=errors), **EDITING}
    told = documented(part.kind, part.example, status=status, body=body, body_example=example, errors=errors)
    return {**told, **EDITING}


def _add(part: Part) -> None:
    """Add the routes of a part."""
    many, single, one = f"/{part.plural}", f"/{part.plural}/{{key:path}}", part.one
    patch, patched = examples.PATCHES[one]
    listed = {"items": [part.example], "next": None, "total": 1}
    listing = documented(page_type(part.kind), listed, errors=(401, 503))
    router.get(many, operation_id=f"list_plan_{part.plural}", summary=f"List {part.plural} of the plan", **listing)(
        list_route(part)
    )
    getting = documented(part.kind, part.example, errors=(401, 404, 422, 503))
    router.get(single, operation_id=f"get_plan_{one}", summary=f"Get one {one} of the plan", **getting)(get_route(part))
    creating = _about(part, part.kind, part.example, 201)
    router.post(many, operation_id=f"create_{one}", summary=f"Create one {one}", **creating)(create_route(part))
    replacing = _about(part, part.kind, part.example)
    router.put(single, operation_id=f"replace_{one}", summary=f"Replace one {one}", **replacing)(put_route(part))
    changing = _about(part, patch, patched)
    router.patch(single, operation_id=f"change_{one}", summary=f"Change fields of one {one}", **changing)(
        patch_route(part)
    )
    gone = _about(part, None, None)
    router.delete(single, operation_id=f"delete_{one}", summary=f"Delete one {one}", **gone)(delete_route(part))


for _part in PARTS:
    _add(_part)
