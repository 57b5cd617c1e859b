"""How often somebody may ask: a bucket each that fills as time passes. Of one process; what is lost is lost kindly."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

MOST_HELD: Final = 20_000


class Rates:
    """Lets `per_minute` requests of each name through, that many at once after a minute's rest."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> int:
        """Take one of a name's requests; return after how many seconds to ask again where there is none, else 0."""
        now, fill = self._clock(), self._per_minute / 60
        with self._lock:
            left, at = self._held.pop(name, (float(self._per_minute), now))
            left = min(left + (now - at) * fill, float(self._per_minute))
            enough = left >= 1
            self._held[name] = (left - 1 if enough else left, now)
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        return 0 if enough else int((1 - left) / fill) + 1


def place_of(address: str) -> str:
    """Return what an address is counted as: an IPv6 one by its network."""
    try:
        found = ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found) if found.version == 4 else str(found.exploded[:19])  # noqa: PLR2004 - four groups of IPv6
