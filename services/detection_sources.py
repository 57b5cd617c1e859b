"""What points are heard through: the broker, and what of topics several meters share (a gateway, a site)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from alerts.grouping import FEWEST
from core.registry import Meter

BROKER: Final = "mqtt"


def sources_of(topics: Mapping[str, str], meters: Iterable[Meter], broker: str = BROKER) -> dict[str, tuple[str, ...]]:
    """Return what each point is heard through, from the broker to the narrowest level of topics that meters share.

    A level counts where at least three devices share it and the level above has others too: what hears the
    same meters as the wider one is the wider one. Points whose meters came by no topic (imports) have no source.
    """
    of_level: dict[str, set[str]] = defaultdict(set)
    for device, topic in topics.items():
        for level in _levels(topic):
            of_level[level].add(device)
    found: dict[str, tuple[str, ...]] = {}
    for meter in meters:
        topic = topics.get(meter.device, "")
        if meter.removed is not None or not topic:
            continue
        chain, behind = [broker], len(topics)
        for level in _levels(topic):
            if FEWEST <= len(of_level[level]) < behind:
                chain.append(level)
                behind = len(of_level[level])
        found[meter.point] = tuple(chain)
    return found


def _levels(topic: str) -> list[str]:
    parts = topic.split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]
