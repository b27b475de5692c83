"""One circuit breaker, step by step, with a clock of its own."""

from broker.node.circuit import Circuit
from broker.node.definitions import ActionDefinition, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.nodes import NodeEntry
from broker.node.options import CircuitBreakerPolicy
from tests.timers import ManualTimers
from tests.unit.node.nodes import story

POLICY = CircuitBreakerPolicy(enabled=True, threshold=0.5, min_request_count=4, half_open_s=10.0)


async def _unused(_ctx) -> None: ...


class Watched:
    def __init__(self, *outcomes: bool) -> None:
        service = ServiceDefinition("bank", None, "bank")
        self.endpoint = ActionEndpoint(NodeEntry("bank-1"), service, ActionDefinition("bank.transfer", {}), _unused)
        self.timers, self.told = ManualTimers(), []
        self.circuit = Circuit(self.endpoint, POLICY, self.timers, lambda _, what: self.told.append(what))
        self.call(*outcomes)

    def call(self, *outcomes: bool) -> None:
        for ok in outcomes:
            self.circuit.begin()
            self.circuit.succeeded() if ok else self.circuit.failed()

    @property
    def now(self) -> tuple[str, bool]:
        return self.circuit.state, self.endpoint.is_available


def test_a_circuit_opens_when_enough_calls_failed_and_not_before():
    watched = Watched(True, False, False)
    assert watched.now == ("close", True)
    watched.call(True)
    assert (watched.now, watched.told, watched.timers.waiting) == (("open", False), ["opened"], [10.0])


@story
async def test_a_good_probe_closes_it_with_fresh_counters():
    watched = Watched(False, False, False, False)
    await watched.timers.advance(10.0)
    assert watched.now == ("half_open", True)
    watched.circuit.begin()
    assert watched.now == ("half_open_wait", False)
    watched.circuit.succeeded()
    assert (watched.now, watched.circuit.count, watched.timers.waiting) == (("close", True), 0, [])
    assert watched.told == ["opened", "half-opened", "closed"]


@story
async def test_a_bad_probe_opens_it_again():
    watched = Watched(False, False, False, False)
    await watched.timers.advance(10.0)
    watched.call(False)
    assert (watched.now, watched.told) == (("open", False), ["opened", "half-opened", "opened"])


@story
async def test_a_probe_that_never_ends_lets_another_try():
    watched = Watched(False, False, False, False)
    await watched.timers.advance(10.0)
    watched.circuit.begin()
    await watched.timers.advance(10.0)
    assert (watched.now, watched.told) == (("half_open", True), ["opened", "half-opened", "half-opened"])


@story
async def test_a_bad_probe_in_a_fresh_window_is_too_little_to_judge_by():
    watched = Watched(False, False, False, False)
    await watched.timers.advance(10.0)
    watched.circuit.new_window()
    watched.call(False)
    assert watched.now == ("half_open_wait", False)


def test_a_new_window_counts_from_zero_and_tells_whether_the_last_was_used():
    watched = Watched(False)
    assert watched.circuit.new_window() is True
    assert (watched.circuit.count, watched.circuit.failures) == (0, 0)
    assert watched.circuit.new_window() is False
