"""Which right each route declares: for the navigation, the documentation and the tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from api.access import Allowed
from core.people import RIGHTS, Access, Grant, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A route: its method and address, and what it declares, all of which has to hold."""

    method: str
    path: str
    declared: tuple[Allowed, ...]

    def opens(self, access: Access) -> bool:
        """Return whether somebody gets through."""
        return all(one.opens(access) for one in self.declared)


def _declared(dependant: Dependant) -> Iterator[Allowed]:
    if isinstance(dependant.call, Allowed):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _declared(inner)


def doors(app: FastAPI) -> list[Door]:
    """Return every route of an app, in their order."""
    return [
        Door(method=method, path=route.path or "", declared=tuple(dict.fromkeys(_declared(route.dependant))))
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def page_doors(app: FastAPI) -> Mapping[str, Door]:
    """Return the doors of what can be looked at, by address."""
    return {door.path: door for door in doors(app) if door.method == "GET"}


def roles_of(door: Door) -> tuple[Role, ...]:
    """Return the roles that get through a door where they are had over the whole region."""
    return tuple(role for role in Role if door.opens(Access(name=role, grants=(Grant(role=role),))))


def access_table(found: Iterable[Door]) -> str:
    """Return the table of the documentation: what each route needs, and who therefore gets through."""
    names = " | ".join(role.replace("_", " ") for role in Role)
    lines = [f"| route | needs | {names} |", "|---|---|" + "---|" * len(Role)]
    for door in found:
        roles = roles_of(door)
        marks = " | ".join("yes" if role in roles else "" for role in Role)
        lines.append(f"| `{door.method} {door.path}` | {needs(door)} | {marks} |")
    return "\n".join(lines) + "\n"


def needs(door: Door) -> str:
    """Return what a door declares, in words."""
    told = [" or ".join(one.rights) + (", everywhere" if one.everywhere else "") for one in door.declared if one.rights]
    return "; ".join(told) or "nothing"


def rights_table() -> str:
    """Return the table of the documentation: what each role may do."""
    lines = ["| role | may |", "|---|---|"]
    lines += [f"| {role} | {', '.join(sorted(RIGHTS[role]))} |" for role in Role]
    return "\n".join(lines) + "\n"
