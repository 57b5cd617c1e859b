"""Emissions as rows: what an answer says of each period, with factors, sources and what is lacking."""

from collections.abc import Sequence

import msgspec

from api.reasons import Lacking, Why, lacking, month, why
from api.texts import Language
from core.dated_tables import Provenance
from core.factors import Factor
from services.emission_change import MG_PER_KG, MG_PER_T, CarrierChange, Change, Split, Undetermined
from services.emission_inventory import FactorUse
from services.emissions import Basis, CarrierPeriod, EmissionPeriod, Heads, OwnPeriod

KG_PER_T = 1000.0


class Source(msgspec.Struct, frozen=True):
    """Where a value comes from; `trust` transcribed: look at the original before it is reported."""

    source: str
    status: str
    trust: str
    version: int
    note: str


class FactorRow(msgspec.Struct, frozen=True):
    """A factor: kg (= t per MWh) of `gas` per kWh or m³, by net or gross calorific value."""

    id: str
    version: int
    carrier: str
    kg: float
    per: str
    basis: str
    gas: str
    scheme: str
    supplier: str
    valid_from: str
    valid_to: str | None
    source: Source


class UsedFactor(msgspec.Struct, frozen=True):
    """A factor that was used in the months `from` to `to`, both included."""

    factor: FactorRow
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")


class BasisRow(msgspec.Struct, frozen=True):
    """An emission by location or market [t]: null where something is lacking; `known_t` is what could be determined."""

    emission_t: float | None
    known_t: float | None
    factors: Sequence[UsedFactor]
    lacking: Sequence[Lacking]


class CarrierRow(msgspec.Struct, frozen=True):
    """A carrier in a period; `energy` [kWh, of gas by gross calorific value] or water [m³] is of its known part."""

    carrier: str
    scope: int
    unit: str
    energy: float | None
    location: BasisRow
    market: BasisRow
    measured: float
    estimated: float
    missing: float
    points: int
    lacking: int


class HeadsRow(msgspec.Struct, frozen=True):
    """How many share an emission; null where `reason` says why. `sources` of inhabitants tell the states used."""

    count: float | None
    reason: Why | None
    sources: Sequence[str]
    lacking: Sequence[str]


class PeriodRow(msgspec.Struct, frozen=True):
    """A period's inventory [t]; water stands in `carriers`, in no total. kg a head are by location."""

    start: str
    end: str
    location_t: float | None
    location_known_t: float | None
    market_t: float | None
    market_known_t: float | None
    scopes_t: dict[str, float | None]
    inhabitants: HeadsRow
    users: HeadsRow
    t_per_inhabitant: float | None
    kg_per_inhabitant: float | None
    kg_per_user: float | None
    measured: float
    estimated: float
    missing: float
    carriers: Sequence[CarrierRow]


class OwnRow(msgspec.Struct, frozen=True):
    """Own generation of a period [kWh] and what it avoided [t]: beside the inventory, never in it."""

    start: str
    end: str
    generation_kwh: float | None
    self_consumption_kwh: float | None
    export_kwh: float | None
    self_consumption_share: float | None
    self_sufficiency: float | None
    avoided_self_t: float | None
    avoided_export_t: float | None
    reasons: Sequence[Why]


class SplitRow(msgspec.Struct, frozen=True):
    """A change by cause; parts sum to `change` exactly. A cause without a part has its reason in `reasons`."""

    unit: str
    before: float
    after: float
    change: float
    parts: dict[str, float]
    reasons: dict[str, Why]


class CarrierChangeRow(msgspec.Struct, frozen=True):
    """A carrier's change, or why it cannot be split; `normalised` is the share whose weather part is known."""

    carrier: str
    before_kwh: float | None
    after_kwh: float | None
    split: SplitRow | None
    reason: Why | None
    missing_before: float
    missing_after: float
    normalised: float


class ChangeRow(msgspec.Struct, frozen=True):
    """The change between two spans; `split` adds up the carriers that could be split, null where none could."""

    before_start: str
    before_end: str
    after_start: str
    after_end: str
    whole: bool
    split: SplitRow | None
    split_per_inhabitant: SplitRow | None
    inhabitants_before: float | None
    inhabitants_after: float | None
    carriers: Sequence[CarrierChangeRow]


def tonnes(kg: float | None) -> float | None:
    """Return kilograms as tonnes."""
    return None if kg is None else kg / KG_PER_T


def source_row(found: Provenance) -> Source:
    """Return where a value comes from."""
    return Source(found.source, found.status, found.trust, found.version, found.note)


