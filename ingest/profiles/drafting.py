"""A profile drafted from a sample: what is in it is found, a person says what it means, the file is written.

Proposals are drawn from names and are only that: nothing is taken that a person has not confirmed.
"""

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from core.errors import InputError, UnitError
from core.formats import Choices, Chosen, Found, Sample
from core.units import Quantity, unit
from ingest.accept import Bounds
from ingest.codecs.errors import PayloadError
from ingest.instants import stamps
from ingest.message import Message
from ingest.native_meaning import COUNTED, KINDS
from ingest.profile import Router
from ingest.profiles.engine import TomlProfile
from ingest.profiles.forms import form
from ingest.profiles.lines import Line, explain
from ingest.profiles.load import parse
from ingest.profiles.paths import Context, Node, PathError, Step, follow, rows, steps
from ingest.profiles.spec import DecodeSpec
from ingest.profiles.values import Unreadable, plain

MOST_FOUND: Final = 200
DEEPEST: Final = 8
_PLAIN_KEY: Final = re.compile(r"[^.\[\]\"$=*]+")
_SUFFIX: Final = re.compile(r"(?:^|_)(kwh|wh|mwh|gj|mj|m3|l|kw|w|m3h|lh|c|v|a|hz|kvarh)$", re.IGNORECASE)
_SUFFIX_UNITS: Final = {
    "kwh": "kWh", "wh": "Wh", "mwh": "MWh", "gj": "GJ", "mj": "MJ", "m3": "m³", "l": "l", "kw": "kW", "w": "W",
    "m3h": "m³/h", "lh": "l/h", "c": "°C", "v": "V", "a": "A", "hz": "Hz", "kvarh": "kvarh",
}  # fmt: skip
_WORDS: Final = (
    (re.compile(r"temp|teplot", re.IGNORECASE), Quantity.TEMPERATURE),
    (re.compile(r"humid|vlhk", re.IGNORECASE), Quantity.HUMIDITY),
    (re.compile(r"volt|napět", re.IGNORECASE), Quantity.VOLTAGE),
    (re.compile(r"current|proud|amp", re.IGNORECASE), Quantity.CURRENT),
    (re.compile(r"flow|průtok|prutok", re.IGNORECASE), Quantity.FLOW),
    (re.compile(r"power|výkon|vykon|watt", re.IGNORECASE), Quantity.POWER),
    (re.compile(r"puls|imp(?!ort)", re.IGNORECASE), Quantity.PULSE_COUNT),
    (re.compile(r"volume|water|voda|objem|m3", re.IGNORECASE), Quantity.VOLUME),
    (re.compile(r"energ|kwh|import|export|odběr|dodáv|total", re.IGNORECASE), Quantity.ENERGY),
)
_LOCAL_FORMATS: Final = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y.%m.%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S",
)  # fmt: skip
_TIME_NAME: Final = re.compile(r"(time|date|ts|stamp|cas|čas|datum|at)(?:$|_|[A-Z])", re.IGNORECASE)
_ID_NAME: Final = re.compile(r"(id|serial|sn|eui|meter|device|name|address|addr|mac|cislo|číslo)$", re.IGNORECASE)


def inspect(topic: str, payload: bytes, each: str = "") -> Sample:
    """Return what is in a message, in rows of `each`; raise InputError where it can't be read in any form."""
    chosen, tree = _formed(payload)
    lists = tuple(_lists(tree, ""))
    if chosen in {"csv", "line", "mbus"} and not each:
        each = "rows[]" if chosen == "mbus" else "[]"
    first = next(rows(Context(tree, tree, topic, {}), _way(each)), None)
    if first is None:
        raise InputError(
            f"there is nothing at {each!r} in the sample", remedy=f"one of: {', '.join(lists) or 'no list'}"
        )
    leaves = list(_leaves(first.node, ""))[:MOST_FOUND]
    return Sample(
        topic=topic,
        payload=payload,
        form=chosen,
        each=each,
        lists=lists,
        numbers=tuple(_proposed(path, value, first.node) for path, value in leaves if _number(value)),
        names=tuple(f"{{{path}}}" for path, value in leaves if _names(path, value)),
        times={path: written for path, value in leaves if (written := _time(path, value))},
    )


