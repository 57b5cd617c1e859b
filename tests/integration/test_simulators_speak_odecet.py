"""The simulators' own encoder and the ingester's own reader, apart on purpose, say the same."""

import numpy as np
import pytest

from core.readings import Readings, concat
from ingest.message import Message as Arrived
from ingest.native import NativeProfile
from simulators.demo_faults import demo_faults
from simulators.history import history
from simulators.live import history_messages
from simulators.plan import plan
from simulators.region import sample_region

START, END = np.datetime64("2026-10-24", "us"), np.datetime64("2026-10-27", "us")
RECEIVED = int(END.astype(np.int64))


def keyed(readings: Readings) -> dict[tuple[str, str, int], list[float]]:
    out: dict[tuple[str, str, int], list[float]] = {}
    rows = zip(readings.code.tolist(), readings.at.astype(np.int64).tolist(), readings.value.tolist(), strict=True)
    for code, at, value in rows:
        out.setdefault((*readings.series[code], at), []).append(value)
    return out


@pytest.mark.parametrize("per_message", [1, 200])
def test_what_simulated_meters_say_is_read_as_it_was_meant(per_message: int) -> None:
    region = sample_region(1)
    plans = plan(region, demo_faults(region, END))
    sent = list(history_messages(plans, START, END, per_message=per_message))
    arrived = [Arrived(topic=m.topic, payload=m.payload, received=RECEIVED) for m in sent]
    decoded = NativeProfile().decode(arrived)
    assert not decoded.rejects
    assert not decoded.ignored
    meant = keyed(concat(batch.readings for batch in history(plans, START, END)))
    read = keyed(decoded.readings)
    assert len(read) == len(meant) > 10_000
    assert read.keys() == meant.keys()
    for key, values in meant.items():
        assert read[key] == pytest.approx(values, rel=1e-14), key
