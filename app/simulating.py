"""The simulated meters of this process: one run at a time, in a thread, stopped with the process."""

import json
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from app.clock import now
from config.sections import MqttSettings
from core.calendar import instant, moment
from core.errors import Conflict, InputError, OdecetError
from core.notes import AuditEntry
from core.ports import ReadingStore, RecordStore
from core.registry import Meter
from core.simulations import MOST_DAYS, FaultForm, FaultWish, Planted, SimulatedMeter, SimulationState, SimulationWish
from simulators.fault_forms import FORMS
from simulators.live import run_live
from simulators.plan import PlannedMeter
from simulators.publish import Broker, MqttPublisher
from simulators.session import Session, marked_region, names_of, shown_meters

log = logging.getLogger(__name__)

KEPT: Final = "simulators/"
"""Under this and its name, how far a region sent and what was laid on it is kept."""
OURS: Final = "simulators/devices"
"""Under this, the names that simulated meters have sent under are kept."""
ENTITY: Final = "simulation"
KEPT_EVERY_S: Final = 30.0
OVERLAP: Final = timedelta(minutes=30)
"""What the broker has is kept so much short, for it may not be stored yet: what is sent twice is stored once."""
UNDER_WAY_S: Final = 60.0
LIVE_LAG_S: Final = 2.0
BATCH: Final = 50
ANSWER_S: Final = 60.0
LAST_WORDS_S: Final = 5.0
PATIENCE_S: Final = 120.0


class _Asked(NamedTuple):
    """A fault that is to be laid between two stretches, and where the answer goes."""

    wish: FaultWish
    by: str
    answer: "Future[Planted]"


class _Mark(NamedTuple):
    """Once so many messages are acknowledged, all until `reached` is."""

    messages: int
    reached: datetime


def broker_of(mqtt: MqttSettings) -> Broker:
    """Return the broker of the settings, as a simulated meter reaches it; raise InputError where it cannot."""
    if mqtt.tls.enabled and mqtt.tls.cert is not None:
        raise InputError("the broker wants a certificate of us, and simulated meters have none", place="mqtt.tls.cert")
    trusted = "" if not mqtt.tls.enabled else str(mqtt.tls.ca or "system")
    return Broker(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=mqtt.password.get_secret_value(),
        ca_file=trusted,
    )


