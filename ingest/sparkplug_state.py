"""What is known of Sparkplug nodes: their births, whether they live, whether a message was lost, whom to ask again.

Pure: no clock, no I/O; times are arguments. Memory is bounded: the nodes that were silent longest are forgotten, and
known again by their next birth, which is asked for.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

MOST_NODES: Final = 10_000
MOST_DEVICES: Final = 2_000
MOST_DEFINITIONS: Final = 1_000_000
SEQUENCE: Final = 256
ASK_EVERY_US: Final = 60_000_000
LATE_US: Final = 60_000_000
"""A birth or death that came in so long before the newest message of its node is a dead letter that is read again."""

MOST_DOUBLINGS: Final = 6
"""A node that does not answer is asked less and less: after 1, 2, 4 ... 64 minutes."""

D = TypeVar("D")


class Node(NamedTuple):
    """An edge node by its group and name."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class Table(Generic[D]):
    """What a birth defined: definitions by metric name, and the names of aliases."""

    names: Mapping[str, D]
    aliases: Mapping[int, str]

    def find(self, name: str | None, alias: int | None) -> D | None:
        """Return the definition of a metric, which a name or an alias tells; None where neither is known."""
        known = name if name is not None else self.aliases.get(-1 if alias is None else alias)
        return None if known is None else self.names.get(known)


@dataclass(slots=True)
class _Known(Generic[D]):
    """A node: its tables by device (empty text: its own), its session, its sequence, and what is wanted of it."""

    tables: dict[str, Table[D]] = field(default_factory=dict)
    born: bool = False
    bd_seq: int | None = None
    seq: int | None = None
    since_ms: int = 0
    orphan_ms: int | None = None
    newest_us: int = 0
    wanted: bool = False
    missed: bool = False
    asked_us: int | None = None
    asked: int = 0

    def size(self) -> int:
        return sum(len(table.names) for table in self.tables.values())


