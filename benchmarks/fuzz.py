"""A million broken messages over all profiles: none may crash, hang or give a number that is none.

    python -m benchmarks.fuzz [MESSAGES] [SEED]

The messages are mutations of the test cases that stand in the profiles, and of the vectors beside the project where
they are there. Prints the rate, the slowest message and what came of them; ends with 1 where one was wrong.
"""

import base64
import copy
import gc
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.profiles import all_profiles
from core.readings import Readings
from ingest.accept import Bounds
from ingest.message import Message
from ingest.profile import Profile, Router
from ingest.profiles.engine import TomlProfile
from ingest.reader import Outcome, Reader

VECTORS = Path(__file__).parents[2] / "shared" / "vectors"
NOW = np.datetime64("2026-11-23T12:00:00", "us")
HANG_S = 0.05
BATCH = 200

Seed = tuple[str, bytes]
STRANGE: Sequence[object] = (
    None, True, False, 0, -0.0, -1, 1e308, 1e999, -1e999, float("nan"), 2**31, 2**32 - 1, 2**63, 2**64, 10**400, 1e-320,
    "", " ", "nan", "NaN", "Infinity", "-", "1,5", "1.5", "1 234,5", "0x1F", "\u0000", "\ud83d\ude00", "٣", "a" * 5000,
    "2064-01-01T00:00:00Z", "1111-11-11T11:11:11Z", "9999-12-31T23:59:59Z", "0000-00-00", "2026-10-25T02:30:00",
    "2026-03-29T02:30:00", [], {}, [[]], [None] * 50, {"": ""}, {"value": {}}, [[[[[[[[1]]]]]]]],
    "kWh", "m3", "GJ", "°C",
)  # fmt: skip
PIECES = (b"}", b"]", b'"', b"\0", b"\xff", b"[" * 200, b"9" * 400, b"1e9999", b"<!DOCTYPE x>", b";", b"\r\n")


def seeds() -> list[Seed]:
    """Return the messages that are broken."""
    found: list[Seed] = []
    for profile in all_profiles(None, site="Europe/Prague"):
        if isinstance(profile, TomlProfile):
            for case in profile.source.spec.tests:
                raw = base64.b64decode(case.payload_base64) if case.payload_base64 else case.payload.encode()
                found.append((case.topic, raw))
    for path in sorted(VECTORS.glob("*.json")) if VECTORS.is_dir() else []:
        for vector in json.loads(path.read_text("utf-8"))["vectors"]:
            found += [_message(one) for one in [*(vector.get("discovery") or []), vector]]
    return found


def _message(vector: dict[str, str]) -> Seed:
    if vector.get("payload_b64"):
        return vector["topic"], base64.b64decode(vector["payload_b64"])
    return vector["topic"], (vector.get("payload") or "").encode()


def _leaves(node: object, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from _leaves(value, (*at, key))


def _tree(rng: random.Random, payload: bytes) -> bytes:
    """Change a few places of a JSON payload."""
    try:
        tree = json.loads(payload)
    except (ValueError, RecursionError):
        return _bytes(rng, payload)
    places = list(_leaves(tree))
    for _ in range(rng.randint(1, 3)):
        if not places:
            return json.dumps(rng.choice(STRANGE)).encode()
        *way, last = rng.choice(places)
        above = tree
        try:
            for step in way:
                above = above[step]  # type: ignore[index]
            if rng.random() < 0.2:
                del above[last]  # type: ignore[attr-defined]
            else:
                above[last] = copy.deepcopy(rng.choice(STRANGE))  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _bytes(rng: random.Random, payload: bytes) -> bytes:
    """Change, leave out, repeat or add some bytes."""
    raw = bytearray(payload)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(raw) + 1)
        kind = rng.random()
        if kind < 0.4 and at < len(raw):
            raw[at] = rng.randrange(256)
        elif kind < 0.6:
            del raw[at : at + rng.randint(1, 20)]
        elif kind < 0.8:
            raw[at:at] = raw[at : at + rng.randint(1, 50)] * rng.randint(1, 5)
        else:
            raw[at:at] = rng.choice(PIECES)
    return bytes(raw)


def broken(rng: random.Random, found: Sequence[Seed]) -> Message:
    """Return a message with something wrong in it; now and then its topic is another's."""
    topic, payload = rng.choice(found)
    if rng.random() < 0.1:
        topic = rng.choice(found)[0]
    change: Callable[[random.Random, bytes], bytes] = _tree if rng.random() < 0.6 else _bytes
    return Message(topic=topic, payload=change(rng, payload), received=int(NOW.astype(np.int64)))


@dataclass(slots=True)
class Fuzz:
    """What came of broken messages."""

    messages: int = 0
    readings: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: Message | None = None
    wrong: list[str] = field(default_factory=list)


def run(messages: int, seed: int, profiles: Sequence[Profile] | None = None) -> Fuzz:
    """Read so many broken messages; each batch that takes long is read again one by one to time its messages."""
    rng, found, done = random.Random(seed), seeds(), Fuzz()
    reader = Reader(Router(profiles or all_profiles(None, site="Europe/Prague")), bounds=Bounds())

    def read(batch: Sequence[Message]) -> Outcome:
        return reader.read(batch, now=NOW, latest=lambda _series: Readings.empty())

    for start in range(0, messages, BATCH):
        batch = [broken(rng, found) for _ in range(min(BATCH, messages - start))]
        began = time.perf_counter()
        outcome = read(batch)
        if time.perf_counter() - began > HANG_S:
            _time_each(batch, read, done)
        _account(batch, outcome, done)
    return done


def _time_each(batch: Sequence[Message], read: Callable[[Sequence[Message]], Outcome], done: Fuzz) -> None:
    """Time messages one by one, the best of three, by the processor: waiting for it is another process's doing."""
    for message in batch:
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            read([message])
            best = min(best, time.process_time() - began)
            if best < HANG_S / 5:
                break
        if best > done.slowest_s:
            done.slowest_s, done.slowest = best, message
        if best > HANG_S:
            done.wrong.append(f"{best * 1000:.0f} ms: {message.topic} {message.payload[:200]!r}")


def _account(batch: Sequence[Message], outcome: Outcome, done: Fuzz) -> None:
    done.messages += len(batch)
    done.readings += len(outcome.readings)
    done.reasons.update(r.reason for r in outcome.rejects)
    done.reasons.update(i.reason for i in outcome.ignored)
    for reject in outcome.rejects:
        if reject.reason == "internal":
            message = batch[reject.message]
            done.wrong.append(f"crash: {message.topic} {message.payload[:300]!r} {reject.detail}")
    if not np.isfinite(outcome.readings.value).all():
        done.wrong.append("a value that is no number")
    told = set(outcome.message.tolist()) | {r.message for r in outcome.rejects} | {i.message for i in outcome.ignored}
    done.wrong += [f"swallowed: {batch[n].topic}" for n in range(len(batch)) if n not in told]


def main() -> None:
    """Run and print."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    gc.freeze()
    began = time.perf_counter()
    done = run(messages, seed)
    took = time.perf_counter() - began
    print(f"fuzz: {done.messages:,} broken messages in {took:.0f} s, {done.readings:,} readings")
    print(f"slowest that was timed alone: {done.slowest_s * 1000:.1f} ms" if done.slowest else "no batch was slow")
    print(", ".join(f"{reason} {count:,}" for reason, count in done.reasons.most_common(12)))
    for wrong in done.wrong[:20]:
        print(wrong)
    sys.exit(1 if done.wrong else 0)


if __name__ == "__main__":
    main()
