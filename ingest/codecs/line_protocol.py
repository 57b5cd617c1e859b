"""InfluxDB line protocol to rows: {"measurement", "tags", "fields", "time"}, one a line."""

from dataclasses import dataclass
from typing import Any, Final

from line_protocol_parser import LineFormatError, parse_line

from core.errors import ConfigError
from ingest.codecs.errors import PayloadError
from ingest.codecs.text import text_of

MOST_LINES: Final = 10_000
MOST_PARTS: Final = 50_000
YEAR_2000_S: Final = 946_684_800
YEAR_2100_S: Final = 4_102_444_800
TICKS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProtocol:
    """Lines of the protocol, whose times are nanoseconds if nothing else is said.

    `precision` is one of s, ms, us, ns, or auto, which tells it by the size: the plausible years 2000 to 2100 lie apart
    in the four. A time outside of them is refused, for it was written in another unit.
    """

    precision: str = "ns"
    encoding: str = ""

    def __post_init__(self) -> None:
        if self.precision not in {*TICKS, "auto"}:
            raise ConfigError(f"precision {self.precision!r} is not known: write one of {', '.join(TICKS)}, auto")

    def parse(self, payload: bytes) -> list[dict[str, Any]]:
        """Return the rows; `time` is the number as sent, None where there is none."""
        text = text_of(payload, self.encoding)
        if text.count("\n") > MOST_LINES or text.count(",") > MOST_PARTS:
            raise PayloadError(f"more than {MOST_LINES} lines or {MOST_PARTS} tags and fields")
        rows = [self._row(line, n) for n, line in enumerate(text.split("\n"), 1) if not _empty(line)]
        if not rows:
            raise PayloadError("no line of the protocol: expected such as energy,meter=1 total=12.5")
        return rows

    def _row(self, line: str, number: int) -> dict[str, Any]:
        place = f"line {number}"
        try:
            row: dict[str, Any] = parse_line(line.strip("\r"))
        except (LineFormatError, ValueError) as err:
            detail = f"{line[:60]!r} is no line of the protocol ({err}): expected measurement,tag=x field=1 time"
            raise PayloadError(detail, place) from err
        time = row["time"]
        if time is not None and not self._plausible(time):
            detail = f"time {time} is not between 2000 and 2100 in {self.precision}: name the precision in the profile"
            raise PayloadError(detail, place)
        return row

    def _plausible(self, time: int) -> bool:
        ticks = TICKS.values() if self.precision == "auto" else [TICKS[self.precision]]
        return any(YEAR_2000_S * t <= time < YEAR_2100_S * t for t in ticks)


def _empty(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
