"""`odecet baseline` as a tester uses it: files in, JSON lines out, errors by file and row."""

import csv
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from app.baseline import bridged, span
from app.cli import main
from core.errors import InputError
from ingest.daily_files import read_consumption, read_modes, read_temperature

PRAGUE = ZoneInfo("Europe/Prague")
DAY = np.arange("2018-01-01", "2020-01-01", dtype="datetime64[D]")
Floats = npt.NDArray[np.float64]
Lines = list[dict[str, Any]]
YEARS = ("--train", "2018-01-01/2018-12-31", "--predict", "2019-01-01/2019-12-31")


def climate() -> Floats:
    season = -np.cos(2 * np.pi * (np.arange(len(DAY)) - 20) / 365)
    return np.asarray(10 + 10 * season + np.random.default_rng(3).normal(0, 3, len(DAY)))


def use(temp_c: Floats, saved: float = 0.0) -> Floats:
    weekday = (DAY.astype(int) + 3) % 7
    energy = (100 + 40 * (weekday < 5) + 5 * np.maximum(15 - temp_c, 0)) * np.where(DAY[365] > DAY, 1, 1 - saved)
    return np.asarray(energy * np.exp(np.random.default_rng(4).normal(0, 0.03, len(DAY))))


def temperature(folder: Path, temp_c: Floats, name: str = "temp_c") -> str:
    path = folder / f"{name}.csv"
    path.write_text(f"at,{name}\n" + "".join(f"{d},{t:.3f}\n" for d, t in zip(DAY, temp_c, strict=True)), "utf-8")
    return str(path)


def wide(folder: Path, columns: Mapping[str, Floats]) -> str:
    path = folder / "wide.csv"
    rows = zip(DAY, *columns.values(), strict=True)
    path.write_text(
        f"at,{','.join(columns)}\n" + "".join(",".join(map(str, row)).replace("nan", "") + "\n" for row in rows),
        "utf-8",
    )
    return str(path)


def answered(*options: str) -> Lines:
    done = CliRunner().invoke(main, ["baseline", *options])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(*options: str) -> str:
    done = CliRunner().invoke(main, ["baseline", *options])
    assert done.exit_code == 2, done.output
    return str(done.output)


