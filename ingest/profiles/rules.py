"""Reading rules of a profile, compiled: which keys of a row are readings, and what they mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import UnitError
from core.units import Quantity
from core.units import unit as unit_named
from ingest.native_meaning import Meaning, meaning
from ingest.profiles.conditions import When, when
from ingest.profiles.paths import EMPTY, MISSING, Context, Getter, Node, Step, follow, getter, joined, steps
from ingest.profiles.spec import ReadingSpec
from ingest.profiles.texts import Make, first_of, template
from ingest.profiles.times import TimeRule
from ingest.profiles.values import Read, reader

KEY_LENGTH: Final = 200
PLANS: Final = 5000
_PLAIN: Final = re.compile(r"[a-z0-9_-]+", re.IGNORECASE)
_REGISTER: Final = re.compile(r"[^a-z0-9_/]+")

Text = Make | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRule:
    """A compiled rule; `place` is its key in the profile file."""

    spec: ReadingSpec
    place: str
    read: Read
    condition: When | None
    paths: tuple[tuple[str, Getter], ...]
    keys: re.Pattern[str] | None
    within: Getter | None
    minus: Getter | None
    meter: Make | None
    times: tuple[tuple[int, TimeRule], ...] | None
    span: int | Getter


def reading_rule(spec: ReadingSpec, place: str, times: tuple[tuple[int, TimeRule], ...] | None) -> ReadingRule:
    """Return the compiled rule; raise ValueError for what cannot be."""
    paths = [spec.path] if isinstance(spec.path, str) else spec.path
    if bool(spec.keys) == any(paths):
        raise ValueError("a reading has a path, or an expression of keys")
    for text in (spec.unit_regex, spec.number):
        re.compile(text)
    return ReadingRule(
        spec=spec,
        place=place,
        read=reader(spec),
        condition=when(spec.when),
        paths=tuple((path, getter(path)) for path in paths if path),
        keys=re.compile(spec.keys) if spec.keys else None,
        within=getter(spec.at) if spec.at else None,
        minus=getter(spec.minus) if spec.minus else None,
        meter=first_of(spec.meter) if spec.meter else None,
        times=times,
        span=getter(spec.span_s) if isinstance(spec.span_s, str) else spec.span_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A reading of a row: where its value stands and what it means, as far as that is the same in every row."""

    get: Getter
    field: str
    rule: ReadingRule
    code: int
    texts: tuple[Text, Text, Text] | None
    groups: Mapping[str, str]


class Meanings:
    """Meanings by number; each combination of unit, quantity, register and kind is worked out once."""

    def __init__(self) -> None:
        self.known: list[Meaning] = []
        self._codes: dict[tuple[str | None, ...], int] = {}

    def code(self, unit: str, quantity: str, register: str, kind: str) -> int:
        """Return the number of what these four say together; an empty text says nothing."""
        key = (unit, quantity, register, kind)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self.known)
            direction = _REGISTER.sub("_", register.lower()).strip("_/") or "total"
            self.known.append(meaning(unit or None, quantity or None, _whole(unit, quantity, direction), kind or None))
        return code


def _whole(unit_text: str, quantity: str, direction: str) -> str:
    """Return a direction with its quantity before it, for one may be called as a quantity is (temperature.flow)."""
    try:
        return f"{Quantity(quantity) if quantity else unit_named(unit_text).quantity}.{direction}"
    except (ValueError, UnitError):
        return direction


def unit_of(spec: ReadingSpec, text: str) -> str:
    """Return the unit that a text names, by the rule's expression and table."""
    if spec.unit_regex:
        found = re.search(spec.unit_regex, text[:KEY_LENGTH])
        text = "" if found is None else (found[1] or "" if found.re.groups else found[0])
    return spec.units.get(text, spec.units.get("*", text) if text not in spec.units else text)


