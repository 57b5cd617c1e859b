"""How well the region is measured: remote reading, completeness, and the leaks that were caught (S1, S2, S3)."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Final

import numpy as np

from core.alerts import LEAVES_IN_PEACE, Alert, AlertFilter, Cause, State, Subject
from core.calendar import Bools
from core.indicators import Part
from core.registry import Point
from services.indicator_basis import ENERGY, WATER, Use
from services.indicator_made import Case, Made, Method, because, share_of, unknown
from services.indicator_span import midnight, month_ends

LEAKS: Final = ("leak", "never_zero", "burst")
"""Rules of alerts that tell of water running away."""
REAL: Final = frozenset(Cause) - LEAVES_IN_PEACE - {Cause.METER, Cause.COMMUNICATION}
"""Causes after which a leak was one."""
DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0


def _remote(case: Case) -> Made:
    """S1: the share of energy that points read from afar used, and of buildings all of whose points are."""
    heard = case.basis.inputs.heard
    use = case.basis.use_in(case.scope, case.first, case.end, (*ENERGY, *WATER))
    if heard is None:
        return unknown(because("no_sources"))
    if not use.points:
        return unknown(because("no_points"))
    if not case.span.begun:
        return unknown(because("not_begun"))
    told = heard(use.points, month_ends(use.span, case.basis.inputs.cutoff)) & (use.span.over_h > 0)
    energy = np.array([p.commodity in ENERGY for p in use.points], bool)
    shares = [_share(use, told, chosen) for chosen in (energy, ~energy)]
    over = use.span.over_h > 0
    whole = {p.id: bool(row[over].all()) for p, row in zip(use.points, told, strict=True)}
    homes = _homes(use.points, whole)
    afar = [key for key, all_of_it in homes.items() if all_of_it]
    reasons = () if shares[0] is not None else (because("no_data"),)
    return Made(
        amounts={
            "consumption": shares[0],
            "water": shares[1],
            "buildings": share_of(float(len(afar)), float(len(homes))),
            "points": share_of(float(sum(whole.values())), float(len(whole))),
        },
        reasons=reasons,
        parts=tuple(
            Part(figure="buildings", kind="building", key=key, value=100.0 / len(homes) if there else 0.0)
            for key, there in homes.items()
        ),
    )


def _share(use: Use, told: Bools, chosen: Bools) -> float | None:
    """Return the share [%] of an amount whose points were read from afar at the end of its month."""
    atoms = np.where(chosen[:, None], use.atoms, 0)
    return share_of(float(np.where(told, atoms, 0).sum()), float(atoms.sum()))


def _homes(points: Sequence[Point], whole: dict[str, bool]) -> dict[str, bool]:
    homes: dict[str, bool] = {}
    for point in points:
        homes[point.building] = homes.get(point.building, True) and whole[point.id]
    return homes


REMOTE: Final = Method(
    name="remote_reading",
    version=1,
    figures=dict.fromkeys(("consumption", "buildings", "points", "water"), "%"),
    compute=_remote,
)


def _completeness(case: Case) -> Made:
    """S2: which share of the time of all points that count is measured, estimated, missing."""
    use = case.basis.use_in(case.scope, case.first, case.end, (*ENERGY, *WATER))
    if not use.points:
        return unknown(because("no_points"))
    if not case.span.begun:
        return unknown(because("not_begun"))
    found = use.coverage()
    shares = {name: 100.0 * getattr(found, name) for name in ("measured", "estimated", "missing")}
    over = float(use.span.over_h.sum()) * len(use.points)
    rows = 1.0 - (use.missing_h + use.estimated_h).sum(axis=1) * len(use.points) / over
    totals: dict[str, float] = {}
    for point, row in zip(use.points, rows.tolist(), strict=True):
        totals[point.building] = totals.get(point.building, 0.0) + 100.0 * row / len(use.points)
    parts = [Part(figure="measured", kind="building", key=key, value=value) for key, value in totals.items()]
    return Made(amounts=shares, coverage=found, parts=tuple(parts), judged=False)


COMPLETENESS: Final = Method(
    name="completeness",
    version=1,
    figures=dict.fromkeys(("measured", "estimated", "missing"), "%"),
    compute=_completeness,
)


# Leaks


def _leaks(case: Case) -> Made:
    """S3: leaks that began to be told of in a span and were none of a false alarm, the answer to them, and the loss."""
    reader = case.basis.inputs.alerts
    if reader is None:
        return unknown(because("no_alerts"))
    found = [a for a in reader.alerts(_asked(case)) if _counts(case, a)]
    reactions = [hours for a in found if (hours := _reaction_h(case, a)) is not None]
    losses = {a.id: _loss(case, a) for a in found if a.unit == "m³"}
    known = [m3 for m3 in losses.values() if m3 is not None]
    lost = {
        "no_leaks": not found,
        "no_reaction": len(reactions) < len(found),
        "no_loss": len(known) < len(found),
    }
    return Made(
        amounts={
            "count": float(len(found)),
            "reaction": float(median(reactions)) if reactions else None,
            "loss": float(sum(known)) if known or not found else None,
        },
        reasons=tuple(because(code) for code, holds in lost.items() if holds),
        parts=tuple(_part(case, a, losses.get(a.id)) for a in found),
    )


def _asked(case: Case) -> AlertFilter:
    zone = case.basis.inputs.zone
    return AlertFilter(
        rules=LEAKS, opened_from=midnight(case.first, zone), opened_to=min(midnight(case.end, zone), _cutoff(case))
    )


def _cutoff(case: Case) -> datetime:
    return case.basis.inputs.cutoff


def _counts(case: Case, alert: Alert) -> bool:
    """Return whether an alert of a scope counts: told in the span, a cause of its own, and no false alarm.

    What ended by itself without a cause counts as long as nobody said otherwise: water ran and stopped.
    """
    zone = case.basis.inputs.zone
    inside = midnight(case.first, zone) <= alert.opened_at < midnight(case.end, zone)
    home = alert.building in {b.id for b in case.basis.buildings_of(case.scope)}
    water = alert.kind is not Subject.POINT or _of_water(case, alert.subject)
    part = bool(alert.part_of) or alert.kind is Subject.SOURCE
    real = alert.state is not State.RESOLVED or alert.cause in REAL
    return inside and home and water and real and not part and alert.opened_at <= _cutoff(case)


def _of_water(case: Case, point: str) -> bool:
    return point in case.basis.points and case.basis.points[point].commodity in WATER


def _reaction_h(case: Case, alert: Alert) -> float | None:
    """Return the hours from the opening of an alert until somebody answered or it ended, None where nobody has."""
    ends = [at for at in (alert.acknowledged_at, alert.ended_at) if at is not None and at <= _cutoff(case)]
    return (min(ends) - alert.opened_at).total_seconds() / HOUR_S if ends else None


def _loss(case: Case, alert: Alert) -> float | None:
    """Return the water lost [m³]: what is lost a day, from when the evidence begins until it ends."""
    if alert.loss_per_day is None:
        return None
    end = min(alert.ended_at or alert.seen_to, alert.seen_to, _cutoff(case))
    return max((end - alert.at_from).total_seconds(), 0.0) / DAY_S * alert.loss_per_day


def _part(case: Case, alert: Alert, loss: float | None) -> Part:
    return Part(
        figure="count",
        kind="alert",
        key=alert.id,
        value=1.0,
        facts={
            "building": alert.building,
            "point": alert.subject,
            "rule": alert.rule,
            "opened": alert.opened_at.isoformat(),
            "reaction_h": _reaction_h(case, alert),
            "loss_m3": loss,
            "cause": alert.cause,
        },
    )


CAUGHT: Final = Method(
    name="leaks_caught",
    version=1,
    figures={"count": "", "reaction": "h", "loss": "m³"},
    compute=_leaks,
    adds=frozenset({"buildings", "months"}),
)
