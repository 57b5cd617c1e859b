"""`odecet baseline`: consumption and temperature in files to baselines and savings, as JSON lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

import holidays
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Bools, Dates, Days, Floats, Weather, festive_days
from analytics.baseline.fit import Fits, fit
from analytics.baseline.key import content_keys
from analytics.baseline.own_placebos import with_own
from analytics.baseline.placebo import Calibration, kind_of
from analytics.baseline.saving import Savings, month_spans, savings
from analytics.baseline.sufficiency import HOTTEST_DAY_C, Reason, Sufficiency, sufficiency
from config.placebos import load_placebos
from config.school_holidays import load_school_holidays
from core.calendar import zone
from core.errors import InputError
from ingest.daily_files import DailyTable, read_consumption, read_modes, read_temperature

ZONES: Final = {"cz": "Europe/Prague", "uk": "Europe/London", "no": "Europe/Oslo"}
COUNTRIES: Final = {"cz": ("CZ", None), "uk": ("GB", "ENG"), "no": ("NO", None), "us": ("US", None)}
CALENDARS: Final = ("cz", "uk", "no", "us", "none")
GAP_DAYS: Final = 2  # of temperature that are bridged between their neighbours
MOST_DAYS: Final = 20_000
COLDEST_DAY_C: Final = -60.0
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
LAST_MINUTE_S: Final = 23 * 3600 + 59 * 60  # an end at 23:59 means the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def of(self, day: Dates) -> Bools:
        """Return which days (D,) lie within."""
        return (day >= np.datetime64(self.first)) & (day <= np.datetime64(self.last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the command is given."""

    consumption: Path
    temperature: Path | None
    day_types: Path | None
    daily: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """All that the lines tell."""

    table: DailyTable
    fits: Fits
    judged: Sufficiency
    whole: Savings
    months: Savings
    running: Savings
    month: Dates
    train: Bools
    predict: Bools
    calibration: Calibration
    notes: tuple[str, ...]


def span(text: str, option: str, zone: ZoneInfo | None = None) -> Span:
    """Return the days of FROM/TO.

    TO as a date is the last day, except where whole months lie between (it is the same day of the month as FROM): there
    it is the end, itself left out. So 2012-01-01/2012-12-31 and 2012-01-01/2013-01-01 are both the year 2012. TO as an
    instant is the end of what is asked, FROM its begin: the days that lie wholly within count, on the zone's clock.
    """
    begin, slash, end = (part.strip() for part in text.partition("/"))
    remedy = "write FROM/TO such as 2012-01-01/2012-12-31"
    if not slash:
        raise InputError(f"{text!r} is no span", place=option, remedy=remedy)
    first, first_s = _moment(begin, option, remedy, zone)
    last, last_s = _moment(end, option, remedy, zone)
    first = first if not first_s else first + timedelta(days=1)
    whole_months = last_s is None and first.day == last.day and first < last
    if whole_months or (last_s is not None and last_s < LAST_MINUTE_S):
        last -= timedelta(days=1)
    if last < first:
        raise InputError(f"{text!r} ends before it begins", place=option, remedy=remedy)
    if (last - first).days > MOST_DAYS:
        raise InputError(f"{text!r} is longer than {MOST_DAYS} days", place=option, remedy=remedy)
    return Span(first=first, last=last)


def _moment(text: str, option: str, remedy: str, zone: ZoneInfo | None) -> tuple[date, int | None]:
    """Return the local day of a date or instant, and its second of the day (None for a date)."""
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text), None
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise InputError(f"{text!r} is no date", place=option, remedy=remedy) from err
    at = at if zone is None or at.tzinfo is None else at.astimezone(zone)
    return at.date(), at.hour * 3600 + at.minute * 60 + at.second


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the files."""

    train: str
    predict: str
    calendar: str
    commodity: Commodity
    zone_name: str | None

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of the local days; None leaves instants on the clock they are written in."""
        name = self.zone_name or ZONES.get(self.calendar)
        return None if name is None else zone(name)


def print_baselines(out: BinaryIO, files: Files, question: Question) -> None:
    """Write a JSON line per meter to `out`; consumption and prediction by day to `files.daily` where it is given."""
    outcome = _outcome(files, question)
    encoder = msgspec.json.Encoder()
    out.writelines(encoder.encode(line) + b"\n" for line in _lines(outcome))
    if files.daily is not None:
        _write_daily(files.daily, outcome)


