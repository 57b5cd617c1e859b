"""Deliveries, evidence and publications in SQL; a part of the record store."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from core.deliveries import Delivery
from core.errors import Conflict, InputError, NotFound, StoreError
from core.notes import AuditEntry
from core.publications import Publication, digest_of
from core.report_periods import ReportId
from storage import records_register as register
from storage import tables_publications as tables
from storage.kept_files import keep_file, kept_file
from storage.records_database import Database, Lock
from storage.records_rows import Row, insert_into

_HEAD: Final = tuple(c for c in tables.publications.c if c.name != "content")


class PublicationRecords:
    """The deliveries and publications of the record store at a database."""

    _database: Database

    def change_deliveries(self, deliveries: Sequence[Delivery], entries: Sequence[AuditEntry]) -> None:
        """Store deliveries and their history, or nothing; raise Conflict where somebody was faster."""
        with self._database.write(Lock.PUBLICATIONS) as connection:
            for delivery in deliveries:
                _put_delivery(connection, delivery)
            register.record(connection, entries)

    def delivery(self, report: ReportId, area: str) -> Delivery:
        """Return a delivery; one that nobody wrote yet is an empty draft of version 0."""
        empty, table = Delivery(report=report, area=area), tables.deliveries
        with self._database.read() as connection:
            found = connection.execute(select(table.c.document).where(table.c.id == empty.id)).scalar()
        return empty if found is None else msgspec.convert(found, Delivery)

    def deliveries(self, report: ReportId | None = None) -> list[Delivery]:
        """Return the stored deliveries of a report, ordered by report and area."""
        table = tables.deliveries
        question = select(table.c.document).order_by(table.c.kind, table.c.period, table.c.area)
        if report is not None:
            question = question.where(table.c.kind == report.kind, table.c.period == report.period)
        with self._database.read() as connection:
            return [msgspec.convert(found, Delivery) for found in connection.execute(question).scalars()]

    def keep_evidence(self, digest: str, content: bytes) -> None:
        """Keep a file under its SHA-256; raise InputError where it has another."""
        with self._database.write() as connection:
            keep_file(connection, tables.evidence, digest, content)

    def evidence(self, digest: str) -> bytes:
        """Return a file; raise NotFound, and StoreError where it was changed in the database."""
        with self._database.read() as connection:
            return kept_file(connection, tables.evidence, digest)

    def publish(
        self, publication: Publication, deliveries: Sequence[Delivery], entries: Sequence[AuditEntry]
    ) -> Publication:
        """Store a publication and what it closes, or nothing."""
        if digest_of(publication.content) != publication.digest:
            raise InputError(f"the digest of {publication.id} is not its content's", remedy="freeze it again")
        with self._database.write(Lock.PUBLICATIONS) as connection:
            _check_next(connection, publication)
            answer = connection.execute(insert(tables.publications).values(**_row(publication)))
            for delivery in deliveries:
                _put_delivery(connection, delivery)
            register.record(connection, entries)
            return replace(publication, number=int(cast("Any", answer.inserted_primary_key)[0]))

    def publication(self, key: str) -> Publication:
        """Return a publication with its content; raise NotFound, StoreError where the content cannot be read."""
        with self._database.read() as connection:
            question = select(tables.publications).where(tables.publications.c.id == key)
            row = connection.execute(question).mappings().first()
        if row is None:
            raise NotFound(f"publication {key} is not known")
        try:
            return _publication(row, zlib.decompress(row["content"]))
        except zlib.error as err:
            raise StoreError(f"the content of publication {key} cannot be read: {err}; restore a backup") from err

    def publications(self, report: ReportId | None = None) -> list[Publication]:
        """Return publications without content, the oldest first."""
        question = select(*_HEAD).order_by(tables.publications.c.number)
        if report is not None:
            of_it = (tables.publications.c.kind == report.kind, tables.publications.c.period == report.period)
            question = question.where(*of_it)
        with self._database.read() as connection:
            return [_publication(row, b"") for row in connection.execute(question).mappings()]


def _put_delivery(connection: Connection, delivery: Delivery) -> None:
    row, table = _delivery_row(delivery), tables.deliveries
    if delivery.version == 1:
        once = insert_into(connection, table).on_conflict_do_nothing(index_elements=["id"])
        stored = len(connection.execute(once.values(**row).returning(table.c.id)).all())
    else:
        before = (table.c.id == delivery.id) & (table.c.version == delivery.version - 1)
        stored = connection.execute(update(table).where(before).values(**row)).rowcount
    if stored != 1:
        raise Conflict(f"delivery {delivery.id} was changed meanwhile; look at it again and repeat what you did")


def _delivery_row(delivery: Delivery) -> Row:
    document = msgspec.to_builtins(replace(delivery, texts=dict(delivery.texts)))
    head = {"kind": delivery.report.kind.value, "period": delivery.report.period, "area": delivery.area}
    told = {"id": delivery.id, "state": delivery.state.value, "version": delivery.version, "document": document}
    return head | told


def _check_next(connection: Connection, publication: Publication) -> None:
    """Raise Conflict where a publication does not follow the last one, or its version not that of its report."""
    table = tables.publications
    last = connection.execute(select(table.c.digest).order_by(table.c.number.desc()).limit(1)).scalar() or ""
    of_it = (table.c.kind == publication.report.kind, table.c.period == publication.report.period)
    version = connection.execute(select(func.max(table.c.version)).where(*of_it)).scalar() or 0
    if publication.previous != last or publication.version != version + 1:
        raise Conflict(f"something was published before {publication.id} meanwhile; look at it and publish again")


def _row(publication: Publication) -> Row:
    row = {c.name: getattr(publication, c.name) for c in _HEAD if c.name not in {"number", "kind", "period"}}
    row |= {"kind": publication.report.kind.value, "period": publication.report.period}
    return row | {"content": zlib.compress(publication.content, 9)}


def _publication(row: RowMapping | Mapping[str, Any], content: bytes) -> Publication:
    said = {c.name: row[c.name] for c in _HEAD if c.name not in {"id", "kind", "period"}}
    said |= {name: said[name].astimezone(UTC) for name in ("at", "cutoff")}
    return Publication(report=ReportId.parse(row["kind"], row["period"]), content=content, **said)
