"""Looking around a Redis server, by an object that has no way to publish."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from broker.transport.base import TransportError
from broker.transport.redis.asking import asking
from broker.transport.url import ConnectionSettings

CHANNELS: Final = "MOL*"
BUFFER_LIMIT: Final = "client-output-buffer-limit"


class RedisLooker:
    """PUBSUB CHANNELS, SCAN, MGET, CLIENT LIST, INFO and CONFIG GET; nothing else."""

    def __init__(self, settings: ConnectionSettings) -> None:
        """Begin without a connection; it is made with the first question, and made again after a failure."""
        self._where = settings.redacted
        self._asking = asking(settings)

    async def channels(self) -> list[str]:
        """Moleculer's channels that somebody listens on; of a cluster, on any node.

        Raises:
            TransportError: The user lacks +pubsub, or the server is gone.
        """
        try:
            answers = await self._asking.ask("PUBSUB", "CHANNELS", CHANNELS)
        except TransportError as error:
            raise _allow(error, "+pubsub", f"{self._where} does not let us ask which channels there are") from error
        return sorted({_text(name) for names in answers for name in names})

    async def keys(self, pattern: str) -> dict[str, bytes]:
        """Keys that match a glob pattern, with their values; what is gone meanwhile or no string is left out.

        Args:
            pattern: As SCAN takes it: ``MOL*-DSCVR-*`` for those of the Redis discoverer.

        Raises:
            TransportError: The user lacks +scan, +mget or the keys, or the server is gone or loading.
        """
        try:
            names = await self._asking.names(pattern)
            values = await self._asking.values(names)
        except TransportError as error:
            raise _allow(error, "+scan +mget ~MOL*-DSCVR-*", f"{self._where} does not let us read its keys") from error
        found = zip(names, values, strict=True)
        return {_text(name): value for name, value in found if value is not None}

    async def clients(self) -> list[dict[str, str]]:
        """Subscribed connections, as the server describes them: ``addr``, ``name``, ``age``, ``omem``, …

        Raises:
            TransportError: The user lacks +client, or the server is gone.
        """
        try:
            answers = await self._asking.ask("CLIENT", "LIST", "TYPE", "PUBSUB")
        except TransportError as error:
            raise _allow(error, "+client|list", f"{self._where} does not let us ask who is connected") from error
        return [_fields(line) for answer in answers for line in _text(answer).splitlines() if line]

    async def server_info(self) -> dict[str, Any]:
        """What the server says of itself, as INFO names it; of a cluster, its first node.

        ``pubsub_output_buffer_limit`` is added where we may know it: bytes
        hard, bytes soft, seconds soft.

        Raises:
            TransportError: The user lacks +info, or the server is gone.
        """
        try:
            answer = (await self._asking.ask("INFO"))[0]
        except TransportError as error:
            raise _allow(error, "+info", f"{self._where} does not let us ask about it") from error
        lines = [line.partition(":") for line in _text(answer).splitlines() if not line.startswith("#")]
        info: dict[str, Any] = {name: value for name, separator, value in lines if separator}
        with contextlib.suppress(TransportError):
            _, limits = (await self._asking.ask("CONFIG", "GET", BUFFER_LIMIT))[0]
            info["pubsub_output_buffer_limit"] = _text(limits).partition("pubsub ")[2]
        return info

    async def close(self) -> None:
        """End the connection."""
        await self._asking.close()


def _allow(error: TransportError, rights: str, message: str) -> TransportError:
    """The same error; if it is about a right, with the right that is missing."""
    if "forbids" not in error.message:
        return error
    return TransportError(f"{message}.", f"Let the user's ACL allow {rights}.", retriable=False)


def _fields(line: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in line.split(" "))}


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
