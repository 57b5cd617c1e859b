"""How rules are set at points, in buildings, everywhere; what answers of people change; each change can be undone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import FIXED, Tuning, after_false_alarm, after_real
from core.alerts import ENTITY as ALERT
from core.alerts import Alert, Cause, Subject
from core.detectors import ENTITY, RuleSetting, SettingScope
from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry
from core.ports import RecordStore
from core.registry import Building, Point

REAL: Final = frozenset({Cause.REPAIRED, Cause.METER, Cause.COMMUNICATION, Cause.REGULATION, Cause.OPERATION})
"""Causes that say that the rule was right."""
ANSWERS: Final = frozenset({Cause.FALSE_ALARM.value, *(cause.value for cause in REAL)})
TUNABLE: Final = frozenset(rule.value for rule in Rule if rule not in FIXED)
RESOLVED: Final = "resolved"
"""How the history of an alert calls the step in which a person ended it."""
KEPT_ANSWERS: Final = 50
ANSWERED: Final = "detectors/answered"
NARROWEST: Final = (SettingScope.POINT, SettingScope.BUILDING, SettingScope.EVERYWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What holds for a rule at a point: whether it is on, its factor, and the settings that say so (None: nobody)."""

    rule: Rule
    enabled: bool
    factor: float
    enabled_by: RuleSetting | None
    factor_by: RuleSetting | None


def effective(settings: Iterable[RuleSetting], point: Point, rule: Rule) -> Effective:
    """Return what holds for a rule at a point: of each thing the narrowest setting that says it."""
    mine = {one.scope: one for one in settings if one.rule == rule and one.key in {"", point.building, point.id}}
    mine = {scope: one for scope, one in mine.items() if one.key == _key(scope, point)}
    ordered = [mine[scope] for scope in NARROWEST if scope in mine]
    on = next((one for one in ordered if one.enabled is not None), None)
    tuned = next((one for one in ordered if one.factor is not None), None)
    return Effective(
        rule=rule,
        enabled=on is None or bool(on.enabled),
        factor=1.0 if tuned is None or tuned.factor is None else tuned.factor,
        enabled_by=on,
        factor_by=tuned,
    )


def _key(scope: SettingScope, point: Point) -> str:
    return {SettingScope.POINT: point.id, SettingScope.BUILDING: point.building, SettingScope.EVERYWHERE: ""}[scope]


def tuning_of(settings: Sequence[RuleSetting], point: Point) -> Tuning:
    """Return how a point's rules are tuned."""
    if not settings:
        return Tuning()
    told = [effective(settings, point, rule) for rule in {Rule(one.rule) for one in settings if one.rule in set(Rule)}]
    return Tuning(
        factors={one.rule: one.factor for one in told if one.factor != 1.0},
        off=frozenset(one.rule for one in told if not one.enabled),
    )


def tunings(settings: Sequence[RuleSetting], points: Iterable[Point]) -> dict[str, Tuning]:
    """Return how the rules of points are tuned, by id."""
    usual = Tuning()
    everywhere = any(one.scope is SettingScope.EVERYWHERE for one in settings)
    named = {one.key for one in settings}
    return {p.id: tuning_of(settings, p) if everywhere or named & {p.id, p.building} else usual for p in points}


