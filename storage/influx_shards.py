"""Where lines land in an InfluxDB server, to pass over a log file that a kill or a full disk tore.

Seen on 1.6.7: half an entry stays in the log file of the shard; the next start cuts the file there, but goes on writing
behind the old end, so that what it acknowledges after that is cut off at the start after. A log file that has grown
past 10 MB is closed, and the next one begins clean: so after a failed write the file is filled up first.
"""

from collections.abc import Iterable, Sequence
from typing import Final

FILLER: Final = 8_000_000
"""Random bytes that fill a log file: 10.7 MB as text, which does not compress."""

_WEEK_US: Final = 7 * 86_400 * 1_000_000
"""The shortest shard that servers make by themselves where data is kept for years."""


def places(lines: Iterable[str]) -> set[int]:
    """Return an instant [us] of each week that the lines write to, 0 for lines that the server dates."""
    weeks: dict[int | None, int] = {}
    for line in lines:
        stamp = line.rpartition(" ")[2]
        dated = stamp.removeprefix("-").isdecimal()
        weeks.setdefault(int(stamp) // _WEEK_US if dated else None, int(stamp) if dated else 0)
    return set(weeks.values())


def one_a_shard(at_us: Iterable[int], shards: Sequence[tuple[int, int]]) -> list[int]:
    """Return of the instants one in each shard (begin and end), and all that are in none."""
    chosen: dict[tuple[int, int], int] = {}
    for stamp in at_us:
        shard = next(((begin, end) for begin, end in shards if begin <= stamp < end), (stamp, stamp))
        chosen.setdefault(shard, stamp)
    return sorted(chosen.values())
