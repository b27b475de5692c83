"""Breakers: a board of circles, every caller by every endpoint, every change, all holds in force."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout

from app.breakers.acting import Acting
from app.breakers.bar import ACTS, Act, BreakerBar
from app.breakers.cards import cards_of
from app.breakers.panels import HoldsPanel, MatrixPanel, changes_table
from app.breakers.possible import why_not, why_not_release
from app.desk import Desk
from app.live import LiveView
from app.permits import allow
from app.views.registry import MAIN, View, register
from app.widgets.circle_board import CircleBoard
from app.widgets.circle_card import CircleCard
from app.widgets.empty_state import EmptyState
from app.widgets.format import count, length
from broker.mesh.breaker_states import Breaker, BreakerChange, BreakerKey, key_of
from broker.mesh.breakers import BreakerAnswer, Show, Sort, breakers
from broker.mesh.filter import Filter
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

_GIVE_HELPER = (
    "Give nodes the helper (meshscope helper prints it for Node.js; Python nodes have it built in): with it all "
    "states, limits and holds are known, and can be set. With the permission to ask, nodes tell which endpoints they "
    "call; announced, Meshscope hears when breakers open and close."
)
TICK_MS = 500
"""How often what counts down is told anew."""


Shown = tuple[BreakerAnswer, list[CircleCard]]


def _ask(
    span: Span,
    wanted: Filter,
    sort: Sort,
    show: Show,
    by_node: bool,
    namespace: str | None,
    me: str,
    snapshot: Snapshot,
) -> Shown:
    """In the worker."""
    found = breakers(snapshot, span, filter=wanted, sort=sort, show=show, by_node=by_node, namespace=namespace)
    return found, cards_of(found.rows, found.coverage, me)


class BreakersView(LiveView):
    """The board above; below it the matrix, the changes and the holds."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, every_ms=800)
        self._last: BreakerAnswer | None = None
        self._by_node = False
        self.bar = BreakerBar()
        self.board = CircleBoard("Breakers, what stops traffic first")
        self.matrix = MatrixPanel()
        self.changes = changes_table()
        self.holds = HoldsPanel(desk.me)
        self.empty = EmptyState("electric-switch")
        self.acting = Acting(desk, self)
        self._lay_out()
        self._connect()
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._weigh()
        self.setFocusProxy(self.board)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Matrix, changes and holds")
        for part, title in (
            (self.matrix, "Every caller by every endpoint"),
            (self.changes, "Changes"),
            (self.holds, "Holds in force"),
        ):
            self.tabs.addTab(part, title)
        self._boards = QStackedWidget()
        self._boards.addWidget(self.board)
        self._boards.addWidget(self.empty)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(self._boards)
        self._split.addWidget(self.tabs)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        self._split.setSizes([1000, 1000])
        self._split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.bar)
        inside = QVBoxLayout()
        inside.setContentsMargins(12, 0, 12, 12)
        inside.addWidget(self._split)
        layout.addLayout(inside, 1)

    def _connect(self) -> None:
        desk = self.desk
        self.bar.changed.connect(self._refresh_if_seen)
        self.bar.act_wanted.connect(self._act)
        self.bar.add_shortcuts(self)
        self.board.chosen.connect(self._choose)
        self.board.opened.connect(self._open)
        self.board.menu_wanted.connect(self._open_menu)
        self.matrix.chosen.connect(self._choose)
        self.matrix.opened.connect(self._open)
        self.matrix.menu_wanted.connect(self._open_menu)
        self.matrix.columns_wanted.connect(self._want_columns)
        self.changes.chosen.connect(self._choose_change)
        self.changes.opened.connect(lambda change: self._open(change.key))
        self.holds.chosen.connect(self._choose_hold)
        self.holds.release_wanted.connect(lambda held: self._act("release", held.key))
        self.holds.release_mine_wanted.connect(self._release_mine)
        desk.selection_changed.connect(self._on_selection)
        desk.permission_changed.connect(self._weigh)

    # what it shows

    def refresh(self) -> None:
        """Ask for all of it at once."""
        desk = self.desk
        bar = self.bar
        question = partial(
            _ask, desk.span(), desk.filter, bar.order, bar.states, self._by_node, desk.namespace, desk.me
        )
        desk.ask(self, "breakers", question, self._show)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.empty.tint()
        for part in (self.board, self.matrix.table, self.changes, self.holds.table):
            part.viewport().update()

    def _show(self, shown: Shown) -> None:
        found, cards = shown
        self._last = found
        now_ns = self._now_ns()
        self.board.show_cards(cards, now_ns)
        spaces = {caller.namespace for caller in found.matrix.callers}
        self.matrix.show_matrix(found.matrix, has_spaces=len(spaces) > 1)
        self.changes.show_records(found.changes)
        self.holds.show_holds(found.holds, now_ns)
        self.tabs.setTabText(1, f"Changes · {count(len(found.changes))}")
        self.tabs.setTabText(2, f"Holds in force · {count(len(found.holds))}")
        self.bar.say_coverage(found.coverage, len(found.rows), found.total)
        self._boards.setCurrentWidget(self.board if found.rows else self.empty)
        if not found.rows:
            self._say_why(found)
        self._on_selection()

    def _say_why(self, found: BreakerAnswer) -> None:
        seconds = length(found.span.seconds)
        if self.bar.states != "all":
            shown = self.bar.show_chip.text_shown
            advice = f"Shown are only these: {shown}. Choose all states to see the others."
            self.empty.say("No breaker is in this state now", advice)
        elif not self.desk.filter.is_empty:
            self.empty.say("The filter leaves no breaker", "Clear it to see all of them.")
        elif found.coverage.helpers:
            self.empty.say(
                f"No calls between nodes in {seconds}, and every breaker is closed",
                "Breakers guard calls; they are shown as soon as there are some.",
            )
        else:
            self.empty.say("No breaker has been heard of", _GIVE_HELPER)

    def _now_ns(self) -> int:
        return min(self.desk.span().to_ns, self.desk.snapshot.through_ns)

    def _tick(self) -> None:
        now_ns = self._now_ns()
        self.board.set_now(now_ns)
        self.holds.set_now(now_ns)

    def showEvent(self, event: QShowEvent) -> None:
        """What counts down does so while it is seen."""
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._clock.stop()

    # what is selected

    @property
    def selected(self) -> BreakerKey | None:
        """The breaker that is selected; None for none."""
        subject = self.desk.selection
        return key_of(subject.namespace, subject.name) if subject is not None and subject.kind == "breaker" else None

    def _choose(self, key: BreakerKey | None) -> None:
        if key is None:
            self.desk.select(None)
        elif key.action:
            namespace, name = key.state_key
            self.desk.select(Subject("breaker", namespace, name))
        else:
            self.desk.select(Subject("node", key.namespace, key.node_id))

    def _choose_change(self, change: BreakerChange | None) -> None:
        if change is not None:
            self._choose(change.key)

    def _choose_hold(self, held: Breaker | None) -> None:
        if held is not None:
            self._choose(held.key)

    def _on_selection(self) -> None:
        key = self.selected
        self.board.select(key)
        self.matrix.select(key)
        self._weigh()

    def _open(self, key: BreakerKey) -> None:
        """Drill in: to the latency of the endpoint."""
        if key.action:
            self.desk.show_view("latency", Subject("endpoint", key.namespace, key.action, key.node_id))

    def _want_columns(self, by_node: bool) -> None:
        self._by_node = by_node
        self._refresh_if_seen()

    # what can be done

    def _weigh(self) -> None:
        """Enable what can be done now, and say why the rest cannot."""
        coverage = self._last.coverage if self._last is not None else None
        self.bar.allow({act: why_not(self.desk, self.selected, coverage) for act, *_ in ACTS})
        self.holds.refuse(why_not_release(self.desk))

    def _open_menu(self, key: BreakerKey, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        coverage = self._last.coverage if self._last is not None else None
        for act, text, _, shortcut in ACTS if key.action else ():
            made = menu.addAction(f"{text}\t{shortcut}")
            why = why_not(self.desk, key, coverage)
            allow(made, "act", why)
            made.triggered.connect(lambda _=False, act=act: self._act(act, key))
        menu.setToolTipsVisible(True)
        menu.addSeparator()
        menu.addAction("Show latency").triggered.connect(lambda _=False: self._open(key))
        menu.addAction("Show caller in the graph").triggered.connect(
            lambda _=False: self.desk.show_view("graph", Subject("node", key.namespace, key.owner))
        )
        menu.popup(at)

    def _act(self, act: Act, key: BreakerKey | None = None) -> None:
        wanted = key or self.selected
        if wanted is not None:
            self.acting.begin(act, wanted)

    def _release_mine(self) -> None:
        held = self._last.holds if self._last is not None else ()
        for namespace in sorted({one.key.namespace for one in held if one.by == self.desk.me}):
            self.acting.release_mine(namespace)


def build(desk: Desk) -> BreakersView:
    """The view for a desk."""
    return BreakersView(desk)


register(View(id="breakers", title="Breakers", area=MAIN, order=100, icon="electric-switch", build=build))
