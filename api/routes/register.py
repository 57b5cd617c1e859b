"""The register by resource: list, get, create, put, patch, delete; every change is audited by the store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response

from api import register_examples as examples
from api.access import allowed
from api.acts import act
from api.answers import as_json, etag
from api.contract import documented, page_type
from api.documents import Document, from_document, merged, read_object, same_id, to_document
from api.paging import LIMIT, After, Limit, page_of
from api.problems import Refused
from api.room import Body, Caller, InRoom, Room
from api.snapshot import Snapshot
from core.people import Right
from core.registry import (
    Adjustment,
    AdjustmentKind,
    Building,
    BuildingKind,
    Commodity,
    DialEvent,
    Entity,
    EventKind,
    Measure,
    MeasureKind,
    Meter,
    Organisation,
    Point,
    Role,
    Station,
)
from services import register as acts
from services.register import By

Filters = Mapping[str, str]
Key = Annotated[str, Path(description="The id.", examples=["B01"])]
Why = Annotated[str, Query(description="Why, for the audit trail.", examples=["annual check"])]
IfMatch = Annotated[
    str, Header(alias="If-Match", description="Change only what still has this ETag.", examples=['"1f"'])
]
ANY: Final = "*"


def _given(**filters: str | None) -> Filters:
    return {name: value for name, value in filters.items() if value is not None}


def _query(what: str, example: str) -> Any:  # noqa: ANN401 - FastAPI's own type is private
    return Query(description=what, examples=[example])


OfOrganisation = Annotated[str | None, _query("Of this organisation.", "O1")]
OfBuilding = Annotated[str | None, _query("Of this building.", "B01")]
OfPoint = Annotated[str | None, _query("Of this metering point.", "B01-EL")]
OfCommodity = Annotated[Commodity | None, _query("Of this commodity.", "electricity")]


def organisation_filters(name: Annotated[str | None, _query("Of this very name.", "Gymnázium")] = None) -> Filters:
    """Return what organisations are chosen by."""
    return _given(name=name)


def building_filters(
    organisation: OfOrganisation = None,
    kind: Annotated[BuildingKind | None, _query("Of this kind.", "school")] = None,
) -> Filters:
    """Return what buildings are chosen by."""
    return _given(organisation=organisation, kind=kind)


def point_filters(
    organisation: OfOrganisation = None,
    building: OfBuilding = None,
    commodity: OfCommodity = None,
    role: Annotated[Role | None, _query("Of this role.", "billing")] = None,
) -> Filters:
    """Return what points are chosen by."""
    return _given(organisation=organisation, building=building, commodity=commodity, role=role)


def meter_filters(
    organisation: OfOrganisation = None,
    building: OfBuilding = None,
    point: OfPoint = None,
    commodity: OfCommodity = None,
    device: Annotated[str | None, _query("That publishes under this name.", "em-0001")] = None,
) -> Filters:
    """Return what meters are chosen by."""
    return _given(organisation=organisation, building=building, point=point, commodity=commodity, device=device)


def event_filters(
    meter: Annotated[str | None, _query("Of this device.", "em-0001")] = None,
    kind: Annotated[EventKind | None, _query("Of this kind.", "swap")] = None,
    point: OfPoint = None,
) -> Filters:
    """Return what events are chosen by."""
    return _given(meter=meter, kind=kind, point=point)


def station_filters(name: Annotated[str | None, _query("Of this very name.", "Liberec")] = None) -> Filters:
    """Return what stations are chosen by."""
    return _given(name=name)


def measure_filters(
    point: OfPoint = None,
    building: OfBuilding = None,
    organisation: OfOrganisation = None,
    kind: Annotated[MeasureKind | None, _query("Of this kind.", "insulation")] = None,
    activity: Annotated[str | None, _query("Of this activity of the action plan.", "2.1-EM-1")] = None,
) -> Filters:
    """Return what measures are chosen by."""
    return _given(point=point, building=building, organisation=organisation, kind=kind, activity=activity)


def adjustment_filters(
    point: OfPoint = None,
    kind: Annotated[AdjustmentKind | None, _query("Of this kind.", "closure")] = None,
) -> Filters:
    """Return what adjustments are chosen by."""
    return _given(point=point, kind=kind)


def belongs(now: Snapshot, entity: Entity, name: str, value: str) -> bool:
    """Return whether an entity has this value, itself or through what it stands in."""
    if hasattr(entity, name):
        return bool(getattr(entity, name) == value)
    if isinstance(entity, Meter):
        return belongs(now, now.point(entity.point), name, value)
    if isinstance(entity, Point):
        return belongs(now, now.building(entity.building), name, value)
    if isinstance(entity, Measure):
        return any(
            key == value if name == "point" else belongs(now, now.point(key), name, value) for key in entity.points
        )
    if isinstance(entity, DialEvent):  # the one other filter of events: the point that the device stands on
        return any(m.device == entity.meter for m in now.meters_of.get(value, ()))
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of thing of the register and how the API names it."""

    plural: str
    one: str
    kind: type[Entity]
    filters: Callable[..., Filters]
    example: Document

    def chosen(self, now: Snapshot, filters: Filters) -> list[Entity]:
        """Return those that pass every filter, by id."""
        held: dict[str, Entity] = getattr(now, self.plural)
        return [e for e in held.values() if all(belongs(now, e, k, v) for k, v in filters.items())]


