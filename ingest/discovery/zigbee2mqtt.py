"""Zigbee2MQTT: states by friendly name, described by what each device `exposes` in bridge/devices.

A state that comes before its description is read by the documented units of `energy` (kWh) and `power` (W) alone.
States are cached and sent again whole; with `last_seen` on they carry the device's time. Source: zigbee2mqtt.io,
"MQTT topics and messages" and "Exposes".
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from core.units import Quantity
from ingest.discovery.book import Book, Device, Page, Series, Stamp, Value
from ingest.discovery.describing import DescribedProfile, Learnt, Misdescribed, meter_id
from ingest.discovery.judging import Said, commodity_of, judge
from ingest.discovery.naming import register_of, slug_of, words_of
from ingest.discovery.templates import Template
from ingest.message import Message
from ingest.profile import Rank, precision

PUBLISHED: Final = 1
"""The bit of `access` that says that a value is in the state."""

MOST_DEVICES: Final = 5_000
MOST_FEATURES: Final = 500
MOST_DEPTH: Final = 4
DOCUMENTED: Final = {"energy": "kWh", "power": "W"}
COMMANDS: Final = frozenset({"set", "get"})
CACHED: Final = 20_000
DIALS: Final = frozenset({"energy", "produced", "consumed", "total", "increasing"})
"""Words of properties that the documentation says are sums over all time."""

LAST_SEEN: Final = Template(json=True, steps=("last_seen",))
ITSELF: Final = Template(json=False)


class Zigbee2MqttProfile(DescribedProfile):
    """Reads states below the base topics of Zigbee2MQTT."""

    def __init__(self, *, roots: Sequence[str] = ("zigbee2mqtt",), name: str = "zigbee2mqtt") -> None:
        super().__init__(name)
        self._roots = tuple(root.strip("/") for root in roots)
        self._pages: dict[str, set[str]] = {}
        self._undescribed: dict[str, tuple[Series, ...]] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """All below the base topics: friendly names may hold slashes."""
        return tuple(f"{root}/#" for root in self._roots)

    def describes(self, topic: str) -> bool:
        """Return whether a topic lists devices or groups."""
        root = self._root(topic)
        return bool(root) and topic[len(root) :] in {"/bridge/devices", "/bridge/groups"}

    def rank(self, topic: str) -> Rank | None:
        """Return a rank among the bundled."""
        root = self._root(topic)
        return (1, 0, *precision(f"{root}/#"), 0) if root else None

    def _root(self, topic: str) -> str:
        return next((root for root in self._roots if topic.startswith(f"{root}/")), "")

    def stamp(self, topic: str) -> Stamp | None:
        """Return where the time stands, on all topics alike."""
        return Stamp(topic=topic, pick=LAST_SEEN.take, json=True)

    def silent(self, message: Message) -> str:
        """Return what a topic without values carries."""
        root = self._root(message.topic)
        inner = message.topic[len(root) + 1 :]
        if inner.startswith("bridge/"):
            return "bridge"
        if inner.endswith("/availability"):
            return "availability"
        return "command" if _is_command(inner) else self._book.silent(message.topic) or "no_meter_value"

    def described(self, message: Message) -> tuple[Series, ...]:
        """Return the series of a state, or of one attribute where each has a topic of its own."""
        topic, root = message.topic, self._root(message.topic)
        inner = topic[len(root) + 1 :]
        if inner.startswith("bridge/") or inner.endswith("/availability") or _is_command(inner):
            return ()
        if message.payload[:1] == b"{" or not message.payload:
            return self._of_device(topic, inner)
        device, _, attribute = topic.rpartition("/")
        if device == root:
            return ()
        series = self._of_device(device, device[len(root) + 1 :])
        return tuple(_alone(s) for s in series if s.value.field == attribute)

    def _of_device(self, topic: str, friendly_name: str) -> tuple[Series, ...]:
        series = self._book.at(topic)
        if series or self._book.knows(topic):
            return series
        found = self._undescribed.get(topic)
        if found is None:
            if len(self._undescribed) >= CACHED:
                self._undescribed.clear()
            found = self._undescribed[topic] = _documented(topic, friendly_name)
        return found

    def learn(self, message: Message) -> Learnt:
        """Return a page a device or group."""
        root = self._root(message.topic)
        if message.topic.endswith("/devices"):
            pages = _devices(_listed(message.payload), root, message.topic)
        else:
            pages = _groups(_listed(message.payload), root, message.topic)
        former = self._pages.get(message.topic, set())
        self._pages[message.topic] = set(pages)
        return Learnt(reason="description", pages={**dict.fromkeys(former - set(pages)), **pages})


def _is_command(inner: str) -> bool:
    return not COMMANDS.isdisjoint(inner.split("/")[1:])


def _listed(payload: bytes) -> list[dict[str, Any]]:
    """Return the objects of a list; an empty payload lists nothing."""
    if not payload:
        return []
    try:
        tree = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise Misdescribed(f"the description is no JSON: {str(err)[:200]}") from err
    if type(tree) is not list or len(tree) > MOST_DEVICES:
        raise Misdescribed(f"the description is no list of at most {MOST_DEVICES} devices")
    return [one for one in tree if type(one) is dict]


def _text(node: dict[str, Any], key: str) -> str:
    value = node.get(key)
    return value if type(value) is str else ""


def _devices(listed: Sequence[dict[str, Any]], root: str, topic: str) -> dict[str, Page | None]:
    pages: dict[str, Page | None] = {}
    for one in listed:
        name = _text(one, "friendly_name")
        if not name or _text(one, "type") == "Coordinator":
            continue
        address = _text(one, "ieee_address") or name
        raw = one.get("definition")
        definition = raw if type(raw) is dict else {}
        device = Device(
            id=meter_id(name, address) or "unnamed",
            name=_text(definition, "description"),
            manufacturer=_text(definition, "vendor") or _text(one, "manufacturer"),
            model=_text(definition, "model") or _text(one, "model_id"),
        )
        values = tuple(_values(device, definition, f"{root}/{name}", address))
        pages[f"{topic}#{address}"] = Page(
            values=values, silent={} if values or not definition else {f"{root}/{name}": "no_meter_value"}
        )
    return pages


def _groups(listed: Sequence[dict[str, Any]], root: str, topic: str) -> dict[str, Page | None]:
    """Return pages of groups: their states repeat what their members say."""
    named = [(str(one.get("id", "")), _text(one, "friendly_name")) for one in listed]
    return {f"{topic}#{number}": Page(silent={f"{root}/{name}": "group"}) for number, name in named if name}


def _values(device: Device, definition: dict[str, Any], topic: str, address: str) -> Iterator[Value]:
    exposes = definition.get("exposes")
    found: dict[tuple[str, ...], Value] = {}
    for steps, feature in _features(exposes if type(exposes) is list else [], (), MOST_DEPTH):
        if len(found) >= MOST_FEATURES:
            break
        value = _value(device, topic, address, steps, feature)
        if value is not None:
            found.setdefault(steps, value)
    yield from found.values()


def _features(
    listed: Sequence[Any], above: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Return the numbers that a device publishes with their places; a composite's stand under its own property."""
    for one in listed:
        if type(one) is not dict:
            continue
        inner, name = one.get("features"), _text(one, "property")
        if type(inner) is list:
            below = (*above, name) if _text(one, "type") == "composite" and name else above
            if depth:
                yield from _features(inner, below, depth - 1)
        elif _text(one, "type") == "numeric" and name and _is_published(one.get("access")):
            yield (*above, name), one


