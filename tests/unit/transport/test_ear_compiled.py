"""What is heard in C is what is heard without, whatever comes and however it was cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from broker.native import compiled
from broker.transport.redis.replies import Replies, pack
from tests.unit.transport.test_replies_compiled import CUTS, STREAMS, cut

pytestmark = pytest.mark.usefixtures("compiled_module")

FULL_BYTES = 200
"""Blocks as large as this are left to others, as full reads are."""


class Heard:
    """A subscription that writes down what it hears."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.is_broken = False

    def deliver(self, channel: bytes, body: bytes) -> None:
        self.told.append((channel, body))

    def other(self, reply: object) -> None:
        self.told.append((repr(reply),))


class InPython(Heard):
    def __init__(self) -> None:
        super().__init__()
        self._replies = Replies(self.other, is_compiled=False)

    def hear(self, block: bytes) -> None:
        try:
            for channel, body in self._replies.feed(block):
                self.deliver(channel, body)
        except ValueError:
            self.is_broken = True


class Compiled(Heard):
    def __init__(self) -> None:
        super().__init__()
        self._replies = Replies(self.other, is_compiled=True)
        assert self._replies.splitter is not None
        self.hear = compiled.Ear(self._replies.splitter, self.deliver, self.failed, self.otherwise, FULL_BYTES)

    def failed(self, channel: bytes, error: Exception) -> None:
        self.told.append((channel, str(error)))

    def otherwise(self, block: bytes, begin: int, frames: list[tuple[bytes, bytes]]) -> None:
        try:
            for channel, body in frames + self._replies.feed(block[begin:]):
                self.deliver(channel, body)
        except ValueError:
            self.is_broken = True
        self.hear.is_on = not self._replies.is_hiredis_on


@given(STREAMS, CUTS)
def test_the_same_is_heard(stream: list[bytes], cuts: list[int]) -> None:
    ours, twin = Compiled(), InPython()
    for block in cut(b"".join(stream), cuts):
        ours.hear(block)
        twin.hear(block)
        if ours.is_broken or twin.is_broken:  # what came before in the same block is lost to one of them
            assert ours.is_broken == twin.is_broken
            return
        messages = [[each for each in heard.told if len(each) == 2] for heard in (ours, twin)]
        others = [[each for each in heard.told if len(each) == 1] for heard in (ours, twin)]
        assert messages[0] == messages[1]
        assert others[0] == others[1]


def test_who_fails_at_one_message_is_given_the_next() -> None:
    class Picky(Compiled):
        def deliver(self, channel: bytes, body: bytes) -> None:
            if body == b"bad":
                raise LookupError("no")
            super().deliver(channel, body)

    heard = Picky()
    heard.hear(b"".join(pack(b"message", b"MOL.REQ.a", body) for body in (b"1", b"bad", b"2")))
    assert heard.told == [(b"MOL.REQ.a", b"1"), (b"MOL.REQ.a", "no"), (b"MOL.REQ.a", b"2")]
    assert heard.hear.was_heard


def test_what_is_no_error_of_a_message_goes_on() -> None:
    class Stopped(Compiled):
        def deliver(self, channel: bytes, body: bytes) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stopped().hear(pack(b"message", b"MOL.REQ.a", b"1"))
    with pytest.raises(TypeError):
        Compiled().hear()  # type: ignore[call-arg]


def test_a_bytearray_is_heard_as_bytes_are() -> None:
    heard = Compiled()
    heard.hear(bytearray(pack(b"message", b"MOL.REQ.a", b"1")))  # type: ignore[arg-type]  # as asyncio does on Windows
    assert heard.told == [(b"MOL.REQ.a", b"1")]