RESOURCES: Final = (
    Resource(
        plural="organisations",
        one="organisation",
        kind=Organisation,
        filters=organisation_filters,
        example=examples.ORGANISATION,
    ),
    Resource(plural="buildings", one="building", kind=Building, filters=building_filters, example=examples.BUILDING),
    Resource(plural="points", one="point", kind=Point, filters=point_filters, example=examples.POINT),
    Resource(plural="meters", one="meter", kind=Meter, filters=meter_filters, example=examples.METER),
    Resource(plural="events", one="event", kind=DialEvent, filters=event_filters, example=examples.EVENT),
    Resource(plural="stations", one="station", kind=Station, filters=station_filters, example=examples.STATION),
    Resource(plural="measures", one="measure", kind=Measure, filters=measure_filters, example=examples.MEASURE),
    Resource(
        plural="adjustments",
        one="adjustment",
        kind=Adjustment,
        filters=adjustment_filters,
        example=examples.ADJUSTMENT,
    ),
)


def shown(entity: Entity, *, status: int = 200, location: str = "") -> Response:
    """Return one of the register with its entity tag."""
    document = to_document(entity)
    headers = {"ETag": etag(document), **({"Location": location} if location else {})}
    return as_json(document, status=status, headers=headers)


def check_unchanged(entity: Entity, if_match: str) -> None:
    """Raise Refused where the caller saw another state of the entity than the present one."""
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")} - {""}
    if tags and ANY not in tags and etag(to_document(entity)) not in tags:
        raise Refused(412, "It was changed meanwhile; read it again and repeat the change on what is there now.")


def change(
    room: Room, kind: type[Entity], key: str, made: Callable[[Entity], Entity], *, if_match: str, doing: By
) -> Entity:
    """Save what `made` makes of the present one, unless it was changed meanwhile."""
    present = room.deps.records.get(kind, key)
    check_unchanged(present, if_match)
    entity = made(present)
    if room.region.deps.records.get(kind, key) != present:
        raise Refused(403, "You see a part of it; who sees all that it concerns may change it.")
    acts.update(room.writing(Right.REGISTER, entity), entity, doing, former=present)
    return entity


def list_route(resource: Resource) -> Callable[..., Response]:
    """Return the route that lists a resource."""

    def listing(
        request: Request,
        room: InRoom,
        filters: Annotated[Filters, Depends(resource.filters)],
        limit: Limit = LIMIT,
        after: After = "",
    ) -> Response:
        chosen = resource.chosen(room.now(), filters)
        rest = [e for e in chosen if e.id > after]
        page = rest[:limit]
        cursor = page[-1].id if len(rest) > limit else None
        body, headers = page_of(request, page, total=len(chosen), limit=limit, cursor=cursor)
        return as_json(body, headers=headers)

    return listing


def get_route(resource: Resource) -> Callable[..., Response]:
    """Return the route that gets one."""

    def getting(room: InRoom, key: Key) -> Response:
        return shown(room.deps.records.get(resource.kind, key))

    return getting


