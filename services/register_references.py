"""What the things of the register refer to, field by field."""

from collections.abc import Iterator

from core.plan import Activity, Area, Goal, Indicator, Project
from core.registry import Adjustment, Building, Entity, Measure, Meter, Organisation, Point, Station


def references(thing: Entity) -> Iterator[tuple[str, type, str]]:
    """Yield what a thing refers to: the field, the kind and the id of each."""
    match thing:
        case Building():
            yield "organisation", Organisation, thing.organisation
        case Point():
            yield "building", Building, thing.building
            if thing.parent:
                yield "parent", Point, thing.parent
            yield from (("terms", Point, term.point) for term in thing.terms)
        case Meter() | Adjustment():
            yield "point", Point, thing.point
        case Measure():
            yield from (("points", Point, key) for key in thing.points)
        case Station():
            yield from (("fallbacks", Station, key) for key in thing.fallbacks)
        case Area() | Activity() | Project() | Indicator():
            yield from _of_the_plan(thing)


def _of_the_plan(thing: Area | Activity | Project | Indicator) -> Iterator[tuple[str, type, str]]:
    match thing:
        case Activity():
            yield "area", Area, thing.area
        case Project():
            yield "activity", Activity, thing.activity
        case Area() | Indicator():
            yield from (("goals", Goal, key) for key in thing.goals)
    if isinstance(thing, Indicator):
        yield "area", Area, thing.area
