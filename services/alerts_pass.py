"""One pass of detections over the alerts there are: which step each takes, before anything is stored."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from alerts import lifecycle as life
from alerts.grouping import SILENCE, Place, held
from alerts.lifecycle import Did, Step
from core.alerts import Alert, Detection, Subject, alert_id
from core.notes import AuditEntry
from core.sending import Window

REOPENS_WITHIN: Final = timedelta(days=14)
"""A fault that returns sooner is the old alert again; later it is a new one."""
OLD_NEWS: Final = timedelta(days=1)
"""What began and ended longer ago is history, and opens nothing."""


@dataclass(slots=True, kw_only=True)
class Changed:
    """An alert as it will be stored, with all that was done to it since `revision` (0: it is new)."""

    alert: Alert
    revision: int
    entries: list[AuditEntry] = field(default_factory=list)
    did: list[Did] = field(default_factory=list)

    def stored(self) -> Alert:
        """Return the alert as one change of the revision that the store has."""
        return replace(self.alert, revision=self.revision + 1)


@dataclass(slots=True, kw_only=True)
class Pass:
    """Takes detections one by one. `standing`: alerts whose evidence goes on, by key; `last`: a key's last alert."""

    standing: Mapping[str, Alert]
    places: Mapping[str, Place]
    windows: Sequence[Window]
    now: datetime
    last: Callable[[str], Alert | None]
    known: Callable[[str], bool]
    changed: dict[str, Changed] = field(default_factory=dict)
    explained: set[str] = field(default_factory=set)
    held: int = 0

    def take(self, found: Detection) -> None:
        """Take a detection: go on with its alert, or open one, and make what it covers a part of it."""
        place = self._place(found)
        alert = self.standing.get(found.key) or self._recent(found)
        heir = None if alert is not None and alert.active else self._covered(found)
        if heir is not None:
            self._note(heir, life.narrowed(heir, found, place.building, self.now))
            self.explained.add(heir.key)
            whole = heir.id
        elif alert is not None and (alert.active or not self._is_held(found, place)):
            self._go_on(alert, found)
            whole = alert.id
        elif alert is None and self._is_news(found) and not self._is_held(found, place):
            whole = self._open(found, place)
        else:
            whole = ""
        self._absorb(found, whole)

    def end_the_others(self, found: Collection[str], judged: Collection[tuple[str, str]]) -> None:
        """End those that were looked at and not found, and are no part of another."""
        for key, alert in self.standing.items():
            gone = key not in found and key not in self.explained and (alert.rule, alert.subject) in judged
            if gone and alert.id not in self.changed:
                self._note(alert, life.gone(alert, self.now))

    def _place(self, found: Detection) -> Place:
        return self.places.get(found.subject, Place())

    def _recent(self, found: Detection) -> Alert | None:
        alert = self.last(found.key)
        if alert is None or alert.ended_at is None:
            return alert
        same = alert.id == alert_id(found.key, found.at_from)
        return alert if same or found.at_from - alert.ended_at <= REOPENS_WITHIN else None

    def _covered(self, found: Detection) -> Alert | None:
        """Return the active alert of the same fault at a point above, that this one says more exactly."""
        for subject in found.covers:
            alert = self.standing.get(_key(found, subject)) if found.kind is not Subject.SOURCE else None
            if alert is not None and alert.active and alert.id not in self.changed:
                return alert
        return None

    def _is_held(self, found: Detection, place: Place) -> bool:
        if not held(found, place, self.windows, self.now).why:
            return False
        self.held += 1
        return True

    def _is_news(self, found: Detection) -> bool:
        return found.going_on or self.now - found.at_to <= OLD_NEWS

    def _go_on(self, alert: Alert, found: Detection) -> None:
        again = not found.going_on and not alert.active and found.at_from > alert.seen_to and self._is_news(found)
        if not again:
            self._note(alert, life.seen(alert, found, self.now))
            return
        back = life.seen(alert, replace(found, going_on=True), self.now)
        self._note(alert, back)
        self._note(alert, life.gone(back.alert, self.now))

    def _open(self, found: Detection, place: Place) -> str:
        step = life.opened(found, place.building, self.now)
        if self.known(step.alert.id):  # of a fault that was narrowed to another place since
            step = _renamed(step, alert_id(f"{found.key}|{self.now.isoformat()}", found.at_from))
        self._note(replace(step.alert, revision=0), step)
        if not found.going_on:
            self._note(step.alert, life.gone(step.alert, self.now))
        return step.alert.id

    def _absorb(self, found: Detection, whole: str) -> None:
        rules = SILENCE if found.kind is Subject.SOURCE else {found.rule}
        for subject in found.covers:
            for rule in rules:
                key = f"{rule}|{Subject.POINT}|{subject}"
                part = self.standing.get(key)
                if key in self.explained or part is None:
                    continue
                self.explained.add(key)
                if whole and part.id != whole:
                    self._note(part, life.absorbed(part, whole, self.now))

    def _note(self, before: Alert, step: Step) -> None:
        if step.alert == before and step.entry is None:
            return
        changed = self.changed.setdefault(before.id, Changed(alert=before, revision=before.revision))
        changed.alert = step.alert
        if step.entry is not None and step.did is not None:
            changed.entries.append(step.entry)
            changed.did.append(step.did)


def _key(found: Detection, subject: str) -> str:
    return f"{found.rule}|{Subject.POINT}|{subject}"


def _renamed(step: Step, key: str) -> Step:
    entry = None if step.entry is None else replace(step.entry, key=key)
    return replace(step, alert=replace(step.alert, id=key), entry=entry)


def changed_by(before: Alert, step: Step) -> list[Changed]:
    """Return the change of one step of a person, none where it changes nothing."""
    if step.entry is None or step.did is None:
        return []
    return [Changed(alert=step.alert, revision=before.revision, entries=[step.entry], did=[step.did])]