def create_route(resource: Resource) -> Callable[..., Response]:
    """Return the route that makes one."""

    def creating(room: InRoom, by: Caller, body: Body, why: Why = "") -> Response:
        entity = from_document(read_object(body), resource.kind)
        acts.create(room.writing(Right.REGISTER, entity), [entity], act(room, by, why))
        return shown(entity, status=201, location=f"/api/v1/{resource.plural}/{entity.id}")

    return creating


def put_route(resource: Resource) -> Callable[..., Response]:
    """Return the route that replaces one."""

    def putting(  # noqa: PLR0917 - FastAPI fills these by name
        room: InRoom,
        by: Caller,
        key: Key,
        body: Body,
        if_match: IfMatch = "",
        why: Why = "",
    ) -> Response:
        entity = from_document(same_id(read_object(body), key), resource.kind)
        return shown(change(room, resource.kind, key, lambda _: entity, if_match=if_match, doing=act(room, by, why)))

    return putting


def patch_route(resource: Resource) -> Callable[..., Response]:
    """Return the route that changes fields of one."""

    def patching(  # noqa: PLR0917 - FastAPI fills these by name
        room: InRoom,
        by: Caller,
        key: Key,
        body: Body,
        if_match: IfMatch = "",
        why: Why = "",
    ) -> Response:
        patch = same_id(read_object(body), key)

        def made(present: Entity) -> Entity:
            return from_document(merged(to_document(present), patch), resource.kind)

        return shown(change(room, resource.kind, key, made, if_match=if_match, doing=act(room, by, why)))

    return patching


def delete_route(resource: Resource) -> Callable[..., Response]:
    """Return the route that removes one."""

    def deleting(room: InRoom, by: Caller, key: Key, if_match: IfMatch = "", why: Why = "") -> Response:
        check_unchanged(room.deps.records.get(resource.kind, key), if_match)
        acts.remove(room.writing(Right.REGISTER), resource.kind, [key], act(room, by, why))
        return Response(status_code=204)

    return deleting


def build_router() -> APIRouter:
    """Return the routes of every resource."""
    router = APIRouter(prefix="/api/v1", tags=["register"], dependencies=[allowed(Right.SEE)])
    for resource in RESOURCES:
        _add_reading(router, resource)
        _add_writing(router, resource)
    return router


def _single(resource: Resource) -> str:
    return f"/{resource.plural}/{{key:path}}"


def _add_reading(router: APIRouter, resource: Resource) -> None:
    listed = {"items": [resource.example], "next": None, "total": 1}
    router.get(
        f"/{resource.plural}",
        operation_id=f"list_{resource.plural}",
        summary=f"List {resource.plural}",
        **documented(page_type(resource.kind), listed),
    )(list_route(resource))
    router.get(
        _single(resource),
        operation_id=f"get_{resource.one}",
        summary=f"Get one {resource.one}",
        **documented(resource.kind, resource.example, errors=(404, 422, 503)),
    )(get_route(resource))


def _add_writing(router: APIRouter, resource: Resource) -> None:
    one, kind, example = resource.one, resource.kind, resource.example
    patch, patched = examples.PATCHES[one]
    needs = {"dependencies": [allowed(Right.REGISTER)]}

    def about(body: type, shown: Document, status: int = 200) -> dict[str, Any]:
        errors = (401, 409, 412, 422, 503)
        return documented(kind, example, status=status, body=body, body_example=shown, errors=errors) | needs

    create, replace, change_ = about(kind, example, 201), about(kind, example), about(patch, patched)
    gone = documented(None, None, status=204, errors=(401, 404, 409, 412, 422, 503)) | needs
    many, single = f"/{resource.plural}", _single(resource)
    router.post(many, operation_id=f"create_{one}", summary=f"Create one {one}", **create)(create_route(resource))
    router.put(single, operation_id=f"replace_{one}", summary=f"Replace one {one}", **replace)(put_route(resource))
    router.patch(single, operation_id=f"change_{one}", summary=f"Change fields of one {one}", **change_)(
        patch_route(resource)
    )
    router.delete(
        single,
        operation_id=f"delete_{one}",
        summary=f"Delete one {one} that nothing refers to",
        **gone,
    )(delete_route(resource))
