"""What people write into forms: numbers with a decimal comma, local times."""

import math
import re
from datetime import datetime
from zoneinfo import ZoneInfo

from core.errors import InputError


def number_of(text: str, *, place: str) -> float | None:
    """Return a number written with comma or point and spaces between thousands; None of nothing."""
    plain = "".join(text.split()).replace("\u00a0", "").replace("\u202f", "")
    if not plain:
        return None
    if "," in plain and "." in plain:
        raise InputError(f"{text!r} has a comma and a point", place=place, remedy="write 1234,5")
    try:
        value = float(plain.replace(",", "."))
    except ValueError as err:
        raise InputError(f"{text!r} is no number", place=place, remedy="write one such as 1234,5") from err
    if not math.isfinite(value):
        raise InputError(f"{text!r} is no number", place=place, remedy="write one such as 1234,5")
    return value


def whole_of(text: str, *, place: str) -> int | None:
    """Return a whole number, None of nothing."""
    value = number_of(text, place=place)
    if value is None:
        return None
    if value != int(value):
        raise InputError(f"{text!r} is no whole number", place=place, remedy="write one such as 6")
    return int(value)


def count_of(text: str) -> int | None:
    """Return a count of at most nine digits that a form of ours carries, None of anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def local_moment(text: str, zone: ZoneInfo, *, place: str) -> datetime | None:
    """Return the instant of a local time of a form, None of nothing; one that the clock skipped is refused."""
    if not text.strip():
        return None
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError as err:
        raise InputError(f"{text!r} is no time", place=place, remedy="write it as 2026-01-31T12:00") from err
    if wall.tzinfo is not None:
        return wall
    return _existing(wall.replace(tzinfo=zone), place)


def _existing(at: datetime, place: str) -> datetime:
    """Return a local time unless the clock skipped it; of a repeated hour the first is meant."""
    back_and_forth = datetime.fromtimestamp(at.timestamp(), at.tzinfo)
    if back_and_forth.replace(tzinfo=None) != at.replace(tzinfo=None):
        raise InputError(
            f"{at:%d.%m.%Y %H:%M} did not exist: clocks went forward", place=place, remedy="write the hour after it"
        )
    return at
