"""A simulated history in files: readings as `odecet curve` takes them, and the ground truth beside them."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.calendar import instant, micros
from core.registry import DialEvent
from simulators.history import HistoryBatch, history
from simulators.meter import Stream
from simulators.payload import iso_utc
from simulators.plan import PlannedMeter
from simulators.region import max_rate
from simulators.truth import hourly_amounts

_READINGS: Final = "readings"
_EVENT_COLUMNS: Final = ("meter", "at", "kind", "final", "first", "new_meter", "unit")
_METER_COLUMNS: Final = ("meter", "digits", "max_kw", "max_m3_h", "allowed_gap_h")
_SCHEMA: Final = pa.schema(
    [
        ("meter", pa.string()),
        ("register", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("value", pa.float64()),
        ("unit", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in the folder: numbers of readings and of faults, and whether it was stopped before the end."""

    readings: int
    faults: int
    stopped: bool


def _table(stream: Stream) -> Any:  # noqa: ANN401 - pyarrow has no types
    names = pa.DictionaryArray.from_arrays(pa.array(stream.device), pa.array(stream.devices)).cast(pa.string())
    units = pa.DictionaryArray.from_arrays(pa.array(stream.unit), pa.array(stream.units)).cast(pa.string())
    registers = pa.array([stream.register] * len(stream), pa.string())
    at = pa.array(micros(stream.at), pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pa.Table.from_arrays([names, registers, at, pa.array(stream.value), units], schema=_SCHEMA)


class _Csv:
    """Writes readings as CSV, values as the dial shows them."""

    def __init__(self, path: Path) -> None:
        self._out = path.open("w", encoding="utf-8", newline="")
        self._out.write("meter,register,at,value,unit\n")

    def write(self, stream: Stream) -> None:
        heads = [f"{device},{stream.register}," for device in stream.devices]
        tails = [f",{name}\n" for name in stream.units]
        rows = zip(stream.device.tolist(), iso_utc(stream.at), stream.value.tolist(), stream.unit.tolist(), strict=True)
        self._out.writelines(f"{heads[d]}{t},{v!r}{tails[u]}" for d, t, v, u in rows)

    def close(self) -> None:
        self._out.close()


class _Parquet:
    """Writes readings as Parquet, a row group a meter and month."""

    def __init__(self, path: Path) -> None:
        self._out = pq.ParquetWriter(path, _SCHEMA, compression="zstd")

    def write(self, stream: Stream) -> None:
        self._out.write_table(_table(stream))

    def close(self) -> None:
        self._out.close()


class _Sink:
    """A file of readings in the making; it gets its name only when it is whole."""

    def __init__(self, folder: Path, form: Literal["csv", "parquet"]) -> None:
        self._final = folder / f"{_READINGS}.{form}"
        self._part = folder / f"{_READINGS}.{form}.part"
        self._writer: _Csv | _Parquet = _Csv(self._part) if form == "csv" else _Parquet(self._part)

    def __enter__(self) -> Self:
        return self

    def write(self, batch: HistoryBatch) -> int:
        for stream in batch.streams:
            if len(stream):
                self._writer.write(stream)
        return sum(len(s) for s in batch.streams)

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def publish(self) -> None:
        self._part.replace(self._final)


def truth_tables(
    plans: Sequence[PlannedMeter], start: np.datetime64, end: np.datetime64
) -> Iterator[tuple[str, str, str, np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Yield (meter, register, unit, starts of the UTC hours, true amounts) of each dial."""
    for one in plans:
        at, amount = hourly_amounts(one.meter.load, start, end, one.truth)
        yield one.meter.device, one.meter.register, one.meter.dial.canonical_unit, at, amount


def _write_truth(folder: Path, plans: Sequence[PlannedMeter], start: np.datetime64, end: np.datetime64) -> int:
    with pq.ParquetWriter(folder / "truth_hourly.parquet", _SCHEMA, compression="zstd") as out:
        for meter, register, name, at, amount in truth_tables(plans, start, end):
            times = pa.array(micros(at), pa.int64()).cast(pa.timestamp("us", "UTC"))
            texts = [pa.array([text] * len(at), pa.string()) for text in (meter, register, name)]
            out.write_table(pa.Table.from_arrays([*texts[:2], times, pa.array(amount), texts[2]], schema=_SCHEMA))
    faults = [fault for one in plans for fault in one.truth]
    lines = [json.dumps(fault.as_json(), ensure_ascii=False) + "\n" for fault in faults]
    (folder / "truth.jsonl").write_text("".join(lines), encoding="utf-8")
    return len(faults)


def _write_events(folder: Path, plans: Sequence[PlannedMeter], events: Sequence[DialEvent]) -> None:
    units = {one.meter.device: one.meter.dial.canonical_unit for one in plans}
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(_EVENT_COLUMNS)
        rows.writerows(
            [e.meter, e.at.isoformat(), e.kind, e.final, e.first, e.new_device, units.get(e.meter, "")] for e in events
        )


def _facts(one: PlannedMeter) -> Iterator[tuple[str, object, object, object, str]]:
    """Yield a line of meters.csv for each name that a dial publishes under."""
    digits = next((t.detail["digits"] for t in one.truth if "digits" in t.detail), one.meter.dial.digits) or ""
    most = max_rate(one.meter.load)
    energy = one.meter.dial.canonical_unit == "kWh"
    for device in (one.meter.device, *(t.detail["new_device"] for t in one.truth if t.detail.get("new_device"))):
        yield device, digits, most if energy else "", "" if energy else most, ""


def _write_meters(folder: Path, plans: Sequence[PlannedMeter]) -> None:
    lines = {line[0]: line for one in reversed(plans) for line in _facts(one)}
    with (folder / "meters.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(_METER_COLUMNS)
        rows.writerows(lines.values())


def write_history(
    folder: Path,
    plans: Sequence[PlannedMeter],
    start: np.datetime64,
    end: np.datetime64,
    *,
    events: Sequence[DialEvent] = (),
    form: Literal["csv", "parquet"] = "csv",
    fine_since: np.datetime64 | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Written:
    """Write readings.csv (or .parquet), events.csv, meters.csv, truth.jsonl and truth_hourly.parquet to a folder.

    Readings from `start` to `end`, both included, stand month by month, in order of sending within a meter, as the
    dial shows them in its own unit; events of that time, canonical. The truth stands under a meter's first name.
    `progress(done, total)` hears of batches; where `cancelled` says so the readings stay unfinished (.part).
    """
    folder.mkdir(parents=True, exist_ok=True)
    faults = _write_truth(folder, plans, start, end)
    closing = end + np.timedelta64(1, "us")  # the reading at the end closes the last hour
    _write_events(folder, plans, [e for e in events if start <= instant(e.at) < closing])
    _write_meters(folder, plans)
    readings, whole = 0, False
    with _Sink(folder, form) as sink:
        for batch in history(plans, start, closing, fine_since=fine_since):
            readings += sink.write(batch)
            progress(batch.done, batch.total)
            whole = batch.done == batch.total
            if cancelled():
                break
    if whole:
        sink.publish()
    return Written(readings=readings, faults=faults, stopped=not whole)