def _outcome(files: Files, question: Question) -> _Outcome:
    place, commodity = question.zone, question.commodity
    train, predict = span(question.train, "--train", place), span(question.predict, "--predict", place)
    table = read_consumption(files.consumption, place, zero_is_gap=commodity is Commodity.ELECTRICITY)
    day = _axis(table, train, predict)
    weather = _weather(files.temperature, place, day, len(table.names)) if commodity is not Commodity.WATER else None
    days = days_of(day, question.calendar, files.day_types)
    in_train, in_predict = train.of(day), predict.of(day)
    fits = fit(_on(table.day, table.values, day), days, in_train, commodity, weather)
    calibration = with_own(Calibration.from_json(load_placebos()), fits, in_predict)
    month, each, running = month_spans(day, in_predict)
    return _Outcome(
        table=table,
        fits=fits,
        judged=sufficiency(fits, in_predict),
        whole=savings(fits, in_predict[None, :], calibration),
        months=savings(fits, each, calibration),
        running=savings(fits, running, calibration),
        month=month,
        train=in_train,
        predict=in_predict,
        calibration=calibration,
        notes=(*table.notes, *_overlap(in_train, in_predict)),
    )


def _overlap(train: Bools, predict: Bools) -> Iterator[str]:
    count = int((train & predict).sum())
    if count:
        yield f"{count} days to predict lie in training: their saving says nothing"


def _axis(table: DailyTable, train: Span, predict: Span) -> Dates:
    """Return the days from the first to the last asked for, and those known up to four years before training."""
    first = min(np.datetime64(train.first), np.datetime64(predict.first))
    last = max(np.datetime64(train.last), np.datetime64(predict.last))
    reach = np.datetime64(train.first) - np.timedelta64(4 * 366, "D")
    first = min(first, max(table.day[0], reach)) if len(table.day) else first
    return np.arange(first, last + np.timedelta64(1, "D"), dtype="datetime64[D]")


def _on(known: Dates, values: Floats, day: Dates) -> Floats:
    """Return values (m, K) of known days on the days asked for (m, D), NaN where there is none."""
    place = (known - day[0]).astype(np.int64)
    inside = (place >= 0) & (place < len(day))
    made = np.full((len(values), len(day)), np.nan)
    made[:, place[inside]] = values[:, inside]
    return made


def _weather(path: Path | None, place: ZoneInfo | None, day: Dates, meters: int) -> Weather | None:
    if path is None:
        return None
    table = read_temperature(path, place)
    temp_c = _on(table.day, table.values, day)[0]
    known = temp_c[np.isfinite(temp_c)]
    if len(known) and np.quantile(known, 0.99) <= HOTTEST_DAY_C:
        odd = (temp_c > HOTTEST_DAY_C) | (temp_c < COLDEST_DAY_C)
        temp_c = np.where(odd, np.nan, temp_c)
    return Weather(temp_c=bridged(temp_c)[None, :], station=np.zeros(meters, np.int64))


def bridged(temp_c: Floats) -> Floats:
    """Return temperature (D,) with gaps of at most two days filled in a straight line between their neighbours."""
    known = np.flatnonzero(np.isfinite(temp_c))
    if len(known) < 2:  # noqa: PLR2004 - a line needs two
        return temp_c
    filled = np.interp(np.arange(len(temp_c)), known, temp_c[known], left=np.nan, right=np.nan)
    place = np.searchsorted(known, np.arange(len(temp_c)), side="left")
    apart = np.diff(known, prepend=known[0], append=known[-1])[np.minimum(place, len(known))]
    return np.where(np.isfinite(temp_c), temp_c, np.where(apart <= GAP_DAYS + 1, filled, np.nan))


def days_of(day: Dates, calendar: str, day_types: Path | None) -> Days:
    """Return what the calendar of a country says of days (D,), with the operating modes of a file."""
    years = range(int(str(day[0])[:4]), int(str(day[-1])[:4]) + 1)
    none = np.zeros(len(day), bool)
    made = Days(day=day, holiday=none, festive=none, school=none)
    if calendar != "none":
        country, part = COUNTRIES[calendar]
        public = list(holidays.country_holidays(country, subdiv=part, years=years))
        school = load_school_holidays(years) if calendar == "cz" else frozenset()
        made = replace(made, holiday=_among(day, public), festive=festive_days(day), school=_among(day, list(school)))
    if day_types is None:
        return made
    of, modes = read_modes(day_types)
    return replace(made, modes={name: np.isin(day, of[flag]) for name, flag in modes.items()})


def _among(day: Dates, listed: Sequence[date]) -> Bools:
    return np.isin(day, np.array(sorted(listed), "datetime64[D]"))


