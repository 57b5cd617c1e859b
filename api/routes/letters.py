"""Dead letters read again, some or all of them, after a profile was mended."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.paging import LARGEST_NUMBER
from api.room import Body, Caller, InRoom, Room
from core.errors import NotFound
from core.notes import DeadLetter
from core.people import Right

router = APIRouter(prefix="/api/v1", tags=["work"], dependencies=[allowed(Right.REGISTER, everywhere=True)])

AT_ONCE: Final = 500
Whole = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)]
MOST: Final = 5_000
"""Letters that one request reads; `next` tells where to go on."""


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which letters to read again: these numbers, or all with this reason and topic (empty: any), after a number."""

    numbers: tuple[Whole, ...] = ()
    reason: str = ""
    topic: str = ""
    after: Whole = 0


class Reread(msgspec.Struct, frozen=True):
    """What became of letters: how many were tried and read, the readings stored, why the others are still here."""

    tried: int
    read: int
    readings: int
    still: Mapping[str, int]
    next: int | None


EXAMPLE: Final = {"tried": 130, "read": 128, "readings": 512, "still": {"malformed": 2}, "next": None}


def batches(room: Room, which: Which) -> Iterator[Sequence[DeadLetter]]:
    """Return the letters in batches, those that are open alone."""
    records = room.deps.records
    if which.numbers:
        found = [records.letter(number) for number in which.numbers[:MOST]]
        yield [letter for letter in found if letter.replayed is None]
        return
    after = which.after
    for _ in range(MOST // AT_ONCE):
        page = records.letters(reason=which.reason or None, topic=which.topic or None, after=after, limit=AT_ONCE)
        if not page:
            return
        yield page
        after = page[-1].id


def reread(room: Room, which: Which) -> Reread:
    """Read letters again; those that are read now count as replayed. Raise NotFound for a number that is none."""
    if room.deps.replay_all is None:
        raise NotFound("this process cannot read letters again: ask the one that takes readings")
    tried = readings = last = 0
    still: Counter[str] = Counter()
    for letters in batches(room, which):
        taken = room.deps.replay_all(letters)
        tried += len(letters)
        readings += taken.readings
        still.update(reason.partition(":")[0] for _, reason in taken.rejected)
        last = letters[-1].id if letters else last
    more = tried >= MOST and not which.numbers
    return Reread(tried, tried - still.total(), readings, still, last if more else None)


@router.post(
    "/letters/replay",
    operation_id="replay_letters",
    summary="Read several again",
    description="All that have a reason and a topic, or those of the numbers given. A letter is never changed; reading "
    f"it twice changes nothing. One request reads {MOST} at the most: go on `after` the number in `next`.",
    **documented(Reread, EXAMPLE, body=Which, body_example={"reason": "no_profile"}, errors=(401, 404, 422, 503)),
)
def replay_letters(room: InRoom, by: Caller, body: Body) -> Response:  # noqa: ARG001 - the caller is checked, the store keeps when
    """Read letters again."""
    return as_json(reread(room, convert(read_object(body), Which)))
