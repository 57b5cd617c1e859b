"""One cause, one alert: silent sources, parents and their sub-meters, planned outages, quiet hours, severity by loss.

All pure: facts and instants in, decisions with named reasons out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from core.alerts import Detection, Severity, Subject
from core.sending import Quiet, Window, WindowScope

SOURCE_SILENT: Final = "source_silent"
"""The rule of the one detection that stands for all meters behind a silent source."""
SILENCE: Final = frozenset({"dead", "gap"})
"""Rules of a meter from which nothing comes: what a silent source explains."""
MISSED: Final = 2.0
"""Expected distances of readings after which a meter is overdue."""
PATIENCE: Final = timedelta(minutes=30)
"""Added to it: no source is called silent earlier; a detector of dead meters waits longer (an hour)."""
FEWEST: Final = 3
"""Fewest meters of a source that must have fallen silent together; fewer are told one by one."""
EXPLAINED: Final = 0.5
"""Share of a point's loss that its sub-meters must have, so that theirs is the cause of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a subject stands: its building, the points above it (nearest first) and what it is heard through.

    `above` names parents and virtual points that count it. `sources` go from the widest (the broker) to the narrowest.
    """

    building: str = ""
    above: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a subject was heard last, and how far its readings are expected to be apart."""

    subject: str
    last: datetime
    expected: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source from which nothing came since an instant, and the subjects that fell silent with it."""

    source: str
    since: datetime
    subjects: tuple[str, ...]


def silent_sources(heard: Iterable[Heard], places: Mapping[str, Place], now: datetime) -> list[Silence]:
    """Return the sources that are silent, the widest first; what a wider one explains is not told of a narrower.

    A source is silent since the last that came through it, if at least FEWEST of its subjects were on time then and
    are overdue now, and none came since. Those that were dead before prove nothing, nor do those not yet due. A
    narrower one is judged only once a wider one was heard without it: else the wider one may be what is silent.
    """
    behind: dict[str, list[Heard]] = defaultdict(list)
    wider: dict[str, set[str]] = defaultdict(set)
    for one in heard:
        chain = places.get(one.subject, Place()).sources
        for level, source in enumerate(chain):
            behind[source].append(one)
            wider[source].update(chain[:level])
    explained: set[str] = set()
    found = []
    last = {source: max(h.last for h in some) for source, some in behind.items()}
    for source in sorted(behind, key=lambda s: (len(wider[s]), s)):
        others = [last[w] for w in wider[source]]
        silence = _silence(source, [h for h in behind[source] if h.subject not in explained], others, now)
        if silence is not None:
            explained.update(silence.subjects)
            found.append(silence)
    return found


def _silence(source: str, heard: Sequence[Heard], wider: Sequence[datetime], now: datetime) -> Silence | None:
    since = max((h.last for h in heard), default=now)
    on_time = [h for h in heard if since - h.last <= MISSED * h.expected]
    overdue = [h for h in on_time if now - since > MISSED * h.expected + PATIENCE]
    if len(overdue) < FEWEST or any(at <= since + MISSED * min(h.expected for h in overdue) for at in wider):
        return None
    return Silence(source=source, since=since, subjects=tuple(sorted(h.subject for h in on_time)))


def grouped(
    detections: Sequence[Detection], silences: Sequence[Silence], places: Mapping[str, Place], now: datetime
) -> list[Detection]:
    """Return one detection a cause: a silent source for its meters, a sub-meter for the points above it."""
    return _one_a_family([*_without_silent(detections, silences), *(_of_silence(s, now) for s in silences)], places)


def _of_silence(silence: Silence, now: datetime) -> Detection:
    return Detection(
        subject=silence.source,
        kind=Subject.SOURCE,
        rule=SOURCE_SILENT,
        at_from=silence.since,
        at_to=now,
        found_at=now,
        severity=Severity.HIGH,
        evidence={"meters": len(silence.subjects), "last_message": silence.since.isoformat()},
        check=f"check.{SOURCE_SILENT}",
        covers=silence.subjects,
    )


def _without_silent(detections: Iterable[Detection], silences: Iterable[Silence]) -> list[Detection]:
    explained = {subject for silence in silences for subject in silence.subjects}
    return [d for d in detections if not (d.going_on and d.rule in SILENCE and d.subject in explained)]


def _one_a_family(detections: Sequence[Detection], places: Mapping[str, Place]) -> list[Detection]:
    """Return the detections without those of points whose loss is that of points below them."""
    by_key = {(d.rule, d.subject): d for d in detections}
    below: dict[tuple[str, str], list[Detection]] = defaultdict(list)
    for one in detections:
        for point in places.get(one.subject, Place()).above:
            below[one.rule, point].append(one)
    heads: dict[tuple[str, str], str] = {}
    for key, under in below.items():
        whole = by_key.get(key)
        together = [d for d in under if whole is not None and _same_loss(whole, d)]
        if whole is not None and _explain(whole, _lowest(together, places)):
            heads[key] = max(together, key=lambda part: _rank(part, places)).subject
    covers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for rule, point in heads:
        covers[rule, _last_head(heads, rule, point)].append(point)
    return [
        replace(d, covers=tuple(sorted({*d.covers, *covers[d.rule, d.subject]})))
        for d in detections
        if (d.rule, d.subject) not in heads
    ]


def _same_loss(whole: Detection, part: Detection) -> bool:
    """Return whether both have a loss in one unit over spans that touch."""
    known = bool(whole.loss_per_day) and bool(part.loss_per_day) and whole.unit == part.unit
    return known and whole.going_on == part.going_on and whole.at_from <= part.at_to and part.at_from <= whole.at_to


def _lowest(parts: Sequence[Detection], places: Mapping[str, Place]) -> list[Detection]:
    """Return those that no other of them is counted in, so that nothing is added twice."""
    above = {point for part in parts for point in places.get(part.subject, Place()).above}
    return [part for part in parts if part.subject not in above]


def _explain(whole: Detection, parts: Sequence[Detection]) -> bool:
    return bool(parts) and sum(p.loss_per_day or 0.0 for p in parts) >= EXPLAINED * (whole.loss_per_day or 0.0)


def _rank(part: Detection, places: Mapping[str, Place]) -> tuple[int, float, str]:
    """Return what orders parts: depth, then loss."""
    return len(places.get(part.subject, Place()).above), part.loss_per_day or 0.0, part.subject


def _last_head(heads: Mapping[tuple[str, str], str], rule: str, point: str) -> str:
    """Return the lowest point that stands for another; each head is below what it stands for, so this ends."""
    seen: set[str] = set()
    while (rule, point) in heads and point not in seen:
        seen.add(point)
        point = heads[rule, point]
    return point


MOST_IN_A_ROW: Final = 30
"""Quiet spans that may follow each other; more mean that there is no other time at all."""


class Hold(StrEnum):
    """Why a fault is not told, or not yet."""

    PLANNED = "planned"  # it began while works were announced, and they go on
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Whether a fault is held back, why, by which window and until when."""

    why: Hold = Hold.NONE
    window: str = ""
    until: datetime | None = None


