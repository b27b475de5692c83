"""Which node is to answer: one that offers the action, or a balanced one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QComboBox, QWidget

from app.caller.catalogue import NodeChoice

BALANCED: Final = "balanced"


class NodeBox(QComboBox):
    """Balanced, and everybody who offers the action; who is away is said to be."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Node")
        self.addItem(BALANCED, "")

    @property
    def chosen(self) -> str:
        """The node id; "" for a balanced one."""
        return str(self.currentData() or "")

    def show_nodes(self, nodes: Sequence[NodeChoice], wanted: str = "") -> None:
        """Offer these. Signals nothing.

        Args:
            nodes: Who offers the action.
            wanted: Who shall be chosen, also if it does not offer it; as it is, if left out.
        """
        wanted = wanted or self.chosen
        titles = [(BALANCED, "")]
        titles += [(one.node_id if one.is_online else f"{one.node_id} (offline)", one.node_id) for one in nodes]
        if wanted and wanted not in [node_id for _, node_id in titles]:
            titles.append((f"{wanted} (does not offer it)", wanted))
        if titles == [(self.itemText(n), self.itemData(n)) for n in range(self.count())]:
            self.setCurrentIndex(max(0, self.findData(wanted)))
            return
        self.blockSignals(True)
        self.clear()
        for title, node_id in titles:
            self.addItem(title, node_id)
        self.setCurrentIndex(max(0, self.findData(wanted)))
        self.blockSignals(False)


def why_no_headers(nodes: Sequence[NodeChoice], chosen: str) -> str:
    """Why headers would not reach those who are asked; "" where they would."""
    asked = [one for one in nodes if one.node_id == chosen] or [one for one in nodes if one.is_online] or list(nodes)
    if asked and all(one.protocol == "4" for one in asked):
        return "Headers need protocol 5 (MoleculerJS 0.15); who offers this speaks 4."
    return ""
