"""A profile file to what reads by it: every path, text, expression and time compiled once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from core.errors import OdecetError
from ingest.profiles.conditions import ConditionError, When, when
from ingest.profiles.forms import Parse, form
from ingest.profiles.load import Source
from ingest.profiles.paths import EACH, EMPTY, Getter, Step, getter, steps
from ingest.profiles.rules import Meanings, Plan, ReadingRule, reading_rule
from ingest.profiles.spec import IgnoreSpec, ReadingSpec, RowSpec, TimeSpec
from ingest.profiles.texts import Make, first_of
from ingest.profiles.times import TimeRule, time_rule
from ingest.profiles.topics import Pattern, pattern

T = TypeVar("T")
_WRONG: Final = (ValueError, re.error, OdecetError)
DEEPEST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Messages that say nothing to be stored."""

    reason: str
    topics: tuple[Pattern, ...]
    condition: When | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRule:
    """Rows of messages: where they are, what they must be, whose readings of when they hold."""

    way: tuple[Step, ...]
    zip: tuple[str, ...]
    topics: tuple[Pattern, ...]
    condition: When | None
    meter: Make | None
    times: tuple[tuple[int, TimeRule], ...]
    suspect: When | None
    named: Getter | None
    name_at: str
    skip: str
    reject: str
    detail: Make
    plan: Plan
    within: "tuple[RowRule, ...]"
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A profile ready to read."""

    topics: tuple[Pattern, ...]
    condition: When | None
    ignore: tuple[Ignore, ...]
    parse: Parse
    rows: tuple[RowRule, ...]
    times: tuple[TimeRule, ...]
    meanings: Meanings


def compiled(source: Source, fragments: Mapping[str, Source]) -> Compiled:
    """Return a profile compiled, with the fragments that it uses; raise ProfileError naming file, line and key."""
    return _Compiler(source, fragments).profile()


class _Compiler:
    """Compiles one profile; numbers its time rules and meanings."""

    def __init__(self, source: Source, fragments: Mapping[str, Source]) -> None:
        self._source = source
        self._fragments = fragments
        self._times: list[TimeRule] = []
        self._meanings = Meanings()

    def profile(self) -> Compiled:
        """Return the whole."""
        spec, source = self._source.spec, self._source
        if not spec.match.topics and not spec.match.anywhere:
            raise source.wrong("match.topics", "the profile reads no topic", "name topics, or set anywhere = true")
        if spec.match.anywhere and not spec.match.when:
            raise source.wrong("match.anywhere", "would take any message", "say in match.when how its payload is known")
        if not spec.rows:
            raise source.wrong("rows", "the profile reads nothing", "add [[rows]] with [[rows.readings]]")
        return Compiled(
            topics=self._topics(spec.match.topics, source, "match.topics"),
            condition=self._when(spec.match.when, source, "match.when"),
            ignore=tuple(self._ignore(one, f"ignore[{n}]") for n, one in enumerate(spec.ignore)),
            parse=self._guard(lambda: form(spec.decode), source, "decode"),
            rows=tuple(self._row(row, source, f"rows[{n}]") for n, row in enumerate(spec.rows)),
            times=tuple(self._times),
            meanings=self._meanings,
        )

    def _guard(self, make: Callable[[], T], source: Source, key: str) -> T:
        """Return what is made; a mistake is told with its key."""
        try:
            return make()
        except ConditionError as err:
            raise source.wrong(f"{key}.{err.path}", str(err)) from err
        except _WRONG as err:
            raise source.wrong(key, str(err)) from err

    def _topics(self, texts: Sequence[str], source: Source, key: str) -> tuple[Pattern, ...]:
        return tuple(self._guard(partial(pattern, t), source, key) for t in texts)

    def _when(self, conditions: Mapping[str, Any], source: Source, key: str) -> When | None:
        found: When | None = self._guard(lambda: when(conditions), source, key)
        return found

    def _ignore(self, spec: IgnoreSpec, key: str) -> Ignore:
        if not spec.topics and not spec.when:
            raise self._source.wrong(key, "would ignore every message", "give topics, or when")
        return Ignore(
            reason=spec.reason,
            topics=self._topics(spec.topics, self._source, f"{key}.topics"),
            condition=self._when(spec.when, self._source, f"{key}.when"),
        )

    def _row(self, spec: RowSpec, source: Source, key: str, depth: int = 0) -> RowRule:
        """Return a row rule."""
        if sum(map(bool, (spec.use, spec.readings, spec.skip, spec.reject))) != 1:
            why = "has none or several of: readings, a fragment to use, skip, reject"
            raise source.wrong(key, why, "give one of them")
        way = self._guard(lambda: _way(spec.each), source, f"{key}.each")
        meter = self._guard(lambda: first_of(spec.meter), source, f"{key}.meter") if spec.meter else None
        if meter is None and depth == 0 and any(not r.meter for r in spec.readings):
            raise source.wrong(f"{key}.meter", "no meter is named", 'say whose readings they are, as in "{id}"')
        return RowRule(
            way=way,
            zip=tuple(spec.zip),
            topics=self._topics(spec.topics, source, f"{key}.topics"),
            condition=self._when(spec.when, source, f"{key}.when"),
            meter=meter,
            times=self._times_of(spec.time, source, f"{key}.time"),
            suspect=self._when(spec.suspect, source, f"{key}.suspect"),
            named=self._guard(lambda: getter(spec.named), source, f"{key}.named") if spec.named else None,
            name_at=spec.named,
            skip=spec.skip,
            reject=spec.reject,
            detail=self._guard(lambda: first_of([spec.detail, spec.reject]), source, f"{key}.detail"),
            plan=Plan(
                [self._reading(r, source, f"{key}.readings[{n}]") for n, r in enumerate(spec.readings)], self._meanings
            ),
            within=self._fragment(spec, source, key, depth) if spec.use else (),
            final=spec.final,
        )

    def _fragment(self, spec: RowSpec, source: Source, key: str, depth: int) -> tuple[RowRule, ...]:
        used = self._fragments.get(spec.use)
        if used is None or depth >= DEEPEST:
            known = ", ".join(sorted(self._fragments)) or "none is there"
            raise source.wrong(f"{key}.use", f"{spec.use!r} is no fragment", f"fragments: {known}")
        return tuple(self._row(row, used, f"rows[{n}]", depth + 1) for n, row in enumerate(used.spec.rows))

    def _reading(self, spec: ReadingSpec, source: Source, key: str) -> ReadingRule:
        times = self._times_of(spec.time, source, f"{key}.time") if spec.time else None
        made: ReadingRule = self._guard(lambda: reading_rule(spec, key, times), source, key)
        return self._checked(made, source, key)

    def _checked(self, rule: ReadingRule, source: Source, key: str) -> ReadingRule:
        """Return a rule whose meaning, where it is the same for all, holds together."""
        if rule.keys is None:
            plan = Plan([rule], self._meanings)
            for entry in plan.of(EMPTY):
                fault = self._meanings.known[entry.code].fault if entry.code >= 0 else None
                if fault is not None:
                    raise source.wrong(f"{key}.{fault.key}", fault.detail)
        return rule

    def _times_of(
        self, written: Sequence[str | TimeSpec] | str, source: Source, key: str
    ) -> tuple[tuple[int, TimeRule], ...]:
        found = []
        for one in [written] if isinstance(written, str) else written:
            if one == "":
                continue
            rule = self._guard(partial(time_rule, one, source.spec.zone), source, key)
            self._times.append(rule)
            found.append((len(self._times) - 1, rule))
        return tuple(found)


def _way(each: str) -> tuple[Step, ...]:
    """Return the steps to the rows."""
    if each.startswith("$"):
        getter(each)
        raise ValueError("rows are found from the message downwards: a path without $")
    found = steps(each)
    if sum(1 for step in found if step in {EACH, "*"}) > DEEPEST:
        raise ValueError(f"at most {DEEPEST} lists within each other")
    return found
