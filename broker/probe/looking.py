"""Looking around without publishing: channels and discoverer keys, every few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from broker.probe.intake import own_frame
from broker.protocol.channels import parse_channel
from broker.protocol.frame import CHANNELS_CHANNEL, KEY_CHANNEL_PREFIX, RawFrame
from broker.transport.base import Looker, TransportError

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
KEY_PATTERN: Final = "MOL*-DSCVR*"
FEW_KEYS: Final = 100_000
"""To find discoverer keys the server must go through all its keys: at most so many, or only when it seems worth it."""
NO_HEARTBEAT_LOOKS: Final = 4
"""A mesh whose nodes listen and of which no heartbeat came in so many looks may keep itself in keys."""
LOOKS_BETWEEN_SEARCHES: Final = 12
"""Where no key was found, they are searched again after so many looks."""


class Lookout:
    """Turns what a looker sees into frames, whenever it has changed.

    Attributes:
        trouble: Why channels can never be listed; empty while they can, or while there is no connection.
        has_looked: Whether the bus answered at least once.
        hears_heartbeats: Whether nodes send heartbeats; then they do not keep themselves in keys. Set by the session.
    """

    def __init__(self, looker: Looker, feed: Callable[[list[RawFrame]], None], namespaces: Sequence[str] = ()) -> None:
        """
        Args:
            looker: Sees what is there.
            feed: Takes frames.
            namespaces: Only what belongs to these; none for all.
        """
        self.trouble = ""
        self.has_looked = False
        self.hears_heartbeats = False
        self._looks = 0
        self._search_at = 0
        self._is_small: bool | None = None
        self._looker = looker
        self._feed = feed
        self._channels: list[str] | None = None
        self._keys: dict[str, bytes] = {}
        self._may_list = True
        self._namespaces = frozenset(namespaces)

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._looker.close()

    async def _look(self) -> None:
        if self._may_list:
            try:
                await self._list_channels()
                self.trouble, self.has_looked = "", True
            except TransportError as error:
                self.trouble = f"{error.message} {error.advice}".strip() if not error.retriable else ""
                self._may_list = error.retriable
                self.has_looked = self.has_looked or not error.retriable  # it answered: with a no
        self._looks += 1
        try:
            if await self._may_search():
                await self._read_keys()
                self._search_at = self._looks + (1 if self._keys else LOOKS_BETWEEN_SEARCHES)
        except TransportError as error:
            log.debug("discoverer keys could not be read: %s", error)

    async def _may_search(self) -> bool:
        """Whether to look for discoverer keys: never to the harm of a big server for a mesh that has none."""
        if self._looks < self._search_at or (self.hears_heartbeats and not self._keys):
            return False
        if self._is_small is None:
            info = await self._looker.server_info()
            sizes = [str(text) for name, text in info.items() if name.startswith("db") and name[2:].isdigit()]
            self._is_small = sum(_key_count(text) for text in sizes) <= FEW_KEYS
        return self._is_small or bool(self._keys) or (bool(self._channels) and self._looks >= NO_HEARTBEAT_LOOKS)

    async def _list_channels(self) -> None:
        channels = sorted(name for name in await self._looker.channels() if self._is_ours(_namespace(name)))
        if channels != self._channels:
            self._channels = channels
            self._feed([own_frame(CHANNELS_CHANNEL, _note(channels))])

    async def _read_keys(self) -> None:
        found = await self._looker.keys(KEY_PATTERN)
        keys = {name: value for name, value in found.items() if self._is_ours(_namespace_of_key(name))}
        changed = {name: value for name, value in keys.items() if self._keys.get(name) != value}
        changed |= dict.fromkeys(self._keys.keys() - keys.keys(), b"")
        self._keys = keys
        # what a node is comes before that it lives
        order = sorted(changed, key=lambda name: ("-BEAT:" in name, name))
        if order:
            prefix = KEY_CHANNEL_PREFIX
            self._feed([(prefix + name.encode("utf-8", "surrogateescape"), changed[name]) for name in order])

    def _is_ours(self, namespace: str | None) -> bool:
        return not self._namespaces or namespace in self._namespaces


def _namespace(channel: str) -> str | None:
    name = parse_channel(channel.encode("utf-8", "surrogateescape"))
    return name.namespace if name is not None else None


def _key_count(keyspace: str) -> int:
    """Of a line of INFO: ``keys=12,expires=3,avg_ttl=0``."""
    text = keyspace.partition("keys=")[2].partition(",")[0]
    return int(text) if text.isdecimal() else 0


def _namespace_of_key(key: str) -> str | None:
    return key.partition("-DSCVR-")[0].removeprefix("MOL").removeprefix("-")


def _note(channels: list[str]) -> dict[str, Any]:
    return {"channels": channels}
