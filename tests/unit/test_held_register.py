from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import NotFound
from core.registry import Building, Commodity, Meter, Organisation, Point
from services.held import HeldRegister
from storage.records import SqlRecordStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_held_register_answers_as_the_store_until_it_changes(tmp_path: Path) -> None:
    records = SqlRecordStore(f"sqlite:///{tmp_path / 'records.sqlite'}")
    records.start()
    house = [
        Organisation(id="o", name="Kraj"),
        Building(id="b", organisation="o", name="Škola"),
        *(Point(id=f"p{n}", building="b", name=f"{n}", commodity=Commodity.GAS) for n in range(3)),
        *(Meter(id=f"m{n}", point="p1", device=f"d{n}", mounted=NOW) for n in range(2)),
    ]
    records.save(house, by="test", now=NOW)
    held = HeldRegister(records)
    view = held.view()
    assert view.find(Point) == records.find(Point)
    assert view.find(Meter, where={"point": "p1"}) == records.find(Meter, where={"point": "p1"})
    assert view.find(Meter, where={"point": "p1", "device": "d1"}) == [records.get(Meter, "m1")]
    assert view.find(Meter, where={"point": "p2"}) == []
    assert view.get(Building, "b") == records.get(Building, "b")
    with pytest.raises(NotFound, match="p9"):
        view.get(Point, "p9")
    assert held.view() is view
    records.save([Point(id="p3", building="b", name="nové", commodity=Commodity.GAS)], by="test", now=NOW)
    assert len(held.view().find(Point)) == 4
    records.close()