def test_a_line_per_meter_tells_model_saving_and_intervals(tmp_path: Path) -> None:
    temp_c = climate()
    files = ("--consumption", wide(tmp_path, {"Škola A": use(temp_c, 0.2), "B": use(temp_c)}))
    files += ("--temperature", temperature(tmp_path, temp_c))
    saved, same = answered(*files, *YEARS, "--calendar", "none", "--daily", str(tmp_path / "days.csv"))
    assert (saved["meter"], saved["sufficient"], saved["reasons"]) == ("Škola A", True, [])
    assert saved["train"].items() >= {"from": "2018-01-01", "to": "2018-12-31", "days": 365}.items()
    assert saved["predict"].items() >= {"from": "2019-01-01", "to": "2019-12-31", "days": 365}.items()
    truth = 0.25 * saved["predict"]["actual_kwh"]
    low, high = saved["predict"]["interval90_kwh"]
    assert low < truth < high
    assert low < saved["predict"]["interval68_kwh"][0]
    assert (saved["predict"]["significant"], same["predict"]["significant"]) == (True, False)
    assert sum(m["saving_kwh"] for m in saved["months"]) == pytest.approx(saved["predict"]["saving_kwh"], abs=0.01)
    assert saved["calibration"]["meters"] > 10
    with (tmp_path / "days.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["meter"] == "Škola A" and row["date"] >= "2019"]
    assert sum(float(r["predicted_kwh"]) for r in rows) == pytest.approx(saved["predict"]["predicted_kwh"], abs=0.01)


def test_what_is_not_sufficient_has_no_numbers(tmp_path: Path) -> None:
    temp_c = climate()
    short = np.where(np.datetime64("2018-12-12") > DAY, np.nan, use(temp_c))
    (line,) = answered(
        "--consumption", wide(tmp_path, {"M": short}), "--temperature", temperature(tmp_path, temp_c), *YEARS
    )
    assert line["sufficient"] is False
    assert line["reasons"] == ["not enough data: 20 of 365 training days are measured, 90 % are needed"]
    assert (line["model"], line["months"]) == (None, [])
    numbers = ("predicted_kwh", "saving_kwh", "interval68_kwh", "interval90_kwh")
    assert [line["predict"][name] for name in numbers] == [None] * 4


def test_a_doubled_meter_shows_neither_model_nor_days(tmp_path: Path) -> None:
    temp_c = climate()
    doubled = np.where(DAY[365] > DAY, 1, 2) * use(temp_c)
    files = ("--consumption", wide(tmp_path, {"M": doubled}), "--temperature", temperature(tmp_path, temp_c))
    (line,) = answered(*files, *YEARS, "--daily", str(tmp_path / "days.csv"))
    assert "times the baseline, more than a measure does" in line["reasons"][0]
    assert (line["sufficient"], line["model"], line["train"]["cvrmse"]) == (False, None, None)
    assert line["predict"]["actual_kwh"] == pytest.approx(doubled[365:].sum(), rel=1e-6)
    with (tmp_path / "days.csv").open(encoding="utf-8") as file:
        assert {row["predicted_kwh"] for row in csv.DictReader(file)} == {""}


def test_a_table_without_any_value_gives_reasons(tmp_path: Path) -> None:
    lines = answered("--consumption", wide(tmp_path, {"M": np.full(len(DAY), np.nan)}), *YEARS)
    assert "not enough data: no day of consumption in training" in lines[0]["reasons"]
    assert lines[0]["sufficient"] is False


def test_hourly_long_csv_and_parquet_give_what_daily_gives(tmp_path: Path) -> None:
    temp_c, energy = climate(), use(climate())
    hours = np.arange(DAY[0], DAY[-1] + 1, dtype="datetime64[h]")
    kwh = np.repeat(energy / 24, 24)
    rows = zip(hours, kwh.tolist(), strict=True)
    (tmp_path / "long.csv").write_text("meter,at,kwh\n" + "".join(f"M,{h}:00,{v!r}\n" for h, v in rows), "utf-8")
    table = pa.table({"datetime": hours.astype("datetime64[ns]"), "M": kwh})
    pq.write_table(table, tmp_path / "wide.parquet")
    rest = ("--temperature", temperature(tmp_path, temp_c), *YEARS, "--calendar", "none")
    daily = answered("--consumption", wide(tmp_path, {"M": energy}), *rest)
    for name in ("long.csv", "wide.parquet"):
        (line,) = answered("--consumption", str(tmp_path / name), *rest)
        assert line["predict"]["saving_kwh"] == pytest.approx(daily[0]["predict"]["saving_kwh"], rel=1e-5)


def test_fahrenheit_is_told_and_taken_where_named(tmp_path: Path) -> None:
    temp_c = climate()
    fahrenheit = temp_c * 1.8 + 32
    files = ("--consumption", wide(tmp_path, {"M": use(temp_c)}), *YEARS)
    (wrong,) = answered(*files, "--temperature", temperature(tmp_path, fahrenheit))
    assert "Fahrenheit" in wrong["reasons"][0]
    (right,) = answered(*files, "--temperature", temperature(tmp_path, fahrenheit, "temp_f"))
    assert right["sufficient"] is True


def test_without_temperature_the_calendar_speaks_and_says_so(tmp_path: Path) -> None:
    (line,) = answered("--consumption", wide(tmp_path, {"M": use(np.full(len(DAY), 20.0))}), *YEARS)
    assert line["sufficient"] is True
    assert line["reasons"] == ["no temperature is given: the baseline knows the calendar only"]
    assert line["calibration"]["kind"] == "electricity_calendar"


def test_operating_modes_of_a_file_are_used(tmp_path: Path) -> None:
    temp_c = climate()
    shut = (DAY.astype("datetime64[M]").astype(int) % 12) == 6
    (tmp_path / "modes.csv").write_text(
        "date,shut\n" + "".join(f"{d},{int(s)}\n" for d, s in zip(DAY, shut, strict=True))
    )
    files = ("--consumption", wide(tmp_path, {"M": np.where(shut, 0.3, 1.0) * use(temp_c)}))
    files += ("--temperature", temperature(tmp_path, temp_c), *YEARS)
    (blind,), (told,) = answered(*files), answered(*files, "--day-types", str(tmp_path / "modes.csv"))
    assert told["train"]["cvrmse"] < 0.6 * blind["train"]["cvrmse"]


def test_own_years_before_training_join_the_placebos(tmp_path: Path) -> None:
    day = np.arange("2016-01-01", "2020-01-01", dtype="datetime64[D]")
    temp_c = 10 - 10 * np.cos(2 * np.pi * (np.arange(len(day)) - 20) / 365)
    rng = np.random.default_rng(7)
    columns = {f"m{n}": 100 + 5 * np.maximum(15 - temp_c, 0) + rng.normal(0, 5, len(day)) for n in range(6)}
    at = pa.array(day.astype("datetime64[ns]"))
    pq.write_table(pa.table({"at": at, **columns}), tmp_path / "c.parquet")
    pq.write_table(pa.table({"at": at, "temp_c": temp_c}), tmp_path / "t.parquet")
    lines = answered("--consumption", str(tmp_path / "c.parquet"), "--temperature", str(tmp_path / "t.parquet"), *YEARS)
    assert lines[0]["calibration"]["meters"] == 21 + 6


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2012-01-01/2012-12-31", "2012-01-01", "2012-12-31"),
        ("2012-01-01/2013-01-01", "2012-01-01", "2012-12-31"),
        ("2012-07-01/2012-12-31", "2012-07-01", "2012-12-31"),
        ("2012-07-15/2012-10-15", "2012-07-15", "2012-10-14"),
        ("2012-05-01/2012-05-01", "2012-05-01", "2012-05-01"),
        ("2012-01-01T00:00/2013-01-01T00:00", "2012-01-01", "2012-12-31"),
        ("2011-12-31T23:00Z/2012-12-31T23:00Z", "2012-01-01", "2012-12-31"),
        ("2012-01-01T06:00/2012-01-10T12:00", "2012-01-02", "2012-01-09"),
        ("2012-01-01T00:00:00/2012-12-31T23:59:59", "2012-01-01", "2012-12-31"),
    ],
)
def test_spans_hold_the_days_that_are_meant(text: str, first: str, last: str) -> None:
    days = span(text, "--train", PRAGUE)
    assert (days.first, days.last) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ["2012-01-01", "2012-02-30/2012-03-01", "2013-01-01/2012-01-01", "a/b", "/"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--train"):
        span(text, "--train", PRAGUE)


def written(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, "utf-8")
    return path


def hourly(first: str, end: str, offset: str = "") -> str:
    hours = np.arange(first, end, dtype="datetime64[h]")
    return "meter,at,kwh\n" + "".join(f"M,{h}:00{offset},1.0\n" for h in hours)


def test_days_of_23_and_25_hours_are_whole(tmp_path: Path) -> None:
    table = read_consumption(written(tmp_path, hourly("2019-03-29T23", "2019-10-28T23", "Z")), PRAGUE, zero_is_gap=True)
    by_day = dict(zip(table.day.astype(str), table.values[0], strict=True))
    assert (by_day["2019-03-30"], by_day["2019-03-31"], by_day["2019-10-27"]) == (24.0, 23.0, 25.0)


def test_a_day_lacking_two_hours_is_scaled_and_one_lacking_more_is_missing(tmp_path: Path) -> None:
    rows = hourly("2019-05-01T00", "2019-05-04T00").splitlines(keepends=True)
    table = read_consumption(written(tmp_path, "".join(rows[:30] + rows[32:60] + rows[63:])), None, zero_is_gap=True)
    assert table.values[0].tolist()[:2] == [24.0, pytest.approx(24.0)]
    assert np.isnan(table.values[0, 2])


def test_a_repeated_row_counts_once_and_a_contradiction_not_at_all(tmp_path: Path) -> None:
    text = "meter,at,kwh\nM,2019-05-01,5\nM,2019-05-01,5\nM,2019-05-02,6\nM,2019-05-02,7\nM,2019-05-03,8\n"
    table = read_consumption(written(tmp_path, text), None, zero_is_gap=True)
    assert table.values[0, [0, 2]].tolist() == [5.0, 8.0]
    assert np.isnan(table.values[0, 1])
    assert table.notes == ("1 stamps have two different values: taken as missing",)


def test_zero_hours_are_gaps_of_electricity_alone(tmp_path: Path) -> None:
    text = (
        hourly("2019-05-01T00", "2019-05-03T00").replace("T05:00,1.0", "T05:00,0.0").replace("T06:00,1.0", "T06:00,0")
    )
    path = written(tmp_path, text.replace("T07:00,1.0", "T07:00,0"))
    assert np.isnan(read_consumption(path, None, zero_is_gap=True).values).all()
    assert read_consumption(path, None, zero_is_gap=False).values[0].tolist() == [21.0, 21.0]


def test_meters_that_report_at_different_minutes_and_distances_are_each_read_by_their_own(tmp_path: Path) -> None:
    quarters = np.arange("2019-05-01T00:07", "2019-05-03T00:07", 15, dtype="datetime64[m]")
    text = hourly("2019-05-01T00", "2019-05-03T00") + "".join(f"Q,{at},0.5\n" for at in quarters)
    table = read_consumption(written(tmp_path, text + "D,2019-05-01,7\nD,2019-05-02,8\n"), None, zero_is_gap=True)
    rows = dict(zip(table.names, table.values.tolist(), strict=True))
    assert rows == {"M": [24.0, 24.0], "Q": [48.0, 48.0], "D": [7.0, 8.0]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("meter,at,kwh\nM,2019-05-01,5\nM,2019-05-02,five\n", "column kwh cannot be read in row 3 ('five')"),
        ("meter,at,kwh\nM,1.5.2019,5\n", "column at cannot be read in row 2 ('1.5.2019')"),
        ("meter,at,kwh\n,2019-05-01,5\n", "column meter cannot be read in row 2"),
        ("meter,at,energy\nM,2019-05-01,5\n", "lacks the column kwh"),
        ("meter,kwh\nM,5\n", "lacks the column at"),
        ("at\n2019-05-01\n", "has no column of a meter"),
        ("meter,at,kwh\n", "has no row"),
    ],
)
def test_a_wrong_file_is_refused_with_row_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    message = refused("--consumption", str(written(tmp_path, text)), *YEARS)
    assert told in message
    assert "file.csv" in message