class RuleSettings:
    """The acts on settings of rules. Time is an argument of each."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def all(self) -> list[RuleSetting]:
        """Return all settings that say something."""
        return [one for one in self._records.rule_settings() if one.enabled is not None or one.factor is not None]

    def set(self, wanted: RuleSetting) -> RuleSetting:
        """Set a rule; what the setting leaves open (None) stays as wider settings have it."""
        self._check(wanted)
        before = self._of(wanted.id)
        kept = replace(wanted, answers=before.answers if before is not None else wanted.answers)
        self._save(before, kept)
        return kept

    def change(self, number: int) -> AuditEntry:
        """Return the change of a setting that the audit trail has under a number; raise NotFound."""
        near = self._records.audit(entity=ENTITY, before=number + 1, limit=1)
        if not near or near[0].id != number:
            raise NotFound(f"no change of a rule's setting has the number {number}")
        return near[0]

    def undo(self, entry: int, *, by: str, now: datetime) -> RuleSetting:
        """Bring back what a setting was before the change that the audit trail has under a number.

        The answers that were counted stay counted, so that none is counted again.

        Raise NotFound where there is no such change, Conflict where the setting was changed again since.
        """
        found = self.change(entry)
        now_is = self._of(found.key)
        if _state(now_is) != _comparable(found.after):
            raise Conflict(f"the setting {found.key} was changed again since; look at it and set it by hand")
        told = found.before or {**(found.after or {}), "enabled": None, "factor": None, "why": ""}
        back = replace(msgspec.convert(told, RuleSetting), changed=now, by=by)
        answers = now_is.answers if now_is is not None else back.answers
        back = replace(back, answers=answers)
        self._save(now_is, back, why=f"undo {entry}")
        return back

    def history(self, point: Point, *, limit: int = 50) -> list[AuditEntry]:
        """Return the changes that concern a point, the newest first."""
        ends = tuple(f"{scope}/{_key(scope, point)}/" for scope in SettingScope)
        return [e for e in self._records.audit(entity=ENTITY, limit=1000) if e.key.startswith(ends)][:limit]

    def learn(self, now: datetime) -> list[AuditEntry]:
        """Tune points by what people answered since the last time: each answer once, whatever is killed in between."""
        seen = int(self._records.kept(ANSWERED) or 0)
        answers, newest = self._answers(seen)
        made = [self.answered(self._records.alert(entry.key), entry, now) for entry in reversed(answers)]
        if newest > seen:
            self._records.keep(ANSWERED, str(newest))
        return [entry for entry in made if entry is not None]

    def _answers(self, seen: int) -> tuple[list[AuditEntry], int]:
        """Return the steps after one, the newest first, in which people resolved alerts; and the newest step."""
        found: list[AuditEntry] = []
        newest, before = seen, None
        while entries := self._records.audit(entity=ALERT, before=before, limit=500):
            newest, before = max(newest, entries[0].id), entries[-1].id
            found += [e for e in entries if e.id > seen and e.why == RESOLVED]
            if before <= seen:
                break
        return found, newest

    def answered(self, alert: Alert, step: AuditEntry, now: datetime) -> AuditEntry | None:
        """Tune the point of an alert that somebody resolved: less sensitive after a false alarm, back after a real one.

        Return what was changed, None where nothing is to be changed or this answer has been counted.
        """
        said = str((step.after or {}).get("cause", ""))
        if said not in ANSWERS or alert.kind is not Subject.POINT or alert.rule not in TUNABLE:
            return None
        rule, mark = Rule(alert.rule), str(step.id)
        point = next((p for p in self._records.find(Point, where={"id": alert.subject})), None)
        mine = None if point is None else self._of(f"{SettingScope.POINT}/{point.id}/{rule}")
        if point is None or (mine is not None and mark in mine.answers):
            return None
        was = effective(self.all(), point, rule).factor
        factor = after_false_alarm(was) if said == Cause.FALSE_ALARM else after_real(was)
        if factor == was:
            return None
        base = mine or RuleSetting(scope=SettingScope.POINT, key=point.id, rule=rule, changed=now, by=step.by)
        answers = (*base.answers, mark)[-KEPT_ANSWERS:]
        why = f"{said}: {alert.id}"
        return self._save(mine, replace(base, factor=factor, changed=now, by=step.by, why=why, answers=answers))

    def _of(self, key: str) -> RuleSetting | None:
        return next((one for one in self._records.rule_settings() if one.id == key), None)

    def _check(self, wanted: RuleSetting) -> None:
        if wanted.rule not in set(Rule):
            known = ", ".join(sorted(Rule))
            raise InputError(f"no rule is called {wanted.rule!r}", place="rule", remedy=f"name one of {known}")
        if wanted.scope is SettingScope.POINT:
            self._records.get(Point, wanted.key)
        elif wanted.scope is SettingScope.BUILDING:
            self._records.get(Building, wanted.key)
        if wanted.factor is not None and Rule(wanted.rule) in FIXED:
            raise InputError(f"{wanted.rule} has no threshold", place="factor", remedy="switch it on or off")

    def _save(self, before: RuleSetting | None, after: RuleSetting, *, why: str = "") -> AuditEntry:
        entry = _entry(before, after, why or after.why)
        self._records.set_rules([after], [entry])
        return entry


def _entry(before: RuleSetting | None, after: RuleSetting, why: str) -> AuditEntry:
    documents = [None if one is None else msgspec.to_builtins(one) for one in (before, after)]
    return AuditEntry(
        at=after.changed, by=after.by, entity=ENTITY, key=after.id, why=why, before=documents[0], after=documents[1]
    )


def _state(setting: RuleSetting | None) -> Mapping[str, Any] | None:
    return _comparable(None if setting is None else msgspec.to_builtins(setting))


def _comparable(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what of a setting's state matters: whether it is on, and its factor."""
    return None if document is None else {name: document.get(name) for name in ("enabled", "factor")}
