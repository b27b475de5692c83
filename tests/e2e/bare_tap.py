"""The simplest listener there is, to compare ours with: redis-py's own, every frame kept."""

from __future__ import annotations

import threading
from types import TracebackType

import redis

from broker.protocol.frame import RawFrame

_END = b"MOL: end of the tap"


class BareTap:
    """Keeps every frame of a server; ``with BareTap(url) as tap: ...``.

    Attributes:
        frames: In the order in which they came.
    """

    def __init__(self, url: str) -> None:
        self.frames: list[RawFrame] = []
        self._client = redis.Redis.from_url(url, protocol=2)
        self._pubsub = self._client.pubsub(ignore_subscribe_messages=False)
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        self._pubsub.psubscribe(b"MOL*")
        for message in self._pubsub.listen():
            if message["type"] == "psubscribe":
                self._listening.set()
            elif message["channel"] == _END:
                return
            elif message["type"] == "pmessage":
                self.frames.append((message["channel"], message["data"]))

    def __enter__(self) -> BareTap:
        self._thread.start()
        assert self._listening.wait(10.0), "redis did not confirm the subscription"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.publish(_END, b"")  # comes after all that was published before
        self._thread.join(10.0)
        self._pubsub.close()
        self._client.close()
