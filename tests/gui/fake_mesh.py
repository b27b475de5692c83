"""A made-up mesh that fills a Timeline with batches, as the probe would; deterministic by its seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import numpy as np
from fake_shape import SHOP, FakeShape

from broker.clock import SECOND
from broker.observe.buckets import buckets_of
from broker.observe.journal import (
    CALL_COLUMNS,
    COUNTER_COLUMNS,
    EVENT_COLUMNS,
    Batch,
    Name,
    NameKind,
    OpenCall,
    Outcome,
    StateChange,
    Tally,
)

BEGIN_NS = 1_772_620_800 * SECOND  # 2026-03-04 10:40:00 UTC
ERRORS = {"504": "504|REQUEST_TIMEOUT|RequestTimeoutError", "502": "502|BANK_DOWN|MoleculerServerError"}


class FakeMesh:
    """Makes batches that follow one another.

    The mesh is in trouble in `trouble` (seconds after its beginning): what suffers is 40 times
    slower and fails in every eighth call. `lost_node` goes offline at half of it and is back at its end.
    """

    def __init__(
        self,
        shape: FakeShape = SHOP,
        *,
        namespace: str = "prod",
        begin_ns: int = BEGIN_NS,
        seed: int = 1,
        speed: float = 1.0,
        trouble: tuple[float, float] = (180.0, 270.0),
        lost_node: str = "pay-2",
    ) -> None:
        self.shape, self.namespace, self.begin_ns, self.speed = shape, namespace, begin_ns, speed
        self.trouble, self.lost_node = trouble, lost_node
        self.through_ns = begin_ns
        self._random = np.random.default_rng(seed)
        self._numbers: dict[tuple[NameKind, str], int] = {}
        self._new_names: list[Name] = []
        self._changes: list[StateChange] = []
        self._tally = Tally()
        self._node_state: dict[str, bool] = {}
        self._namespace_number = self._intern(NameKind.NAMESPACE, namespace, 0)
        self._edges = self._edge_table()
        self._declare()

    def batches(self, seconds: float, step_s: float = 1.0) -> Iterator[Batch]:
        """What happens in the next seconds, a batch a step."""
        for _ in range(round(seconds / step_s)):
            yield self.batch(step_s)

    def fill(self, timeline: Any, seconds: float, step_s: float = 5.0) -> None:
        """Let a timeline take what happens in the next seconds."""
        for batch in self.batches(seconds, step_s):
            timeline.take(batch)

    def batch(self, step_s: float = 0.1) -> Batch:
        """What happens in the next step."""
        begin_ns = self.through_ns
        self.through_ns += round(step_s * SECOND)
        calls = self._calls(begin_ns, step_s)
        events = self._events(begin_ns, step_s)
        self._load_and_losses(begin_ns)
        tally = self._tally
        packets = 2 * len(calls) + len(events)
        tally.packets += packets
        tally.bytes += packets * 420
        tally.requests_timed_out += int((calls["outcome"] == Outcome.TIMED_OUT).sum())
        names, self._new_names = self._new_names, []
        changes, self._changes = self._changes, []
        return Batch(
            through_ns=self.through_ns,
            names=names,
            calls=calls,
            events=events,
            counters=self._counters(begin_ns, len(calls), len(events)),
            waiting=self._waiting(begin_ns),
            changes=changes,
            tally=Tally(**{name: getattr(tally, name) for name in Tally.__slots__}),
        )

    # what it is made of

    def _intern(self, kind: NameKind, text: str, namespace: int | None = None) -> int:
        key = (kind, text)
        if key not in self._numbers:
            number = 1 + sum(1 for other, _ in self._numbers if other is kind)
            self._numbers[key] = number
            self._new_names.append(Name(kind, number, self._namespace_number if namespace is None else namespace, text))
        return self._numbers[key]

    def _edge_table(self) -> dict[str, Any]:
        shape = self.shape
        kinds = NameKind
        numbers: dict[tuple[NameKind, str], int] = self._numbers
        next_number = dict.fromkeys(NameKind, 0)
        for kind, texts in (
            (kinds.NODE, [*shape.node_ids(), "edge-admin"]),
            (kinds.SERVICE, list(shape.nodes)),
            (kinds.ACTION, list(shape.actions)),
            (kinds.ERROR, list(ERRORS.values())),
            (kinds.PACKET_TYPE, ["REQ", "RES", "EVENT"]),
        ):
            for text in texts:
                next_number[kind] += 1
                numbers[kind, text] = next_number[kind]
                of = 0 if kind in (kinds.ERROR, kinds.PACKET_TYPE) else self._namespace_number
                self._new_names.append(Name(kind, next_number[kind], of, text))
        edges = shape.edges
        return {
            "per_s": np.array([e.per_s for e in edges]) * self.speed,
            "median_s": np.array([e.median_ms for e in edges]) / 1000,
            "errors": np.array([e.errors for e in edges]),
            "suffers": np.array([e.suffers for e in edges]),
            "action": np.array([numbers[kinds.ACTION, e.action] for e in edges], np.uint32),
            "caller": np.array([numbers[kinds.SERVICE, e.caller] if e.caller else 0 for e in edges], np.uint16),
            "source": [self._node_numbers(e.caller) for e in edges],
            "target": [self._node_numbers(shape.service_of(e.action)) for e in edges],
        }

    def _node_numbers(self, service: str) -> list[int]:
        nodes = self.shape.nodes.get(service, ("edge-admin",)) if service else ("edge-admin",)
        return [self._numbers[NameKind.NODE, node] for node in nodes]

    def in_trouble(self, at_ns: int) -> bool:
        return self.trouble[0] <= (at_ns - self.begin_ns) / SECOND < self.trouble[1]

    def _calls(self, begin_ns: int, step_s: float) -> np.ndarray:
        edges, random = self._edges, self._random
        how_many = random.poisson(edges["per_s"] * step_s)
        which = np.repeat(np.arange(len(how_many)), how_many)
        rows = np.zeros(len(which), CALL_COLUMNS)
        trouble = self.in_trouble(begin_ns) & edges["suffers"][which]
        duration_s = edges["median_s"][which] * np.exp(random.normal(0, 0.55, len(which)))
        duration_s = np.where(trouble, np.minimum(duration_s * random.uniform(4, 45, len(which)), 2.4), duration_s)
        failed = random.random(len(which)) < np.where(trouble, 0.13, edges["errors"][which])
        rows["end_ns"] = begin_ns + (random.random(len(which)) * step_s * SECOND).astype(np.int64)
        rows["duration_s"] = np.where(failed & trouble, 2.0 + random.random(len(which)) * 0.1, duration_s)
        rows["action"], rows["caller"] = edges["action"][which], edges["caller"][which]
        spin = random.integers(0, 1 << 30, len(which))
        lost = (
            self._numbers.get((NameKind.NODE, self.lost_node), 0)
            if self._node_state.get(self.lost_node) is False
            else 0
        )
        rows["source"] = self._choose(edges["source"], which, spin, lost)
        rows["target"] = self._choose(edges["target"], which, spin >> 8, lost)
        is_timeout = failed & (spin % 3 != 0)
        rows["outcome"] = np.where(failed, np.where(is_timeout, int(Outcome.TIMED_OUT), int(Outcome.FAILED)), 0)
        rows["error"] = np.where(failed, np.where(is_timeout, 1, 2), 0)
        rows["bucket"] = np.where(is_timeout, -1, buckets_of(rows["duration_s"]))
        rows["level"] = 1
        rows["request_size"], rows["response_size"] = 300 + spin % 300, 200 + spin % 900
        rows["trace"], rows["span"] = random.integers(1, 1 << 62, (2, len(which)))
        rows.sort(order="end_ns")
        return rows

    @staticmethod
    def _choose(options: list[list[int]], which: np.ndarray, spin: np.ndarray, lost: int) -> list[int]:
        kept = [[node for node in nodes if node != lost] or nodes for nodes in options]
        return [kept[edge][turn % len(kept[edge])] for edge, turn in zip(which.tolist(), spin.tolist(), strict=True)]

    def _events(self, begin_ns: int, step_s: float) -> np.ndarray:
        parts = []
        for event in self.shape.events:
            rows = np.zeros(self._random.poisson(event.per_s * step_s * self.speed), EVENT_COLUMNS)
            rows["at_ns"] = begin_ns + (self._random.random(len(rows)) * step_s * SECOND).astype(np.int64)
            rows["event"] = self._intern(NameKind.EVENT, event.event)
            rows["groups"] = self._intern(NameKind.GROUPS, event.groups) if event.groups else 0
            rows["caller"] = self._numbers[NameKind.SERVICE, event.emitter]
            rows["source"] = self._node_numbers(event.emitter)[0]
            rows["target"] = self._node_numbers(event.to)[0]
            rows["size"] = 240
            parts.append(rows)
        rows = np.concatenate(parts) if parts else np.zeros(0, EVENT_COLUMNS)
        rows.sort(order="at_ns")
        return rows

    def _counters(self, begin_ns: int, calls: int, events: int) -> np.ndarray:
        rows = np.zeros(3, COUNTER_COLUMNS)
        rows["second"] = begin_ns // SECOND
        rows["namespace"] = self._namespace_number
        rows["packet_type"] = (1, 2, 3)
        rows["packets"] = (calls, calls, events)
        rows["bytes"] = rows["packets"] * 420
        return rows

    def _waiting(self, begin_ns: int) -> list[OpenCall]:
        if not self.in_trouble(begin_ns) or "bank.transfer" not in self.shape.actions:
            return []
        action, caller = self._numbers[NameKind.ACTION, "bank.transfer"], self._numbers[NameKind.SERVICE, "payments"]
        source, target = self._node_numbers("payments")[0], self._node_numbers("bank")[0]
        span = int(self._random.integers(1, 1 << 62))
        return [OpenCall(span, begin_ns - SECOND, 0, action, caller, source, target, span)]

    # what is declared

    def _change(self, kind: str, key: str, value: dict[str, Any] | None, source: str, at_ns: int = 0) -> None:
        self._changes.append(StateChange(kind, self.namespace, key, at_ns or self.through_ns, value, source))

    def node_value(self, node: str, state: str = "online", reason: str = "") -> dict[str, Any]:
        version, protocol = self.shape.clients.get(node, ("0.15.2", "5"))
        return {
            "state": state,
            "reason": reason,
            "protocol": protocol,
            "client": {"type": "nodejs", "version": version, "lang_version": "v20.11.1"},
            "hostname": f"{node.partition('-')[0]}.internal",
            "ips": ["192.0.2.7"],
            "instance_id": f"5f3c{crc32(node.encode()) % 10**6:06d}",
            "seq": 1,
            "metadata": {"region": "eu"},
            "services": [service for service, nodes in self.shape.nodes.items() if node in nodes],
        }

    def _declare(self) -> None:
        for node in self.shape.node_ids():
            self._node_state[node] = True
            self._change("node", node, self.node_value(node), "info")
        self._change("node", "edge-admin", {"state": "supposed", "reason": "seen sending", "services": []}, "packet")
        by_service: dict[str, dict[str, Any]] = {}
        for action, definition in self.shape.actions.items():
            by_service.setdefault(self.shape.service_of(action), {})[action] = definition
        for service, nodes in self.shape.nodes.items():
            head, _, tail = service.rpartition(".")
            subscribed = {
                event.event: {"name": event.event, "group": service}
                for event in self.shape.events
                if service in event.groups.split(",")
            }
            offers = {"actions": by_service.get(service, {}), "events": subscribed}
            value = {
                "name": tail,
                "version": int(head[1:]) if head else None,
                "settings": {"port": 3000} if service == "api" else {},
                "metadata": {},
                "supposed": False,
                "nodes": dict.fromkeys(nodes, offers),
            }
            self._change("service", service, value, "info")

    def _load_and_losses(self, begin_ns: int) -> None:
        second = round((begin_ns - self.begin_ns) / SECOND)
        if begin_ns % (5 * SECOND) < SECOND // 9:
            for number, node in enumerate(self.shape.node_ids()):
                cpu = (
                    12
                    + (number * 7) % 20
                    + 6 * np.sin(second / 20 + number)
                    + (55 if node.startswith("bank") and self.in_trouble(begin_ns) else 0)
                )
                self._change("load", node, {"cpu": round(float(cpu))}, "heartbeat", begin_ns)
        half = (self.trouble[0] + self.trouble[1]) / 2
        is_lost = half <= second < self.trouble[1]
        if self.lost_node in self._node_state and self._node_state[self.lost_node] == is_lost:
            self._node_state[self.lost_node] = not is_lost
            value = self.node_value(
                self.lost_node, *(("offline", "no heartbeat for 15 s") if is_lost else ("online", ""))
            )
            value["instance_id"] = "5f3c-first" if is_lost else "9a41-second"
            self._change("node", self.lost_node, value, "guess" if is_lost else "info", begin_ns)
