"""`odecet curve` as a tester uses it: files in, JSON lines out, errors by row."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from app.cli import main
from core.calendar import moment
from simulators.peers import PeerStream, peer_fault_streams

Lines = list[dict[str, Any]]
Run = Callable[..., Lines]
HEAD = "meter,register,at,value,unit\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return the lines that the command prints for the texts of its files; fail where it does not succeed."""

    def act(*options: str, **files: str) -> Lines:
        done = CliRunner().invoke(main, ["curve", *named(tmp_path, files), *options])
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    return act


def named(folder: Path, files: Mapping[str, str]) -> list[str]:
    options = []
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        options += [f"--{name}", str(path)]
    return options


def readings_of(stream: PeerStream) -> str:
    rows = zip(stream.at.astype(str), stream.dial_kwh.tolist(), strict=True)
    return HEAD + "".join(f"peer,A+,{at}Z,{value!r},kWh\n" for at, value in rows)


def events_of(stream: PeerStream) -> str:
    event = stream.event
    assert event is not None
    return (
        f"meter,at,kind,final,first,new_meter\npeer,{event.at.isoformat()},{event.kind},{event.final},{event.first},\n"
    )


def sum_of(lines: Lines) -> float:
    return sum(line["consumption"] or 0.0 for line in lines)


STREAMS = [pytest.param(s, id=f"{s.name} {kw:.0f} kW") for kw in (30.0, 120.0) for s in peer_fault_streams(kw)]


@pytest.mark.parametrize("stream", STREAMS)
def test_the_month_is_exact_in_every_row_with_what_is_known(run: Run, stream: PeerStream) -> None:
    files = {"readings": readings_of(stream)}
    if stream.event is not None:
        files["events"] = events_of(stream)
    if stream.digits is not None:
        files["meters"] = f"meter,digits,max_kw\npeer,{stream.digits},{stream.max_kw}\n"
    for period in ("quarter-hour", "day", "month", "year"):
        lines = run("--period", period, **files)
        assert sum_of(lines) == pytest.approx(stream.total_kwh, rel=1e-9)
        for line in lines:
            assert line["measured"] + line["estimated"] + line["missing"] == pytest.approx(1.0)
    found = {finding["rule"] for line in lines for finding in line["findings"]}
    assert bool(found) == ("clean" not in stream.name)


@pytest.mark.parametrize("stream", [p for p in STREAMS if p.values[0].event is not None])  # type: ignore[union-attr]
def test_a_swap_that_nobody_recorded_is_asked_and_exact_once_answered(run: Run, stream: PeerStream) -> None:
    readings = readings_of(stream)
    lines = run("--period", "quarter-hour", readings=readings)
    assert all((line["consumption"] or 0.0) >= 0 for line in lines)
    assert 0 <= stream.total_kwh - sum_of(lines) <= 0.002 * stream.total_kwh
    proposals = [f["proposal"] for line in lines for f in line["findings"] if f["rule"] == "break"]
    assert proposals
    assert all(line["consumption"] is None for line in lines if line["missing"] == 1.0)
    answer = proposals[0]
    event = f"meter,at,kind,final,first\npeer,{answer['at']},{answer['kind']},{answer['final']},{answer['first']}\n"
    answered = run("--period", "month", readings=readings, events=event)
    assert sum_of(answered) == pytest.approx(stream.total_kwh, rel=5e-4)
    assert not [f for line in answered for f in line["findings"] if f["rule"] == "break"]
    assert sum_of(run("--period", "month", readings=readings, events=events_of(stream))) == pytest.approx(
        stream.total_kwh, rel=1e-9
    )


def test_days_have_92_96_and_100_quarter_hours(run: Run) -> None:
    for day, count in (("2026-03-29", 92), ("2026-10-25", 100), ("2026-06-01", 96)):
        rows = f"M,,{day}T00:00:00+0{2 if day != '2026-03-29' else 1}:00,0,kWh\n"
        last = f"{day}T23:59:59+0{1 if day == '2026-10-25' else 2}:00"
        lines = run("--period", "quarter-hour", readings=HEAD + rows + f"M,,{last},10,kWh\n")
        assert len(lines) == count


def test_units_registers_and_spellings_are_read(run: Run) -> None:
    text = (
        "\ufeffMeter;register;at;value;unit\n"
        "A;1.8.0;2026-01-01T00:00:00+01:00;1000,5;Wh\nA;1.8.0;2026-01-01T01:00:00+01:00;3 000,5;Wh\n"
        "B;vol;2026-01-01 00:00:00Z;5;l\nB;vol;2026-01-01T01:00:00.123456Z;15;l\n"
        "B;heat;2026-01-01T00:00:00Z;0;GJ\nB;heat;2026-01-01T01:00:00Z;1;GJ\n"
    )
    lines = run("--period", "day", "--zone", "UTC", readings=text)
    assert [(line["meter"], line["register"], line["unit"]) for line in lines] == [
        ("A", "1.8.0", "kWh"),
        ("B", "heat", "kWh"),
        ("B", "vol", "m³"),
    ]
    assert lines[0]["consumption"] == 2.0
    assert lines[1]["consumption"] == pytest.approx(277.777778)
    assert lines[2]["consumption"] == 0.01


