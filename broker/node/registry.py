"""Which nodes there are and what they serve, kept from INFO and heartbeats by MoleculerJS's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition, read_services
from broker.node.endpoints import ActionEndpoint, EndpointList, EventEndpoint
from broker.node.matching import matches
from broker.node.nodes import NodeEntry
from broker.node.strategies import RoundRobin, Strategy

Notify = Callable[[str, dict[str, Any]], None]
"""Told of ``$node.connected`` and the like, with what belongs to it."""

WrapAction = Callable[[ServiceDefinition, ActionDefinition], Handler]
"""Puts the middlewares around the call of a remote action."""


class Registry:
    """Everything known of the mesh. Neither sends nor waits; times are handed in."""

    def __init__(
        self,
        local: NodeEntry,
        wrap_remote: WrapAction,
        notify: Notify,
        *,
        prefer_local: bool = True,
        make_strategy: Callable[[Mapping[str, Any]], Strategy] = RoundRobin,
    ) -> None:
        """Begin with our own node.

        Args:
            local: Our node.
            wrap_remote: Makes the handler of a remote action.
            notify: Called for each change, after it was made.
            prefer_local: Whether our own endpoints come first.
            make_strategy: Given the definition of an action or event, makes what balances it.
        """
        self.local = local
        self.nodes: dict[str, NodeEntry] = {local.id: local}
        self.actions: dict[str, EndpointList[ActionEndpoint]] = {}
        self.event_lists: dict[tuple[str, str], EndpointList[EventEndpoint]] = {}
        self._wrap_remote = wrap_remote
        self._notify = notify
        self._prefer_local = prefer_local
        self._make_strategy = make_strategy
        self._matching: dict[str, list[EndpointList[EventEndpoint]]] = {}

    # what we ourselves offer

    def add_local(self, service: ServiceDefinition, wrap: WrapAction, wrap_event: Callable[..., Handler]) -> None:
        """Take in a service of our own.

        Args:
            service: With handlers.
            wrap: Puts the middlewares around an action's handler.
            wrap_event: The same for an event's.
        """
        self.local.services[service.full_name] = service
        for action in service.actions.values():
            if action.visibility != "private":
                self._add_action(self.local, service, action, wrap(service, action))
        for event in service.events.values():
            self._add_event(self.local, service, event, wrap_event(service, event))
        self._notify("$services.changed", {"localService": True})

    def remove_local(self, full_name: str) -> None:
        """Forget a service of our own, if we have it."""
        service = self.local.services.pop(full_name, None)
        if service is not None:
            self._forget_service(self.local, service)
            self._notify("$services.changed", {"localService": True})

    # what others say

    def take_info(self, sender: str, protocol: str, info: Mapping[str, Any], now_s: float) -> NodeEntry:
        """Take in an INFO.

        Services are read again only when its seq rose, its instance changed or the node had been offline.

        Args:
            sender: Whose it is.
            protocol: The version it is written in.
            info: Its fields as the wire names them.
            now_s: Seconds of our uptime.
        """
        node = self.nodes.get(sender)
        is_new = node is None
        if node is None:
            node = self.nodes[sender] = NodeEntry(sender, heard_s=now_s)
        is_back = not node.available
        if is_back:
            node.available, node.offline_since_s, node.heard_s = True, None, now_s
        node.protocol = protocol
        node.info = {key: info.get(key) for key in ("ipList", "hostname", "port", "client", "config", "metadata")}
        seq = info.get("seq")
        seq = seq if isinstance(seq, int) and seq > 0 else 1
        instance_id = info.get("instanceID")
        if is_new or is_back or seq > node.seq or instance_id != node.instance_id:
            node.seq = seq
            node.instance_id = instance_id if isinstance(instance_id, str) else None
            self._take_services(node, read_services(info.get("services")))
        if is_new or is_back:
            self._notify("$node.connected", {"node": node, "reconnected": is_back})
        else:
            self._notify("$node.updated", {"node": node})
        return node

    def take_heartbeat(
        self, sender: str, cpu: object, now_s: float, *, seq: int | None = None, instance_id: str | None = None
    ) -> bool:
        """Take in a heartbeat.

        Args:
            sender: Who is alive.
            cpu: How busy its machine is, or None.
            now_s: Seconds of our uptime.
            seq: Of its newest INFO, where it says so.
            instance_id: How its instance id begins, where it says so.

        Returns:
            Whether we know the sender as it is now; if not, it should be asked for its INFO.
        """
        node = self.nodes.get(sender)
        if node is None or not node.available or (seq is not None and seq != node.seq):
            return False
        if instance_id is not None and not (node.instance_id or "").startswith(instance_id):
            return False
        if cpu is not None:
            node.cpu, node.cpu_seq = cpu, 1
        node.heard_s = now_s
        return True

    def disconnect(self, node_id: str, now_s: float, *, unexpected: bool) -> bool:
        """A node is gone.

        Returns:
            Whether it was online until now.
        """
        node = self.nodes.get(node_id)
        if node is None or not node.available or node.local:
            return False
        node.available = False
        node.offline_since_s = now_s
        node.seq += 1
        for service in node.services.values():
            self._forget_service(node, service)
        node.services = {}
        self._notify("$node.disconnected", {"node": node, "unexpected": unexpected})
        self._notify("$services.changed", {"localService": False})
        return True

    def silent_nodes(self, now_s: float, timeout_s: float) -> list[str]:
        """Ids of online nodes that were not heard for longer than the timeout."""
        return [
            node.id
            for node in self.nodes.values()
            if not node.local and node.available and now_s - node.heard_s > timeout_s
        ]

    def forget_offline(self, now_s: float, keep_s: float) -> None:
        """Forget nodes that are offline, and actions and events that nobody offers, for longer than this.

        Until then an action that nobody offers any more is not available, and not unknown.
        """
        for node in list(self.nodes.values()):
            if not node.local and not node.available and now_s - node.heard_s > keep_s:
                del self.nodes[node.id]
        for name in [name for name, each in self.actions.items() if each.is_unused(now_s, keep_s)]:
            del self.actions[name]
        for key in [key for key, each in self.event_lists.items() if each.is_unused(now_s, keep_s)]:
            del self.event_lists[key]
            self._matching.clear()

    # questions

    def has_service(self, full_name: str) -> bool:
        """Whether an online node offers it."""
        return any(full_name in node.services for node in self.nodes.values() if node.available)

    def endpoints_on(self, node_id: str, action: str) -> list[ActionEndpoint]:
        """Those of an action on one node: one, or more where several of its services have an action of this name."""
        endpoints = self.actions.get(action)
        return [each for each in endpoints.endpoints if each.node.id == node_id] if endpoints is not None else []

    def lists_for(self, event: str) -> list[EndpointList[EventEndpoint]]:
        """The groups whose subscription matches the event."""
        found = self._matching.get(event)
        if found is None:
            found = [each for (pattern, _), each in self.event_lists.items() if matches(event, pattern)]
            if len(self._matching) > 10_000:  # event names with ids in them must not fill the memory
                self._matching.clear()
            self._matching[event] = found
        return found

    def services(self) -> Iterator[tuple[NodeEntry, ServiceDefinition]]:
        """Every service on every node."""
        for node in self.nodes.values():
            for service in node.services.values():
                yield node, service

    # inside

    def _take_services(self, node: NodeEntry, services: list[ServiceDefinition]) -> None:
        kept = {service.full_name: service for service in services}
        for full_name, old in node.services.items():
            if full_name not in kept:
                self._forget_service(node, old)
        for service in services:
            self._replace_service(node, node.services.get(service.full_name), service)
        node.services = kept
        self._notify("$services.changed", {"localService": False})

    def _replace_service(self, node: NodeEntry, old: ServiceDefinition | None, new: ServiceDefinition) -> None:
        """Endpoints that stay keep their object, and with it the state that a circuit breaker gave them."""
        if old is not None:
            for gone in old.actions.keys() - new.actions.keys():
                self._forget_action(node, old, gone)
            for gone in old.events.keys() - new.events.keys():
                self._forget_event(node, old, old.events[gone])
        for action in new.actions.values():
            if action.visibility in ("published", "public"):
                self._add_action(node, new, action, self._wrap_remote(new, action))
        for event in new.events.values():
            self._add_event(node, new, event, None)

    def _add_action(
        self, node: NodeEntry, service: ServiceDefinition, action: ActionDefinition, handler: Handler
    ) -> None:
        endpoints = self.actions.get(action.name)
        if endpoints is None:
            endpoints = EndpointList(
                action.name, "", self._make_strategy(action.schema), prefer_local=self._prefer_local
            )
            self.actions[action.name] = endpoints
        found = endpoints.find(node, service.full_name)
        if found is None:
            endpoints.add(ActionEndpoint(node, service, action, handler))
        else:
            found.service, found.action, found.handler, found.direct = service, action, handler, action.direct

    def _add_event(
        self, node: NodeEntry, service: ServiceDefinition, event: EventDefinition, handler: Handler | None
    ) -> None:
        key = (event.name, event.group)
        endpoints = self.event_lists.get(key)
        if endpoints is None:
            endpoints = EndpointList(*key, self._make_strategy(event.schema), prefer_local=self._prefer_local)
            self.event_lists[key] = endpoints
            self._matching.clear()
        found = endpoints.find(node, service.full_name)
        if found is None:
            endpoints.add(EventEndpoint(node, service, event, handler))
        else:
            found.service, found.event, found.handler = service, event, handler

    def _forget_service(self, node: NodeEntry, service: ServiceDefinition) -> None:
        for name in service.actions:
            self._forget_action(node, service, name)
        for event in service.events.values():
            self._forget_event(node, service, event)

    def _forget_action(self, node: NodeEntry, service: ServiceDefinition, name: str) -> None:
        endpoints = self.actions.get(name)
        if endpoints is not None and (found := endpoints.find(node, service.full_name)) is not None:
            endpoints.remove(found)

    def _forget_event(self, node: NodeEntry, service: ServiceDefinition, event: EventDefinition) -> None:
        endpoints = self.event_lists.get((event.name, event.group))
        if endpoints is not None and (found := endpoints.find(node, service.full_name)) is not None:
            endpoints.remove(found)
