"""`odecet detect` on files: dials and amounts, long and wide, what comes out and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from app.cli import main
from core.calendar import PRAGUE, local

START = np.datetime64("2025-01-06T00:00", "us")
HOUR = np.timedelta64(1, "h")


def detect(path: Path, *options: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(main, ["detect", "--readings", str(path), *options])
    assert done.exit_code == 0, done.output + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def water(days: int, leak_from: int, litres_h: int) -> tuple[np.ndarray, np.ndarray]:
    """Return hourly instants and a dial [l]: use by day, a leak from an hour on."""
    at = START + np.arange(days * 24) * HOUR
    hour = local(at, PRAGUE).astype("datetime64[h]").astype(int) % 24
    use = np.where((hour > 6) & (hour < 18), np.random.default_rng(4).integers(20, 400, len(at)), 0)
    use[leak_from:] += litres_h
    return at, 1000 + np.cumsum(use)


def write_long(path: Path, at: np.ndarray, dial: np.ndarray, unit: str) -> None:
    stamps = [f"{text}Z" for text in np.datetime_as_string(at, "s")]
    columns = {"meter": ["A"] * len(at), "register": ["volume.total"] * len(at), "at": stamps, "value": dial}
    pacsv.write_csv(pa.table({**columns, "unit": [unit] * len(at)}), path)


def test_leak_in_dials_is_a_line_with_all_that_was_promised(tmp_path: Path) -> None:
    at, dial = water(100, 80 * 24, 30)
    write_long(tmp_path / "r.csv", at, dial, "l")
    [line] = detect(tmp_path / "r.csv", "--commodity", "water")
    assert list(line)[:4] == ["meter", "register", "rule", "from"]
    assert (line["meter"], line["rule"], line["to"], line["unit"]) == ("A", "leak", None, "m³")
    assert line["loss_per_day"] == pytest.approx(0.72, rel=0.1)
    assert line["check"] == "check.leak"
    assert line["severity"] in {"low", "medium", "high"}
    assert line["evidence"]["own_nights_p95"] == 0


def test_what_comes_after_to_is_not_looked_at_and_from_leaves_out_what_had_ended(tmp_path: Path) -> None:
    at, dial = water(100, 80 * 24, 30)
    write_long(tmp_path / "r.csv", at, dial, "l")
    file = (tmp_path / "r.csv", "--commodity", "water")
    assert detect(*file, "--to", str(at[80 * 24 - 1])) == []
    assert [x["rule"] for x in detect(*file, "--to", str(at[81 * 24 + 2]))] == ["leak"]
    ended = dial.copy()
    ended[90 * 24 :] -= 30 * np.arange(1, 10 * 24 + 1)
    write_long(tmp_path / "e.csv", at, ended, "l")
    assert len(detect(tmp_path / "e.csv", "--commodity", "water")) == 1
    assert detect(tmp_path / "e.csv", "--commodity", "water", "--from", "2025-04-10") == []


def test_wide_dials_without_offset_and_unit_are_read_as_told(tmp_path: Path) -> None:
    at, dial = water(100, 80 * 24, 30)
    table = pa.table({"t": pa.array(local(at, PRAGUE)), "A": dial, "B": dial[::-1].copy()[::-1] * 1.0})
    pq.write_table(table, tmp_path / "w.parquet")
    lines = detect(tmp_path / "w.parquet", "--commodity", "water", "--unit", "l")
    assert [(x["meter"], x["rule"]) for x in lines] == [("A", "leak"), ("B", "leak")]


def test_meter_silent_at_the_end_of_the_file_is_dead_and_zeros_of_electricity_are_found(tmp_path: Path) -> None:
    at = START + np.arange(24 * 60) * HOUR
    load = 20 + 10 * np.sin(np.arange(len(at)) / 24 * 2 * np.pi) + np.random.default_rng(1).random(len(at))
    dead, zeros = load.copy(), load.copy()
    dead[-100:] = np.nan
    zeros[900:930] = 0
    pq.write_table(pa.table({"datetime": pa.array(at), "d": dead, "z": zeros, "n": load}), tmp_path / "w.parquet")
    lines = detect(tmp_path / "w.parquet", "--commodity", "electricity", "--zone", "UTC")
    assert [(x["meter"], x["rule"], x["to"] is None) for x in lines] == [("d", "dead", True), ("z", "zeroed", False)]


def test_file_of_another_commodity_is_refused_with_a_remedy(tmp_path: Path) -> None:
    at, dial = water(20, 480, 0)
    write_long(tmp_path / "r.csv", at, dial, "l")
    done = CliRunner().invoke(main, ["detect", "--readings", str(tmp_path / "r.csv"), "--commodity", "electricity"])
    assert done.exit_code == 2
    assert "--commodity" in done.stderr
