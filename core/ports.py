"""Ports: what the acts need of stores and senders, in our words. A docstring is the contract; tests/contract hold it.

Adapters raise StoreUnavailable where waiting may help, StoreError where it will not, and let no foreign exception out.
Constructing an adapter does nothing; `start()` opens, `close()` releases and may be called twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import numpy as np

from core.alerts import AlertStore
from core.calendar import Instants, Period
from core.deliveries import DeliveryStore
from core.detectors import DetectorStore
from core.leases import Leases
from core.notes import AuditEntry, DeadLetter, Description, InboxItem, Job, PointFinding, Proposal
from core.own_rows import OwnRowStore
from core.papers import PaperStore
from core.publications import PublicationStore
from core.readings import Readings, SeriesKey
from core.registry import Entity
from core.rollup import RollUp
from core.sessions import PeopleStore
from core.staged import StagedFiles

E = TypeVar("E", bound=Entity)


class Clock(Protocol):
    """Tells the time; only app reads the real one."""

    def __call__(self) -> datetime:
        """Return now, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Ranges of series that were written: at the least `first` to `last` (both included) of each series.

    `token` is given back to `touched()` to hear of what is written from now on; a range may be told again.
    """

    token: str
    series: tuple[SeriesKey, ...]
    first: Instants
    last: Instants


class ReadingStore(Protocol):
    """Keeps readings and their roll-ups. Writing the same reading twice leaves one."""

    def start(self) -> None:
        """Open the store and prepare its tables; raise StoreInUse where another process holds it."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...

    def ready(self) -> None:
        """Return if the store would take a write now, else raise StoreUnavailable."""
        ...

    def write(self, readings: Readings) -> None:
        """Store all of them durably, or raise; StoreUnavailable means that it may work later.

        A reading of the same series and instant as a stored one replaces it if it was received no earlier, and the
        former is kept as a revision if its value, kind, span, quality or source differs; where none does, the first
        arrival stays. One received earlier becomes itself a revision. Within the batch the same holds. The ranges
        written are told by `touched`, also after a crash.
        """
        ...

    def read(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings of these series in [start, end), ordered by series (as asked) and instant."""
        ...

    def neighbours(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return, of each series, the last reading before `start` and the first at or after `end`, where there are."""
        ...

    def latest(self, series: Sequence[SeriesKey] | None = None) -> Readings:
        """Return the newest reading of each of these series (None: of all)."""
        ...

    def known(self, meters: Sequence[str] | None = None) -> tuple[SeriesKey, ...]:
        """Return the series that have readings, of these meters (None: of all), ordered."""
        ...

    def revisions(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the replaced readings in [start, end), ordered by series, instant and arrival."""
        ...

    def withdraw(self, source: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> int:
        """Take the readings of a source out of these series in [start, end) durably; return how many were there.

        Where one of them had replaced others, the last received of those from other sources comes back as it was and
        is no revision any more. Revisions from the source go too. Doing it again changes nothing; a reading written
        again is there again. The ranges are told by `touched`, also after a crash.
        """
        ...

    def withdrawn(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings in [start, end) that `withdraw` took out, ordered as revisions are; they are kept aside.

        One that was taken out twice may be told twice.
        """
        ...

    def touched(self, after: str = "") -> Touched:
        """Return the ranges written since the token was given (empty: ever), merged to one a series.

        Whoever keeps a token in the record store does so under a key that ends in `/token`: by it a restored backup
        tells what had not been heard of.
        """
        ...

    def write_rollup(self, grain: Period, rollup: RollUp) -> None:
        """Store these periods (grain HOUR or DAY) durably, each in the place of the one that was there."""
        ...

    def read_rollup(
        self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
    ) -> RollUp:
        """Return the stored periods that start in [start, end), ordered by series (as asked) and start."""
        ...


class RecordStore(
    AlertStore,
    DeliveryStore,
    DetectorStore,
    OwnRowStore,
    PaperStore,
    PublicationStore,
    PeopleStore,
    Leases,
    StagedFiles,
    Protocol,
):
    """Keeps the register and what people did. Every change of the register is audited in the same transaction."""

    def start(self) -> None:
        """Open the store and bring its schema up to date."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...

    def ready(self) -> None:
        """Return if the store answers, else raise StoreUnavailable."""
        ...

    def save(
        self,
        entities: Sequence[Entity],
        *,
        by: str,
        now: datetime,
        why: str = "",
        removing: Sequence[Entity] = (),
        version: int | None = None,
    ) -> None:
        """Insert or replace all of them and remove those of `removing`, or nothing; audit what differs from before.

        Raise Conflict, naming the entity, where one refers to another that is neither stored nor among them, and
        where the register is no longer at `version`, so that what was checked against it may not hold.
        """
        ...

    def remove(self, kind: type[E], keys: Sequence[str], *, by: str, now: datetime, why: str = "") -> None:
        """Remove these, audited; raise NotFound for an unknown key, Conflict where others refer to one."""
        ...

    def get(self, kind: type[E], key: str) -> E:
        """Return one of the register; raise NotFound."""
        ...

    def find(
        self, kind: type[E], *, where: Mapping[str, str] | None = None, after: str = "", limit: int | None = None
    ) -> list[E]:
        """Return those whose fields equal `where` (text fields and references), with id > after, ordered by id."""
        ...

    def count(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> int:
        """Return how many `find` would give without limit."""
        ...

    def version(self) -> int:
        """Return a number that grows with every change of the register, so that readers may keep what they derived."""
        ...

    def audit(
        self,
        *,
        entity: str | None = None,
        key: str | None = None,
        by: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Return changes of this kind of thing, id and person, newest first, with id < before."""
        ...

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Add to the audit trail what was done beside the register (their ids are given by the store)."""
        ...

    def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters durably; the same topic, payload and reason arriving again (redelivered) leaves one."""
        ...

    def letters(
        self,
        *,
        reason: str | None = None,
        topic: str | None = None,
        after: int = 0,
        limit: int = 100,
        open_only: bool = True,
    ) -> list[DeadLetter]:
        """Return kept letters with id > after, ordered by id; open_only leaves out those replayed."""
        ...

    def letter(self, number: int) -> DeadLetter:
        """Return one kept letter; raise NotFound."""
        ...

    def mark_replayed(self, numbers: Sequence[int], now: datetime) -> None:
        """Note that these letters were read after all."""
        ...

    def count_letters(self) -> dict[str, int]:
        """Return the number of open letters by reason."""
        ...

    def see(self, items: Sequence[InboxItem]) -> None:
        """Add to the inbox: first and last seen widen, counts add up, the newest value, topic and sample stay."""
        ...

    def inbox(self, *, after: str = "", limit: int | None = None) -> list[InboxItem]:
        """Return the meters on no point, with device > after, ordered by device and register."""
        ...

    def leave_inbox(self, devices: Sequence[str], *, registers: Sequence[str] | None = None) -> None:
        """Take assigned devices out of the inbox, or only these registers of them; unknown ones are passed over."""
        ...

    def keep_descriptions(self, descriptions: Sequence[Description]) -> None:
        """Keep what devices publish of themselves, one a topic; one with an empty payload is forgotten.

        A topic keeps its place in the order. Beyond a bound those seen longest ago are forgotten.
        """
        ...

    def descriptions(self) -> list[Description]:
        """Return the kept descriptions in the order in which their topics were first seen."""
        ...

    def propose(self, descriptions: Sequence[str], proposals: Sequence[Proposal]) -> None:
        """Put proposals in the place of all that these descriptions (topics) proposed before.

        One of the same device and register keeps when it was first seen. Beyond a bound those seen longest ago are
        forgotten.
        """
        ...

    def proposals(self) -> list[Proposal]:
        """Return what is proposed, ordered by device and register."""
        ...

    def replace_findings(
        self, points: Sequence[str], start: datetime, end: datetime, findings: Sequence[PointFinding]
    ) -> None:
        """Put these findings in the place of those of these points whose span touches [start, end]."""
        ...

    def findings(
        self,
        *,
        points: Sequence[str] | None = None,
        rule: str | None = None,
        open_only: bool = False,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> list[PointFinding]:
        """Return findings whose span touches [start, end], newest first."""
        ...

    def keep(self, key: str, text: str) -> None:
        """Keep a small text durably under a key (a cursor, a mapping)."""
        ...

    def kept(self, key: str) -> str:
        """Return what was kept under a key, empty where nothing was."""
        ...

    def save_job(self, job: Job) -> None:
        """Insert or replace the state of long work."""
        ...

    def jobs(self, *, kind: str | None = None, limit: int = 100) -> list[Job]:
        """Return long work, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table: a name, column headings and rows of values (None: empty), the first of them in row `first_row`."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | bool | datetime | None, ...], ...]
    first_row: int = 2


class Tables(Protocol):
    """Reads and writes tables in files."""

    def read(self, name: str, content: bytes) -> list[Sheet]:
        """Return the sheets of an XLSX, or the one of a CSV (its name is the file's); raise InputError."""
        ...

    def write(self, name: str, sheets: Sequence[Sheet]) -> bytes:
        """Return a file of the kind that the name's ending tells (csv: one sheet, xlsx: all)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a payload: readings stored, and what was rejected by (place, reason)."""

    readings: int
    rejected: tuple[tuple[str, str], ...] = ()
    ignored: str = ""


class Intake(Protocol):
    """The door for payloads that do not come over MQTT, with the same profiles and acceptance."""

    def take(self, topic: str, payload: bytes, *, source: str, now: datetime) -> Taken:
        """Store the readings of a payload durably, keep what cannot be read as dead letters, tell both."""
        ...
