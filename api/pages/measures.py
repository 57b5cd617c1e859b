"""Measures: the register with what each saved, one by one with its band, and the form to add and change them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.forms import number_of
from api.pages.model_charts import saving_by_month, saving_so_far
from api.pages.models import day_of
from api.pages.view import Seen, Viewer, back
from api.routes.measures import ALL_TIME, savings_of
from api.texts import Language
from core.errors import InputError
from core.people import Right
from core.registry import Measure, MeasureKind, Point
from services import register as acts
from services.measures import UnitSaving, of_plan, once, within
from services.savings import Share

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What the plan's measures saved in one unit: so far and this year."""

    unit: str
    so_far: UnitSaving
    year: UnitSaving | None


@router.get("/measures")
def measures(v: Seen) -> Response:
    """Show all measures and what those of the plan saved together."""
    known = list(v.room.now().measures.values())
    savings = savings_of(v.room, known)
    plan = of_plan(savings)
    last = v.room.last_day()
    return v.page(
        "measures.html",
        savings=sorted(savings, key=lambda s: (s.measure.effective, s.measure.id), reverse=True),
        totals=_totals(once([s for one in plan for s in one.shares], v.room.now().points), last),
        counted=len(plan),
        unknown=sum(s.status != "known" for s in plan),
        year=last.year,
        form=_form(v, None),
    )


def _totals(shares: Sequence[Share], last: date) -> list[Total]:
    year = {u.unit: u for u in within(shares, date(last.year, 1, 1), last, until=last)}
    return [Total(unit=u.unit, so_far=u, year=year.get(u.unit)) for u in within(shares, ALL_TIME, last, until=last)]


@router.get("/measures/{key:path}")
def measure(v: Seen, key: str) -> Response:
    """Show a measure."""
    found: Measure = v.room.deps.records.get(Measure, key)
    saving = savings_of(v.room, [found])[0]
    now = v.room.now()
    return v.page(
        "measure.html",
        measure=found,
        saving_found=saving,
        points={key: now.points[key] for key in found.points if key in now.points},
        buildings=now.buildings,
        charts=[(unit, *_charts(v.words, unit)) for unit in saving.units],
        until=v.room.last_day(),
        form=_form(v, found),
    )


def _charts(words: Language, unit: UnitSaving) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the saving so far in its band, and by month."""
    so_far: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    for month in unit.months:
        name = f"{words.month(month.month.month)} {month.month.year}"
        for rows, one in ((so_far, month.so_far), (alone, month.alone)):
            rows.append(
                {
                    "at": month.month.isoformat(),
                    "label": name,
                    "saving": one.saving,
                    "low68": one.saving - one.half68,
                    "high68": one.saving + one.half68,
                    "low90": one.saving - one.half90,
                    "high90": one.saving + one.half90,
                    "significant": one.significant,
                }
            )
    title = words.text("Saving since the measure is in effect, with its 68 % and 90 % intervals")
    by_month = words.text("Saving by month, with its 90 % interval; grey where it is not significant")
    return (
        saving_so_far(so_far, unit=unit.unit, words=words, title=title),
        saving_by_month(alone, unit=unit.unit, words=words, title=by_month),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureForm:
    """What the form of a measure offers and holds."""

    measure: Measure | None
    kinds: list[MeasureKind]
    points: list[Point]
    activities: list[str]


def _form(v: Viewer, found: Measure | None) -> MeasureForm:
    now = v.room.now()
    points = sorted(now.points.values(), key=lambda p: (p.building, p.id))
    activities = sorted({m.activity for m in now.measures.values()} - {""})
    return MeasureForm(measure=found, kinds=list(MeasureKind), points=points, activities=activities)


@router.post("/measures", dependencies=[allowed(Right.REGISTER)])
def save_measure(  # noqa: PLR0917 - the fields of the form
    v: Seen,
    key: Annotated[str, Form(alias="id")],
    name: Annotated[str, Form()],
    points: Annotated[str, Form()],
    effective: Annotated[str, Form()],
    kind: Annotated[str, Form()] = MeasureKind.OTHER,
    works_from: Annotated[str, Form()] = "",
    ended: Annotated[str, Form()] = "",
    investment: Annotated[str, Form()] = "",
    subsidy: Annotated[str, Form()] = "",
    activity: Annotated[str, Form()] = "",
    expected: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    changing: Annotated[str, Form()] = "",
) -> Response:
    """Add a measure, or put it in the place of the one that is changed."""
    begin = day_of(effective, place="effective")
    if begin is None:
        raise InputError("the day since when it is in effect is missing", place="effective", remedy="write it")
    saving = number_of(expected, place="expected")
    made = Measure(
        id=key.strip(),
        name=name.strip(),
        points=tuple(points.replace(",", " ").replace(";", " ").split()),
        effective=begin,
        kind=MeasureKind(kind),
        works_from=day_of(works_from, place="works_from"),
        ended=day_of(ended, place="ended"),
        investment_czk=number_of(investment, place="investment"),
        subsidy_czk=number_of(subsidy, place="subsidy"),
        activity=activity.strip(),
        expected_saving=saving,
        expected_unit=unit if saving is not None else "",
        note=note.strip(),
    )
    doing = act(v.room, v.name, "page of measures")
    if changing:
        acts.update(v.room.writing(Right.REGISTER, made), made, doing)
    else:
        acts.create(v.room.writing(Right.REGISTER, made), [made], doing)
    return back(f"/measures/{made.id}?done=saved")


@router.post("/measures/{key:path}/remove", dependencies=[allowed(Right.REGISTER)])
def remove_measure(v: Seen, key: str) -> Response:
    """Remove a measure; the audit trail keeps it."""
    acts.remove(v.room.writing(Right.REGISTER), Measure, [key], act(v.room, v.name, "page of measures"))
    return back("/measures?done=removed")