@dataclass(slots=True)
class Plan:
    """The entries of rows by their keys: rows of one shape share theirs."""

    rules: Sequence[ReadingRule]
    meanings: Meanings
    _plans: dict[Any, tuple[Entry, ...]] = field(default_factory=dict)
    _within: tuple[Getter | None, ...] = ()
    _fixed: tuple[Entry, ...] | None = None

    def __post_init__(self) -> None:
        self._within = tuple(dict.fromkeys(r.within for r in self.rules if r.keys is not None))
        if not self._within:
            self._fixed = self._make(EMPTY)

    def of(self, row: Context) -> tuple[Entry, ...]:
        """Return the entries of a row."""
        if self._fixed is not None:
            return self._fixed
        if self._within == (None,):
            shape: Node = tuple(row.node) if type(row.node) is dict else ()
        else:
            shape = tuple(_keys_of(row, within) for within in self._within)
        found = self._plans.get(shape)
        if found is None:
            found = self._make(row)
            if len(self._plans) >= PLANS:
                self._plans.clear()
            self._plans[shape] = found
        return found

    def _make(self, row: Context) -> tuple[Entry, ...]:
        claimed: set[str] = set()
        entries: list[Entry] = []
        for rule in self.rules:
            if rule.keys is not None:
                entries += self._of_keys(rule, rule.keys, row, claimed)
            else:
                entries += [] if rule.spec.skip or self._absent(rule, row) else [self._of_paths(rule)]
                claimed.update(path for path, _ in rule.paths)
        return tuple(entries)

    def _absent(self, rule: ReadingRule, row: Context) -> bool:
        """Return whether no row of this shape has a path of a rule: its keys are known, and each path is one key."""
        if None not in self._within or type(row.node) is not dict:
            return False
        return all(_PLAIN.fullmatch(path) and path not in row.node for path, _ in rule.paths)

    def _of_paths(self, rule: ReadingRule) -> Entry:
        first, get = rule.paths[0]
        if len(rule.paths) > 1:
            get = _first_there([g for _, g in rule.paths])
        return self._entry(rule, get, first, {})

    def _of_keys(self, rule: ReadingRule, keys: re.Pattern[str], row: Context, claimed: set[str]) -> list[Entry]:
        """Return an entry for each key that the rule is the first to fit."""
        entries = []
        head = f"{rule.spec.at}." if rule.spec.at else ""
        for key in _keys_of(row, rule.within):
            match = keys.fullmatch(key[:KEY_LENGTH]) if f"{head}{key}" not in claimed else None
            if match is None:
                continue
            if not rule.condition or not rule.spec.skip:
                claimed.add(f"{head}{key}")
            if not rule.spec.skip:
                groups = {
                    name: rule.spec.words.get((text or "").lower(), text or "")
                    for name, text in match.groupdict().items()
                }
                for inner in ("", *rule.spec.inner):
                    get = _at(rule.within, (key, *steps(inner)))
                    entries.append(self._entry(rule, get, head + joined(key, steps(inner)), groups | {"key": key}))
        return entries

    def _entry(self, rule: ReadingRule, get: Getter, place: str, groups: Mapping[str, str]) -> Entry:
        """Return the entry of a place; its meaning is worked out now where every row has the same."""
        spec = rule.spec
        written = (spec.unit, spec.quantity, _chosen(spec.register, groups))
        unit, quantity, register = (template(text, groups) for text in written)
        if spec.unit_at and "key" in groups:
            unit = _beside([_at(rule.within, _way(text, groups["key"])) for text in spec.unit_at], unit)
        texts: tuple[Text, Text, Text] | None = (unit, quantity, register)
        code = -1
        if isinstance(unit, str) and isinstance(quantity, str) and isinstance(register, str):
            code = self.meanings.code(unit_of(spec, unit), quantity, register, spec.kind)
            texts = None
        return Entry(get=get, field=place, rule=rule, code=code, texts=texts, groups=groups)


def _chosen(register: str, groups: Mapping[str, str]) -> str:
    """Return a register without the parts in brackets whose group is empty: import[/t{tariff}]."""

    def part(match: re.Match[str]) -> str:
        named = re.findall(r"\{(\w+)\}", match[1])
        return match[1] if all(groups.get(name) != "" for name in named) else ""

    return re.sub(r"\[([^\[\]]*)\]", part, register)


def _keys_of(row: Context, within: Getter | None) -> tuple[str, ...]:
    node = row.node if within is None else within(row)
    return tuple(node) if type(node) is dict else ()


def _at(within: Getter | None, way: tuple[Step, ...]) -> Getter:
    """Return what finds the place at a way below a row, or below an object in it."""
    key = way[0]
    if within is None and len(way) == 1:
        return lambda row: row.node.get(key, MISSING)
    if within is None:
        return lambda row: follow(row.node, way)
    return lambda row: follow(within(row), way)


def _way(text: str, key: str) -> tuple[Step, ...]:
    """Return the keys of a path beside a key, which stands in it as {key}."""
    return tuple(part.replace("{key}", key) for part in text.split("."))


def _beside(places: Sequence[Getter], otherwise: Text) -> Make:
    """Return what makes the unit: the first text that is at one of these places, else as the rule says."""

    def make(row: Context) -> str | None:
        for get in places:
            found = get(row)
            if type(found) is str and found.strip():
                return found.strip()
        return otherwise if isinstance(otherwise, str) else otherwise(row)

    return make


def _first_there(gets: Sequence[Getter]) -> Getter:
    def get(row: Context) -> Node:
        for one in gets:
            value = one(row)
            if value is not MISSING and value is not None and value != "":
                return value
        return MISSING

    return get


def said(texts: tuple[Text, Text, Text], row: Context) -> tuple[str, str, str]:
    """Return unit, quantity and register of a row; what is missing is empty, a register then `total`."""
    unit, quantity, register = (t if isinstance(t, str) else t(row) or "" for t in texts)
    return unit, quantity, register
