"""Handlers with typed signatures: their schemas, arguments from parameters, and plain data from their results."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from broker.node.context import Context
from broker.node.definitions import Handler
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import ServiceSchemaError, ValidationError
from broker.validation import SchemaError
from broker.validation.signatures import Signature, signature_of
from broker.validation.signatures.results import gives_more_than_plain_data, plain_result


def typed(function: Callable[..., Any], schema: dict[str, Any], where: str) -> Callable[..., Any]:
    """A handler that takes a context alone, made of one that takes more.

    Args:
        function: Takes a context, and perhaps parameters with types.
        schema: Of the action or event; gets ``params``, unless it has some.
        where: Names it in errors.

    Raises:
        ServiceSchemaError: A parameter has no type, or one that no rule says the same as.
    """
    try:
        signature = signature_of(function)
    except SchemaError as error:
        raise ServiceSchemaError(f"Invalid signature of {where} {error}") from None
    is_plain = not gives_more_than_plain_data(function)
    if signature is None:
        return function if is_plain else _plainly(function)
    schema.setdefault("params", signature.schema)
    return _with_arguments(function if is_plain else _plainly(function), signature)


def _with_arguments(function: Callable[..., Any], signature: Signature) -> Handler:
    async def handler(ctx: Context) -> Any:
        arguments, errors = signature.arguments(ctx.params)
        if errors:
            raise ValidationError("Parameters validation error!", data=[error | _about(ctx) for error in errors])
        result = function(ctx, **arguments)
        return await result if inspect.isawaitable(result) else result

    return handler


def _plainly(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def handler(ctx: Context, **arguments: Any) -> Any:
        result = function(ctx, **arguments)
        return plain_result(await result if inspect.isawaitable(result) else result)

    return handler


def _about(ctx: Context) -> dict[str, Any]:
    if isinstance(ctx.endpoint, ActionEndpoint):
        return {"nodeID": ctx.node_id, "action": ctx.endpoint.action.name}
    return {"nodeID": ctx.node_id, "event": ctx.event_name}
