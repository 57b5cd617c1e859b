"""What the coordinator writes into the forms of the plan: each kind of thing read, and given back as it was written."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from starlette.datastructures import FormData

from api.pages.forms import number_of, whole_of
from api.pages.models import day_of
from core.errors import InputError
from core.plan import (
    Activity,
    Area,
    Direction,
    Figure,
    Goal,
    Indicator,
    Project,
    ProjectState,
    ReportKind,
    StrategicGoal,
    Target,
)
from core.registry import Entity

Word = TypeVar("Word", bound=StrEnum)
W = TypeVar("W", bound=StrEnum)
BLANK_ROWS: Final = 2
NOT_OF_A_KEY: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing of the plan: its word in addresses, its class, and what reads its form."""

    plural: str
    one: str
    kind: type[Entity]
    read: Callable[[FormData], Entity]


def said(form: FormData, name: str) -> str:
    """Return a field's text."""
    return str(form.get(name, "")).strip()


def _many(form: FormData, name: str) -> tuple[str, ...]:
    return tuple(text for one in form.getlist(name) if isinstance(one, str) and (text := one.strip()))


def key_of(name: str) -> str:
    """Return a key made of a name: lower case, without accents."""
    plain = unicodedata.normalize("NFD", name.lower()).encode("ascii", "ignore").decode()
    return NOT_OF_A_KEY.sub("_", plain).strip("_")[:40] or "value"


def goal(form: FormData) -> Goal:
    """Return the goal of a form."""
    return Goal(id=said(form, "id"), name=said(form, "name"), strategic=_one_of(StrategicGoal, form, "strategic"))


def _one_of(words: type[Word], form: FormData, name: str) -> Word:
    text = said(form, name)
    if text not in set(words):
        raise InputError(f"{text!r} cannot be", place=name, remedy=f"choose one of {', '.join(words)}")
    return words(text)


def area(form: FormData) -> Area:
    """Return the area of a form."""
    return Area(
        id=said(form, "id"),
        name=said(form, "name"),
        priority_area=said(form, "priority_area"),
        goals=_many(form, "goals"),
        strategic=_many(form, "strategic"),
        guarantor=said(form, "guarantor"),
        vision=said(form, "vision"),
    )


def activity(form: FormData) -> Activity:
    """Return the activity of a form."""
    names = ("id", "area", "name", "description", "guarantor")
    return Activity(**{name: said(form, name) for name in names})


def project(form: FormData) -> Project:
    """Return the project of a form."""
    return Project(
        id=said(form, "id"),
        activity=said(form, "activity"),
        name=said(form, "name"),
        state=_one_of(ProjectState, form, "state"),
        begins=day_of(said(form, "begins"), place="begins"),
        ends=day_of(said(form, "ends"), place="ends"),
        cost_czk=number_of(said(form, "cost_czk"), place="cost_czk"),
        note=said(form, "note"),
    )


def indicator(form: FormData) -> Indicator:
    """Return the indicator of a form; figures and targets are rows, of which empty ones are left out."""
    figures = tuple(_figures(form))
    least = number_of(said(form, "least_measured"), place="least_measured")
    return Indicator(
        id=said(form, "id"),
        area=said(form, "area"),
        name=said(form, "name"),
        figures=figures,
        method=said(form, "method"),
        definition=said(form, "definition"),
        goals=_many(form, "goals"),
        targets=tuple(_targets(form, figures)),
        direction=_one_of(Direction, form, "direction"),
        least_measured=0.9 if least is None else least / 100,
        reports=tuple(one for one in _many(form, "reports") if one in set(ReportKind)),
        guarantor=said(form, "guarantor"),
        note=said(form, "note"),
    )


def _rows(form: FormData, *names: str) -> Iterable[tuple[str, ...]]:
    """Return the rows of lists of fields of equal length."""
    columns = [[str(one).strip() for one in form.getlist(name)] for name in names]
    return zip(*columns, strict=False)


def _figures(form: FormData) -> Iterable[Figure]:
    for key, name, unit, decimals in _rows(form, "figure_key", "figure_name", "figure_unit", "figure_decimals"):
        if name or key:
            places = whole_of(decimals, place="figure_decimals")
            yield Figure(key=key or key_of(name), name=name or key, unit=unit, decimals=1 if places is None else places)


def _targets(form: FormData, figures: tuple[Figure, ...]) -> Iterable[Target]:
    for figure, year, value in _rows(form, "target_figure", "target_year", "target_value"):
        if not value and not year:
            continue
        when, number = whole_of(year, place="target_year"), number_of(value, place="target_value")
        if when is None or number is None:
            raise InputError(
                "a target needs a year and a number", place="target_value", remedy="write both, or neither"
            )
        yield Target(figure=figure or (figures[0].key if figures else ""), year=when, value=number)


KINDS: Final[Mapping[str, Kind]] = {
    one.plural: one
    for one in (
        Kind(plural="goals", one="goal", kind=Goal, read=goal),
        Kind(plural="areas", one="area", kind=Area, read=area),
        Kind(plural="activities", one="activity", kind=Activity, read=activity),
        Kind(plural="projects", one="project", kind=Project, read=project),
        Kind(plural="indicators", one="indicator", kind=Indicator, read=indicator),
    )
}


def free_id(stem: str, taken: Iterable[str]) -> str:
    """Return the first of stem1, stem2, ... that nothing is called."""
    used = set(taken)
    return next(name for n in range(1, len(used) + 2) if (name := f"{stem}{n}") not in used)
