"""What can be selected, and what a line or a picture can lead to."""

from __future__ import annotations

from typing import Literal, NamedTuple

SubjectKind = Literal[
    "node", "service", "action", "event", "edge", "endpoint", "call", "breaker", "gap", "group", "act"
]


class Subject(NamedTuple):
    """One thing of the mesh.

    Attributes:
        kind: What it is; ``act`` is no part of the mesh, but what an operator did to it.
        namespace: The namespace it lives in.
        name: Node id, or full name of service, action, event; of an edge, the
            caller (a service's full name, or ``node:ID`` for a call made outside services).
        other: Of an edge, the called service; of an endpoint, the node id.
        address: Of a call, (block id, row) in the timeline.
    """

    kind: SubjectKind
    namespace: str
    name: str
    other: str = ""
    address: tuple[int, int] = (0, 0)
