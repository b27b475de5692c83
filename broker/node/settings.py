"""Everything a broker can be told, beyond where its bus is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.node.caching import Cacher
from broker.node.context import Context
from broker.node.discovering import MakeDiscovery, RedisDiscoverer
from broker.node.metrics.options import MetricsOptions
from broker.node.middleware.base import Middleware
from broker.node.options import BulkheadPolicy, CircuitBreakerPolicy, RetryPolicy
from broker.node.strategies import Make as MakeStrategy
from broker.node.tracing.options import TracingOptions
from broker.validation import Validator, ValidatorOptions


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """MoleculerJS's broker options under Python names, with its defaults.

    Attributes:
        protocols: The versions in which this node announces itself before it has heard anybody.
            It speaks to each node in that node's own.
        request_timeout_s: Of calls that have none of their own; 0 is none.
        retry: Policy of retries.
        circuit_breaker: Policy of circuit breakers.
        bulkhead: Policy of how many executions run at once.
        cacher: Keeps results of actions that want it: True or ``Memory``, ``MemoryLRU``, or one that is set up.
        middlewares: Put around actions and events, the first innermost, inside the built-in ones.
        validator: Checks what actions and events are given by their ``params``: True, or how it shall, or what does;
            False for no checks.
        max_call_level: Calls nested deeper are refused; 0 is no limit.
        max_queue_size: More requests than this may not wait for answers.
        max_chunk_size: Binary chunks of streams are cut to this many bytes.
        max_unread_bytes: A stream that comes in ends with an error when more of it waits unread, a value counted as
            1 kB; 0 for no limit, as in MoleculerJS.
        prefer_local: Whether our own endpoints come first.
        strategy: Of balancing, where an action or event says nothing of its own: ``RoundRobin``, ``Random``,
            ``CpuUsage``, ``Latency``, ``Shard``, or a class.
        strategy_options: Of the strategy, under MoleculerJS's names: ``{"shardKey": "#user.id"}``.
        tracking: Whether a stopping service waits for calls from within this node too, not only for those of
            others and for event handlers.
        error_handler: Given the error of a call, action or event handler and its context: raises, or gives a
            result in the error's place; may be awaited.
        discoverer: How nodes find each other: ``Local`` by packets, a Redis URL or ``RedisDiscoverer`` by keys;
            or a class of one's own.
        heartbeat_interval_s: Between our heartbeats; 0 for none, and no checks of others'.
        heartbeat_timeout_s: A node not heard for longer is taken for gone.
        forget_offline_s: A node offline for longer is forgotten.
        settle_s: How long we listen for INFOs before we are ready.
        info_delay_s: Changes of our services within this time go out as one INFO.
        stop_delay_s: How long we go on serving after we said that we offer nothing more.
        stop_timeout_s: How long running handlers may take to end when their service stops, unless it says
            otherwise with ``$shutdownTimeout``.
        dependency_timeout_s: How long services wait for those that they depend on, unless they say otherwise with
            ``$dependencyTimeout``; 0 for ever.
        metadata: Of this node, in INFO.
        hostname: Instead of the machine's.
        ip_list: Instead of the machine's.
        client: Instead of ``{"type": "python", …}``.
        cpu_percent: What heartbeats say; the machine's when None.
        internal_services: Whether ``$node`` is there; ``{"$node": schema}`` for one of your own, completed by it.
        metrics: What is measured, and to whom it is told.
        tracing: What is traced, and to whom that is told.
    """

    protocols: Sequence[str] = ("5",)
    request_timeout_s: float = 0.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    circuit_breaker: CircuitBreakerPolicy = field(default_factory=CircuitBreakerPolicy)
    bulkhead: BulkheadPolicy = field(default_factory=BulkheadPolicy)
    cacher: Cacher | str | bool | None = None
    middlewares: Sequence[Middleware] = ()
    validator: bool | ValidatorOptions | Validator = True
    max_call_level: int = 0
    max_queue_size: int = 50_000
    max_chunk_size: int = 256 * 1024
    max_unread_bytes: int = 256 * 1024 * 1024
    prefer_local: bool = True
    strategy: str | MakeStrategy = "RoundRobin"
    strategy_options: Mapping[str, Any] = field(default_factory=dict)
    tracking: bool = False
    error_handler: Callable[[Exception, Context], Any] | None = None
    discoverer: str | RedisDiscoverer | MakeDiscovery = "Local"
    heartbeat_interval_s: float = 10.0
    heartbeat_timeout_s: float = 30.0
    forget_offline_s: float = 600.0
    settle_s: float = 0.5
    info_delay_s: float = 0.1
    stop_delay_s: float = 0.1
    stop_timeout_s: float = 5.0
    dependency_timeout_s: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    hostname: str | None = None
    ip_list: Sequence[str] | None = None
    client: Mapping[str, str] | None = None
    cpu_percent: Callable[[], float | None] | None = None
    internal_services: bool | Mapping[str, Any] = True
    metrics: MetricsOptions = field(default_factory=lambda: MetricsOptions(enabled=False))
    tracing: TracingOptions = field(default_factory=lambda: TracingOptions(enabled=False))
