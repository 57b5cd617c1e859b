"""How well consumption is known: shares over a span by point, building and region, with what is wrong beside them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from api.answers import utc_texts
from api.asking import Span
from api.room import Room
from api.snapshot import Mounting
from core.calendar import Period, instant, micros, moment
from core.notes import Rule
from core.readings import Floats
from core.registry import Point
from services.consumption import PointConsumption, Question

GAP_RULES: Final = frozenset({Rule.GAP, Rule.NO_LATER, Rule.BREAK})
COMPLETE: Final = 1e-9


class PointQuality(msgspec.Struct, frozen=True):
    """Shares of a span's time at a point, and what is wrong in it."""

    point: str
    building: str
    commodity: str
    measured: float
    estimated: float
    missing: float
    gaps: int
    open_findings: int
    revisions: int
    last_reading: str | None
    last_reading_age_s: float | None


class GroupQuality(msgspec.Struct, frozen=True):
    """The mean over points of a building (empty: of the region); `lacking` points miss some of the span."""

    building: str
    points: int
    lacking: int
    open_findings: int
    oldest_reading: str | None
    measured: float
    estimated: float
    missing: float


class Quality(msgspec.Struct, frozen=True):
    """Quality over a span by point, building and region."""

    start: str
    end: str
    points: Sequence[PointQuality]
    buildings: Sequence[GroupQuality]
    region: GroupQuality


def shares(part: PointConsumption, span: Span) -> tuple[float, float, float]:
    """Return the measured, estimated and missing share of a span, periods weighted by their time inside it."""
    inside = np.minimum(part.ends, instant(span.end)) - np.maximum(part.starts, instant(span.start))
    weight = np.maximum(inside.astype("timedelta64[us]").astype(np.int64), 0).astype(np.float64)
    if not weight.sum():
        return 0.0, 0.0, 1.0
    measured, estimated = (_mean(values, weight) for values in (part.measured, part.estimated))
    return measured, estimated, max(1.0 - measured - estimated, 0.0)


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.average(values, weights=weight))


def _mountings(room: Room, points: Iterable[Point]) -> list[Mounting]:
    now, ids = room.now(), [point.id for point in points]
    devices = sorted({m.device for key in ids for m in now.meters_of.get(key, ())})
    return now.mountings(ids, room.deps.readings.known(devices) if devices else ())


def last_readings(room: Room, points: Iterable[Point]) -> dict[str, datetime]:
    """Return the instant of each point's newest reading on the meter that is mounted, where there is one."""
    mountings = _mountings(room, points)
    keys = list(dict.fromkeys(m.key for m in mountings))
    if not keys:
        return {}
    newest = room.deps.readings.latest(keys)
    at = {newest.series[c]: t for c, t in zip(newest.code.tolist(), micros(newest.at).tolist(), strict=True)}
    found: dict[str, datetime] = {}
    for m in mountings:
        if m.key in at:
            seen = moment(np.datetime64(at[m.key], "us"))
            seen = seen if m.until is None else min(seen, m.until)
            if seen >= m.since:
                found[m.point] = max(seen, found.get(m.point, seen))
    return found


def count_revisions(room: Room, points: Iterable[Point], span: Span) -> Counter[str]:
    """Return how many readings of each point in a span were replaced by later ones."""
    mountings = _mountings(room, points)
    keys = list(dict.fromkeys(m.key for m in mountings))
    found: Counter[str] = Counter()
    if not keys:
        return found
    former = room.deps.readings.revisions(keys, instant(span.start), instant(span.end))
    by_series = {key: former.at[former.code == i] for i, key in enumerate(former.series)}
    for m in mountings:
        at = by_series.get(m.key)
        if at is not None:
            inside = at >= instant(m.since)
            inside &= True if m.until is None else at < instant(m.until)
            found[m.point] += int(inside.sum())
    return found


def quality(
    room: Room, points: Sequence[Point], span: Span
) -> tuple[list[PointQuality], list[GroupQuality], GroupQuality]:
    """Return the quality of points, of their buildings and of all of them."""
    ids = tuple(p.id for p in points)
    parts = {
        p.point: p
        for p in room.ask(Question(points=ids, period=Period.DAY, start=span.start, end=span.end, zone=room.deps.zone))
    }
    findings = room.deps.records.findings(points=ids, start=span.start, end=span.end) if ids else []
    gaps = Counter(f.point for f in findings if f.finding.rule in GAP_RULES)
    asked = Counter(f.point for f in findings if f.open)
    revised, seen, now = count_revisions(room, points, span), last_readings(room, points), room.deps.clock()
    rows = []
    for point in points:
        part = parts.get(point.id)
        measured, estimated, missing = shares(part, span) if part is not None else (0.0, 0.0, 1.0)
        last = seen.get(point.id)
        rows.append(
            PointQuality(
                point.id, point.building, point.commodity, measured, estimated, missing,
                gaps[point.id], asked[point.id], revised[point.id], _text(last),
                None if last is None else (now - last).total_seconds(),
            )
        )  # fmt: skip
    by_building: dict[str, list[PointQuality]] = defaultdict(list)
    for row in rows:
        by_building[row.building].append(row)
    return rows, [_group(key, members) for key, members in sorted(by_building.items())], _group("", rows)


def _text(at: datetime | None) -> str | None:
    return None if at is None else utc_texts(np.array([instant(at)]))[0]


def _group(building: str, rows: Sequence[PointQuality]) -> GroupQuality:
    count = max(len(rows), 1)
    measured, estimated = (sum(getattr(r, name) for r in rows) / count for name in ("measured", "estimated"))
    return GroupQuality(
        building=building,
        points=len(rows),
        lacking=sum(r.missing > COMPLETE for r in rows),
        open_findings=sum(r.open_findings for r in rows),
        oldest_reading=min((r.last_reading for r in rows if r.last_reading), default=None),
        measured=measured,
        estimated=estimated,
        missing=max(1.0 - measured - estimated, 0.0),
    )
