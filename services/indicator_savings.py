"""What the plan's activities saved: energy, water, costs and emissions of verified savings (E3, E7, W3, G4).

A saving counts through a measure that names an activity of the plan, and through nothing else. What a measure saved is
its baseline less what was used; the baseline holds the weather and the calendar of the time, so that neither makes a
saving. Emissions are of the factor that held before the works began, so that a cleaner grid makes none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics.sharing import together
from core.factors import CARRIER_OF, Basis, Carrier, Factor
from core.indicators import Because, Coverage, Part, Used
from core.plan import Activity
from core.populations import population_of
from core.registry import Commodity, Measure, Point
from core.rollup import NANO
from services.costs import unit_price
from services.indicator_basis import ENERGY, WATER
from services.indicator_basis import Basis as Asked
from services.indicator_made import Case, Made, Method, because, share_of, unknown, whole
from services.indicator_span import MILLION, last_day
from services.measures import once
from services.savings import Month, Savings, Share

MWH: Final = 1000
KNOWN_DAYS: Final = 0.9
"""The share of a measure's days in a span from which on its saving counts as known."""
_NANO_PER_ATOM: Final = NANO // MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a measure saved at a point in a month: `atoms` in millionths of kWh, m³, Kč or kg."""

    measure: Measure
    share: Share
    month: Month
    atoms: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The pieces of a span, and why others are not known; `asked` are the measures that are in effect in it."""

    pieces: tuple[Piece, ...]
    reasons: tuple[Because, ...]
    asked: tuple[Measure, ...]
    coverage: Coverage | None

    @property
    def lost(self) -> bool:
        """Whether nothing is known of any of the measures that are in effect, and something is lacking."""
        return not self.pieces and any(reason.code == "saving_unknown" for reason in self.reasons)


def activities(basis: Asked) -> frozenset[str]:
    """Return the ids of the plan's activities."""
    return basis.once(("activities",), lambda: frozenset(a.id for a in basis.inputs.register.find(Activity)))


def of_the_plan(basis: Asked) -> tuple[Measure, ...]:
    """Return the measures that name an activity of the plan."""
    return tuple(m for m in basis.measures if m.activity in activities(basis))


def plan_shares(basis: Asked) -> tuple[Share, ...]:
    """Return what the plan's measures saved at their points until the cut-off, nothing of it twice."""
    return basis.once(("once",), lambda: tuple(once(_all_shares(basis), basis.points)))


def _all_shares(basis: Asked) -> tuple[Share, ...]:
    """Return the same with what a measure above counts too, so that what is not known is told of each point."""
    return basis.once(("shares",), lambda: _shares(basis))


def _shares(basis: Asked) -> tuple[Share, ...]:
    tagged = of_the_plan(basis)
    concerned = {key for measure in tagged for key in measure.points}
    points = {key: basis.points[key] for key in sorted(concerned) if key in basis.points}
    every = [m for m in basis.measures if concerned & set(m.points)]
    if basis.inputs.baselines is None or not points:
        return ()
    last = last_day(basis.inputs.cutoff, basis.inputs.zone)
    shares = Savings(basis.inputs.baselines).shares(points, every, last)
    names = {m.id for m in tagged}
    return tuple(_in_energy(basis, s) for s in shares if s.measure in names)


def _in_energy(basis: Asked, share: Share) -> Share:
    """Return a share in kWh or m³ of water, its amounts whole millionths; months that cannot be converted are lost."""
    point = basis.points[share.point]
    if point.commodity is not Commodity.GAS or share.unit != "m³":
        return replace(share, months=tuple(_times(month, 1.0) for month in share.months))
    tables, owner = basis.inputs.dated.factors, basis.buildings[point.building].organisation
    rates = [(month, tables.conversion(point, owner, month.month)) for month in share.months]
    months = tuple(_times(month, rate.kwh_per_m3) for month, rate in rates if rate is not None)
    return replace(share, unit="kWh", months=months)


def _times(month: Month, factor: float) -> Month:
    nano = _NANO_PER_ATOM * _atoms(month.saving_nano / NANO * factor)
    names = ("actual", "baseline", "half68", "half90", "so_far_half68", "so_far_half90")
    return replace(month, saving_nano=nano, **{name: getattr(month, name) * factor for name in names})


def _atoms(amount: float) -> int:
    return round(amount * MILLION)


# The pieces of a span


