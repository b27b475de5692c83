"""The bar above the graph: find, hide, group, label, layout, focus, dots, table, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from app.widgets.choice_chip import ChoiceChip, SwitchChip
from app.widgets.filter_bar import Proposal
from app.widgets.flow_layout import FlowLayout
from app.widgets.search_line import SearchBox

GROUPS: Final = {
    "service": "none",
    "instances": "service",
    "node": "node",
    "namespace": "namespace",
    "version": "version",
    "-": "",
    "open": "Open all groups",
    "close": "Close all groups",
}
LABELS: Final = {"p99": "p99", "p90": "p90", "p50": "p50", "rate": "rate", "errors": "errors", "none": "none"}
LAYOUTS: Final = {
    "layered": "left→right",
    "force": "force",
    "concentric": "circles",
    "grid": "grid",
    "-": "",
    "again": "Lay out again",
    "unpin": "Forget what was moved by hand",
}
EXPORTS: Final = {"svg": "SVG drawing…", "png": "PNG picture…", "dot": "DOT for Graphviz…", "json": "JSON…"}
EXAMPLES: Final = "errors > 1, p99 > 200ms, service ~ v2.*, node = shop-1"
OFF, HOPS = "off", (1, 2, 3)
DIRECTIONS: Final = {"both": "callers and called", "callers": "callers", "callees": "called"}


def focus_choices(name: str) -> dict[str, str]:
    """What the focus chip offers for a box; values are "off" or "hops:direction"."""
    choices = {OFF: "off"}
    if not name:
        return choices
    for direction, words in DIRECTIONS.items():
        choices[f"-{direction}"] = ""
        for hops in HOPS:
            choices[f"{hops}:{direction}"] = f"{name} · {hops} hop{'s' if hops > 1 else ''}, {words}"
    return choices


class GraphBar(QWidget):
    """All controls of the graph. They only say what was chosen."""

    export_wanted = Signal(str)
    """An ending of a file: svg, png, dot, json."""

    def __init__(
        self,
        judge: Callable[[str], str],
        complete: Callable[[str, int], Sequence[Proposal]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.find_box = SearchBox("Find", f"Highlight what this means: {EXAMPLES}", judge, complete)
        self.hide_box = SearchBox("Hide", f"Take out what this means: $node, {EXAMPLES}", judge, complete)
        self.group = ChoiceChip("Group", "What stands in a box together; open and close a box with G")
        self.group.offer(dict(GROUPS), "service")
        self.label = ChoiceChip("Label", "What is written on connections")
        self.label.offer(dict(LABELS), "p99")
        self.layout_chip = ChoiceChip("Layout", "How cards are placed")
        self.layout_chip.offer(dict(LAYOUTS), "layered")
        self.focus = ChoiceChip("Focus", "Only what is near the selected card")
        self.focus.offer(focus_choices(""), OFF)
        self.dots = SwitchChip("Dots", "mdi6.dots-horizontal", "Whether calls run along their lines", is_on=True)
        self.table = SwitchChip("Table", "mdi6.table", "The same as a table, to sort and to be read to", is_on=False)
        self.export = SwitchChip("Export", "mdi6.export-variant", "The whole graph as a file (Ctrl+E)", is_on=False)
        self.export.setCheckable(False)
        self.export.setAccessibleName("Export the whole graph")
        self.export.clicked.connect(self.open_exports)
        self._message = QLabel()
        self._message.setProperty("role", "small")
        self._message.setProperty("tone", "failed")
        self._message.setAccessibleName("What is wrong with what to find or hide")
        self._message.hide()
        chips = QWidget()
        flow = FlowLayout(chips)
        for part in (self.find_box, self.hide_box, self.group, self.label, self.layout_chip, self.focus,
                     self.dots, self.table, self.export):  # fmt: skip
            flow.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 11, 10, 0)
        layout.setSpacing(4)
        layout.addWidget(chips)
        layout.addWidget(self._message)
        for box in (self.find_box, self.hide_box):
            box.refused.connect(lambda _message: self._show_message())

    def add_shortcuts(self, view: QWidget) -> None:
        """Keys that lead to its parts, anywhere in a view."""
        for keys, do in (
            (QKeySequence(QKeySequence.StandardKey.Find), partial(_focus, self.find_box)),
            (QKeySequence("Ctrl+Shift+H"), partial(_focus, self.hide_box)),
            (QKeySequence("Ctrl+E"), self.open_exports),
        ):
            shortcut = QShortcut(keys, view)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(do)

    def open_exports(self) -> None:
        """Offer the kinds of files."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for kind, text in EXPORTS.items():
            menu.addAction(text).triggered.connect(lambda _=False, kind=kind: self.export_wanted.emit(kind))
        menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft()))

    @property
    def message(self) -> str:
        """What it says is wrong."""
        return "" if self._message.isHidden() else self._message.text()

    def _show_message(self) -> None:
        parts = [f"{box.accessibleName()}: {box.message}" for box in (self.find_box, self.hide_box) if box.message]
        self._message.setText("▲ " + " · ".join(parts))
        self._message.setVisible(bool(parts))


def _focus(widget: QWidget) -> None:
    widget.setFocus(Qt.FocusReason.ShortcutFocusReason)
