"""Answers a call that failed for good with something else."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from broker.node.context import ABSENT, Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.errors import MoleculerError
from broker.node.middleware.around import AroundCalls

log = logging.getLogger(__name__)

FallbackFunction = Callable[[Context, Exception], Any]
"""Given the failed call and its error, says what to answer; may be awaited."""


class Fallback(AroundCalls):
    """The call's own ``fallback_response``, else the action's ``fallback``, which only the node that serves it has.

    Both see what is left after all retries. A call that found nobody to serve
    it never got here: as in MoleculerJS, it fails.
    """

    def lets_pass(self, service: ServiceDefinition, action: ActionDefinition) -> bool:
        """Where the action has no fallback of its own."""
        return _own(action) is None

    def around(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Always, since any call may bring a fallback of its own; without one it costs a plain function call."""
        own = _own(action)

        def handler(ctx: Context) -> Awaitable[Any]:
            if own is None and ctx.fallback_response is ABSENT:
                return call(ctx)
            return guarded(ctx)

        async def guarded(ctx: Context) -> Any:
            try:
                return await call(ctx)
            except Exception as error:  # noqa: BLE001 - whatever it was is told to the fallback
                of_call = ctx.fallback_response is not ABSENT
                answer = ctx.fallback_response if of_call else _own_fallback(own, service, action)
                log.warning("%s failed, its fallback answers: %s", action.name, error)
                self._broker.tolerance.fell_back(service, action, own=not of_call)
                ctx.fallback_result = True
                if callable(answer):
                    answer = answer(ctx, error)
                return await answer if inspect.isawaitable(answer) else answer

        return handler


def _own(action: ActionDefinition) -> Any:
    return action.said("fallback") if action.handler is not None else None


def _own_fallback(own: object, service: ServiceDefinition, action: ActionDefinition) -> FallbackFunction:
    function = getattr(service.instance, own, None) if isinstance(own, str) else own
    if not callable(function):
        raise MoleculerError(f"The 'fallback' of '{action.name}' action is not a function or valid method name: {own}")
    own_fallback: FallbackFunction = function
    return own_fallback
