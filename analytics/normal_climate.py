"""Consumption of a normal climate by the degree-day method: what heats follows the cold, the rest stays.

What does not heat is what is used on days without heating. The rest of the consumption is heating, and in a normal year
it would have been as much more as a normal year is colder (facts of the Covenant of Mayors and Smart Prague use the
same; ČSN EN ISO 15927-6 for the degree days).
"""

from typing import Final

import numpy as np

from core.calendar import Bools
from core.readings import Floats

FEWEST_DAYS: Final = 30
"""Days without heating from which on what does not heat is told from them."""


def base_per_day(amount: Floats, warm: Bools) -> Floats:
    """Return what points use on a day without heating, from `amount` (k, D) and which days are warm (k, D).

    NaN where fewer than FEWEST_DAYS such days are known.
    """
    there = warm & np.isfinite(amount)
    count = there.sum(axis=1)
    total = np.where(there, amount, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(amount), np.nan), where=count >= FEWEST_DAYS))


def heating_share(total: Floats, base: Floats, days: float) -> Floats:
    """Return the share of a total (k,) over so many days that is heating, between 0 and 1; NaN where not known."""
    rest = total - base * days
    share = np.divide(rest, total, out=np.zeros(len(total)), where=total > 0)
    return np.where(np.isfinite(base) & np.isfinite(total), np.clip(share, 0.0, 1.0), np.nan)
