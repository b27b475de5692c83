"""The shell around the views: bar, rail, filter, side panel, timeline strip, status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QMenu, QSplitter, QVBoxLayout, QWidget

from app.desk import Desk
from app.finder import entries_of, entries_of_views, named
from app.history import History, Stop
from app.settings import Settings
from app.shell_facts import ShellFacts, shell_facts
from app.side import SidePanel
from app.view_area import ViewArea
from app.views.registry import View
from app.widgets.banner import Banner
from app.widgets.controls import Tone, button, label, retint, row, set_text
from app.widgets.filter_bar import FilterBar
from app.widgets.format import byte_size, clock_time, count, date_time, length, percent, rate, zone_name
from app.widgets.pace import Pace
from app.widgets.palette import Entry, Palette
from app.widgets.status_line import StatusLine, Told
from app.widgets.timeline_strip import TimelineStrip
from app.widgets.top_bar import SPANS, TopBar, rail_button
from broker.clock import SECOND
from broker.mesh.filter import Completion, FilterError, complete, parse
from broker.mesh.span import Cursor
from broker.mesh.subject import Subject

RAIL_PX = 128


@dataclass(frozen=True, slots=True)
class Place:
    """Where we are and what we may do, for the bar.

    Attributes:
        profile: Its name.
        tone: Its colour; "failed" for production.
        mode: What we may do, in words.
        url: Without secrets, or the name of a file.
        is_locked: Whether nothing can be published.
        is_file: Whether it is a capture and not a live mesh.
    """

    profile: str
    tone: Tone
    mode: str
    url: str
    is_locked: bool = True
    is_file: bool = False


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
        self._packets_at_pause = -1
        self.namespace_menu: QMenu | None = None
        self._has_asked_namespace = False
        self.bar = TopBar(logo)
        self.banner = Banner()
        self.report = Banner("Answer to a command")
        self.paused = self._paused_bar()
        self.filter_bar = FilterBar(parse, self._complete, FilterError)
        self.filter_bar.set_history(settings.filters, settings.saved_filters)
        self.area = ViewArea(desk, views)
        self.side = SidePanel(desk)
        self.strip = TimelineStrip()
        self.status = StatusLine()
        self.palette_box = Palette(self)
        self.extra_entries: Callable[[], list[Entry]] = list
        self._pace = Pace(self._ask_facts, 1000, self)
        self._lay_out()
        self._connect()
        self.show_place()

    # parts

    def _paused_bar(self) -> QFrame:
        made = QFrame()
        made.setObjectName("pausedBar")
        made.setAccessibleName("Paused")
        self._paused_text = label("", name="Paused since")
        self._paused_text.setProperty("tone", "slow")
        follow = button("Follow live", self.desk.follow, tip="Space or End")
        self._back = button("Previous zoom", self.desk.zoom_back, tip="Backspace or Esc")
        layout = QHBoxLayout(made)
        layout.setContentsMargins(16, 5, 12, 5)
        for part in (self._paused_text, self._back, follow):
            layout.addWidget(part)
        layout.insertStretch(1, 1)
        made.hide()
        return made

    def _rail(self) -> QFrame:
        rail = QFrame()
        rail.setObjectName("rail")
        rail.setAccessibleName("Views")
        rail.setFixedWidth(RAIL_PX)
        layout = QVBoxLayout(rail)
        layout.setContentsMargins(8, 10, 8, 10)
        layout.setSpacing(2)
        self._group = QButtonGroup(self)
        self.rail_buttons = {}
        for number, view in enumerate(self._views, 1):
            made = rail_button(view.title, view.icon, number)
            made.clicked.connect(partial(self._show, view.id))
            made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            made.customContextMenuRequested.connect(partial(self._open_rail_menu, view.id))
            self._group.addButton(made)
            self.rail_buttons[view.id] = made
            layout.addWidget(made)
        layout.addStretch(1)
        return rail

    def _lay_out(self) -> None:
        self._scope = QLabel()
        self._scope.setProperty("role", "small")
        filters = row(self.filter_bar, self._scope, spacing=10)
        filters.setContentsMargins(12, 8, 12, 2)
        middle = QWidget()
        middle.setObjectName("page")
        middle.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QVBoxLayout(middle)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        for part in (self.banner, self.report, self.paused):
            inside.addWidget(part)
        inside.addLayout(filters)
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
        across.addWidget(self._rail())
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
        bar.palette_wanted.connect(self.open_palette)
        bar.pause_wanted.connect(self.toggle_pause)
        bar.span_wanted.connect(self.set_span)
        bar.place_wanted.connect(self.choose_namespace)
        self.filter_bar.applied.connect(self._apply_filter)
        self.filter_bar.saved.connect(self._save_filter)
        self.strip.window_dragged.connect(lambda a, b: desk.set_cursor(Cursor(b, b - a, follows=False)))
        self.strip.live_wanted.connect(desk.follow)
        self.area.changed.connect(self._on_area)
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

    def begin(self) -> None:
        """Show what was shown last time, and begin to ask."""
        self.area.restore_layout(self.settings.detached, self.settings.layout)
        first = self.settings.view if self.settings.view in self.rail_buttons else self._views[0].id
        self.desk.set_cursor(Cursor(length_ns=self.settings.span_s * SECOND))
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
        if self.desk.cursor.follows:
            settings.span_s = self.desk.cursor.length_ns // SECOND

    # views, back and forward

    def _show(self, view_id: str, *_more: object) -> None:
        self.area.show_view(view_id)
        self._note_stop()

    def _on_area(self) -> None:
        made = self.rail_buttons.get(self.area.current)
        if made is not None:
            made.setChecked(True)
        retint(self)

    def _open_rail_menu(self, view_id: str, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.area.is_detached(view_id):
            menu.addAction("Bring back to the middle", partial(self.area.attach, view_id))
        else:
            menu.addAction("Open beside", partial(self.area.detach, view_id, floats=False))
            menu.addAction("Open in a window of its own", partial(self.area.detach, view_id, floats=True))
        menu.popup(self.rail_buttons[view_id].mapToGlobal(at))

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
        self.settings.side_open = not self.side.isVisible()
        self.side.setVisible(self.settings.side_open)

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
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        found = self.facts.namespaces if self.facts else ()
        menu.addSection("Show which namespace?")
        for namespace, nodes in found:
            title = f"{namespace or '(the empty one)'}    {count(nodes)} node{'' if nodes == 1 else 's'}"
            action = menu.addAction(title, partial(self.desk.set_namespace, namespace))
            action.setCheckable(True)
            action.setChecked(self.desk.namespace == namespace)
        every = menu.addAction("All, each kept apart", partial(self.desk.set_namespace, None))
        every.setCheckable(True)
        every.setChecked(self.desk.namespace is None)
        self.namespace_menu = menu
        menu.destroyed.connect(self._forget_menu)
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
        place, facts = self.place, self.facts
        namespace = self.desk.namespace
        if namespace is None and facts is not None:
            names = [name for name, _ in facts.namespaces]
            namespace = names[0] if len(names) == 1 else None
            where = f"{len(names)} namespaces ▾" if len(names) > 1 else ""
        else:
            where = ""
        if namespace is not None:
            where = f"namespace {namespace or '(empty)'}" + (" ▾" if facts and len(facts.namespaces) > 1 else "")
        text = " · ".join(part for part in (place.url, where) if part)
        self.bar.show_place(place.profile, place.tone, place.mode, text, is_locked=place.is_locked)

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
            self.bar.show_time(f"{word} {moment} {zone}", is_live=True, tone="held" if is_file else "")
        else:
            more = self.desk.snapshot.tally.packets - max(0, self._packets_at_pause)
            arrived = f" · +{count(more)} packets while paused" if not is_file else ""
            self.bar.show_time(f"paused {moment} {zone}", is_live=False)
            begin = clock_time(span.from_ns) if span.from_ns > 0 else "the beginning"
            what = f"❚❚  Paused: {begin} – {date_time(span.to_ns)}, {length(span.seconds)}"
            set_text(self._paused_text, f"{what}{arrived}")
            self._back.setVisible(self.desk.is_zoomed)
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
        trouble = facts.trouble
        if trouble is None:
            self.banner.all_well()
        else:
            again = f" Trying again in {trouble.retry_in_s:.0f} s." if trouble.retry_in_s >= 1 else ""
            since = f" Nothing heard since {clock_time(trouble.since_ns)}."
            self.banner.say(trouble.reason, f"{trouble.advice}{again}{since}".strip())
        if len(facts.namespaces) > 1 and self.desk.namespace is None and not self._has_asked_namespace:
            self._has_asked_namespace = True
            if self.isVisible():
                self.choose_namespace()

    def show_report(self, outcome: str, message: str, advice: str) -> None:
        """Say what became of a command."""
        tone: Tone = "slow" if outcome in ("done", "partly") else "failed"
        self.report.say(message or outcome.title(), advice, tone)

    def _show_status(self) -> None:
        facts, probe = self.facts, self.desk.status
        if facts is None:
            return
        reasons = "\n".join(f"{count(times)} × {reason}" for reason, times in facts.undecodable_reasons)
        left = [
            Told(
                f"{count(facts.nodes_online)} of {count(facts.nodes_known)} nodes",
                "failed" if facts.nodes_online < facts.nodes_known else "",
            ),
            Told(f"{count(facts.services)} services"),
            Told(rate(facts.packets_per_s).replace("/s", " packets/s"), "", f"{count(facts.packets)} in all"),
            Told(f"{count(facts.lost)} lost", "failed" if facts.lost else ""),
            Told(f"{count(facts.undecodable)} undecodable", "slow" if facts.undecodable else "", reasons),
        ]
        forgotten = f", {count(facts.calls_forgotten)} forgotten" if facts.calls_forgotten else ""
        held = f"{count(facts.calls_held)} calls held{forgotten}"
        right = [Told(f"{held} · {byte_size(facts.held_bytes)}", "", "Memory is bounded: the oldest calls go first")]
        if facts.rows_dropped:
            right.insert(0, Told(f"▲ {count(facts.rows_dropped)} rows dropped", "failed", "The window did not keep up"))
        if probe is not None:
            left.append(
                Told(f"tap {percent(probe.cpu_percent)} cpu", "", "What listening costs on the probe's machine")
            )
            ring = f"ring {byte_size(probe.capture_bytes)} of {byte_size(probe.ring_bytes)}"
            recording = getattr(probe, "recording", "") or ""
            right.append(Told(f"● recording to {recording}" if recording else ring, "failed" if recording else ""))
        right.append(Told(f"times are {zone_name()}"))
        self.status.tell(left, right)

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
