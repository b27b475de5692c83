"""A wire without a connection: what arrives there is what a test hands over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import cast

from redis.asyncio import Connection

from broker.clock import Clock
from broker.transport.redis.handover import ALL, PatientReader
from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import Arrived
from broker.transport.redis.wire import Wire


class Line(asyncio.Transport):
    """Nothing arrives by itself, and what is sent is lost."""

    def __init__(self) -> None:
        super().__init__({"sslcontext": True})  # so that nobody else reads it
        self._protocol: asyncio.BaseProtocol = asyncio.Protocol()

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def write(self, data: object) -> None: ...

    def abort(self) -> None: ...


class Handing(PatientReader):
    """A patient reader that is told what it has read."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        super().__init__(clock, wire._arrived, wire._read_end, Pace())

    def hand_over(self, pieces: Iterable[Arrived], most_bytes: int = ALL) -> None:
        """Hand over about so many bytes of what was not taken yet, and of this behind it."""
        self._unread.pieces.extend(pieces)
        self._think_of(most_bytes)

    @property
    def unread(self) -> list[Arrived]:
        """What was not taken yet."""
        return list(self._unread.pieces)

    def hurry(self, is_hurried: bool) -> None: ...

    def catch_up(self) -> None:
        self._think_of(ALL)

    def close(self) -> None: ...

    @property
    def is_open(self) -> bool:
        return True


@contextlib.asynccontextmanager
async def handing(clock: Clock) -> AsyncIterator[tuple[Wire, Handing]]:
    """A wire, and who hands over what arrives there; at the end, what failed in the wire fails here."""
    connection = SimpleNamespace(_reader=None, _writer=SimpleNamespace(transport=Line()))
    wire = Wire(cast("Connection", connection), clock)
    try:
        yield wire, Handing(wire, clock)
        assert wire._why == ""
    finally:
        wire.connection_lost(None)
    await wire.ended()
