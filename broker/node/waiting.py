"""Waiting until services are there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from broker.node.errors import MoleculerServerError
from broker.node.registry import Registry
from broker.protocol.info import full_name_of

Wanted = str | Mapping[str, Any]
"""A full name, or ``{"name": …, "version": …}``, where several versions in a list mean any of them."""


class Waiting:
    """Who waits for services of the mesh."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._changed = asyncio.Event()

    def services_changed(self) -> None:
        """Somebody offers something else now."""
        self._changed.set()

    async def for_services(self, wanted: Wanted | Iterable[Wanted], timeout_s: float | None) -> None:
        """Wait until all of them are offered.

        Args:
            wanted: One, or several.
            timeout_s: None or 0 for ever.

        Raises:
            MoleculerServerError: They are not all there in time; its data says which are.
        """
        each = [wanted] if isinstance(wanted, str | Mapping) else list(wanted)
        groups = list(dict.fromkeys(names for names in map(_any_of, each) if names))
        try:
            async with asyncio.timeout(timeout_s or None) as limit:
                while not all(any(map(self._registry.has_service, names)) for names in groups):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            if not limit.expired():
                raise
            statuses = [
                {"name": name, "available": self._registry.has_service(name)} for names in groups for name in names
            ]
            about = {"services": [status["name"] for status in statuses], "statuses": statuses}
            raise MoleculerServerError("Services waiting is timed out.", 500, "WAITFOR_SERVICES", about) from None


def _any_of(wanted: Wanted) -> tuple[str, ...]:
    """Full names of which one is enough."""
    if isinstance(wanted, str):
        return (wanted,)
    name, version = wanted.get("name"), wanted.get("version")
    if not isinstance(name, str):
        return ()
    return tuple(full_name_of(name, each) for each in (version if isinstance(version, list | tuple) else [version]))