def test_a_swap_to_another_meter_ends_one_and_starts_the_other(run: Run) -> None:
    text = HEAD + "".join(f"old,,2026-01-{d:02d}T00:00:00Z,{100 + 10 * d},kWh\n" for d in range(1, 11))
    text += "".join(f"new,,2026-01-{d:02d}T00:00:00Z,{10 * (d - 10) - 5},kWh\n" for d in range(11, 21))
    events = "meter,at,kind,final,first,new_meter\nold,2026-01-10T12:00:00Z,swap,205,0,new\n"
    lines = run("--period", "month", "--zone", "UTC", readings=text, events=events)
    assert {line["meter"]: line["consumption"] for line in lines} == {"old": 95.0, "new": 95.0}


def test_readings_of_1970_and_2064_are_left_out_and_told(run: Run) -> None:
    rows = "M,,1970-01-01T00:00:00Z,0,kWh\nM,,2064-05-01T00:00:00Z,5000,kWh\n"
    rows += "M,,2026-01-01T00:00:00Z,100,kWh\nM,,2026-01-01T01:00:00Z,107,kWh\n"
    lines = run("--period", "day", readings=HEAD + rows)
    assert sum_of(lines) == 7.0
    assert [f["rule"] for line in lines for f in line["findings"]].count("out_of_bounds") == 2


def test_parquet_is_read_as_csv_is(run: Run, tmp_path: Path) -> None:
    stream = peer_fault_streams(30.0)[0]
    table = pa.table(
        {
            "meter": ["peer"] * len(stream.at),
            "register": ["A+"] * len(stream.at),
            "at": pa.array(stream.at.astype("datetime64[us]").astype(int)).cast(pa.timestamp("us", "UTC")),
            "value": stream.dial_kwh,
            "unit": ["kWh"] * len(stream.at),
        }
    )
    path = tmp_path / "stream.parquet"
    pq.write_table(table, path)
    done = CliRunner().invoke(main, ["curve", "--readings", str(path), "--period", "month"])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == run("--period", "month", readings=readings_of(stream))


BROKEN = {
    "naive time": ("M,,2026-01-01T00:00:00,1,kWh\n", "row 2 ('2026-01-01T00:00:00'); write an instant with offset"),
    "no number": (
        "M,,2026-01-01T00:00:00Z,1,kWh\nM,,2026-01-01T01:00:00Z,abc,kWh\n",
        "column value cannot be read in row 3",
    ),
    "empty value": ("M,,2026-01-01T00:00:00Z,,kWh\n", "column value cannot be read in row 2"),
    "not a number": ("M,,2026-01-01T00:00:00Z,nan,kWh\n", "row 2 ('nan'); write a finite number"),
    "infinite": ("M,,2026-01-01T00:00:00Z,inf,kWh\n", "row 2 ('inf')"),
    "unknown unit": ("M,,2026-01-01T00:00:00Z,1,furlong\n", "row 2, column unit: unit 'furlong' is not known"),
    "no unit": ("M,,2026-01-01T00:00:00Z,1,\n", "row 2, column unit"),
    "no meter": (",,2026-01-01T00:00:00Z,1,kWh\n", "column meter cannot be read in row 2"),
    "two quantities": (
        "M,x,2026-01-01T00:00:00Z,1,kWh\nM,x,2026-01-01T01:00:00Z,1,m3\n",
        "row 3, column unit: meter M, register 'x' is written in kWh and in m³",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_in_a_file_is_named_by_row_with_the_remedy(tmp_path: Path, name: str) -> None:
    rows, told = BROKEN[name]
    done = CliRunner().invoke(main, ["curve", *named(tmp_path, {"readings": HEAD + rows})])
    assert done.exit_code == 2
    assert told in done.output
    assert "Traceback" not in done.output


def test_a_file_without_the_columns_is_refused_by_their_names(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["curve", *named(tmp_path, {"readings": "id,value\n1,2\n"})])
    assert done.exit_code == 2
    assert "lacks the column meter, at, unit" in done.output


def test_an_empty_table_gives_no_lines(run: Run) -> None:
    assert run(readings=HEAD) == []


def test_a_late_recorded_day_of_a_swap_is_moved_to_where_the_dial_fell(run: Run) -> None:
    stream = next(s for s in peer_fault_streams(30.0) if s.event is not None)
    assert stream.event is not None
    off = stream.event.at + timedelta(hours=20)
    events = f"meter,at,kind,final,first\npeer,{off.isoformat()},swap,{stream.event.final},{stream.event.first}\n"
    lines = run("--period", "month", readings=readings_of(stream), events=events)
    assert sum_of(lines) == pytest.approx(stream.total_kwh, rel=1e-9)
    assert moment(stream.at[0]) < off


def test_a_swap_of_a_meter_with_two_registers_holds_for_both_and_its_dials_for_one(run: Run) -> None:
    rows = ""
    for hour in range(20):
        shown = 5000 + 10 * hour if hour < 10 else 10 * (hour - 9.5)
        at = f"2026-01-01T{hour:02d}:00:00Z"
        rows += f"H,energy,{at},{shown},kWh\nH,volume,{at},{shown / 100},m3\n"
    events = "meter,at,kind,final,first\nH,2026-01-01T09:30:00Z,swap,5095,0\n"
    energy, volume = run("--period", "day", "--zone", "UTC", readings=HEAD + rows, events=events)
    assert energy["consumption"] == 190.0
    assert volume["unit"] == "m³"
    assert volume["consumption"] == pytest.approx(1.8)
    assert volume["missing"] > energy["missing"]
