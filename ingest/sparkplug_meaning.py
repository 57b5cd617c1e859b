"""What the metrics of a Sparkplug birth mean: by their engineering unit, and by the words of their names.

A metric is the register itself only where every word of its name is understood. A name with other words gets them as a
suffix, two that would be one register both do, and one that speaks of a period, an extreme or a setting is none.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from core.errors import ConfigError, UnitError
from core.units import Quantity, unit
from ingest.codecs.sparkplug import NUMBERS, Metric
from ingest.native_meaning import Meaning, meaning

LONGEST_NAME: Final = 500
LONGEST_PART: Final = 40
"""What a part of a register may have."""

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")
_CONTROL: Final = re.compile(r"(bdSeq|Node Control|Device Control|Node Info|Properties|Node Properties)(/|$)")
_SETTING: Final = frozenset({
    "today", "daily", "yesterday", "week", "weekly", "month", "monthly", "year", "yearly", "annual", "hour", "hourly",
    "last", "previous", "prev", "period", "interval", "partial", "resettable", "trip", "session", "max", "maximum",
    "min", "minimum", "avg", "average", "mean", "peak", "demand", "setpoint", "limit", "threshold", "rated", "nominal",
    "target", "forecast", "predicted", "delta", "difference", "diff",
})  # fmt: skip
_DIRECTIONS: Final = {
    **dict.fromkeys(["import", "imported", "delivered", "consumed", "consumption"], "import"),
    **dict.fromkeys(["export", "exported", "returned", "feedin", "produced", "production"], "export"),
}
_QUANTITIES: Final = {
    **dict.fromkeys(["energy", "energie", "wh", "kwh", "mwh", "gj", "mj"], "energy"),
    **dict.fromkeys(["volume", "m3", "liters", "litres"], "volume"),
    **dict.fromkeys(["power", "w", "kw"], "power"),
    **dict.fromkeys(["flow", "flowrate"], "flow"),
    **dict.fromkeys(["temperature", "temp"], "temperature"),
    **dict.fromkeys(["voltage"], "voltage"),
    **dict.fromkeys(["humidity"], "humidity"),
}
_PLAIN: Final = frozenset({
    "active", "total", "sum", "water", "gas", "heat", "electricity", "electric", "meter", "metering", "counter",
    "register", "index", "reading", "value", "actual", "instantaneous", "rate", "current", "frequency", "cumulative",
    "accumulated", "data", "measurement", "measurements", "inputs",
})  # fmt: skip
_PLACE: Final = re.compile(r"([lt])([1-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """What names that a regular expression finds mean: any of quantity, register and kind; or `skip`: no reading."""

    pattern: str
    quantity: str = ""
    register: str = ""
    kind: str = ""
    skip: bool = False
    _compiled: "re.Pattern[str]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_compiled", re.compile(self.pattern))
        except re.error as err:
            raise ConfigError(f"the rule {self.pattern[:80]!r} of Sparkplug names is wrong: {err}") from err
        fault = meaning(None, self.quantity or None, self.register or None, self.kind or None).fault
        if fault is not None:
            raise ConfigError(f"the rule {self.pattern[:80]!r} of Sparkplug names: {fault.detail}")

    def fits(self, name: str) -> bool:
        """Return whether the rule is about a name."""
        return self._compiled.search(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A metric as its birth defined it: `meaning` is None where it is no reading, and `skip` says why."""

    name: str
    datatype: int
    unit: str | None
    meaning: Meaning | None
    skip: str = ""


def definitions(metrics: Sequence[Metric], rules: Sequence[NameRule]) -> dict[str, Definition]:
    """Return what each named metric of a birth means; no two of them the same register."""
    named = {m.name: m for m in metrics if m.name and len(m.name) <= LONGEST_NAME}
    found = {name: _definition(metric, name, rules, "") for name, metric in named.items()}
    for suffix in (_slug, _tagged):
        shared = Counter(d.meaning.register for d in found.values() if d.meaning is not None)
        for name, known in list(found.items()):
            if known.meaning is not None and shared[known.meaning.register] > 1:
                found[name] = _definition(named[name], name, rules, suffix(name))
    return found


def _definition(metric: Metric, name: str, rules: Sequence[NameRule], suffix: str) -> Definition:
    rule = next((r for r in rules if r.fits(name)), None)
    skip = _skip(metric, name, rule)
    if skip:
        return Definition(name=name, datatype=metric.datatype, unit=metric.unit, meaning=None, skip=skip)
    words = _words(name)
    quantity = (rule.quantity if rule else "") or ("" if metric.unit else _hint(words))
    register = (rule.register if rule else "") or _register(name, words)
    gauge = quantity not in {"", "energy", "volume"}
    kind = (rule.kind if rule else "") or ("gauge" if metric.unit is None and gauge else "")
    register = f"{register}/{suffix}" if suffix and not register.endswith(f"/{suffix}") else register
    meant = meaning(metric.unit, quantity or None, register, kind or None)
    fault = "" if meant.fault is None else f"{meant.fault.key}: {meant.fault.detail}"
    known = None if fault else meant
    return Definition(name=name, datatype=metric.datatype, unit=metric.unit, meaning=known, skip=fault)


def _skip(metric: Metric, name: str, rule: NameRule | None) -> str:
    """Return why a metric is no reading, empty where it may be one."""
    if rule is not None and rule.skip:
        return "a rule leaves it out"
    if metric.datatype not in NUMBERS:
        return "no number"
    if _CONTROL.match(name):
        return "a metric of control"
    if rule is None and _SETTING & set(_words(name)):
        return "a period, an extreme or a setting by its name"
    return _unit_fault(metric.unit, name)


def _unit_fault(text: str | None, name: str) -> str:
    if text is None:
        return ""
    try:
        quantity = unit(text).quantity
    except UnitError:
        return f"the unit {text[:40]!r} measures nothing that is kept"
    if quantity is Quantity.HUMIDITY and "humid" not in name.lower():
        return "a share of something else than humidity"
    return ""


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _hint(words: Sequence[str]) -> str:
    """Return the quantity that a name without unit speaks of, empty where it names none or several."""
    named = {_QUANTITIES[word] for word in words if word in _QUANTITIES}
    return named.pop() if len(named) == 1 else ""


def _register(name: str, words: Sequence[str]) -> str:
    directions = {_DIRECTIONS[word] for word in words if word in _DIRECTIONS}
    places = [f"{found[1]}{found[2]}" for found in map(_PLACE.fullmatch, words) if found]
    known = [w in _DIRECTIONS or w in _QUANTITIES or w in _PLAIN or bool(_PLACE.fullmatch(w)) for w in words]
    direction = directions.pop() if len(directions) == 1 else "total"
    if not all(known) or directions or len(places) != len({p[0] for p in places}):
        return f"{direction}/{_slug(name)}"
    return "/".join([direction, *sorted(places, reverse=True)])


def _slug(name: str) -> str:
    """Return a name as a part of a register; one that is too long or has no letters gets a number of its own."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return slug if 0 < len(slug) <= LONGEST_PART else _tagged(name)


def _tagged(name: str) -> str:
    """Return a name as a part of a register that names alike in letters do not share."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{slug[: LONGEST_PART - 9]}_{_fnv(name):08x}"


def _fnv(text: str) -> int:
    """Return a hash that is the same in every process (FNV-1a, 32 bits)."""
    code = 0x811C9DC5
    for byte in text.encode():
        code = (code ^ byte) * 0x01000193 & 0xFFFFFFFF
    return code
