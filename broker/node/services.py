"""The services of one broker: made, started, offered, stopped, and what is told when that fails."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.errors import GracefulStopTimeoutError, ServiceNotFoundError
from broker.node.making import Making
from broker.node.middleware.stack import Middlewares
from broker.node.registry import Registry
from broker.node.service import schema_of

if TYPE_CHECKING:
    from broker.node.broker import Broker

log = logging.getLogger(__name__)


class LocalServices:
    """Our own services.

    Attributes:
        offered: All that were made and not removed, started or not.
        create: Makes a service of an object or a schema.
        destroy: Stops a service and forgets it.
    """

    def __init__(self, broker: Broker, registry: Registry, middlewares: Middlewares) -> None:
        self._broker = broker
        self._registry = registry
        self._middlewares = middlewares
        self.offered: list[ServiceDefinition] = []
        self.create = middlewares.wrap("create_service", self._create)
        self.destroy = middlewares.wrap("destroy_service", self._destroy)
        self._register = middlewares.wrap("register_local_service", self._offer)

    def find(self, full_name: str) -> ServiceDefinition | None:
        """The one of this name."""
        return next((each for each in self.offered if each.full_name == full_name), None)

    async def start_all(self) -> None:
        """Start all, side by side: they may wait for each other.

        Raises:
            Exception: What the first that failed raised; the others were started all the same.
        """
        outcomes = await asyncio.gather(*map(self.start, self.offered), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                log.error("not all services could be started", exc_info=outcome)
                raise outcome

    async def start_late(self, service: ServiceDefinition) -> None:
        """Start one while the broker runs.

        Raises:
            Exception: What went wrong; ``$broker.error`` has told it too.
        """
        try:
            await self.start(service)
        except Exception as error:
            self._tell_error(f"service {service.full_name} could not be started", error, "failedServiceRestart")
            raise

    async def start(self, service: ServiceDefinition) -> None:
        """Wait for what it depends on, start it and offer it."""
        await self._middlewares.tell_in_turn("service_starting", service)
        if service.dependencies:
            limit_ms = service.settings.get("$dependencyTimeout")
            limit_s = (
                limit_ms / 1000 if isinstance(limit_ms, int | float) else self._broker.options.dependency_timeout_s
            )
            await self._broker.wait_for_services(service.dependencies, limit_s)
        for started in service.started:
            await _done(started())
        self._register(service)
        await self._middlewares.tell_in_turn("service_started", service)

    async def stop_all(self) -> None:
        """Stop all, side by side. What fails is told."""
        outcomes = await asyncio.gather(*map(self._stop, self.offered), return_exceptions=True)
        for service, outcome in zip(self.offered, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self._tell_error(f"service {service.full_name} could not be stopped", outcome, "failedServicesStop")

    def _offer(self, service: ServiceDefinition) -> None:
        self._broker.registry.add_local(service, self._wrap_action, self._wrap_event)

    def _create(self, source: object) -> ServiceDefinition:
        if isinstance(source, Mapping):
            service = Making(self._broker, source).make()
        else:
            service = Making(self._broker, schema_of(source), source).make()
        for created in service.created:
            created()
        self._middlewares.tell("service_created", service)
        self.offered.append(service)
        return service

    async def _destroy(self, full_name: str) -> None:
        service = self.find(full_name)
        if service is None:
            raise ServiceNotFoundError({"service": full_name})
        try:
            await self._stop(service)
        except Exception as error:  # noqa: BLE001 - told, and the service goes all the same
            self._tell_error(f"service {full_name} could not be stopped", error, "failedServiceDestruction")
        self.offered.remove(service)
        self._registry.remove_local(full_name)

    async def _stop(self, service: ServiceDefinition) -> None:
        await self._middlewares.tell_in_turn("service_stopping", service, last_first=True)
        await self._let_end(service)
        for stopped in reversed(service.stopped):
            await _done(stopped())
        self._broker.tasks.adopt(service)
        await self._middlewares.tell_in_turn("service_stopped", service, last_first=True)

    async def _let_end(self, service: ServiceDefinition) -> None:
        """Let its handlers that run now end, but not for ever."""
        current = asyncio.current_task()
        running = [task for task in service.running if task is not current]
        if not running:
            return
        limit_s = _limit_s(service, "$shutdownTimeout", self._broker.options.stop_timeout_s)
        log.info("waiting for %d running handler(s) of %s", len(running), service.full_name)
        _, late = await asyncio.wait(running, timeout=limit_s)
        if late:
            error = GracefulStopTimeoutError(service.name, service.version)
            log.error("%s %d handler(s) still run after %g s.", error, len(late), limit_s)

    def _tell_error(self, text: str, error: Exception, kind: str) -> None:
        log.error(text, exc_info=error)
        self._broker.notice("$broker.error", {"error": error, "module": "broker", "type": kind})

    def _wrap_action(self, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        assert action.handler is not None  # noqa: S101 - ours always have one
        return self._middlewares.wrap_action("local_action", action.handler, service, action)

    def _wrap_event(self, service: ServiceDefinition, event: EventDefinition) -> Handler:
        assert event.handler is not None  # noqa: S101 - ours always have one
        return self._middlewares.wrap("local_event", event.handler, service, event)


def _limit_s(service: ServiceDefinition, setting: str, default_s: float) -> float:
    """A service's own limit, said in ms, or the broker's."""
    limit_ms = service.settings.get(setting)
    return limit_ms / 1000 if isinstance(limit_ms, int | float) and limit_ms else default_s


async def _done(result: Any) -> None:
    if inspect.isawaitable(result):
        await result
