"""Streams: one call in many packets of one id (protocol, section 5)."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from broker.protocol.packets import Request, Response

OBJECT_MODE: Final = "$streamObjectMode"
STREAM_ERROR: Final = "$streamError"
_MOST_EARLY: Final = 10_000

Item = TypeVar("Item")


class InOrder(Generic[Item]):
    """Hands out numbered items in order, whatever order they come in.

    Args:
        most_early: How many items wait for one that is missing; what comes beyond is dropped and counted.

    Attributes:
        expected: The number of the next item to be handed out.
        dropped: Items that could not wait, came twice or have no number.
    """

    def __init__(self, most_early: int = _MOST_EARLY) -> None:
        self.expected = 0
        self.dropped = 0
        self._most_early = most_early
        self._early: dict[int, Item] = {}

    def take(self, number: object, item: Item) -> list[Item]:
        """Take in an item.

        Args:
            number: From 0, as the wire says it: anything.
            item: What it numbers.

        Returns:
            What is its turn now, in order; often just the item.
        """
        place = _place(number)
        is_new = place >= self.expected and place not in self._early
        if not is_new or (len(self._early) >= self._most_early and place != self.expected):
            self.dropped += 1
            return []
        self._early[place] = item
        ready = []
        while self.expected in self._early:
            ready.append(self._early.pop(self.expected))
            self.expected += 1
        return ready

    @property
    def early(self) -> int:
        """How many items wait for one that is missing."""
        return len(self._early)

    @property
    def taken(self) -> int:
        """How many items came in all."""
        return self.expected + self.early + self.dropped


def _place(number: object) -> int:
    """A packet's number; -1 for what is none."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number if isinstance(number, int) and not isinstance(number, bool) else -1


class Assembly:
    """Puts together what one direction of a streamed call carried.

    Attributes:
        is_in_object_mode: Whether chunks are values; otherwise they are bytes.
        chunks: In order, as far as no packet is missing.
        is_closed: Whether its last packet was taken in, in its turn.
        error: The remote error that ended it, as plain data; None if it ended well.
    """

    def __init__(self) -> None:
        self.is_in_object_mode = False
        self.chunks: list[Any] = []
        self.is_closed = False
        self.error: Any = None
        self._packets: InOrder[Request | Response] = InOrder()

    def take(self, packet: Request | Response) -> None:
        """Take in a packet of it. Those that come early wait; what comes twice or after the end is left out."""
        for ready in self._packets.take(packet.seq, packet):
            if not self.is_closed:
                self._take_in_turn(ready)

    @property
    def is_complete(self) -> bool:
        """Whether everything up to its end is there."""
        return self.is_closed and self._packets.early == 0

    def content(self) -> bytes | list[Any]:
        """What it carried: bytes, or the values of object mode."""
        if self.is_in_object_mode or not all(isinstance(chunk, bytes) for chunk in self.chunks):
            return self.chunks
        return b"".join(self.chunks)

    def _take_in_turn(self, packet: Request | Response) -> None:
        markers = marks(packet)
        self.is_in_object_mode = self.is_in_object_mode or markers.get(OBJECT_MODE) is True
        if packet.stream is not True:
            self.is_closed = True
            self.error = packet.error if isinstance(packet, Response) else markers.get(STREAM_ERROR)
        elif packet.seq:
            chunk = packet.params if isinstance(packet, Request) else packet.data
            self.chunks.append(chunk if self.is_in_object_mode else as_bytes(chunk))


def marks(packet: Request | Response) -> dict[str, Any]:
    """Where a packet carries the markers of streams: its headers since version 5, its meta before."""
    found = packet.meta if packet.ver == "4" else packet.headers
    return found if isinstance(found, dict) else {}


def as_bytes(value: object) -> object:
    """A Buffer as JSON carries it (``{"type": "Buffer", "data": [...]}``) as bytes; anything else as it is."""
    if not isinstance(value, dict) or value.get("type") != "Buffer" or len(value) != 2:
        return value
    try:
        return bytes(value["data"]) if isinstance(value.get("data"), list) else value
    except (TypeError, ValueError):  # not all of them are bytes
        return value