def factor_row(found: Factor) -> FactorRow:
    """Return a factor as a row."""
    until = found.valid.until
    return FactorRow(
        found.id, found.provenance.version, found.carrier, found.kg, found.per, found.basis, found.gas, found.scheme,
        found.supplier, found.valid.since.isoformat(), None if until is None else until.isoformat(),
        source_row(found.provenance),
    )  # fmt: skip


def _used(found: FactorUse) -> UsedFactor:
    return UsedFactor(factor_row(found.factor), month(found.first), month(found.last))


def _basis(found: Basis, words: Language) -> BasisRow:
    return BasisRow(
        tonnes(found.kg),
        tonnes(found.known_kg),
        [_used(f) for f in found.factors],
        [lacking(lack, words) for lack in found.lacks],
    )


def _carrier(found: CarrierPeriod, words: Language) -> CarrierRow:
    return CarrierRow(
        found.carrier, found.scope, found.unit, found.energy, _basis(found.location, words),
        _basis(found.market, words), found.measured, found.estimated, found.missing, found.points, found.lacking,
    )  # fmt: skip


def _heads(found: Heads, words: Language) -> HeadsRow:
    states = found.made_of.made_of if found.made_of is not None else ()
    told = [f"{p.inhabitants:.0f} ({p.at.isoformat()}): {p.provenance.source}" for p in states]
    return HeadsRow(found.count, why(found.reason, words) if found.reason else None, told, found.lacking)


def period_row(found: EmissionPeriod, words: Language) -> PeriodRow:
    """Return a period as a row."""
    return PeriodRow(
        start=found.first.isoformat(),
        end=found.end.isoformat(),
        location_t=tonnes(found.location_kg),
        location_known_t=tonnes(found.location_known_kg),
        market_t=tonnes(found.market_kg),
        market_known_t=tonnes(found.market_known_kg),
        scopes_t={str(scope): tonnes(kg) for scope, kg in found.scopes_kg.items()},
        inhabitants=_heads(found.inhabitants, words),
        users=_heads(found.users, words),
        t_per_inhabitant=tonnes(found.kg_per_inhabitant),
        kg_per_inhabitant=found.kg_per_inhabitant,
        kg_per_user=found.kg_per_user,
        measured=found.measured,
        estimated=found.estimated,
        missing=found.missing,
        carriers=[_carrier(row, words) for row in found.carriers],
    )


def own_row(found: OwnPeriod, words: Language) -> OwnRow:
    """Return a period's own generation as a row."""
    return OwnRow(
        found.first.isoformat(), found.end.isoformat(), found.generation_kwh, found.self_kwh, found.export_kwh,
        found.self_use, found.self_sufficiency, tonnes(found.avoided_self_kg), tonnes(found.avoided_export_kg),
        [why(code, words) for code in found.reasons],
    )  # fmt: skip


def split_row(found: Split, words: Language) -> SplitRow:
    """Return a split in tonnes, or of one a head in kilograms; every number is whole milligrams."""
    unit, scale = ("kg/os.", MG_PER_KG) if found.per_inhabitant else ("t", MG_PER_T)
    return SplitRow(
        unit=unit,
        before=found.before_mg / scale,
        after=found.after_mg / scale,
        change=found.change_mg / scale,
        parts={cause: part / scale for cause, part in found.parts_mg.items()},
        reasons={cause: why(code, words) for cause, code in found.reasons.items()},
    )


def _carrier_change(found: CarrierChange, words: Language) -> CarrierChangeRow:
    undone = isinstance(found.total, Undetermined)
    return CarrierChangeRow(
        carrier=found.carrier,
        before_kwh=found.before_kwh,
        after_kwh=found.after_kwh,
        split=None if isinstance(found.total, Undetermined) else split_row(found.total, words),
        reason=why(found.total.reason, words) if isinstance(found.total, Undetermined) and undone else None,
        missing_before=found.missing_before,
        missing_after=found.missing_after,
        normalised=found.normalised,
    )


def change_row(found: Change, words: Language) -> ChangeRow:
    """Return a change as a row."""
    split_any = any(isinstance(c.total, Split) for c in found.carriers)
    return ChangeRow(
        before_start=found.before[0].isoformat(),
        before_end=found.before[1].isoformat(),
        after_start=found.after[0].isoformat(),
        after_end=found.after[1].isoformat(),
        whole=found.whole,
        split=split_row(found.total, words) if split_any else None,
        split_per_inhabitant=None if found.each is None else split_row(found.each, words),
        inhabitants_before=found.inhabitants[0],
        inhabitants_after=found.inhabitants[1],
        carriers=[_carrier_change(row, words) for row in found.carriers],
    )
