"""Settings of rules, what was learnt of points and topics of devices in SQL; a part of the record store."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

import msgspec
from sqlalchemy import delete, select

from core.detectors import Learnt, RuleSetting
from core.notes import AuditEntry
from storage import records_register as register
from storage import tables_detectors as tables
from storage.records_database import Database, Lock
from storage.records_rows import chunks, upsert

_LEARNT: Final = tuple(f.name for f in fields(Learnt))


class DetectorRecords:
    """The detectors' part of the record store at a database."""

    _database: Database

    def set_rules(
        self, settings: Sequence[RuleSetting], entries: Sequence[AuditEntry], *, dropping: Sequence[str] = ()
    ) -> None:
        """Insert or replace settings and remove others, with their history, or nothing."""
        rows = [{"id": one.id, "document": msgspec.to_builtins(one)} for one in settings]
        with self._database.write(Lock.RULES) as connection:
            for some in chunks(dropping):
                connection.execute(delete(tables.rule_settings).where(tables.rule_settings.c.id.in_(some)))
            upsert(connection, tables.rule_settings, rows, key="id")
            register.record(connection, entries)

    def rule_settings(self) -> list[RuleSetting]:
        """Return all settings, ordered by id."""
        with self._database.read() as connection:
            found = connection.execute(select(tables.rule_settings.c.document).order_by(tables.rule_settings.c.id))
            return [msgspec.convert(document, RuleSetting) for document in found.scalars()]

    def keep_learnt(self, learnt: Sequence[Learnt]) -> None:
        """Keep what was learnt durably, one a point."""
        rows = [{name: getattr(one, name) for name in _LEARNT} for one in learnt]
        with self._database.write() as connection:
            for some in chunks(rows):
                upsert(connection, tables.learnt, some, key="point")

    def learnt(self, points: Sequence[str] | None = None) -> list[Learnt]:
        """Return what was learnt of these points (None: of all), ordered by point."""
        table = tables.learnt
        question = select(table).order_by(table.c.point)
        with self._database.read() as connection:
            if points is None:
                return [Learnt(**row) for row in connection.execute(question).mappings()]
            parts = [connection.execute(question.where(table.c.point.in_(some))) for some in chunks(points)]
            return [Learnt(**row) for part in parts for row in part.mappings()]

    def forget_learnt(self, points: Sequence[str]) -> None:
        """Remove what was learnt of these points."""
        with self._database.write() as connection:
            for some in chunks(points):
                connection.execute(delete(tables.learnt).where(tables.learnt.c.point.in_(some)))

    def note_topics(self, topics: Mapping[str, str]) -> None:
        """Keep the topic under which each device was heard last."""
        rows = [{"device": device, "topic": topic} for device, topic in topics.items()]
        with self._database.write(Lock.RULES) as connection:
            for some in chunks(rows):
                upsert(connection, tables.topics, some, key="device")

    def topics(self) -> dict[str, str]:
        """Return the topic of each device that was heard over MQTT."""
        with self._database.read() as connection:
            return {row.device: row.topic for row in connection.execute(select(tables.topics))}
