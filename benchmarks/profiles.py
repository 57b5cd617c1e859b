"""Messages of wmbusmeters that are read through its profile, a second, in one process.

Chosen (which profile reads it, by topic and payload) and decoded in batches, as the ingester does it, without broker
and store. The messages are made here: a region's meters, each with the fields of its kind, dials that go up, billing
dates and history.
"""

import gc
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from app.profiles import all_profiles
from core.calendar import instant
from ingest.message import Message
from ingest.profile import Router

MESSAGES = 60_000
BATCH = 1_000
METERS = 1_000
RUNS = 5
TARGET_MESSAGES = 20_000
START = datetime(2026, 3, 5, 12, tzinfo=UTC)


def water(n: int, dial: float) -> dict[str, object]:
    """Return the fields of a water meter."""
    return {
        "media": "cold water" if n % 3 else "warm water",
        "meter": "multical21",
        "status": "OK" if n % 7 else "DRY",
        "total_m3": round(dial, 3),
        "target_m3": round(dial - 3, 3),
        "target_date": "2026-03-01",
        "flow_m3h": 0.012,
        "max_flow_m3h": 1.2,
        "flow_temperature_c": 9,
        "external_temperature_c": 18,
    }


def heat(_n: int, dial: float) -> dict[str, object]:
    """Return the fields of a heat meter."""
    history = {f"prev_{m}_month_kwh": round(dial - 100 * m, 3) for m in range(1, 15)}
    return {
        "media": "heat",
        "meter": "kamheat",
        "status": "OK",
        "total_energy_consumption_kwh": round(dial, 3),
        "total_volume_m3": round(dial / 25, 3),
        "volume_flow_m3h": 0.4,
        "power_kw": 12.3,
        "t1_temperature_c": 68.4,
        "t2_temperature_c": 42.1,
        "on_time_h": 6886,
        "meter_datetime": "2026-03-05 13:00",
        **history,
    }


def electricity(_n: int, dial: float) -> dict[str, object]:
    """Return the fields of an electricity meter."""
    tariffs = {f"total_energy_consumption_tariff_{t}_kwh": round(dial / 4, 3) for t in range(1, 5)}
    phases = {f"voltage_at_phase_{p}_v": 231.5 for p in (1, 2, 3)} | {f"current_at_phase_{p}_a": 4.5 for p in (1, 2, 3)}
    return {
        "media": "electricity",
        "meter": "gransystems",
        "total_energy_consumption_kwh": round(dial, 3),
        "total_energy_production_kwh": 0,
        "current_power_consumption_kw": 1.25,
        **tariffs,
        **phases,
    }


def allocator(_n: int, dial: float) -> dict[str, object]:
    """Return the fields of a heat-cost allocator."""
    history = {f"prev_{m:02d}_hca": int(dial) - m for m in range(1, 18)}
    return {"media": "heat cost allocation", "meter": "bfw240radio", "current_hca": int(dial), "prev_hca": 9, **history}


KINDS: Sequence[Callable[[int, float], dict[str, object]]] = (water, water, water, heat, heat, electricity, allocator)


def wmbusmeters(count: int) -> list[Message]:
    """Return messages of wmbusmeters, meter after meter, every minute again."""
    rng = np.random.default_rng(1)
    dials = rng.uniform(10, 5000, METERS)
    received = int(instant(START).astype(np.int64))
    messages = []
    for number in range(count):
        n = number % METERS
        dials[n] += 0.01
        at = (START + timedelta(minutes=number // METERS)).isoformat().replace("+00:00", "Z")
        head = {"_": "telegram", "name": f"meter {n}", "id": f"{n:08d}"}
        fields = head | KINDS[n % len(KINDS)](n, float(dials[n])) | {"timestamp": at}
        messages.append(Message(topic=f"wmbusmeters/{n}", payload=json.dumps(fields).encode(), received=received))
    return messages


def read(messages: Sequence[Message], router: Router) -> int:
    """Choose and decode messages in batches; return how many readings they hold."""
    found = 0
    for start in range(0, len(messages), BATCH):
        batch = messages[start : start + BATCH]
        chosen: dict[str, list[Message]] = {}
        for message in batch:
            profile = router.choose(message).profile
            assert profile is not None
            chosen.setdefault(profile.name, []).append(message)
        for name, mine in chosen.items():
            decoded = router.profiles[name].decode(mine)
            assert not decoded.rejects
            found += len(decoded.readings)
    return found


def fastest(act: Callable[[], int]) -> tuple[float, int]:
    """Return the seconds of the fastest of some runs, and what the act returns."""
    times, found = [], 0
    for _ in range(RUNS):
        began = time.perf_counter()
        found = act()
        times.append(time.perf_counter() - began)
    return min(times), found


def run(count: int = MESSAGES) -> None:
    """Print messages and readings a second, and the target."""
    router = Router(all_profiles(None, site="Europe/Prague"))
    messages = wmbusmeters(count)
    gc.collect()
    gc.freeze()  # the messages of an ingester come and go; these stay
    size = sum(len(m.payload) for m in messages) / len(messages)
    seconds, found = fastest(lambda: read(messages, router))
    profile = router.profiles["wmbusmeters"]
    decoding, _ = fastest(lambda: len(profile.decode(messages[:BATCH]).readings))
    assert found == readings_of(messages)
    met = "met" if count / seconds >= TARGET_MESSAGES else "MISSED"
    print(f"wmbusmeters, {size:.0f} bytes and {found / count:.1f} readings a message, one process:")
    print(f"  chosen and decoded: {count / seconds:,.0f} messages/s, {found / seconds:,.0f} readings/s", end=" ")
    print(f"(target {TARGET_MESSAGES:,} messages/s: {met})")
    print(f"  decoded alone:      {BATCH / decoding:,.0f} messages/s")


def readings_of(messages: Sequence[Message]) -> int:
    """Return how many readings the messages must come to, by the kinds that were made."""
    each = {"multical21": 4, "kamheat": 6, "gransystems": 13, "bfw240radio": 1}
    return sum(each[json.loads(m.payload)["meter"]] for m in messages)


if __name__ == "__main__":
    run()
