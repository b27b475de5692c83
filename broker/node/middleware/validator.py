"""Checks parameters of actions and data of events by their schemas, where MoleculerJS does: just outside the hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.errors import ServiceSchemaError, ValidationError
from broker.node.middleware.base import Middleware
from broker.validation import Checker, Errors, SchemaError, Validator, ValidatorOptions

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.settings import BrokerOptions

_Raise = Callable[[Context, Errors], None]


class Validation(Middleware):
    """What is right is sanitized in place; what is wrong is a ValidationError, as a MoleculerJS node would give it."""

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Unless the broker has no validator."""
        return options.validator is not False

    def created(self, broker: Broker) -> None:
        """Take the broker's validator."""
        given = broker.options.validator
        if isinstance(given, Validator):
            self._validator = given
        else:
            self._validator = Validator(given if isinstance(given, ValidatorOptions) else None)

    def service_created(self, service: ServiceDefinition) -> None:
        """Refuse a service whose events have broken schemas; actions are looked at as they are made."""
        for event in service.events.values():
            self._checker(event, f"event '{event.name}'", service)

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Check ``ctx.params`` if the action has a schema."""
        check = self._checker(action, f"action '{action.name}'", service)

        def refuse(ctx: Context, errors: Errors) -> None:
            _refuse(errors, {"nodeID": ctx.node_id, "action": action.name})

        return call if check is None else _checked(call, check, refuse)

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Check ``ctx.params``, the event's data, if its handler has a schema."""
        check = self._checker(event, f"event '{event.name}'", service)

        def refuse(ctx: Context, errors: Errors) -> None:
            _refuse(errors, {"nodeID": ctx.node_id, "event": event.name})

        return call if check is None else _checked(call, check, refuse)

    def _checker(
        self, what: ActionDefinition | EventDefinition, called: str, service: ServiceDefinition
    ) -> Checker | None:
        name = self._validator.options.param_name
        schema = what.said(name)
        if not isinstance(schema, dict | list | tuple):
            return None
        try:
            return self._validator.compile(schema)
        except SchemaError as error:
            raise ServiceSchemaError(
                f"Invalid '{name}' of {called} in '{service.full_name}' service! {error}"
            ) from None


def _refuse(errors: Errors, about: dict[str, Any]) -> None:
    raise ValidationError("Parameters validation error!", data=[error | about for error in errors])


def _checked(call: Handler, check: Checker, refuse: _Raise) -> Handler:
    if check.is_async:

        async def wait(ctx: Context) -> Any:
            errors = await check.wait({} if ctx.params is None else ctx.params, ctx)
            if errors:
                refuse(ctx, errors)
            return await call(ctx)

        return wait

    def handler(ctx: Context) -> Awaitable[Any]:
        errors = check({} if ctx.params is None else ctx.params, ctx)
        if errors:
            refuse(ctx, errors)
        return call(ctx)

    return handler