def _way(each: str) -> tuple[Step, ...]:
    try:
        return steps(each)
    except PathError as err:
        raise InputError(f"each: {err}", remedy="one such as values[]") from err


def _formed(payload: bytes) -> tuple[str, Node]:
    """Return the first form in which a payload can be read, and its tree."""
    start = payload.lstrip()[:1]
    likely = {b"{": ["json"], b"[": ["json"], b"<": ["mbus", "xml"], b"/": ["p1"]}.get(start, ["json", "text"])
    if start not in {b"{", b"[", b"<", b"/"} and b"\n" in payload.strip():
        likely = ["csv", "line", "text"]
    why = ""
    for one in likely:
        try:
            tree = form(DecodeSpec(form=one))(payload)  # type: ignore[arg-type]
        except PayloadError as err:
            why = str(err)
            continue
        return ("text", {"payload": payload.decode(errors="replace").strip()}) if _bare(tree) else (one, tree)
    raise InputError(f"the sample cannot be read: {why}", remedy="paste a payload as it was published, whole")


def _bare(tree: Node) -> bool:
    """Return whether JSON is a bare value."""
    return type(tree) not in {dict, list}


def _lists(node: Node, at: str) -> Iterator[str]:
    """Return the paths of lists of objects."""
    if at.count(".") > DEEPEST:
        return
    if type(node) is list:
        if node and all(type(entry) is dict for entry in node):
            yield f"{at}[]"
    elif type(node) is dict:
        for key, value in node.items():
            yield from _lists(value, _below(at, key))


def _below(at: str, key: str) -> str:
    step = key if _PLAIN_KEY.fullmatch(key) else f'["{key}"]'
    return f"{at}.{step}" if at and not step.startswith("[") else f"{at}{step}"


def _leaves(node: Node, at: str, depth: int = 0) -> Iterator[tuple[str, Node]]:
    """Return the places of values with the values, lists of few plain values by number."""
    if depth > DEEPEST:
        return
    if type(node) is dict:
        for key, value in node.items():
            if '"' not in key:
                yield from _leaves(value, _below(at, key), depth + 1)
    elif type(node) is list:
        for number, value in enumerate(node[:9] if all(type(v) is not dict for v in node) else []):
            yield from _leaves(value, f"{at}[{number}]", depth + 1)
    else:
        yield at, node


def _number(value: Node) -> bool:
    try:
        return type(value) is not bool and plain(value) is not None
    except Unreadable:
        return False


def _names(path: str, value: Node) -> bool:
    return type(value) in {str, int} and bool(_ID_NAME.search(path)) and str(value).strip() != ""


def _time(path: str, value: Node) -> str:
    """Return the format of a time, empty where the value is none."""
    if type(value) is bool or value is None or not _TIME_NAME.search(path.rpartition(".")[2]):
        return ""
    if not stamps([value]).faults:
        return "auto"
    return next((form for form in _LOCAL_FORMATS if _fits(value, form)), "")


def _fits(value: Node, form: str) -> bool:
    try:
        datetime.strptime(str(value).strip(), form)  # noqa: DTZ007 - only whether it fits is asked
    except ValueError:
        return False
    return True


def _proposed(path: str, value: Node, row: Node) -> Found:
    """Return a number with what its name, or a unit beside it, proposes."""
    name = path.rpartition(".")[2]
    stated = _beside(path, row)
    suffix = _SUFFIX.search(name)
    text = stated or (_SUFFIX_UNITS[suffix[1].lower()] if suffix else "")
    quantity = unit(text).quantity if text else next((q for word, q in _WORDS if word.search(path)), Quantity.UNSTATED)
    kind = "cumulative" if quantity in COUNTED or quantity is Quantity.UNSTATED else "gauge"
    shown = "" if quantity is Quantity.UNSTATED else str(quantity)
    return Found(path=path, value=str(value), quantity=shown, unit=text, kind=kind)


