"""What the columns of a table seem to mean. A proposal: a person confirms it, and what nothing tells stays open."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from core.errors import UnitError
from core.reading_tables import Amount, Layout, Means, Stamp, TableMapping, ValueColumn
from core.units import Quantity, unit
from ingest.reading_tables_file import Grid, is_date
from ingest.reading_tables_headings import Role, plain, role_of, says_amount, says_dial, taken_apart
from ingest.reading_tables_numbers import numbers
from ingest.reading_tables_periods import walls
from ingest.reading_tables_times import DAY_US, moments
from ingest.tables_xlsx import Value

_CHANNEL_HEADING: Final = re.compile(r"\s*[+-]\s?[AR][ivc]?\s*[/ ].*")
"""ČEZ PND names a channel and a device, `+A/12345 [kW]`, and stamps the ends of its quarter-hours."""
POWERS: Final = {Quantity.POWER, Quantity.REACTIVE_POWER}
KNOWN_STATUSES: Final[Mapping[str, Means]] = {
    "namerena data ok": Means.GOOD,
    "namerena hodnota": Means.GOOD,
    "namereno": Means.GOOD,
    "ok": Means.GOOD,
    "platna": Means.GOOD,
    "platny": Means.GOOD,
    "mereno": Means.GOOD,
    "valid": Means.GOOD,
    "32": Means.GOOD,
    "nahradni hodnota": Means.SUSPECT,
    "nahradni data": Means.SUSPECT,
    "odhad": Means.SUSPECT,
    "odhadnuta hodnota": Means.SUSPECT,
    "estimated": Means.SUSPECT,
    "neznama hodnota": Means.SKIP,
    "nenamerena data": Means.SKIP,
    "chybi": Means.SKIP,
    "chybejici hodnota": Means.SKIP,
    "n a": Means.SKIP,
    "64": Means.SKIP,
    "missing": Means.SKIP,
    "invalid": Means.SKIP,
    "neplatna": Means.SKIP,
}
"""What distributors' words for the state of a value mean, by the words without case and accents."""


def means(status: str, said: Mapping[str, Means]) -> Means | None:
    """Return what a status means, as said for this table or as it is known; None for another word."""
    return said.get(status) or KNOWN_STATUSES.get(plain(status))


def propose(grid: Grid, zone: str) -> TableMapping:
    """Return what the columns of a grid seem to mean."""
    roles = _roles(grid)
    by_role = {role: heading for heading, role in reversed(roles.items())}
    time, period = by_role.get(Role.TIME, ""), by_role.get(Role.PERIOD, "")
    start, end = by_role.get(Role.START, ""), by_role.get(Role.END, "")
    invoiced = not time and bool((start and end) or period)
    subject = by_role.get(Role.SUBJECT, "")
    values = _values(grid, roles, own_subject=not subject)
    layout = _layout(values, by_role.get(Role.UNIT, ""), grid, invoiced=invoiced)
    amount = _amount(layout, values, [h for h, role in roles.items() if role is not Role.NOTE])
    stamp = (
        _stamp(grid, time, by_role.get(Role.CLOCK, ""), values)
        if layout is Layout.PROFILE or amount is not Amount.DIAL
        else None
    )
    return TableMapping(
        sheet=grid.name,
        layout=layout,
        subject=subject,
        time=time,
        clock=by_role.get(Role.CLOCK, "") if time else "",
        values=values,
        status="" if any(v.status for v in values) else by_role.get(Role.STATUS, ""),
        price=by_role.get(Role.PRICE, ""),
        amount=amount,
        stamp=stamp,
        zone=zone,
        manual=amount is Amount.DIAL and _by_hand(grid, time),
        start=start if invoiced else "",
        end=end if invoiced else "",
        period=period if invoiced and not (start and end) else "",
        unit=by_role.get(Role.UNIT, ""),
        register=by_role.get(Role.REGISTER, ""),
        document=by_role.get(Role.DOCUMENT, ""),
        document_kind=by_role.get(Role.DOCUMENT_KIND, "") if invoiced else "",
    )


def _roles(grid: Grid) -> dict[str, Role]:
    """Return the role of each column; of two times the one with dates is the date, and a period of numbers is none."""
    roles = {heading: role_of(heading) for heading in grid.columns}
    for heading, role in roles.items():
        if role is Role.VALUE and not is_numeric(grid, heading):
            units = Role.UNIT if _of_units(grid, heading) else Role.NOTE
            roles[heading] = Role.TIME if _dated(grid, heading) else units
    times = [h for h, role in roles.items() if role in {Role.TIME, Role.CLOCK}]
    dated = [h for h in times if _dated(grid, h)]
    for heading in times:
        roles[heading] = Role.TIME if heading in dated else Role.CLOCK
    if not dated and times and Role.PERIOD not in roles.values():
        roles[times[0]] = Role.TIME
    for heading in dated[1:]:
        roles[heading] = Role.NOTE
    if dated and Role.START in roles.values() and Role.END in roles.values():
        roles[dated[0]] = Role.NOTE  # the day on which an invoice was made out
    return _lone_ends(roles)


