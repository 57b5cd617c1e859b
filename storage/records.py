"""RecordStore in SQL: a file of SQLite by default, PostgreSQL where several processes share it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from core.errors import NotFound
from core.notes import AuditEntry, DeadLetter, Description, InboxItem, Job, PointFinding, Proposal
from core.registry import Entity
from storage import records_described as described
from storage import records_notes as notes
from storage import records_register as register
from storage.records_alerts import AlertRecords
from storage.records_database import Database, Lock
from storage.records_detectors import DetectorRecords
from storage.records_own_rows import OwnRowRecords
from storage.records_papers import PaperRecords
from storage.records_people import PeopleRecords
from storage.records_publications import PublicationRecords
from storage.records_work import WorkRecords

E = TypeVar("E", bound=Entity)


class SqlRecordStore(
    AlertRecords, DetectorRecords, OwnRowRecords, PaperRecords, PublicationRecords, PeopleRecords, WorkRecords
):
    """Keeps records in the database at `url`: sqlite:///folder/file, or postgresql://user:password@host:port/name.

    May be used from several threads. A lost connection raises StoreUnavailable; the next call connects anew.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def start(self) -> None:
        """Open the database and bring its schema up to date; may be called by many processes at once."""
        self._database.start()

    def close(self) -> None:
        """Release the connections."""
        self._database.close()

    def ready(self) -> None:
        """Return if the database answers, else raise StoreUnavailable."""
        with self._database.read() as connection:
            connection.execute(select(1))

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
        """Insert or replace all of them and remove those of `removing`, or nothing; audit what differs from before."""
        act = register.Act(by=by, now=now, why=why)
        with self._database.write(Lock.REGISTER) as connection:
            register.check_version(connection, version)
            register.save(connection, entities, act)
            register.remove_entities(connection, removing, act)

    def remove(self, kind: type[E], keys: Sequence[str], *, by: str, now: datetime, why: str = "") -> None:
        """Remove these, audited; the findings on removed points go with them."""
        with self._database.write(Lock.REGISTER) as connection:
            register.remove(connection, kind, keys, register.Act(by=by, now=now, why=why))

    def get(self, kind: type[E], key: str) -> E:
        """Return one of the register; raise NotFound."""
        with self._database.read() as connection:
            return register.get(connection, kind, key)

    def find(
        self, kind: type[E], *, where: Mapping[str, str] | None = None, after: str = "", limit: int | None = None
    ) -> list[E]:
        """Return those whose fields equal `where`, with id > after, ordered by id (by code point)."""
        with self._database.read() as connection:
            return register.find(connection, kind, where, after, limit)

    def count(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> int:
        """Return how many `find` would give without limit."""
        with self._database.read() as connection:
            return register.count(connection, kind, where)

    def version(self) -> int:
        """Return a number that grows with every change of the register."""
        with self._database.read() as connection:
            return register.version(connection)

    def audit(
        self,
        *,
        entity: str | None = None,
        key: str | None = None,
        by: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Return changes, newest first; `entity` is the word of its kind (organisation, point, dial_event, ...)."""
        with self._database.read() as connection:
            return register.audit(connection, entity=entity, key=key, by=by, before=before, limit=limit)

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Add to the audit trail what was done beside the register."""
        with self._database.write() as connection:
            register.record(connection, entries)

    def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters durably; one that is kept already and still open leaves one."""
        with self._database.write() as connection:
            notes.keep_letters(connection, letters)

    def letters(
        self,
        *,
        reason: str | None = None,
        topic: str | None = None,
        after: int = 0,
        limit: int = 100,
        open_only: bool = True,
    ) -> list[DeadLetter]:
        """Return kept letters with id > after, ordered by id."""
        with self._database.read() as connection:
            return notes.letters(connection, reason=reason, topic=topic, after=after, limit=limit, open_only=open_only)

    def letter(self, number: int) -> DeadLetter:
        """Return one kept letter; raise NotFound."""
        with self._database.read() as connection:
            found = notes.letter(connection, number)
        if found is None:
            raise NotFound(f"dead letter {number} is not kept")
        return found

    def mark_replayed(self, numbers: Sequence[int], now: datetime) -> None:
        """Note that these letters were read after all."""
        with self._database.write() as connection:
            notes.mark_replayed(connection, numbers, now)

    def count_letters(self) -> dict[str, int]:
        """Return the number of open letters by reason."""
        with self._database.read() as connection:
            return notes.count_letters(connection)

    def see(self, items: Sequence[InboxItem]) -> None:
        """Add to the inbox: first and last seen widen, counts add up, the newest value, topic and sample stay."""
        with self._database.write() as connection:
            notes.see(connection, items)

    def inbox(self, *, after: str = "", limit: int | None = None) -> list[InboxItem]:
        """Return the first `limit` devices > after, each with all its registers, ordered by device and register."""
        with self._database.read() as connection:
            return notes.inbox(connection, after=after, limit=limit)

    def leave_inbox(self, devices: Sequence[str], *, registers: Sequence[str] | None = None) -> None:
        """Take assigned devices out of the inbox, or only these registers of them; unknown ones are passed over."""
        with self._database.write() as connection:
            notes.leave_inbox(connection, devices, registers)

    def keep_descriptions(self, descriptions: Sequence[Description]) -> None:
        """Keep what devices publish of themselves, one a topic; one with an empty payload is forgotten."""
        with self._database.write(Lock.DESCRIPTIONS) as connection:
            described.keep_descriptions(connection, descriptions)

    def descriptions(self) -> list[Description]:
        """Return the kept descriptions in the order in which their topics were first seen."""
        with self._database.read() as connection:
            return described.descriptions(connection)

    def propose(self, descriptions: Sequence[str], proposals: Sequence[Proposal]) -> None:
        """Put proposals in the place of all that these descriptions (topics) proposed before."""
        with self._database.write(Lock.DESCRIPTIONS) as connection:
            described.propose(connection, descriptions, proposals)

    def proposals(self) -> list[Proposal]:
        """Return what is proposed, ordered by device and register."""
        with self._database.read() as connection:
            return described.proposals(connection)

    def replace_findings(
        self, points: Sequence[str], start: datetime, end: datetime, findings: Sequence[PointFinding]
    ) -> None:
        """Put these findings in the place of those of these points whose span touches [start, end]."""
        with self._database.write(Lock.FINDINGS) as connection:
            notes.replace_findings(connection, points, start, end, findings)

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
        with self._database.read() as connection:
            return notes.findings(
                connection, points=points, rule=rule, open_only=open_only, start=start, end=end, limit=limit
            )

    def keep(self, key: str, text: str) -> None:
        """Keep a small text durably under a key."""
        with self._database.write() as connection:
            notes.keep(connection, key, text)

    def kept(self, key: str) -> str:
        """Return what was kept under a key, empty where nothing was."""
        with self._database.read() as connection:
            return notes.kept(connection, key)

    def save_job(self, job: Job) -> None:
        """Insert or replace the state of long work."""
        with self._database.write() as connection:
            notes.save_job(connection, job)

    def jobs(self, *, kind: str | None = None, limit: int = 100) -> list[Job]:
        """Return long work, newest first."""
        with self._database.read() as connection:
            return notes.jobs(connection, kind=kind, limit=limit)
