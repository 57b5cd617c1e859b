"""How a figure stands against its target: pure, with the year that is told of as an argument."""

from core.indicators import ValueStatus
from core.plan import Direction, Figure, Indicator, Target
from core.report import NO_TARGET, Judgement, Standing


def target_of(indicator: Indicator, figure: Figure, year: int) -> Target | None:
    """Return the target of a figure that counts in a year: of that year, else the next one, else the last one."""
    mine = sorted((one for one in indicator.targets if one.figure == figure.key), key=lambda one: one.year)
    coming = [one for one in mine if one.year >= year]
    return coming[0] if coming else mine[-1] if mine else None


def standing(
    indicator: Indicator, figure: Figure, value: float | None, status: ValueStatus, *, year: int, whole: bool
) -> Standing:
    """Return how a figure's value of a year stands; `whole` tells whether that year is over.

    A target is judged at the end of its own year alone. `share` is told where reaching the target means to come from
    nothing up to it: of what is to grow a target above zero, of what is to fall one below.
    """
    target = target_of(indicator, figure, year)
    if target is None:
        return NO_TARGET
    if value is None or status is ValueStatus.UNKNOWN:
        return Standing(judgement=Judgement.UNKNOWN, target=target.value, year=target.year)
    due = whole and target.year <= year
    judgement = _judged(indicator.direction, value, target.value) if due else Judgement.UNDER_WAY
    return Standing(
        judgement=judgement,
        target=target.value,
        year=target.year,
        gap=value - target.value,
        share=_share(indicator.direction, value, target.value),
    )


def _judged(direction: Direction, value: float, target: float) -> Judgement:
    if direction is Direction.NONE:
        return Judgement.NO_TARGET
    met = value >= target if direction is Direction.UP else value <= target
    return Judgement.MET if met else Judgement.NOT_MET


def _share(direction: Direction, value: float, target: float) -> float | None:
    grows = direction is Direction.UP and target > 0
    falls = direction is Direction.DOWN and target < 0
    return max(value / target, 0.0) if grows or falls else None
