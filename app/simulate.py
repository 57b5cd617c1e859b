"""`odecet simulate` and `odecet replay`: meters that do not exist, and real data, over MQTT or into files."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import click
import numpy as np

from app.clock import now
from app.process import stopping
from app.progress import Progress
from core.calendar import instant, moment
from core.errors import InputError
from core.registry import DialEvent
from simulators.demo_faults import demo_faults
from simulators.files import write_history
from simulators.live import history_messages, run_live
from simulators.payload import Message
from simulators.plan import PlannedMeter, plan, recorded
from simulators.publish import Broker, CursorFile, MqttPublisher, Published, publish_all
from simulators.region import sample_region
from simulators.replay import ReplayOptions, load_replay, replay_messages
from simulators.truth import OPEN_END

RESEND_S: Final = 120.0
RESEND_BYTES: Final = 250_000_000
"""What was acknowledged not long ago is sent again after a lost connection: a broker that is killed forgets what is
in flight to its subscribers (Mosquitto 2.0.11, measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Which simulated region: its seed, number of buildings, and whether its meters have faults."""

    seed: int
    buildings: int
    faults: bool

    def planned(self, end: np.datetime64) -> tuple[tuple[PlannedMeter, ...], tuple[DialEvent, ...]]:
        """Return what its meters send until `end`, and the swaps that somebody recorded."""
        region = sample_region(self.seed, self.buildings)
        plans = plan(region, demo_faults(region, end) if self.faults else {})
        return plans, recorded(region, plans)[1]


def simulate_files(
    region: Region, folder: Path, start: datetime, end: datetime, form: Literal["csv", "parquet"]
) -> None:
    """Write readings, events, meters and the ground truth of a span to a folder."""
    plans, events = region.planned(instant(end))
    with stopping() as stop:
        written = write_history(
            folder,
            plans,
            instant(start),
            instant(end),
            events=events,
            form=form,
            progress=Progress("history, batches"),
            cancelled=stop.is_set,
        )
    ending = "stopped before the end: readings stand in a file ending in .part" if written.stopped else "done"
    click.echo(f"{folder}: {written.readings} readings, {written.faults} faults; {ending}", err=True)


def simulate_history(
    region: Region, broker: Broker, start: datetime, end: datetime, *, cursor: Path | None, per_message: int
) -> None:
    """Publish the history of a span; with a cursor file an interrupted run goes on where it was."""
    plans, _ = region.planned(instant(end))

    def messages(at: str) -> Iterable[Message]:
        return history_messages(plans, instant(start), instant(end), per_message=per_message, cursor=at)

    _publish(broker, messages, cursor, 0)


def simulate_live(region: Region, broker: Broker, speed: float, since: datetime | None, until: datetime | None) -> None:
    """Publish as time passes, `speed` simulated seconds a second, until the end or until told to stop."""
    begin = since or now()
    last = OPEN_END if until is None else instant(until)
    plans, _ = region.planned(instant(begin))

    def told(at: np.datetime64, sent: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{moment(at).isoformat(timespec='seconds')}  {sent} messages\x1b[K")

    with stopping() as stop, MqttPublisher(broker) as publisher:
        reached = run_live(
            plans, publisher, clock=now, wait=stop.wait, speed=speed, since=instant(begin), until=last, told=told
        )
        whole = publisher.drain(30.0)
        click.echo(f"\n{publisher.acked_readings} readings acknowledged up to {moment(reached).isoformat()}", err=True)
    if not whole:
        raise InputError(
            f"{publisher.waiting} messages were not acknowledged", remedy="check the broker and start again"
        )


def replay(path: Path, options: ReplayOptions, broker: Broker, cursor: Path | None, per_message: int) -> None:
    """Publish the values of a table as dials; with a cursor file an interrupted run goes on where it was."""
    table = load_replay(path, options)
    for note in table.notes:
        click.echo(f"{path.name}: {note}", err=True)

    def messages(at: str) -> Iterable[Message]:
        return replay_messages(table, per_message=per_message, cursor=at)

    _publish(broker, messages, cursor, len(table))


def _publish(broker: Broker, messages: Callable[[str], Iterable[Message]], cursor: Path | None, total: int) -> None:
    file = None if cursor is None else CursorFile(cursor)
    told = Progress("published and acknowledged, readings")
    with stopping() as stop, MqttPublisher(broker, keep_for_s=RESEND_S, keep_bytes=RESEND_BYTES) as publisher:
        done = publish_all(
            publisher,
            messages(file.read() if file else ""),
            keep=file.keep if file else lambda _cursor: None,
            progress=lambda state: told(state.readings, total),
            cancelled=stop.is_set,
        )
    click.echo(_summary(done, cursor), err=True)
    if done.cancelled:
        sys.exit(130)


def _summary(done: Published, cursor: Path | None) -> str:
    text = f"{done.readings} readings in {done.messages} messages acknowledged, {done.resent} sent again"
    if not done.cancelled:
        return text
    return f"{text}; stopped: the same command goes on from there" if cursor else f"{text}; stopped"
