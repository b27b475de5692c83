"""What nodes said of themselves, kept as it passed, for a node of ours that comes later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from broker.observe.journal import StateChange
from broker.protocol.channels import channel_name, parse_channel
from broker.protocol.frame import KEY_CHANNEL_PREFIX, RawFrame
from broker.protocol.headers import Malformed, read_other

MOST_BYTES: Final = 256 * 1024 * 1024
"""More is not kept; who is left out can be asked again."""
_MOST_CHANNELS: Final = 50_000
_INFO_KEY: Final = "-DSCVR-INFO:"


class Introductions:
    """The newest INFO of each node that is there, on the bus or in a discoverer's key."""

    def __init__(self) -> None:
        self._is_info: dict[bytes, str | None] = {}
        self._frames: dict[tuple[str, str], RawFrame] = {}
        self._bytes = 0

    def hear(self, frames: Sequence[RawFrame]) -> list[tuple[str, RawFrame]]:
        """Take in frames.

        Returns:
            The introductions among them, with their namespaces, as INFO for everybody.
        """
        known = self._is_info
        found: list[tuple[str, RawFrame]] = []
        for channel, body in frames:
            try:
                namespace = known[channel]
            except KeyError:
                namespace = self._look_at(channel)
            if namespace is not None and body and (frame := self._keep(namespace, body)) is not None:
                found.append((namespace, frame))
        return found

    def learn(self, changes: Iterable[StateChange]) -> None:
        """Who is gone needs no introduction."""
        for key in gone_nodes(changes):
            frame = self._frames.pop(key, None)
            self._bytes -= len(frame[1]) if frame is not None else 0

    def of(self, namespace: str) -> Iterator[RawFrame]:
        """Those of a namespace."""
        return (frame for (known, _), frame in list(self._frames.items()) if known == namespace)

    def _look_at(self, channel: bytes) -> str | None:
        """The namespace whose nodes introduce themselves on this channel; None if nobody does."""
        if len(self._is_info) >= _MOST_CHANNELS:
            self._is_info.clear()
        namespace: str | None = None
        if channel.startswith(KEY_CHANNEL_PREFIX):
            prefix, found, _ = channel.decode("utf-8", "surrogateescape").partition(_INFO_KEY)
            if found:
                namespace = prefix.removeprefix("@key/MOL").removeprefix("-")
        elif (name := parse_channel(channel)) is not None and name.command == "INFO":
            namespace = name.namespace
        self._is_info[channel] = namespace
        return namespace

    def _keep(self, namespace: str, body: bytes) -> RawFrame | None:
        header = read_other(body)
        if isinstance(header, Malformed):
            return None
        frame = channel_name(namespace, "INFO"), body
        key = namespace, header.sender
        before = self._frames.pop(key, None)
        self._bytes -= len(before[1]) if before is not None else 0
        if self._bytes + len(body) <= MOST_BYTES:
            self._frames[key] = frame
            self._bytes += len(body)
        return frame


def gone_nodes(changes: Iterable[StateChange]) -> list[tuple[str, str]]:
    """(namespace, node id) of those that are gone after these changes; some may have come back within them."""
    last = {(change.namespace, change.key): change for change in changes if change.kind == "node"}
    return [key for key, change in last.items() if change.value is None or change.value.get("state") == "offline"]
