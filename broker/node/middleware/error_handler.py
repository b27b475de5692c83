"""The broker's own word on every error of its actions, its calls and its event handlers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.middleware.around import AroundCalls

if TYPE_CHECKING:
    from broker.node.settings import BrokerOptions


class ErrorHandler(AroundCalls):
    """Gives every error to the broker's ``error_handler``, which raises, or gives a result in its place."""

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Only where there is one."""
        return options.error_handler is not None

    def around(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Calls here and of others."""
        return self._handling(call)

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Handlers of events."""
        return self._handling(call)

    def _handling(self, call: Handler) -> Handler:
        handle = self._broker.options.error_handler

        async def handler(ctx: Context) -> Any:
            try:
                return await call(ctx)
            except Exception as error:
                if handle is None:
                    raise
                result = handle(error, ctx)
                return await result if inspect.isawaitable(result) else result

        return handler
