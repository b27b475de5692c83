"""The start page: connections used before, a form for a new one, captures, the demo."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.check_run import Check
from app.profile_acts import ProfileActs
from app.profile_keeper import ProfileKeeper
from app.resources import logo
from app.settings import Connection, Settings
from app.start_form import ConnectionForm
from app.start_rows import connection_row, profile_row
from app.wanted import Wanted
from app.widgets.banner import Banner
from app.widgets.controls import button, clear, column, label, row, section
from broker.operate.profiles import PASSWORD, Profile

CAPTURES = "Captures (*.mcap);;All files (*)"


class StartPage(QWidget):
    """What to look at."""

    connect_wanted = Signal(object)
    """A Wanted."""
    file_wanted = Signal(str)
    demo_wanted = Signal()
    settings_wanted = Signal()

    def __init__(
        self, settings: Settings, check: Check, keeper: ProfileKeeper | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.keeper = keeper or ProfileKeeper(None, parent=self)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._settings = settings
        self.banner = Banner()
        self.form = ConnectionForm(check)
        self.form.connect_wanted.connect(self.connect_wanted)
        self.acts = ProfileActs(self, self.form, self.keeper, self.banner)
        self.acts.connect_wanted.connect(self.connect_wanted)
        self.form.url.textChanged.connect(lambda _text: self._say_belongs())
        self.keeper.changed.connect(self.show_recent)
        self.demo = button("Start the demo", self.demo_wanted.emit, icon="play-circle-outline", role="primary")
        self.capture = button("Open capture…", self.choose_file, icon="folder-open-outline")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(8)
        self._lay_out()
        self.show_recent()

    def _lay_out(self) -> None:
        hello = column(
            label("Meshscope", "hero"),
            label("See a live Moleculer mesh from the bus it talks through", "dim"),
            spacing=2,
        )
        cog = button("", self.settings_wanted.emit, icon="cog-outline", name="Settings", role="flat", tip="Settings")
        head = row(logo(56), hello, None, cog, spacing=14)
        left = column(head, 8, row(self.demo, self.capture, None), 12, self._recent, 8, spacing=10)
        note = label(
            "With the permission to see, nothing is ever published: the server itself refuses it on the connection "
            "that listens. Passwords are kept in the system's key store and nowhere else.",
            "small",
            wraps=True,
        )
        left.addWidget(note)
        left.addStretch(1)
        page = QWidget()
        page.setMaximumWidth(1120)
        beside = QHBoxLayout(page)
        beside.setContentsMargins(32, 32, 32, 32)
        beside.setSpacing(40)
        beside.addLayout(left, 4)
        beside.addWidget(self.form, 5, Qt.AlignmentFlag.AlignTop)
        inner = QWidget()
        center = QHBoxLayout()
        center.addStretch(1)
        center.addWidget(page, 100)
        center.addStretch(1)
        # a little above the middle, where a large screen is looked at
        inner.setLayout(column(None, center, None))
        inner_layout = inner.layout()
        if isinstance(inner_layout, QVBoxLayout):
            inner_layout.setStretch(2, 3)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(scroll, 1)

    def show_recent(self) -> None:
        """Show what was opened before."""
        clear(self._recent)
        settings, profiles = self._settings, self.keeper.profiles.all
        self._say_belongs()
        if self.keeper.trouble:
            self.banner.say(self.keeper.trouble, "No live mesh is opened until they can be read.")
        if profiles:
            self._recent.addWidget(section("Profiles"))
        for profile in profiles:
            self._recent.addWidget(self._profile_row(profile))
        if settings.recent:
            if profiles:
                self._recent.addSpacing(8)
            self._recent.addWidget(section("Connections used before"))
        for connection in settings.recent[:6]:
            self._recent.addWidget(self._recent_row(connection))
        if settings.recent_files:
            self._recent.addWidget(section("Captures opened before"))
        for path in settings.recent_files[:4]:
            made = button(path, partial(self.file_wanted.emit, path), role="row", icon="file-chart-outline")
            self._recent.addWidget(made)
        if not settings.recent and not settings.recent_files and not profiles:
            self._recent.addWidget(self._first_time())

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.form.tint()
        self.show_recent()

    @staticmethod
    def _first_time() -> QFrame:
        made = QFrame()
        made.setProperty("role", "panel")
        layout = column(
            label("Nothing opened before", "section"),
            label(
                "The demo starts a shop of eleven services with its own Redis, ended with the window. "
                "For your own mesh give the URL that its transporter uses.",
                "dim",
                wraps=True,
            ),
            spacing=6,
        )
        layout.setContentsMargins(16, 14, 16, 14)
        made.setLayout(layout)
        return made

    def _recent_row(self, connection: Connection) -> QPushButton:
        made = connection_row(connection, partial(self._open, connection))
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(partial(self._open_menu, connection, made))
        return made

    def _profile_row(self, profile: Profile) -> QPushButton:
        made = profile_row(profile, partial(self._open_profile, profile), partial(self._edit, profile))
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(partial(self._open_profile_menu, profile, made))
        return made

    def _open(self, connection: Connection) -> None:
        self.form.fill(connection)
        self.connect_wanted.emit(Wanted(connection, "", connection.has_password))

    def _open_menu(self, connection: Connection, of: QPushButton, *_at: object) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Connect", partial(self._open, connection))
        menu.addAction("Change before connecting", partial(self.form.fill, connection))
        menu.addAction("Forget", partial(self._forget, connection))
        menu.popup(of.mapToGlobal(of.rect().center()))

    # profiles

    def _open_profile(self, profile: Profile) -> None:
        self.form.edit(profile)
        self.connect_wanted.emit(Wanted(Connection.of(profile), "", profile.has_secret(PASSWORD), profile))

    def _edit(self, profile: Profile) -> None:
        self.form.edit(profile)
        self.form.name.setFocus()

    def _open_profile_menu(self, profile: Profile, of: QPushButton, *_at: object) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Connect", partial(self._open_profile, profile))
        menu.addAction("Change", partial(self._edit, profile))
        menu.addAction("Duplicate", partial(self.acts.duplicate, profile))
        menu.addAction("Delete…", partial(self.acts.ask_to_remove, profile))
        menu.popup(of.mapToGlobal(of.rect().center()))

    def _say_belongs(self) -> None:
        """A server that belongs to a profile obeys it, however it is opened."""
        try:
            owner = self.keeper.profiles.of_url(self.form.url.text().strip())
        except ValueError:
            owner = None
        current = self.form.profile
        if owner is None or (current is not None and current.name == owner.name):
            self.form.say_belongs("")
            return
        kind = "production" if owner.is_production else "a profile"
        self.form.say_belongs(
            f"This server is {kind}: {owner.name}. What that may do holds here too: it starts with {owner.may}."
        )

    def _forget(self, connection: Connection) -> None:
        self._settings.forget(connection.url)
        self._settings.save()
        self.show_recent()

    def choose_file(self) -> None:
        """Ask for a capture."""
        chosen, _ = QFileDialog.getOpenFileName(self, "Open capture", "", CAPTURES)
        if chosen:
            self.file_wanted.emit(chosen)
