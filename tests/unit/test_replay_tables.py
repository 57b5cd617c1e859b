import json
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, UnitError
from simulators.payload import Message, iso_utc, topic_of
from simulators.replay import Replay, ReplayOptions, load_replay, replay_messages

DATA = Path(__file__).parents[2].parent / "shared" / "data"
AMOUNTS = ReplayOptions(what="amounts", unit="kWh", register="energy.import")


def wide(path: Path, columns: dict[str, list[float | None]], start: str = "2024-01-01T00:00") -> Path:
    count = len(next(iter(columns.values())))
    at = np.datetime64(start, "us") + np.arange(count) * np.timedelta64(1, "h")
    pq.write_table(pa.table({**columns, "datetime": pa.array(at.astype("datetime64[us]"))}), path)
    return path


def of_meter(replay: Replay, name: str) -> tuple[list[str], list[float]]:
    chosen = replay.meter == replay.meters.index(name)
    return [str(t) for t in replay.at[chosen].astype("datetime64[m]")], replay.value[chosen].tolist()


def objects(messages: list[Message]) -> list[dict[str, object]]:
    out = []
    for message in messages:
        body = json.loads(message.payload)
        out += body.get("readings", [body])
    return out


def test_amounts_become_a_dial_at_the_ends_of_their_hours(tmp_path: Path) -> None:
    replay = load_replay(wide(tmp_path / "a.parquet", {"b": [1.5, 2.0, 0.25]}), AMOUNTS)
    at, value = of_meter(replay, "b")
    assert value == [0.0, 1.5, 3.5, 3.75]
    assert at == [f"2024-01-01T{hour:02}:00" for hour in range(4)]


def test_amounts_stamped_at_the_end_give_the_same_dial_an_hour_earlier(tmp_path: Path) -> None:
    options = ReplayOptions(what="amounts", unit="kWh", stamp="end", first_dial=100.0)
    at, value = of_meter(load_replay(wide(tmp_path / "a.parquet", {"b": [1.5, 2.0]}), options), "b")
    assert at[0] == "2023-12-31T23:00"
    assert value == [100.0, 101.5, 103.5]


def test_a_missing_amount_gives_no_reading_inside_the_gap_and_keeps_every_known_hour(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.parquet", {"b": [1.0, None, None, 2.0], "c": [None, 5.0, None, 1.0]})
    replay = load_replay(path, AMOUNTS)
    assert of_meter(replay, "b") == (
        ["2024-01-01T00:00", "2024-01-01T01:00", "2024-01-01T03:00", "2024-01-01T04:00"],
        [0.0, 1.0, 1.0, 3.0],
    )
    assert of_meter(replay, "c")[0][0] == "2024-01-01T01:00"
    assert "gaps in amounts: 2" in replay.notes
    open_ended = ReplayOptions(what="amounts", unit="kWh", gaps="open")
    assert of_meter(load_replay(path, open_ended), "b")[1] == [0.0, 1.0, 3.0]


def test_zeros_are_missing_where_the_source_is_said_to_write_them_so(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.parquet", {"b": [1.0, 0.0, 2.0]})
    assert len(load_replay(path, AMOUNTS)) == 4
    options = ReplayOptions(what="amounts", unit="kWh", zero_is_missing=True, gaps="open")
    assert of_meter(load_replay(path, options), "b")[1] == [0.0, 1.0, 3.0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(0, 5000, width=32)), min_size=2, max_size=120), st.floats(0, 1e6))
def test_dial_differences_are_the_amounts(amounts: list[float | None], first: float) -> None:
    known = [a for a in amounts if a is not None]
    if not known:
        return
    table = {"b": pa.array(amounts, pa.float32())}
    at = np.datetime64("2024-01-01", "us") + np.arange(len(amounts)) * np.timedelta64(3600, "s")
    table["at"] = pa.array(at.astype("datetime64[us]"))
    replay = _loaded(pa.table(table), ReplayOptions(what="amounts", unit="kWh", first_dial=first, period_s=3600))
    rise = dict(zip(replay.at.tolist(), replay.value.tolist(), strict=True))
    for moment, amount in zip(at.astype("datetime64[us]").tolist(), amounts, strict=True):
        end = moment + np.timedelta64(3600, "s").item()
        if amount is not None:
            tolerance = 1e-12 * amount + 2 * np.spacing(rise[end])
            assert abs(rise[end] - rise[moment] - float(np.float32(amount))) <= tolerance
        else:
            assert end not in rise or moment not in rise or rise[end] == rise[moment]


def _loaded(table: pa.Table, options: ReplayOptions) -> Replay:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.parquet"
        pq.write_table(table, file)
        return load_replay(file, options)


