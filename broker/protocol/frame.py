"""Frames: bytes as they crossed the bus. What is tapped, recorded and read back.

A source delivers frames and nothing else. What it learns otherwise (it lost
the connection, it saw a discoverer key) is a frame too, on one of our own
channels, whose names begin with ``@``; their bodies are JSON, but for
``@key/<name>``, whose body is the key's value as the server gave it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

SESSION_CHANNEL: Final = b"@session"
"""``{"phase": "begin", "program", "format", "url" (without secrets), "profile", "may"}``,
``{"phase": "ours", "node_id"}`` for every node id we ourselves use, ``{"phase": "end", "reason"}``."""

GAP_CHANNEL: Final = b"@gap"
"""``{"phase": "begin", "reason", "advice", "retry_in_s"}`` (again for every failed attempt),
``{"phase": "end"}`` when we hear again, ``{"phase": "lost", "packets", "reason"}`` for a known number."""

CHANNELS_CHANNEL: Final = b"@channels"
"""``{"channels": [...]}``: what PUBSUB CHANNELS said."""

CLOCK_CHANNEL: Final = b"@clock"
"""``{"step_ns": ...}``: the wall clock was set."""

CATALOGUE_CHANNEL: Final = b"@catalogue"
"""``{"saved_ns", "nodes": [{"namespace", "info": {...}}]}``: what this connection knew last time."""

ASKED_CHANNEL: Final = b"@asked"
"""``{"what": "helper", "namespace", "node", "list": {...}}``: a helper's answer to a request for its breakers;
``{"what": "endpoints", "namespace", "node", "open": [[node id, action], ...], "closed": [...]}``: what a node
without one said of endpoints, in ``$node.actions``."""

KEY_CHANNEL_PREFIX: Final = b"@key/"
"""``@key/MOL-DSCVR-INFO:node-1``: a Redis discoverer key; an empty body means it is gone."""

RawFrame = tuple[bytes, bytes]
"""(channel, body) as the bus delivered them. Tuples, since a million of them pass."""


class Frame(NamedTuple):
    """One frame with its moment.

    Attributes:
        at_ns: When it was received, in ns since the epoch.
        channel: Its channel, undecoded.
        body: What it carried, undecoded.
    """

    at_ns: int
    channel: bytes
    body: bytes


class FrameSink(Protocol):
    """Takes what a source delivers: the pipeline, a recorder, a test."""

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames that arrived together, oldest first.

        Args:
            at_ns: When they were received, in ns since the epoch; never
                before an earlier feed's.
            frames: Channel and body of each.
        """
        ...