SETTLING: Final = timedelta(hours=2)
"""Time after the end of announced works in which things start again."""


def held(found: Detection, place: Place, windows: Iterable[Window], now: datetime) -> Held:
    """Return whether a fault is held back by announced works; one that outlasts them (and SETTLING) is told."""
    for window in sorted(windows, key=lambda w: w.end, reverse=True):
        expected = window.start <= found.at_from < window.end + SETTLING or found.at_from < window.start <= found.at_to
        running = window.start <= now < window.end + SETTLING
        if expected and running and _concerns(window, found, place):
            return Held(why=Hold.PLANNED, window=window.id, until=window.end + SETTLING)
    return Held()


def _concerns(window: Window, found: Detection, place: Place) -> bool:
    if window.rules and found.rule not in window.rules:
        return False
    return {
        WindowScope.ALL: True,
        WindowScope.BUILDING: place.building == window.key,
        WindowScope.POINT: window.key in {found.subject, *place.above},
        WindowScope.SOURCE: window.key in {found.subject, *place.sources},
    }[window.scope]


def quiet_until(hours: Sequence[Quiet], severity: Severity, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the end of the quiet hours that an instant falls into (UTC), None where it falls into none.

    Hours are those of the local clock: a night of the change of the clock is an hour shorter or longer. Hours that
    follow each other without a pause end together; None too where they would never end.
    """
    binding = [q for q in hours if not q.except_from or severity.rank < Severity(q.except_from).rank]
    end = at
    for _ in range(MOST_IN_A_ROW):
        spans = [span for quiet in binding for span in _nights(quiet, end, zone)]
        later = max((until for begin, until in spans if begin <= end < until), default=None)
        if later is None:
            return None if end == at else end
        end = later
    return None


def _nights(quiet: Quiet, at: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return the quiet spans that begin on the local day of an instant or the one before."""
    today = at.astimezone(zone).date()
    begins = [day for day in (today - timedelta(days=1), today) if day.weekday() in quiet.days]
    over_midnight = timedelta(days=1 if quiet.end < quiet.begin else 0)
    return [(_utc(day, quiet.begin, zone), _utc(day + over_midnight, quiet.end, zone)) for day in begins]


def _utc(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLimits:
    """From which loss an alert is of medium and of high severity [Kč a day]."""

    medium_czk_per_day: float = 100.0
    high_czk_per_day: float = 1000.0


def weighed(found: Detection, limits: LossLimits) -> Detection:
    """Return the detection with the severity of its loss, or the one that its detector gives it where that is more."""
    czk = found.loss_czk_per_day
    if czk is None:
        return found
    by_loss = (
        Severity.HIGH
        if czk >= limits.high_czk_per_day
        else Severity.MEDIUM
        if czk >= limits.medium_czk_per_day
        else Severity.LOW
    )
    return replace(found, severity=max(by_loss, found.severity, key=lambda s: s.rank))
