"""/api/v1/simulations: simulated meters of this process, faults on them, and what was found against the truth."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.room import Body, Caller, InRoom
from api.simulating import comparison, simulations_of
from core.errors import InputError
from core.people import Right
from core.simulations import FaultForm, FaultWish, Planted, SimulatedMeter, SimulationState, SimulationWish
from services.simulated_truth import Comparison, Judged, Outcome

router = APIRouter(
    prefix="/api/v1/simulations", tags=["simulations"], dependencies=[allowed(Right.SIMULATE, everywhere=True)]
)

Seed = Annotated[int, Query(ge=0, lt=10**6, description="The same seed makes the same meters.", examples=[1])]
Buildings = Annotated[int, Query(ge=1, le=60, description="How many buildings.", examples=[3])]


class SimulatedMeters(msgspec.Struct, frozen=True):
    """Meters that a seed would make."""

    meters: Sequence[SimulatedMeter]


class FaultForms(msgspec.Struct, frozen=True):
    """Kinds of faults and what each is told."""

    faults: Sequence[FaultForm]


class JudgedFault(msgspec.Struct, frozen=True):
    """A fault that was planted and what became of it: found, missed, pending, harmless or unwatched."""

    device: str
    kind: str
    since: datetime
    until: datetime | None
    point: str
    outcome: Outcome
    rules: Sequence[str]
    alert: str
    delay_s: float | None

    @classmethod
    def of(cls, one: Judged) -> "JudgedFault":
        """Return the JSON form."""
        p = one.planted
        delay = None if one.delay is None else one.delay.total_seconds()
        return cls(p.device, p.kind, p.since, p.until, one.point, one.outcome, one.rules, one.alert, delay)


class ScoredRule(msgspec.Struct, frozen=True):
    """Alerts of a rule on simulated meters: those that a planted fault explains, and the others."""

    rule: str
    right: int
    false: int


class SimulationTruth(msgspec.Struct, frozen=True):
    """What was found against what was planted; `delay_s` is the median delay of alerts."""

    faults: Sequence[JudgedFault]
    rules: Sequence[ScoredRule]
    false_alerts: Sequence[str]
    found: int
    missed: int
    delay_s: float | None

    @classmethod
    def of(cls, made: Comparison) -> "SimulationTruth":
        """Return the JSON form."""
        return cls(
            faults=[JudgedFault.of(one) for one in made.judged],
            rules=[ScoredRule(r.rule, r.right, r.false) for r in made.rules],
            false_alerts=[alert.id for alert in made.false],
            found=made.count(Outcome.FOUND),
            missed=made.count(Outcome.MISSED),
            delay_s=None if made.delay is None else made.delay.total_seconds(),
        )


PLANTED: Final = {
    "device": "sim-1-lk-sk-001-sv",
    "devices": ["sim-1-lk-sk-001-sv"],
    "register": "volume.total",
    "kind": "leak",
    "since": "2026-03-14T09:00:00Z",
    "until": None,
    "known_from": "2026-03-14T09:00:00Z",
    "by": "zkousec",
    "amount": None,
    "unit": "m³",
    "detail": {"per_hour": 0.21},
}
METER: Final = {
    "device": "sim-1-lk-sk-001-sv",
    "register": "volume.total",
    "unit": "m³",
    "commodity": "cold_water",
    "point": "Studená voda",
    "building": "Základní škola, Turnov",
}
STATE: Final = {
    "running": True,
    "fixed": False,
    "region": "seed-1",
    "buildings": 1,
    "speed": 3600.0,
    "begun": "2026-03-01T00:00:00Z",
    "reached": "2026-03-14T09:30:00Z",
    "started": "2026-03-14T09:12:00Z",
    "by": "zkousec",
    "sent": 4210,
    "waiting": 0,
    "trouble": "",
    "meters": [METER],
    "planted": [PLANTED],
}
WISH: Final = {"seed": 1, "buildings": 1, "speed": 3600.0, "since": "2026-03-01T00:00:00Z"}
FAULT: Final = {"device": "sim-1-lk-sk-001-sv", "kind": "leak", "parameters": {"per_hour": 0.21}}
FORMS: Final = {
    "faults": [
        {
            "kind": "gap",
            "parameters": [],
            "hours": 24.0,
            "open_end": False,
            "early": False,
        }
    ]
}
TRUTH: Final = {
    "faults": [
        {
            "device": "sim-1-lk-sk-001-sv",
            "kind": "leak",
            "since": "2026-03-14T09:00:00Z",
            "until": None,
            "point": "ZKOUSKA-SV",
            "outcome": "found",
            "rules": ["leak"],
            "alert": "0f3c1b7e9a55d2c41b6a",
            "delay_s": 172800.0,
        }
    ],
    "rules": [{"rule": "leak", "right": 1, "false": 0}],
    "false_alerts": [],
    "found": 1,
    "missed": 0,
    "delay_s": 172800.0,
}


def _wish(body: bytes, kind: type[Any]) -> Any:  # noqa: ANN401 - of the kind
    """Return what a body wishes; unknown fields are refused, and instants without an offset."""
    said = read_object(body)
    strange = sorted(set(said) - set(kind.__dataclass_fields__))
    if strange:
        known = ", ".join(kind.__dataclass_fields__)
        raise InputError(f"{', '.join(strange)} is not known", place=strange[0], remedy=f"one of {known}")
    made = convert(said, kind)
    if made.since is not None and made.since.tzinfo is None:
        raise InputError("the instant has no offset", place="since", remedy="write 2026-01-31T12:00:00+01:00")
    return made


@router.get(
    "",
    operation_id="simulation",
    summary="How this process's simulated meters stand",
    **documented(SimulationState, STATE, errors=(503,)),
)
def state(room: InRoom) -> Response:
    """Return how it stands."""
    return as_json(simulations_of(room).state())


@router.post(
    "/start",
    operation_id="start_simulation",
    summary="Start simulated meters",
    description="They send over MQTT under names that begin with `sim-`; a name of a real meter is refused. What is "
    "past goes out `speed` times as fast as it passed, then they send as time passes. A seed that ran goes on.",
    **documented(SimulationState, STATE, body=SimulationWish, body_example=WISH, errors=(409, 422, 503)),
)
def start(room: InRoom, body: Body, by: Caller) -> Response:
    """Start a run."""
    found = simulations_of(room)
    found.start(_wish(body, SimulationWish), by)
    return as_json(found.state())


@router.post(
    "/stop",
    operation_id="stop_simulation",
    summary="Stop them",
    **documented(SimulationState, {**STATE, "running": False}, errors=(503,)),
)
def stop(room: InRoom, by: Caller) -> Response:
    """Stop the run."""
    found = simulations_of(room)
    found.stop(by)
    return as_json(replace(found.state(), running=False))


@router.post(
    "/faults",
    operation_id="inject_fault",
    summary="Lay a fault on a simulated meter",
    description="What was sent before stays as it was: a fault begins no earlier than what has gone out.",
    **documented(Planted, PLANTED, body=FaultWish, body_example=FAULT, errors=(409, 422, 503)),
)
def inject(room: InRoom, body: Body, by: Caller) -> Response:
    """Lay a fault."""
    return as_json(simulations_of(room).inject(_wish(body, FaultWish), by))


@router.get(
    "/fault-kinds",
    operation_id="fault_kinds",
    summary="Kinds of faults and what each is told",
    **documented(FaultForms, FORMS, errors=(503,)),
)
def fault_kinds(room: InRoom) -> Response:
    """Return the kinds."""
    return as_json(FaultForms(simulations_of(room).forms()))


@router.get(
    "/meters",
    operation_id="simulated_meters",
    summary="The meters that a seed would make",
    **documented(SimulatedMeters, {"meters": [METER]}, errors=(422, 503)),
)
def meters(room: InRoom, seed: Seed = 1, buildings: Buildings = 3) -> Response:
    """Return the meters."""
    return as_json(SimulatedMeters(simulations_of(room).meters(seed, buildings)))


@router.get(
    "/truth",
    operation_id="simulation_truth",
    summary="What was found against the truth",
    **documented(SimulationTruth, TRUTH, errors=(503,)),
)
def truth(room: InRoom) -> Response:
    """Return the comparison."""
    return as_json(SimulationTruth.of(comparison(room, simulations_of(room).state())))