class RunningSimulations:
    """Starts, stops and faults simulated meters; `fixed` is the one session of a demo, None: any seed.

    `ready` tells whether what is published is heard: nothing goes out before.
    """

    def __init__(
        self,
        mqtt: MqttSettings,
        readings: ReadingStore,
        records: RecordStore,
        *,
        fixed: Session | None = None,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._mqtt = mqtt
        self._readings = readings
        self._records = records
        self._fixed = fixed is not None
        self._ready = ready
        self._session: Session | None = self._kept(fixed) if fixed else None
        self._plans: tuple[PlannedMeter, ...] = self._session.plans() if self._session else ()
        self._state = SimulationState(running=False, fixed=self._fixed, region=fixed.key if fixed else "")
        self._acts = threading.RLock()
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._publisher: MqttPublisher | None = None
        self._last_kept = now()
        self._mark: _Mark | None = None
        self._safe = self._session.reached if self._session else self._last_kept

    # As people ask

    def forms(self) -> Sequence[FaultForm]:
        """Return the kinds of faults."""
        return tuple(FORMS.values())

    def meters(self, seed: int, buildings: int) -> Sequence[SimulatedMeter]:
        """Return the meters that a seed would make; the demo's own where the region is fixed."""
        if self._fixed and self._session:
            return shown_meters(self._session.region)
        SimulationWish(seed=seed, buildings=buildings)
        return shown_meters(marked_region(seed, buildings))

    def state(self) -> SimulationState:
        """Return how it stands."""
        session, publisher, state = self._session, self._publisher, self._state
        if session is None:
            return state
        return replace(
            state,
            running=self._thread is not None and self._thread.is_alive(),
            begun=session.began,
            reached=session.reached,
            buildings=len({meter.building for meter in shown_meters(session.region)}),
            sent=publisher.acked_readings if publisher else 0,
            waiting=publisher.waiting if publisher else 0,
            meters=shown_meters(session.region),
            planted=session.planted(self._plans),
        )

    def start(self, wish: SimulationWish, by: str) -> None:
        """Start a run."""
        with self._acts:
            if self._running():
                raise Conflict("simulated meters are running already; stop them first")
            broker = broker_of(self._mqtt)
            whole = self._session if self._fixed and self._session else self._of_seed(wish)
            session = whole.only(() if self._fixed else wish.devices)
            plans = session.plans()
            if not self._fixed:
                self._claim(tuple(dict.fromkeys(name for one in plans for name in names_of(one))))
            self._session, self._plans = session, plans
            self._state = SimulationState(
                running=True, fixed=self._fixed, region=session.key, speed=wish.speed, started=now(), by=by
            )
            self._safe = session.reached
            self._keep(session)
            self._note(by, "start", {"region": session.key, "meters": len(session.region.simulated)})
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(broker,), name="simulators", daemon=True)
            self._thread.start()

    def stop(self, by: str) -> None:
        """Stop the run and wait until it has."""
        with self._acts:
            if self._running() and self._session is not None:
                self._end()
                self._note(by, "stop", {"region": self._session.key})

    def inject(self, wish: FaultWish, by: str) -> Planted:
        """Lay a fault on a running meter."""
        with self._acts:
            if not self._running():
                raise Conflict("no simulated meters are running; start them first")
            asked = _Asked(wish, by, Future())
            self._asked.put(asked)
            self._wake.set()
            try:
                return asked.answer.result(ANSWER_S)
            except TimeoutError as err:
                raise Conflict("the meters did not take the fault in time; look whether it is laid") from err

    def close(self) -> None:
        """Stop with the process; may be called twice."""
        self._end()

    def _running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _end(self) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    # What is kept

    def _kept(self, session: Session) -> Session:
        return session.as_kept(self._records.kept(KEPT + session.key))

    def _keep(self, session: Session) -> None:
        """Keep what was laid, and how far all has surely arrived."""
        self._records.keep(KEPT + session.key, replace(session, reached=self._safe).text())
        self._last_kept = now()

    def _of_seed(self, wish: SimulationWish) -> Session:
        """Return the session of a seed; one that ran goes on where it was."""
        present = now()
        since = wish.since or present
        if since > present or present - since > timedelta(days=MOST_DAYS):
            raise InputError(
                f"{since.isoformat(timespec='minutes')} cannot be the begin",
                place="since",
                remedy=f"write an instant of the last {MOST_DAYS} days",
            )
        key, region = f"seed-{wish.seed}", marked_region(wish.seed, wish.buildings)
        known = bool(self._records.kept(KEPT + key))
        if known and (wish.since is not None or wish.samples):
            raise InputError(
                f"the meters of seed {wish.seed} have sent already and go on where they were",
                place="since" if wish.since is not None else "samples",
                remedy="choose another seed, or leave this out",
            )
        samples = present if wish.samples else None
        made = Session(key=key, region=region, began=since, reached=since, samples=samples, new=True)
        return self._kept(made)

    def _claim(self, devices: Sequence[str]) -> None:
        """Note names as simulated; raise InputError where one of them is, or may be, a real meter's."""
        ours = set(json.loads(self._records.kept(OURS) or "[]"))
        strange = sorted(set(devices) - ours)
        mounted = {meter.device for meter in self._records.find(Meter)} if strange else set()
        taken = [name for name in strange if name in mounted]
        taken += [key.meter for key in self._readings.known(strange)] if strange else []
        if taken:
            raise InputError(
                f"{', '.join(sorted(set(taken))[:5])}: readings of that name are not simulated ones",
                place="devices",
                remedy="choose another seed; simulated meters never send under the name of a real one",
            )
        self._records.keep(OURS, json.dumps(sorted(ours | set(devices))))

    def _note(self, by: str, what: str, said: Mapping[str, object]) -> None:
        key = str(said.get("region", ""))
        self._records.record(
            [AuditEntry(at=now(), by=by, entity=ENTITY, key=key, why=what, before=None, after=dict(said))]
        )

    # The thread

    def _run(self, broker: Broker) -> None:
        """Send until told to stop; what goes wrong is told by the state."""
        try:
            while not self._ready():
                if self._stop.wait(0.1):
                    return
            with MqttPublisher(
                broker, client_id=f"{self._mqtt.client_id}-simulators", patience_s=PATIENCE_S
            ) as publisher:
                self._publisher, self._mark = publisher, None
                self._send(publisher)
        except OdecetError as err:
            log.warning("simulated meters ended", extra={"reason": str(err)})
            self._state = replace(self._state, trouble=str(err))
        finally:
            self._session = None if self._session is None else replace(self._session, reached=self._safe)
            self._refuse_waiting()

    def _send(self, publisher: MqttPublisher) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            self._lay_asked()
            if not self._stop.is_set():
                self._stretch(publisher)
        if publisher.drain(LAST_WORDS_S) and self._session is not None:
            self._safe = self._session.reached
            self._keep(self._session)

    def _stretch(self, publisher: MqttPublisher) -> None:
        """Send until somebody wakes us: what is past at the asked speed, then as time passes."""
        session = self._session
        if session is None:
            return
        present = now()
        behind = (present - session.reached).total_seconds() > LIVE_LAG_S and self._state.speed > 1
        until = {"until": instant(present)} if behind else {}
        reached = run_live(
            self._plans,
            publisher,
            clock=now,
            wait=self._wake.wait,
            speed=self._state.speed if behind else 1.0,
            since=instant(session.reached),
            per_message=BATCH if behind else 1,
            told=self._told,
            **until,
        )
        self._reach(reached)

    def _told(self, at: np.datetime64, _sent: int) -> None:
        """Hear how far it came; keep it once the broker has all that was handed over by then."""
        self._reach(at)
        publisher, session = self._publisher, self._session
        if publisher is None or session is None or (now() - self._last_kept).total_seconds() < KEPT_EVERY_S:
            return
        if self._mark is not None and publisher.acked >= self._mark.messages:
            overlap = max(OVERLAP, timedelta(seconds=self._state.speed * UNDER_WAY_S))
            self._safe = max(self._safe, self._mark.reached - overlap)
            self._keep(session)
            self._mark = None
        if self._mark is None and publisher.waiting < publisher.window:  # where it is full, not all was handed over
            self._mark = _Mark(publisher.acked + publisher.waiting, moment(at))

    def _reach(self, at: np.datetime64) -> None:
        session = self._session
        if session is not None:
            self._session = replace(session, reached=moment(at), new=session.new and moment(at) <= session.began)

    def _lay_asked(self) -> None:
        while not self._asked.empty():
            asked = self._asked.get()
            try:
                asked.answer.set_result(self._lay(asked))
            except OdecetError as err:
                asked.answer.set_exception(err)

    def _lay(self, asked: _Asked) -> Planted:
        if self._session is None:
            raise Conflict("no simulated meters are running; start them first")
        session, laid = self._session.with_fault(asked.wish, asked.by, now())
        plans = session.plans()
        planted = next(p for p in session.planted(plans) if (p.device, p.kind, instant(p.since)) == laid.names)
        if not self._fixed:
            self._claim(planted.devices)
        self._session, self._plans = session, plans
        self._keep(session)
        said = {
            "region": session.key,
            "device": planted.device,
            "kind": planted.kind,
            "since": planted.since.isoformat(),
        }
        self._note(asked.by, "fault", said)
        return planted

    def _refuse_waiting(self) -> None:
        while not self._asked.empty():
            self._asked.get().answer.set_exception(Conflict("the simulated meters ended meanwhile"))
