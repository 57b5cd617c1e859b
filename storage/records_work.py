"""Turns at recurring work and files that wait to be confirmed, in SQL; a part of the record store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Double, case, delete, func, insert, literal_column, select, update

from core.errors import NotFound
from core.leases import Outcome, Pace, Turn
from core.staged import StagedFile
from storage.records_database import Database
from storage.records_rows import insert_into
from storage.tables_work import leases, staged_files


class WorkRecords:
    """Leases and staged files of the record store at a database."""

    _database: Database

    def take(self, name: str, *, by: str, pace: Pace) -> Turn:
        """Take a turn at work that is due and in nobody's hands."""
        with self._database.read() as connection:  # mostly it is not due: a look costs less than a lock
            seen = _turn(connection, name, pace)
        if not seen.taken:
            return seen
        with self._database.write() as connection:
            if _taken(connection, name, by, pace):
                return seen
            return replace(_turn(connection, name, pace), taken=False)

    def prolong(self, names: Sequence[str], *, by: str, lease_s: float) -> frozenset[str]:
        """Keep turns; those whose time ran out are lost, also where nobody else took them."""
        with self._database.write() as connection:
            now = _clock(connection)
            mine = leases.c.name.in_(list(names)) & (leases.c.holder == by) & (leases.c.held_until > now)
            kept = update(leases).where(mine).values(held_until=now + lease_s).returning(leases.c.name)
            return frozenset(connection.execute(kept).scalars())

    def give_back(self, name: str, *, by: str, outcome: Outcome) -> None:
        """End a turn; one that was left keeps its holder's name, by which it is seen to be unfinished."""
        with self._database.write() as connection:
            now = _clock(connection)
            mine = (leases.c.name == name) & (leases.c.holder == by) & (leases.c.held_until > now)
            ended: dict[str, object] = {"held_until": now, "failed": outcome is Outcome.FAILED}
            if outcome is not Outcome.LEFT:
                ended["holder"] = ""
            if outcome is Outcome.DONE:
                ended["succeeded"] = now
            connection.execute(update(leases).where(mine).values(**ended))

    def hold_file(self, file: StagedFile, *, since: datetime, most: int) -> None:
        """Hold a file; the oldest go first."""
        table = staged_files
        with self._database.write() as connection:
            newest = select(table.c.key).where(table.c.at >= since).order_by(table.c.at.desc()).limit(most - 1)
            kept = list(connection.execute(newest).scalars())
            connection.execute(delete(table).where(table.c.key.not_in(kept)))
            row = {"key": file.key, "name": file.name, "content": file.content, "at": file.at}
            connection.execute(insert(table).values(**row))

    def take_file(self, key: str) -> StagedFile:
        """Return a held file and forget it."""
        with self._database.write() as connection:
            taken = delete(staged_files).where(staged_files.c.key == key).returning(*staged_files.c)
            row = connection.execute(taken).mappings().first()
        if row is None:
            raise NotFound("the uploaded file is not held any more; upload it again")
        return StagedFile(key=row["key"], name=row["name"], content=row["content"], at=row["at"])


def _clock(connection: Connection) -> ColumnElement[float]:
    """Return the database's now [s since 1970], the instant of the statement and not of the transaction."""
    if connection.dialect.name == "postgresql":
        return func.extract("epoch", func.clock_timestamp()).cast(Double)
    return literal_column("(julianday('now') - 2440587.5) * 86400.0", Double)


def _due(pace: Pace) -> ColumnElement[float]:
    """Return when work is due: at once where its holder did not finish."""
    rest_s = case((leases.c.failed, min(pace.retry_s, pace.every_s)), else_=pace.every_s)
    return case((leases.c.holder != "", leases.c.held_until), else_=leases.c.started + rest_s)


def _taken(connection: Connection, name: str, by: str, pace: Pace) -> bool:
    """Take a turn where nobody was faster; in one statement, which waits for that of another."""
    now = _clock(connection)
    row = {"holder": by, "held_until": now + pace.lease_s, "started": now, "failed": False}
    free = (leases.c.held_until <= now) & (_due(pace) <= now)
    put = insert_into(connection, leases).values(name=name, turns=1, **row)
    counted = {**row, "turns": leases.c.turns + 1}
    put = put.on_conflict_do_update(index_elements=["name"], set_=counted, where=free)
    return connection.execute(put.returning(leases.c.name)).first() is not None


def _turn(connection: Connection, name: str, pace: Pace) -> Turn:
    """Return what stands in the way of a turn; taken where nothing does."""
    now = _clock(connection)
    at = select(leases.c.held_until - now, _due(pace) - now, leases.c.succeeded).where(leases.c.name == name)
    held_s, due_s, succeeded = connection.execute(at).first() or (0.0, 0.0, None)
    wait_s = max(held_s, due_s, 0.0)
    moment = None if succeeded is None else datetime.fromtimestamp(succeeded, UTC)
    return Turn(taken=wait_s == 0.0, wait_s=wait_s, succeeded=moment)
