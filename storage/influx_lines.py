"""Line protocol and InfluxQL as text: names that survive every server, numbers that round-trip. Pure.

Source: InfluxDB line protocol reference. It has no escape for a backslash or a line break in a tag and no empty tag
value, so those are written in per cent form (and the per cent sign itself), the way web addresses do.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np

from core.calendar import Longs, micros
from core.readings import Readings, SeriesKey
from core.rollup import ROLLUP_ARRAYS, ROLLUP_INSTANTS, RollUp

BASIS: Final = tuple(name for name in ROLLUP_ARRAYS if name not in {"code", "start", "nano"})
"""What a period's `basis` holds, in this order."""

EMPTY: Final = "%"

_NONE: Final = int(np.iinfo(np.int64).min)
_UNSAFE: Final = re.compile(r"[\x00-\x1f%\\\x7f\x85\u2028\u2029]")
_ENCODED: Final = re.compile(r"(?:%[0-9A-F]{2})+")
_TAG: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})


class Origin(NamedTuple):
    """What readings of one profile have in common; a reading refers to it by a number.

    Four columns in one: a server takes twice as many readings a second with three fields as with six.
    """

    kind: int
    quality: int
    span_s: int
    source: str

    @property
    def number(self) -> int:
        """63 bits of a hash: the same in every process without asking."""
        digest = blake2b(repr(tuple(self)).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1


WITHDRAWN: Final = Origin(kind=255, quality=0, span_s=0, source="")
"""The origin of a point that stands where a reading was taken out: servers cannot delete one point, or not at all."""


def encode(name: str) -> str:
    """Return a name as it is stored; `decode` gives it back."""
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), name) or EMPTY


def decode(stored: str) -> str:
    """Return the name of a stored one."""
    if stored == EMPTY:
        return ""
    return _ENCODED.sub(lambda m: bytes.fromhex(m[0].replace("%", "")).decode(), stored)


@lru_cache(maxsize=65_536)
def head(measurement: str, key: SeriesKey) -> str:
    """Return the begin of a line: measurement and the tags of a series."""
    meter, register = (encode(part).translate(_TAG) for part in key)
    return f"{measurement},meter={meter},register={register}"


def quoted(name: str) -> str:
    """Return a name as a string of InfluxQL."""
    return "'" + encode(name).replace("'", r"\'") + "'"


def condition(keys: Iterable[SeriesKey]) -> str:
    """Return a condition of InfluxQL that chooses these series."""
    meters: dict[str, list[str]] = {}
    for key in keys:
        meters.setdefault(key.register, []).append(key.meter)
    parts = (
        f"(register = {quoted(register)} AND ({' OR '.join(f'meter = {quoted(m)}' for m in names)}))"
        for register, names in meters.items()
    )
    return f"({' OR '.join(parts)})"


def reading_lines(readings: Readings, origins: Longs) -> list[str]:
    """Return a line a reading; `origins` are the numbers of the origins of each."""
    heads = [f"{head('reading', key)} value=" for key in readings.series]
    columns = (readings.value, micros(readings.received), origins, micros(readings.at))
    return [
        f"{heads[code]}{value!r},received={received}i,origin={origin}i {at}"
        for code, value, received, origin, at in zip(
            readings.code.tolist(), *(column.tolist() for column in columns), strict=True
        )
    ]


def revision_lines(
    revisions: Readings, origins: Longs, slots: Sequence[int], measurement: str = "revision"
) -> list[str]:
    """Return a line a revision; slots tell several of one instant apart."""
    lines = reading_lines(revisions, origins)
    keys = [f"{head(measurement, revisions.series[c])},slot={s}" for c, s in zip(revisions.code, slots, strict=True)]
    return [f"{key} {line[line.index(' value=') + 1 :]}" for key, line in zip(keys, lines, strict=True)]


def origin_line(origin: Origin) -> str:
    """Return the line that tells what an origin's number means."""
    source = encode(origin.source).replace('"', r"\"")
    fields = f'kind={origin.kind}i,quality={origin.quality}i,span_s={origin.span_s}i,source="{source}"'
    return f"origin,id={origin.number} {fields} 0"


def touched_line(key: SeriesKey, first_us: int, last_us: int) -> str:
    """Return the line that tells of a written range; the server dates it, so that all writers share a clock."""
    return f"{head('touched', key)} first={first_us}i,last={last_us}i"


def rollup_lines(measurement: str, rollup: RollUp) -> list[str]:
    """Return a line a period: `nano`, and the rest as one text of numbers, an instant that is none left empty.

    Two fields for eight: a server takes and gives twice as many a second; dashboards want `nano`.
    """
    heads = [f"{head(measurement, key)} " for key in rollup.series]
    shape = 'nano=%di,basis="' + ";".join(["%s"] * len(BASIS)) + '" %d'
    columns = [rollup.nano.tolist(), *(_texts(rollup, name) for name in BASIS), micros(rollup.start).tolist()]
    rows = zip(*columns, strict=True)
    return [heads[code] + shape % row for code, row in zip(rollup.code.tolist(), rows, strict=True)]


def _texts(rollup: RollUp, name: str) -> list[int | str]:
    column = getattr(rollup, name)
    if name not in ROLLUP_INSTANTS:
        return list(column.tolist())
    return ["" if stamp == _NONE else stamp for stamp in micros(column).tolist()]