def _beside(path: str, row: Node) -> str:
    """Return the unit that stands in the same object under `unit`, empty where none that is known does."""
    above = follow(row, steps(path)[:-1]) if path else row
    if type(above) is not dict:
        return ""
    text = next((v for k, v in above.items() if k.lower() in {"unit", "units", "jednotka"} and type(v) is str), "")
    try:
        unit(text)
    except UnitError:
        return ""
    return str(text)


def written(sample: Sample, choices: Choices, *, site: str, now: np.datetime64) -> tuple[str, Line]:
    """Return the text of the profile, its test case included, and what it reads of the sample; raise ProfileError."""
    text = _text(sample, choices)
    source = parse(text, path=Path(f"{choices.name}.toml"))
    profile = TomlProfile(source, {}, site=site)
    message = Message(topic=sample.topic, payload=sample.payload, received=int(now.astype(np.int64)))
    read = explain(message, Router([profile]), now=now, bounds=Bounds())
    if "readings" not in read:
        raise InputError(f"the profile reads nothing of its sample: {read}", remedy="choose other places or meanings")
    return text + _case(sample, read), read


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(sample: Sample, choices: Choices) -> str:
    lines = [
        f"name = {_quoted(choices.name)}",
        f"title = {_quoted(choices.title or choices.name)}",
        *([f"zone = {_quoted(choices.zone)}"] if choices.zone else []),
        "",
        "[match]",
        f"topics = [{_quoted(choices.topic)}]",
        "",
        "[decode]",
        f'as = "{sample.form}"',
        "",
        "[[rows]]",
        *([f"each = {_quoted(sample.each)}"] if sample.each else []),
        f"meter = {_quoted(choices.meter)}",
        *([f"time = [{_time_rule(choices)}]"] if choices.time else []),
    ]
    for reading in choices.readings:
        lines += ["", "[[rows.readings]]", *_reading(reading)]
    return "\n".join(lines) + "\n"


def _time_rule(choices: Choices) -> str:
    if choices.time_format == "auto":
        return _quoted(choices.time)
    return f"{{ path = {_quoted(choices.time)}, format = {_quoted(choices.time_format)} }}"


def _reading(chosen: Chosen) -> list[str]:
    if chosen.kind and chosen.kind not in KINDS:
        raise InputError(f"kind {chosen.kind!r} is not known", remedy=f"one of {', '.join(KINDS)}")
    pairs = {
        "path": chosen.path or "$row",
        "quantity": chosen.quantity,
        "unit": chosen.unit,
        "kind": chosen.kind,
        "register": "" if chosen.register == "total" else chosen.register,
    }
    return [f"{key} = {_quoted(value)}" for key, value in pairs.items() if value]


def _case(sample: Sample, read: Line) -> str:
    """Return the test case: the sample, and what was read of it."""
    try:
        payload = f"payload = {_quoted(sample.payload.decode())}"
    except UnicodeDecodeError:
        payload = f'payload_base64 = "{base64.b64encode(sample.payload).decode()}"'
    lines = ["", "[[tests]]", f"topic = {_quoted(sample.topic)}", payload, "readings = ["]
    lines += [f"  {_expected(reading)}," for reading in read["readings"]]
    return "\n".join([*lines, "]", ""])


def _expected(reading: Line) -> str:
    pairs = [("meter", reading["meter"]), ("quantity", reading["quantity"] or ""), ("register", reading["register"])]
    pairs += [("kind", reading["kind"]), ("unit", reading["unit"] or ""), ("at", reading["at"] or "")]
    texts = ", ".join(f"{key} = {_quoted(value)}" for key, value in pairs if value)
    return f"{{ {texts}, value = {reading['value']!r} }}"


def save(folder: Path, name: str, text: str) -> Path:
    """Write a profile that is right into the operator's folder; raise InputError where one of that name is there."""
    path = folder / f"{name}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as err:
        raise InputError(
            f"{path.name} is there already", remedy="choose another name, or remove the file first"
        ) from err
    except OSError as err:
        raise InputError(f"{path} cannot be written: {err.strerror}", remedy="give a folder that can be") from err
    return path