class Nodes(Generic[D]):
    """The nodes that are known. `D` is what a birth defines of a metric."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[Node, _Known[D]] = OrderedDict()
        self._definitions = 0
        self._wanted: set[Node] = set()
        self._found: set[Node] = set()

    def __len__(self) -> int:
        return len(self._nodes)

    @property
    def definitions(self) -> int:
        """The number of metrics that are known."""
        return self._definitions

    def node_birth(
        self, node: Node, table: Table[D], *, bd_seq: int | None, seq: int | None, sent_ms: int, received_us: int
    ) -> None:
        """Take a node's birth: its devices are to be born again.

        What it says holds for messages of its session alone. The session began with this birth; or earlier, where the
        death number is the same, or where its data came before the birth and no death between.
        """
        if self._is_late(node, received_us):
            return
        known = self._touch(node, received_us)
        if not (known.born and bd_seq is not None and known.bd_seq == bd_seq):
            known.since_ms = sent_ms if known.orphan_ms is None else min(sent_ms, known.orphan_ms)
        known.born, known.bd_seq, known.seq, known.orphan_ms = True, bd_seq, seq, None
        self._replace(known, {"": table})
        self._answered(node, known)
        self._tell(node, known)

    def device_birth(
        self, node: Node, device: str, table: Table[D], *, seq: int | None, sent_ms: int, received_us: int
    ) -> None:
        """Take a device's birth. One of a node whose own was not seen holds too, and the node is asked for its own."""
        if self._is_late(node, received_us):
            return
        known = self._touch(node, received_us)
        self._follow(node, known, seq)
        if not known.born:
            known.since_ms = sent_ms if known.orphan_ms is None else min(sent_ms, known.orphan_ms)
            self._orphaned(node, known, sent_ms)
        if device in known.tables or len(known.tables) <= MOST_DEVICES:
            self._replace(known, {**known.tables, device: table})
        self._tell(node, known)

    def data(self, node: Node, device: str, *, seq: int | None, sent_ms: int, received_us: int) -> Table[D] | None:
        """Return what the births say of data sent now; None where none is known that holds for it.

        A message that came in before what is known of its node (a dead letter that is read again) tells nothing of
        the sequence.
        """
        old = node in self._nodes and received_us < self._nodes[node].newest_us
        known = self._touch(node, received_us)
        if not old:
            self._follow(node, known, seq)
        table = known.tables.get(device)
        if table is None:
            if not old:
                self._orphaned(node, known, sent_ms)
            return None
        return table if sent_ms >= known.since_ms else None

    def unknown_metric(self, node: Node) -> None:
        """Note that data named a metric which no birth defined: the node is asked for its birth."""
        if node in self._nodes:
            self._want(node, self._nodes[node])

    def node_death(self, node: Node, bd_seq: int | None, *, received_us: int) -> bool:
        """Take a node's death; return whether it ended the session that is known: a late will of another does not."""
        if self._is_late(node, received_us):
            return False
        known = self._touch(node, received_us)
        if known.born and bd_seq is not None and known.bd_seq is not None and bd_seq != known.bd_seq:
            return False
        known.born, known.seq, known.orphan_ms = False, None, None
        self._replace(known, {})
        self._answered(node, known)
        return True

    def device_death(self, node: Node, device: str, *, seq: int | None, received_us: int) -> None:
        """Take a device's death: its data mean nothing before its next birth."""
        if self._is_late(node, received_us):
            return
        known = self._touch(node, received_us)
        self._follow(node, known, seq)
        self._replace(known, {name: table for name, table in known.tables.items() if name != device})

    def rebirths(self, now_us: int) -> list[Node]:
        """Return the nodes to be asked for their birth now; each is returned once in a time that doubles."""
        due = [node for node in self._wanted if _is_due(self._nodes[node], now_us)]
        for node in due:
            known = self._nodes[node]
            known.asked_us, known.asked = now_us, known.asked + 1
        return sorted(due)

    def _is_late(self, node: Node, received_us: int) -> bool:
        return node in self._nodes and received_us < self._nodes[node].newest_us - LATE_US

    def found(self) -> list[Node]:
        """Return the nodes that were born, they or a device, after data of theirs had meant nothing; each once."""
        found, self._found = self._found, set()
        return sorted(found)

    def _tell(self, node: Node, known: _Known[D]) -> None:
        if known.missed:
            self._found.add(node)
        self._bound()

    def _touch(self, node: Node, received_us: int) -> _Known[D]:
        known = self._nodes.get(node)
        if known is None:
            known = self._nodes[node] = _Known[D]()
            self._bound()
        self._nodes.move_to_end(node)
        known.newest_us = max(known.newest_us, received_us)
        return known

    def _follow(self, node: Node, known: _Known[D], seq: int | None) -> None:
        """Compare a sequence number with the one before: after a gap the lost message may have been a birth."""
        if seq is None:
            return
        if known.seq is not None and seq not in {known.seq, (known.seq + 1) % SEQUENCE}:
            self._want(node, known)
        known.seq = seq

    def _orphaned(self, node: Node, known: _Known[D], sent_ms: int) -> None:
        if not known.born:
            known.orphan_ms = sent_ms if known.orphan_ms is None else min(known.orphan_ms, sent_ms)
        self._want(node, known)

    def _want(self, node: Node, known: _Known[D]) -> None:
        known.wanted = known.missed = True
        self._wanted.add(node)

    def _answered(self, node: Node, known: _Known[D]) -> None:
        known.wanted, known.asked = False, 0
        self._wanted.discard(node)

    def _replace(self, known: _Known[D], tables: dict[str, Table[D]]) -> None:
        self._definitions -= known.size()
        known.tables = tables
        self._definitions += known.size()

    def _bound(self) -> None:
        """Forget the nodes that were silent longest, but never the one that speaks."""
        while len(self._nodes) > 1 and (len(self._nodes) > MOST_NODES or self._definitions > MOST_DEFINITIONS):
            node, known = self._nodes.popitem(last=False)
            self._definitions -= known.size()
            self._wanted.discard(node)
            self._found.discard(node)


def _is_due(known: _Known[D], now_us: int) -> bool:
    if known.asked_us is None:
        return True
    doubled = max(0, min(known.asked - 1, MOST_DOUBLINGS))
    return now_us - known.asked_us >= ASK_EVERY_US << doubled
