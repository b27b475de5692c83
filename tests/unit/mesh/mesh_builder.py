"""Meshes for tests: batches made of a few words, or of a million random calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.clock import MILLISECOND, SECOND
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot, Timeline
from broker.observe.buckets import NO_BUCKET, bucket_of, buckets_of
from broker.observe.journal import (
    CALL_COLUMNS,
    COUNTER_COLUMNS,
    EVENT_COLUMNS,
    Batch,
    CallFlag,
    EventFlag,
    Name,
    NameKind,
    OpenCall,
    Outcome,
    StateChange,
    Tally,
)

START_NS = 1_700_000_000 * SECOND


def at(seconds: float) -> int:
    """A moment of the tests' day, in ns since the epoch."""
    return START_NS + round(seconds * SECOND)


def between(begin: float, end: float) -> Span:
    """A span of the tests' day."""
    return Span(at(begin), at(end))


class Mesh:
    """Gathers what happens, and gives it as a batch. Names are interned as the probe does it."""

    def __init__(self, namespace: str = "") -> None:
        self.namespace = namespace
        self._numbers: dict[tuple[NameKind, int, str], int] = {}
        self._counts = dict.fromkeys(NameKind, 0)
        self._clear()

    def _clear(self) -> None:
        self._names: list[Name] = []
        self._calls: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._counters: list[tuple[Any, ...]] = []
        self._waiting: list[OpenCall] = []
        self._changes: list[StateChange] = []

    def number(self, kind: NameKind, text: str, namespace: str | None = None) -> int:
        """The number of a name, told when it is new."""
        spaced = kind in {NameKind.NODE, NameKind.SERVICE, NameKind.ACTION, NameKind.EVENT}
        place = self.namespace if namespace is None else namespace
        space = self.number(NameKind.NAMESPACE, place) if spaced else 0
        if not text:
            if kind is NameKind.NAMESPACE and (kind, 0, "") not in self._numbers:
                self._numbers[kind, 0, ""] = 0
                self._names.append(Name(kind, 0, 0, ""))
            return 0
        key = (kind, space, text)
        if key not in self._numbers:
            self._counts[kind] += 1
            self._numbers[key] = self._counts[kind]
            self._names.append(Name(kind, self._counts[kind], space, text))
        return self._numbers[key]

    def call(
        self,
        end: float,
        action: str,
        *,
        ms: float = 10.0,
        caller: str = "",
        source: str = "edge-1",
        target: str = "shop-1",
        outcome: Outcome = Outcome.OK,
        error: str = "",
        level: int = 1,
        trace: int = 0,
        span: int = 0,
        parent: int = 0,
        ours: bool = False,
        namespace: str | None = None,
    ) -> Mesh:
        """A call that ended at this second."""
        bucket = bucket_of(ms / 1000) if outcome <= Outcome.FAILED else NO_BUCKET
        names = (
            self.number(NameKind.ACTION, action, namespace),
            self.number(NameKind.SERVICE, caller, namespace),
            self.number(NameKind.NODE, source, namespace),
            self.number(NameKind.NODE, target, namespace),
        )
        flags = int(CallFlag.OURS) if ours else 0
        row = (at(end), ms / 1000, *names, outcome, level, flags, self.number(NameKind.ERROR, error), bucket)
        self._calls.append((*row, 100, 200, trace, span or len(self._calls) + 1, parent, 0, 0))
        return self

    def calls(self, count: int, action: str, begin: float = 0.0, end: float = 60.0, **more: Any) -> Mesh:
        """Calls evenly over some seconds."""
        for index in range(count):
            self.call(begin + (end - begin) * index / count, action, **more)
        return self

    def event(
        self,
        when: float,
        event: str,
        *,
        caller: str = "",
        source: str = "edge-1",
        target: str = "shop-1",
        groups: str = "",
        ours: bool = False,
    ) -> Mesh:
        """An event packet at this second."""
        names = (
            self.number(NameKind.EVENT, event),
            self.number(NameKind.SERVICE, caller),
            self.number(NameKind.NODE, source),
            self.number(NameKind.NODE, target),
        )
        flags = int(EventFlag.OURS) if ours else 0
        self._events.append((at(when), *names, flags, self.number(NameKind.GROUPS, groups), 50, 0, 0, 0, 0))
        return self

    def waits(
        self, begin: float, action: str, *, span: int, end: float = 0.0, source: str = "edge-1", target: str = "shop-1"
    ) -> Mesh:
        """A call that is open for more than a second; or its end."""
        names = (
            self.number(NameKind.ACTION, action),
            0,
            *(self.number(NameKind.NODE, one) for one in (source, target)),
        )
        self._waiting.append(OpenCall(span, at(begin), at(end) if end else 0, *names, 7))
        return self

    def packets(self, second: float, packet_type: str, packets: int, *, undecodable: int = 0, ours: int = 0) -> Mesh:
        """Packets counted in this second."""
        space = self.number(NameKind.NAMESPACE, self.namespace)
        kind = self.number(NameKind.PACKET_TYPE, packet_type)
        self._counters.append((at(second) // SECOND, space, kind, packets, packets * 100, undecodable, ours))
        return self

    def change(self, when: float, kind: str, key: str, value: dict[str, Any] | None, source: str = "info") -> Mesh:
        """From this second on, this is so."""
        namespace = "" if kind in {"gap", "session", "clock"} else self.namespace
        self._changes.append(StateChange(kind, namespace, key, at(when), value, source))
        return self

    def node(self, when: float, node_id: str, state: str = "online", **more: Any) -> Mesh:
        """A node comes or goes."""
        return self.change(when, "node", node_id, {"state": state, "reason": "", "instance_id": "1", **more})

    def service(
        self,
        when: float,
        full_name: str,
        nodes: Iterable[str],
        actions: Iterable[str] = (),
        events: dict[str, dict[str, Any]] | None = None,
        **more: Any,
    ) -> Mesh:
        """A service is on these nodes. Actions are written without the service's name."""
        defined = {f"{full_name}.{action}": {"name": f"{full_name}.{action}", "rawName": action} for action in actions}
        offer = {"actions": defined, "events": events or {}}
        version, _, name = full_name.rpartition(".")
        value = {"name": name, "version": int(version[1:]) if version[1:].isdigit() else None, "settings": {}}
        value |= {"metadata": {}, "supposed": False, "nodes": dict.fromkeys(nodes, offer), **more}
        return self.change(when, "service", full_name, value)

    def batch(self, through: float | None = None, **tally: int) -> Batch:
        """What was gathered since the last one; rows in order of time."""
        calls = np.sort(np.array(self._calls, CALL_COLUMNS), order="end_ns", kind="stable")
        moments = [calls["end_ns"].max(initial=START_NS), *(row[0] for row in self._events)]
        moments += [change.at_ns for change in self._changes]
        batch = Batch(
            through_ns=max(moments) + MILLISECOND if through is None else at(through),
            names=self._names,
            calls=calls,
            events=np.array(self._events, EVENT_COLUMNS),
            counters=np.array(self._counters, COUNTER_COLUMNS),
            waiting=self._waiting,
            changes=self._changes,
            tally=Tally(**tally),
        )
        self._clear()
        return batch

    def timeline(self, through: float | None = None, **tally: int) -> Timeline:
        """A timeline of all that was gathered."""
        timeline = Timeline()
        timeline.take(self.batch(through, **tally))
        return timeline

    def snapshot(self, through: float | None = None, **tally: int) -> Snapshot:
        """A snapshot of all that was gathered."""
        return self.timeline(through, **tally).snapshot()


def random_calls(
    count: int, *, actions: int = 300, nodes: int = 40, seconds: float = 600.0, seed: int = 1
) -> tuple[list[Name], NDArray[np.void]]:
    """Names and rows of many random calls: a few actions take most of them, one call in 50 fails."""
    chance = np.random.default_rng(seed)
    names = [Name(NameKind.NAMESPACE, 0, 0, ""), Name(NameKind.ERROR, 1, 0, "500|SERVER_ERROR|MoleculerServerError")]
    services = max(1, actions // 10)
    names += [Name(NameKind.SERVICE, index + 1, 0, f"service-{index}") for index in range(services)]
    names += [Name(NameKind.ACTION, index + 1, 0, f"service-{index // 10}.do-{index % 10}") for index in range(actions)]
    names += [Name(NameKind.NODE, index + 1, 0, f"node-{index}") for index in range(nodes)]
    rows = np.zeros(count, CALL_COLUMNS)
    rows["end_ns"] = START_NS + np.sort(chance.integers(0, max(1, int(seconds * SECOND)), count))
    rows["duration_s"] = chance.lognormal(-4.5, 1.0, count)
    rows["action"] = np.minimum(chance.zipf(1.3, count), actions)
    rows["caller"] = chance.integers(0, services + 1, count)
    rows["source"] = chance.integers(1, nodes + 1, count)
    rows["target"] = chance.integers(1, nodes + 1, count)
    rows["outcome"] = np.where(chance.random(count) < 0.02, Outcome.FAILED, Outcome.OK)
    timed_out = chance.random(count) < 0.002
    rows["outcome"][timed_out] = Outcome.TIMED_OUT
    rows["error"] = rows["outcome"] == Outcome.FAILED
    rows["bucket"] = np.where(timed_out, NO_BUCKET, buckets_of(rows["duration_s"]))
    rows["level"] = chance.integers(1, 5, count)
    rows["trace"] = chance.integers(1, max(2, count // 3), count)
    rows["span"] = np.arange(1, count + 1)
    return names, rows


def random_timeline(count: int, *, batch_rows: int = 20_000, **more: Any) -> Timeline:
    """A timeline of random calls, taken in batch by batch."""
    names, rows = random_calls(count, **more)
    timeline = Timeline()
    for first in range(0, count, batch_rows):
        part = rows[first : first + batch_rows]
        timeline.take(Batch(through_ns=int(part["end_ns"][-1]), names=names if first == 0 else [], calls=part))
    return timeline