def _is_published(access: object) -> bool:
    return bool(access & PUBLISHED) if type(access) is int else True


def _value(device: Device, topic: str, address: str, steps: tuple[str, ...], feature: dict[str, Any]) -> Value | None:
    """Return the value of an exposed number, None for what is none of a meter."""
    access = feature.get("access")
    settable = type(access) is int and bool(access & 2)
    if settable or _text(feature, "category") in {"diagnostic", "config"}:
        return None
    template = Template(json=True, steps=steps)
    own, also = words_of(*steps), words_of(_text(feature, "label"), _text(feature, "endpoint"))
    dial = bool(DIALS & set(own))
    verdict = judge(
        Said(
            declared=None,
            unit=_text(feature, "unit").strip(),
            kind="cumulative" if dial and _counts(feature) else "",
            words=(*own, *also),
            leaf=steps[-1],
        )
    )
    if verdict is None:
        return None
    words = words_of(device.name, device.model)
    commodity = commodity_of(verdict, "", (*own, *words))
    if commodity is None and verdict.quantity in {Quantity.ENERGY, Quantity.POWER}:
        commodity = commodity_of(verdict, "", ("electricity",))
    return Value(
        entity=f"{address}/{template.field}",
        device=device,
        topic=topic,
        pick=template.take,
        json=True,
        field=template.field,
        name=_text(feature, "label") or steps[-1],
        verdict=verdict,
        register=register_of(verdict.quantity, own, (), words),
        slug=slug_of(own),
        commodity=str(commodity or ""),
    )


def _counts(feature: dict[str, Any]) -> bool:
    """Return whether a unit is one of a dial."""
    verdict = judge(Said(declared=None, unit=_text(feature, "unit").strip(), kind="", words=()))
    return verdict is not None and verdict.kind == "cumulative"


def _documented(topic: str, friendly_name: str) -> tuple[Series, ...]:
    """Return what a state holds by the documentation, where its device is not described yet."""
    device = Device(id=meter_id(friendly_name) or "unnamed")
    book = Book()
    values = []
    for name, unit in DOCUMENTED.items():
        feature = {"type": "numeric", "property": name, "unit": unit, "access": PUBLISHED}
        value = _value(device, topic, friendly_name, (name,), feature)
        if value is not None:
            values.append(value)
    book.put(topic, Page(values=tuple(values)))
    return book.at(topic)


def _alone(series: Series) -> Series:
    """Return a series whose value is the whole payload."""
    return replace(series, value=replace(series.value, pick=ITSELF.take, json=False))
