"""Nothing comes: a meter that is dead, or was silent for a while, against its own rhythm."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, Severity, rounded
from analytics.anomalies.hours import HOUR_US
from core.calendar import Bools, Longs
from core.readings import Floats

BIN_US: Final = 300_000_000
"""Readings of one such span count once: a storm of messages is no rhythm."""
RECENT: Final = 200
MEMORY_US: Final = 60 * 24 * HOUR_US
MOST: Final = 6000
LEAST: Final = 10
SILENCES_LEFT_OUT: Final = 2
MISSED: Final = 2.0
SLACK_US: Final = 45 * 60_000_000
OWN_WORST: Final = 1.25
LONG_US: Final = 24 * HOUR_US


def _looking_back(values: Floats, width: int, share: float, block: int, asked: Bools) -> Floats:
    """Return for each value a quantile of up to `width` values before it, made anew each `block`; NaN with under 10.

    Only in blocks in which one is asked for; NaN in the others.
    """
    at = np.arange(LEAST, len(values), block)
    found = np.full(len(at), np.nan)
    wanted = np.logical_or.reduceat(asked, at) if len(at) else np.empty(0, bool)
    early = wanted & (at < width)
    found[early] = [float(np.quantile(values[:end], share)) for end in at[early]]
    late = wanted & (at >= width)
    if late.any():
        place = round(share * (width - 1))
        windows = np.lib.stride_tricks.sliding_window_view(values, width)[at[late] - width]
        found[late] = np.partition(windows, place, axis=1)[:, place]
    return np.concatenate([np.full(min(LEAST, len(values)), np.nan), np.repeat(found, block)])[: len(values)]


def limits(apart_us: Longs) -> tuple[Floats, Floats]:
    """Return for each distance of readings [µs] what was expected, and the longest that is no silence (NaN: unknown).

    Two expected intervals and three quarters of an hour, or a quarter more than the third longest silence of the last
    60 days: what happens again and again is the point's way. The latter only near distances beyond the former, and at
    the end.
    """
    apart = apart_us.astype(float)
    expected = _looking_back(apart, RECENT, 0.5, 25, np.ones(len(apart), bool))
    limit = MISSED * expected + SLACK_US
    asked = apart > limit
    asked[-1:] = True
    width = int(np.clip(MEMORY_US / max(float(np.median(apart)), 1.0), RECENT, MOST))
    own = _looking_back(apart, width, 1 - SILENCES_LEFT_OUT / width, max(25, width // 40), asked)
    return expected, np.where(np.isnan(limit), np.nan, np.fmax(limit, OWN_WORST * own))


def rhythm(at_us: Longs) -> int | None:
    """Return the usual distance [µs] of the last readings (n ascending instants), None of fewer than two."""
    thin = at_us[-MOST:]
    thin = _thin(thin) if len(thin) else thin
    apart = np.diff(thin)[-RECENT:]
    return int(np.median(apart)) if len(apart) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How far apart readings are expected now, and the longest distance that is no silence [µs]."""

    expected_us: float
    limit_us: float


def rhythm_now(at_us: Longs) -> Rhythm | None:
    """Return by what the silence after the last reading is judged, None of too few. O(n)."""
    if len(at_us) <= LEAST:
        return None
    thin = _thin(at_us)
    expected, limit = limits(np.append(np.diff(thin), 0))
    known = len(thin) > LEAST and np.isfinite(limit[-1])
    return Rhythm(expected_us=float(expected[-1]), limit_us=float(limit[-1])) if known else None


def dead_since(last_us: int, known: Rhythm, now_us: int, unit: str, *, factor: float = 1.0) -> Finding | None:
    """Return the silence since the last reading where it is longer than any that is none."""
    if now_us - last_us <= factor * known.limit_us:
        return None
    return _silence(last_us, None, now_us, (known.expected_us, factor * known.limit_us), unit)


def _thin(at_us: Longs) -> Longs:
    return np.asarray(at_us[np.concatenate([[True], np.diff(at_us // BIN_US) > 0])])


def silences(at_us: Longs, now_us: int, unit: str, *, dead: float = 1.0, gap: float = 1.0) -> list[Finding]:
    """Return the silences of a series of readings (n ascending instants) until now. O(n).

    One that goes on is `dead`, one that ended a `gap`; the two factors multiply the longest that is no silence.
    """
    if len(at_us) <= LEAST:
        return []
    thin = _thin(at_us)
    ends = np.append(thin[1:], max(now_us, int(thin[-1])))
    expected, limit = limits(ends - thin)
    limit *= np.where(np.arange(len(thin)) == len(thin) - 1, dead, gap)
    long = np.flatnonzero((ends - thin) > np.nan_to_num(limit, nan=np.inf))
    open_end = len(thin) - 1
    return [
        _silence(int(thin[i]), None if i == open_end else int(ends[i]), now_us, (expected[i], limit[i]), unit)
        for i in long
    ]


def _silence(since_us: int, until_us: int | None, now_us: int, learnt: tuple[float, float], unit: str) -> Finding:
    expected, limit = learnt
    length = (now_us if until_us is None else until_us) - since_us
    return Finding(
        rule=Rule.DEAD if until_us is None else Rule.GAP,
        from_us=since_us,
        to_us=until_us,
        raised_us=int(since_us + limit),
        severity=Severity.MEDIUM if length > LONG_US or until_us is None else Severity.LOW,
        unit=unit,
        evidence={
            "expected_interval_h": rounded(expected / HOUR_US, 3),
            "allowed_h": rounded(limit / HOUR_US, 3),
            "silent_h": rounded(length / HOUR_US, 2),
        },
    )