def test_temperature_without_its_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="temp_c"):
        read_temperature(written(tmp_path, "at,celsius\n2019-01-01,5\n"), None)


def test_temperature_of_hours_becomes_the_mean_of_well_measured_days(tmp_path: Path) -> None:
    rows = [f"2019-01-0{d}T{h:02}:00,{h if d == 1 else -999}\n" for d in (1, 2) for h in range(24)]
    table = read_temperature(written(tmp_path, "at,temp_c\n" + "".join(rows)), None)
    assert table.values[0, 0] == 11.5
    assert np.isnan(table.values[0, 1])


def test_modes_may_be_named_by_day(tmp_path: Path) -> None:
    day, modes = read_modes(written(tmp_path, "date,mode\n2019-01-01,holidays\n2019-01-02,\n2019-01-03,camp\n"))
    assert {name: day[flag].astype(str).tolist() for name, flag in modes.items()} == {
        "holidays": ["2019-01-01"],
        "camp": ["2019-01-03"],
    }


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ([1.0, np.nan, np.nan, 4.0], [1.0, 2.0, 3.0, 4.0]),
        ([1.0, np.nan, np.nan, np.nan, 5.0], [1.0, np.nan, np.nan, np.nan, 5.0]),
        ([np.nan, 2.0, 3.0, np.nan], [np.nan, 2.0, 3.0, np.nan]),
        ([np.nan, np.nan], [np.nan, np.nan]),
    ],
)
def test_short_gaps_of_temperature_are_bridged(given: list[float], made: list[float]) -> None:
    np.testing.assert_allclose(bridged(np.array(given)), made)
