"""One circuit breaker, step by step, with a clock of its own."""

from collections.abc import Callable

from broker.node.definitions import ActionDefinition, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.middleware.circuit_breaker import Circuit
from broker.node.nodes import NodeEntry
from broker.node.options import CircuitBreakerPolicy

POLICY = CircuitBreakerPolicy(enabled=True, threshold=0.5, min_request_count=4, half_open_s=10.0)


class Timers:
    """Keeps what is to happen later until a test lets it happen."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, delay_s: float, callback: Callable[[], None]):
        entry = (delay_s, callback)
        self.waiting.append(entry)
        timers = self

        class Handle:
            def cancel(self) -> None:
                if entry in timers.waiting:
                    timers.waiting.remove(entry)

        return Handle()

    def fire(self) -> None:
        _, callback = self.waiting.pop()
        callback()


async def _unused(_ctx) -> None: ...


def endpoint() -> ActionEndpoint:
    service = ServiceDefinition("bank", None, "bank")
    return ActionEndpoint(NodeEntry("bank-1"), service, ActionDefinition("bank.transfer", {}), _unused)


class Story:
    def __init__(self) -> None:
        self.timers, self.told, self.endpoint = Timers(), [], endpoint()
        self.circuit = Circuit(self.endpoint, POLICY, self.timers, lambda _, what: self.told.append(what))

    def call(self, ok: bool) -> None:
        self.circuit.begin(self.endpoint)
        self.circuit.succeeded() if ok else self.circuit.failed()


def test_a_circuit_opens_when_enough_calls_failed_and_not_before():
    story = Story()
    for ok in (True, False, False):
        story.call(ok)
    assert (story.circuit.state, story.endpoint.is_available) == ("close", True)
    story.call(True)
    assert (story.circuit.state, story.endpoint.is_available, story.told) == ("open", False, ["opened"])
    assert story.timers.waiting[0][0] == 10.0


def test_a_good_probe_closes_it_with_fresh_counters():
    story = Story()
    for _ in range(4):
        story.call(False)
    story.timers.fire()
    assert (story.circuit.state, story.endpoint.is_available) == ("half_open", True)
    story.circuit.begin(story.endpoint)
    assert (story.circuit.state, story.endpoint.is_available) == ("half_open_wait", False)
    story.circuit.succeeded()
    assert (story.circuit.state, story.circuit.count, story.endpoint.is_available) == ("close", 0, True)
    assert (story.told, story.timers.waiting) == (["opened", "half-opened", "closed"], [])


def test_a_bad_probe_opens_it_again():
    story = Story()
    for _ in range(4):
        story.call(False)
    story.timers.fire()
    story.call(False)
    assert (story.circuit.state, story.told) == ("open", ["opened", "half-opened", "opened"])


def test_a_probe_that_never_ends_lets_another_try():
    story = Story()
    for _ in range(4):
        story.call(False)
    story.timers.fire()
    story.circuit.begin(story.endpoint)
    story.timers.fire()
    assert (story.circuit.state, story.endpoint.is_available) == ("half_open", True)


def test_a_new_window_counts_from_zero_and_tells_whether_the_last_was_used():
    story = Story()
    story.call(False)
    assert story.circuit.new_window() is True
    assert (story.circuit.count, story.circuit.failures) == (0, 0)
    assert story.circuit.new_window() is False


def test_an_endpoint_that_came_back_inherits_the_state():
    story = Story()
    for _ in range(4):
        story.call(False)
    returned = endpoint()
    story.circuit.begin(returned)
    assert returned.is_available is False
    story.timers.fire()
    assert returned.is_available is True
