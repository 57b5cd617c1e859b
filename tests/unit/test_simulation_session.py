"""Faults that are laid on running meters: what was sent stays, what is kept comes back, what cannot be is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest

from api.simulation_texts import FAULTS, OUTCOMES, PARAMETERS
from core.calendar import instant
from core.errors import InputError
from core.simulations import FaultWish, SimulationWish
from services.simulated_truth import KINDS, Outcome
from simulators.fault_forms import FORMS
from simulators.live import run_live
from simulators.meter import Stream
from simulators.payload import Message
from simulators.plan import PlannedMeter, sent_in
from simulators.session import MARK, Session, marked_region
from simulators.truth import FaultKind

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
REACHED = datetime(2026, 3, 10, 9, 17, 23, 500_000, tzinfo=UTC)
END = REACHED + timedelta(days=3)
LIVE = [kind for kind in FaultKind if not FORMS[kind].early]


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(key="seed-7", region=marked_region(7, 1), began=BEGAN, reached=REACHED)


def water(session: Session) -> str:
    return next(m.device for m in session.region.simulated if m.register == "volume.total")


def wish(session: Session, kind: str, **given: object) -> FaultWish:
    parameters = {"to": "l"} if kind == "unit_change" and session_unit(session) == "m³" else {}
    parameters = {"to": "m³"} if kind == "unit_change" and session_unit(session) == "l" else parameters
    return FaultWish(device=water(session), kind=kind, parameters={**parameters, **given})


def session_unit(session: Session) -> str:
    return next(m.dial.unit for m in session.region.simulated if m.device == water(session))


def planned_of(session: Session, device: str) -> PlannedMeter:
    return next(one for one in session.plans() if one.meter.device == device)


def told(stream: Stream) -> list[tuple[object, ...]]:
    names = [stream.devices[code] for code in stream.device]
    units = [stream.units[code] for code in stream.unit]
    return list(zip(names, units, stream.at.tolist(), stream.value.tolist(), stream.sent.tolist(), strict=True))


def sent(session: Session, since: datetime, until: datetime) -> list[tuple[object, ...]]:
    return told(sent_in(planned_of(session, water(session)), instant(since), instant(until)))


@pytest.mark.parametrize("kind", LIVE)
def test_a_fault_changes_nothing_that_was_sent(kind: FaultKind, session: Session) -> None:
    changed, laid = session.with_fault(wish(session, kind), "zkousec", REACHED)
    assert instant(REACHED) <= laid.fault.since <= instant(REACHED + timedelta(seconds=1))
    assert sent(changed, BEGAN, REACHED) == sent(session, BEGAN, REACHED)


@pytest.mark.parametrize("kind", [kind for kind in LIVE if kind is not FaultKind.SWAP])
def test_a_fault_is_seen_in_what_is_sent_after(kind: FaultKind, session: Session) -> None:
    changed, _ = session.with_fault(wish(session, kind), "zkousec", REACHED)
    assert sent(changed, REACHED, END) != sent(session, REACHED, END)


def test_an_exchanged_meter_goes_on_from_its_own_first_reading(session: Session) -> None:
    changed, laid = session.with_fault(wish(session, "swap", first="3,5", new_name="true"), "z", REACHED)
    after = sent(changed, REACHED, END)
    assert {row[0] for row in after} == {laid.fault.parameters["new_device"]}
    assert str(laid.fault.parameters["new_device"]).startswith(f"{water(session)}-")
    assert laid.fault.parameters["recorded"] is False
    assert min(float(str(row[3])) for row in after) >= 3.5


def test_two_faults_on_a_meter_both_show_and_the_first_stays(session: Session) -> None:
    one, _ = session.with_fault(wish(session, "leak"), "z", REACHED)
    later = replace(one, reached=REACHED + timedelta(days=1))
    two, _ = later.with_fault(wish(session, "stuck"), "z", later.reached)
    assert sent(two, BEGAN, later.reached) == sent(one, BEGAN, later.reached)
    assert {p.kind for p in two.planted(two.plans())} == {"leak", "stuck"}


def test_what_was_laid_comes_back_as_it_was_kept(session: Session) -> None:
    changed, _ = session.with_fault(wish(session, "glitch", factor="7", add="-1,5"), "zkousec", REACHED)
    again = Session(key="seed-7", region=session.region, began=END, reached=END, new=True).as_kept(changed.text())
    assert again == changed
    assert sent(again, REACHED, END) == sent(changed, REACHED, END)


def test_sample_faults_come_back_too_and_no_swap_of_theirs_was_written_down() -> None:
    region = marked_region(7, 12)
    made = Session(key="seed-7", region=region, began=BEGAN, reached=REACHED, samples=REACHED, new=True)
    again = replace(made, samples=None).as_kept(made.text())
    planted = again.planted(again.plans())
    assert {p.kind for p in planted} == set(FaultKind)
    assert not any(p.detail["recorded"] for p in planted if p.kind == "swap")
    assert all(name.startswith(MARK) for p in planted for name in p.devices)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"device": "em-real"}, "device"),
        ({"kind": "earthquake"}, "kind"),
        ({"kind": "rollover"}, "kind"),
        ({"since": REACHED - timedelta(minutes=1)}, "since"),
        ({"hours": 0.0}, "hours"),
        ({"hours": float("nan")}, "hours"),
        ({"hours": 1e9}, "hours"),
        ({"parameters": {"colour": "red"}}, "parameters"),
        ({"parameters": {"per_hour": "-1"}}, "per_hour"),
        ({"parameters": {"per_hour": "much"}}, "per_hour"),
        ({"parameters": {"per_hour": "nan"}}, "per_hour"),
        ({"kind": "unit_change", "parameters": {"to": "GJ"}}, "to"),
        ({"kind": "unit_change", "parameters": {"to": "bushel"}}, "to"),
        ({"kind": "burst_messages", "hours": 9000.0}, "hours"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(changes: dict[str, object], place: str, session: Session) -> None:
    asked = replace(wish(session, "leak"), **changes)
    with pytest.raises(InputError) as refused:
        session.with_fault(asked, "z", REACHED)
    assert refused.value.place == place


def test_the_same_fault_is_not_laid_twice(session: Session) -> None:
    changed, _ = session.with_fault(wish(session, "leak"), "z", REACHED)
    with pytest.raises(InputError):
        changed.with_fault(wish(session, "leak"), "z", REACHED)


def test_a_roll_over_is_for_a_meter_that_has_sent_nothing(session: Session) -> None:
    new = replace(session, new=True, reached=BEGAN)
    changed, _ = new.with_fault(wish(session, "rollover"), "z", BEGAN)
    values = np.array([float(str(row[3])) for row in sent(changed, BEGAN, BEGAN + timedelta(days=1))])
    assert values.max() < 10_000


@pytest.mark.parametrize(
    ("given", "place"), [({"seed": -1}, "seed"), ({"buildings": 61}, "buildings"), ({"speed": 0.5}, "speed")]
)
def test_a_wish_that_cannot_be_is_refused(given: dict[str, float], place: str) -> None:
    with pytest.raises(InputError) as refused:
        SimulationWish(**given)  # type: ignore[arg-type]  # a number of each kind
    assert refused.value.place == place


class Taking:
    """A publisher that takes all."""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def offer(self, message: Message) -> bool:
        self.taken.append(message)
        return True

    def turn(self, wait_s: float) -> None:
        """Nothing to take in."""


@pytest.mark.parametrize("minutes", [1, 300])
def test_a_span_that_was_sent_is_reached_to_its_end_though_nothing_was_due_there(
    minutes: int, session: Session
) -> None:
    taking, until = Taking(), instant(REACHED + timedelta(minutes=minutes))
    ticks = count()
    reached = run_live(
        session.plans(),
        taking,
        clock=lambda: REACHED + timedelta(milliseconds=5 * next(ticks)),
        wait=lambda _seconds: False,
        speed=3600.0,
        since=instant(REACHED),
        until=until,
    )
    assert reached == until
    expected = sum(len(sent_in(one, instant(REACHED), until)) for one in session.plans())
    assert sum(message.readings for message in taking.taken) == expected


def test_every_kind_has_its_form_its_words_and_what_tells_of_it() -> None:
    assert set(FORMS) == set(FaultKind)
    assert set(FAULTS) == set(FaultKind)
    assert set(KINDS) - {"revised"} == set(FaultKind)
    assert {p.name for form in FORMS.values() for p in form.parameters} == set(PARAMETERS)
    assert set(OUTCOMES) == set(Outcome)
