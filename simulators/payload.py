"""Odečet's own MQTT payload, written apart from ingest's reader so that neither hides the other's mistakes.

One reading goes to `odecet/METER` as `{"meter", "at", "value", "unit", "register"}`, a batch of readings of any meters
to `odecet/batch` as `{"readings": [...]}`. `at` is ISO 8601 in UTC, `value` the dial in `unit` as the meter shows it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import Instants
from core.readings import Floats

TOPIC: Final = "odecet"
BATCH_TOPIC: Final = f"{TOPIC}/batch"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish: `readings` tells how many it holds, `cursor` where a resumed run goes on after it."""

    topic: str
    payload: bytes
    readings: int = 1
    cursor: str = ""


def topic_of(meter: str) -> str:
    """Return the topic of a meter's single readings; what MQTT reserves becomes an underscore there."""
    return f"{TOPIC}/{''.join('_' if letter in '+#/' or ord(letter) < ord(' ') else letter for letter in meter)}"


def iso_utc(at: Instants) -> list[str]:
    """Return instants as 2026-01-31T11:00:00Z, with microseconds only where there are some."""
    whole = np.datetime_as_string(at.astype("datetime64[s]"))
    exact = np.datetime_as_string(at)
    fraction = at.astype(np.int64) % 1_000_000 != 0
    return [f"{text}Z" for text in np.where(fraction, exact, whole).tolist()]


def _number(value: float) -> str:
    """Return the shortest text that reads back as the same number; whole ones without a fraction."""
    whole = int(value)
    return str(whole) if whole == value and abs(whole) < 1 << 53 else repr(value)


def encoded(
    meters: Sequence[str], registers: Sequence[str], units: Sequence[str], at: Instants, value: Floats
) -> list[str]:
    """Return each reading as a JSON object."""
    said = {name: json.dumps(name, ensure_ascii=False) for name in {*meters, *registers, *units}}
    return [
        f'{{"meter":{said[m]},"at":"{t}","value":{_number(v)},"unit":{said[u]},"register":{said[r]}}}'
        for m, r, u, t, v in zip(meters, registers, units, iso_utc(at), value.tolist(), strict=True)
    ]


def messages(
    meters: Sequence[str], objects: Sequence[str], *, per_message: int, cursors: Sequence[str] = ()
) -> Iterator[Message]:
    """Yield messages of `per_message` readings in their order; 1 makes single readings on the meter's own topic.

    `cursors` holds, for each reading, where to go on after it; empty for none.
    """
    for first in range(0, len(objects), per_message):
        last = min(first + per_message, len(objects)) - 1
        cursor = cursors[last] if cursors else ""
        if per_message == 1:
            yield Message(topic_of(meters[first]), objects[first].encode(), 1, cursor)
        else:
            body = '{"readings":[' + ",".join(objects[first : last + 1]) + "]}"
            yield Message(BATCH_TOPIC, body.encode(), last + 1 - first, cursor)
