"""How well the detectors find what was planted, and how often they speak of nothing: `make score`.

Simulated meter-years with faults of known begin; real homes with leaks planted; real homes and buildings as they are.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import numpy.typing as npt

from analytics.anomalies.capacity import QUARTER_US, foretellings, quarter_means
from analytics.anomalies.every import every
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.leak import leaks
from analytics.anomalies.point import Watched, seen
from analytics.baseline.cleaning import Commodity
from config.school_holidays import load_school_holidays
from core.calendar import PRAGUE, micros
from core.registry import Commodity as Kind
from core.units import unit
from ingest.any_series import Series, read_any
from simulators.faults import Fault
from simulators.meter import SimulatedMeter, Stream, canonical_values, read
from simulators.plan import PlannedMeter, planned, sent_in
from simulators.region import SampleRegion, sample_region
from simulators.truth import OPEN_END, FaultKind, FaultTruth

Floats = npt.NDArray[np.float64]
DATA = Path(__file__).parents[2] / "shared" / "data"
START = np.datetime64("2024-03-01", "us")
END = np.datetime64("2025-09-01", "us")
JUDGED_FROM = np.datetime64("2024-09-01", "us")
METERS = 150
DAY_US = 24 * HOUR_US
LITRE = 0.001
COMMODITY = {
    Kind.ELECTRICITY: Commodity.ELECTRICITY,
    Kind.GAS: Commodity.GAS,
    Kind.HEAT: Commodity.HEAT,
    Kind.COLD_WATER: Commodity.WATER,
    Kind.HOT_WATER: Commodity.WATER,
}
SAID = {
    FaultKind.LEAK: {Rule.LEAK, Rule.NEVER_ZERO, Rule.BURST},
    FaultKind.BURST_FLOW: {Rule.BURST, Rule.LEAK},
    FaultKind.STUCK: {Rule.STUCK},
    FaultKind.DEAD: {Rule.DEAD},
    FaultKind.GAP: {Rule.GAP, Rule.DEAD},
    FaultKind.ZERO: {Rule.ZEROED},
    FaultKind.GLITCH: {Rule.SPIKE},
}
KINDS = {
    True: (*[FaultKind.LEAK] * 9, FaultKind.BURST_FLOW, FaultKind.STUCK, FaultKind.DEAD),
    False: (FaultKind.STUCK, FaultKind.DEAD, FaultKind.GAP, FaultKind.STUCK, FaultKind.ZERO, FaultKind.GLITCH),
}
SIZES = ("1x", "2x", "4x", "2 l/h", "5 l/h", "10 l/h", "25 l/h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A planted fault, its name in the table, when it was told (hours after its begin, NaN: never), and by when due."""

    name: str
    delay_h: float
    due_h: float


