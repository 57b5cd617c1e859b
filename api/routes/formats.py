"""The formats that are read: profiles, what they make of a message, and new ones from a sample."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from api import format_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.problems import Place, Refused
from api.room import Body, Caller, InRoom, Room
from core.errors import NotFound
from core.formats import Choices, Chosen, Format, FormatShelf, Found, Trial
from core.people import Right

router = APIRouter(prefix="/api/v1", tags=["formats"], dependencies=[allowed(Right.SEE)])

Name = Annotated[str, Path(description="The profile's name.", examples=["wmbusmeters"])]


class Profiles(msgspec.Struct, frozen=True):
    """The profiles, an operator's own first; `overlaps` are pairs that read the same filter with equal right."""

    items: tuple[Format, ...]
    overlaps: tuple[tuple[str, str, str], ...]


class Tested(msgspec.Struct, frozen=True):
    """How many test cases were run, and which failed."""

    cases: int
    failed: tuple[Trial, ...]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message: its payload as text, or as base64 where it is none; `each` says where rows are looked for."""

    topic: str
    payload: str = ""
    payload_base64: str = ""
    each: str = ""

    def content(self) -> bytes:
        """Return the bytes; raise Refused for what is no base64."""
        if not self.payload_base64:
            return self.payload.encode()
        try:
            return base64.b64decode(self.payload_base64, validate=True)
        except binascii.Error as err:
            raise Refused(422, "payload_base64 is no base64", errors=[Place("payload_base64", str(err))]) from err


class Decoded(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be read of a message: readings, or why it is ignored or rejected; `problems` beside readings."""

    readings: tuple[dict[str, Any], ...] = ()
    ignored: str = ""
    rejected: str = ""
    problems: str = ""


class Inspected(msgspec.Struct, frozen=True):
    """What is found in a sample: its form, lists where rows may be, numbers, names of meters, times with formats."""

    form: str
    each: str
    lists: tuple[str, ...]
    numbers: tuple[Found, ...]
    names: tuple[str, ...]
    times: Mapping[str, str]


class Meant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a number of a sample means: `unit` empty where the format states none."""

    path: str
    quantity: str
    unit: str = ""
    kind: str = ""
    register: str = "total"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of a format: its name and topics, whose readings they are, of when, what numbers mean."""

    name: str
    topic: str
    meter: str
    readings: tuple[Meant, ...]
    each: str = ""
    time: str = ""
    time_format: str = "auto"
    zone: str = "site"
    title: str = ""

    def choices(self) -> Choices:
        """Return it as the shelf takes it."""
        given = msgspec.structs.asdict(self)
        chosen = tuple(Chosen(**msgspec.structs.asdict(reading)) for reading in self.readings)
        return Choices(**{**given, "readings": chosen})


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sample and what a person says of it."""

    topic: str
    choices: Said
    payload: str = ""
    payload_base64: str = ""

    def content(self) -> bytes:
        """Return the bytes of the sample."""
        return Message(self.topic, self.payload, self.payload_base64).content()


class Drafted(msgspec.Struct, frozen=True):
    """A profile that is written and not saved, and what it reads of its sample."""

    name: str
    text: str
    readings: tuple[dict[str, Any], ...]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A profile as TOML, its test cases included."""

    text: str


def shelf_of(room: Room) -> FormatShelf:
    """Return the profiles; raise NotFound where this process does not know them."""
    if room.deps.formats is None:
        raise NotFound("this process knows no profiles: ask one started with `odecet run` or `odecet api`")
    return room.deps.formats


