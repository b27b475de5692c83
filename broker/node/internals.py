"""The ``$node`` service that every node has: what this node knows, in MoleculerJS's shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from broker.node.context import Context
from broker.node.endpoints import ActionEndpoint, EndpointList, EventEndpoint
from broker.node.errors import MoleculerClientError
from broker.node.machine import health
from broker.node.nodes import NodeEntry
from broker.node.options_told import options_told
from broker.node.published import published
from broker.node.service import action, service

if TYPE_CHECKING:
    from broker.node.broker import Broker


def _flag(default: bool = False) -> dict[str, Any]:
    return {"type": "boolean", "optional": True, "convert": True, "default": default}


def _texts() -> dict[str, Any]:
    return {"type": "multi", "optional": True, "rules": [{"type": "string"}, {"type": "array", "items": "string"}]}


_LISTING: Final = ("onlyLocal", "skipInternal", "withEndpoints", "onlyAvailable")
_SERVICES: Final = ("onlyLocal", "skipInternal", "withActions", "withEvents", "onlyAvailable")


@service("$node")
class NodeService:
    """Answers what this node knows of the mesh."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @action("list", cache=False, tracing=False, params={name: _flag() for name in ("withServices", "onlyAvailable")})
    async def list_nodes(self, ctx: Context) -> list[dict[str, Any]]:
        """All nodes; times are seconds of this node's uptime."""
        asked = _Asked(ctx.params)
        nodes = self._broker.registry.nodes.values()
        return [
            _node(each, asked.has("withServices")) for each in nodes if each.available or not asked.has("onlyAvailable")
        ]

    @action(cache=False, tracing=False, params={name: _flag() for name in _SERVICES} | {"grouping": _flag(True)})
    async def services(self, ctx: Context) -> list[dict[str, Any]]:
        """All services, by default one row for each name with the nodes that offer it."""
        asked = _Asked(ctx.params)
        grouped: dict[str, dict[str, Any]] = {}
        rows: list[dict[str, Any]] = []
        for node, offered in self._broker.registry.services():
            if (asked.has("skipInternal") and offered.name.startswith("$")) or (
                asked.has("onlyLocal") and not node.local
            ):
                continue
            row = grouped.get(offered.full_name) if asked.has("grouping", default=True) else None
            if row is not None:
                row["nodes"].append(node.id)
                _add_parts(row, offered.to_wire(), asked)
                continue
            wire = offered.to_wire()
            row = {key: wire[key] for key in ("name", "version", "fullName", "settings", "metadata") if key in wire}
            row |= {"local": node.local, "available": node.available}
            if asked.has("grouping", default=True):
                row["nodes"] = [node.id]
            else:
                row["nodeID"] = node.id
            _add_parts(row, wire, asked)
            grouped.setdefault(offered.full_name, row)
            rows.append(row)
        return rows

    @action(cache=False, tracing=False, params={name: _flag() for name in _LISTING})
    async def actions(self, ctx: Context) -> list[dict[str, Any]]:
        """All actions, with the state of their endpoints as circuit breakers here left it."""
        asked = _Asked(ctx.params)
        rows = []
        for endpoints in _asked_for(self._broker.registry.actions.values(), asked):
            row = {"name": endpoints.name, **_counts(endpoints)}
            if endpoints.endpoints:
                if endpoints.endpoints[0].action.schema.get("protected") is True:
                    continue
                row["action"] = published(endpoints.endpoints[0].action.schema)
                if asked.has("withEndpoints"):
                    row["endpoints"] = _endpoints(endpoints.endpoints)
            rows.append(row)
        return rows

    @action(cache=False, tracing=False, params={name: _flag() for name in _LISTING})
    async def events(self, ctx: Context) -> list[dict[str, Any]]:
        """All subscriptions, one row for each name and group."""
        asked = _Asked(ctx.params)
        rows = []
        for endpoints in _asked_for(self._broker.registry.event_lists.values(), asked):
            row = {"name": endpoints.name, "group": endpoints.group, **_counts(endpoints)}
            if endpoints.endpoints:
                row["event"] = published(endpoints.endpoints[0].event.schema)
                if asked.has("withEndpoints"):
                    row["endpoints"] = _endpoints(endpoints.endpoints)
            rows.append(row)
        return rows

    @action(cache=False, tracing=False)
    async def health(self, _ctx: Context) -> dict[str, Any]:
        """How this machine and process are."""
        return health()

    @action(cache=False, tracing=False, params={})
    async def options(self, _ctx: Context) -> dict[str, Any]:
        """How this node is set up; never where its bus is, which may hold a password."""
        return options_told(self._broker)

    @action(cache=False, tracing=False, params={name: _texts() for name in ("types", "includes", "excludes")})
    async def metrics(self, ctx: Context) -> list[dict[str, Any]]:
        """What is measured here.

        Raises:
            MoleculerClientError: Nothing is.
        """
        if not self._broker.metrics.enabled:
            raise MoleculerClientError("Metrics feature is disabled", 400, "METRICS_DISABLED")
        asked = _Asked(ctx.params)
        chosen = self._broker.metrics.read(asked.texts("types"), asked.texts("includes"), asked.texts("excludes"))
        return [metric.to_wire() for metric in chosen]


