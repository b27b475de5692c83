"""The form for a connection or a saved profile: where, who, what we may do; tests before it opens."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QTabWidget, QWidget

from app import theme
from app.check_list import CheckList
from app.check_run import Check, CheckRun, with_kept_password
from app.form_may import MayFields
from app.form_packets import HelperFields, PacketFields
from app.form_place import PlaceFields
from app.settings import Connection
from app.wanted import ToSave, Wanted
from app.widgets.controls import button, column, field_line, label, row, section, set_property, set_text
from broker.operate import secrets as key_store
from broker.operate.profiles import PASSWORD, PRODUCTION_COLOUR, Profile
from broker.transport.url import ConnectionSettings

COLOURS = (
    ("accent", "blue"),
    ("ok", "green"),
    ("slow", "amber"),
    ("failed", "red"),
    ("held", "violet"),
)


class ConnectionForm(QFrame):
    """URL or its parts, kept in step; permission; packets; a test that tells one finding after the other."""

    connect_wanted = Signal(object)
    """A Wanted."""
    save_wanted = Signal(object)
    """A ToSave."""
    duplicate_wanted = Signal(object)
    """A Profile."""
    remove_wanted = Signal(object)
    """A Profile."""

    def __init__(self, check: Check, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._check = check
        self._run: CheckRun | None = None
        self._profile: Profile | None = None
        self._is_filling = False
        self._kept_as = ""  # under what the key store keeps its password
        self.is_changed = False
        self.place, self.packets, self.helper = PlaceFields(), PacketFields(), HelperFields()
        self.url, self.password, self.keep = self.place.url, self.place.password, self.place.keep
        self.host, self.port, self.user, self.tls = (
            self.place.host,
            self.place.port,
            self.place.user,
            self.place.tls,
        )
        self.namespaces = self.place.namespaces
        self.name = field_line("Name", "the host; a profile needs one")
        self.colour = QComboBox()
        self.colour.setAccessibleName("Colour of its chip")
        for value, text in COLOURS:
            self.colour.addItem(text, value)
        self.may = MayFields()
        self.production, self.announce, self.ask = self.may.production, self.may.announce, self.may.steps["ask"]
        self._heading = label("", "title")
        self._locked = label("", name="Production, locked")
        self._belongs = label("", wraps=True, tone="slow", name="Which profile holds for this server")
        self._error = label("", wraps=True, tone="failed", name="What is wrong with the form")
        self._error.hide()
        self.results = CheckList()
        self.test = button("Test connection", self.start_test, icon="stethoscope")
        self.new = button("New connection", self.begin_anew, role="link", name="Leave this profile: a new connection")
        self.remove = button("Delete…", lambda: self.remove_wanted.emit(self._profile))
        self.duplicate = button("Duplicate", lambda: self.duplicate_wanted.emit(self._profile))
        self.save = button("Save profile", self._save)
        self.open = button("Connect", self._connect, role="primary")
        self._lay_out()
        self._connect_parts()
        self.place.url_to_parts()
        self._show_mode()

    def _lay_out(self) -> None:
        names = row(self.name, self.colour)
        names.setStretch(0, 2)
        names.setStretch(1, 1)
        title = label("Name, colour", "dim")
        title.setFixedWidth(104)
        title.setBuddy(self.name)
        first = _page(self.place, row(title, names, spacing=10), 2, section("What it may do"), self.may)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(first, "Connection")
        self.tabs.addTab(_page(self.packets), "Packets")
        self.tabs.addTab(_page(self.helper), "Helper and remote")
        self.tabs.tabBar().setAccessibleName("Parts of the form")
        self.tabs.tabBar().setDrawBase(False)
        layout = column(
            row(self._locked, self._heading, None, self.new),
            self._belongs,
            self.tabs,
            self._error,
            row(self.test, None, self.remove, self.duplicate, self.save, self.open),
            self.results,
            None,
            spacing=10,
        )
        layout.setContentsMargins(24, 18, 24, 18)
        self.setLayout(layout)

    def _connect_parts(self) -> None:
        self.place.entered.connect(self._connect)
        self.name.returnPressed.connect(self._connect)
        self.place.judged.connect(self._say)
        self.production.toggled.connect(self._follow_production)
        self.helper.ssh.textChanged.connect(self._follow_machine)
        for edited in (self.place.edited, self.may.edited, self.packets.edited, self.helper.edited):
            edited.connect(self._note_change)
        self.name.textChanged.connect(lambda _text: self._note_change())
        self.colour.currentIndexChanged.connect(lambda _at: self._note_change())

    # the form and its parts

    def fill(self, connection: Connection) -> None:
        """Put a bare connection in."""
        self._fill(connection, None)

    def edit(self, profile: Profile) -> None:
        """Put a saved profile in."""
        self._fill(Connection.of(profile), profile)

    def fill_copy(self, profile: Profile) -> None:
        """Put a copy of a profile in, which is not saved yet."""
        self._fill(Connection.of(profile), None)
        self.production.setChecked(profile.is_production)
        self._show_mode()
        self.name.setFocus()
        self.name.selectAll()

    def begin_anew(self) -> None:
        """A new connection."""
        self._fill(Connection("redis://localhost:6379"), None)
        self.url.setFocus()

    @property
    def profile(self) -> Profile | None:
        """The saved profile that is in the form; None for a bare connection."""
        return self._profile

    def _fill(self, connection: Connection, profile: Profile | None) -> None:
        self._is_filling = True
        self._profile = profile
        self._kept_as = connection.url if connection.has_password else ""
        for part in (self.place, self.may, self.packets, self.helper):
            part.fill(connection)
        for fields in (self.packets, self.helper):
            fields.say_kept(profile)
        self.name.setText(connection.name)
        self.colour.setCurrentIndex(max(0, self.colour.findData(profile.colour if profile else connection.colour)))
        self.production.setChecked(profile is not None and profile.is_production)
        self.results.empty()
        self._is_filling = self.is_changed = False
        self._show_mode()

    def wanted(self) -> Wanted:
        """What the form asks to be opened.

        Raises:
            ValueError: Something in it makes no sense; the message says what.
        """
        settings = self.place.settings()
        connection = self._connection(settings)
        connection.as_profile()  # judges it
        secrets = self.packets.secrets() | self.helper.secrets()
        return Wanted(connection, settings.password, self.keep.isChecked(), self._profile, secrets)

    def _connection(self, settings: ConnectionSettings) -> Connection:
        connection = Connection(
            url=replace(settings, password="").redacted,
            name=self.name.text().strip(),
            namespaces=self.place.names(),
            tls_ca=self.place.tls_ca.text().strip(),
            has_password=self.keep.isChecked(),
            colour=str(self.colour.currentData()),
        )
        for fields in (self.may, self.packets, self.helper):
            fields.read_into(connection)
        return connection

    def to_save(self, *, then_open: bool = False) -> ToSave:
        """The profile that the form holds.

        Raises:
            ValueError: It cannot be one; the message says why.
        """
        settings = self.place.settings()
        if not self.name.text().strip():
            raise ValueError("a profile needs a name")
        made = self._connection(settings).as_profile()
        secrets = self.packets.secrets() | self.helper.secrets()
        kept = set(self._profile.secret_names if self._profile else ())
        kept -= set() if self.keep.isChecked() else {PASSWORD}
        if settings.password and self.keep.isChecked():
            secrets[PASSWORD] = settings.password
        profile = replace(
            made,
            is_production=self.production.isChecked(),
            variables=dict(self._profile.variables) if self._profile else {},
            secret_names=tuple(sorted(kept)),
        )
        return ToSave(profile, self._profile, secrets, self.helper.forgets, then_open)

    # what it says of itself

    def _follow_production(self, is_production: bool) -> None:
        if is_production:
            self.colour.setCurrentIndex(self.colour.findData(PRODUCTION_COLOUR))
        self.colour.setEnabled(not is_production)
        self.colour.setToolTip("Production is red" if is_production else "")

    def _follow_machine(self, machine: str) -> None:
        self.test.setToolTip("It is tested from this machine; the probe runs elsewhere" if machine.strip() else "")

    def say_belongs(self, text: str) -> None:
        """Say which profile holds for the server that is written in; empty for none."""
        set_text(self._belongs, f"◷ {text}" if text else "")
        self._belongs.setVisible(bool(text))

    def _note_change(self) -> None:
        if not self._is_filling:
            self.is_changed = True
            self._show_mode()

    def _show_mode(self) -> None:
        profile = self._profile
        self._locked.setVisible(profile is not None and profile.is_production)
        self.tint()
        set_text(self._heading, profile.name if profile else "Connect to a live mesh")
        for part in (self.new, self.remove, self.duplicate):
            part.setVisible(profile is not None)
        is_changed = profile is not None and self.is_changed
        set_text(self.save, "Save" if profile else "Save as profile")
        self.save.setEnabled(bool(self.name.text().strip()) and (profile is None or is_changed))
        self.save.setToolTip("" if self.name.text().strip() else "A profile needs a name")
        set_text(self.open, "Save and connect" if is_changed else "Connect")

    def tint(self) -> None:
        """Take the colours of the theme in use."""
        colours = theme.current()
        self._locked.setPixmap(theme.icon("lock", colours.ink(colours.failed)).pixmap(18, 18))

    def _say(self, error: str) -> None:
        set_text(self._error, f"▲ {error}" if error else "")
        self._error.setVisible(bool(error))
        set_property(self.url, "state", "wrong" if error else "")
        self.open.setEnabled(not error)
        self.test.setEnabled(not error)

    def _tell(self, error: ValueError) -> None:
        """Something that is found only when it is used: the button stays, to be tried again."""
        set_text(self._error, f"▲ {error}")
        self._error.show()

    def _connect(self) -> None:
        if self._profile is not None and self.is_changed:
            self._save(then_open=True)
            return
        try:
            wanted = self.wanted()
        except ValueError as error:
            self._tell(error)
            return
        self.cancel_test()
        self._error.hide()
        self.connect_wanted.emit(wanted)

    def _save(self, *, then_open: bool = False) -> None:
        try:
            to_save = self.to_save(then_open=then_open)
        except ValueError as error:
            self._tell(error)
            return
        self._error.hide()
        self.save_wanted.emit(to_save)

    # the test

    def start_test(self) -> None:
        """Check the connection, or end a check that runs."""
        if self._run is not None:
            self.cancel_test()
            return
        try:
            settings, namespaces = self.place.settings(), self.place.names()
        except ValueError as error:
            self._say(str(error))
            return
        self.results.begin()
        set_text(self.test, "Cancel test")
        check = self._check
        # what is kept for one server is not tried on another
        if self._kept_as == settings.redacted and self.keep.isChecked() and not settings.password:
            check = with_kept_password(check, partial(key_store.read, self._kept_as))
        self._run = CheckRun(check, settings, namespaces or None, self)
        self._run.begun.connect(self.results.show_step)
        self._run.found.connect(self.results.show_finding)
        self._run.ended.connect(self._end_test)
        self._run.start()

    def cancel_test(self, wait_s: float = 0.0) -> None:
        """End a check that runs."""
        if self._run is not None:
            self._run.cancel(wait_s)
            self._end_test(is_cancelled=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape ends a test."""
        if event.key() == Qt.Key.Key_Escape and self._run is not None:
            self.cancel_test()
        else:
            super().keyPressEvent(event)

    def _end_test(self, *, is_cancelled: bool = False) -> None:
        self._run = None
        set_text(self.test, "Test connection")
        self.results.end(is_cancelled=is_cancelled)


def _page(*parts: object) -> QWidget:
    page = QWidget()
    layout = column(*parts, None, spacing=8)  # type: ignore[arg-type]
    layout.setContentsMargins(0, 12, 0, 0)
    page.setLayout(layout)
    return page
