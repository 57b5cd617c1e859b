"""What people call the things that values name by id: points with their building, buildings, measures."""

from collections.abc import Mapping
from typing import Protocol

from core.registry import Building, Measure, Organisation, Point
from services.held import RegisterReader


class Names(Protocol):
    """Tells names."""

    def of(self, key: str) -> str:
        """Return the name of what an id names, the id itself where nothing is known of it."""
        ...


class RegisterNames:
    """Names as the register has them now, read when one is first asked for."""

    def __init__(self, register: RegisterReader) -> None:
        self._register = register
        self._names: dict[str, str] | None = None

    def of(self, key: str) -> str:
        """Return a name."""
        if self._names is None:
            self._names = _all(self._register)
        return self._names.get(key, key)


def _all(register: RegisterReader) -> dict[str, str]:
    buildings = {one.id: one.name for one in register.find(Building)}
    organisations = {one.id: one.name for one in register.find(Organisation)}
    measures = {one.id: one.name for one in register.find(Measure)}
    points = {
        one.id: f"{buildings[one.building]} – {one.name}" if one.building in buildings else one.name
        for one in register.find(Point)
    }
    return {**points, **measures, **organisations, **buildings}


class FrozenNames:
    """Names as a publication froze them; of a point the building is told as it is called now."""

    def __init__(self, frozen: Mapping[str, Mapping[str, str]], live: Names) -> None:
        self._frozen = {key: name for kind in frozen.values() for key, name in kind.items()}
        self._points = frozenset(frozen.get("point", {}))
        self._live = live

    def of(self, key: str) -> str:
        """Return a name."""
        name = self._frozen.get(key)
        if name is None:
            return self._live.of(key)
        if key in self._points:
            building = self._live.of(key).rpartition(" – ")[0]
            return f"{building} – {name}" if building else name
        return name
