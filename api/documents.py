"""The register's things as JSON documents, in and out; a wrong field is named with its path."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

import msgspec

from api.problems import Place, Refused
from core.errors import InputError
from core.registry import Entity

E = TypeVar("E", bound=Entity)
T = TypeVar("T")

_AT: Final = re.compile(r"^(?P<problem>.*?)(?: - at `\$?\.?(?P<place>[^`]*)`)?$", re.DOTALL)

Document = dict[str, Any]


def to_document(entity: Entity) -> Document:
    """Return the JSON form of one of the register."""
    made: Document = msgspec.to_builtins(entity)
    return made


def read_object(body: bytes) -> Document:
    """Return the JSON object of a body; raise Refused, naming the place, where it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as err:
        raise Refused(422, f"The body is no JSON object: {err}", errors=[Place("body", str(err))]) from err


def convert(document: Mapping[str, Any], kind: type[T]) -> T:
    """Return the value that a document says; raise Refused with the path of what is wrong."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as err:
        found = _AT.match(str(err))
        place, problem = (found["place"] or "body", found["problem"]) if found else ("body", str(err))
        raise Refused(422, f"{place}: {problem}", errors=[Place(place, problem)]) from err


def from_document(document: Document, kind: type[E]) -> E:
    """Return the entity that a document says; fields that it does not have are refused, never passed over."""
    known = {f.name for f in fields(kind)}
    strange = [
        Place(name, "this field is not known", f"one of {', '.join(sorted(known))}")
        for name in document
        if name not in known
    ]
    if strange:
        names = ", ".join(p.place for p in strange)
        raise Refused(422, f"{kind.__name__} has no {names}", errors=strange)
    return convert(document, kind)


def merged(document: Document, patch: Document) -> Document:
    """Return a document changed by a JSON merge patch (RFC 7396): null takes a field back to its default."""
    changed = {**document, **patch}
    return {name: value for name, value in changed.items() if value is not None}


def same_id(document: Document, key: str) -> Document:
    """Return the document with the id of its address; another id in it is refused: ids are for ever."""
    if document.get("id", key) != key:
        raise InputError(
            f"id {document['id']!r} is not that of the address, {key!r}",
            place="id",
            remedy="ids do not change: make a new one and move what belongs to it",
        )
    return {**document, "id": key}
