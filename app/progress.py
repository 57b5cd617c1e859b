"""Progress of long work on standard error: a line that is rewritten on a terminal, now and then a new one elsewhere."""

import sys
import time
from typing import TextIO

EVERY_S = 0.2
EVERY_S_IN_LOGS = 10.0


class Progress:
    """Tells how much of a work is done; call it with (done, total)."""

    def __init__(self, what: str, out: TextIO = sys.stderr) -> None:
        self._what = what
        self._out = out
        self._rewrites = out.isatty()
        self._told_s = float("-inf")
        self._ended = False

    def __call__(self, done: int, total: int) -> None:
        """Tell, not too often; the end is always told."""
        ended = total > 0 and done >= total
        every_s = EVERY_S if self._rewrites else EVERY_S_IN_LOGS
        if self._ended or (time.monotonic() - self._told_s < every_s and not ended):
            return
        self._told_s, self._ended = time.monotonic(), ended
        share = f"{100 * done // total:3d} %" if total else ""
        line = f"{self._what}: {done:,} of {total:,} {share}".replace(",", " ")
        self._out.write(f"\r{line}\x1b[K" + "\n" * ended if self._rewrites else f"{line}\n")
        self._out.flush()