def _lines(outcome: _Outcome) -> Iterator[dict[str, Any]]:
    train, predict = _dates(outcome, outcome.train), _dates(outcome, outcome.predict)
    cv, bias, known = _in_sample(outcome.fits)
    whole, months = _told(outcome.whole), _months(outcome)
    fits = outcome.fits
    keys = content_keys(fits.given, fits.days, fits.train, fits.commodity, fits.weather)
    for meter, name in enumerate(outcome.table.names):
        lacking = [note for note in outcome.judged.notes[meter] if note.code == "no_temperature"]
        bad = _texts([*outcome.judged.training[meter], *outcome.judged.predict[meter], *lacking])
        shown = outcome.judged.sufficient(meter)
        yield {
            "meter": name,
            "sufficient": shown,
            "reasons": bad,
            "notes": [*_texts([n for n in outcome.judged.notes[meter] if n not in lacking]), *outcome.notes],
            "model": outcome.fits.models[meter].to_json() if shown else None,
            "train": {
                **train,
                "days": int(known[meter]),
                "cvrmse": _number(cv[meter]) if shown else None,
                "nmbe": _number(bias[meter]) if shown else None,
            },
            "predict": {**predict, **whole.line(meter, 0, shown=shown)},
            "months": months[meter],
            "calibration": outcome.calibration.note(kind_of(outcome.fits), int(outcome.whole.days[meter, 0])),
            "key": keys[meter],
        }


def _texts(reasons: Sequence[Reason]) -> list[str]:
    return [reason.text for reason in reasons]


def _dates(outcome: _Outcome, flag: Bools) -> dict[str, str]:
    day = outcome.fits.days.day[flag]
    return {"from": str(day[0]), "to": str(day[-1])}


def _number(value: float | np.floating[Any]) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _in_sample(fits: Fits) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Return CV(RMSE), NMBE (ASHRAE Guideline 14) and the days of training (m,)."""
    off = np.where(fits.train, fits.predicted - fits.energy, np.nan)
    known = np.isfinite(off).sum(axis=1)
    free = np.maximum(known - fits.parameters, 1.0)
    off = np.nan_to_num(off)
    return np.sqrt((off**2).sum(axis=1) / free) / fits.mean, off.sum(axis=1) / free / fits.mean, known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Savings (m, k) as nested lists of rounded numbers, for lines."""

    days: list[list[int]]
    rows: list[list[list[float]]]
    significant: list[list[bool]]

    def line(self, meter: int, number: int, *, shown: bool) -> dict[str, Any]:
        """Return what is told of a meter and a span; only what was used where the saving is not shown."""
        days = self.days[meter][number]
        actual, predicted, saving, low68, high68, low90, high90 = self.rows[meter][number]
        return {
            "days": days,
            "actual_kwh": actual if days else None,
            "predicted_kwh": predicted if shown else None,
            "saving_kwh": saving if shown else None,
            "interval68_kwh": [low68, high68] if shown else None,
            "interval90_kwh": [low90, high90] if shown else None,
            "significant": self.significant[meter][number] if shown else None,
        }


def _told(made: Savings) -> _Told:
    numbers = np.concatenate(
        [np.stack([made.actual, made.predicted, made.saving], axis=-1), made.interval(68), made.interval(90)], axis=-1
    )
    return _Told(days=made.days.tolist(), rows=np.round(numbers, 6).tolist(), significant=made.significant.tolist())


def _months(outcome: _Outcome) -> list[list[dict[str, Any]]]:
    """Return the months of each meter, those alone of which something is known."""
    each, running = _told(outcome.months), _told(outcome.running)
    return [
        [
            {
                "month": str(month),
                **each.line(meter, number, shown=True),
                "cumulative": running.line(meter, number, shown=True),
            }
            for number, month in enumerate(outcome.month)
            if each.days[meter][number]
        ]
        if outcome.judged.sufficient(meter)
        else []
        for meter in range(len(outcome.table.names))
    ]


def _write_daily(path: Path, outcome: _Outcome) -> None:
    """Write meter, date, actual and predicted of the training and the predicted days; what is unknown stays empty."""
    fits, names = outcome.fits, outcome.table.names
    place = np.flatnonzero(outcome.train | outcome.predict)
    barred = np.array([not outcome.judged.sufficient(meter) for meter in range(len(names))], bool)
    made = np.where(barred[:, None], np.nan, fits.predicted[:, place])
    table = pa.table(
        {
            "meter": pa.array(np.repeat(names, len(place))),
            "date": pa.array(np.tile(fits.days.day[place], len(names))),
            "actual_kwh": pa.array(np.round(fits.energy[:, place], 6).reshape(-1), from_pandas=True),
            "predicted_kwh": pa.array(np.round(made, 6).reshape(-1), from_pandas=True),
        }
    )
    pacsv.write_csv(table, path, pacsv.WriteOptions(quoting_style="needed", quoting_header="none"))
