"""The bar above the board: how it is sorted, what it shows, what can be done to the selected breaker."""

from __future__ import annotations

from functools import partial
from typing import Final, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.permits import allow
from app.widgets.choice_chip import ChoiceChip
from app.widgets.controls import button, label, row, set_text
from app.widgets.flow_layout import FlowLayout
from broker.mesh.breaker_states import Coverage
from broker.mesh.breakers import Show, Sort

Act = Literal["trip", "hold open", "hold closed", "reset", "release"]

SORT_WORDS: Final[dict[str, str]] = {
    "error": "error then volume",
    "volume": "volume",
    "slow": "p99",
    "changed": "last change",
    "name": "name",
}
SHOW_WORDS: Final[dict[str, str]] = {
    "all": "all states",
    "not closed": "not closed",
    "open": "open",
    "half-open": "half-open",
    "held": "held by hand",
    "closed": "closed",
    "not seen": "not seen yet",
}
ACTS: Final[tuple[tuple[Act, str, str, str], ...]] = (
    ("trip", "Trip…", "flash-outline", "T"),
    ("hold open", "Hold open…", "pause-circle-outline", "O"),
    ("hold closed", "Hold closed…", "play-circle-outline", "C"),
    ("reset", "Reset…", "restore", "R"),
)
NOTES: Final[dict[Act, str]] = {
    "trip": "Open it now; Moleculer tries again by itself",
    "hold open": "Keep calls away until a moment that you set",
    "hold closed": "Let calls through whatever fails, until a moment that you set",
    "reset": "Close it, forget what was counted, end a hold",
    "release": "End the hold",
}


class BreakerBar(QWidget):
    """Says what was chosen; does nothing itself."""

    act_wanted = Signal(str)
    """An Act on the selected breaker."""
    changed = Signal()
    """Another order, or other states are wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sort = ChoiceChip("Sort", "How the board is sorted; what stops traffic comes first")
        self.sort.offer(dict(SORT_WORDS), "error")
        self.show_chip = ChoiceChip("Show", "Which states the board shows")
        self.show_chip.offer(dict(SHOW_WORDS), "all")
        for chip in (self.sort, self.show_chip):
            chip.picked.connect(lambda _value: self.changed.emit())
        self.acts = {
            act: button(text, partial(self.act_wanted.emit, act), icon=icon, name=text.rstrip("…"))
            for act, text, icon, _ in ACTS
        }
        self._coverage = label("", "dim", name="Where states are from")
        chips = QWidget()
        flow = FlowLayout(chips)
        for part in (self.sort, self.show_chip, *self.acts.values()):
            flow.addWidget(part)
        self._shown = label("", "small", name="How many are shown")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 11, 10, 0)
        layout.setSpacing(4)
        layout.addWidget(chips)
        layout.addLayout(row(self._coverage, None, self._shown))

    def add_shortcuts(self, view: QWidget) -> None:
        """Letters that do what its buttons do, anywhere in a view."""
        for act, _, _, key in ACTS:
            shortcut = QShortcut(QKeySequence(key), view)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.acts[act].click)

    @property
    def order(self) -> Sort:
        """How the board shall be sorted."""
        return self.sort.chosen  # type: ignore[return-value]

    @property
    def states(self) -> Show:
        """Which states it shall show."""
        return self.show_chip.chosen  # type: ignore[return-value]

    def allow(self, why_not: dict[Act, str]) -> None:
        """Which acts are possible on what is selected.

        Args:
            why_not: Why not, by act; empty where it is possible.
        """
        for act, _, _, key in ACTS:
            made, why = self.acts[act], why_not.get(act, "")
            allow(made, "act", why, f"{NOTES[act]} ({key})")

    def say_coverage(self, found: Coverage, shown: int, total: int) -> None:
        """Where states are from, and how many there are."""
        set_text(self._coverage, coverage_text(found))
        self._coverage.setToolTip(coverage_tip(found))
        set_text(self._shown, f"{shown:,} of {total:,} shown: filter to see others" if shown < total else "")


def coverage_text(found: Coverage) -> str:
    """Where states are from, in a line."""
    have, nodes = len(found.helpers), found.nodes
    if not nodes:
        return "no node is known yet"
    others = "" if have == nodes else "; the others are reported by events, asked, or guessed"
    text = f"states from the helper on {have:,} of {nodes:,} nodes{others}" if have else _no_helper(nodes)
    if have and found.acting < have:
        text += f" · {have - found.acting:,} only tell (no secret)"
    return f"{text} · {found.refused:,} commands refused" if found.refused else text


def _no_helper(nodes: int) -> str:
    return f"no helper on any of {nodes:,} nodes: states are reported by events, asked, or guessed"


def coverage_tip(found: Coverage) -> str:
    """Who has none, who is silent, what was refused."""
    lines = []
    if found.without:
        names = ", ".join(node_id for _, node_id in found.without[:12])
        more = f" and {len(found.without) - 12:,} more" if len(found.without) > 12 else ""
        lines.append(f"No helper heard on {names}{more}")
    silent = [helper.node_id for helper in found.helpers.values() if helper.is_silent]
    if silent:
        lines.append(f"Silent for a minute: the helper of {', '.join(silent[:12])}")
    for helper in found.helpers.values():
        if helper.refused:
            causes = ", ".join(f"{many:,} {cause}" for cause, many in helper.refused.items())
            lines.append(f"{helper.node_id} refused commands: {causes}")
    return "\n".join(lines)
