"""What Redis sends to a subscriber of a mesh: ordinary messages, and odd ones between them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cache

from broker.transport.redis.replies import pack
from tests.script import Script, failure

NODES = ["node-1", "node-2", "n.3"]
ACTIONS = ["users.get", "v2.orders.list", "a.b", "$node.ping"]
TIMEOUTS = [0, 100, 5_000, 1, 700, 90_000_000]
REPLIES = [b":1\r\n", b"+PONG\r\n", b"-ERR x\r\n", b":0\r\n:12\r\n", pack(b"pong", b"")]
PACKETS = ["request", "request", "answer", "answer", "answer", "event", "event"]
ODD = ["failed", "twice", "again", "stray", "balanced", "heartbeat", "info", "ping", "no json", "long", "reply"]


class Stream:
    """Writes what Redis sends to a subscriber.

    Attributes:
        messages: What was written so far, one after the other.
    """

    def __init__(self, first: int = 0) -> None:
        self.messages: list[bytes] = []
        self._calls: list[tuple[str, str, str]] = []
        self._count = first  # of its ids

    def id(self, odd: int = 0) -> str:
        """One that was not there before."""
        self._count += 1
        number = 0x1B4E28BA_2FA1_11D2_883F_0016D3CCA427 + self._count
        others = {1: f"{self._count}", 2: f"é{self._count}", 3: f"{self._count}" * 42}
        return others.get(odd) or str(uuid.UUID(int=number))

    def write(self, what: str, number: int) -> None:
        """A message; which of its kind the number says."""
        sender, target = NODES[number % 3], NODES[(number + number // 3 % 2 + 1) % 3]
        action, odd = ACTIONS[number // 6 % 4], number // 24 % 12
        script = Script()
        match what:
            case "request" | "long":
                timeout = TIMEOUTS[number // 288 % len(TIMEOUTS)]
                self._calls.append((self.id(odd), sender, target))
                params = {"text": "x" * 100_000 if what == "long" else "Åsa"}
                script.request(
                    0, action, id=self._calls[-1][0], sender=sender, target=target, timeout=timeout, params=params
                )
            case "again" if self._calls:
                call_id, sender, target = self._calls[number % len(self._calls)]
                script.request(0, action, id=call_id, sender=sender, target=target)
            case "answer" | "failed" | "twice" if self._calls:
                place = len(self._calls) - 1 - number % min(8, len(self._calls))
                call_id, caller, callee = self._calls[place] if what == "twice" else self._calls.pop(place)
                error = failure(504, "REQUEST_TIMEOUT") if what == "failed" else None
                script.response(0, id=call_id, sender=callee, target=caller, error=error)
            case "stray":
                script.response(0, id=self.id(odd), sender=sender, target=target)
            case "event" | "balanced":
                balanced, groups = what == "balanced", ["mail"] if number % 2 else None
                script.event(0, "a.b", id=self.id(odd), sender=sender, target=target, groups=groups, balanced=balanced)
            case "heartbeat":
                script.heartbeat(0, sender, number % 100)
            case "info":
                script.info(0, sender, seq=number % 4 + 1)
            case "ping":
                script.packet(0, "PING", {"time": 1, "id": "1"}, sender=sender, rest=target)
            case "no json":
                script.raw(0, f"MOL.REQ.{target}", [b"\xff", b"", b"{", b"\x01\x02", b"null"][number % 5])
            case "reply":
                self.messages.append(REPLIES[number % len(REPLIES)])
        for _, channel, body in script.frames:
            way = (b"message",) if number % 2 else (b"pmessage", b"MOL*")
            self.messages.append(pack(*way, channel, body))


@cache
def warm_up() -> bytes:
    """After this all ordinary channels, routes and senders are known."""
    stream = Stream(first=1_000)
    for number in range(24):
        for what in ("request", "answer", "event"):
            stream.write(what, number)
    return b"".join(stream.messages)


def written(steps: Sequence[tuple[str, int]]) -> list[bytes]:
    """The messages of these steps."""
    stream = Stream()
    for what, number in steps:
        stream.write(what, number)
    return stream.messages


CALLS = [step for number in range(24) for step in (("request", number), ("answer", number), ("event", number))]
"""Ordinary steps: after `warm_up` all that they tell of is known."""
