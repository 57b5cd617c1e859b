"""Simulated meters: start and stop them, lay faults on them, and see what was found against the truth."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from alerts.wording import title
from api.access import ANYONE, allowed
from api.pages.forms import local_moment, number_of
from api.pages.people import Sent
from api.pages.view import Seen, Viewer, back
from api.problems import Refused
from api.simulating import comparison, simulations_of
from api.simulation_texts import COLOURS, FAULTS, OUTCOMES, PARAMETERS, duration, told_of, told_trouble
from core.errors import Conflict, InputError
from core.notes import Rule
from core.people import Right
from core.simulations import FaultWish, SimulatedMeter, Simulations, SimulationState, SimulationWish
from services.simulated_truth import Comparison, Outcome

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SIMULATE, everywhere=True)])

PAGE: Final = "/simulators"
SPEEDS: Final = (1, 60, 600, 3600, 14_400, 86_400)
SHOWN: Final = 100
FALSE_SHOWN: Final = 20


class StartForm(BaseModel):
    """Which meters are to run, as written."""

    seed: int = 1
    buildings: int = 3
    since: str = ""
    speed: float = 3600.0
    samples: str = ""
    devices: list[str] = []


@router.get(PAGE)
def simulators(
    v: Seen,
    seed: Annotated[int, Query(ge=0, lt=10**6)] = 1,
    buildings: Annotated[int, Query(ge=1, le=60)] = 3,
    kind: Annotated[str, Query()] = "leak",
) -> Response:
    """Show how simulated meters stand."""
    return _page(v, StartForm(seed=seed, buildings=buildings), kind)


def _page(v: Viewer, form: StartForm, kind: str, *, trouble: str = "", given: dict[str, str] | None = None) -> Response:
    found = v.room.deps.simulations
    if found is None:
        return v.page("simulators.html", available=False)
    state, forms = found.state(), {one.kind: one for one in found.forms()}
    return v.page(
        "simulators.html",
        status=422 if trouble else 200,
        available=True,
        form=form,
        offered=() if state.running else _offered(found, form),
        speeds=SPEEDS,
        forms=forms,
        chosen=forms.get(kind, forms["leak"]),
        trouble=trouble,
        given=given or {},
        **_shown(v, state),
    )


def _offered(found: Simulations, form: StartForm) -> Sequence[SimulatedMeter]:
    """Return the meters that a form's seed would make; none where it says what cannot be, which is told beside."""
    try:
        return found.meters(form.seed, form.buildings)
    except InputError:
        return ()


@router.get(f"{PAGE}/state")
def state_part(v: Seen) -> Response:
    """Return the part of the page that changes while somebody looks."""
    return v.page("simulators_state.html", **_shown(v, simulations_of(v.room).state()))


def _shown(v: Viewer, state: SimulationState) -> dict[str, Any]:
    made = comparison(v.room, state)
    return {
        "state": state,
        "made": made,
        "judged": made.judged[:SHOWN],
        "unexplained": made.false[:FALSE_SHOWN],
        "outcomes": {outcome.value: made.count(outcome) for outcome in Outcome},
        "fault": lambda code: told_of(FAULTS, code, v.words),
        "parameter": lambda code: told_of(PARAMETERS, code, v.words),
        "outcome": lambda code: told_of(OUTCOMES, code, v.words),
        "colours": COLOURS,
        "rule_name": partial(_rule_name, v),
        "length": lambda time: duration(time, v.words),
        "placed": _placed(made),
    }


def _rule_name(v: Viewer, rule: str) -> str:
    """Return how a rule is called: those of the curve by the words of the core, those of alerts by theirs."""
    said = title(rule, v.words.code)
    return v.words.label(rule) if said == rule and rule in set(Rule) else said


def _placed(made: Comparison) -> bool:
    return any(one.outcome is not Outcome.UNWATCHED for one in made.judged)


@router.post(f"{PAGE}/start")
def start(v: Seen, form: Annotated[StartForm, Form()]) -> Response:
    """Start a run."""
    found = simulations_of(v.room)
    try:
        wish = SimulationWish(
            seed=form.seed,
            buildings=form.buildings,
            devices=tuple(form.devices),
            speed=form.speed,
            since=local_moment(form.since, v.room.deps.zone, place="since") if form.since else None,
            samples=bool(form.samples),
        )
        found.start(wish, v.name or ANYONE)
    except (InputError, Conflict) as err:
        return _page(v, form, "leak", trouble=told_trouble(err, v.words))
    return back(f"{PAGE}?done=started")


@router.post(f"{PAGE}/stop")
def stop(v: Seen) -> Response:
    """Stop the run."""
    simulations_of(v.room).stop(v.name or ANYONE)
    return back(f"{PAGE}?done=stopped")


@router.post(f"{PAGE}/faults")
def inject(v: Seen, form: Sent) -> Response:
    """Lay a fault on a meter."""
    found = simulations_of(v.room)
    given = {name: str(value) for name, value in form.items()}
    kind = given.get("kind", "")
    try:
        found.inject(_wish(v, given, kind), v.name or ANYONE)
    except (InputError, Conflict) as err:
        return _page(v, StartForm(), kind, trouble=told_trouble(err, v.words), given=given)
    return back(f"{PAGE}?done=laid&kind={kind}")


def _wish(v: Viewer, given: dict[str, str], kind: str) -> FaultWish:
    known = {one.kind: one for one in simulations_of(v.room).forms()}
    if kind not in known:
        raise Refused(422, "There is no such fault.")
    names = [parameter.name for parameter in known[kind].parameters]
    since = given.get("since", "")
    said = {name: given.get(f"p_{name}", _unticked(known[kind].parameters, name)) for name in names}
    return FaultWish(
        device=given.get("device", ""),
        kind=kind,
        since=local_moment(since, v.room.deps.zone, place="since") if since else None,
        hours=number_of(given.get("hours", ""), place="hours"),
        parameters=said,
    )


def _unticked(parameters: Any, name: str) -> str:  # noqa: ANN401 - parameters of a form
    """Return what a form that leaves a field out says: a box is not ticked, a field is empty."""
    return "false" if any(p.name == name and isinstance(p.default, bool) for p in parameters) else ""
