"""What a method is given and what it makes, and how that becomes a value: units, status, reasons.

A method is named by an indicator and documented in docs/indicators.md. Its version grows with every change that may
change a number, so that a value says which one made it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

import numpy as np

from core.calendar import Longs
from core.errors import InputError
from core.indicators import Amount, Because, Coverage, Part, Scope, Used, Value, ValueStatus
from core.notes import JsonValue
from core.plan import Figure, Indicator
from core.registry import Point
from services.indicator_basis import Basis, Use, rows_known
from services.indicator_span import MILLION, Span

INFORMS: Final = frozenset({
    "points_lack", "no_measures", "not_significant", "no_leaks", "compared", "no_population",
    "population_series_break", "not_normalised", "no_market_factor", "no_loss", "no_reaction", "split",
    "normalised_partly", "peak_gaps", "no_area", "no_users",
})  # fmt: skip
"""Reasons that say more of a value, or why a figure beside the main one lacks, without making it provisional."""

UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "kWh": ("energy", 1.0), "MWh": ("energy", 1e3), "GWh": ("energy", 1e6), "GJ": ("energy", 1000 / 3.6),
    "kg": ("mass", 1.0), "t": ("mass", 1e3), "kg CO2": ("mass", 1.0), "t CO2": ("mass", 1e3),
    "kg CO₂": ("mass", 1.0), "t CO₂": ("mass", 1e3), "kg CO₂e": ("mass", 1.0), "t CO₂e": ("mass", 1e3),
    "m³": ("volume", 1.0), "tis. m³": ("volume", 1e3), "l": ("volume", 1e-3),
    "Kč": ("money", 1.0), "tis. Kč": ("money", 1e3), "mil. Kč": ("money", 1e6),
    "kW": ("power", 1.0), "MW": ("power", 1e3), "%": ("share", 1.0), "": ("count", 1.0), "počet": ("count", 1.0),
    "h": ("time", 1.0), "dny": ("time", 24.0), "K·d": ("cold", 1.0),
    "kWh/m²": ("energy by area", 1.0), "MWh/m²": ("energy by area", 1e3),
    "m³/os.": ("volume by head", 1.0), "l/os.": ("volume by head", 1e-3),
    "kg/os.": ("mass by head", 1.0), "t/os.": ("mass by head", 1e3),
}  # fmt: skip
"""Units in which figures may be written: of what, and how many of the first of them one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a method is asked: an indicator of a scope and a span, on a basis."""

    indicator: Indicator
    scope: Scope
    first: date
    end: date
    basis: Basis

    @property
    def span(self) -> Span:
        """The span as it is known at the cut-off."""
        return self.basis.span(self.first, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a method made: amounts and parts in the method's own units; a figure that is not among them is unknown.

    `judged`: a coverage below the indicator's least makes the value provisional.
    """

    amounts: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    half90: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    coverage: Coverage | None = None
    reasons: tuple[Because, ...] = ()
    used: tuple[Used, ...] = ()
    activities: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    note: str = ""
    final: bool = True
    judged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A documented computation: the figures that it can tell, each with its unit, the first its main one.

    `adds` names the axes along which its main figure adds up: buildings, months. `by_months`: it is told of whole
    months only.
    """

    name: str
    version: int
    figures: Mapping[str, str]
    compute: Callable[[Case], Made]
    adds: frozenset[str] = frozenset()
    by_months: bool = False


def unknown(*reasons: Because, **rest: object) -> Made:
    """Return what says that nothing can be determined, and why."""
    return Made(reasons=reasons, **rest)  # type: ignore[arg-type]


def because(code: str, *subjects: str, **facts: str | float) -> Because:
    """Return a reason."""
    return Because(code=code, facts=facts, subjects=tuple(subjects))


# From millionths to figures


def whole(total: int, divisor: int = 1) -> float:
    """Return a sum of millionths in a unit of so many kWh, m³, kg or Kč, rounded correctly once."""
    return int(total) / (MILLION * divisor)


def by_building(use: Use, atoms: Longs, figure: str, divisor: int) -> list[Part]:
    """Return the parts of a figure by building, from millionths (k, m); buildings that know nothing are None."""
    return _by(use, atoms, figure, "building", [p.building for p in use.points], divisor)


def by_point(use: Use, atoms: Longs, figure: str, divisor: int) -> list[Part]:
    """Return the parts of a figure by metering point."""
    return _by(use, atoms, figure, "point", [p.id for p in use.points], divisor)


def by_carrier(use: Use, atoms: Longs, figure: str, divisor: int) -> list[Part]:
    """Return the parts of a figure by carrier; a point may have several in a span."""
    made: list[Part] = []
    for carrier in use.found.carriers():
        mine = use.found.is_of(carrier)
        known = bool((mine & use.known).any())
        total = int(np.where(mine, atoms, 0).sum())
        made.append(
            Part(figure=figure, kind="carrier", key=carrier.value, value=whole(total, divisor) if known else None)
        )
    return made


def _by(  # noqa: PLR0917 - the parts of one table
    use: Use, atoms: Longs, figure: str, kind: str, keys: Sequence[str], divisor: int
) -> list[Part]:
    totals: dict[str, int] = dict.fromkeys(keys, 0)
    known = dict.fromkeys(keys, False)
    for key, total, there in zip(keys, atoms.sum(axis=1).tolist(), rows_known(use.known), strict=True):
        totals[key] += total
        known[key] |= there
    return [
        Part(figure=figure, kind=kind, key=key, value=whole(totals[key], divisor) if known[key] else None)
        for key in totals
    ]


def share_of(part: float | None, total: float | None) -> float | None:
    """Return a part in per cent of a whole, None where either is not known or the whole is nothing."""
    return None if part is None or not total else 100.0 * part / total


# From what was made to a value


def value_of(case: Case, method: Method, made: Made, now: datetime) -> Value:
    """Return the value that a method's answer is."""
    told = tuple(_amount(figure, method, made) for figure in case.indicator.figures)
    reasons = _reasons(case, made)
    return Value(
        indicator=case.indicator.id,
        scope=case.scope,
        first=case.first,
        end=case.end,
        amounts=told,
        status=_status(case, made, told, reasons),
        method=method.name,
        version=method.version,
        cutoff=case.basis.inputs.cutoff,
        register=case.basis.inputs.version,
        computed_at=now,
        coverage=made.coverage,
        reasons=reasons,
        used=made.used,
        activities=made.activities,
        measures=made.measures,
        parts=_parts(case.indicator, method, made),
        note=made.note,
    )


