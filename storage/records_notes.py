"""What is kept beside the register in SQL: dead letters, the inbox, findings, small texts, long work."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, insert, select, update
from sqlalchemy.dialects import sqlite

from core.notes import DeadLetter, Finding, InboxItem, Job, PointFinding, Rule
from storage import tables
from storage.records_rows import Row, chunks, insert_into, upsert

_FINDING = tuple(f.name for f in fields(Finding))
_NEWEST = ("unit", "last_value", "topic", "sample")


def keep_letters(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    """Keep letters; one that is kept already and not yet read leaves the kept one."""
    if not letters:
        return
    once = insert_into(connection, tables.letters).on_conflict_do_nothing(
        index_elements=["fingerprint"], index_where=tables.LETTER_IS_OPEN
    )
    connection.execute(once, [_letter_row(letter) for letter in letters])


def letters(
    connection: Connection, *, reason: str | None, topic: str | None, after: int, limit: int, open_only: bool
) -> list[DeadLetter]:
    """Return kept letters with id > after, ordered by id."""
    table = tables.letters
    question = select(*_LETTER).where(table.c.id > after).order_by(table.c.id).limit(limit)
    if reason is not None:
        question = question.where(table.c.reason == reason)
    if topic is not None:
        question = question.where(table.c.topic == topic)
    if open_only:
        question = question.where(table.c.replayed.is_(None))
    return [DeadLetter(**row) for row in connection.execute(question).mappings()]


def letter(connection: Connection, number: int) -> DeadLetter | None:
    """Return one kept letter, None where there is none."""
    row = connection.execute(select(*_LETTER).where(tables.letters.c.id == number)).mappings().first()
    return None if row is None else DeadLetter(**row)


def mark_replayed(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    """Note that these were read; the instant of the first time stays."""
    table = tables.letters
    for some in chunks(numbers):
        unread = table.c.id.in_(some) & table.c.replayed.is_(None)
        connection.execute(update(table).where(unread).values(replayed=now))


def count_letters(connection: Connection) -> dict[str, int]:
    """Return the number of open letters by reason."""
    table = tables.letters
    question = select(table.c.reason, func.count()).where(table.c.replayed.is_(None)).group_by(table.c.reason)
    return {row[0]: row[1] for row in connection.execute(question.order_by(table.c.reason))}


def see(connection: Connection, items: Sequence[InboxItem]) -> None:
    """Add to the inbox in one statement."""
    # Rows are taken in one order by all writers, so that they cannot wait for each other.
    ordered = sorted(items, key=lambda item: (item.device, item.register, item.last_seen))
    rows = [_seen_together(list(same)) for _, same in groupby(ordered, key=lambda i: (i.device, i.register))]
    if rows:
        connection.execute(_widened(insert_into(connection, tables.inbox)), rows)


def inbox(connection: Connection, *, after: str, limit: int | None) -> list[InboxItem]:
    """Return the first `limit` devices after `after`, each with all its registers."""
    table = tables.inbox
    question = select(*(c for c in table.c if c.name != "fingerprint")).order_by(table.c.device, table.c.register)
    if after:
        question = question.where(table.c.device > after)
    if limit is not None:
        devices = select(table.c.device).where(table.c.device > after).distinct().order_by(table.c.device)
        question = question.where(table.c.device.in_(devices.limit(limit)))
    return [_inbox_item(dict(row)) for row in connection.execute(question).mappings()]


def leave_inbox(connection: Connection, devices: Sequence[str], registers: Sequence[str] | None) -> None:
    """Take these devices out, or only these registers of them."""
    table = tables.inbox
    for some in chunks(devices):
        taken = delete(table).where(table.c.device.in_(some))
        if registers is not None:
            taken = taken.where(table.c.register.in_(list(registers)))
        connection.execute(taken)


def replace_findings(
    connection: Connection, points: Sequence[str], start: datetime, end: datetime, found: Sequence[PointFinding]
) -> None:
    """Put these in the place of those whose span touches [start, end]."""
    table = tables.findings
    touches = (table.c.at_from <= end) & (table.c.at_to >= start)
    for some in chunks(points):
        connection.execute(delete(table).where(table.c.point.in_(some), touches))
    if found:
        connection.execute(insert(table), [_finding_row(finding) for finding in found])


def findings(
    connection: Connection,
    *,
    points: Sequence[str] | None,
    rule: str | None,
    open_only: bool,
    start: datetime | None,
    end: datetime | None,
    limit: int | None,
) -> list[PointFinding]:
    """Return findings, newest first."""
    table = tables.findings
    question: Select[tuple[object, ...]] = select(table).order_by(table.c.at_from.desc(), table.c.id.desc())
    conditions = [
        None if rule is None else table.c.rule == rule,
        table.c.open.is_(True) if open_only else None,
        None if start is None else table.c.at_to >= start,
        None if end is None else table.c.at_from <= end,
    ]
    question = question.where(*(c for c in conditions if c is not None)).limit(limit)
    if points is None:
        return [_point_finding(row._asdict()) for row in connection.execute(question)]
    rows = [
        row._asdict()
        for some in chunks(dict.fromkeys(points))
        for row in connection.execute(question.where(table.c.point.in_(some)))
    ]
    rows.sort(key=lambda row: (row["at_from"], row["id"]), reverse=True)
    return [_point_finding(row) for row in rows[:limit]]


def keep(connection: Connection, key: str, text: str) -> None:
    """Keep a text under a key."""
    upsert(connection, tables.kept, [{"key": key, "text": text}], key="key")


def kept(connection: Connection, key: str) -> str:
    """Return what was kept, empty where nothing was."""
    return connection.execute(select(tables.kept.c.text).where(tables.kept.c.key == key)).scalar() or ""


def save_job(connection: Connection, job: Job) -> None:
    """Insert or replace the state of long work."""
    upsert(connection, tables.jobs, [asdict(job)], key="id")


def jobs(connection: Connection, *, kind: str | None, limit: int) -> list[Job]:
    """Return long work, newest first."""
    table = tables.jobs
    question = select(table).order_by(table.c.started.desc(), table.c.id.desc()).limit(limit)
    if kind is not None:
        question = question.where(table.c.kind == kind)
    return [Job(**row) for row in connection.execute(question).mappings()]


_LETTER = tuple(c for c in tables.letters.c if c.name != "fingerprint")


def fingerprint(*parts: bytes) -> str:
    """Return a hash of the parts, each with its length, so that no two lists of parts run together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def text_bytes(text: str) -> bytes:
    """Return the bytes of a text from outside, lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def _letter_row(letter: DeadLetter) -> Row:
    row = {c.name: getattr(letter, c.name) for c in _LETTER if c.name != "id"}
    row["fingerprint"] = fingerprint(text_bytes(letter.topic), text_bytes(letter.reason), letter.payload)
    return row


def _seen_together(same: list[InboxItem]) -> Row:
    """Return one row for items of one register, ordered by when they were last seen."""
    row = asdict(same[-1])
    row["first_seen"] = min(item.first_seen for item in same)
    row["count"] = sum(item.count for item in same)
    row["last_value"] = None if math.isnan(row["last_value"]) else row["last_value"]
    row["fingerprint"] = fingerprint(text_bytes(row["device"]), text_bytes(row["register"]))
    return row


def _widened(added: sqlite.Insert) -> sqlite.Insert:
    old, new = tables.inbox.c, added.excluded
    newer = new.last_seen >= old.last_seen
    changes: dict[str, ColumnElement[Any]] = {
        name: case((newer, new[name]), else_=old[name]) for name in (*_NEWEST, "last_seen")
    }
    changes["first_seen"] = case((new.first_seen < old.first_seen, new.first_seen), else_=old.first_seen)
    changes["count"] = old["count"] + new["count"]
    return added.on_conflict_do_update(index_elements=["fingerprint"], set_=changes)


def _inbox_item(row: Row) -> InboxItem:
    # SQLite keeps a value that is no number as NULL, so PostgreSQL does the same.
    return InboxItem(**{**row, "last_value": math.nan if row["last_value"] is None else row["last_value"]})


def _finding_row(found: PointFinding) -> Row:
    return {"point": found.point, "open": found.open, **{name: getattr(found.finding, name) for name in _FINDING}}


def _point_finding(row: Row) -> PointFinding:
    finding = Finding(**{name: row[name] for name in _FINDING} | {"rule": Rule(row["rule"])})
    return PointFinding(point=row["point"], finding=finding, open=row["open"])
