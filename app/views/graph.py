"""Graph: who calls whom, how often, how fast, with what errors, as it flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QElapsedTimer, QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.desk import Desk
from app.graph import export, question
from app.graph.arranger import Arranger
from app.graph.bar import OFF, GraphBar, focus_choices
from app.graph.card_menu import filter_for, menu_for
from app.graph.hint_line import HintLine
from app.graph.looks import breaker_on, key_of, subjects_of, words_for
from app.graph.nothing import why_nothing
from app.graph.open_groups import PLAIN, keep_open, kept_open
from app.graph.plan import LAYERED_BOXES, Kind
from app.graph.question import INTERNAL, Focus, PathWish, Shown, Wanted
from app.graph.twin import GraphTable
from app.graph.ways import Ways
from app.views.registry import MAIN, View, register
from app.widgets.canvas.canvas import GraphCanvas
from app.widgets.empty_state import EmptyState
from app.widgets.format import count
from broker.mesh.answers import Topology, TopologyNode
from broker.mesh.filter import Completion, complete, parse
from broker.mesh.opened import Opened
from broker.mesh.timeline import Timeline

EVERY_MS: Final = 500
HINT_MS: Final = 8000
REST: Final = 10.0
"""After a question that took t, the next is asked no sooner than REST * t later."""


class GraphView(QWidget):
    """The bar, and below it the canvas, its twin as a table, or why there is nothing."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._wanted = Wanted(hide=parse(INTERNAL))
        self._kind: Kind = "layered"
        self._grouping = PLAIN
        self._shown: Shown | None = None
        self._timeline: Timeline | None = None
        self._is_other = True
        self.setAccessibleName("Graph")
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._build()
        self._arranger = Arranger(self)
        self._arranger.arranged.connect(lambda at, bends, glides: self.canvas.place(at, bends, glides=glides))
        self._arranger.told.connect(self._show_hint)
        # the arranger is gone when this is called: hold on to what ends the process
        self.destroyed.connect(self._arranger.stop)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._refresh)
        self._since = QElapsedTimer()
        self._rest_ms = EVERY_MS
        self._begin_picture()
        for signal in (desk.cursor_changed, desk.filter_changed):
            signal.connect(self._refresh_now)
        desk.ticked.connect(self._on_tick)
        desk.selection_changed.connect(self._on_selection)
        desk.theme_changed.connect(self._on_theme)
        desk.motion_changed.connect(self._on_motion)
        self._on_motion()

    # what it is made of

    def _build(self) -> None:
        self.bar = GraphBar(question.judge, self._complete)
        self.canvas = GraphCanvas()
        self.table = GraphTable()
        self.empty = EmptyState("mdi6.graph-outline")
        self._notice = ""
        self._hint_line = HintLine(self._pick_group)
        self.ways = Ways(self.canvas, self._want_way, self._choose, self._show_hint)
        self._stack = QStackedWidget()
        for page in (self.canvas, self.table, self.empty):
            self._stack.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        for part in (self.bar, self._hint_line, self.ways.bar):
            whole.addWidget(part)
        whole.addWidget(self._stack, 1)
        self._connect_bar()
        self._connect_canvas()

    def _connect_bar(self) -> None:
        bar = self.bar
        bar.hide_box.setText(INTERNAL)
        bar.find_box.applied.connect(lambda text: self._want(replace(self._wanted, find=parse(text))))
        bar.hide_box.applied.connect(lambda text: self._want(replace(self._wanted, hide=parse(text))))
        bar.group.picked.connect(self._pick_group)
        bar.label.picked.connect(self._pick_label)
        bar.layout_chip.picked.connect(self._pick_layout)
        bar.focus.picked.connect(self._pick_focus)
        bar.dots.picked.connect(lambda value: self.canvas.set_dots(value == "on"))
        bar.table.picked.connect(lambda _value: self._show_page())
        bar.export_wanted.connect(self._export_with_dialog)
        bar.add_shortcuts(self)

    def _connect_canvas(self) -> None:
        for part in (self.canvas, self.table):
            part.chosen.connect(self._choose)
            part.opened.connect(self.open_latency)
        self.canvas.words = lambda key: words_for(self._topology(), key)
        self.canvas.menu_wanted.connect(self._open_menu)
        self.canvas.toggle_wanted.connect(self.toggle)
        self.canvas.hide_wanted.connect(self.hide_card)
        self.canvas.other_chosen.connect(self.ways.choose_other)
        self.canvas.steps_back = self.ways.end
        self.canvas.card_moved.connect(lambda key: self._arranger.move(key, self.canvas.scene.at[key]))

    # what the user does

    def _choose(self, key: str) -> None:
        subjects = subjects_of(self._topology())
        self._desk.select(subjects.get(key))

    def open_latency(self, key: str) -> None:
        """Lead to the latency of a card or connection."""
        subjects = subjects_of(self._topology())
        if key in subjects:
            self._desk.show_view("latency", subjects[key])

    def open_breakers(self, key: str) -> None:
        """Lead to the breakers, and to the worst one on a connection if there is one."""
        self._desk.show_view("breakers", breaker_on(self._topology(), key))

    def _pick_group(self, value: str) -> None:
        if value in ("open", "close"):
            self.bar.group.choose(self._grouping)
            self.toggle_all(is_open=value == "open")
            return
        self._grouping = value
        self.bar.group.choose(value)
        self._wanted = question.with_group(self._wanted, value)
        self.ways.end()
        self._begin_picture()
        self._refresh_now()

    def toggle(self, key: str) -> None:
        """Open a closed group, or close the one that a card or frame is of."""
        node = self._node(key)
        group = key if key in self.canvas.scene.frames or (node and node.members) else node.group if node else ""
        if group and self._shown is not None:
            self._open(self._shown.opened.toggled(group))
            self._desk.select(subjects_of(self._topology()).get(group))

    def toggle_all(self, *, is_open: bool) -> None:
        """Open or close all groups."""
        self._open(Opened(by_default=is_open))

    def _open(self, opened: Opened) -> None:
        keep_open(self._grouping, opened)
        self._is_other = True
        self._arranger.want_whole()
        self._wanted = replace(self._wanted, opened=opened)
        self.ways.end()
        self._refresh_now()

    def choose_other(self, key: str) -> None:
        """The other end of a way from the selected card."""
        self.ways.choose_other(key)

    def _want_way(self, path: PathWish | None) -> None:
        self._want(replace(self._wanted, path=path))

    def _pick_label(self, value: str) -> None:
        self._want(question.with_label(self._wanted, value))

    def _pick_layout(self, value: str) -> None:
        if value in ("again", "unpin"):
            self.bar.layout_chip.choose(self._kind)
            self._arranger.lay_out(forgets_pins=value == "unpin")
            return
        self._kind = cast(Kind, value)
        self._begin_picture()
        self._arrange()

    def _pick_focus(self, value: str) -> None:
        focus = self._wanted.focus
        key, title = (focus.key, focus.title) if focus and value != OFF else self._selected_card()
        self.set_focus(question.focus_of(value, key, title))

    def set_focus(self, focus: Focus | None) -> None:
        """Show only what is near a card; everything for None."""
        self._want(replace(self._wanted, focus=focus))
        self._say_focus()

    def _selected_card(self) -> tuple[str, str]:
        key = self.canvas.selected
        card = self.canvas.scene.cards.get(key)
        return (key, card.title) if card else ("", "")

    def _say_focus(self) -> None:
        focus = self._wanted.focus
        if focus is not None:
            self.bar.focus.offer(focus_choices(focus.title), f"{focus.hops}:{focus.direction}")
            self.bar.focus.say(f"{focus.title} · {focus.hops} hop{'s' if focus.hops > 1 else ''}")
        else:
            self.bar.focus.offer(focus_choices(self._selected_card()[1]), OFF)

    def _open_menu(self, key: str, at: QPoint) -> None:
        menu = self.menu_for(key)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def menu_for(self, key: str) -> QMenu:
        """What can be done with a card, a connection, or the whole graph ("")."""
        node = self._node(key)
        begin_key, begin = self._selected_card()
        return menu_for(
            key,
            self,
            self.canvas,
            has_focus=self._wanted.focus is not None,
            members=node.members if node else 0,
            begin=begin if begin_key != key else "",
        )

    def hide_card(self, key: str) -> None:
        """Add a card to what the Hide box takes out."""
        subject = subjects_of(self._topology()).get(key)
        if subject is not None:
            text, this = self.bar.hide_box.text().strip(), filter_for(subject)
            self.bar.hide_box.set_text(f"{text} or {this}" if text else this)

    @property
    def is_unfinished(self) -> bool:
        """Whether it is seen and not laid out or not painted yet."""
        return self.canvas.isVisible() and (self._arranger.is_busy or not self.canvas.has_sharp_picture)

    def lay_out(self) -> None:
        """Lay out anew; what was put somewhere by hand stays."""
        self._arranger.lay_out()

    # files

    def _export_with_dialog(self, kind: str) -> None:
        path = export.path_from_dialog(self, kind)
        if path is not None:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        """Write the whole graph to a file; its ending says how (svg, png, dot, json)."""
        try:
            write = export.prepare(path, self.canvas.scene, self._topology(), theme.current())
        except ValueError as error:
            self._show_hint(f"Not exported: {error}")
            return
        self._show_hint(f"Writing {path}…")

        def work() -> str:
            try:
                write()
            except OSError as error:
                return f"Not exported: {path} cannot be written: {error.strerror or error}."
            return ""

        self._desk.keep(self, work, partial(self._on_exported, path))

    def _on_exported(self, path: Path, wrong: str) -> None:
        self._notice = "" if wrong else f"Written to {path}"
        self._show_hint(wrong)
        if not wrong:
            QTimer.singleShot(HINT_MS, self, partial(self._end_notice, self._notice))

    def _end_notice(self, notice: str) -> None:
        """It was there long enough, unless there is another one already."""
        if self._notice == notice:
            self._notice = ""
            self._show_hint("")

    def _node(self, key: str) -> TopologyNode | None:
        return next((node for node in self._topology().nodes if node.key == key), None)

    def _topology(self) -> Topology:
        return self._shown.topology if self._shown else Topology(self._desk.span(), (), ())

    # what is shown

    def showEvent(self, event: QShowEvent) -> None:
        """A view that comes back into sight is brought up to date."""
        super().showEvent(event)
        self._refresh_now()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is asked while nobody looks."""
        super().hideEvent(event)
        self._rest.stop()

    def _want(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._refresh_now()

    def _begin_picture(self) -> None:
        self._is_other = True
        self._arranger.begin(f"{self._grouping}/{self._kind}", self._kind)
        self._hint_line.hide()

    def _on_tick(self) -> None:
        """Refresh, but not sooner than a share of the worker's time allows; the last wish is never lost."""
        if self.isVisible() and not self._rest.isActive():
            waited_ms = self._since.elapsed() if self._since.isValid() else self._rest_ms
            self._rest.start(max(0, round(self._rest_ms - waited_ms)))

    def _refresh_now(self) -> None:
        self._rest.stop()
        self._refresh()

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        if self._desk.timeline is not self._timeline:
            self._timeline, self._shown = self._desk.timeline, None
            self._wanted = replace(self._wanted, opened=kept_open(self._grouping))
            self._begin_picture()
        self._since.start()
        before = self.canvas.scene.content
        ask = partial(question.ask, self._wanted, self._desk.span(), self._desk.filter, before)
        self._desk.ask(self, "graph", ask, self._show)

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        self._rest_ms = max(EVERY_MS, round(shown.took_s * 1000 * REST))
        canvas = self.canvas
        self._is_other |= canvas.show_content(shown.content)
        canvas.set_marks(shown.found, shown.faded)
        self._arrange()
        self._on_selection()
        self.ways.say(shown.paths)
        if self.bar.table.chosen == "on":
            self.table.show_topology(shown.topology, self._desk.selection)
        self._show_page()
        if self._wanted.find.is_empty:
            self.bar.find_box.setToolTip(self.bar.find_box.accessibleDescription())
        else:
            self.bar.find_box.setToolTip(f"{count(len(shown.found))} of {count(len(shown.content.cards))} cards")

    def _arrange(self) -> None:
        shown = self._shown
        if shown is None or not self._is_other:
            return
        self._is_other = False
        scene = self.canvas.scene
        frames = {card.key: card.frame for card in shown.cards if card.frame}
        self._arranger.arrange(list(shown.content.cards), shown.lines, scene.width, scene.height, frames)

    def _show_page(self) -> None:
        shown = self._shown
        if shown is None or not shown.content.cards:
            self._say_why_nothing(shown)
            self._stack.setCurrentWidget(self.empty)
        elif self.bar.table.chosen == "on":
            if self._stack.currentWidget() is not self.table:
                self.table.show_topology(shown.topology, self._desk.selection)
            self._stack.setCurrentWidget(self.table)
        else:
            self._stack.setCurrentWidget(self.canvas)

    def _say_why_nothing(self, shown: Shown | None) -> None:
        said = why_nothing(
            shown.known if shown else 0,
            shown.passing if shown else 0,
            self._desk.span().seconds,
            hides=not self._wanted.hide.is_empty or self._wanted.focus is not None,
            filters=not self._desk.filter.is_empty,
        )
        if said.can_show_all:
            self.empty.say(said.why, said.advice, "Show everything", self._show_everything)
        else:
            action = "" if self._desk.wanted.is_empty else "Remove the filter"
            self.empty.say(said.why, said.advice, action, self._desk.clear_filter)

    def _show_everything(self) -> None:
        wanted = self._wanted
        self._wanted = Wanted(wanted.group_by, wanted.label, opened=wanted.opened)
        self.bar.find_box.set_text("")
        self.bar.hide_box.set_text("")
        self._say_focus()
        self._refresh_now()

    def _show_hint(self, text: str) -> None:
        text = text or self._notice
        if not text and self._kind == "layered" and self._shown and len(self._shown.content.cards) > LAYERED_BOXES:
            text = f"{count(len(self._shown.content.cards))} cards are too many for layers: laid out by force."
        is_big = self._shown is not None and len(self._shown.content.cards) > LAYERED_BOXES
        self._hint_line.say(text, offers_groups=is_big and self._wanted.group_by == "service")

    def _on_selection(self) -> None:
        shown = self._shown
        if shown is None:
            return
        key = key_of(shown.topology, self._desk.selection)
        if key and key != self.canvas.selected:
            self.canvas.select(key)
            self.canvas.reveal(key)
        elif not key:
            self.canvas.select("")
        if self.bar.table.chosen == "on":
            self.table.table.select(key or None)
        if self._wanted.focus is None:
            self._say_focus()

    def _on_theme(self) -> None:
        self.canvas.set_theme()
        self.empty.tint()

    def _on_motion(self) -> None:
        self.canvas.set_still(self._desk.reduce_motion)

    def _complete(self, text: str, position: int) -> Sequence[Completion]:
        return complete(text, position, self._desk.snapshot)


register(View(id="graph", title="Graph", area=MAIN, order=20, icon="mdi6.graph-outline", build=GraphView))
