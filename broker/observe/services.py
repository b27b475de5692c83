"""Services and who offers them: declared by INFO, or supposed from the names of actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from broker.clock import SECOND
from broker.observe.announcements import Definitions, Offer, supposed_offer, supposed_service
from broker.observe.journal import StateChange
from broker.observe.limits import NEVER_NS

ServiceKey = tuple[str, str]
"""(namespace, full name)."""


_MANY_NODES: Final = 8
_TELL_EVERY_NS: Final = SECOND
"""A service of many nodes is told of at most this often: when all of them describe themselves at once, as
after a DISCOVER, each change would hold the definitions of all of them."""

_MOST_DECLARED: Final = 500_000


class _Service:
    """One service, as the last INFO that named it describes it."""

    __slots__ = ("nodes", "offer", "told_ns")

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.nodes: dict[str, dict[str, Definitions]] = {}
        self.told_ns = -_TELL_EVERY_NS

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
    """Keeps the state of every service and tells its changes.

    Attributes:
        due_ns: ``advance`` has nothing to do before this moment.
    """

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
        self._untold: dict[ServiceKey, tuple[int, str]] = {}  # when to tell of it, and how we know
        self.due_ns = NEVER_NS

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
                if len(self._declared) >= _MOST_DECLARED:
                    self._forget_withdrawn()
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
            for action in service.offer.actions:
                if self._declared.get((key[0], action)) == key[1]:
                    del self._declared[key[0], action]
            self._gone(key, at_ns, source)
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
            self._gone(key, at_ns, source)

    def _forget_withdrawn(self) -> None:
        """Drop actions that no node declares any more."""
        self._declared = {
            (namespace, action): full_name
            for (namespace, full_name), service in self._services.items()
            if not service.offer.supposed
            for there in service.nodes.values()
            for action in there["actions"]
        }
        if len(self._declared) >= _MOST_DECLARED:
            self._declared.clear()

    def _gone(self, key: ServiceKey, at_ns: int, source: str) -> None:
        del self._services[key]
        self._untold.pop(key, None)
        self._tell(StateChange("service", *key, at_ns, None, source))

    def _changed(self, key: ServiceKey, service: _Service, at_ns: int, source: str) -> None:
        if len(service.nodes) > _MANY_NODES and at_ns < service.told_ns + _TELL_EVERY_NS:
            due_ns = service.told_ns + _TELL_EVERY_NS
            self._untold[key] = (due_ns, source)
            self.due_ns = min(self.due_ns, due_ns)
            return
        self._untold.pop(key, None)
        service.told_ns = at_ns
        self._tell(StateChange("service", *key, at_ns, service.value(), source))

    def advance(self, now_ns: int) -> None:
        """Tell what is due until a moment, that moment included."""
        due = sorted((due_ns, key, source) for key, (due_ns, source) in self._untold.items() if due_ns <= now_ns)
        for due_ns, key, source in due:
            self._changed(key, self._services[key], due_ns, source)
        self.due_ns = min((due_ns for due_ns, _ in self._untold.values()), default=NEVER_NS)