def test_readings_of_all_meters_go_out_in_order_of_time_in_batches(tmp_path: Path) -> None:
    replay = load_replay(wide(tmp_path / "a.parquet", {"b": [1.0] * 5, "c": [2.0] * 5}), AMOUNTS)
    sent = list(replay_messages(replay, per_message=5))
    assert [m.readings for m in sent] == [5, 5, 2]
    assert {m.topic for m in sent} == {"odecet/batch"}
    said = objects(sent)
    assert [o["at"] for o in said] == sorted(str(o["at"]) for o in said)
    assert said[0] == {
        "meter": "b", "at": "2024-01-01T00:00:00Z", "value": 0, "unit": "kWh", "register": "energy.import",
    }  # fmt: skip
    single = list(replay_messages(replay, per_message=1))
    assert {m.topic for m in single} == {"odecet/b", "odecet/c"}
    assert objects(single) == said


def test_values_in_messages_read_back_as_the_same_numbers(tmp_path: Path) -> None:
    values = [0.1, 80.30000305175781, 1e-9, 123456.7, 3.0]
    replay = load_replay(wide(tmp_path / "a.parquet", {"b": values}), AMOUNTS)
    assert [float(str(o["value"])) for o in objects(list(replay_messages(replay)))] == replay.value.tolist()


def test_a_cursor_goes_on_exactly_after_its_reading(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.parquet", {"b": [1.0] * 30, "c": [2.0] * 30})
    replay = load_replay(path, AMOUNTS)
    whole = list(replay_messages(replay, per_message=7))
    rest = list(replay_messages(replay, per_message=7, cursor=whole[3].cursor))
    assert objects(rest) == objects(whole[4:])
    assert list(replay_messages(replay, cursor=whole[-1].cursor)) == []
    other = load_replay(path, ReplayOptions(what="amounts", unit="Wh"))
    with pytest.raises(InputError, match="another file or other options"):
        list(replay_messages(other, cursor=whole[3].cursor))


def test_a_long_table_of_dials_keeps_units_registers_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "meter,register,at,value,unit\n"
        "w,volume.total,2024-03-31T01:30:00+01:00,12.5,m³\n"
        "e,energy.import,2024-03-31T03:30:00+02:00,7,Wh\n"
        "w,volume.total,2024-03-31T03:30:00+02:00,3,m³\n"
        "w,volume.total,2024-03-31T04:30:00+02:00,,m³\n",
        encoding="utf-8",
    )
    replay = load_replay(path, ReplayOptions(what="dials"))
    said = objects(list(replay_messages(replay)))
    assert [(o["meter"], o["at"], o["value"], o["unit"]) for o in said] == [
        ("w", "2024-03-31T00:30:00Z", 12.5, "m³"),
        ("w", "2024-03-31T01:30:00Z", 3, "m³"),
        ("e", "2024-03-31T01:30:00Z", 7, "Wh"),
    ]
    assert "rows without a value: 1" in replay.notes


def test_czech_csv_with_semicolons_decimal_commas_and_local_times_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("Datum;b\n31.01.2024 00:00;1,5\n31.01.2024 01:00;2,25\n", encoding="utf-8")
    options = ReplayOptions(what="amounts", unit="kWh", zone="Europe/Prague")
    assert of_meter(load_replay(path, options), "b") == (
        ["2024-01-30T23:00", "2024-01-31T00:00", "2024-01-31T01:00"],
        [0.0, 1.5, 3.75],
    )


