"""Which dials of a device nobody is asked about once one of them stands on a point."""

from datetime import UTC, datetime

import pytest

from core.assigned import Assigned
from core.readings import SeriesKey
from core.registry import Meter

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def taken(named: str, register: str) -> bool:
    meter = Meter(id="m", point="p", device="d", mounted=SINCE, register=named)
    return SeriesKey("d", register) in Assigned.of([meter])


@pytest.mark.parametrize(
    ("named", "register", "expected"),
    [
        ("", "volume.total", True),
        ("energy.import", "energy.import", True),
        ("energy.import", "energy.import/t1", True),
        ("energy.import", "energy.export", True),
        ("energy.import", "energy.export/t2", True),
        ("energy.import", "energy.total", True),
        ("energy.import", "reactive_energy.import", True),
        ("energy.import", "power.total", True),
        ("energy.import", "energy.import/c1", False),
        ("energy.import", "energy.export/c1", False),
        ("energy.import/c1", "energy.export/c1", True),
        ("energy.import", "volume.total", False),
        ("energy.import", "energy.cooling", False),
        ("energy.total", "energy.import", False),
        ("energy.total", "volume.total", False),
        ("pulse_count.total/c1", "pulse_count.total/c2", False),
    ],
)
def test_a_named_register_takes_what_one_meter_counts(named: str, register: str, *, expected: bool) -> None:
    assert taken(named, register) is expected


def test_what_nobody_mounted_is_asked_about() -> None:
    assert SeriesKey("other", "energy.import") not in Assigned.of([])