def failed_of(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the cases that failed."""
    return tuple(trial for trial in trials if trial.faults)


@router.get(
    "/profiles",
    operation_id="list_profiles",
    summary="What formats are read",
    **documented(Profiles, examples.FORMATS, errors=(401, 404, 503)),
)
def list_profiles(room: InRoom) -> Response:
    """Return all profiles."""
    shelf = shelf_of(room)
    return as_json(Profiles(tuple(shelf.known()), tuple(shelf.overlaps())))


@router.post(
    "/profiles",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="save_profile",
    summary="Add a profile",
    description="The text of a profile with at least one test case; its cases must come out as they say. Messages are "
    "read by it from then on; dead letters that it reads can be replayed.",
    **documented(
        Format, examples.FORMAT, status=201, body=Text, body_example={"text": examples.TEXT}, errors=(401, 404, 422)
    ),
)
def save_profile(room: InRoom, by: Caller, body: Body) -> Response:  # noqa: ARG001 - the caller is checked; the folder keeps the file
    """Save a profile."""
    saved = shelf_of(room).save(convert(read_object(body), Text).text)
    return as_json(saved, status=201, headers={"Location": f"/api/v1/profiles/{saved.name}"})


@router.get(
    "/profiles/{name}",
    operation_id="get_profile",
    summary="One profile",
    **documented(Format, examples.FORMAT, errors=(401, 404, 422)),
)
def get_profile(room: InRoom, name: Name) -> Response:
    """Return a profile."""
    return as_json(profile_named(room, name))


def profile_named(room: Room, name: str) -> Format:
    """Return a profile by its name; raise NotFound."""
    for found in shelf_of(room).known():
        if found.name == name:
            return found
    raise NotFound(f"no profile is named {name}: see the list of profiles")


@router.post(
    "/profiles/test",
    dependencies=[allowed(Right.REGISTER, Right.SIMULATE)],
    operation_id="test_profiles",
    summary="Run the test cases that stand in profiles",
    **documented(Tested, examples.TRIALS, errors=(401, 404)),
)
def test_profiles(room: InRoom) -> Response:
    """Run every case."""
    trials = shelf_of(room).test()
    return as_json(Tested(len(trials), failed_of(trials)))


@router.post(
    "/profiles/inspect",
    dependencies=[allowed(Right.REGISTER, Right.SIMULATE)],
    operation_id="inspect_sample",
    summary="What is found in a sample",
    **documented(Inspected, examples.SAMPLE, body=Message, body_example=examples.MESSAGE, errors=(401, 404, 422)),
)
def inspect_sample(room: InRoom, body: Body) -> Response:
    """Return numbers, names and times of a sample."""
    asked = convert(read_object(body), Message)
    found = shelf_of(room).inspect(asked.topic, asked.content(), asked.each)
    return as_json(Inspected(found.form, found.each, found.lists, found.numbers, found.names, found.times))


@router.post(
    "/profiles/draft",
    dependencies=[allowed(Right.REGISTER, Right.SIMULATE)],
    operation_id="draft_profile",
    summary="Write a profile from a sample and what a person says of it",
    description="Nothing is saved; the answer's text can be posted to /profiles.",
    **documented(Drafted, examples.DRAFT, body=Wish, body_example=examples.CHOICES, errors=(401, 404, 422)),
)
def draft_profile(room: InRoom, body: Body) -> Response:
    """Return the text of a profile."""
    wish = convert(read_object(body), Wish)
    made = shelf_of(room).draft(wish.topic, wish.content(), wish.choices.choices())
    return as_json(Drafted(made.name, made.text, tuple(dict(r) for r in made.readings)))


@router.post(
    "/decode",
    dependencies=[allowed(Right.REGISTER, Right.SIMULATE)],
    operation_id="decode_message",
    summary="What would be read of a message",
    description="As `odecet decode`; nothing is stored.",
    **documented(Decoded, examples.DECODED, body=Message, body_example=examples.MESSAGE, errors=(401, 404, 422)),
)
def decode_message(room: InRoom, body: Body) -> Response:
    """Return the readings of a message, or why there are none."""
    asked = convert(read_object(body), Message)
    line = shelf_of(room).decode(asked.topic, asked.content())
    return as_json(Decoded(**{**line, "readings": tuple(line.get("readings", ()))}))
