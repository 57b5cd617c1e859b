"""How right decoded vectors are: required readings right, missing or wrong; a wrong one is the worst."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import UnitError
from core.units import CANONICAL, Quantity, unit

TOLERANCE: Final = 1e-5
ROUNDED: Final = 1e-6
"""Expected values are written with up to six decimals."""
ALIASES: Final = {"L": "l", "W·min": "Wmin", "Â°C": "°C", "hca": "unit"}
SUFFIXES: Final = (
    "_import",
    "_export",
    "_production",
    "_cooling",
    "_total_both_directions",
    "_reverse",
    "_flow",
    "_return",
)
NAMES: Final = {
    "hca_units": "heat_cost_units",
    "gas_volume": "volume",
    "gas_flow": "flow",
    "period": "interval",
}
DIRECTIONS: Final = {"_import": {"import", "total"}, "_export": {"export"}}

Line = Mapping[str, Any]


@dataclass(slots=True)
class Score:
    """What came of the vectors of a file; `notes` tell each that is not as expected."""

    name: str
    vectors: int = 0
    required: int = 0
    right: int = 0
    missing: int = 0
    wrong: int = 0
    optional_right: int = 0
    optional: int = 0
    extra: int = 0
    ignorable: int = 0
    ignored: int = 0
    explained: int = 0
    unread: int = 0
    notes: list[str] = field(default_factory=list)


def score(name: str, vectors: Sequence[Mapping[str, Any]], lines: Sequence[Line]) -> Score:
    """Return the score of a file's vectors."""
    total = Score(name)
    for vector, line in zip(vectors, lines, strict=True):
        total.vectors += 1
        _score(total, vector, line)
    return total


def _score(total: Score, vector: Mapping[str, Any], line: Line) -> None:
    expected = vector.get("expected") or {}
    wanted, found = list(expected.get("readings") or []), list(line.get("readings") or [])
    if expected.get("ignore"):
        total.ignorable += 1
        total.ignored += "ignored" in line
        if "ignored" not in line:
            total.notes.append(f"{vector['id']}: not ignored: {str(dict(line))[:300]}")
    if not wanted and not expected.get("ignore"):
        total.unread += 1
        total.explained += "readings" not in line
    for reading in sorted(wanted, key=lambda w: (not any(_same_place(w, f) for f in found), not w.get("required"))):
        _judge(total, vector, reading, found, line)
    for reading in found:
        total.extra += 1
        if reading["kind"] in {"cumulative", "interval", "delta"} and reading["unit"] is not None:
            total.notes.append(f"{vector['id']}: beyond the expected: {_shown(reading)}")


def _judge(total: Score, vector: Mapping[str, Any], wanted: Mapping[str, Any], found: list[Any], line: Line) -> None:
    """Count one expected reading; what is found of it is taken out of `found`."""
    required = bool(wanted.get("required"))
    total.required += required
    total.optional += not required
    same_place = [r for r in found if _same_place(wanted, r)]
    right = next((r for r in same_place if not _faults(vector, wanted, r)), None)
    if right is None:
        right = next((r for r in found if not _faults(vector, wanted, r)), None)
    if right is not None:
        found.remove(right)
        total.right += required
        total.optional_right += not required
    elif same_place:
        found.remove(same_place[0])
        total.wrong += 1
        faults = ", ".join(_faults(vector, wanted, same_place[0]))
        total.notes.append(f"{vector['id']}: WRONG {faults}: {_shown(same_place[0])} for {dict(wanted)}")
    elif required:
        total.missing += 1
        why = line.get("rejected") or line.get("ignored") or line.get("problems") or "no such reading"
        total.notes.append(f"{vector['id']}: missing {dict(wanted)}: {str(why)[:200]}")


def _same_place(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    place, inner = str(wanted.get("field")), str(found["field"])
    if "ts" in wanted and found["at"] is not None and not _same_time(wanted["ts"], found["at"]):
        return False
    return place == inner or inner.endswith(f".{place}") or place.endswith(f".{inner}")


def _same_time(one: object, other: str) -> bool:
    from ingest.instants import stamps  # noqa: PLC0415 - only a score needs it

    read = stamps([one, other])
    return (not read.faults and int(read.us[0]) == int(read.us[1])) or bool(read.naive[0])


def _faults(vector: Mapping[str, Any], wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return what of a reading is not as expected."""
    value, canonical = _canonical(wanted)
    meter = wanted.get("meter") or wanted.get("meter_id") or (vector.get("expected") or {}).get("meter_id")
    checks = {
        "value": _close(value, found["value"]),
        "unit": canonical == found["unit"],
        "kind": _kind(wanted, found),
        "meter": not meter or str(found["meter"]).lower() == str(meter).lower(),
        "quantity": _quantity(wanted, found),
        "register": _register(wanted, found),
        "place": _same_place(wanted, found) or canonical is not None,
    }
    return [name for name, good in checks.items() if not good]


def _canonical(wanted: Mapping[str, Any]) -> tuple[float | None, str | None]:
    text = wanted.get("unit")
    try:
        value = float(wanted["value"])
    except (KeyError, TypeError, ValueError):
        return None, None
    if text is None:
        return value, None
    if text == "1":
        return value, "unit" if wanted.get("quantity") == "hca_units" else "1"
    try:
        known = unit(ALIASES.get(text, text))
    except UnitError:
        return value, text
    return value * known.scale / known.divisor + known.offset, known.canonical


def _close(value: float | None, found: float) -> bool:
    return value is not None and math.isclose(value, found, rel_tol=TOLERANCE, abs_tol=ROUNDED)


def _kind(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    kind = wanted.get("kind")
    if kind is None:
        return True
    return found["kind"] in ({"cumulative", "snapshot"} if kind == "snapshot" else {NAMES.get(kind, kind)})


def _quantity(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    name = wanted.get("quantity")
    if name is None or found["quantity"] is None:
        return True
    stem = name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    stem = NAMES.get(name, stem)
    return stem == found["quantity"] or stem not in {str(q) for q in Quantity} | set(CANONICAL)


def _register(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    name = str(wanted.get("quantity"))
    direction = str(found["register"]).split("/")[0]
    return all(direction in allowed for suffix, allowed in DIRECTIONS.items() if name.endswith(suffix))


def _shown(reading: Mapping[str, Any]) -> str:
    return " ".join(str(reading[n]) for n in ("meter", "quantity", "register", "kind", "value", "unit", "at", "field"))
