"""What is known of Sparkplug nodes, whatever order births, data and deaths come in."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest import sparkplug_state
from ingest.sparkplug_state import ASK_EVERY_US, LATE_US, Node, Nodes, Table

NODE = Node("g", "n")
MINUTE = ASK_EVERY_US


def table(*names: str) -> Table[str]:
    return Table(dict(zip(names, names, strict=True)), dict(enumerate(names)))


def born(nodes: Nodes[str], *, at: int = 0, bd_seq: int | None = 1, seq: int = 0) -> None:
    nodes.node_birth(NODE, table("a"), bd_seq=bd_seq, seq=seq, sent_ms=at, received_us=at * 1000)


def data(nodes: Nodes[str], *, at: int, seq: int | None, device: str = "") -> Table[str] | None:
    return nodes.data(NODE, device, seq=seq, sent_ms=at, received_us=at * 1000)


def test_data_mean_what_the_birth_said() -> None:
    nodes = Nodes[str]()
    born(nodes)
    found = data(nodes, at=1, seq=1)
    assert found is not None
    assert [found.find(*m) for m in ((None, 0), ("a", None), (None, 7), (None, None))] == ["a", "a", None, None]
    assert nodes.rebirths(10) == []


def test_data_before_a_birth_mean_nothing_and_ask_for_it_less_and_less() -> None:
    nodes = Nodes[str]()
    assert data(nodes, at=1, seq=5) is None
    asked = [minute for minute in range(200) if nodes.rebirths(minute * MINUTE)]
    assert asked == [0, 1, 3, 7, 15, 31, 63, 127, 191]
    born(nodes, at=2)
    assert nodes.rebirths(10**12) == []


def test_a_gap_asks_for_a_birth_and_the_data_count() -> None:
    nodes = Nodes[str]()
    born(nodes)
    assert data(nodes, at=1, seq=1) is not None
    assert data(nodes, at=2, seq=3) is not None
    assert nodes.rebirths(10) == [NODE]


@given(st.integers(0, 1000))
def test_a_sequence_without_gaps_never_asks(many: int) -> None:
    nodes = Nodes[str]()
    born(nodes)
    for n in range(many):
        assert data(nodes, at=n + 1, seq=(n + 1) % 256) is not None
        assert data(nodes, at=n + 1, seq=(n + 1) % 256) is not None  # delivered twice
    assert nodes.rebirths(10**9) == []


def test_what_a_birth_says_holds_for_its_session_alone() -> None:
    nodes = Nodes[str]()
    born(nodes, at=1000, bd_seq=1)
    assert data(nodes, at=999, seq=None) is None  # sent under another birth, which may have given other aliases
    assert data(nodes, at=1001, seq=None) is not None


def test_a_rebirth_of_the_same_session_holds_for_what_came_before_it() -> None:
    nodes = Nodes[str]()
    born(nodes, at=1000, bd_seq=1)
    born(nodes, at=5000, bd_seq=1)
    assert data(nodes, at=3000, seq=None) is not None
    born(nodes, at=9000, bd_seq=2)
    assert data(nodes, at=8000, seq=None) is None


def test_data_that_came_before_their_birth_can_be_read_after_it() -> None:
    nodes = Nodes[str]()
    assert data(nodes, at=1000, seq=7) is None
    born(nodes, at=2000)
    again = nodes.data(NODE, "", seq=7, sent_ms=1000, received_us=1_000_000)
    assert again is not None
    assert nodes.rebirths(10**9) == []  # a letter that is read again tells nothing of the sequence


def test_a_death_between_data_and_birth_means_that_the_birth_is_of_another_session() -> None:
    nodes = Nodes[str]()
    assert data(nodes, at=1000, seq=7) is None
    assert nodes.node_death(NODE, 1, received_us=1_500_000)
    born(nodes, at=2000, bd_seq=2)
    assert data(nodes, at=1000, seq=None) is None


def test_a_late_will_of_a_former_session_ends_nothing() -> None:
    nodes = Nodes[str]()
    born(nodes, at=1000, bd_seq=2)
    assert not nodes.node_death(NODE, 1, received_us=1_100_000)
    assert data(nodes, at=1200, seq=1) is not None
    assert nodes.node_death(NODE, 2, received_us=1_300_000)
    assert data(nodes, at=1400, seq=2) is None


def test_devices_are_born_and_die_by_themselves_and_with_their_node() -> None:
    nodes = Nodes[str]()
    born(nodes)
    assert data(nodes, at=1, seq=1, device="d") is None
    nodes.device_birth(NODE, "d", table("x"), seq=2, sent_ms=2, received_us=2000)
    assert data(nodes, at=3, seq=3, device="d") is not None
    nodes.device_death(NODE, "d", seq=4, received_us=4000)
    assert data(nodes, at=5, seq=5, device="d") is None
    assert data(nodes, at=5, seq=6) is not None
    nodes.device_birth(NODE, "d", table("x"), seq=7, sent_ms=6, received_us=6000)
    born(nodes, at=7)
    assert data(nodes, at=8, seq=1, device="d") is None


def test_a_device_birth_of_an_unknown_node_holds_and_asks_for_the_nodes_own() -> None:
    nodes = Nodes[str]()
    nodes.device_birth(NODE, "d", table("x"), seq=3, sent_ms=1000, received_us=1_000_000)
    assert data(nodes, at=1001, seq=4, device="d") is not None
    assert data(nodes, at=999, seq=None, device="d") is None
    assert nodes.rebirths(0) == [NODE]


def test_births_and_deaths_that_are_read_again_change_nothing() -> None:
    nodes = Nodes[str]()
    late = LATE_US // 1000 + 1
    born(nodes, at=late, bd_seq=2)
    nodes.node_birth(NODE, table("old"), bd_seq=1, seq=0, sent_ms=0, received_us=0)
    assert not nodes.node_death(NODE, 2, received_us=0)
    nodes.device_death(NODE, "", seq=9, received_us=0)
    nodes.device_birth(NODE, "d", table("old"), seq=9, sent_ms=0, received_us=0)
    found = data(nodes, at=late + 1, seq=1)
    assert found is not None
    assert found.find("a", None) == "a"
    assert nodes.rebirths(10**9) == []


def test_memory_is_bounded_and_the_forgotten_are_asked_again() -> None:
    nodes = Nodes[str]()
    limit = sparkplug_state.MOST_NODES
    for n in range(limit + 10):
        nodes.node_birth(Node("g", str(n)), table("a"), bd_seq=1, seq=0, sent_ms=0, received_us=n)
    assert (len(nodes), nodes.definitions) == (limit, limit)
    assert nodes.data(Node("g", "0"), "", seq=1, sent_ms=1, received_us=limit * 2) is None
    assert nodes.rebirths(0) == [Node("g", "0")]


class World:
    """Nodes, a clock that only goes on, and when each node was asked."""

    def __init__(self) -> None:
        self.nodes = Nodes[str]()
        self.asked: dict[Node, int] = {}
        self.us = 0

    def data(self, node: Node, device: str, seq: int | None) -> Table[str] | None:
        return self.nodes.data(node, device, seq=seq, sent_ms=self.us // 1000, received_us=self.us)

    def nbirth(self, node: Node, seq: int, bd_seq: int | None) -> None:
        ms = self.us // 1000
        self.nodes.node_birth(node, table("a", "b"), bd_seq=bd_seq, seq=seq, sent_ms=ms, received_us=self.us)
        assert self.data(node, "", None) is not None

    def dbirth(self, node: Node, seq: int, _bd_seq: int | None) -> None:
        self.nodes.device_birth(node, "d", table("x"), seq=seq, sent_ms=self.us // 1000, received_us=self.us)
        assert self.data(node, "d", None) is not None

    def ndata(self, node: Node, seq: int, _bd_seq: int | None) -> None:
        self.data(node, "", seq)

    def ddata(self, node: Node, seq: int, _bd_seq: int | None) -> None:
        self.data(node, "d", seq)

    def ndeath(self, node: Node, _seq: int, bd_seq: int | None) -> None:
        if self.nodes.node_death(node, bd_seq, received_us=self.us):
            assert self.data(node, "", None) is None
            assert self.data(node, "d", None) is None

    def ddeath(self, node: Node, seq: int, _bd_seq: int | None) -> None:
        self.nodes.device_death(node, "d", seq=seq, received_us=self.us)
        assert self.data(node, "d", None) is None

    def ask(self, _node: Node, _seq: int, _bd_seq: int | None) -> None:
        for due in self.nodes.rebirths(self.us):
            assert due not in self.asked or self.us - self.asked[due] >= ASK_EVERY_US
            self.asked[due] = self.us


EVENTS = st.tuples(
    st.sampled_from(["nbirth", "dbirth", "ndata", "ddata", "ndeath", "ddeath", "ask"]),
    st.sampled_from([Node("g", "1"), Node("g", "2")]),
    st.integers(0, 255),
    st.integers(0, 10**7),
    st.sampled_from([None, 1, 2]),
)


@given(st.lists(EVENTS, max_size=60))
def test_whatever_happens_definitions_are_counted_and_only_the_living_speak(events: list[Any]) -> None:
    world = World()
    for what, node, seq, step, bd_seq in events:
        world.us += step
        getattr(world, what)(node, seq, bd_seq)
        assert 0 <= world.nodes.definitions <= 2 * 3
