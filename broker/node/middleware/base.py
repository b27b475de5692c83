"""What a middleware is: every point of a broker that something may be put around, or that tells of itself."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from broker.node.definitions import (
    ActionDefinition,
    EventDefinition,
    Handler,
    MethodDefinition,
    ServiceDefinition,
)

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.settings import BrokerOptions

Asked = Callable[..., Awaitable[Any]]
"""One of the broker's own methods, called as the broker's users call it."""

Publish = Callable[[Any, str], None]
"""(packet, the node it is for or "" for all)"""

TakePacket = Callable[[str, Any], None]
"""(command, packet)"""

Send = Callable[[bytes, bytes], None]
"""(channel, body)"""

Receive = Callable[[bytes, bytes], None]
"""(channel, body)"""


class Middleware:
    """Does nothing: override what is wanted; what is not overridden costs nothing.

    In the points that wrap (they are given ``call`` and give back what takes
    its place) the first of a broker's list is the innermost, as in MoleculerJS.
    Those that tell (``created`` and so on) go through the list in its order,
    those of stopping in reverse.
    """

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:  # noqa: ARG003 - for those who override it
        """Whether a built-in one is needed at all by a broker with these options."""
        return True

    def lets_pass(self, service: ServiceDefinition, action: ActionDefinition) -> bool:
        """Whether it does nothing about calls of an action that bring neither a timeout nor a fallback of their own."""
        return False

    # around what services do

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Put something around the execution of one of our actions."""
        return call

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Put something around our calls of another node's action."""
        return call

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Put something around the execution of one of our event handlers."""
        return call

    def local_method(
        self,
        call: Callable[..., Any],
        service: ServiceDefinition,
        method: MethodDefinition,
    ) -> Callable[..., Any]:
        """Put something around a method of one of our services' schemas; it is called with the method's arguments."""
        return call

    # around what the broker is asked for

    def call(self, call: Asked) -> Asked:
        """Put something around ``broker.call(action, params, **options)``; contexts and retries call it too."""
        return call

    def mcall(self, call: Asked) -> Asked:
        """Put something around ``broker.mcall(calls, **options)``."""
        return call

    def emit(self, call: Asked) -> Asked:
        """Put something around ``broker.emit(event, data, **options)``."""
        return call

    def broadcast(self, call: Asked) -> Asked:
        """Put something around ``broker.broadcast(event, data, **options)``."""
        return call

    def broadcast_local(self, call: Asked) -> Asked:
        """Put something around ``broker.broadcast_local(event, data, **options)``."""
        return call

    def create_service(self, call: Callable[[Any], ServiceDefinition]) -> Callable[[Any], ServiceDefinition]:
        """Put something around the making of a service from an object or a schema."""
        return call

    def register_local_service(self, call: Callable[[ServiceDefinition], None]) -> Callable[[ServiceDefinition], None]:
        """Put something around the moment in which a started service is offered."""
        return call

    def destroy_service(self, call: Asked) -> Asked:
        """Put something around ``broker.remove(full_name)``."""
        return call

    # around the wire; none of these may wait

    def transit_publish(self, call: Publish) -> Publish:
        """Put something around each packet that leaves."""
        return call

    def transit_message_handler(self, call: TakePacket) -> TakePacket:
        """Put something around the handling of each packet that came."""
        return call

    def transporter_send(self, call: Send) -> Send:
        """Put something around the bytes that leave."""
        return call

    def transporter_receive(self, call: Receive) -> Receive:
        """Put something around the bytes that came; here the first of the list is the outermost."""
        return call

    # what is told

    def new_log_entry(self, record: logging.LogRecord) -> None:
        """The node logs something while this broker runs; brokers of one process share their log."""

    def created(self, broker: Broker) -> None:
        """The broker exists; nothing is connected yet."""

    async def starting(self, broker: Broker) -> None:
        """The broker is about to connect."""

    async def started(self, broker: Broker) -> None:
        """The broker and its services have started."""

    async def stopping(self, broker: Broker) -> None:
        """The broker says that it offers nothing more; its services still run."""

    async def stopped(self, broker: Broker) -> None:
        """The broker has stopped: timers end here."""

    def service_creating(self, service: ServiceDefinition, schema: dict[str, Any]) -> None:
        """A service is being made; its schema, mixins merged, may still be changed in place.

        Args:
            service: Has neither name nor actions nor events yet.
            schema: That of a class is made from it.
        """

    def service_created(self, service: ServiceDefinition) -> None:
        """A service is made."""

    async def service_starting(self, service: ServiceDefinition) -> None:
        """A service is about to start; its dependencies are not awaited yet."""

    async def service_started(self, service: ServiceDefinition) -> None:
        """A service has started and is offered."""

    async def service_stopping(self, service: ServiceDefinition) -> None:
        """A service is about to stop."""

    async def service_stopped(self, service: ServiceDefinition) -> None:
        """A service has stopped."""
