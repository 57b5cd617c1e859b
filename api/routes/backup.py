"""A backup of all stores, made while this process serves: for `odecet backup`, where it holds the embedded store."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from api.access import allowed
from api.contract import documented
from api.problems import Refused
from api.room import InRoom
from core.people import Right

router = APIRouter(prefix="/api/v1", tags=["process"], dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

MEDIA: Final = "application/x-tar"


@router.get(
    "/backup",
    operation_id="backup",
    summary="A backup of all stores",
    description="A tar file that `odecet restore` takes: records as they are now, readings at least up to now. It "
    "holds hashes of passwords and keys: keep it as carefully as the stores. An answer that breaks off is no backup.",
    **documented(None, None, errors=(503,), also={MEDIA: "odecet-backup.json ... manifest.json"}),
)
def backup(room: InRoom) -> StreamingResponse:
    """Return the backup, piece by piece as it is made."""
    if room.deps.backup is None:
        raise Refused(503, "This process makes no backups.")
    pieces: Iterator[bytes] = room.deps.backup()
    first = next(pieces)  # what cannot begin is told as a problem, not as an answer that breaks off
    headers = {"Content-Disposition": 'attachment; filename="odecet-backup.tar"', "Cache-Control": "no-store"}
    return StreamingResponse(chain([first], pieces), media_type=MEDIA, headers=headers)
