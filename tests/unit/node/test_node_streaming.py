"""Chunks of one stream, in and out of order."""

import asyncio
import itertools

import pytest

from broker.node.errors import MoleculerError
from broker.node.streaming import IncomingStream, OutgoingStream, as_stream

PACKETS = [(0, None, True), (1, b"a", True), (2, b"b", True), (3, None, False)]


@pytest.mark.parametrize("order", list(itertools.permutations(PACKETS)))
def test_chunks_come_out_in_order_whatever_the_order_of_packets(order):
    async def story() -> list[bytes]:
        stream = IncomingStream("a")
        for seq, chunk, more in order:
            stream.take(seq, chunk, more=more)
        return [chunk async for chunk in stream]

    assert asyncio.run(story()) == [b"a", b"b"]


def test_a_stream_that_fails_gives_its_chunks_first():
    async def story() -> list[bytes]:
        stream = IncomingStream("a")
        stream.take(0, None, more=True)
        stream.take(1, b"a", more=True)
        stream.take(2, None, more=False, error=ValueError("cut"))
        got = [await anext(stream)]
        with pytest.raises(ValueError, match="cut"):
            await anext(stream)
        return got

    assert asyncio.run(story()) == [b"a"]


def test_a_reader_that_waits_is_woken():
    async def story() -> list[bytes]:
        stream = IncomingStream("a")

        async def read() -> list[bytes]:
            return [chunk async for chunk in stream]

        reader = asyncio.create_task(read())
        for seq, chunk, more in PACKETS:
            await asyncio.sleep(0)
            stream.take(seq, chunk, more=more)
        return await reader

    assert asyncio.run(story()) == [b"a", b"b"]


async def _give(*chunks, error: Exception | None = None):
    for chunk in chunks:
        yield chunk
    if error is not None:
        raise error


def _sent(stream: OutgoingStream, chunk_bytes: int = 4) -> tuple[list, bool | None]:
    async def story() -> tuple[list, bool | None]:
        out: list = []

        async def put(chunk: object) -> None:
            out.append(chunk)

        await stream.begin()
        await stream.send(put, chunk_bytes)
        return out, stream.object_mode

    return asyncio.run(story())


def test_bytes_are_cut_and_values_are_not():
    assert _sent(as_stream(_give(b"abcdefghij", b"k"))) == ([b"abcd", b"efgh", b"ij", b"k"], False)
    assert _sent(as_stream(_give({"a": 1}, "long text"))) == ([{"a": 1}, "long text"], True)
    assert _sent(as_stream(_give())) == ([], False)


def test_a_source_that_fails_at_once_fails_when_it_is_sent():
    with pytest.raises(ValueError, match="no"):
        _sent(as_stream(_give(error=ValueError("no"))))


def test_a_stream_that_lost_a_packet_fails_before_it_fills_the_memory():
    async def story() -> None:
        stream = IncomingStream("a")
        stream.take(0, None, more=True)
        for seq in range(2, 1100):
            stream.take(seq, b"a", more=True)
        await anext(stream)

    with pytest.raises(MoleculerError, match="packet 1 of a stream was lost"):
        asyncio.run(story())
