"""Services and who offers them: declared by INFO, or supposed from the names of actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broker.observe.announcements import Definitions, Offer, supposed_offer, supposed_service
from broker.observe.journal import StateChange

ServiceKey = tuple[str, str]
"""(namespace, full name)."""


class _Service:
    """One service, as the last INFO that named it describes it."""

    __slots__ = ("nodes", "offer")

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.nodes: dict[str, dict[str, Definitions]] = {}

    def value(self) -> dict[str, Any]:
        return {
            "name": self.offer.name,
            "version": self.offer.version,
            "settings": self.offer.settings,
            "metadata": self.offer.metadata,
            "supposed": self.offer.supposed,
            "nodes": dict(self.nodes),
        }


class ServiceBook:
    """Keeps the state of every service and tells its changes."""

    def __init__(self, tell: Callable[[StateChange], None], most: int) -> None:
        """
        Args:
            tell: Takes each change.
            most: How many services are kept; what goes beyond is not.
        """
        self._tell = tell
        self._most = most
        self._services: dict[ServiceKey, _Service] = {}
        self._declared: dict[tuple[str, str], str] = {}  # (namespace, action) -> full name of its service

    def offered(
        self, namespace: str, node_id: str, before: dict[str, Offer], now: dict[str, Offer], at_ns: int, source: str
    ) -> None:
        """A node offers these services, by full name, where it offered those before."""
        for full_name in before.keys() - now.keys():
            self._withdraw((namespace, full_name), node_id, at_ns, source)
        for full_name, offer in now.items():
            if before.get(full_name) != offer:
                self._declare((namespace, full_name), node_id, offer, at_ns, source)

    def _declare(self, key: ServiceKey, node_id: str, offer: Offer, at_ns: int, source: str) -> None:
        namespace, full_name = key
        for action in offer.actions:
            if self._declared.get((namespace, action)) != full_name:
                self._declared[namespace, action] = full_name
                self._no_longer_supposed(namespace, action, at_ns, source)
        service = self._services.get(key)
        if service is None:
            if len(self._services) >= self._most:
                return
            service = self._services[key] = _Service(offer)
        elif service.offer.supposed:
            service.nodes.clear()
        service.offer = offer
        same = (there for there in service.nodes.values() if there == offer.on_node())
        service.nodes[node_id] = next(same, offer.on_node())  # replicas share one definition
        self._changed(key, service, at_ns, source)

    def _withdraw(self, key: ServiceKey, node_id: str, at_ns: int, source: str) -> None:
        service = self._services.get(key)
        if service is None or service.nodes.pop(node_id, None) is None:
            return
        if not service.nodes:
            del self._services[key]
            for action in service.offer.actions:
                if self._declared.get((key[0], action)) == key[1]:
                    del self._declared[key[0], action]
            self._tell(StateChange("service", *key, at_ns, None, source))
            return
        self._changed(key, service, at_ns, source)

    def called(self, namespace: str, action: str, node_id: str, at_ns: int) -> None:
        """A call to an action was seen; where nobody declared it, its service is supposed."""
        if (namespace, action) in self._declared:
            return
        key = (namespace, supposed_service(action))
        service = self._services.get(key)
        if service is None:
            if len(self._services) >= self._most:
                return
            service = self._services[key] = _Service(supposed_offer(key[1], {}))
        if not service.offer.supposed:
            return  # an action that its service does not declare: the row tells of it
        there = service.nodes.get(node_id, {"actions": {}, "events": {}})
        if action in there["actions"]:
            return
        service.nodes[node_id] = {"actions": {**there["actions"], action: {}}, "events": {}}
        self._changed(key, service, at_ns, "guess")

    def _no_longer_supposed(self, namespace: str, action: str, at_ns: int, source: str) -> None:
        """An action was declared: it belongs to its supposed service no longer."""
        key = (namespace, supposed_service(action))
        service = self._services.get(key)
        if service is None or not service.offer.supposed or key[1] == self._declared[namespace, action]:
            return
        for node_id, there in list(service.nodes.items()):
            actions = {name: definition for name, definition in there["actions"].items() if name != action}
            service.nodes[node_id] = {"actions": actions, "events": {}}
            if not actions:
                del service.nodes[node_id]
        if service.nodes:
            self._changed(key, service, at_ns, source)
        else:
            del self._services[key]
            self._tell(StateChange("service", *key, at_ns, None, source))

    def _changed(self, key: ServiceKey, service: _Service, at_ns: int, source: str) -> None:
        self._tell(StateChange("service", *key, at_ns, service.value(), source))
