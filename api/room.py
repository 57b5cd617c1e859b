"""What every route is handed: the ports, the register as it stands, who calls, and the body that came.

A route's room is cut to its caller: `now`, `deps.records` and `ask` know what they see and nothing else, `writing`
gives what they may change. `region` is the room of all, for what is told of the region as a whole.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Request

from api.access import ANYONE, Asking
from api.dependencies import Dependencies
from api.problems import Refused
from api.rim import Measures
from api.scope import restricted
from api.seen import Registers, seen_records, written_records
from api.snapshot import RegisterView, Snapshot
from api.staging import Staging
from core.errors import Conflict
from core.people import Access, Right
from core.ports import RecordStore, Taken
from core.registry import Entity
from services.alerts import Alerts, Policy
from services.baselines import Baselines
from services.consumption import PointConsumption, Question, consumption
from services.held import HeldRegister
from services.savings import Savings
from services.weather import Weather


class Room:
    """The API's own state: nothing but what can be made again from the ports."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        self.register = RegisterView(deps.records, restricted)
        self.measures = Measures(deps.metrics)
        self.staging = Staging(deps.records)
        self.weather = Weather(deps.readings, deps.zone)
        self.held = HeldRegister(deps.records)
        self.access = Access.whole("")
        self.region = self
        self._present: Room | None = None

    def seen_by(self, access: Access) -> "Room":
        """Return the room of a caller: what they see of everything, with the dated tables as they stand here."""
        room = copy(self)
        room.access, room.region = access, self
        room.deps = replace(self.deps, records=seen_records(self.deps.records, access, room.now))
        return room

    def present(self) -> "Room":
        """Return the room of all with the dated tables as they stand now; it is the same until they change."""
        if self.deps.dated_tables is None:
            return self
        standing = self.deps.dated_tables.standing()
        if self._present is None or self._present.deps.edition != standing.number:
            facts = self.deps.facts
            room = copy(self)
            room.region = room
            room.deps = replace(
                self.deps,
                dated=standing.dated,
                facts=None if facts is None else replace(facts, school=standing.school),
                edition=standing.number,
            )
            self._present = room
        return self._present

    def now(self) -> Snapshot:
        """Return the register as it stands, as far as the caller sees it."""
        return self.register.seen_by(self.access)

    def writing(self, right: Right, *about: Entity) -> RecordStore:
        """Return the records for an act: rules read all of them, saving is refused beyond what the right reaches.

        Raise Conflict where things that the act is `about` name others that are not seen, as if they were not there.
        """
        registers = Registers(self.register.now(), self.now())
        return written_records(self.region.deps.records, self.access, right, registers, about)

    def ask(self, question: Question) -> Sequence[PointConsumption]:
        """Answer a question of consumption; no points give no answer, one that is not seen raises NotFound."""
        if not question.points:
            return []
        now = self.now()
        for key in question.points if not now.whole else ():
            now.point(key)
        if self.deps.ask is not None:
            return self.deps.ask(question)
        return consumption(question, readings=self.deps.readings, records=self.region.deps.records)

    def baselines(self) -> Baselines:
        """Return what fits and keeps models; raise Refused where this process has no facts for them."""
        if self.deps.facts is None:
            raise Refused(503, "This process makes no models.")
        records = self.region.deps.records
        return Baselines(records=records, stations=self.weather, ask=self.ask, facts=self.deps.facts)

    def savings(self) -> Savings:
        """Return what tells the savings of measures."""
        return Savings(self.baselines())

    def alerts(self) -> Alerts:
        """Return the acts on alerts; whether the caller reaches one is to be asked before (`alert_to_act_on`)."""
        return self.deps.alerts or Alerts(self.region.deps.records, Policy(zone=self.deps.zone))

    def last_day(self) -> date:
        """Return yesterday, the last day that is over."""
        return self.deps.clock().astimezone(self.deps.zone).date() - timedelta(days=1)

    def replay(self, number: int) -> Taken:
        """Read a dead letter again; one that is read now counts as replayed."""
        letter = self.deps.records.letter(number)
        if letter.replayed is not None:
            raise Conflict(f"dead letter {number} was replayed at {letter.replayed.isoformat()}")
        if self.deps.replay is not None:
            return self.deps.replay(number)
        now = self.deps.clock()
        taken = self.deps.intake.take(letter.topic, letter.payload, source=f"replay/{number}", now=now)
        if not taken.rejected and (taken.readings or taken.ignored):
            self.region.deps.records.mark_replayed([number], now)
        return taken


def whole_room(request: Request) -> Room:
    """Return the room of all of the app that serves a request: for what is not of a caller, such as its language."""
    found: Room = request.app.state.room
    return found


async def _room(request: Request, caller: Asking) -> Room:
    return whole_room(request).present().seen_by(caller)


async def _bare_room(request: Request, caller: Asking) -> Room:
    return whole_room(request).seen_by(caller)


async def _caller(caller: Asking) -> str:
    return caller.name or ANYONE


async def _body(request: Request) -> bytes:
    return await request.body()


InRoom = Annotated[Room, Depends(_room)]
InBareRoom = Annotated[Room, Depends(_bare_room)]
"""A room without what people entered into dated tables: for what is to work while the record store does not."""
Caller = Annotated[str, Depends(_caller)]
Body = Annotated[bytes, Depends(_body)]
