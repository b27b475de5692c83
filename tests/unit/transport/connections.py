"""Two ends of a connection, for tests of those who read one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

from broker.transport.redis.reading import SO_TIMESTAMPNS


@contextlib.contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection over loopback; what arrives at the second is stamped."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as theirs:
        ours = server.accept()[0]
        with ours:
            ours.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            yield theirs, ours


@contextlib.asynccontextmanager
async def transported() -> AsyncIterator[tuple[socket.socket, asyncio.Transport]]:
    """The other side's end, and a transport of ours."""
    with connected() as (theirs, ours):
        ours.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        try:
            yield theirs, transport
        finally:
            transport.abort()
