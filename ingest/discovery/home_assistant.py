"""Home Assistant's MQTT discovery: one component a message, or a device with several; abbreviated or in full.

Read are sensors with a device class or unit of a meter. Availability, attributes and entities of other kinds are known
and pass. Source: home-assistant.io, MQTT, "Discovery messages" and "Supported abbreviations".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from ingest.discovery.book import Device, Page, Stamp, Value
from ingest.discovery.describing import DescribedProfile, Learnt, Misdescribed, meter_id
from ingest.discovery.home_assistant_words import in_full
from ingest.discovery.judging import CLASSES, Flag, Said, Verdict, commodity_of, judge
from ingest.discovery.naming import register_of, slug_of, words_of
from ingest.discovery.templates import WHOLE, Refused, Template, template_of
from ingest.message import Message
from ingest.profile import Rank, precision

Config = dict[str, Any]

KINDS: Final = {"total_increasing": "cumulative", "total": "cumulative", "measurement": "gauge"}
STAMPS: Final = frozenset(
    {"lastseen", "last_seen", "timestamp", "time", "datetime", "received", "received_at", "last_update", "updated",
     "measured_at", "reading_time", "last_reading_time"}
)  # fmt: skip
"""Names of values that are the time of the others on their topic; other times are of something else."""

MOST_COMPONENTS: Final = 500


class HomeAssistantProfile(DescribedProfile):
    """Reads state topics that discovery messages below `prefix` describe."""

    def __init__(self, *, prefix: str = "homeassistant", name: str = "home_assistant") -> None:
        super().__init__(name)
        self._prefix = prefix.strip("/")
        self._config = re.compile(
            rf"{re.escape(self._prefix)}/(?P<component>[^/]+)/(?:(?P<node>[^/]+)/)?(?P<object>[^/]+)/config"
        )

    @property
    def filters(self) -> tuple[str, ...]:
        """The topics of descriptions, with and without a node."""
        return (f"{self._prefix}/+/+/config", f"{self._prefix}/+/+/+/config")

    @property
    def topics(self) -> tuple[str, ...]:
        """The state topics of devices that count something."""
        with self._lock:
            return self._book.meter_topics()

    def describes(self, topic: str) -> bool:
        """Return whether a topic is one of discovery."""
        return self._config.fullmatch(topic) is not None

    def rank(self, topic: str) -> Rank | None:
        """Return a rank among the bundled for descriptions, behind every format for what they describe."""
        if self.describes(topic):
            return (1, 0, *precision(f"{self._prefix}/#"), 0)
        if not self._book.knows(topic):
            return None
        return (2, 0) if self._book.at(topic) else (3, 0)

    def silent(self, message: Message) -> str:
        """Return what a described topic without values carries."""
        return self._book.silent(message.topic) or "no_meter_value"

    def learn(self, message: Message) -> Learnt:
        """Return the page of a discovery message."""
        topic = message.topic
        if not message.payload:
            return Learnt(reason="description_removed", pages={topic: None})
        levels = self._config.fullmatch(topic)
        if levels is None:
            raise Misdescribed(f"{topic!r:.100} is no topic of discovery")
        config = _parsed(message.payload)
        if levels["component"] == "device":
            page = _page(_components(config, topic))
        else:
            page = _page(iter([_entity(levels["component"], config, levels["object"], topic, levels["node"] or "")]))
        return Learnt(reason="description", pages={topic: page}, keep=bool(page.values or page.stamps))


def _parsed(payload: bytes) -> Config:
    try:
        tree = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise Misdescribed(f"the description is no JSON: {str(err)[:200]}") from err
    if type(tree) is not dict:
        raise Misdescribed("the description is no JSON object")
    return in_full(tree)


def _text(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    return value if type(value) is str else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entity:
    """One component of a description: its config in full words, with the device that it is of."""

    component: str
    config: Config
    key: str
    object_id: str
    device: Device
    identifiers: tuple[str, ...]

    def topic(self, name: str) -> str:
        """Return a topic of the config, `~` at its begin or end replaced."""
        return _based(_text(self.config, name), _text(self.config, "~"))


def _based(topic: str, base: str) -> str:
    if base and topic.startswith("~"):
        topic = base + topic[1:]
    return topic[:-1] + base if base and topic.endswith("~") else topic


def _entity(component: str, config: Config, object_id: str, key: str, node: str) -> _Entity:
    identifiers = _identifiers(config)
    device = _device(config, identifiers, (node, _text(config, "unique_id"), object_id))
    return _Entity(
        component=component,
        config=config,
        key=_text(config, "unique_id") or key,
        object_id=object_id,
        device=device,
        identifiers=identifiers,
    )


def _components(config: Config, topic: str) -> Iterator[_Entity]:
    """Return the components of a device; what the device says holds for each that does not say it itself."""
    components = config.get("components")
    if type(components) is not dict:
        raise Misdescribed("a description of a device has an object `components`")
    if len(components) > MOST_COMPONENTS:
        raise Misdescribed(f"a device has at most {MOST_COMPONENTS} components")
    shared = {k: v for k, v in config.items() if k not in {"components", "unique_id", "name"}}
    for key, inner in components.items():
        if type(inner) is dict:
            own = {**shared, **in_full(inner)}
            yield _entity(_text(own, "platform"), own, key, f"{topic}#{key}", topic.split("/")[-2])


def _page(entities: Iterator[_Entity]) -> Page:
    values: dict[str, Value] = {}
    stamps: list[Stamp] = []
    silent: dict[str, str] = {}
    for entity in entities:
        silent |= dict.fromkeys(_availability(entity), "availability")
        attributes, state = entity.topic("json_attributes_topic"), entity.topic("state_topic")
        if attributes:
            silent.setdefault(attributes, "attributes")
        if not state:
            continue
        sensor = entity.component == "sensor"
        made = _value(entity, state) if sensor else None
        stamp = _stamp(entity, state) if sensor and made is None else None
        if made is not None:
            values[made.entity] = made
        elif stamp is not None:
            stamps.append(stamp)
        else:
            silent.setdefault(state, "no_meter_value")
    return Page(values=tuple(values.values()), stamps=tuple(stamps), silent=silent)


def _availability(entity: _Entity) -> Iterator[str]:
    """Return the topics that tell whether a device is there."""
    single = entity.topic("availability_topic")
    if single:
        yield single
    listed = entity.config.get("availability")
    for one in listed if type(listed) is list else [listed]:
        topic = _based(_text(in_full(one), "topic"), _text(entity.config, "~")) if type(one) is dict else ""
        if topic:
            yield topic


def _stamp(entity: _Entity, state: str) -> Stamp | None:
    """Return where the time of the topic's values stands, where this is it."""
    template, refused = _template(_text(entity.config, "value_template"))
    named = template.leaf.lower() in STAMPS and _text(entity.config, "device_class") in {"", "timestamp"}
    return Stamp(topic=state, pick=template.take, json=template.json) if named and not refused else None


