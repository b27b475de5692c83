"""Hooks of services and actions: before, after and on errors, in MoleculerJS's order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.matching import matches
from broker.node.middleware.base import Middleware

Hook = Callable[..., Any]
"""(context) before, (context, result) after, (context, error) on errors; already a method of its service."""


class ActionHook(Middleware):
    """Before: those of the service for all actions, those for some, those of the action; otherwise from there back.

    What an after hook gives back is the result from then on, None too. An
    error hook raises, or gives back a result in the error's place.
    """

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Put the action's hooks around it, if it has any."""
        before = _hooks(service, action, "before")
        after = _hooks(service, action, "after")
        on_error = _hooks(service, action, "error")
        if not (before or after or on_error):
            return call

        async def handler(ctx: Context) -> Any:
            try:
                for hook in before:
                    await _done(hook(ctx))
                result = await call(ctx)
                for hook in after:
                    result = await _done(hook(ctx, result))
            except Exception as error:  # noqa: BLE001 - every error is for the hooks
                return await _mend(ctx, error, on_error)
            return result

        return handler


async def _mend(ctx: Context, error: Exception, hooks: Iterable[Hook]) -> Any:
    """The result that the first hook gives that does not raise; otherwise the last one's error."""
    for hook in hooks:
        try:
            return await _done(hook(ctx, error))
        except Exception as next_error:  # noqa: BLE001 - it is what the next hook gets
            error = next_error
    raise error


def _hooks(service: ServiceDefinition, action: ActionDefinition, kind: str) -> list[Hook]:
    """An action's hooks of a kind in the order in which they run."""
    of_action = (action.schema.get("hooks") or {}).get(kind)
    of_service = service.hooks.get(kind) or {}
    raw_name = str(action.schema.get("rawName") or action.name)
    for_some = [hook for pattern, hook in of_service.items() if _is_for(raw_name, pattern)]
    steps = [of_service.get("*"), *for_some, of_action]
    if kind != "before":
        steps = [of_action, *for_some, of_service.get("*")]
    return [hook for step in steps for hook in _callable(step, service.instance)]


def _is_for(raw_name: str, pattern: str) -> bool:
    return pattern != "*" and any(matches(raw_name, each) for each in pattern.split("|"))


def _callable(step: Any, instance: object) -> Iterable[Hook]:
    """What was written as a function, a method's name or a list of both; names of no method are left out."""
    for written in step if isinstance(step, list | tuple) else [step]:
        hook = getattr(instance, written, None) if isinstance(written, str) else written
        if callable(hook):
            yield hook if isinstance(written, str) or inspect.ismethod(hook) else MethodType(hook, instance)


async def _done(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result