def days_off() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the public holidays and all days off, in days since 1970."""
    years = range(2024, 2026)
    public = set(holidays.country_holidays("CZ", years=years))
    listed = [np.array(sorted(days), "datetime64[D]") for days in (public, public | load_school_holidays(years))]
    return listed[0].astype(np.int64), listed[1].astype(np.int64)


def watched(meter: SimulatedMeter, stream: Stream) -> Watched:
    """Return what came of a simulated meter, in order of its instants."""
    of = unit(meter.dial.unit)
    at, first = np.unique(micros(stream.at), return_index=True)
    public, off = days_off()
    return Watched(
        at_us=at,
        value=canonical_values(stream)[first],
        dial=True,
        unit=of.canonical,
        zone=PRAGUE,
        quantum=10.0**-meter.dial.decimals * of.scale / of.divisor,
        off=off,
        holidays=public,
    )


def night_noise(hours: Hours, onset_us: int) -> float:
    """Return the 95th percentile of the smallest hourly flows (0 to 6 h) of the 60 nights before an instant."""
    chosen = (hours.start_us >= onset_us - 60 * DAY_US) & (hours.start_us < onset_us) & (hours.hour < 6)
    chosen &= hours.measured
    least = [hours.amount[chosen & (hours.row == row)].min() for row in np.unique(hours.row[chosen])]
    return float(np.quantile(least, 0.95)) if least else 0.0


def meters(region: SampleRegion) -> Iterator[tuple[SimulatedMeter, Commodity]]:
    """Yield the dials that count consumption, with their commodity."""
    kinds = {point.id: point.commodity for point in region.points}
    for one in region.simulated:
        if one.register != "energy.export" and kinds[one.point] in COMMODITY:
            yield one, COMMODITY[kinds[one.point]]


def fault_of(kind: FaultKind, meter: SimulatedMeter, hours: Hours, rng: np.random.Generator) -> Fault:
    """Return a fault of a kind at a random time of the year that is judged."""
    span_s = int((END - JUDGED_FROM) / np.timedelta64(1, "s")) - 20 * 86400
    since = JUDGED_FROM + np.timedelta64(int(rng.integers(0, span_s)), "s")
    until = since + np.timedelta64(int(rng.integers(2 * 86400, 10 * 86400)), "s")
    mean = meter.load.annual / 8766
    noise = max(night_noise(hours, int(micros(since))), LITRE)
    given: dict[FaultKind, tuple[np.datetime64, dict[str, float]]] = {
        FaultKind.LEAK: (until, {"per_hour": round(float(rng.uniform(2, 6)) * noise, 6)}),
        FaultKind.BURST_FLOW: (since + np.timedelta64(8, "h"), {"per_hour": round(40 * mean, 4)}),
        FaultKind.STUCK: (until, {}),
        FaultKind.DEAD: (OPEN_END, {}),
        FaultKind.GAP: (until, {}),
        FaultKind.ZERO: (since + np.timedelta64(3 * meter.dial.interval_s, "s"), {}),
        FaultKind.GLITCH: (since + np.timedelta64(2 * meter.dial.interval_s, "s"), {"factor": 10.0}),
    }
    end, parameters = given[kind]
    return Fault(kind=kind, since=since, until=end, parameters=parameters)


def delay_of(found: list[Finding], truth: FaultTruth) -> float:
    """Return the hours from a fault's begin until it was told, NaN where it never was while it lasted."""
    since = int(micros(truth.since))
    until = int(micros(min(truth.until, END))) + DAY_US
    told = [f.raised_us for f in found if f.rule in SAID[truth.kind] and since < f.raised_us <= until]
    return (min(told) - since) / HOUR_US if told else float("nan")


def false_ones(found: list[Finding], truth: FaultTruth) -> list[Finding]:
    """Return findings raised in the judged year that have nothing to do with the fault."""
    since, until = int(micros(truth.since)), int(micros(min(truth.until, END)))
    judged = int(micros(JUDGED_FROM))
    near = [f for f in found if f.raised_us >= judged]
    return [f for f in near if f.from_us > until + 3 * DAY_US or (f.to_us or until) < since - HOUR_US]


def simulated() -> None:
    """Print precision, recall and delays over simulated meter-years with a fault each."""
    chosen = list(meters(sample_region(11, 24)))[:METERS]
    cases: list[Case] = []
    wrong: list[Finding] = []
    for number, (meter, commodity) in enumerate(chosen):
        rng = np.random.default_rng(1000 + number)
        kinds = KINDS[commodity is Commodity.WATER]
        kind = kinds[int(rng.integers(len(kinds)))]
        coarse = kind in {FaultKind.LEAK, FaultKind.BURST_FLOW}
        clean = watched(meter, read(meter, START, END, every_s=3600))
        of = unit(meter.dial.unit)
        hours = seen(clean, of, zero_is_gap=False).hours
        assert hours is not None
        one = planned(meter, [fault_of(kind, meter, hours, rng)])
        came = watched(meter, sent_in(one, START, END, every_s=3600 if coarse else 0))
        found = every(seen(came, of, zero_is_gap=False), commodity, int(micros(END)))
        interval_h = (3600 if coarse else meter.dial.interval_s) / 3600
        rests = float(np.mean(hours.amount == 0)) > 0.002
        cases.append(
            Case(name=_name(one, rests=rests), delay_h=delay_of(found, one.truth[0]), due_h=2 * interval_h + 1)
        )
        wrong += false_ones(found, one.truth[0])
    _table(cases)
    rate = len(wrong) / len(chosen)
    print(f"false alerts: {len(wrong)} in {len(chosen)} meter-years ({rate:.2f} a meter-year, at most 0.5)")
    for one_wrong in wrong:
        print(f"  {one_wrong.rule} {np.datetime64(one_wrong.from_us, 'us')} {dict(one_wrong.evidence)}")


