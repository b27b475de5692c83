"""Calling an action: choose who serves it, and let its handler do the rest."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from broker.node.context import ABSENT, Context
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError, MoleculerServerError, ServiceNotAvailableError, ServiceNotFoundError
from broker.node.registry import Registry


class Calls:
    """The way from an action's name to the one that serves it."""

    def __init__(self, registry: Registry, handle_error: Callable[[Exception, Context], Any] | None = None) -> None:
        """Begin.

        Args:
            registry: Who serves what.
            handle_error: The broker's, told when nobody can serve a call: raises, or gives a result in its place.
        """
        self._registry = registry
        self._handle_error = handle_error

    def start(self, ctx: Context, action: str | ActionEndpoint, node_id: str | None = None) -> Awaitable[Any]:
        """Begin a call.

        Args:
            ctx: Made for this call; gets its endpoint and node.
            action: Full name, or the very endpoint.
            node_id: Only this node may serve it.

        Returns:
            What gives the answer, or raises its error.

        Raises:
            ServiceNotFoundError: Nobody has it, or not the node asked for.
            ServiceNotAvailableError: Somebody has it, but may not be called now.
        """
        if isinstance(action, str):
            endpoints = self._registry.actions.get(action)
            if endpoints is None:
                endpoint = None
            else:
                endpoint = endpoints.next(ctx) if node_id is None else endpoints.on_node(node_id)
            if endpoint is None:
                return self._nobody(ctx, action, node_id)
        else:
            endpoint = action
        ctx.endpoint = endpoint
        ctx.node_id = endpoint.node.id
        return endpoint.handler(ctx)

    def local_endpoint(self, action: str, ctx: Context) -> ActionEndpoint:
        """Our own endpoint of an action that another node asks for in this context.

        Raises:
            ServiceNotFoundError: We have no such action.
            ServiceNotAvailableError: Its circuit is open here.
        """
        endpoints = self._registry.actions.get(action)
        endpoint = endpoints.next_local(ctx) if endpoints is not None else None
        if endpoint is None:
            about = {"action": action, "nodeID": self._registry.local.id}
            if endpoints is None or not endpoints.has_local:
                raise ServiceNotFoundError(about)
            raise ServiceNotAvailableError(about)
        return endpoint

    def _nobody(self, ctx: Context, action: str, node_id: str | None) -> Awaitable[Any]:
        """What comes of a call that nobody can serve now.

        Raises:
            MoleculerError: Unless the broker has a handler of errors.
        """
        error: MoleculerError
        if node_id is not None:
            error = ServiceNotFoundError({"action": action, "nodeID": node_id})
        elif action in self._registry.actions:
            error = ServiceNotAvailableError({"action": action})
        else:
            error = ServiceNotFoundError({"action": action})
        if self._handle_error is None:
            raise error
        return _result_of(self._handle_error(error, ctx))


async def _result_of(handled: Any) -> Any:
    return await handled if inspect.isawaitable(handled) else handled


async def call_many(
    call: Callable[..., Awaitable[Any]], wanted: object, settled: bool, options: Mapping[str, Any]
) -> list[Any] | dict[str, Any]:
    """Make several calls at once; see the broker's ``mcall``."""
    if isinstance(wanted, Mapping):
        outcomes = await _all(call, list(wanted.values()), settled, options)
        named = zip(wanted, outcomes, strict=True)
        return {name: outcome for name, outcome in named if not isinstance(outcome, BaseException)}
    if not isinstance(wanted, Sequence) or isinstance(wanted, str):
        raise MoleculerServerError("Invalid calling definition.", 500, "INVALID_PARAMETERS")
    outcomes = await _all(call, wanted, settled, options)
    return [_told(outcome) for outcome in outcomes] if settled else outcomes


async def _all(
    call: Callable[..., Awaitable[Any]], wanted: Sequence[Mapping[str, Any]], settled: bool, options: Mapping[str, Any]
) -> list[Any]:
    calls = [
        call(one["action"], one.get("params", ABSENT), **{**options, **(one.get("options") or {})}) for one in wanted
    ]
    return await asyncio.gather(*calls, return_exceptions=settled)


def _told(outcome: object) -> dict[str, Any]:
    if isinstance(outcome, BaseException):
        return {"status": "rejected", "reason": outcome}
    return {"status": "fulfilled", "value": outcome}
