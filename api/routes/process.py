"""Whether the process lives, is ready to serve, and how it does."""

from collections.abc import Callable
from typing import Final

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.problems import RETRY_AFTER_S
from api.room import InBareRoom, Room
from core.errors import StoreError

router = APIRouter(tags=["process"])


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str
    version: str


class Ready(msgspec.Struct, frozen=True):
    """Whether work can be taken; `reasons` say what is not ready."""

    ready: bool
    reasons: tuple[str, ...] = ()


READY: Final = {"ready": True, "reasons": []}


@router.get(
    "/health",
    dependencies=[allowed()],
    operation_id="health",
    summary="Whether the process lives",
    **documented(Alive, {"status": "alive", "version": "0.1.0"}, errors=()),
)
def health(room: InBareRoom) -> Response:
    """Return that the process lives."""
    return as_json(Alive("alive", room.deps.version))


def _store(name: str, ready: Callable[[], None]) -> list[str]:
    try:
        ready()
    except StoreError as err:
        return [f"{name}: {err}"]
    return []


def reasons(room: Room) -> tuple[str, ...]:
    """Return what is not ready, nothing where all is."""
    found = _store("readings", room.deps.readings.ready) + _store("records", room.deps.records.ready)
    status = room.deps.ingest()
    if status is not None and not status.connected:
        found.append(f"ingest: {status.detail or 'not connected to the broker'}")
    return tuple(found)


@router.get(
    "/ready",
    dependencies=[allowed()],
    operation_id="ready",
    summary="Whether stores and ingest are ready",
    description="503 with the reasons where something is not.",
    **documented(Ready, READY, errors=()),
)
def ready(room: InBareRoom) -> Response:
    """Return whether work can be taken."""
    found = reasons(room)
    if not found:
        return as_json(Ready(ready=True))
    return as_json(Ready(ready=False, reasons=found), status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


@router.get(
    "/metrics",
    dependencies=[allowed()],
    operation_id="metrics",
    summary="Measures for Prometheus",
    **documented(None, None, errors=(), also={"text/plain": "odecet_http_requests_total 1.0\n"}),
)
def metrics(room: InBareRoom) -> Response:
    """Return the measures of this process."""
    return Response(generate_latest(room.deps.metrics), media_type=CONTENT_TYPE_LATEST)