def found_in(case: Case, commodities: Sequence[Commodity]) -> Found:
    """Return what measures of the plan saved in a case's span and scope."""
    basis = case.basis
    inside = {p.id for p in basis.within([p for p in basis.points.values() if p.commodity in commodities], case.scope)}
    over = min(case.end, last_day(basis.inputs.cutoff, basis.inputs.zone) + timedelta(days=1))
    asked = [m for m in of_the_plan(basis) if inside & set(m.points) and _days(m, case.first, over)]
    by_id = {m.id: m for m in asked}
    shares = [s for s in _all_shares(basis) if s.measure in by_id and s.point in inside]
    pieces = [
        Piece(measure=by_id[s.measure], share=s, month=month, atoms=month.saving_nano // _NANO_PER_ATOM)
        for s in plan_shares(basis)
        if s.measure in by_id and s.point in inside
        for month in s.months
        if case.first <= month.month < case.end
    ]
    reasons = [r for s in shares if (r := _lacks(by_id[s.measure], s, case.first, over)) is not None]
    return Found(
        pieces=tuple(pieces),
        reasons=(*reasons, *_strange(case, inside)),
        asked=tuple(asked),
        coverage=_coverage(shares, by_id, case.first, over),
    )


def _days(measure: Measure, first: date, end: date) -> int:
    """Return for how many days of [first, end) a measure is in effect."""
    last = end if measure.ended is None else min(end, measure.ended)
    return max((last - max(first, measure.effective)).days, 0)


def _counted(share: Share, first: date, end: date) -> int:
    return sum(month.days for month in share.months if first <= month.month < end)


def _lacks(measure: Measure, share: Share, first: date, end: date) -> Because | None:
    """Return why a measure's saving at a point is not known for most of its days in a span."""
    wanted, known = _days(measure, first, end), _counted(share, first, end)
    if known >= KNOWN_DAYS * wanted:
        return None
    told = share.reasons[0] if share.reasons else None
    details = {} if told is None else {f"why_{name}": value for name, value in told.facts.items()}
    return Because(
        code="saving_partly" if known else "saving_unknown",
        facts={
            "measure": measure.id,
            "point": share.point,
            "known": known,
            "days": wanted,
            "why": told.code if told is not None else "",
            **details,
        },
        subjects=(measure.id, share.point),
    )


def _strange(case: Case, inside: set[str]) -> list[Because]:
    """Return the measures that name an activity which the plan does not have, so that they do not count."""
    known = activities(case.basis)
    strange = [m for m in case.basis.measures if m.activity and m.activity not in known and inside & set(m.points)]
    return [because("unknown_activity", m.id, measure=m.id, activity=m.activity) for m in strange]


def _coverage(shares: Sequence[Share], measures: dict[str, Measure], first: date, end: date) -> Coverage | None:
    """Return which share of the measures' days counts; None where no measure is in effect."""
    days = [(s, _days(measures[s.measure], first, end), _counted(s, first, end)) for s in shares]
    wanted = sum(of for _, of, _ in days)
    if not wanted:
        return None
    known = sum(min(counted, of) for _, of, counted in days) / wanted
    lacking = dict.fromkeys(s.point for s, of, counted in days if counted < KNOWN_DAYS * of)
    return Coverage(
        measured=known,
        estimated=0.0,
        missing=1.0 - known,
        points=len({s.point for s, _, _ in days}),
        lacking=tuple(lacking),
    )


def half90(pieces: Sequence[Piece]) -> float:
    """Return half the width of the 90 % interval of a sum [its unit]: errors of points go partly together."""
    by_share: dict[tuple[str, str], list[Piece]] = {}
    for piece in pieces:
        by_share.setdefault((piece.share.point, piece.share.measure), []).append(piece)
    by_point: dict[str, float] = {}
    for (point, _), mine in by_share.items():
        wide = min(sum(p.month.half90 for p in mine), mine[-1].month.so_far_half90)
        sizes = np.array([abs(p.month.baseline) for p in mine])
        mean = float(np.average([p.weight for p in mine], weights=sizes if sizes.sum() > 0 else None))
        by_point[point] = by_point.get(point, 0.0) + wide * mean
    return float(together(np.array([[half] for half in by_point.values()]))[0]) if by_point else 0.0


def parts_of(basis: Asked, pieces: Sequence[Piece], figure: str, divisor: int) -> list[Part]:
    """Return a saving by measure, activity, building and carrier; each of them adds up to the whole."""
    keys: dict[str, Callable[[Piece], str]] = {
        "measure": lambda p: p.measure.id,
        "activity": lambda p: p.measure.activity,
        "building": lambda p: basis.points[p.share.point].building,
        "carrier": lambda p: basis.points[p.share.point].commodity,
    }
    made: list[Part] = []
    for kind, key_of in keys.items():
        totals: dict[str, int] = {}
        for piece in pieces:
            totals[key_of(piece)] = totals.get(key_of(piece), 0) + piece.atoms
        made += [Part(figure=figure, kind=kind, key=key, value=whole(n, divisor)) for key, n in totals.items()]
    return made


def told(case: Case, found: Found, pieces: Sequence[Piece], figure: str, divisor: int = 1, *reasons: Because) -> Made:
    """Return a figure of pieces with its interval; 0 where no measure is in effect, unknown where none is known."""
    total = sum(p.atoms for p in pieces)
    half = half90(pieces) / divisor
    informs = () if found.asked else (because("no_measures"),)
    unsure = [because("not_significant")] if pieces and abs(whole(total, divisor)) <= half else []
    return Made(
        amounts={figure: None if found.lost else whole(total, divisor)},
        half90={figure: half} if pieces else {},
        coverage=found.coverage,
        reasons=(*found.reasons, *reasons, *informs, *unsure),
        activities=tuple(sorted({p.measure.activity for p in pieces})),
        measures=tuple(sorted({p.measure.id for p in pieces})),
        parts=tuple(parts_of(case.basis, pieces, figure, divisor)),
    )


def barred(case: Case) -> Because | None:
    """Return why savings cannot be told of a case at all."""
    if not case.span.of_months:
        return because("whole_months_only")
    return because("no_models") if case.basis.inputs.baselines is None and of_the_plan(case.basis) else None


# The methods


def _saved(case: Case, commodities: Sequence[Commodity], divisor: int) -> Made:
    stop = barred(case)
    if stop is not None:
        return unknown(stop)
    found = found_in(case, commodities)
    made = told(case, found, found.pieces, "saved", divisor)
    baseline = _baseline(found.pieces)
    total = whole(sum(p.atoms for p in found.pieces))
    percent = share_of(total, baseline)
    halves = {} if not baseline else {"percent": 100.0 * half90(found.pieces) / baseline}
    amounts = {**made.amounts, "percent": percent, "baseline": baseline / divisor if found.pieces else None}
    return replace(made, amounts=amounts, half90={**made.half90, **halves})


def _baseline(pieces: Sequence[Piece]) -> float:
    """Return what the points of pieces would have used in their months, each point and month once."""
    held: dict[tuple[str, date], float] = {}
    for piece in pieces:
        key = (piece.share.point, piece.month.month)
        held[key] = max(held.get(key, piece.month.baseline), piece.month.baseline)
    return float(sum(held.values()))


def _energy(case: Case) -> Made:
    """E3: energy saved by measures of the plan's activities."""
    return _saved(case, ENERGY, MWH)


def _water(case: Case) -> Made:
    """W3: water saved by measures of the plan's activities."""
    return _saved(case, WATER, 1)


def weighed(pieces: Iterable[Piece], weight: Callable[[Piece], float | None]) -> tuple[list[Piece], list[Piece]]:
    """Return pieces in another unit, as many of it as the weight says, and those whose weight is not known."""
    made: list[Piece] = []
    lost: list[Piece] = []
    for piece in pieces:
        factor = weight(piece)
        if factor is None:
            lost.append(piece)
        else:
            made.append(replace(piece, atoms=_atoms(piece.atoms / MILLION * factor), weight=factor))
    return made, lost


def _costs(case: Case) -> Made:
    """E7: costs that were saved, at the price of one more unit in each month."""
    stop = barred(case)
    if stop is not None:
        return unknown(stop)
    found = found_in(case, (*ENERGY, *WATER))
    used: dict[tuple[str, int], Used] = {}

    def price(piece: Piece) -> float | None:
        point = case.basis.points[piece.share.point]
        owner = case.basis.buildings[point.building].organisation
        one = unit_price(point, owner, piece.month.month, case.basis.inputs.dated.tariffs)
        if one.czk is None or one.unit != piece.share.unit:
            return None
        used.update({(p.id, p.provenance.version): _price(p.id, p.provenance, p.per_unit_czk) for p in one.prices})
        return one.czk

    made, lost = weighed(found.pieces, price)
    if lost:
        points = dict.fromkeys(p.share.point for p in lost)
        return unknown(*found.reasons, because("no_price", *points), coverage=found.coverage)
    return replace(told(case, found, made, "saved_czk"), used=tuple(used.values()))


def _price(key: str, provenance: object, value: float | None) -> Used:
    version, source = getattr(provenance, "version", 1), getattr(provenance, "source", "")
    return Used(kind="price", key=key, version=version, since="", value=value or 0.0, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The emission of one kWh at a point before a measure's works: `kg` None where `code` says why."""

    kg: float | None
    carrier: Carrier
    day: date
    factor: Factor | None = None
    code: str = ""


def factor_before(basis: Asked, measure: Measure, point: Point) -> Held:
    """Return the emission factor of a point on the last day before a measure's works, as a kWh is metered."""
    day = measure.begins - timedelta(days=1)
    tables, owner = basis.inputs.dated.factors, basis.buildings[point.building].organisation
    supply = tables.supply(point, owner, day)
    carrier = CARRIER_OF[point.commodity] if supply is None else supply.carrier
    supplier = "" if supply is None or carrier is Carrier.ELECTRICITY else supply.supplier
    own = tables.factor(carrier, day, supplier=supplier, versions=basis.inputs.versions) if supplier else None
    factor = own or tables.factor(carrier, day, versions=basis.inputs.versions)
    if factor is None:
        return Held(kg=None, carrier=carrier, day=day, code="no_factor")
    if carrier is not Carrier.GAS or factor.basis is not Basis.NET:
        return Held(kg=factor.kg, carrier=carrier, day=day, factor=factor)
    ratio = tables.ratio(point, owner, day)
    if ratio is None:
        return Held(kg=None, carrier=carrier, day=day, factor=factor, code="no_calorific_ratio")
    return Held(kg=factor.kg / ratio.gross_over_net, carrier=carrier, day=day, factor=factor)


def _emissions(case: Case) -> Made:
    """G4: emissions that measures of the plan's activities avoided, and that by inhabitant."""
    stop = barred(case)
    if stop is not None:
        return unknown(stop)
    found = found_in(case, ENERGY)
    held = {
        (p.measure.id, p.share.point): factor_before(case.basis, p.measure, case.basis.points[p.share.point])
        for p in found.pieces
    }
    made, lost = weighed(found.pieces, lambda p: held[p.measure.id, p.share.point].kg)
    if lost:
        return unknown(*found.reasons, *_no_factor(lost, held), coverage=found.coverage)
    people = population_of(case.basis.inputs.dated.populations, case.basis.inputs.dated.place, case.first, case.end)
    answer = told(case, found, made, "reduced", MWH, *([because(people.reason)] if people.reason else []))
    total, heads = answer.amounts["reduced"], people.inhabitants
    each = None if total is None or not heads else total * MWH / heads
    halves = {"per_inhabitant": answer.half90["reduced"] * MWH / heads} if heads and made else {}
    return replace(
        answer,
        amounts={**answer.amounts, "per_inhabitant": each},
        half90={**answer.half90, **halves},
        used=tuple({(u.key, u.version): u for u in map(_used, held.values())}.values()),
    )


def _no_factor(lost: Sequence[Piece], held: dict[tuple[str, str], Held]) -> list[Because]:
    keys = dict.fromkeys((p.measure.id, p.share.point) for p in lost)
    return [
        because(f"{one.code}_before", measure, point, carrier=one.carrier, day=one.day.isoformat(), measure=measure)
        for (measure, point) in keys
        for one in (held[measure, point],)
    ]


def _used(held: Held) -> Used:
    factor = held.factor
    if factor is None:
        raise ValueError("a factor that is not known was used")
    return Used(
        kind="emission_factor",
        key=factor.id,
        version=factor.provenance.version,
        since=factor.valid.since.isoformat(),
        value=factor.kg,
        source=factor.provenance.source,
    )


_ADDS: Final = frozenset({"buildings", "months"})
ENERGY_SAVED: Final = Method(
    name="energy_saved",
    version=1,
    figures={"saved": "MWh", "percent": "%", "baseline": "MWh"},
    compute=_energy,
    adds=_ADDS,
    by_months=True,
)
WATER_SAVED: Final = Method(
    name="water_saved",
    version=1,
    figures={"saved": "m³", "percent": "%", "baseline": "m³"},
    compute=_water,
    adds=_ADDS,
    by_months=True,
)
COSTS_SAVED: Final = Method(
    name="costs_saved", version=1, figures={"saved_czk": "Kč"}, compute=_costs, adds=_ADDS, by_months=True
)
EMISSIONS_REDUCED: Final = Method(
    name="emissions_reduced",
    version=1,
    figures={"reduced": "t", "per_inhabitant": "kg/os."},
    compute=_emissions,
    adds=_ADDS,
    by_months=True,
)
