"""The meters of a simulation that people start and stop: what was laid on them, how far they have sent."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from core.calendar import instant, moment
from core.errors import InputError
from core.registry import Building, Point
from core.simulations import FaultWish, Planted
from core.simulations import SimulatedMeter as Shown
from simulators.demo_faults import demo_faults
from simulators.fault_forms import FORMS, fault_of
from simulators.faults import Fault
from simulators.meter import SimulatedMeter
from simulators.plan import PlannedMeter, plan
from simulators.region import SampleRegion, sample_region
from simulators.truth import AT_ONCE, OPEN_END, FaultKind, FaultTruth

MARK: Final = "sim-"
"""How the name of every simulated meter begins, but for the demo's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A fault that was laid on a device, by whom and when."""

    device: str
    fault: Fault
    by: str
    at: datetime

    @property
    def names(self) -> tuple[str, FaultKind, np.datetime64]:
        """What it is the only one of."""
        return self.device, self.fault.kind, self.fault.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Meters, the faults they began with and those laid since; all was sent to `reached`.

    `key` names it where it is kept; `new` until its first reading has gone out. `base` are the faults of a region
    that is given, `samples` the instant before which a seed's own samples of every kind are spread.
    """

    key: str
    region: SampleRegion
    began: datetime
    reached: datetime
    base: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    samples: datetime | None = None
    laid: tuple[Laid, ...] = ()
    new: bool = False

    def plans(self) -> tuple[PlannedMeter, ...]:
        """Return what the meters send."""
        base = self.base if self.samples is None else unrecorded(demo_faults(self.region, instant(self.samples)))
        faults = {device: list(some) for device, some in base.items()}
        for one in self.laid:
            faults.setdefault(one.device, []).append(one.fault)
        devices = {meter.device for meter in self.region.simulated}
        return plan(self.region, {device: some for device, some in faults.items() if device in devices})

    def planted(self, plans: Iterable[PlannedMeter]) -> tuple[Planted, ...]:
        """Return the truth about all faults, the newest first."""
        who = {one.names: one for one in self.laid}
        found = []
        for one in plans:
            for truth in one.truth:
                laid = who.get((one.meter.device, truth.kind, truth.since))
                known, by = (laid.at, laid.by) if laid else (self.began, "")
                found.append(_planted(one, truth, known, by))
        return tuple(sorted(found, key=lambda p: (p.since, p.device), reverse=True))

    def only(self, devices: Sequence[str]) -> "Session":
        """Return the session with these meters alone (none named: all); raise InputError for one it does not have."""
        strange = sorted(set(devices) - {meter.device for meter in self.region.simulated})
        if strange:
            raise InputError(
                f"no meter {', '.join(strange)} is in the region", place="devices", remedy="choose from its meters"
            )
        chosen = [meter for meter in self.region.simulated if not devices or meter.device in devices]
        return replace(self, region=replace(self.region, simulated=tuple(chosen)))

    def with_fault(self, wish: FaultWish, by: str, now: datetime) -> tuple["Session", Laid]:
        """Return the session with a fault more; nothing that was sent is changed by it. Raise InputError."""
        meter = next((m for m in self.region.simulated if m.device == wish.device), None)
        if meter is None:
            raise InputError(f"no meter {wish.device!r} is running", place="device", remedy="choose from its meters")
        since = self._begin(wish.since)
        if wish.kind in set(FaultKind) and FORMS[FaultKind(wish.kind)].early and not self.new:
            raise InputError(
                f"{wish.kind} needs another past of the dial, and this meter has sent already",
                place="kind",
                remedy="start a new seed with sample faults",
            )
        laid = Laid(device=wish.device, fault=fault_of(wish, meter, since), by=by, at=now)
        if laid.names in {one.names for one in self.laid}:
            raise InputError("this fault is laid already", place="since", remedy="let another begin later")
        made = replace(self, laid=(*self.laid, laid))
        made.plans()
        return made, laid

    def _begin(self, asked: datetime | None) -> datetime:
        if asked is None:
            whole = self.reached.replace(microsecond=0)
            return whole if whole == self.reached else whole + timedelta(seconds=1)
        if asked < self.reached and not self.new:
            raise InputError(
                f"the meters have sent until {self.reached.isoformat(timespec='seconds')}",
                place="since",
                remedy="let the fault begin later; what was sent stays",
            )
        return asked

    def text(self) -> str:
        """Return what is kept of it: how far it sent, and what was laid."""
        laid = [
            {
                "device": one.device,
                "kind": one.fault.kind,
                "since": _iso(one.fault.since),
                "until": None if one.fault.until >= OPEN_END else _iso(one.fault.until),
                "parameters": dict(one.fault.parameters),
                "by": one.by,
                "at": one.at.isoformat(),
            }
            for one in self.laid
        ]
        said = {"began": self.began.isoformat(), "reached": self.reached.isoformat(), "laid": laid}
        if self.samples is not None:
            said["samples"] = self.samples.isoformat()
        return json.dumps(said, ensure_ascii=False)

    def as_kept(self, text: str) -> "Session":
        """Return the session as it was kept; an empty text is of one that never ran."""
        if not text:
            return self
        said = json.loads(text)
        return replace(
            self,
            began=datetime.fromisoformat(said["began"]),
            reached=datetime.fromisoformat(said["reached"]),
            samples=datetime.fromisoformat(said["samples"]) if "samples" in said else None,
            laid=tuple(_laid(row) for row in said["laid"]),
            new=False,
        )


def _iso(at: Any) -> str:  # noqa: ANN401 - an instant of numpy
    return moment(at).isoformat()


def _laid(row: Mapping[str, Any]) -> Laid:
    fault = Fault(
        kind=FaultKind(row["kind"]),
        since=instant(datetime.fromisoformat(row["since"])),
        until=instant(datetime.fromisoformat(row["until"])) if row["until"] else OPEN_END,
        parameters=row["parameters"],
    )
    return Laid(device=row["device"], fault=fault, by=row["by"], at=datetime.fromisoformat(row["at"]))


def _planted(one: PlannedMeter, truth: FaultTruth, known: datetime, by: str) -> Planted:
    since = moment(truth.since)
    lasts = truth.until >= OPEN_END and truth.kind not in AT_ONCE
    until = since if truth.kind in AT_ONCE else moment(truth.until)
    return Planted(
        device=one.meter.device,
        devices=names_of(one),
        register=truth.register,
        kind=truth.kind.value,
        since=since,
        until=None if lasts else until,
        known_from=max(since, known),
        by=by,
        amount=None if lasts else truth.amount,
        unit=truth.unit,
        detail=truth.detail,
    )


def names_of(one: PlannedMeter) -> tuple[str, ...]:
    """Return every name that a meter sends under, before and after swaps."""
    new = [str(truth.detail.get("new_device") or "") for truth in one.truth]
    return tuple(dict.fromkeys([one.meter.device, *filter(None, new)]))


def marked_region(seed: int, buildings: int) -> SampleRegion:
    """Return a seed's region whose meters send under names that tell them from real ones."""
    region = sample_region(seed, buildings)
    named = tuple(replace(one, device=f"{MARK}{seed}-{one.device}") for one in region.simulated)
    return replace(region, simulated=named)


def unrecorded(faults: Mapping[str, Sequence[Fault]]) -> dict[str, list[Fault]]:
    """Return faults whose swaps nobody wrote down: the register does not know these meters."""

    def changed(fault: Fault) -> Fault:
        if fault.kind is not FaultKind.SWAP:
            return fault
        return replace(fault, parameters={**fault.parameters, "recorded": False})

    return {device: [changed(fault) for fault in some] for device, some in faults.items()}


def shown_meters(region: SampleRegion) -> tuple[Shown, ...]:
    """Return the meters of a region as people choose them."""
    points: dict[str, Point] = {point.id: point for point in region.points}
    buildings: dict[str, Building] = {building.id: building for building in region.buildings}
    return tuple(_shown(one, points[one.point], buildings) for one in region.simulated)


def _shown(one: SimulatedMeter, point: Point, buildings: Mapping[str, Building]) -> Shown:
    return Shown(
        device=one.device,
        register=one.register,
        unit=one.dial.unit,
        commodity=point.commodity.value,
        point=point.name,
        building=buildings[point.building].name,
    )
