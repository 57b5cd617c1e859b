"""Files in the record store, each under its SHA-256: the same file again leaves one, a changed one is noticed."""

from sqlalchemy import Connection, Table, delete, select

from core.errors import InputError, NotFound, StoreError
from core.publications import digest_of
from storage.records_rows import insert_into


def keep_file(connection: Connection, table: Table, digest: str, content: bytes) -> None:
    """Keep a file; raise InputError where its SHA-256 is another."""
    if digest_of(content) != digest:
        raise InputError(f"the file is not the one with the SHA-256 {digest}", remedy="send it again")
    once = insert_into(connection, table).on_conflict_do_nothing(index_elements=["digest"])
    connection.execute(once.values(digest=digest, content=content))


def kept_file(connection: Connection, table: Table, digest: str) -> bytes:
    """Return a file; raise NotFound, and StoreError where it was changed in the database."""
    found = connection.execute(select(table.c.content).where(table.c.digest == digest)).scalar()
    if found is None:
        raise NotFound(f"no file has the SHA-256 {digest}")
    if digest_of(found) != digest:
        raise StoreError(f"file {digest} of {table.name} is not what was stored any more; restore it from a backup")
    return bytes(found)


def drop_file(connection: Connection, table: Table, digest: str) -> None:
    """Take a file away."""
    connection.execute(delete(table).where(table.c.digest == digest))
