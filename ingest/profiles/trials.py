"""The test cases that stand in profile files, run."""

import base64
import binascii
import math
from typing import Any, Final

import numpy as np

from core.calendar import moment
from core.errors import UnitError
from core.formats import Trial
from core.units import unit
from ingest.accept import Bounds
from ingest.instants import stamps
from ingest.message import Message
from ingest.profile import Router
from ingest.profiles.engine import TomlProfile
from ingest.profiles.lines import Line, explain
from ingest.profiles.spec import CaseSpec, ExpectedReading

SAME: Final = 1e-9


def run(profile: TomlProfile, router: Router, *, now: np.datetime64) -> list[Trial]:
    """Run the cases of a profile as they would be read by all profiles together, in the order of the file."""
    return [_run(profile, number, case, router, now) for number, case in enumerate(profile.source.spec.tests)]


def _run(profile: TomlProfile, number: int, case: CaseSpec, router: Router, now: np.datetime64) -> Trial:
    key = f"tests[{number}]"
    try:
        payload = base64.b64decode(case.payload_base64, validate=True) if case.payload_base64 else case.payload.encode()
    except binascii.Error as err:
        raise profile.source.wrong(f"{key}.payload_base64", f"is no base64: {err}") from err
    message = Message(topic=case.topic, payload=payload, received=int(now.astype(np.int64)), retained=case.retained)
    come = explain(message, router, now=now, bounds=Bounds())
    faults = _compared(case, come)
    line = profile.source.wrong(key, "").problem
    return Trial(profile=profile.name, topic=case.topic, line=_line(line), faults=tuple(faults))


def _line(problem: str) -> int:
    head = problem.partition(", key ")[0].rpartition("line ")[2]
    return int(head) if head.isdigit() else 0


def _compared(case: CaseSpec, come: Line) -> list[str]:
    """Return what differs."""
    for what, reason in (("ignored", case.ignored), ("rejected", case.rejected)):
        if reason:
            told = str(come.get(what, ""))
            return [] if told.startswith(reason) or f": {reason}" in told else [f"{what}: {reason} expected, {come}"]
    found = list(come.get("readings", []))
    faults = [f"problem: {come['problems']}"] if "problems" in come else []
    if not case.readings and not found:
        return [*faults, "says neither readings, nor ignored, nor rejected"]
    for wanted in case.readings:
        same = next((r for r in found if _same(wanted, r)), None)
        if same is None:
            faults.append(f"missing: {_shown(wanted)}")
        else:
            found.remove(same)
    if faults and "readings" not in come:
        faults.append(str(come))
    return faults + [f"not expected: {_told(r)}" for r in found]


def _same(wanted: ExpectedReading, found: dict[str, Any]) -> bool:
    value, canonical = wanted.value, wanted.unit or None
    if wanted.unit:
        try:
            known = unit(wanted.unit)
        except UnitError:
            return False
        value, canonical = value * known.scale / known.divisor + known.offset, known.canonical
    return (
        (wanted.meter, wanted.quantity, wanted.register, canonical)
        == (found["meter"], found["quantity"] or "", found["register"], found["unit"])
        and (wanted.kind == found["kind"] or (wanted.kind == "snapshot" and found["kind"] == "cumulative"))
        and math.isclose(value, found["value"], rel_tol=SAME, abs_tol=SAME)
        and _at(wanted.at) == (found["at"] if wanted.at else "")
    )


def _at(text: str) -> str:
    if not text:
        return ""
    read = stamps([text])
    return moment(read.us.view("datetime64[us]")[0]).isoformat().replace("+00:00", "Z")


def _shown(wanted: ExpectedReading) -> str:
    return (
        f"{wanted.meter} {wanted.quantity} {wanted.register} {wanted.kind} {wanted.value:g} {wanted.unit} {wanted.at}"
    )


def _told(found: dict[str, Any]) -> str:
    names = ("meter", "quantity", "register", "kind", "value", "unit", "at", "field")
    return " ".join(str(found[name]) for name in names)
