"""Services that let the outside in, as far as their names and INFO tell."""

from __future__ import annotations

from typing import Any, Final

from broker.mesh.state import Key
from broker.mesh.timeline import Snapshot

GATEWAY_NAMES: Final = frozenset({"api", "gateway", "api-gateway", "apigateway", "www", "web", "http", "graphql"})


def gateways(snapshot: Snapshot) -> set[Key]:
    """(namespace, full name) of the services that look like gateways."""
    named = {key for key in snapshot.directory.services[1:] if key[1].rpartition(".")[2].lower() in GATEWAY_NAMES}
    for key, history in snapshot.state.of_kind("service").items():
        value = history[-1].value
        if value is not None and _serves_http(value):
            named.add(key)
    return named


def _serves_http(value: dict[str, Any]) -> bool:
    """Whether INFO looks like moleculer-web's: routes in its settings, or its own actions ``rest``, ``listAliases``."""
    settings, metadata = value.get("settings"), value.get("metadata")
    if isinstance(settings, dict) and isinstance(settings.get("routes"), list):
        return True
    if isinstance(metadata, dict) and metadata.get("gateway") is True:
        return True
    return any(
        str(action).endswith(".listAliases")
        for offer in (value.get("nodes") or {}).values()
        for action in (offer or {}).get("actions") or ()
    )
