"""What every bus gives: a tap to listen, a looker to look around, a publisher, a subscription for a node."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from broker.protocol.frame import GAP_CHANNEL, FrameSink


class TransportError(Exception):
    """The bus said no.

    Attributes:
        advice: What to do about it.
        retriable: Whether trying again may help without anybody doing anything.
    """

    def __init__(self, message: str, advice: str = "", *, retriable: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.retriable = retriable


class Tap(Protocol):
    """Listens to everything, and publishes nothing."""

    async def run(self, sink: FrameSink) -> None:
        """Listen until cancelled.

        A lost connection is a ``@gap`` frame, mended with backoff by itself.

        Raises:
            TransportError: At the first connection, what trying again cannot
                mend: a wrong password, a refused certificate.
        """
        ...

    def catch_up(self) -> None:
        """Deliver what has arrived until now, where that was not done at once."""
        ...

    def hurry(self, is_hurried: bool) -> None:
        """Deliver at once what arrives, while somebody waits for it; or, which is usual, when that is cheap."""
        ...


class Looker(Protocol):
    """Looks around without publishing: it has no method for that."""

    async def channels(self) -> list[str]:
        """Moleculer's channels that somebody listens on."""
        ...

    async def keys(self, pattern: str) -> dict[str, bytes]:
        """Keys that match a glob pattern, with their values."""
        ...

    async def clients(self) -> list[dict[str, str]]:
        """Connections of the bus, as it describes them."""
        ...

    async def server_info(self) -> dict[str, Any]:
        """What the bus says of itself."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Publisher(Protocol):
    """Sends packets."""

    def publish(self, channel: bytes, body: bytes) -> None:
        """Put a packet out; it leaves with everything else of this turn of the loop."""
        ...

    async def drain(self) -> None:
        """Wait while too much is waiting to leave."""
        ...

    async def confirm(self) -> None:
        """Wait until the bus has taken all that was published.

        Raises:
            TransportError: It refused some of it since we were last asked, or is gone.
        """
        ...

    async def close(self) -> None:
        """Send what waits, then end the connection."""
        ...


class KeyStore(Protocol):
    """Keys that nodes write for each other. Every method raises TransportError when the server is gone or says no."""

    async def put(self, name: str, value: bytes, ttl_s: float, instead_of: str = "") -> None:
        """Write a key that is gone after so long; another goes at the same moment."""
        ...

    async def keep(self, name: str, ttl_s: float) -> None:
        """Let a key live on, if it is still there."""
        ...

    async def remove(self, names: list[str]) -> None:
        """Take keys away."""
        ...

    async def names(self, pattern: str) -> list[str]:
        """Names of keys that match a glob pattern."""
        ...

    async def values(self, names: list[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for what is gone."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


Deliver = Callable[[bytes, bytes], None]
"""Takes the channel and the body of what arrived."""


class Subscription(Protocol):
    """Hears some channels, for a node."""

    async def add(self, channels: Sequence[bytes]) -> None:
        """Hear these as well."""
        ...

    async def remove(self, channels: Sequence[bytes]) -> None:
        """Hear these no longer."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class CheckResult(NamedTuple):
    """One thing that was checked.

    Attributes:
        name: What.
        ok: Whether it is as it should be.
        message: What was found.
        advice: What to do when it is not.
    """

    name: str
    ok: bool
    message: str
    advice: str = ""


def gap_frame(phase: str, *, reason: str = "", advice: str = "", retry_in_s: float = 0.0) -> tuple[bytes, bytes]:
    """A frame that says we hear nothing from now on (``begin``), or hear again (``end``)."""
    body: dict[str, object] = {"phase": phase}
    if phase == "begin":
        body |= {"reason": reason, "advice": advice, "retry_in_s": retry_in_s}
    return GAP_CHANNEL, json.dumps(body).encode()
