"""What consumption costs: amounts times dated prices, standing charges, VAT; arrays of points (rows) and months.

Prices are without VAT. NaN is not known, and what is not known is never taken for free.
"""

from dataclasses import dataclass

import numpy as np

from core.calendar import Bools
from core.readings import Floats


def amount_czk(amount: Floats, price_czk: Floats) -> Floats:
    """Return the cost of amounts [kWh or m³] at prices [Kč a unit]; nothing costs nothing at any price."""
    return np.asarray(np.where(amount == 0, 0.0, amount * price_czk))


def standing_czk(price_czk: Floats, months: Floats) -> Floats:
    """Return the standing charge of whole or partial months, by the share of each that a point is there."""
    return np.asarray(price_czk * months)


def vat_czk(cost_czk: Floats, vat_percent: Floats) -> Floats:
    """Return the VAT of costs, NaN where the rate is not known and there is a cost."""
    return np.asarray(np.where(cost_czk == 0, 0.0, cost_czk * vat_percent / 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Costs of parts (rows) in months, added up.

    `total_czk` NaN where a part is not known, `known_czk` the sum of the others, `lacking` which parts are not known
    in a month (the table of parts and months).
    """

    total_czk: Floats
    known_czk: Floats
    lacking: Bools


def bill(parts_czk: Floats) -> Bill:
    """Return the bill of parts (k, m) by month."""
    lacking = np.isnan(parts_czk)
    known = np.where(lacking.all(axis=0), np.nan, np.nansum(parts_czk, axis=0))
    return Bill(total_czk=np.where(lacking.any(axis=0), np.nan, known), known_czk=known, lacking=lacking)
