"""GET /api/v1/points/.../model: what a point would have used, by weather and calendar, and how well that is known."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final

import msgspec
import numpy as np
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import measure_examples as examples
from api.access import allowed
from api.answers import as_json
from api.asking import instant_of
from api.contract import documented
from api.room import InRoom, Room
from core.errors import InputError
from core.people import Right
from core.readings import Floats
from services.baselines import Window
from services.models import PointModel, point_model, usual_window
from services.savings import Reason, text_of, without_works

router = APIRouter(prefix="/api/v1/points", tags=["models"], dependencies=[allowed(Right.SEE)])

LONGEST_TRAINING_DAYS: Final = 366 * 4
Key = Annotated[str, Path(description="The point's id.", examples=["B01-PL"])]
TrainFrom = Annotated[
    str, Query(alias="train_from", description="First day of training; else the usual year.", examples=["2024-01-01"])
]
TrainTo = Annotated[str, Query(alias="train_to", description="Last day of training.", examples=["2024-12-31"])]
Until = Annotated[str, Query(alias="to", description="Last day foretold; else yesterday.", examples=["2025-12-31"])]


class ModelReason(msgspec.Struct, frozen=True):
    """A reason: its code, its text in English, and the facts that it names."""

    code: str
    text: str
    facts: Mapping[str, str | int | float]

    @classmethod
    def of(cls, reason: Reason) -> "ModelReason":
        """Return the JSON form."""
        return cls(reason.code, text_of(reason), dict(reason.facts))


class Amount(msgspec.Struct, frozen=True):
    """A saving with its 68 % and 90 % intervals; significant where the 90 % interval excludes zero."""

    saving: float
    low68: float
    high68: float
    low90: float
    high90: float
    significant: bool

    @classmethod
    def of(cls, saving: float, half68: float, half90: float) -> "Amount":
        """Return the JSON form."""
        low68, high68, low90, high90 = (round(saving + half, 6) for half in (-half68, half68, -half90, half90))
        return cls(round(saving, 9), low68, high68, low90, high90, abs(saving) > half90)


class ModelFit(msgspec.Struct, frozen=True):
    """CV(RMSE) and NMBE of training (ASHRAE Guideline 14), and how many of its days are known."""

    cvrmse: float
    nmbe: float
    known_days: int
    days: int


class AfterTraining(msgspec.Struct, frozen=True):
    """The days after training: consumption, what the model foretold, and the difference."""

    first: str
    last: str
    days: int
    actual: float
    predicted: float
    saving: Amount


class ModelDay(msgspec.Struct, frozen=True, gc=False):
    """A day: temperature, consumption and what the model says, null where not known."""

    day: str
    temp_c: float | None
    actual: float | None
    predicted: float | None
    training: bool
    day_type: str


class Model(msgspec.Struct, frozen=True):
    """A point's model. `reasons` bar it, `after_reasons` what it says of the days after; `notes` are worth knowing.

    `lines` are the model against temperature on `grid_c`, by type of day. `calibration` is the set of placebo years
    that the intervals rest on.
    """

    point: str
    unit: str
    station: str
    trained_from: str
    trained_to: str
    sufficient: bool
    reasons: Sequence[ModelReason]
    notes: Sequence[ModelReason]
    quality: ModelFit | None
    lines: Mapping[str, Sequence[float | None]]
    grid_c: Sequence[float]
    after: AfterTraining | None
    after_reasons: Sequence[ModelReason]
    calibration: Mapping[str, str | int | float]
    key: str
    days: Sequence[ModelDay]


def numbers(values: Floats) -> list[float | None]:
    """Return values to six digits, None where there is none."""
    return [None if v != v else v for v in np.round(values, 6).tolist()]  # noqa: PLR0124 - NaN


def shown_model(found: PointModel) -> Model:
    """Return the JSON form of a model."""
    trained, after = found.trained, found.after
    columns = (
        found.day.astype(str).tolist(),
        numbers(found.temp_c),
        numbers(found.actual),
        numbers(found.predicted),
        found.train.tolist(),
        found.day_type,
    )
    quality = found.quality
    return Model(
        point=trained.window.point.id,
        unit=trained.unit,
        station=found.station,
        trained_from=str(trained.window.first),
        trained_to=str(trained.window.last),
        sufficient=not found.reasons,
        reasons=[ModelReason.of(r) for r in found.reasons],
        notes=[ModelReason.of(r) for r in found.notes],
        quality=None if quality is None else ModelFit(quality.cvrmse, quality.nmbe, quality.known_days, quality.days),
        lines={name: numbers(line) for name, line in found.lines.items()},
        grid_c=found.grid_c.tolist(),
        after=None
        if after is None
        else AfterTraining(
            str(after.first),
            str(after.last),
            after.days,
            after.actual,
            after.predicted,
            Amount.of(after.saving, after.half68, after.half90),
        ),
        after_reasons=[ModelReason.of(r) for r in found.after_reasons],
        calibration=dict(found.calibration),  # type: ignore[arg-type]  # plain values
        key=trained.key,
        days=[ModelDay(*row) for row in zip(*columns, strict=True)],
    )


def window_of(room: Room, key: str, first: str, last: str) -> Window:
    """Return the days that a model is to learn from; raise InputError."""
    now = room.now()
    point = now.point(key)
    usual = usual_window(point, list(now.measures.values()), room.last_day())
    if not first and not last:
        return usual
    zone = room.deps.zone
    begin = instant_of(first, zone, place="train_from").astimezone(zone).date() if first else usual.first
    end = instant_of(last, zone, place="train_to").astimezone(zone).date() if last else usual.last
    if end < begin:
        raise InputError("training ends before it begins", place="train_to", remedy="write a later day")
    if (end - begin).days > LONGEST_TRAINING_DAYS:
        raise InputError("training is longer than four years", place="train_from", remedy="write a later day")
    return Window(point=point, first=begin, last=end)


def model_of(room: Room, key: str, first: str, last: str, until: str) -> PointModel:
    """Return a point's model; raise NotFound, and InputError for generation, which has none."""
    zone = room.deps.zone
    end: date = instant_of(until, zone, place="to").astimezone(zone).date() if until else room.last_day()
    window, now = window_of(room, key, first, last), room.now()
    baselines = without_works(room.baselines(), {key: window.point}, now.measures.values())
    found = point_model(baselines, window, min(end, room.last_day()))
    if found is None:
        raise InputError(f"point {key} counts generation, which has no model", remedy="ask for a point of consumption")
    return found


@router.get(
    "/{key:path}/model",
    operation_id="get_point_model",
    summary="A point's model: consumption by weather and calendar, with what it says of the days after training",
    description="The usual training is the year before the first measure at the point, or else a calendar year.",
    **documented(Model, examples.MODEL, errors=(401, 404, 422, 503)),
)
def get_model(
    room: InRoom, key: Key, train_from: TrainFrom = "", train_to: TrainTo = "", until: Until = ""
) -> Response:
    """Return a point's model."""
    return as_json(shown_model(model_of(room, key, train_from, train_to, until)))
