"""Answers that nobody waits for are read together."""

from __future__ import annotations

import asyncio

from broker.transport.redis.rest import Rest


class Reading(asyncio.Transport):
    """A transport that tells what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.has_resumed = asyncio.Event()
        self.is_over = False

    def is_closing(self) -> bool:
        return self.is_over

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")
        self.has_resumed.set()


def test_after_something_was_read_the_next_is_read_in_a_while_by_itself():
    async def story():
        transport = Reading()
        rest = Rest(transport)
        rest.begin()
        rest.begin()
        assert transport.asked == ["pause"]
        await transport.has_resumed.wait()
        return transport.asked

    assert asyncio.run(story()) == ["pause", "resume"]


def test_who_waits_for_an_answer_ends_the_rest_at_once_and_only_once():
    async def story():
        transport = Reading()
        rest = Rest(transport)
        rest.begin()
        rest.end()
        rest.end()
        return transport.asked

    assert asyncio.run(story()) == ["pause", "resume"]


def test_a_connection_that_is_closing_is_neither_paused_nor_resumed():
    async def story():
        transport = Reading()
        rest = Rest(transport)
        transport.is_over = True
        rest.begin()
        transport.is_over = False
        rest.begin()
        transport.is_over = True
        rest.end()
        return transport.asked

    assert asyncio.run(story()) == ["pause"]
