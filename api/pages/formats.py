"""Formats: the profiles that messages are read by, a message tried on them, a new one from a sample."""

import base64
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from api.access import allowed
from api.pages.forms import count_of
from api.pages.view import Seen, Viewer, back
from api.paging import LARGEST_NUMBER
from api.routes.formats import failed_of, profile_named, shelf_of
from api.routes.letters import Which, reread
from core.errors import InputError
from core.formats import Choices, Chosen, Draft, Sample
from core.people import Right
from core.units import Quantity

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

MOST_NUMBERS: Final = 1_000
"""Numbers of a sample that a form asks about."""
KINDS: Final = ("cumulative", "gauge", "delta", "interval")
QUANTITIES: Final = tuple(str(q) for q in Quantity if q is not Quantity.UNSTATED)
UNITS: Final = (
    "kWh",
    "Wh",
    "MWh",
    "GJ",
    "MJ",
    "m³",
    "l",
    "kW",
    "W",
    "m³/h",
    "l/h",
    "°C",
    "V",
    "A",
    "Hz",
    "%",
    "pulse",
    "kvarh",
    "unit",
)


@router.get("/formats")
def formats(v: Seen) -> Response:
    """Show every profile."""
    shelf = shelf_of(v.room)
    return v.page(
        "formats.html", formats=shelf.known(), overlaps=shelf.overlaps(), line=None, topic="", payload="", failed=None
    )


@router.post("/formats/test", dependencies=[allowed(Right.REGISTER, Right.SIMULATE)])
def test(v: Seen) -> Response:
    """Run the cases of every profile."""
    shelf = shelf_of(v.room)
    failed = failed_of(shelf.test())
    return v.page(
        "formats.html", formats=shelf.known(), overlaps=shelf.overlaps(), line=None, topic="", payload="", failed=failed
    )


@router.post("/formats/decode", dependencies=[allowed(Right.REGISTER, Right.SIMULATE)])
def decode(v: Seen, topic: Annotated[str, Form()], payload: Annotated[str, Form()] = "") -> Response:
    """Show what would be read of a message."""
    shelf = shelf_of(v.room)
    line = shelf.decode(topic.strip(), payload.encode())
    return v.page(
        "formats.html",
        formats=shelf.known(), overlaps=shelf.overlaps(), line=line, topic=topic, payload=payload, failed=None,
    )  # fmt: skip


@router.get("/formats/new", dependencies=[allowed(Right.REGISTER, Right.SIMULATE)])
def new(v: Seen, letter: Annotated[int, Query(ge=0, le=LARGEST_NUMBER)] = 0) -> Response:
    """Ask for a sample; a dead letter may be one."""
    if not letter:
        return v.page("format_new.html", topic="", payload="", problem="")
    found = v.room.deps.records.letter(letter)
    return v.page("format_new.html", topic=found.topic, payload=found.payload.decode(errors="replace"), problem="")


@router.get("/formats/{name}")
def one(v: Seen, name: str) -> Response:
    """Show a profile."""
    return v.page("format.html", found=profile_named(v.room, name))


@router.post("/formats/new", dependencies=[allowed(Right.REGISTER, Right.SIMULATE)])
def inspect(
    v: Seen, topic: Annotated[str, Form()], payload: Annotated[str, Form()], each: Annotated[str, Form()] = ""
) -> Response:
    """Show what is found in a sample, and ask what it means."""
    try:
        sample = shelf_of(v.room).inspect(topic.strip(), payload.encode(), each)
    except InputError as err:
        return v.page("format_new.html", status=422, topic=topic, payload=payload, problem=v.told(err))
    return _asked(v, sample, None, "")


def _asked(v: Viewer, sample: Sample, choices: Choices | None, problem: str) -> Response:
    return v.page(
        "format_draft.html",
        status=422 if problem else 200,
        sample=sample,
        payload=sample.payload.decode(errors="replace"),
        choices=choices,
        chosen={c.path: c for c in choices.readings} if choices else {},
        problem=problem,
        quantities=QUANTITIES,
        units=UNITS,
        kinds=KINDS,
        topic=proposed_topic(sample.topic),
    )


def proposed_topic(topic: str) -> str:
    """Return a filter for a topic: levels with digits behind the first are captured."""
    levels = topic.split("/")
    marked = [n for n, level in enumerate(levels) if n and any(c.isdigit() for c in level)]
    names = {n: "{id}" if len(marked) == 1 else f"{{id{i}}}" for i, n in enumerate(marked, 1)}
    return "/".join(names.get(n, level) for n, level in enumerate(levels))


@router.post("/formats/draft", dependencies=[allowed(Right.REGISTER, Right.SIMULATE)])
async def draft(v: Seen, request: Request) -> Response:
    """Show the profile that these choices make, and what it reads of its sample."""
    form = {key: str(value) for key, value in (await request.form()).items()}
    shelf, payload = shelf_of(v.room), form.get("payload", "").encode()
    choices = choices_of(form)
    try:
        made: Draft = shelf.draft(form.get("sample_topic", ""), payload, choices)
    except InputError as err:
        sample = shelf.inspect(form.get("sample_topic", ""), payload, choices.each)
        return _asked(v, sample, choices, v.told(err))
    return v.page("format_check.html", draft=made, held=base64.b64encode(made.text.encode()).decode(), problem="")


def choices_of(form: dict[str, str]) -> Choices:
    """Return the choices of the form: a number without quantity is none."""
    picked = [
        Chosen(
            path=form[f"path{n}"],
            quantity=form[f"quantity{n}"],
            unit=form.get(f"unit{n}", "").strip(),
            kind=form.get(f"kind{n}", ""),
            register=form.get(f"register{n}", "").strip() or "total",
        )
        for n in range(min(count_of(form.get("numbers", "")) or 0, MOST_NUMBERS))
        if form.get(f"quantity{n}")
    ]
    time = form.get("time", "")
    written, _, time_format = time.partition("\t")
    return Choices(
        name=form.get("name", "").strip(),
        title=form.get("title", "").strip(),
        topic=form.get("topic", "").strip(),
        meter=form.get("meter", "").strip(),
        time=written,
        time_format=time_format or "auto",
        zone="site",
        each=form.get("each", ""),
        readings=tuple(picked),
    )


def _text_of(held: str) -> str:
    """Return the profile that the page carried along; raise InputError for what no page of ours carries."""
    try:
        return base64.b64decode(held, validate=True).decode()
    except ValueError as err:
        raise InputError("the file is empty", place="file", remedy="choose the file again") from err


@router.post("/formats", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def save(v: Seen, held: Annotated[str, Form()]) -> Response:
    """Save a profile that was shown."""
    text = _text_of(held)
    try:
        saved = shelf_of(v.room).save(text)
    except InputError as err:
        return v.page(
            "format_check.html",
            status=422,
            draft=Draft(name="", text=text, readings=()),
            held=held,
            problem=v.told(err),
        )
    return back(f"/formats/{saved.name}?done=saved")


@router.post("/letters/replay", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def replay_all(
    v: Seen, reason: Annotated[str, Form()] = "", after: Annotated[int, Form(ge=0, le=LARGEST_NUMBER)] = 0
) -> Response:
    """Read all letters of a reason again."""
    done = reread(v.room, Which(reason=reason, after=after))
    if done.next:
        return back(f"/letters?done=more&reason={quote(reason)}")
    return back(f"/letters?done={'all_read' if not done.still else 'some_read'}")
