"""History in bulk: what all meters sent in years, month by month, resumable at any month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from core.calendar import Instants
from core.errors import InputError
from core.readings import Readings
from simulators.meter import Stream, as_readings
from simulators.plan import PlannedMeter, sent_in

DIALS_A_BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBatch:
    """A month of some meters; `cursor` given back to `history` goes on after it, `done` of `total` batches."""

    streams: tuple[Stream, ...]
    cursor: str
    done: int
    total: int

    @property
    def readings(self) -> Readings:
        """The batch as a store keeps it, canonical, received when it was sent."""
        return as_readings(self.streams)


def months(start: np.datetime64, end: np.datetime64, *, fine_since: np.datetime64 | None = None) -> Instants:
    """Return start, the UTC months' begins between, `fine_since` if it lies between, and end."""
    inner = np.arange(start.astype("datetime64[M]") + 1, end.astype("datetime64[M]") + 1).astype("datetime64[us]")
    cuts = [start, end, *inner[(inner > start) & (inner < end)]]
    if fine_since is not None and start < fine_since < end:
        cuts.append(fine_since)
    return np.unique(np.array(cuts, "datetime64[us]"))


def _resumed(cursor: str, total: int) -> int:
    """Return the number of batches that are done by the cursor."""
    if not cursor:
        return 0
    done, _, of = cursor.partition("/")
    if not (done.isdigit() and of == str(total) and int(done) <= total):
        raise InputError(f"cursor {cursor!r} is of another history", remedy="start anew without it")
    return int(done)


def history(
    plans: Sequence[PlannedMeter],
    start: np.datetime64,
    end: np.datetime64,
    *,
    fine_since: np.datetime64 | None = None,
    coarse_s: int = 3600,
    cursor: str = "",
) -> Iterator[HistoryBatch]:
    """Yield all that these meters send in [start, end), month by month.

    Before `fine_since` a meter is read no oftener than each `coarse_s` (None: as often as it is). The same arguments
    give the same batches, so a `cursor` of one goes on where it stood; one of other arguments raises InputError.
    """
    cuts = months(start, end, fine_since=fine_since)
    groups = range(0, len(plans), DIALS_A_BATCH)
    work = [(a, b, g) for a, b in pairwise(cuts) for g in groups]
    for number in range(_resumed(cursor, len(work)), len(work)):
        since, until, group = work[number]
        every_s = coarse_s if fine_since is not None and since < fine_since else 0
        streams = tuple(sent_in(one, since, until, every_s=every_s) for one in plans[group : group + DIALS_A_BATCH])
        done = number + 1
        yield HistoryBatch(streams=streams, cursor=f"{done}/{len(work)}", done=done, total=len(work))
