"""What devices publish of themselves in SQL: descriptions as they came, and the meters that they propose."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Final

from sqlalchemy import Connection, Table, delete, select

from core.notes import Description, Proposal
from storage import tables
from storage.records_notes import fingerprint, text_bytes
from storage.records_rows import Row, chunks, insert_into

MOST_DESCRIPTIONS: Final = 50_000
MOST_PROPOSALS: Final = 50_000
_PROPOSAL: Final = tuple(f.name for f in fields(Proposal))
_DESCRIPTION: Final = tuple(f.name for f in fields(Description))


def keep_descriptions(connection: Connection, said: Sequence[Description]) -> None:
    """Keep one a topic, the last of them; those with an empty payload are forgotten."""
    last = {d.topic: d for d in said}
    table = tables.descriptions
    for some in chunks(_topic_key(d.topic) for d in last.values() if not d.payload):
        connection.execute(delete(table).where(table.c.fingerprint.in_(some)))
    # Rows are taken in one order by all writers; the database's lock of descriptions keeps them one after the other.
    rows: list[Row] = [{**asdict(d), "fingerprint": _topic_key(d.topic)} for d in last.values() if d.payload]
    if rows:
        added = insert_into(connection, table)
        newest = {name: added.excluded[name] for name in ("profile", "payload", "seen")}
        connection.execute(added.on_conflict_do_update(index_elements=["fingerprint"], set_=newest), rows)
        _forget(connection, table, "seen", MOST_DESCRIPTIONS)


def descriptions(connection: Connection) -> list[Description]:
    """Return those kept, in the order of their first arrival."""
    table = tables.descriptions
    question = select(*(table.c[name] for name in _DESCRIPTION)).order_by(table.c.id)
    return [Description(**row) for row in connection.execute(question).mappings()]


def propose(connection: Connection, described_by: Sequence[str], said: Sequence[Proposal]) -> None:
    """Put these in the place of what these descriptions proposed; when a series was first seen stays."""
    table = tables.proposals
    former: dict[str, Row] = {}
    once = {_series_key(p): p for p in said}
    for some in chunks(once):
        question = select(table.c.fingerprint, table.c.first_seen).where(table.c.fingerprint.in_(some))
        former |= {row["fingerprint"]: dict(row) for row in connection.execute(question).mappings()}
    for some in chunks(_topic_key(topic) for topic in described_by):
        connection.execute(delete(table).where(table.c.described_by.in_(some)))
    for some in chunks(once):
        connection.execute(delete(table).where(table.c.fingerprint.in_(some)))
    rows = []
    for key, proposal in once.items():
        first = former[key]["first_seen"] if key in former else proposal.first_seen
        rows.append(_proposal_row(key, replace(proposal, first_seen=min(first, proposal.first_seen))))
    if rows:
        connection.execute(insert_into(connection, table), rows)
        _forget(connection, table, "last_seen", MOST_PROPOSALS)


def proposals(connection: Connection) -> list[Proposal]:
    """Return what is proposed, ordered by device and register."""
    table = tables.proposals
    question = select(*(table.c[name] for name in _PROPOSAL)).order_by(table.c.device, table.c.register)
    return [Proposal(**{**row, "flags": tuple(row["flags"])}) for row in connection.execute(question).mappings()]


def _forget(connection: Connection, table: Table, by: str, most: int) -> None:
    """Delete all but the `most` that were seen last."""
    older = select(table.c.fingerprint).order_by(table.c[by].desc(), table.c.fingerprint).offset(most)
    keys = list(connection.execute(older).scalars())
    for some in chunks(keys):
        connection.execute(delete(table).where(table.c.fingerprint.in_(some)))


def _topic_key(topic: str) -> str:
    return fingerprint(text_bytes(topic))


def _series_key(proposal: Proposal) -> str:
    return fingerprint(text_bytes(proposal.device), text_bytes(proposal.register))


def _proposal_row(key: str, proposal: Proposal) -> Row:
    described_by = _topic_key(proposal.description)
    return {**asdict(proposal), "flags": list(proposal.flags), "fingerprint": key, "described_by": described_by}
