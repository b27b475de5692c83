"""What is known of a channel, looked up once and kept: its packet type, its namespace, its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broker.observe.counters import Counter

CallRoute = tuple[int, int]
"""(number of the action, edge): what all calls of one caller to one action on one node have in common."""

EventRoute = tuple[int, int, int, bool]
"""(number of the event, edge, number of its groups, whether it speaks of a circuit breaker)."""


def edge_of(*, flags: int, caller: int, source: int, target: int) -> int:
    """Flags, caller, source and target, 16 bits each, as one number; ``rows`` takes it apart again."""
    return flags << 48 | caller << 32 | source << 16 | target


def target_of(edge: int) -> int:
    """Number of the node that a call goes to."""
    return edge & 0xFFFF


def flags_of(edge: int) -> int:
    """The flags that are so for all calls of an edge."""
    return edge >> 48


class Lane:
    """One channel.

    Attributes:
        name: The channel's name.
        handle: What takes its packets: (lane, at_ns, body, frame number).
        counter: Where its packets are counted.
        command: Its packet type, as "REQ"; "?" for what is not Moleculer's.
        namespace: Its namespace's text.
        namespace_number: Its namespace's number.
        rest: Node id, or name, that the channel's name ends with.
        node: Number of that node; 0 if it names none.
        routes: What is known of packets with these names in their header.
        senders: Nodes that were heard on it, and told to the roster.
    """

    __slots__ = (
        "command",
        "counter",
        "handle",
        "name",
        "namespace",
        "namespace_number",
        "node",
        "rest",
        "routes",
        "senders",
    )

    def __init__(
        self,
        name: bytes,
        handle: Callable[[Lane, int, bytes, int], None],
        counter: Counter,
        *,
        command: str = "?",
        namespace: str = "",
        namespace_number: int = 0,
        rest: str = "",
        node: int = 0,
    ) -> None:
        self.name = name
        self.handle = handle
        self.counter = counter
        self.command = command
        self.namespace = namespace
        self.namespace_number = namespace_number
        self.rest = rest
        self.node = node
        self.routes: dict[Any, Any] = {}
        self.senders: set[str] = set()
