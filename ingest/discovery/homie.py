"""Homie 3, 4 and 5: devices that describe their properties in retained attributes, or (5) in one JSON.

Homie states unit and datatype and no kind: a count of energy or volume is taken for a dial unless its name says
otherwise, and its proposal says so. Source: homieiot.github.io, conventions 3.0.1, 4.0.0 and 5.0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ingest.discovery.book import Device, Full, Page, Value
from ingest.discovery.describing import DescribedProfile, Learnt, Misdescribed, meter_id
from ingest.discovery.judging import Said, commodity_of, judge
from ingest.discovery.naming import register_of, slug_of, words_of
from ingest.discovery.templates import WHOLE
from ingest.message import Message
from ingest.profile import Rank, precision

VERSION_5: Final = "5"
NUMBERS: Final = frozenset({"", "float", "integer"})
OF_PROPERTY: Final = {"$name": "name", "$unit": "unit", "$datatype": "datatype", "$settable": "settable"}
STATES: Final = frozenset({"init", "ready", "disconnected", "sleeping", "lost", "alert"})
MOST_ATTRIBUTES: Final = 400_000
MOST_PROPERTIES: Final = 2_000
COUNT: Final = "#"
"""The unit of a plain count."""


@dataclass(slots=True)
class _Described:
    """What is known of a device: its name, names of nodes, and the attributes of properties by node and property."""

    name: str = ""
    implementation: str = ""
    nodes: dict[str, str] = field(default_factory=dict)
    properties: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)


class HomieProfile(DescribedProfile):
    """Reads the properties of devices below the base topics of Homie."""

    def __init__(self, *, roots: Sequence[str] = ("homie",), name: str = "homie") -> None:
        super().__init__(name)
        self._roots = tuple(root.strip("/") for root in roots)
        self._devices: dict[str, _Described] = {}
        self._attributes = 0

    @property
    def filters(self) -> tuple[str, ...]:
        """All below the base topics: descriptions and values stand together."""
        return tuple(f"{root}/#" for root in self._roots)

    def describes(self, topic: str) -> bool:
        """Return whether a topic is an attribute that tells of a device, node or property."""
        place = self._place(topic)
        if place is None or not place[-1].startswith("$"):
            return False
        _, version5, *path = place
        if version5:
            return len(path) == 2 and path[-1] in {"$description", "$state"}  # noqa: PLR2004 - device and attribute
        return path[-1] in OF_PROPERTY or path[-1] in {"$state", "$implementation"}

    def rank(self, topic: str) -> Rank | None:
        """Return a rank among the bundled."""
        root = self._root(topic)
        return (1, 0, *precision(f"{root}/#"), 0) if root else None

    def _root(self, topic: str) -> str:
        return next((root for root in self._roots if topic.startswith(f"{root}/")), "")

    def _place(self, topic: str) -> tuple[str, ...] | None:
        """Return base of the devices, `5` or nothing, and the levels of a topic below; None where there is no more."""
        root = self._root(topic)
        levels = topic[len(root) + 1 :].split("/") if root else []
        if len(levels) < 2:  # noqa: PLR2004 - a device and something of it
            return None
        if levels[0] == VERSION_5 and not levels[1].startswith("$"):
            return (f"{root}/{VERSION_5}", VERSION_5, *levels[1:])
        return (root, "", *levels)

    def silent(self, message: Message) -> str:
        """Return what a topic without values carries; nothing for a property that should have been described."""
        place = self._place(message.topic)
        if place is None:
            return "no_meter_value"
        base, _, *path = place
        if any(level.startswith("$") for level in path):
            return "broadcast" if "$broadcast" in path[:2] else "device_attribute"
        if path[-1] == "set":
            return "command"
        if len(path) != 3 or path[0] == VERSION_5:  # noqa: PLR2004 - device, node and property
            return "no_meter_value"
        known = self._devices.get(f"{base}/{path[0]}")
        return "no_meter_value" if known is not None and (path[1], path[2]) in known.properties else ""

    def learn(self, message: Message) -> Learnt:
        """Return the page of the device that an attribute is of."""
        place = self._place(message.topic)
        if place is None:
            raise Misdescribed(f"{message.topic!r:.100} is no topic of Homie")
        base, _, *path = place
        device = f"{base}/{path[0]}"
        if path[-1] == "$state":
            return self._state(device, message.payload)
        if path[-1] == "$description":
            return self._whole(device, message.payload)
        text = message.payload.decode(errors="replace")[:1000]
        changed = self._attribute(device, path[1:], text)
        reason = "description" if text else "description_removed"
        return Learnt(reason=reason, pages={device: self._page(device)} if changed else {})

    def _state(self, device: str, payload: bytes) -> Learnt:
        """Return what a state says: none of it is a reading; an empty one removes the device."""
        if not payload:
            gone = self._devices.pop(device, None)
            self._attributes -= 0 if gone is None else _attributes(gone)
            return Learnt(reason="description_removed", pages={device: None}, keep=False)
        state = payload.decode(errors="replace")
        return Learnt(reason=f"device_{state}" if state in STATES else "device_state", keep=False)

    def _whole(self, device: str, payload: bytes) -> Learnt:
        """Return the page of a device of Homie 5."""
        described = _parsed(payload) if payload else _Described()
        known = device in self._devices
        former = self._devices.pop(device, _Described())
        self._attributes += _attributes(described) * bool(payload) - _attributes(former) * known
        if payload:
            self._check_room()
            self._devices[device] = described
        reason = "description" if payload else "description_removed"
        return Learnt(reason=reason, pages={device: self._page(device) if payload else None})

    def _attribute(self, device: str, path: Sequence[str], text: str) -> bool:
        """Note an attribute of Homie 3 or 4; return whether it may change what the device's values are."""
        *inner, attribute = path
        known = self._devices.get(device, _Described())
        before = _attributes(known) if device in self._devices else 0
        changed = _noted(known, inner, attribute, text)
        self._devices[device] = known
        self._attributes += _attributes(known) - before
        self._check_room()
        return changed

    def _check_room(self) -> None:
        if self._attributes > MOST_ATTRIBUTES:
            raise Full(f"more than {MOST_ATTRIBUTES} attributes", remedy="narrow the base topics of Homie, then replay")

    def _page(self, device: str) -> Page:
        known = self._devices.get(device, _Described())
        return Page(values=tuple(_values(device, known)))


