"""Documents and notes of buildings as one caller has them: what they see, what they may change, and the acts.

Whoever sees a building reads its papers, strangers never. Who adds one may correct and withdraw it; who may change the
register of the building, anybody's. What was withdrawn is seen by those who might have done it.
"""

from datetime import date
from typing import Final

from starlette.responses import Response

from api.access import MAY_NOT
from api.attachments import attachment
from api.problems import Refused
from api.room import Room
from api.scope import reaches_building
from api.snapshot import Snapshot
from core.errors import NotFound
from core.papers import Document, Kept, Note, PaperAct
from core.people import Access, Right
from core.registry import Building
from services.papers import Papers, Shelf, gathered, shelf

OTHERS: Final = "Somebody else added this; who manages the building's energy may change it."


def may_add(access: Access, building: Building) -> bool:
    """Return whether somebody may put a document or a note to a building."""
    return reaches_building(access, Right.PAPERS, building)


def may_change_all(access: Access, building: Building) -> bool:
    """Return whether somebody may correct and withdraw what others added."""
    return may_add(access, building) and reaches_building(access, Right.REGISTER, building)


def may_change(access: Access, building: Building, kept: Kept) -> bool:
    """Return whether somebody may correct and withdraw a paper."""
    own = bool(access.name) and kept.first.by == access.name
    return (own and may_add(access, building)) or may_change_all(access, building)


def seen_paper(room: Room, key: str, kind: type[Document | Note]) -> Kept:
    """Return a document or a note that the caller sees; raise NotFound."""
    kept = room.deps.records.paper(key)
    if not isinstance(kept.last.said, kind) or not _shown(room.access, room.now(), kept):
        raise NotFound(f"paper {key} is not known")
    return kept


def _shown(access: Access, now: Snapshot, kept: Kept) -> bool:
    """Return whether a paper is of a building that is (still) there, and not withdrawn from this caller's eyes."""
    building = now.buildings.get(kept.last.building)
    return building is not None and (kept.live or may_change(access, building, kept))


def changing(room: Room, kept: Kept) -> Papers:
    """Return the acts on a paper; raise Refused where the caller may not."""
    building = room.now().building(kept.last.building)
    if not may_add(room.access, building):
        raise Refused(403, MAY_NOT)
    if not may_change(room.access, building, kept):
        raise Refused(403, OTHERS)
    return Papers(room.writing(Right.PAPERS))


def adding(room: Room, building: str) -> Papers:
    """Return the acts in a building; raise NotFound where it is not seen, Refused where the caller may not."""
    if not may_add(room.access, room.now().building(building)):
        raise Refused(403, MAY_NOT)
    return Papers(room.writing(Right.PAPERS))


def purging(room: Room) -> Papers:
    """Return the acts of an administrator."""
    return Papers(room.region.deps.records)


def today_of(room: Room) -> date:
    """Return today in the region."""
    return room.deps.clock().astimezone(room.deps.zone).date()


def listed(room: Room, building: str = "", *, live: bool = True) -> Shelf:
    """Return the papers of a building (empty: of all) that the caller sees; raise NotFound for one that is not seen.

    Of those that were withdrawn, the ones that the caller might have withdrawn.
    """
    now = room.now()
    papers = room.deps.records.papers([now.building(building).id] if building else None)
    kept = [one for one in gathered(papers) if one.live is live and _shown(room.access, now, one)]
    return shelf(kept, today_of(room))


def check_version(if_match: str, kept: Kept) -> int | None:
    """Return the version to change (None: whichever); raise Refused where an If-Match names another one."""
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag in {"", "*"}:
        return None
    if tag != str(kept.last.version):
        raise Refused(412, f"{kept.last.id} was changed meanwhile; read it again.")
    return kept.last.version


def file_of(room: Room, kept: Kept) -> Response:
    """Return a document's file, to be saved; raise NotFound where it was purged."""
    said = kept.last.said
    if not isinstance(said, Document) or kept.last.act is PaperAct.PURGED:
        raise NotFound(f"the file of {kept.last.id} was purged")
    content = room.region.deps.records.document_file(said.digest)
    return attachment(content, name=said.name, media_type=said.media_type, digest=said.digest)