class _Asked:
    """The flags of a question, as texts or booleans."""

    def __init__(self, params: object) -> None:
        self._params = params if isinstance(params, Mapping) else {}

    def texts(self, name: str) -> list[str] | None:
        """One text or several; None when nothing is asked for."""
        value = self._params.get(name)
        if isinstance(value, str):
            return [value]
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else None

    def has(self, name: str, *, default: bool = False) -> bool:
        value = self._params.get(name, default)
        if isinstance(value, str):
            return value.lower() in ("true", "1", "on")
        return bool(value)


def _asked_for(lists: Iterable[EndpointList[Any]], asked: _Asked) -> Iterable[EndpointList[Any]]:
    for endpoints in lists:
        if asked.has("skipInternal") and endpoints.name.startswith("$"):
            continue
        if asked.has("onlyLocal") and not endpoints.has_local:
            continue
        if asked.has("onlyAvailable") and not endpoints.has_available:
            continue
        yield endpoints


def _counts(endpoints: EndpointList[Any]) -> dict[str, Any]:
    return {
        "count": len(endpoints.endpoints),
        "hasLocal": endpoints.has_local,
        "available": endpoints.has_available,
    }


def _endpoints(endpoints: Iterable[ActionEndpoint | EventEndpoint]) -> list[dict[str, Any]]:
    return [{"nodeID": each.node.id, "state": each.state, "available": each.node.available} for each in endpoints]


def _add_parts(row: dict[str, Any], wire: dict[str, Any], asked: _Asked) -> None:
    """Actions and events where asked for; replicas of a service add what the first did not have."""
    if asked.has("withActions"):
        row["actions"] = wire["actions"] | row.get("actions", {})
    if asked.has("withEvents"):
        shown = {name: event for name, event in wire["events"].items() if not name.startswith("$")}
        row["events"] = shown | row.get("events", {})


def _node(node: NodeEntry, with_services: bool) -> dict[str, Any]:
    row = {
        "id": node.id,
        "instanceID": node.instance_id,
        "available": node.available,
        "local": node.local,
        "lastHeartbeatTime": round(node.heard_s),
        "config": node.info.get("config") or {},
        "client": node.info.get("client") or {},
        "metadata": node.info.get("metadata"),
        "ipList": node.info.get("ipList"),
        "port": node.info.get("port"),
        "hostname": node.info.get("hostname"),
        "udpAddress": None,
        "cpu": node.cpu,
        "cpuSeq": node.cpu_seq,
        "seq": node.seq,
        "offlineSince": None if node.offline_since_s is None else round(node.offline_since_s),
    }
    if row["port"] is None and not node.local:
        del row["port"]  # only a local node has one that is not there
    if with_services:
        row["services"] = [each.to_wire() for each in node.services.values()]
    return row