def _value(entity: _Entity, state: str) -> Value | None:
    """Return the value that a sensor describes, None for what is none of a meter."""
    config, device = entity.config, entity.device
    template, refused = _template(_text(config, "value_template"))
    names = (_text(config, "name"), template.leaf)
    words = words_of(entity.object_id, *names)
    verdict = _verdict(config, template, words)
    if verdict is None:
        return None
    if refused:
        verdict = replace(verdict, flags=(*verdict.flags, Flag.TEMPLATE_REFUSED))
    described = words_of(device.name, device.manufacturer, device.model)
    own = _own_words(entity, words_of(names[0]))
    commodity = commodity_of(verdict, _text(config, "device_class"), (*words, *described))
    return Value(
        entity=entity.key,
        device=device,
        topic=state,
        pick=template.take,
        json=template.json,
        field=template.field,
        name=names[0] or device.name,
        verdict=verdict,
        register=register_of(verdict.quantity, own, words_of(*names), described),
        slug=slug_of(own) or slug_of(words),
        commodity=str(commodity or ""),
        scale=template.scale,
        divisor=template.divisor,
    )


def _template(text: str) -> tuple[Template, bool]:
    """Return what a template takes, and whether it is refused."""
    try:
        return template_of(text), False
    except Refused:
        return WHOLE, True


def _verdict(config: Config, template: Template, words: tuple[str, ...]) -> Verdict | None:
    """Return what a sensor is, None where it is nothing of a meter: of another class, or about the device itself."""
    device_class = _text(config, "device_class")
    if _text(config, "entity_category") or (device_class and device_class not in CLASSES):
        return None
    return judge(
        Said(
            declared=CLASSES.get(device_class),
            unit=_text(config, "unit_of_measurement"),
            kind=_kind(config),
            words=words,
            leaf=template.leaf,
            factor=(template.scale, template.divisor) != (1.0, 1.0),
        )
    )


def _kind(config: Config) -> str:
    """Return cumulative, gauge, resets (its count begins anew at a last reset that moves) or nothing."""
    state = _text(config, "state_class")
    last_reset = _text(config, "last_reset_value_template")
    if state in {"total", "measurement"} and (last_reset or _text(config, "last_reset_topic")):
        # A constant (older firmware wrote 1970-01-01) says that the count never begins anew.
        return "resets" if "{" in last_reset or not last_reset else "cumulative"
    return KINDS.get(state, "")


def _identifiers(config: Config) -> tuple[str, ...]:
    raw = config.get("device")
    device = in_full(raw) if type(raw) is dict else {}
    listed = device.get("identifiers")
    return tuple(str(i) for i in (listed if type(listed) is list else [listed]) if type(i) in {str, int} and str(i))


def _device(config: Config, identifiers: tuple[str, ...], otherwise: tuple[str, ...]) -> Device:
    """Return who an entity is of: by its serial number where an identifier ends in it, else by an identifier."""
    raw = config.get("device")
    device = in_full(raw) if type(raw) is dict else {}
    serials = [str(s) for s in (device.get("serial_number"), device.get("hw_version")) if type(s) in {str, int}]
    sure = [s for s in serials if s and any(_ends_in(i, s) for i in identifiers)]
    listed = device.get("connections")
    addresses = [str(c[-1]) for c in (listed if type(listed) is list else []) if type(c) is list and c]
    return Device(
        id=meter_id(*sure, *identifiers, *addresses, *otherwise) or "unnamed",
        name=_text(device, "name"),
        manufacturer=_text(device, "manufacturer"),
        model=_text(device, "model"),
    )


def _ends_in(identifier: str, serial: str) -> bool:
    """Return whether an identifier is a serial number, alone or behind a word of its own."""
    head = identifier.removesuffix(serial)
    return head != identifier and (not head or not head[-1].isalnum())


def _own_words(entity: _Entity, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of an object's id without those of its device, which all of its objects have."""
    own = words_of(entity.object_id)
    ids = frozenset(words_of(entity.device.id, *entity.identifiers))
    name = words_of(entity.device.name)
    kept = [w for w in own if w not in ids]
    if name and tuple(kept[: len(name)]) == name:
        kept = kept[len(name) :]
    return tuple(kept) or named or own
