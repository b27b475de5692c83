"""What there is in the mesh: nodes, services, actions and events, as of the end of a span."""

from __future__ import annotations

from broker.mesh.comings import comings
from broker.mesh.inventory_actions import actions
from broker.mesh.inventory_events import events
from broker.mesh.inventory_nodes import nodes
from broker.mesh.inventory_services import services

__all__ = ["actions", "comings", "events", "nodes", "services"]
