"""Baselines on real meters where nothing was done: how near, and whether the intervals cover meters left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Bools, Days, Floats, Weather
from analytics.baseline.fit import fit
from analytics.baseline.model import VERSION
from analytics.baseline.placebo import Calibration, score, summed
from analytics.baseline.saving import savings
from analytics.baseline.sufficiency import sufficiency
from app.baseline import days_of
from config.placebos import load_placebos
from ingest.daily_files import read_consumption, read_temperature

DATA = Path(__file__).parents[3] / "shared/data"
LONDON = ZoneInfo("Europe/London")
YEAR = 365
STARTS = range(0, 3 * YEAR, 182)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data {DATA} is not there")


@dataclass(frozen=True)
class Placebos:
    """Of pairs of years (n,): the meter, whether shown, CV(RMSE), share of bias, and score."""

    meter: npt.NDArray[np.int64]
    shown: Bools
    cv: Floats
    bias: Floats
    score: Floats


def station(folder: Path) -> Path:
    table = pq.read_table(DATA / "bedford_air_temperature_hourly_c.parquet")
    path = folder / "temperature.parquet"
    pq.write_table(pa.table({"at": table["datetime"], "temp_c": table["air_temperature [degC]"]}), path)
    return path


def meters(commodity: Commodity, folder: Path) -> tuple[Floats, Days, Weather]:
    name = "gas" if commodity.heats else "electricity"
    zero_is_gap = commodity is Commodity.ELECTRICITY
    table = read_consumption(DATA / f"cambridge_{name}_hourly_kwh.parquet", LONDON, zero_is_gap=zero_is_gap)
    known = read_temperature(station(folder), LONDON)
    temp_c = known.values[:, np.searchsorted(known.day, table.day)]
    return table.values, days_of(table.day, "uk", None), Weather(temp_c=temp_c, station=np.zeros(len(table.names), int))


def years(days: Days) -> Iterator[tuple[Bools, Bools]]:
    """Yield pairs of years that follow each other, as masks of days: one to learn from, one to foretell."""
    for begin in STARTS:
        if begin + 2 * YEAR <= len(days.day):
            place = np.arange(len(days.day)) - begin
            yield (place >= 0) & (place < YEAR), (place >= YEAR) & (place < 2 * YEAR)


def placebos(commodity: Commodity, folder: Path) -> Placebos:
    table = Calibration.from_json(load_placebos())
    rows = []
    energy, days, weather = meters(commodity, folder)
    for train, predict in years(days):
        fits = fit(energy, days, train, commodity, weather)
        known = np.isfinite(fits.energy)
        measured = (known[:, fits.train].sum(1) >= 0.9 * YEAR) & (known[:, predict].sum(1) >= 0.9 * YEAR)
        judged, told = sufficiency(fits, predict), savings(fits, predict[None, :], table)
        off = np.where(known & predict, fits.energy - fits.predicted, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            cv = np.sqrt((off**2).sum(1) / told.days[:, 0]) / (told.actual / told.days)[:, 0]
            columns = (cv, np.abs(told.saving / told.actual)[:, 0], score(fits, predict))
        shown = np.array([judged.sufficient(m) for m in range(len(cv))])
        rows.append(np.stack([np.arange(len(cv)), shown, *columns], axis=1)[measured])
    meter, shown, cv, bias, scores = np.concatenate(rows).T
    return Placebos(meter.astype(int), shown.astype(bool), cv, bias, scores)


@pytest.fixture(scope="module")
def electricity(tmp_path_factory: pytest.TempPathFactory) -> Placebos:
    return placebos(Commodity.ELECTRICITY, tmp_path_factory.mktemp("electricity"))


@pytest.fixture(scope="module")
def gas(tmp_path_factory: pytest.TempPathFactory) -> Placebos:
    return placebos(Commodity.GAS, tmp_path_factory.mktemp("gas"))


def test_years_of_electricity_are_foretold_at_least_as_well_as_by_change_points(electricity: Placebos) -> None:
    assert len(electricity.cv) > 100
    assert np.median(electricity.cv) <= 0.125
    assert np.median(electricity.bias) <= 0.05
    assert electricity.shown.mean() > 0.85


def test_years_of_gas_are_foretold_at_least_as_well_as_by_opendsm(gas: Placebos) -> None:
    assert len(gas.cv) > 15
    assert np.median(gas.cv) <= 0.247


def test_intervals_cover_meters_that_did_not_calibrate_them(electricity: Placebos) -> None:
    shown = electricity.shown & np.isfinite(electricity.score)
    told = summed(electricity.score[shown], electricity.meter[shown], YEAR)
    assert 0.62 <= told.coverage68 <= 0.75
    assert 0.85 <= told.coverage90 <= 0.95


@pytest.mark.parametrize("commodity", [Commodity.ELECTRICITY, Commodity.GAS])
@pytest.mark.parametrize("saved", [0.0, 0.05, 0.1, 0.2])
def test_a_saving_planted_in_real_years_comes_back_within_its_interval(
    commodity: Commodity, saved: float, tmp_path: Path
) -> None:
    table = Calibration.from_json(load_placebos())
    energy, days, weather = meters(commodity, tmp_path)
    inside, significant = [], []
    for train, predict in list(years(days))[::2]:
        planted = fit(np.where(predict, 1 - saved, 1.0) * energy, days, train, commodity, weather)
        shown = [m for m in range(len(energy)) if sufficiency(planted, predict).sufficient(m)]
        told = savings(planted, predict[None, :], table)
        low, high = np.moveaxis(told.interval(90)[shown, 0], -1, 0)
        truth = told.actual[shown, 0] * saved / (1 - saved)
        inside += ((low <= truth) & (truth <= high)).tolist()
        significant += told.significant[shown, 0].tolist()
    assert np.mean(inside) >= 0.85
    assert np.mean(significant) <= 0.15 or saved


def test_the_table_that_ships_was_made_for_these_models_and_covered() -> None:
    table = Calibration.from_json(load_placebos())
    assert table.model_version == VERSION
    for kind in ("electricity", "electricity_calendar", "heating"):
        rows = [row for row in table.kinds[kind] if row.days <= YEAR]
        assert [row.days for row in rows] == [30, 61, 91, 182, 273, 365]
        assert all(0.62 <= row.coverage68 <= 0.75 and 0.85 <= row.coverage90 <= 0.95 for row in rows)


def test_operating_modes_of_the_school_explain_what_temperature_would(tmp_path: Path) -> None:
    load, warm = (pq.read_table(DATA / f"us_school_{name}.parquet") for name in ("eload", "temp"))
    modes = pq.read_table(DATA / "us_school_op_mode.parquet")
    pq.write_table(pa.table({"at": load["time"], "school": load["eload"]}), tmp_path / "load.parquet")
    pq.write_table(pa.table({"at": warm["time"], "temp_f": warm["temp"]}), tmp_path / "warm.parquet")
    pq.write_table(modes.rename_columns(["date", *modes.column_names[1:]]), tmp_path / "modes.parquet")
    table = read_consumption(tmp_path / "load.parquet", None, zero_is_gap=True)
    temp_c = read_temperature(tmp_path / "warm.parquet", None).values
    whole = np.ones(len(table.day), bool)
    weather = Weather(temp_c=temp_c, station=np.zeros(1, int))

    def off(days: Days) -> float:
        fits = fit(table.values, days, whole, Commodity.ELECTRICITY, weather)
        residual = (fits.energy - fits.held_out)[0]
        return float(np.sqrt(np.nanmean(residual**2)) / fits.mean[0])

    blind, told = (off(days_of(table.day, "us", modes)) for modes in (None, tmp_path / "modes.parquet"))
    assert told < 0.85 * blind
    assert told < 0.25
