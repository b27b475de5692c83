"""Circuit breakers by Moleculer's rules: one for each endpoint, at its callers and at itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError
from broker.node.middleware.base import Middleware
from broker.node.options import CircuitBreakerPolicy

if TYPE_CHECKING:
    from broker.node.broker import Broker

log = logging.getLogger(__name__)

State = Literal["close", "open", "half_open", "half_open_wait"]


class Timer(Protocol):
    """Something that will happen later."""

    def cancel(self) -> None:
        """Not any more."""
        ...


Schedule = Callable[[float, Callable[[], None]], Timer]
"""(seconds from now, what to do then)"""

Tell = Callable[["Circuit", str], None]
"""(circuit, ``opened`` | ``half-opened`` | ``closed``)"""


class Circuit:
    """One breaker.

    Attributes:
        endpoint: What it protects; its ``state`` is what the balancer looks at.
        policy: By which it is judged.
        state: As MoleculerJS names it.
        count: Calls counted in this window.
        failures: Those of them that failed.
    """

    def __init__(self, endpoint: ActionEndpoint, policy: CircuitBreakerPolicy, schedule: Schedule, tell: Tell) -> None:
        self.endpoint = endpoint
        self.policy = policy
        self.state: State = "close"
        self.count = 0
        self.failures = 0
        self._schedule = schedule
        self._tell = tell
        self._timer: Timer | None = None

    def begin(self, endpoint: ActionEndpoint) -> None:
        """A call starts. The first one after half-opening is the probe; until it ends nobody else may call."""
        if endpoint is not self.endpoint:  # its node went and came back
            endpoint.state = self.endpoint.state
            self.endpoint = endpoint
        if self.state == "half_open":
            self.state = "half_open_wait"
            self.endpoint.state = False
            self._half_open_later()  # should the probe never end

    def succeeded(self) -> None:
        """A call was answered."""
        self.count += 1
        if self.state == "half_open_wait":
            self._close()
        else:
            self._judge()

    def failed(self) -> None:
        """A call failed in a way that counts."""
        self.count += 1
        self.failures += 1
        self._judge()

    def new_window(self) -> bool:
        """A new window begins.

        Returns:
            Whether the circuit was used in the last one; if not, MoleculerJS forgets it, whatever its state.
        """
        used = self.count > 0
        self.count = self.failures = 0
        return used

    @property
    def is_timed(self) -> bool:
        """Whether something will still happen by itself."""
        return self._timer is not None

    def stop(self) -> None:
        """No timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _judge(self) -> None:
        if self.count >= self.policy.min_request_count and self.failures / self.count >= self.policy.threshold:
            self._open()

    def _open(self) -> None:
        if self.state == "open":
            return
        self.state = "open"
        self.endpoint.state = False
        self._half_open_later()
        self._tell(self, "opened")

    def _half_open_later(self) -> None:
        self.stop()
        self._timer = self._schedule(self.policy.half_open_s, self._half_open)

    def _half_open(self) -> None:
        self._timer = None
        self.state = "half_open"
        self.endpoint.state = True
        self._tell(self, "half-opened")

    def _close(self) -> None:
        self.stop()
        self.state = "close"
        self.endpoint.state = True
        self.count = self.failures = 0
        self._tell(self, "closed")


class CircuitBreaker(Middleware):
    """Keeps the circuits of one broker and broadcasts ``$circuit-breaker.*``."""

    def created(self, broker: Broker) -> None:
        """Begin without circuits."""
        self._broker = broker
        self.circuits: dict[tuple[str, str], Circuit] = {}
        self._retired: list[Circuit] = []
        self._window: asyncio.TimerHandle | None = None

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """The callee's own breaker."""
        return self._around(call, action)

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """The caller's breaker."""
        return self._around(call, action)

    async def stopped(self, broker: Broker) -> None:
        """End all timers."""
        if self._window is not None:
            self._window.cancel()
        for circuit in [*self.circuits.values(), *self._retired]:
            circuit.stop()

    def _around(self, call: Handler, action: ActionDefinition) -> Handler:
        policy = self._broker.options.circuit_breaker.overlaid(action.schema.get("circuitBreaker"))
        if not policy.enabled:
            return call

        async def handler(ctx: Context) -> Any:
            endpoint = ctx.endpoint
            if not isinstance(endpoint, ActionEndpoint):  # an action that is not registered: private
                return await call(ctx)
            self._circuit(endpoint, policy).begin(endpoint)
            try:
                result = await call(ctx)
            except Exception as error:
                origin = error.node_id if isinstance(error, MoleculerError) else None
                if (origin is None or origin == ctx.node_id) and policy.check(error):
                    self._circuit(endpoint, policy).failed()
                raise
            self._circuit(endpoint, policy).succeeded()
            return result

        return handler

    def _circuit(self, endpoint: ActionEndpoint, policy: CircuitBreakerPolicy) -> Circuit:
        key = (endpoint.node.id, endpoint.action.name)
        circuit = self.circuits.get(key)
        if circuit is None:
            circuit = self.circuits[key] = Circuit(endpoint, policy, self._schedule, self._tell)
            if self._window is None:
                self._turn_window()
        return circuit

    def _schedule(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)

    def _turn_window(self) -> None:
        self._retired = [circuit for circuit in self._retired if circuit.is_timed]
        if self._window is not None:
            unused = [key for key, circuit in self.circuits.items() if not circuit.new_window()]
            # forgotten whatever its state, as in MoleculerJS; one that is open still half-opens its endpoint
            self._retired += [self.circuits.pop(key) for key in unused]
        window_s = self._broker.options.circuit_breaker.window_s
        self._window = asyncio.get_running_loop().call_later(window_s, self._turn_window)

    def _tell(self, circuit: Circuit, what: str) -> None:
        endpoint = circuit.endpoint
        data: dict[str, Any] = {
            "nodeID": endpoint.node.id,
            "service": endpoint.service.full_name,
            "action": endpoint.action.name,
        }
        if what == "opened":
            data |= {
                "failures": circuit.failures,
                "count": circuit.count,
                "rate": circuit.failures / circuit.count if circuit.count else 0,
            }
        log.debug("circuit breaker of %s on %s %s", endpoint.action.name, endpoint.node.id, what)
        self._broker.broadcast_now(f"$circuit-breaker.{what}", data)
