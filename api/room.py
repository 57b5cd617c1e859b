"""What every route is handed: the ports, the register as it stands, who calls, and the body that came."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Request

from api.access import program
from api.dependencies import Dependencies
from api.problems import Refused
from api.rim import Measures
from api.snapshot import RegisterView, Snapshot
from api.staging import Staging
from core.errors import Conflict
from core.ports import Taken
from services.alerts import Alerts, Policy
from services.baselines import Baselines
from services.consumption import PointConsumption, Question, consumption
from services.savings import Savings
from services.weather import Weather


class Room:
    """The API's own state: nothing but what can be made again from the ports."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        self.register = RegisterView(deps.records)
        self.measures = Measures(deps.metrics)
        self.staging = Staging()
        self.weather = Weather(deps.readings, deps.zone)

    def now(self) -> Snapshot:
        """Return the register as it stands."""
        return self.register.now()

    def ask(self, question: Question) -> Sequence[PointConsumption]:
        """Answer a question of consumption; no points give no answer."""
        if not question.points:
            return []
        if self.deps.ask is not None:
            return self.deps.ask(question)
        return consumption(question, readings=self.deps.readings, records=self.deps.records)

    def baselines(self) -> Baselines:
        """Return what fits and keeps models; raise Refused where this process has no facts for them."""
        if self.deps.facts is None:
            raise Refused(503, "This process makes no models.")
        return Baselines(records=self.deps.records, stations=self.weather, ask=self.ask, facts=self.deps.facts)

    def savings(self) -> Savings:
        """Return what tells the savings of measures."""
        return Savings(self.baselines())

    def alerts(self) -> Alerts:
        """Return the acts on alerts."""
        return self.deps.alerts or Alerts(self.deps.records, Policy(zone=self.deps.zone))

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
            self.deps.records.mark_replayed([number], now)
        return taken


def room_of(request: Request) -> Room:
    """Return the room of the app that serves a request."""
    found: Room = request.app.state.room
    return found


async def _room(request: Request) -> Room:
    return room_of(request)


async def _caller(request: Request) -> str:
    deps = room_of(request).deps
    return program(request, deps.tokens, open_reading=deps.open_reading)


async def _body(request: Request) -> bytes:
    return await request.body()


InRoom = Annotated[Room, Depends(_room)]
Caller = Annotated[str, Depends(_caller)]
Body = Annotated[bytes, Depends(_body)]
guard = Depends(_caller)
