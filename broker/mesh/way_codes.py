"""Ways as numbers: action, caller's node and endpoint's node of a call in one. Breakers stand on ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broker.mesh.cuts import Cut
from broker.mesh.names import Names
from broker.observe.journal import NameKind

Codes = NDArray[np.int64]
Way = tuple[str, str, str, str]
"""Namespace, caller's node, endpoint's node, action."""


class WayCodes:
    """Makes numbers of ways, and ways of numbers, as long as no name is added.

    Attributes:
        nodes: How many numbers a node may have: a code is ``(action * nodes + caller) * nodes + endpoint``.
    """

    __slots__ = ("_names", "nodes")

    def __init__(self, names: Names) -> None:
        self._names = names
        self.nodes = names.count(NameKind.NODE) + 1

    def of(self, cut: Cut) -> Codes:
        """The way of each call. Shape (count,)."""
        action, caller, endpoint = (cut.column(name).astype(np.int64) for name in ("action", "source", "target"))
        last = self.nodes - 1  # what has no number of its own
        return np.asarray((action * self.nodes + np.minimum(caller, last)) * self.nodes + np.minimum(endpoint, last))

    def find(self, way: Way) -> int | None:
        """The number of a way; None if one of its names was never heard."""
        namespace, caller, endpoint, action = way
        numbers = (
            self._names.find(NameKind.ACTION, namespace, action),
            self._names.find(NameKind.NODE, namespace, caller),
            self._names.find(NameKind.NODE, namespace, endpoint),
        )
        one, two, three = numbers
        if one is None or two is None or three is None:
            return None
        return (one * self.nodes + two) * self.nodes + three

    def way(self, code: int) -> Way:
        """The way of a number."""
        rest, endpoint = divmod(code, self.nodes)
        action, caller = divmod(rest, self.nodes)
        names, node = self._names, NameKind.NODE
        return (
            names.namespace_text(NameKind.ACTION, action),
            names.text(node, caller),
            names.text(node, endpoint),
            names.text(NameKind.ACTION, action),
        )
