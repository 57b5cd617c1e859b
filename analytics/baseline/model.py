"""A fitted baseline as plain values: it can be stored, shown and used again without the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, Final

import numpy as np

from analytics.baseline.days import TYPE_NAMES, Days, Floats
from analytics.baseline.design import Ground, Spec, design

SPEC_FIELDS: Final = tuple(field.name for field in fields(Spec))
VERSION: Final = "1"  # of the models' meaning: part of every content key, so that a change refits everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One model of the mean: its share, what is nonlinear in it, and the coefficients by column, in kWh (m³) a day.

    Slopes (`heating...`, `cooling...`) are per ten degrees.
    """

    family: str
    share: float
    spec: Spec
    coefficients: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The baseline of one point: the mean of its parts, times `recent_level`, never below `floor` (None: no floor)."""

    parts: tuple[Part, ...]
    recent_level: float
    floor: float | None
    version: str = VERSION

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back."""
        parts = [
            {
                "family": part.family,
                "share": part.share,
                "spec": {name: getattr(part.spec, name) for name in SPEC_FIELDS},
                "coefficients": dict(part.coefficients),
            }
            for part in self.parts
        ]
        return {"parts": parts, "recent_level": self.recent_level, "floor": self.floor, "version": self.version}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Model":
        """Return the model of what `to_json` gave, also after a way through JSON."""
        parts = tuple(_part(p) for p in stored["parts"])
        return Model(parts=parts, recent_level=stored["recent_level"], floor=stored["floor"], version=stored["version"])


def _part(stored: Mapping[str, Any]) -> Part:
    spec = dict(stored["spec"])
    spec["inertia"] = tuple(spec["inertia"])
    spec["season"] = None if spec["season"] is None else tuple(spec["season"])
    coefficients = dict(stored["coefficients"])
    return Part(family=stored["family"], share=stored["share"], spec=Spec(**spec), coefficients=coefficients)


def predict(models: Sequence[Model], days: Days, temp_c: Floats) -> Floats:
    """Return what each model (n) says for the days (D,) at temperature (D,), as (n, D); NaN where none is known.

    A coefficient of an operating mode that the days do not have counts nothing.
    """
    total, ground = np.zeros((len(models), len(days.day))), Ground(days, temp_c)
    parts = [(part, number) for number, model in enumerate(models) for part in model.parts]
    for spec, same in groupby(sorted(parts, key=lambda p: repr(p[0].spec)), key=lambda p: p[0].spec):
        columns, members = design(spec, ground), list(same)
        beta = np.array([[p.coefficients.get(name, 0.0) * p.share for name in columns.names] for p, _ in members])
        np.add.at(total, [number for _, number in members], beta @ columns.x.T)
    return floored(
        total * np.array([m.recent_level for m in models]).reshape(-1, 1),
        np.array([-np.inf if m.floor is None else m.floor for m in models]),
    )


def floored(energy: Floats, floor: Floats) -> Floats:
    """Return energy (m, D) not below each meter's floor (m,); NaN stays."""
    return np.asarray(np.maximum(energy, floor[:, None]))


def line(model: Model, days: Days, temp_c: Floats, grid_c: Floats) -> dict[str, Floats]:
    """Return the fitted line for a scatter of consumption against temperature, by day type: (t,) each on `grid_c`.

    The mean over the dates of the days that are of that type, so that season and harmonic show as they were at that
    temperature: each date counts by its nearness (2 °C) to the temperature asked for.
    """
    lines: dict[str, Floats] = {}
    known = np.isfinite(temp_c)
    for code, name in enumerate(TYPE_NAMES):
        mine = np.flatnonzero((days.type_code == code) & known)
        if len(mine) > 1:
            lines[name] = np.array([_at(model, days, temp_c, mine, value) for value in grid_c])
    return lines


def _at(model: Model, days: Days, temp_c: Floats, mine: np.ndarray[Any, np.dtype[np.int64]], value_c: float) -> float:
    near = np.exp(-0.5 * ((temp_c[mine] - value_c) / 2.0) ** 2) + 1e-9
    made = predict([model], days, np.full(len(temp_c), value_c))[0, mine]
    return float((near * made).sum() / near.sum())
