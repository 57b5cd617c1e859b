"""A point's model: consumption against temperature with the fitted line, foretold and actual, how good it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.forms import number_of
from api.pages.model_charts import against_temperature, foretold
from api.pages.view import Seen, Viewer, back
from api.routes.models import model_of
from api.texts import Language
from core.errors import InputError
from core.people import Right
from core.registry import Adjustment, AdjustmentKind
from services import register as acts
from services.models import PointModel

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

MOST_DOTS: Final = 1100
WEEK: Final = 7
From = Annotated[str, Query(alias="train_from")]
To = Annotated[str, Query(alias="train_to")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A week: whole only where all of its days are known."""

    first: date
    actual: float | None
    predicted: float | None
    training: bool


@router.get("/points/{key:path}/model")
def model(v: Seen, key: str, train_from: From = "", train_to: To = "") -> Response:
    """Show a point's model."""
    now = v.room.now()
    point = now.point(key)
    found = model_of(v.room, key, train_from, train_to, "")
    held = weeks_of(found)
    unit = found.trained.unit
    scatter = None if not found.lines else _scatter(v.words, found, unit)
    return v.page(
        "model.html",
        point=point,
        building=now.buildings.get(point.building),
        found=found,
        unit=unit,
        weeks=held,
        scatter=scatter,
        series=_series(v.words, found, held, unit) if held else None,
        adjustments=[a for a in now.adjustments.values() if a.point == key],
        kinds=list(AdjustmentKind),
        measures=[m for m in now.measures.values() if key in m.points],
    )


def weeks_of(found: PointModel) -> list[Week]:
    """Return the weeks of a model's days from its first Monday on; one with a day unknown has no consumption."""
    first = int((-(found.day[0].astype(np.int64) + 3)) % WEEK)
    count = (len(found.day) - first) // WEEK
    shape = (count, WEEK)
    mine = slice(first, first + count * WEEK)
    actual, predicted = found.actual[mine].reshape(shape).sum(axis=1), found.predicted[mine].reshape(shape).sum(axis=1)
    firsts, train = found.day[mine].reshape(shape)[:, 0], found.train[mine].reshape(shape)[:, -1]
    return [
        Week(first=d.astype(date), actual=_known(a), predicted=_known(p), training=bool(t))
        for d, a, p, t in zip(firsts, actual, predicted, train, strict=True)
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _scatter(words: Language, found: PointModel, unit: str) -> dict[str, Any]:
    known = np.flatnonzero(np.isfinite(found.temp_c) & np.isfinite(found.actual) & found.train)[-MOST_DOTS:]
    days = [
        {
            "temp_c": round(float(found.temp_c[n]), 2),
            "actual": round(float(found.actual[n]), 3),
            "type": words.label(found.day_type[n]),
            "label": words.day(found.day[n].astype(date)),
        }
        for n in known.tolist()
    ]
    lines = [
        {"temp_c": float(c), "amount": round(float(a), 3), "type": words.label(name)}
        for name, line in found.lines.items()
        for c, a in zip(found.grid_c, line, strict=True)
    ]
    names = [words.label(name) for name in found.lines]
    title = words.text("Consumption of a day against the outdoor temperature, with the model's lines")
    return against_temperature(days, lines, names=names, unit=unit, words=words, title=title)


def _series(words: Language, found: PointModel, weeks: Sequence[Week], unit: str) -> dict[str, Any]:
    rows = [
        {"at": w.first.isoformat(), "actual": w.actual, "predicted": w.predicted, "label": words.day(w.first)}
        for w in weeks
    ]
    title = words.text("Consumption by week and what the model tells of it")
    cut = found.trained.window.last.isoformat()
    return foretold(rows, cut=cut, unit=unit, words=words, title=title)


@router.post("/points/{key:path}/adjustments", dependencies=[allowed(Right.REGISTER)])
def add_adjustment(  # noqa: PLR0917 - the fields of the form
    v: Seen,
    key: str,
    since: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    reason: Annotated[str, Form()],
    until: Annotated[str, Form()] = "",
    factor: Annotated[str, Form()] = "",
    per_day: Annotated[str, Form()] = "",
) -> Response:
    """Log a non-routine event at a point."""
    begin = day_of(since, place="since")
    if begin is None:
        raise InputError("the first day is missing", place="since", remedy="write it")
    event = Adjustment(
        id=_free_id(v, key, begin),
        point=key,
        since=begin,
        until=day_of(until, place="until"),
        kind=AdjustmentKind(kind),
        reason=reason.strip(),
        factor=number_of(factor, place="factor"),
        per_day=number_of(per_day, place="per_day"),
        who=v.name,
    )
    acts.create(v.room.writing(Right.REGISTER, event), [event], act(v.room, v.name, "page of the model"))
    return back(f"/points/{key}/model?done=logged#events")


def _free_id(v: Viewer, key: str, since: date) -> str:
    taken, stem, number = v.room.now().adjustments, f"{key}/{since:%Y%m%d}", 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def day_of(text: str, *, place: str) -> date | None:
    """Return the day of a form's field, None of nothing."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as err:
        raise InputError(f"{text!r} is no day", place=place, remedy="write it as 2026-01-31") from err


@router.post("/adjustments/{key:path}/remove", dependencies=[allowed(Right.REGISTER)])
def remove_adjustment(v: Seen, key: str, point: Annotated[str, Form()]) -> Response:
    """Take a non-routine event out again; the audit trail keeps it."""
    acts.remove(v.room.writing(Right.REGISTER), Adjustment, [key], act(v.room, v.name, "page of the model"))
    return back(f"/points/{point}/model?done=removed#events")
