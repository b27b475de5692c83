"""Packets taken in through C are those taken in without, and so is what is made of all others."""

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.native import compiled
from broker.node.middleware.stack import Middlewares
from broker.node.wire import Wire
from broker.protocol.codec import encode
from broker.protocol.packets import Request, Response

pytestmark = pytest.mark.usefixtures("compiled_module")

CHANNELS = st.sampled_from(
    [b"MOL.REQ.b", b"MOL.RES.b", b"MOL.EVENT.b", b"MOL.PING.b", b"MOL.INFO", b"odd", b"MOL.XX.b"]
)
SENDERS = st.sampled_from(["a", "b", "c"])
VERSIONS = st.sampled_from(["4", "5", "3"])
REQUESTS = st.builds(Request, id=st.just("1"), action=st.sampled_from(["a.b", "bad"]), sender=SENDERS, ver=VERSIONS)
RESPONSES = st.builds(Response, id=st.just("1"), success=st.booleans(), sender=SENDERS, ver=VERSIONS)
BODIES = st.one_of(
    st.one_of(REQUESTS, RESPONSES).flatmap(
        lambda packet: st.sampled_from(["JSON", "MsgPack"]).map(lambda s: encode(packet, s))
    ),
    st.sampled_from(
        [b"", b"{", b"[]", b"{}", b' {"id":"1","action":"a.b","sender":"a","ver":"5"}', b'{"id":"\\ud83d"}']
    ),
    st.binary(max_size=20),
)


class Node:
    """A wire without a bus, and what is told of what came."""

    def __init__(self, *, is_compiled: bool, serializer: str = "JSON") -> None:
        self.told: list[object] = []
        self.wire = Wire("b", "", serializer, ("5",), Middlewares([]))
        self.wire.on_fault = lambda error: self.told.append((type(error), str(error)))
        for command in ("REQ", "RES", "EVENT", "PING"):
            self.wire.on(command, self.take)
        self.receive = self.wire.receive if is_compiled else self.wire.receive_slowly

    def take(self, packet: object) -> None:
        if isinstance(packet, Request) and packet.action == "bad":
            raise LookupError("bad")
        self.told.append(packet)


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack", "JSONExt"])
@given(st.lists(st.tuples(CHANNELS, BODIES), max_size=20))
def test_the_same_becomes_of_whatever_comes(serializer: str, came: list[tuple[bytes, bytes]]) -> None:
    ours, twin = Node(is_compiled=True, serializer=serializer), Node(is_compiled=False, serializer=serializer)
    assert type(ours.receive) is compiled.Post
    for channel, body in came:
        ours.receive(channel, body)
        twin.receive(channel, body)
        assert ours.told == twin.told
    for each in (lambda wire: wire.protocols, lambda wire: wire.spoken, lambda wire: wire.malformed):
        assert each(ours.wire) == each(twin.wire)


def test_what_is_no_error_of_a_packet_goes_on() -> None:
    node = Node(is_compiled=True)

    def stopped(_packet: object) -> None:
        raise KeyboardInterrupt

    node.wire.on("REQ", stopped)
    body = encode(Request(id="1", action="a.b", sender="a", ver="5"))
    for _ in range(2):  # the first is taken in with care
        with pytest.raises(KeyboardInterrupt):
            node.receive(b"MOL.REQ.b", body)
    with pytest.raises(TypeError):
        node.receive(b"MOL.REQ.b")  # type: ignore[call-arg]


def test_a_node_that_is_dropped_leaves_nothing_behind() -> None:
    node = Node(is_compiled=True)
    gone = weakref.ref(node.wire)
    del node
    gc.collect()
    assert gone() is None