def _name(one: PlannedMeter, *, rests: bool) -> str:
    kind = one.truth[0].kind
    return f"{kind}, point that rests" if kind is FaultKind.STUCK and rests else str(kind)


def _table(cases: list[Case]) -> None:
    by_name: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_name[case.name].append(case)
    for name, mine in sorted(by_name.items()):
        delay = np.array([c.delay_h for c in mine])
        due = np.array([c.delay_h <= c.due_h for c in mine])
        told = np.isfinite(delay)
        middle = float(np.nanmedian(delay)) if told.any() else np.nan
        print(
            f"{name}: {len(mine)} planted, found {told.mean():.0%}, median {middle:.1f} h,"
            f" within 24 h {np.mean(delay <= 24):.0%}, 48 h {np.mean(delay <= 48):.0%},"
            f" two intervals and an hour {due.mean():.0%}"
        )


def capacity() -> None:
    """Print how many breaches were foretold five minutes before the quarter-hour ended; minutes of simulated loads."""
    start, days = np.datetime64("2025-01-06", "us"), 30
    at = micros(start) + np.arange(days * 1440 + 1) * 60_000_000
    hit = breached = spoken = near = 0
    for number, (meter, commodity) in enumerate(meters(sample_region(3, 12))):
        if commodity is not Commodity.ELECTRICITY:
            continue
        fine = replace(meter, dial=replace(meter.dial, interval_s=60, decimals=6, jitter_s=0, phase_s=0))
        stream = read(fine, start, start + np.timedelta64(days * 1440 + 1, "m"))
        energy = np.interp(at, micros(stream.at), canonical_values(stream))
        noise = np.random.default_rng(number).normal(0, 0.1, len(at) - 1)
        rough = np.diff(energy) * np.exp(np.convolve(noise, np.full(5, 0.45))[: len(noise)])
        counted = np.concatenate([[0.0], np.cumsum(rough)])
        begin, power = quarter_means(at[1:], rough, np.diff(at))
        late = begin >= at[0] + 15 * DAY_US
        reserved = float(np.quantile(power[late], 0.98))
        firsts, _, _ = foretellings(at, counted, reserved)
        told = {int(at[i]) // QUARTER_US: int(at[i]) for i in firsts}
        for q, kw in zip(begin[late].tolist(), power[late].tolist(), strict=True):
            in_time = told.get(q // QUARTER_US, q + QUARTER_US) <= q + 600_000_000
            breached, hit = breached + (kw > reserved), hit + (kw > reserved and in_time)
            spoken, near = spoken + (kw <= reserved and in_time), near + (0.95 * reserved < kw <= reserved and in_time)
    print(
        f"capacity: {breached} breaches, {hit / breached:.0%} foretold five minutes before the end (90 %);"
        f" foretold and kept: {spoken}, of them {near} above 95 % of what is reserved"
    )


def homes() -> list[tuple[Series, Hours]]:
    """Return the real homes with half of their hours measured."""
    zone = ZoneInfo("Europe/Madrid")
    found = []
    for one in read_any(DATA / "daiad_homes_water_hourly_index_litres.parquet", zone, "l"):
        hours = seen(_real(one, zone), one.of, zero_is_gap=False).hours
        if hours is not None and len(hours) > 2000:
            found.append((one, hours))
    return found


def _real(one: Series, zone: ZoneInfo) -> Watched:
    return Watched(
        at_us=one.at_us,
        value=one.value,
        dial=one.dial,
        unit=one.of.canonical,
        zone=zone,
        length_us=one.length_us,
        quantum=one.quantum,
    )


def planted(each: int = 3) -> None:
    """Print how leaks of several sizes planted in real homes at random times are found."""
    rng = np.random.default_rng(5)
    delays: dict[str, list[float]] = {size: [] for size in SIZES}
    for _, hours in homes():
        if hours.measured.mean() < 0.5:
            continue
        for _ in range(each):
            onset = int(rng.integers(80 * 24, len(hours) - 5 * 24))
            noise = max(night_noise(hours, int(hours.start_us[onset])), LITRE)
            for size in SIZES:
                flow = float(size[:-1]) * noise if size.endswith("x") else float(size.split()[0]) * LITRE
                delays[size].append(_delay(hours, onset, flow))
    for size, told in delays.items():
        late = np.array(told)
        print(
            f"real homes, leak of {size:7s}{len(late)} planted, within 24 h {np.mean(late <= 24):.0%},"
            f" 48 h {np.mean(late <= 48):.0%}, median {np.median(late):.0f} h"
        )


def _delay(hours: Hours, onset: int, flow: float) -> float:
    """Return the hours until a constant flow [m³/h] from an hour on is told, infinite where it is not in 72."""
    first = max(0, onset - 250 * 24)
    part = hours.since(first)
    at = onset - first
    counted = np.floor(np.arange(0.0, 73.0) * flow / LITRE + 1e-9) * LITRE
    amount = part.amount[: at + 72].copy()
    amount[at:] += np.diff(counted)
    cut = replace(
        part,
        **{n: getattr(part, n)[: at + 72] for n in ("start_us", "share", "known_us", "day", "hour", "free", "off")},
        amount=amount,
    )
    begin = int(cut.start_us[at])
    told = [f.raised_us for f in leaks(cut, int(cut.known_us[-1])) if f.to_us is None or f.to_us > begin]
    after = [raised for raised in told if raised > begin]
    return (min(after) - begin) / HOUR_US if after else float("inf")


def untouched() -> None:
    """Print what is told of real homes and buildings as they are."""
    zone = ZoneInfo("Europe/Madrid")
    counts: dict[str, int] = defaultdict(int)
    years = 0.0
    for one, hours in homes():
        found = every(seen(_real(one, zone), one.of, zero_is_gap=False), Commodity.WATER, int(one.at_us[-1]))
        years += len(hours) / 8766
        for f in found:
            counts[f.rule] += 1
            if f.rule in {Rule.LEAK, Rule.NEVER_ZERO, Rule.BURST, Rule.STUCK}:
                print(f"  {_told(one, f)}")
    print(f"real homes as they are, {years:.0f} years: {dict(counts)}")
    london = ZoneInfo("Europe/London")
    for one in read_any(DATA / "cambridge_electricity_hourly_kwh.parquet", london, "kWh"):
        made = seen(_real(one, london), one.of, zero_is_gap=True)
        for f in every(made, Commodity.ELECTRICITY, int(one.at_us[-1])):
            print(f"  {_told(one, f)}")


def _told(one: Series, f: Finding) -> str:
    begin = str(np.datetime64(f.from_us, "us"))[:13]
    end = "open" if f.to_us is None else f"{(f.to_us - f.from_us) / HOUR_US:.0f} h"
    return f"{one.key.meter} {f.rule} {begin} {end} loss {f.loss_per_day} {f.unit}/day {dict(f.evidence)}"


def run() -> None:
    """Print all."""
    began = time.perf_counter()
    simulated()
    capacity()
    print(f"simulated in {time.perf_counter() - began:.0f} s")
    if not DATA.is_dir():
        print(f"real data skipped: {DATA} is not there")
        return
    planted()
    untouched()


if __name__ == "__main__":
    run()
