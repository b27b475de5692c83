"""What the functions of a schema get as their first argument, where MoleculerJS has ``this``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.node.broker import Broker

Own = Callable[..., Awaitable[Any]]
"""(params, **what ``ctx.call`` takes besides)"""


class Owned(dict[str, Own]):
    """A service's own actions or event handlers by their names, also as attributes: ``actions.find(params)``."""

    def __getattr__(self, name: str) -> Own:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}, only {', '.join(self) or 'nothing'}") from None


class Service:
    """A service that was written as a schema. Its methods are attributes.

    Attributes:
        broker: Ours.
        name: Without its version.
        version: A number, a text or None.
        full_name: With its version.
        settings: With what is secret.
        metadata: Its metadata.
        schema: As written, mixins merged.
        actions: Its actions, private ones too, called without the balancer.
        events: Its event handlers.
        logger: Of its own.
    """

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.name = ""
        self.version: int | float | str | None = None
        self.full_name = ""
        self.settings: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.schema: dict[str, Any] = {}
        self.actions = Owned()
        self.events = Owned()
        self.logger = logging.getLogger(__name__)

    async def wait_for_services(self, names: str | Iterable[Any], timeout_s: float | None = None) -> None:
        """Wait until all these services are offered by somebody; see the broker's."""
        await self.broker.wait_for_services(names, timeout_s)
