"""The register held in memory at one version, for questions that concern much of it."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar, cast

from core.errors import NotFound
from core.plan import Activity, Area, Goal, Indicator, Project
from core.ports import RecordStore
from core.registry import (
    Adjustment,
    Building,
    DialEvent,
    Entity,
    Measure,
    Meter,
    Organisation,
    Point,
    Station,
)

E = TypeVar("E", bound=Entity)
KINDS: Final[tuple[Any, ...]] = (
    Organisation, Building, Point, Meter, DialEvent, Station, Measure, Adjustment,
    Goal, Area, Activity, Project, Indicator,
)  # fmt: skip
OWNER: Final[dict[Any, str]] = {
    Meter: "point",
    DialEvent: "meter",
    Adjustment: "point",
    Point: "building",
    Building: "organisation",
    Activity: "area",
    Project: "activity",
    Indicator: "area",
}


class RegisterReader(Protocol):
    """The part of a record store that questions need; a RecordStore is one, and so is a held register."""

    def get(self, kind: type[E], key: str) -> E:
        """Return one of the register; raise NotFound."""
        ...

    def find(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> list[E]:
        """Return those whose fields equal `where`, ordered by id."""
        ...

    def kept(self, key: str) -> str:
        """Return what was kept under a key, empty where nothing was."""
        ...


class View:
    """The register at one version."""

    def __init__(self, records: RegisterReader, version: int) -> None:
        self.version = version
        self._records = records
        self._all: dict[Any, dict[str, Entity]] = {kind: {e.id: e for e in records.find(kind)} for kind in KINDS}
        self._owned: dict[Any, dict[str, list[Entity]]] = {}
        for kind, owner in OWNER.items():
            groups: dict[str, list[Entity]] = defaultdict(list)
            for entity in self._all[kind].values():
                groups[getattr(entity, owner)].append(entity)
            self._owned[kind] = dict(groups)

    def get(self, kind: type[E], key: str) -> E:
        """Return one of the register; raise NotFound."""
        if key not in self._all[kind]:
            raise NotFound(f"no {kind.__name__.lower()} has the id {key!r}")
        return cast("E", self._all[kind][key])

    def find(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> list[E]:
        """Return those whose fields equal `where`, ordered by id."""
        wanted = dict(where or {})
        owner = wanted.pop(OWNER.get(kind, ""), None)
        some = self._all[kind].values() if owner is None else self._owned[kind].get(owner, [])
        return [cast("E", e) for e in some if all(getattr(e, name) == value for name, value in wanted.items())]

    def kept(self, key: str) -> str:
        """Return what was kept under a key, empty where nothing was."""
        return self._records.kept(key)


class HeldRegister:
    """Holds the register in memory until it changes; may be asked by several threads."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._view: View | None = None

    def view(self) -> View:
        """Return the register as it now stands."""
        with self._lock:
            version = self._records.version()
            if self._view is None or self._view.version != version:
                self._view = View(self._records, version)
            return self._view