def test_local_hours_of_the_autumn_change_are_both_replayed(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    hours = ["00", "01", "02", "02", "03"]
    rows = "".join(f"2024-10-27T{hour}:00,1.0\n" for hour in hours)
    path.write_text(f"at,b\n{rows}", encoding="utf-8")
    replay = load_replay(path, ReplayOptions(what="amounts", unit="kWh", zone="Europe/Prague"))
    assert of_meter(replay, "b")[1] == [0, 1, 2, 3, 4, 5]
    assert np.all(np.diff(replay.at) == np.timedelta64(1, "h"))


@pytest.mark.parametrize("stamp", ["start", "end"])
def test_local_days_of_23_and_25_hours_and_months_follow_on_each_other(tmp_path: Path, stamp: str) -> None:
    for days in (
        ["2024-03-29", "2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"],
        ["2024-10-26", "2024-10-27", "2024-10-28", "2024-10-29"],
        ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01", "2024-06-01"],
    ):
        path = tmp_path / "r.csv"
        path.write_text("at,b\n" + "".join(f"{day}T00:00,10\n" for day in days), encoding="utf-8")
        options = ReplayOptions(what="amounts", unit="kWh", zone="Europe/Prague", stamp=stamp)  # type: ignore[arg-type]
        replay = load_replay(path, options)
        assert replay.value.tolist() == [10.0 * n for n in range(len(days) + 1)]
        local = [str(t) for t in replay.at.astype("datetime64[h]")]
        assert all(t.endswith(("T22", "T23")) for t in (local[:-1] if stamp == "start" else local[1:]))
        assert not any("gaps" in note for note in replay.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "at,b\n2024-01-01T00:00,1\n2024-01-01T01:00,x\n2024-01-01T02:00,3\n",
            r"r\.csv, column b, row 3: 'x' is no num",
        ),
        ("at,b\n2024-01-01T00:00,1\n2024-01-01T01:00,-2\n", r"column b, row 3: negative amount -2"),
        ("at,b\n2024-01-01T00:00,1\n2024-01-01T00:00,2\n", r"column b, row 3: the same period twice"),
        ("at,b\n2024-01-01T00:00,1\nyesterday,2\n", r"column at, row 3: 'yesterday' is no time"),
        ("at,b\n2024-01-01T00:00,1\n,2\n", r"column at, row 3: there is no time"),
        ("at,b\n2024-01-01T00:00,1\n", "period of the amounts is not known"),
        ("a,b\n1,2\n", "no column of times"),
        ("at,b\n2024-01-01T00:00,1\n2024-01-01T01:00\n", "cannot be read"),
        ("at,b\n2024-01-01T00:00,\n2024-01-01T01:00,\n", "there are no values"),
    ],
)
def test_what_cannot_be_right_is_named_by_file_column_and_row(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        load_replay(path, AMOUNTS)


def test_a_unit_that_is_stated_nowhere_or_unknown_is_refused(tmp_path: Path) -> None:
    path = wide(tmp_path / "a.parquet", {"b": [1.0, 2.0]})
    with pytest.raises(InputError, match="unit is stated nowhere"):
        load_replay(path, ReplayOptions(what="amounts"))
    with pytest.raises(UnitError):
        load_replay(path, ReplayOptions(what="amounts", unit="kilohours"))
    with pytest.raises(InputError, match="no such file"):
        load_replay(tmp_path / "none.csv", AMOUNTS)


def test_negative_amounts_can_be_skipped(tmp_path: Path) -> None:
    options = ReplayOptions(what="amounts", unit="kWh", negative="skip")
    replay = load_replay(wide(tmp_path / "a.parquet", {"b": [1.0, -5.0, 2.0]}), options)
    assert replay.value[-1] == 3.0
    assert "negative amounts: 1" in replay.notes


def test_instants_and_topics_are_written_as_mqtt_and_iso_want_them() -> None:
    at = np.array(["2024-01-01T00:00:00", "2024-01-01T00:00:00.25"], "datetime64[us]")
    assert iso_utc(at) == ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.250000Z"]
    assert topic_of("a/b+c#") == "odecet/a_b_c_"


@pytest.mark.parametrize(
    ("name", "meters"), [("cambridge_electricity_hourly_kwh", 21), ("cambridge_gas_hourly_kwh", 8)]
)
def test_real_hours_days_and_years_have_the_sums_of_the_source(name: str, meters: int) -> None:
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    replay, table = load_replay(path, AMOUNTS), pq.read_table(path)
    assert len(replay.meters) == meters
    start = table["datetime"].to_numpy()[0].astype("datetime64[us]")
    for code, name_ in enumerate(replay.meters):
        source = table[name_].to_numpy().astype(np.float64)
        chosen = replay.meter == code
        at, dial = replay.at[chosen], replay.value[chosen]
        edges = start + np.arange(len(source) + 1) * np.timedelta64(1, "h")
        place = np.searchsorted(at, edges, side="right") - 1
        curve = np.where(place >= 0, dial[np.clip(place, 0, None)], 0.0)
        for hours in (1, 24, 8736):
            count = len(source) // hours * hours
            sums = np.nansum(source[:count].reshape(-1, hours), axis=1)
            rises = np.diff(curve[: count + 1 : hours])
            np.testing.assert_allclose(rises, sums, rtol=1e-9, atol=1e-8)


def test_real_water_dials_come_with_their_falls() -> None:
    path = DATA / "daiad_homes_water_hourly_index_litres.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    options = ReplayOptions(what="dials", unit="l", register="volume.total", zone="Europe/Madrid")
    replay = load_replay(path, options)
    table = pq.read_table(path)
    assert len(replay) == table.num_rows
    assert len(replay.meters) == 22
    assert replay.value.sum() == table["meter reading"].to_numpy().sum()
    assert np.all(np.diff(replay.at) >= np.timedelta64(0, "us"))
