"""Circuit breakers by Moleculer's rules: one for each endpoint, at its callers and at itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from broker.node.circuit import Circuit, Happening
from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError
from broker.node.holds import Holds
from broker.node.middleware.around import AroundCalls
from broker.node.options import CircuitBreakerPolicy
from broker.node.timers import Repeating

if TYPE_CHECKING:
    from broker.node.broker import Broker

log = logging.getLogger(__name__)


class CircuitBreaker(AroundCalls):
    """Keeps the circuits of one broker and broadcasts ``$circuit-breaker.*``.

    An endpoint that is registered anew (its node went and came back) begins
    with a closed circuit of its own. MoleculerJS goes on counting for the old
    endpoint then, and cannot hold back the new one.

    Attributes:
        holds: What is kept in or out of use by hand.
    """

    def created(self, broker: Broker) -> None:
        """Begin without circuits."""
        super().created(broker)
        self._circuits: dict[tuple[str, str], Circuit] = {}
        self._retired: list[Circuit] = []
        self.holds = Holds(broker.registry, broker.local_bus)
        window_s = broker.options.circuit_breaker.window_s or 60.0  # as MoleculerJS reads a 0
        self._window = Repeating(broker.timers, window_s, self._turn_window)

    def around(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Where the policy is enabled."""
        policy = self.policy_of(action)
        if not policy.enabled:
            return call

        async def handler(ctx: Context) -> Any:
            endpoint = ctx.endpoint
            if not isinstance(endpoint, ActionEndpoint):  # an action that is not registered: private
                return await call(ctx)
            circuit = endpoint.circuit or self._circuit_for(endpoint, policy)
            if circuit.state != "close":
                circuit.begin()
            try:
                result = await call(ctx)
            except Exception as error:
                if _arose_at_endpoint(error, ctx) and policy.check(error):
                    (endpoint.circuit or self._circuit_for(endpoint, policy)).failed()
                raise
            (endpoint.circuit or self._circuit_for(endpoint, policy)).succeeded()
            return result

        return handler

    def circuits(self) -> list[Circuit]:
        """The circuits of all endpoints that were called lately and still exist."""
        return [each for each in self._circuits.values() if self._exists(each.endpoint)]

    def circuit_of(self, node_id: str, action: str) -> Circuit | None:
        """The circuit of one endpoint; None while it was not called lately."""
        circuit = self._circuits.get((node_id, action))
        return circuit if circuit is not None and self._exists(circuit.endpoint) else None

    def policy_of(self, action: ActionDefinition) -> CircuitBreakerPolicy:
        """By which the circuits of an action are judged here."""
        return self._broker.options.circuit_breaker.overlaid(action.said("circuitBreaker"))

    def circuit_at(self, endpoint: ActionEndpoint) -> Circuit | None:
        """What decides over an endpoint now: its circuit, or one that is forgotten but will still half-open it."""
        circuit = endpoint.circuit or self.circuit_of(endpoint.node.id, endpoint.action.name)
        return circuit or next((each for each in self._retired if each.endpoint is endpoint and each.is_timed), None)

    def trip(self, endpoint: ActionEndpoint, reason: str) -> Circuit:
        """Open a circuit by hand; it goes on by itself as if it had opened by itself.

        Args:
            endpoint: In the registry.
            reason: For people.

        Raises:
            ValueError: Circuit breakers are not enabled for this action here.
        """
        policy = self.policy_of(endpoint.action)
        if not policy.enabled:
            raise ValueError(f"the circuit breaker of {endpoint.action.name} is not enabled on this node")
        self._take_over(endpoint)
        circuit = self._circuit_for(endpoint, policy)
        circuit.trip(reason)
        return circuit

    def reset(self, endpoint: ActionEndpoint, reason: str) -> None:
        """Close a circuit by hand, and let it count from zero.

        Args:
            endpoint: In the registry.
            reason: For people.
        """
        circuit = self.circuit_at(endpoint)
        self._take_over(endpoint)
        if circuit is not None:
            circuit.reset(reason)

    async def starting(self, broker: Broker) -> None:
        """The first window begins."""
        if broker.options.circuit_breaker.enabled:
            self._window.start()

    async def stopped(self, broker: Broker) -> None:
        """End all timers."""
        self._window.stop()
        for circuit in [*self._circuits.values(), *self._retired]:
            circuit.stop()

    def _circuit_for(self, endpoint: ActionEndpoint, policy: CircuitBreakerPolicy) -> Circuit:
        """The circuit of an endpoint that does not hold one: a new one, or that which its action has here already."""
        key = (endpoint.node.id, endpoint.action.name)
        known = self._circuits.get(key)
        if known is not None:
            if self._exists(known.endpoint):
                return known  # a service calls its own action past the balancer, or two have one of the same name
            known.stop()
        kept = self._in_registry(endpoint) or endpoint
        circuit = self._circuits[key] = kept.circuit = Circuit(kept, policy, self._broker.timers, self._tell)
        self._window.start()  # where only actions enable it, MoleculerJS has no window at all
        return circuit

    def _take_over(self, endpoint: ActionEndpoint) -> None:
        """What a forgotten circuit would still do to an endpoint, it does not any more."""
        for circuit in [each for each in self._retired if each.endpoint is endpoint]:
            circuit.stop()
            self._retired.remove(circuit)

    def _in_registry(self, endpoint: ActionEndpoint) -> ActionEndpoint | None:
        """The one that the balancer knows."""
        endpoints = self._broker.registry.actions.get(endpoint.action.name)
        listed = endpoints.endpoints if endpoints is not None else []
        return next((each for each in listed if each.node is endpoint.node and each.service is endpoint.service), None)

    def _exists(self, endpoint: ActionEndpoint) -> bool:
        if endpoint.local:  # private actions are in no list
            return self._broker.registry.local.services.get(endpoint.service.full_name) is endpoint.service
        return self._in_registry(endpoint) is endpoint

    def _turn_window(self) -> None:
        self._retired = [circuit for circuit in self._retired if circuit.is_timed]
        for key, circuit in list(self._circuits.items()):
            if not circuit.new_window():
                # forgotten whatever its state, as in MoleculerJS; one that is open still half-opens its endpoint
                self._forget(key, circuit)
                self._retired.append(circuit)

    def _forget(self, key: tuple[str, str], circuit: Circuit) -> None:
        self._circuits.pop(key, None)
        if circuit.endpoint.circuit is circuit:
            circuit.endpoint.circuit = None

    def _tell(self, circuit: Circuit, happening: Happening) -> None:
        endpoint = circuit.endpoint
        if happening == "half-opened" and not self._exists(endpoint):
            return  # it is gone, and with it what there was to tell
        data: dict[str, Any] = {
            "nodeID": endpoint.node.id,
            "service": endpoint.service.full_name,
            "action": endpoint.action.name,
        }
        self._broker.tolerance.circuit_changed(circuit, happening)
        if happening == "opened":
            data |= {"failures": circuit.failures, "count": circuit.count, "rate": circuit.rate}
        log.debug("circuit breaker of %s on %s %s", endpoint.action.name, endpoint.node.id, happening)
        self._broker.broadcast_now(f"$circuit-breaker.{happening}", data)


def _arose_at_endpoint(error: Exception, ctx: Context) -> bool:
    """An error that came from a third node says nothing of this endpoint."""
    origin = error.node_id if isinstance(error, MoleculerError) else None
    return not origin or origin == ctx.node_id