def _noted(known: _Described, inner: Sequence[str], attribute: str, text: str) -> bool:
    """Note an attribute; return whether it may change what the values are."""
    if not inner:
        known.name = text if attribute == "$name" else known.name
        known.implementation = text if attribute == "$implementation" else known.implementation
    elif len(inner) == 1:
        known.nodes[inner[0]] = text if attribute == "$name" else known.nodes.get(inner[0], "")
    elif len(inner) == 2 and attribute in OF_PROPERTY:  # noqa: PLR2004 - node and property
        key = (inner[0], inner[1])
        if key not in known.properties and len(known.properties) >= MOST_PROPERTIES:
            raise Misdescribed(f"a device has at most {MOST_PROPERTIES} properties")
        known.properties.setdefault(key, {})[OF_PROPERTY[attribute]] = text
        if not any(known.properties[key].values()):
            del known.properties[key]
        return True
    return bool(known.properties)


def _attributes(known: _Described) -> int:
    return 1 + sum(map(len, known.properties.values())) + len(known.nodes)


def _parsed(payload: bytes) -> _Described:
    """Return a description of Homie 5; raise Misdescribed."""
    try:
        tree = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise Misdescribed(f"the description is no JSON: {str(err)[:200]}") from err
    nodes = _inner(tree, "nodes")
    known = _Described(name=_text(tree, "name"))
    for node, one in nodes.items():
        known.nodes[node] = _text(one, "name")
        for name, said in _inner(one, "properties").items():
            if len(known.properties) >= MOST_PROPERTIES:
                raise Misdescribed(f"a device has at most {MOST_PROPERTIES} properties")
            settable = "true" if type(said) is dict and said.get("settable") is True else ""
            known.properties[node, name] = {
                "name": _text(said, "name"), "unit": _text(said, "unit"),
                "datatype": _text(said, "datatype"), "settable": settable,
            }  # fmt: skip
    return known


def _inner(node: Any, key: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    value = node.get(key) if type(node) is dict else None
    return value if type(value) is dict else {}


def _text(node: Any, key: str) -> str:  # noqa: ANN401 - any JSON value
    value = node.get(key) if type(node) is dict else None
    return value if type(value) is str else ""


def _values(device: str, known: _Described) -> Iterator[Value]:
    """Return the values of a device: its numbers that nobody sets and whose unit or name is of a meter."""
    who = Device(id=meter_id(device.rsplit("/", 1)[-1]) or "unnamed", name=known.name, model=known.implementation)
    for (node, name), said in known.properties.items():
        if said.get("datatype", "") not in NUMBERS or said.get("settable", "") == "true":
            continue
        own = words_of(node, name)
        also = words_of(said.get("name", ""), known.nodes.get(node, ""))
        stated = said.get("unit", "").strip()
        unit = "" if stated == COUNT else stated
        verdict = judge(Said(declared=None, unit=unit, kind="", words=(*words_of(name), *also), leaf=name))
        if verdict is None:
            continue
        words = words_of(known.name)
        commodity = commodity_of(verdict, "", (*own, *also, *words))
        yield Value(
            entity=f"{device}/{node}/{name}",
            device=who,
            topic=f"{device}/{node}/{name}",
            pick=WHOLE.take,
            json=False,
            field="payload",
            name=said.get("name", "") or name,
            verdict=verdict,
            register=register_of(verdict.quantity, own, also, words),
            slug=slug_of(own),
            commodity=str(commodity or ""),
        )
