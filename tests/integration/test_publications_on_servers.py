"""The same publication on InfluxDB and PostgreSQL: frozen, computed again, restated by cause."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import psycopg
import pytest

from services.publishing import proposals, publish, verify
from storage.records import SqlRecordStore
from tests.servers.influx import fresh_bucket, influx_store, server_arguments
from tests.servers.postgres import postgresql
from tests.unit.publication_world import LATER, factor, fill, series, with_factor

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.server
def test_late_batch_factor_and_swap_are_told_apart_on_servers(tmp_path: Path) -> None:
    database = postgresql(tmp_path)
    database.start()
    with server_arguments(tmp_path) as arguments:
        store = influx_store(arguments, fresh_bucket(arguments))
        records = SqlRecordStore(database.url)
        try:
            store.start()
            records.start()
            world = fill(store, records)
            world.ready()
            made = publish(world.live, world.wish())
            world.late_batch(MARCH)
            world.tables = with_factor(world.tables, factor(2, 0.39))
            world.correct_swap(APRIL)
            assert verify(world.live, made.id, LATER).holds
            (found,) = proposals(world.live, LATER)
            (change,) = [one for one in found.changes if one.indicator == "G1"]
            assert [part.causes[0] for part in change.parts] == ["late_data", "register", "factors"]
            assert sum((part.difference or Decimal(0) for part in change.parts), Decimal(0)) == change.difference
            store.withdraw("import/late", [series("em-3")], np.datetime64("2020-01-01"), np.datetime64("2030-01-01"))
            assert verify(world.live, made.id, LATER).holds
            with psycopg.connect(database.url, autocommit=True) as connection, pytest.raises(psycopg.Error):
                connection.execute("UPDATE publications SET note = 'jinak'")
        finally:
            records.close()
            store.close()
            database.remove()