def scale(figure: Figure, method: Method) -> float:
    """Return what a method's number is multiplied with to be in a figure's unit; raise InputError where it cannot."""
    native = method.figures.get(figure.key)
    if native is None:
        raise InputError(
            f"method {method.name} tells no figure {figure.key!r}", remedy=f"name one of {', '.join(method.figures)}"
        )
    if native == figure.unit:
        return 1.0
    ours, wanted = UNITS.get(native), UNITS.get(figure.unit)
    if ours is None or wanted is None or ours[0] != wanted[0]:
        raise InputError(
            f"figure {figure.key} of method {method.name} is in {native}, not in {figure.unit!r}",
            remedy=f"write {native}, or a multiple of it",
        )
    return ours[1] / wanted[1]


def _amount(figure: Figure, method: Method, made: Made) -> Amount:
    factor, value = scale(figure, method), made.amounts.get(figure.key)
    half = made.half90.get(figure.key)
    if value is None or half is None:
        return Amount(figure=figure.key, value=None if value is None else value * factor)
    low, high = (value - half) * factor, (value + half) * factor
    return Amount(figure=figure.key, value=value * factor, low90=low, high90=high)


def _parts(indicator: Indicator, method: Method, made: Made) -> tuple[Part, ...]:
    factors = {figure.key: scale(figure, method) for figure in indicator.figures}
    return tuple(_scaled(part, factors[part.figure]) for part in made.parts if part.figure in factors)


def _scaled(part: Part, factor: float) -> Part:
    if part.value is None or factor == 1.0:
        return part
    return Part(figure=part.figure, kind=part.kind, key=part.key, value=part.value * factor, facts=part.facts)


def _reasons(case: Case, made: Made) -> tuple[Because, ...]:
    """Return why a value is lacking or provisional, the running period and the coverage told of every value alike."""
    told = list(made.reasons)
    span, coverage = case.span, made.coverage
    if span.running:
        told.insert(0, because("running", until=case.end.isoformat()))
    little = coverage is not None and made.judged and coverage.measured < case.indicator.least_measured
    if coverage is not None and coverage.points and little:
        told.append(
            because(
                "little_measured", *coverage.lacking, measured=coverage.measured, least=case.indicator.least_measured
            )
        )
    elif coverage is not None and coverage.lacking:
        told.append(because("points_lack", *coverage.lacking, points=len(coverage.lacking)))
    return tuple(told)


def _status(case: Case, made: Made, told: Sequence[Amount], reasons: Iterable[Because]) -> ValueStatus:
    if told[0].value is None:
        return ValueStatus.UNKNOWN
    provisional = case.span.running or not made.final or any(r.code not in INFORMS for r in reasons)
    return ValueStatus.PROVISIONAL if provisional else ValueStatus.FINAL


def names(points: Iterable[Point]) -> tuple[str, ...]:
    """Return the ids of points."""
    return tuple(p.id for p in points)


def facts(**values: JsonValue) -> Mapping[str, JsonValue]:
    """Return facts that are known."""
    return {name: value for name, value in values.items() if value is not None}
