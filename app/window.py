"""The window: the start page, or one sitting; its menu, keys, theme, and what it remembers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QStackedWidget
from shiboken6 import isValid

from app import theme
from app.check_run import Check
from app.desk import Desk
from app.permits import allow
from app.place import Place
from app.profile_keeper import ProfileKeeper
from app.resources import app_icon, logo
from app.settings import Settings
from app.settings_page import SettingsPage, Uses
from app.shell import Shell
from app.start import StartPage
from app.views.registry import View
from app.wanted import Wanted
from app.widgets.confirm import ConfirmDialog
from app.widgets.controls import retint
from app.widgets.format import show_utc
from app.widgets.key_sheet import KeySheet
from app.widgets.palette import Entry
from broker.operate.commands import AskOnce, Command, Record, Report, StopRecording
from broker.operate.operator import Confirmation

log = logging.getLogger(__name__)

LEAST_SIZE = (960, 600)
ASK_ONCE = "Ask once: let every node tell what it offers…"
FIRST_SIZE = (1280, 800)
KEYS = (
    ("Everywhere", (
        ("Ctrl+K", "search a node, service, action, event, view or command"),
        ("?", "this sheet"),
        ("Esc", "step back: zoom, selection, filter, then the way here"),
        ("Alt+← / Alt+→", "back / forward"),
        ("Ctrl+1 … 9", "views, as the rail has them"),
        ("F11", "full screen"),
    )),
    ("Time", (
        ("Space", "pause, and follow again"),
        ("End", "back to live"),
        ("Backspace", "previous zoom"),
        ("← / →", "in the timeline: move the window (Shift: by all of it)"),
        ("Ctrl+− / Ctrl+=", "longer / shorter window"),
    )),
    ("Filter", (
        ("Ctrl+F or /", "write a filter"),
        ("Ctrl+Space", "complete"),
        ("Alt+↓", "filters used before"),
    )),
    ("Tables", (
        ("Enter", "lead to where it can be understood"),
        ("Ctrl+C", "copy the row"),
        ("M", "mute or acknowledge a line of the overview"),
    )),
    ("Breakers", (
        ("Arrows", "from circle to circle, from cell to cell"),
        ("Enter", "the latency of the endpoint"),
        ("T / R", "trip, reset the selected one"),
        ("O / C", "hold it open, hold it closed"),
    )),
    ("Graph", (
        ("Tab / arrows", "from card to card"),
        ("Enter", "its latency"),
        ("G", "open or close a group"),
        ("P", "path: from here, then to there (Ctrl+click)"),
        ("H", "hide a card"),
        ("+ / − / F / Z", "larger, smaller, all, around it"),
        ("Shift+drag", "zoom to a box"),
        ("Ctrl+E", "export the whole graph"),
    )),
    ("Caller", (
        ("Ctrl+L", "find an action or event"),
        ("Ctrl+Enter", "send"),
        ("Esc", "cancel what was sent"),
        ("Ctrl+(Shift+)S", "save into a collection / under another name"),
        ("F2 / Del", "in collections: rename, delete"),
    )),
    ("Window", (
        ("Ctrl+,", "settings: look, times, values that are masked"),
        ("Ctrl+B", "side panel"),
        ("Ctrl+Shift+D", "view in a window of its own"),
        ("Ctrl+R", "record, stop recording"),
        ("Ctrl+Shift+L", "unlock, after a question; lock again at once"),
        ("Ctrl+W", "close this session"),
    )),
)  # fmt: skip


class Opener:
    """Opens what the user wants to look at. The composition root gives a real one."""

    def open_live(self, wanted: Wanted) -> None:
        """A live mesh."""
        raise NotImplementedError

    def open_file(self, path: str) -> None:
        """A capture."""
        raise NotImplementedError

    def open_demo(self) -> None:
        """The demo, and a live mesh on it."""
        raise NotImplementedError


class Window(QMainWindow):
    """Shows what it is given. Who opens a session is told by `opener`."""

    _not_kept = Signal(str, str)

    def __init__(
        self,
        settings: Settings,
        views: list[View],
        check: Check,
        opener: Opener,
        keeper: ProfileKeeper | None = None,
    ) -> None:
        """
        Args:
            settings: What it remembers.
            views: What it shows.
            check: Tests a connection.
            opener: Opens what is wanted.
            keeper: Of saved profiles; None where none are kept.
        """
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Meshscope")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(*LEAST_SIZE)
        self.resize(*FIRST_SIZE)
        self.settings, self._views, self._opener = settings, views, opener
        self.shell: Shell | None = None
        self._end_session: Callable[[], None] | None = None
        show_utc(settings.utc)
        theme.use(settings.theme)  # type: ignore[arg-type]
        self.start = StartPage(settings, check, keeper)
        self.start.connect_wanted.connect(self._connect)
        self.start.file_wanted.connect(self._open_file)
        self.start.demo_wanted.connect(opener.open_demo)
        self.start.settings_wanted.connect(self.show_settings)
        self.start.keeper.changed.connect(self._use_masks)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.start)
        self.setCentralWidget(self._stack)
        self._make_shortcuts()
        self._not_kept.connect(self._say_not_kept)
        settings.disk.tell = self._tell_not_kept
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_scheme)
        if settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(settings.geometry.encode()))

    # sittings

    def _tell_not_kept(self, problem: str, advice: str) -> None:
        """In the thread of the disk."""
        if isValid(self):
            self._not_kept.emit(problem, advice)

    def _say_not_kept(self, problem: str, advice: str) -> None:
        if self.shell is not None:
            self.shell.show_report(Report("failed", problem, advice))
        else:
            self.start.banner.say(problem, advice)

    def show_session(self, desk: Desk, place: Place, end: Callable[[], None]) -> Shell:
        """Show a sitting instead of what is shown.

        Args:
            desk: Of the sitting.
            place: For the bar.
            end: Ends the sitting; called once, when it is left.
        """
        self.leave()
        shell = Shell(desk, self.settings, self._views, place, logo(22))
        shell.extra_entries = self._command_entries
        shell.bar.menu.setMenu(self._menu(shell))
        self.shell, self._end_session = shell, end
        self._stack.addWidget(shell)
        self._stack.setCurrentWidget(shell)
        shell.begin()
        self.setWindowTitle(f"{place.profile or place.url} – Meshscope")
        return shell

    def leave(self, reason: str = "", advice: str = "") -> None:
        """Close the sitting, if there is one, and show the start page; with a reason if it ended by itself."""
        shell, end = self.shell, self._end_session
        self.shell = self._end_session = None
        if shell is not None:
            shell.keep()
            self.settings.save()
            self._stack.removeWidget(shell)
            shell.close()
            shell.deleteLater()
        if end is not None:
            end()
        self._stack.setCurrentWidget(self.start)
        self.setWindowTitle("Meshscope")
        self.start.keeper.load_soon()
        self.start.show_recent()
        if reason:
            self.start.banner.say(reason, advice)
        else:
            self.start.banner.all_well()

    def _connect(self, wanted: Wanted) -> None:
        self._opener.open_live(wanted)

    def _open_file(self, path: str) -> None:
        self._opener.open_file(path)

    # menu and keys

    def _menu(self, shell: Shell) -> QMenu:
        menu = QMenu(shell)
        # keys stand behind a tab and are the window's own: set as shortcuts they would be ambiguous with those
        record = menu.addAction("Record to a file…\tCtrl+R", self.toggle_recording)
        ask = menu.addAction(ASK_ONCE, self.ask_once)
        lock = menu.addAction("Unlock…\tCtrl+Shift+L", shell.unlocking.toggle)
        menu.setToolTipsVisible(True)
        menu.addSeparator()
        menu.addAction("Settings…\tCtrl+,", self.show_settings)
        self._theme_menu(menu)
        utc = menu.addAction("Times in UTC")
        utc.setCheckable(True)
        utc.setChecked(self.settings.utc)
        utc.toggled.connect(self.use_utc)
        calm = menu.addAction("Reduce motion")
        calm.setCheckable(True)
        calm.setChecked(self.settings.reduce_motion)
        calm.toggled.connect(self.reduce_motion)
        menu.addSeparator()
        menu.addAction("Side panel\tCtrl+B", shell.toggle_side)
        menu.addAction("View in a window of its own\tCtrl+Shift+D", self.detach_view)
        menu.addAction("Full screen\tF11", self.toggle_full_screen)
        menu.addAction("Keys\t?", self.show_keys)
        menu.addSeparator()
        menu.addAction("Close this session\tCtrl+W", self.leave)
        record.setObjectName("record")
        ask.setObjectName("ask")
        lock.setObjectName("lock")
        menu.aboutToShow.connect(self._name_recording)
        return menu

    def _name_recording(self) -> None:
        # found anew each time: the wrapper of an action does not live as long as the action
        actions = self.shell.bar.menu.menu().actions() if self.shell else []
        named = {action.objectName(): action for action in actions}
        record, ask, lock = named.get("record"), named.get("ask"), named.get("lock")
        shell = self.shell
        if record is None or ask is None or lock is None or shell is None:
            return
        status = shell.desk.status
        record.setText("Stop recording\tCtrl+R" if status and status.recording else "Record to a file…\tCtrl+R")
        record.setEnabled(not shell.place.is_file)
        why = self._why_not_ask()
        ask.setText(f"{ASK_ONCE}   ({why.partition(',')[0]})" if why else ASK_ONCE)
        allow(ask, "ask", why)
        lock.setText("Lock now\tCtrl+Shift+L" if shell.unlocking.is_unlocked else "Unlock…\tCtrl+Shift+L")
        can_lock = shell.unlocking.is_unlocked or shell.desk.can_unlock
        allow(lock, "see", "" if can_lock else "There is nothing to unlock in this session")

    def _why_not_ask(self) -> str:
        """Why DISCOVER cannot be sent; empty if it can."""
        if self.shell is None or self.shell.place.is_file:
            return "A capture cannot be asked"
        return self.shell.desk.may(AskOnce()).why

    def _theme_menu(self, menu: QMenu) -> None:
        themes = menu.addMenu("Theme")
        group = QActionGroup(themes)
        for choice, text in (("dark", "Dark"), ("light", "Light"), ("system", "As the system")):
            action = themes.addAction(text, partial(self.use_theme, choice))
            action.setCheckable(True)
            group.addAction(action)
            themes.aboutToShow.connect(partial(self._check_theme, action, choice))

    def _check_theme(self, action: QAction, choice: str) -> None:
        action.setChecked(self.settings.theme == choice)

    def _make_shortcuts(self) -> None:
        keys: list[tuple[str, Callable[[], object]]] = [
            ("Ctrl+K", self._of_shell(Shell.open_palette)),
            ("Ctrl+F", self._of_shell(Shell.edit_filter)),
            ("Ctrl+B", self._of_shell(Shell.toggle_side)),
            ("Ctrl+R", self.toggle_recording),
            ("Ctrl+W", self.leave),
            ("Ctrl+Shift+L", self.toggle_lock),
            ("Ctrl+Shift+D", self.detach_view),
            ("Ctrl+-", self._of_shell(partial(Shell.step_span, step=1))),
            ("Ctrl+=", self._of_shell(partial(Shell.step_span, step=-1))),
            ("Alt+Left", self._of_shell(partial(Shell.step, is_back=True))),
            ("Alt+Right", self._of_shell(partial(Shell.step, is_back=False))),
            ("F11", self.toggle_full_screen),
            ("Ctrl+,", self.show_settings),
            ("Ctrl+O", self.start.choose_file),
        ]
        for number, view in enumerate(self._views[:9], 1):
            keys.append((f"Ctrl+{number}", partial(self._show_view, view.id)))
        for key, run in keys:
            QShortcut(QKeySequence(key), self).activated.connect(lambda run=run: run())

    def _of_shell(self, do: Callable[[Shell], None]) -> Callable[[], None]:
        """Something that a sitting does, if there is one."""

        def run() -> None:
            if self.shell is not None:
                do(self.shell)

        return run

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """`?` shows the keys, wherever nobody writes it."""
        if event.text() == "?":
            self.show_keys()
        else:
            super().keyPressEvent(event)

    def _show_view(self, view_id: str) -> None:
        if self.shell is not None:
            self.shell.desk.show_view(view_id)

    def _command_entries(self) -> list[Entry]:
        commands: list[tuple[str, str, str, Callable[[], object]]] = [
            ("Dark theme", "command", "weather-night", partial(self.use_theme, "dark")),
            ("Light theme", "command", "white-balance-sunny", partial(self.use_theme, "light")),
            ("Theme of the system", "command", "theme-light-dark", partial(self.use_theme, "system")),
            ("Pause or follow", "command  Space", "play-pause", self._of_shell(Shell.toggle_pause)),
            ("Times in UTC or local", "command", "clock-outline", lambda: self.use_utc(not self.settings.utc)),
            ("Record or stop recording", "command  Ctrl+R", "record-circle-outline", self.toggle_recording),
            (
                "Unlock or lock",
                "command  Ctrl+Shift+L",
                "lock-open-variant",
                self._of_shell(lambda s: s.unlocking.toggle()),
            ),
            ("Side panel", "command  Ctrl+B", "dock-right", self._of_shell(Shell.toggle_side)),
            ("View in a window of its own", "command  Ctrl+Shift+D", "open-in-new", self.detach_view),
            ("Choose namespace", "command", "layers-outline", self._of_shell(Shell.choose_namespace)),
            ("Settings", "command  Ctrl+,", "cog-outline", self.show_settings),
            ("Full screen", "command  F11", "fullscreen", self.toggle_full_screen),
            ("Keys", "command  ?", "keyboard-outline", self.show_keys),
            ("Close this session", "command  Ctrl+W", "close", self.leave),
        ]
        ask = Entry("Ask once", "command", "comment-question-outline", self.ask_once, self._why_not_ask())
        return [*(Entry(*command) for command in commands), ask]

    # what a user may do

    def use_theme(self, choice: str) -> None:
        """Take another theme into use now and next time."""
        self.settings.theme = choice
        theme.use(choice)  # type: ignore[arg-type]
        self._retheme()
        self.settings.save()

    def _on_system_scheme(self, *_scheme: object) -> None:
        if self.settings.theme == "system":
            theme.use("system")
            self._retheme()

    def _retheme(self) -> None:
        retint(self)
        self.start.retheme()
        if self.shell is not None:
            self.shell.desk.theme_changed.emit()

    def use_utc(self, is_utc: bool) -> None:
        """Show moments in UTC, or in local time."""
        self.settings.utc = is_utc
        show_utc(is_utc)
        self.settings.save()
        if self.shell is not None:
            self.shell.desk.cursor_changed.emit()

    def reduce_motion(self, is_reduced: bool) -> None:
        """Nothing moves by itself."""
        self.settings.reduce_motion = is_reduced
        self.settings.save()
        if self.shell is not None:
            self.shell.desk.set_reduce_motion(is_reduced)

    def show_settings(self) -> None:
        """Look, times, motion, and whose values are masked."""
        uses = Uses(self.use_theme, self.use_utc, self.reduce_motion)
        page = SettingsPage(self.settings, self.start.keeper, uses, self)
        page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        page.open()

    def _use_masks(self) -> None:
        """The user's list of names changed: in what is shown it holds at once."""
        if self.shell is not None:
            desk = self.shell.desk
            desk.set_mask_names((*self.start.keeper.profiles.mask_names, *desk.mask_names))

    def detach_view(self) -> None:
        """The view in the middle, into a window of its own."""
        if self.shell is not None and self.shell.area.current:
            self.shell.area.detach(self.shell.area.current, floats=True)

    def toggle_full_screen(self) -> None:
        """Full screen, or back."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def show_keys(self) -> None:
        """Which keys do what."""
        sheet = KeySheet(KEYS, self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def toggle_lock(self) -> None:
        """Ask whether to unlock, or lock again at once."""
        if self.shell is not None:
            self.shell.unlocking.toggle()

    def toggle_recording(self) -> None:
        """Record to a file that the user names, or stop."""
        if self.shell is None:
            return
        status = self.shell.desk.status
        if status is not None and status.recording:
            self._submit(StopRecording())
            return
        chosen, _ = QFileDialog.getSaveFileName(self, "Record to", "meshscope.mcap", "Captures (*.mcap)")
        if chosen:
            self._submit(Record(chosen))

    def ask_once(self) -> None:
        """Send one DISCOVER, after a question."""
        shell, why = self.shell, self._why_not_ask()
        if shell is None or why:
            if shell is not None:
                shell.show_report(Report("refused", "Nothing was asked.", why))
            return
        dialog = ConfirmDialog(
            self,
            title="Ask once: send one DISCOVER to every node",
            act="Send DISCOVER",
            tone="slow",
            about=shell.place.url,
            note="We are not announced; the answers come to us alone.",
        )
        dialog.say_hits(
            "Each node answers with its INFO: what it offers, with schemas. On a mesh with many nodes that is a short "
            "burst of packets."
        )
        dialog.confirmed.connect(
            lambda typed: shell.desk.submit(AskOnce(), confirmation=Confirmation(given=True, typed=typed))
        )
        dialog.open()

    def _submit(self, command: Command) -> None:
        if self.shell is not None:
            self.shell.desk.submit(command)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember everything, end the sitting."""
        self.settings.geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self.start.form.cancel_test(wait_s=2.0)
        self.leave()
        self.settings.save()
        super().closeEvent(event)
        QTimer.singleShot(0, self.deleteLater)
