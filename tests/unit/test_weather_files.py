"""Files of temperatures as stations, archives and people write them."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.errors import InputError, UnitError
from ingest.weather_files import WeatherFiles

PRAGUE = ZoneInfo("Europe/Prague")


def read(text: str, zone: str = "Europe/Prague", encoding: str = "utf-8") -> list[tuple[str, float, int]]:
    found = WeatherFiles().read("meteo.csv", text.encode(encoding), ZoneInfo(zone))
    rows = zip(found.at.astype("datetime64[m]").astype(str), found.temp_c.tolist(), found.span_s.tolist(), strict=True)
    return [(str(at), temp, span) for at, temp, span in rows]


@pytest.mark.parametrize(
    "text",
    [
        "at,temp_c\n2026-01-31T12:00:00+01:00,-3.5\n2026-01-31T13:00:00+01:00,-3\n",
        "at;temp_c\n2026-01-31T11:00:00Z;-3,5\n2026-01-31T12:00:00Z;-3,0\n",
        "\ufeffDatum;Teplota vzduchu [°C]\r\n31.01.2026 12:00;-3,5\r\n31.01.2026 13:00;\u22123\r\n",
        "Datum\tČas\tTeplota\n31. 1. 2026\t12:00:00\t-3.5\n31. 1. 2026\t13:00:00\t-3\n",
        (
            "latitude,longitude,elevation\n50.7,15.0,398\n\ntime,temperature_2m (°C),rain\n"
            "2026-01-31T12:00,-3.5,0\n2026-01-31T13:00,-3.0,0\n"
        ),
        "Okamžik;Teplota (°F)\n2026-01-31 12:00;25.7\n2026-01-31 13:00;26.6\n",
        "at;teplota\n2026-01-31 13:00;-3\n2026-01-31 12:00;-3,5\n\n",
    ],
)
def test_a_file_is_read_whatever_its_dialect(text: str) -> None:
    rows = read(text)
    assert [(at, span) for at, _, span in rows] == [("2026-01-31T11:00", 0), ("2026-01-31T12:00", 0)]
    assert [temp for _, temp, _ in rows] == pytest.approx([-3.5, -3.0], abs=1e-9)


def test_a_file_of_days_holds_means_of_local_days_of_any_length() -> None:
    rows = read("Datum;Teplota\n28.03.2026;1\n29.03.2026;2\n30.03.2026;3\n25.10.2026;4\n")
    assert rows == [
        ("2026-03-28T23:00", 1.0, 86400),
        ("2026-03-29T22:00", 2.0, 82800),
        ("2026-03-30T22:00", 3.0, 86400),
        ("2026-10-25T23:00", 4.0, 90000),
    ]


def test_old_windows_files_are_read_in_their_own_letters() -> None:
    assert read("Okamžik;Teplota\n31.01.2026 12:00;-3,5\n", encoding="cp1250")[0][1] == -3.5


def test_empty_cells_are_not_known_and_the_same_value_twice_counts_once() -> None:
    text = (
        "at;temp_c\n2026-01-31T11:00:00Z;\n2026-01-31T12:00:00Z;null\n2026-01-31T13:00:00Z;1\n2026-01-31T13:00:00Z;1\n"
    )
    assert read(text) == [("2026-01-31T13:00", 1.0, 0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at;temp_c\n2026-01-31T11:00:00Z;-999\n", r"row 2 \('-999'\).*leave the cell empty"),
        ("at;temp_c\n2026-01-31T11:00:00Z;1\n\n2026-01-31T12:00:00Z;mráz\n", r"row 4 \('mráz'\)"),
        ("Datum;Teplota\n31.01.2026 12:00;1\n32.01.2026 12:00;1\n", r"row 3 \('32.01.2026 12:00'\)"),
        ("at;temp_c\n2026-01-31T11:00:00Z;1\n2026-01-31T11:00:00Z;2\n", "two temperatures are given for 2026-01-31T11"),
        ("čas;vlhkost\n2026-01-31T11:00:00Z;1\n", "no columns of times and temperatures"),
        ("", "no columns of times and temperatures"),
        ("Datum;Teplota\n29.03.2026 02:30;1\n", "does not exist in Europe/Prague.*zone of the file"),
    ],
)
def test_what_cannot_be_right_is_told_with_its_row_and_remedy(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(text)


def test_a_column_that_is_no_temperature_is_refused() -> None:
    with pytest.raises(InputError, match="holds no temperature"):
        read("at;temp (kWh)\n2026-01-31T11:00:00Z;1\n")
    with pytest.raises(UnitError):
        read("at;temp (x)\n2026-01-31T11:00:00Z;1\n")


def test_the_repeated_hour_goes_by_the_order_of_the_rows_and_winter_time_all_year_by_its_zone() -> None:
    walls = ["01:00", "02:00", "02:00", "03:00"]
    text = "at;temp_c\n" + "".join(f"2026-10-25 {wall};{n}\n" for n, wall in enumerate(walls))
    assert [at for at, _, _ in read(text)] == [
        f"2026-10-{d}T{h}:00" for d, h in ((24, 23), (25, "00"), (25, "01"), (25, "02"))
    ]
    winter = [at for at, _, _ in read("at;temp_c\n2026-07-01 12:00;20\n", zone="Etc/GMT-1")]
    assert winter == ["2026-07-01T11:00"]


def test_a_year_of_hours_is_read_whole() -> None:
    at = np.arange("2025-01-01T00", "2026-01-01T00", dtype="datetime64[h]")
    text = "time,temp_c\n" + "".join(f"{a}:00,{n % 30 - 10}\n" for n, a in enumerate(at.astype(str)))
    assert len(read(text, zone="UTC")) == 8760