def _lone_ends(roles: dict[str, Role]) -> dict[str, Role]:
    """Take a lone column `from` or `to` for the time."""
    found = list(roles.values())
    for heading, role in roles.items():
        lone = role in {Role.START, Role.END} and not {Role.START, Role.END} <= set(found)
        if lone and Role.TIME not in found:
            roles[heading] = Role.TIME
    return roles


def _sample(grid: Grid, heading: str) -> Sequence[Value]:
    cells = grid.column(heading)
    return [c for c in cells[:2000] if c is not None][:200]


def _dated(grid: Grid, heading: str) -> bool:
    sample = _sample(grid, heading)
    return bool(sample) and sum(map(is_date, sample)) * 2 > len(sample)


def _of_units(grid: Grid, heading: str) -> bool:
    """Return whether most cells of a column are units: `MJ` is a megajoule, and the Czech for a unit of measure."""
    sample = _sample(grid, heading)
    return sum(isinstance(c, str) and _known(c) for c in sample) * 2 > len(sample)


def is_numeric(grid: Grid, heading: str) -> bool:
    """Return whether most of a column are numbers; an empty one may become values."""
    cells = tuple(c for c in grid.column(heading)[:2000] if c is not None)[:200]
    if not cells:
        return True
    good = max(int(np.isfinite(numbers(cells, mark).value).sum()) for mark in (",", "."))
    return good * 2 > len(cells)


def _values(grid: Grid, roles: Mapping[str, Role], *, own_subject: bool) -> tuple[ValueColumn, ...]:
    """Return the columns of values; the status column that follows one is its own."""
    chosen = [h for h, role in roles.items() if role is Role.VALUE]
    if not own_subject:
        chosen = [h for h in chosen if _told(h)] or chosen
    following = dict(pairwise(grid.columns))
    several = sum(role is Role.STATUS for role in roles.values()) > 1 or len(chosen) == 1
    made = []
    for heading in chosen:
        parts = taken_apart(heading)
        after = following.get(heading, "")
        status = after if several and roles.get(after) is Role.STATUS else ""
        subject = parts.rest if own_subject else ""
        made.append(
            ValueColumn(column=heading, subject=subject, register=parts.register, unit=parts.unit, status=status)
        )
    return tuple(made)


def _told(heading: str) -> bool:
    """Return whether a heading calls its column readings."""
    parts = taken_apart(heading)
    return bool(parts.unit or parts.register) or says_dial(heading) or says_amount(heading) or not parts.rest


def _layout(values: Sequence[ValueColumn], unit_column: str, grid: Grid, *, invoiced: bool) -> Layout:
    if invoiced:
        return Layout.INVOICES
    units = {v.unit for v in values} | ({str(c) for c in _sample(grid, unit_column)} if unit_column else set())
    known = {unit(u).quantity for u in units if u and _known(u)}
    return Layout.PROFILE if known and known <= POWERS else Layout.READINGS


def _known(written: str) -> bool:
    try:
        unit(written)
    except UnitError:
        return False
    return True


def _amount(layout: Layout, values: Sequence[ValueColumn], headings: Sequence[str]) -> Amount | None:
    if layout is Layout.PROFILE:
        return Amount.MEAN_POWER
    if layout is Layout.INVOICES:
        return Amount.INTERVAL
    words = [v.column for v in values] or list(headings)
    for some in (words, headings):
        dial, amount = any(map(says_dial, some)), any(map(says_amount, some))
        if dial != amount:
            return Amount.DIAL if dial else Amount.INTERVAL
    return None


def _stamp(grid: Grid, time: str, clock: str, values: Sequence[ValueColumn]) -> Stamp | None:
    """Return which end of their periods the times are: a whole day begins at its first period's begin or end."""
    if not time:
        return None
    if any(_CHANNEL_HEADING.match(v.column) for v in values):
        return Stamp.END
    found = walls(grid, TableMapping(time=time, clock=clock))
    good = ~found.bad & ~found.empty & ~found.zoned
    us = found.us[good]
    if len(us) < 2 or found.day_only[good].all():  # noqa: PLR2004 - a distance needs two
        return None
    us = us if us[0] < us[-1] else us[::-1]
    step = int(np.median(np.diff(us)))
    first, last = int(us[0] % DAY_US), int(us[-1] % DAY_US)
    if first == step and last == 0:
        return Stamp.END
    return Stamp.START if first == 0 and last == DAY_US - step else None


def _by_hand(grid: Grid, time: str) -> bool:
    """Return whether dial readings seem to be read by people: days alone, or far apart."""
    if not time:
        return False
    found = moments(grid.column(time), None)
    us = np.unique(found.us[~found.bad & ~found.empty])
    return bool(found.day_only.any()) or len(us) < 2 or float(np.median(np.diff(us))) >= DAY_US / 2  # noqa: PLR2004 - same
