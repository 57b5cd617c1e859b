"""From metered amounts to energy and emissions; arrays of points (rows) and months (columns).

Energy of gas is in kWh of gross calorific value, as it is billed; a factor of net calorific value is applied to gross
kWh / (gross over net). Using it on gross kWh as they are would overstate the CO2 of gas by about 11 %.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import Bools, Longs
from core.readings import Floats

KG_PER_T: Final = 1000.0


def gas_energy_kwh(volume_m3: Floats, kwh_per_m3: Floats) -> Floats:
    """Return the billed kWh (gross calorific value) of metered m³, NaN where the month's conversion is not known."""
    return np.asarray(volume_m3 * kwh_per_m3)


def factor_energy_kwh(energy_kwh: Floats, gross_over_net: Floats, *, net: Bools, gross_metered: bool) -> Floats:
    """Return the kWh that a factor is to be multiplied with.

    `gross_metered`: energy is of gross calorific value (gas). `net`: where the month's factor is of net calorific
    value. Where both are, energy is divided by `gross_over_net` (NaN: not known, and so is the result).
    """
    if not gross_metered:
        return np.asarray(energy_kwh, float)
    return np.asarray(np.where(net, energy_kwh / gross_over_net, energy_kwh))


def emission_kg(amount: Floats, kg_per_unit: Floats) -> Floats:
    """Return the emission of amounts [kWh or m³]; nothing used is no emission whatever the factor, known or not.

    NaN where the amount is not known, is below zero (an export that is not told apart) or its factor is not known.
    """
    emitted = np.where(amount == 0, 0.0, amount * kg_per_unit)
    return np.asarray(np.where(amount < 0, np.nan, emitted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """Months added up to p periods: `total` NaN where a month's value is not known, `known` the sum of the others.

    `lacking` counts the months that are not known. A period of which nothing is known has `known` NaN too.
    """

    total: Floats
    known: Floats
    lacking: Longs


def by_period(monthly: Floats, period: Longs, size: int, *, wanted: Bools | None = None) -> Summed:
    """Add up months: `monthly` (..., m), `period` (m,) the period of each month, -1 for none.

    Where `wanted` is False a month is not expected to have a value and is not lacking.
    """
    inside = period >= 0
    values, place = monthly[..., inside], period[inside]
    expected = np.ones(values.shape, bool) if wanted is None else np.broadcast_to(wanted[..., inside], values.shape)
    there = np.isfinite(values)
    table = (place[:, None] == np.arange(size)).astype(float)
    known = np.where(there, values, 0.0) @ table
    counted = there.astype(float) @ table
    lacking = np.rint((expected & ~there).astype(float) @ table).astype(np.int64)
    known = np.where(counted > 0, known, np.nan)
    return Summed(total=np.where(lacking == 0, known, np.nan), known=known, lacking=lacking)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPower:
    """What became of a building's own generation [kWh]: used there, and let out. NaN where it cannot be told."""

    self_kwh: Floats
    export_kwh: Floats


def own_power(generation_kwh: Floats, export_kwh: Floats) -> OwnPower:
    """Return self-consumption = generation - export.

    An export above the generation by more than rounding contradicts it: neither is known then. Without a measured
    export (NaN) self-consumption is not known, but where nothing was generated.
    """
    used = generation_kwh - export_kwh
    slack = 1e-6 * np.abs(generation_kwh) + 1e-6
    wrong = used < -slack
    used = np.where(wrong, np.nan, np.maximum(used, 0.0))
    none = generation_kwh == 0
    return OwnPower(
        self_kwh=np.where(none & ~np.isfinite(export_kwh), 0.0, used),
        export_kwh=np.where(wrong, np.nan, np.where(none & ~np.isfinite(export_kwh), 0.0, export_kwh)),
    )


def per_head(emitted_kg: float | None, heads: float | None) -> float | None:
    """Return kg a person, None where either is not known or nobody is there."""
    if emitted_kg is None or not heads or not np.isfinite(emitted_kg):
        return None
    return emitted_kg / heads
