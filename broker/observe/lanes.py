"""What is known of a channel, looked up once and kept: its packet type, its namespace, its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broker.observe.counters import AnyCounter


class Lane:
    """One channel.

    Attributes:
        name: The channel's name.
        handle: What takes its packets: (lane, at_ns, body, frame number).
        counter: Where its packets are counted.
        decode: Reads the headers of its packets; may raise, or give Malformed.
        command: Its packet type, as "REQ"; "?" for what is not Moleculer's.
        namespace: Its namespace's text.
        namespace_number: Its namespace's number.
        prefix: What makes ids of its namespace differ from the same ids of others.
        rest: Node id, or name, that the channel's name ends with.
        node: Number of that node; 0 if it names none.
        routes: What is known of packets with these names in their header.
        senders: Nodes that were heard on it, and told to the roster.
    """

    __slots__ = (
        "command",
        "counter",
        "decode",
        "handle",
        "name",
        "namespace",
        "namespace_number",
        "node",
        "prefix",
        "rest",
        "routes",
        "senders",
    )

    def __init__(
        self,
        name: bytes,
        handle: Callable[[Lane, int, bytes, int], None],
        counter: AnyCounter,
        *,
        decode: Callable[[bytes], Any] = bytes,
        command: str = "?",
        namespace: str = "",
        namespace_number: int = 0,
        prefix: str = "",
        rest: str = "",
        node: int = 0,
    ) -> None:
        self.name = name
        self.handle = handle
        self.counter = counter
        self.decode = decode
        self.command = command
        self.namespace = namespace
        self.namespace_number = namespace_number
        self.prefix = prefix
        self.rest = rest
        self.node = node
        self.routes: dict[Any, bytes] = {}
        self.senders: set[str] = set()
