"""The shell around the views: bar, rail, filter, side panel, timeline strip, status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.desk import Desk
from app.finder import entries_of, entries_of_views, named
from app.history import History, Stop
from app.place import Place, mode_text, namespace_menu, place_text
from app.report_words import report_rows, report_tone
from app.settings import Settings
from app.shell_facts import ShellFacts, shell_facts
from app.shell_status import counts_told, keeping_told, probe_told, reading_share, what_to_do
from app.side import SidePanel
from app.table_memory import keep_tables
from app.unlocking import Unlocking
from app.view_area import ViewArea
from app.views.registry import View
from app.widgets.banner import Banner
from app.widgets.controls import retint, row, set_text
from app.widgets.filter_bar import FilterBar
from app.widgets.format import clock_time, count, date_time, length, rate, zone_name
from app.widgets.pace import Pace
from app.widgets.palette import Entry, Palette
from app.widgets.paused_bar import PausedBar
from app.widgets.progress import progress_bar
from app.widgets.rail import Rail
from app.widgets.status_line import StatusLine
from app.widgets.timeline_strip import TimelineStrip
from app.widgets.top_bar import SPANS, TopBar
from broker.clock import SECOND
from broker.mesh.filter import Completion, FilterError, complete, parse
from broker.mesh.span import Cursor
from broker.mesh.subject import Subject
from broker.operate.commands import Report

NARROW_PX = 1100
UNLOCKS = "Ctrl+Shift+L: unlock it for ten minutes, after a question"
LOCKS = "Ctrl+Shift+L: lock it again, at once"


class Shell(QWidget):
    """One sitting on screen. Knows the desk and the settings, no probe."""

    left = Signal()
    """The user wants to close this session."""

    def __init__(self, desk: Desk, settings: Settings, views: Sequence[View], place: Place, logo: QWidget) -> None:
        super().__init__()
        self.desk, self.settings, self.place = desk, settings, place
        self._views = list(views)
        self.facts: ShellFacts | None = None
        self._history = History()
        self._is_stepping = False
        self._is_narrow = False
        self._was_whole = False
        self._packets_at_pause = -1
        self.namespace_menu: QMenu | None = None
        self._has_asked_namespace = False
        self.bar = TopBar(logo)
        self.banner = Banner()
        self.report = Banner("Answer to a command")
        self.progress = progress_bar()
        self.rail = Rail([(view.id, view.title, view.icon) for view in self._views])
        self.paused = PausedBar(desk.follow, desk.zoom_back)
        self.filter_bar = FilterBar(parse, self._complete, FilterError)
        self.filter_bar.set_history(settings.filters, settings.saved_filters)
        self.area = ViewArea(desk, views)
        self.area.before = self.filter_bar.last
        self.side = SidePanel(desk)
        self.strip = TimelineStrip()
        self.status = StatusLine()
        self.palette_box = Palette(self)
        self.unlocking = Unlocking(desk, place, self)
        self.extra_entries: Callable[[], list[Entry]] = list
        self._pace = Pace(self._ask_facts, 1000, self)
        self._lay_out()
        self._connect()
        self.show_place()

    # parts

    def _lay_out(self) -> None:
        self._scope = QLabel()
        self._scope.setProperty("role", "small")
        self._filters = QWidget()
        filters = row(self.filter_bar, self._scope, spacing=10)
        filters.setContentsMargins(12, 8, 12, 2)
        self._filters.setLayout(filters)
        middle = QWidget()
        middle.setObjectName("page")
        middle.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QVBoxLayout(middle)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        for part in (self.progress, self.banner, self.report, self.paused):
            inside.addWidget(part)
        inside.addWidget(self._filters)
        inside.addWidget(self.area, 1)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(1)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(middle)
        self.split.addWidget(self.side)
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 0)
        self.side.setVisible(self.settings.side_open)
        across = QHBoxLayout()
        across.setSpacing(0)
        across.addWidget(self.rail)
        across.addWidget(self.split, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addLayout(across, 1)
        layout.addWidget(self.strip)
        layout.addWidget(self.status)

    def _connect(self) -> None:
        desk, bar = self.desk, self.bar
        self.rail.chosen.connect(self._show)
        self.rail.menu_wanted.connect(self._open_rail_menu)
        bar.palette_wanted.connect(self.open_palette)
        bar.pause_wanted.connect(self.toggle_pause)
        bar.span_wanted.connect(self.set_span)
        bar.place_wanted.connect(self.choose_namespace)
        bar.profile_wanted.connect(self.unlocking.toggle)
        self.unlocking.changed.connect(self.show_place)
        self.unlocking.told.connect(self.show_report)
        self.filter_bar.applied.connect(self._apply_filter)
        self.filter_bar.saved.connect(self._save_filter)
        self.strip.window_dragged.connect(lambda a, b: desk.set_cursor(Cursor(b, b - a, follows=False)))
        self.strip.live_wanted.connect(desk.follow)
        self.area.changed.connect(self._on_area)
        self.area.built.connect(partial(keep_tables, self.settings))
        self.area.key_pressed.connect(self.keyPressEvent)
        desk.view_wanted.connect(self._show)
        desk.selection_changed.connect(self._note_stop)
        desk.filter_changed.connect(self._on_filter)
        desk.cursor_changed.connect(self._on_cursor)
        desk.arrived.connect(self._pace.want)
        desk.ticked.connect(self._show_time)
        desk.status_changed.connect(self._show_status)
        desk.theme_changed.connect(self._retheme)

    def showEvent(self, event: QShowEvent) -> None:
        """The side panel gets the width it had; sizes given before there is a size are only proportions."""
        super().showEvent(event)
        side = self.settings.side_width
        self.split.setSizes([max(400, self.split.width() - side), side])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window gives its room to the view; Ctrl+B brings the side panel all the same."""
        super().resizeEvent(event)
        is_narrow = self.width() < NARROW_PX
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._fit_side()

    def begin(self) -> None:
        """Show what was shown last time, and begin to ask."""
        self.area.restore_layout(self.settings.detached, self.settings.layout)
        first = self.settings.view if self.settings.view in self.rail.buttons else self._views[0].id
        # a capture is shown whole
        self.desk.set_cursor(Cursor(length_ns=0 if self.place.is_file else self.settings.span_s * SECOND))
        self._show(first)
        if self.settings.filter:
            self.filter_bar.set_text(self.settings.filter)
        self._on_cursor()
        self._pace.now()

    def keep(self) -> None:
        """Put what is to be remembered into the settings."""
        settings = self.settings
        settings.view = self.area.current or settings.view
        settings.detached = self.area.detached()
        settings.layout = self.area.layout_state()
        settings.filter = self.desk.wanted.text
        if self.side.isVisible():
            settings.side_width = self.side.width()
        if self.desk.cursor.follows and not self.place.is_file:
            settings.span_s = self.desk.cursor.length_ns // SECOND

    # views, back and forward

    def _show(self, view_id: str, *_more: object) -> None:
        self.area.show_view(view_id)
        self._note_stop()

    def _on_area(self) -> None:
        self.rail.show_current(self.area.current)
        self._fit_side()

    @property
    def _is_whole(self) -> bool:
        """Whether the view in the middle takes the room of side panel and filter."""
        current = next((view for view in self._views if view.id == self.area.current), None)
        return current is not None and current.is_whole and not self.area.is_detached(current.id)

    def _fit_side(self) -> None:
        is_whole = self._is_whole
        self._filters.setVisible(not is_whole)
        if is_whole != self._was_whole or not is_whole:
            self.side.setVisible(self.settings.side_open and not self._is_narrow and not is_whole)
        self._was_whole = is_whole

    def _open_rail_menu(self, view_id: str, at: QPoint) -> None:
        self.area.place_menu(view_id, self).popup(at)

    def _note_stop(self) -> None:
        if not self._is_stepping and self.area.current:
            self._history.visit(Stop(self.area.current, self.desk.selection))

    def step(self, *, is_back: bool) -> None:
        """To the view and selection before, or after."""
        stop = self._history.back() if is_back else self._history.forward()
        if stop is not None:
            self._is_stepping = True
            self.desk.select(stop.subject)
            self.area.show_view(stop.view)
            self._is_stepping = False

    def step_out(self) -> None:
        """Esc: undo the innermost thing: zoom, selection, filter, then the way here."""
        if self.desk.zoom_back():
            return
        if self.desk.selection is not None:
            self.desk.select(None)
        elif not self.desk.wanted.is_empty:
            self.desk.clear_filter()
        else:
            self.step(is_back=True)

    def toggle_side(self) -> None:
        """Show or hide the side panel."""
        is_open = not self.side.isVisible()
        if not self._is_narrow and not self._is_whole:
            self.settings.side_open = is_open
        self.side.setVisible(is_open)

    def edit_filter(self) -> None:
        """Write a filter."""
        self.filter_bar.setFocus()

    def open_palette(self) -> None:
        """Search or run."""
        self.palette_box.open_with(entries_of_views(self._views, self._show) + self.extra_entries())
        self.desk.ask(self, "names", named, self._found_names)

    def _found_names(self, subjects: list[Subject]) -> None:
        self.palette_box.add(entries_of(self.desk, subjects))

    # filter and namespace

    def _complete(self, text: str, position: int) -> Sequence[Completion]:
        return complete(text, position, self.desk.snapshot)

    def _apply_filter(self, text: str) -> None:
        self.settings.remember_filter(text)
        self.filter_bar.set_history(self.settings.filters, self.settings.saved_filters)
        self.desk.set_filter(parse(text))

    def _save_filter(self, text: str) -> None:
        self.settings.saved_filters = [text, *(other for other in self.settings.saved_filters if other != text)]
        self.filter_bar.set_history(self.settings.filters, self.settings.saved_filters)
        self.settings.save()

    def _on_filter(self) -> None:
        if self.filter_bar.text.strip() != self.desk.wanted.text:
            self.filter_bar.set_text(self.desk.wanted.text)
        self._show_scope()
        self._pace.now()

    def choose_namespace(self) -> None:
        """Ask which namespace is to be shown."""
        menu = namespace_menu(self.desk, self.facts, self)
        menu.destroyed.connect(self._forget_menu)
        self.namespace_menu = menu
        menu.popup(self.bar.place.mapToGlobal(self.bar.place.rect().bottomLeft()))

    def _forget_menu(self) -> None:
        self.namespace_menu = None

    def _show_scope(self) -> None:
        facts = self.facts
        several = facts is not None and len(facts.namespaces) > 1
        apart = several and self.desk.namespace is None
        set_text(self._scope, f"{len(facts.namespaces)} namespaces, kept apart" if facts and apart else "")
        self._scope.setVisible(bool(apart))
        self.show_place()

    def show_place(self) -> None:
        """Say where we are."""
        place = self.place
        text = place_text(place, self.facts, self.desk.namespace)
        unlocking = self.unlocking
        is_known = self.desk.status is not None and not place.is_file
        announced = self.desk.status is not None and self.desk.status.is_announced
        mode = mode_text(unlocking.may, announced) if is_known else place.mode
        words = unlocking.words
        self.bar.show_place(
            place.profile,
            place.tone,
            mode,
            text,
            is_locked=words == "locked",
            lock=words,
            tip="" if place.is_file else LOCKS if unlocking.is_unlocked else UNLOCKS if self.desk.can_unlock else "",
        )

    # time

    def toggle_pause(self) -> None:
        """Let the picture stand still, or follow again."""
        if self.desk.cursor.follows:
            self.desk.pause()
        else:
            self.desk.follow()

    def set_span(self, seconds: int) -> None:
        """Show so much time, in s; 0 for everything."""
        cursor = self.desk.cursor
        self.desk.set_cursor(Cursor(cursor.end_ns, seconds * SECOND, cursor.follows))

    def step_span(self, step: int) -> None:
        """The next longer window, or the next shorter one for -1."""
        lengths = [seconds for seconds in SPANS if seconds] + [0]
        now = self.desk.cursor.length_ns // SECOND
        at = lengths.index(now) if now in lengths else sum(seconds < now for seconds in lengths if seconds)
        self.set_span(lengths[min(len(lengths) - 1, max(0, at + step))])

    def _on_cursor(self) -> None:
        follows = self.desk.cursor.follows
        if follows:
            self._packets_at_pause = -1
        elif self._packets_at_pause < 0:
            self._packets_at_pause = self.desk.snapshot.tally.packets
        self.paused.setVisible(not follows)
        self._show_time()
        self._show_window()

    def _show_time(self) -> None:
        span, cursor = self.desk.span(), self.desk.cursor
        moment, zone = clock_time(span.to_ns), zone_name()
        is_file = self.place.is_file
        if cursor.follows:
            word = "end of file" if is_file else "live"
            has_begun = self.desk.snapshot.through_ns > 0
            told = f"{word} {moment} {zone}" if has_begun else "nothing heard yet"
            status = self.desk.status
            if status is not None and status.state == "gap":
                self.bar.show_time(f"hears nothing {moment} {zone}", is_live=True, tone="failed")
            else:
                self.bar.show_time(told, is_live=True, tone="held" if is_file else "")
        else:
            more = self.desk.snapshot.tally.packets - max(0, self._packets_at_pause)
            arrived = f" · +{count(more)} packets while paused" if not is_file else ""
            self.bar.show_time(f"paused {moment} {zone}", is_live=False)
            what = f"Paused: {clock_time(span.from_ns)} – {moment} {zone}, {length(span.seconds)}"
            self.paused.setToolTip(f"{date_time(span.from_ns)} – {date_time(span.to_ns)}")
            self.paused.say(f"{what}{arrived}", is_zoomed=self.desk.is_zoomed)
        self.bar.show_span(cursor.length_ns / SECOND)
        if cursor.follows:
            self._show_window()

    def _show_window(self) -> None:
        span = self.desk.span()
        self.strip.show_window(span.from_ns, span.to_ns, is_live=self.desk.cursor.follows)

    # what is told

    def _ask_facts(self) -> None:
        self.desk.ask(self, "shell", partial(shell_facts, self.desk.namespace), self._show_facts)

    def _show_facts(self, facts: ShellFacts) -> None:
        self.facts = facts
        self.strip.show_content(facts.strip)
        self._show_time()
        self._show_window()
        self.bar.show_rates(rate(facts.packets_per_s), facts.lost)
        self._show_scope()
        self._show_status()
        if facts.trouble is None:
            self.banner.all_well()
        else:
            self.banner.say(facts.trouble.reason, what_to_do(facts.trouble))
        if len(facts.namespaces) > 1 and self.desk.namespace is None and not self._has_asked_namespace:
            self._has_asked_namespace = True
            if self.isVisible():
                self.choose_namespace()

    def show_report(self, report: Report) -> None:
        """Say what became of a command, and of each of its targets."""
        tone, rows = report_tone(report), report_rows(report)
        self.report.say(report.message or report.outcome.capitalize(), report.advice, tone, rows)

    def _show_status(self) -> None:
        self._show_time()
        facts, probe = self.facts, self.desk.status
        share = reading_share(probe)
        self.progress.setVisible(share is not None)
        if share is not None:
            self.progress.setValue(round(share * self.progress.maximum()))
        if facts is not None:
            left = counts_told(facts) + probe_told(probe, is_file=self.place.is_file)
            self.status.tell(left, keeping_told(facts, probe))

    def _retheme(self) -> None:
        retint(self)
        self.strip.update()
        self._show_time()

    # keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that nobody inside wanted: Space pauses, Esc steps back, Backspace undoes the zoom."""
        match event.key():
            case Qt.Key.Key_Space:
                self.toggle_pause()
            case Qt.Key.Key_Escape:
                self.step_out()
            case Qt.Key.Key_Backspace:
                self.desk.zoom_back()
            case Qt.Key.Key_End:
                self.desk.follow()
            case Qt.Key.Key_Slash:
                self.filter_bar.setFocus()
            case _:
                super().keyPressEvent(event)
