"""The form for a connection: where, who, what we may do; tests before it opens."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QLineEdit,
    QRadioButton,
    QWidget,
)

from app.check_list import CheckList
from app.check_run import Check, CheckRun
from app.settings import Connection
from app.widgets.controls import button, column, label, row, section, set_property, set_text
from broker.transport.url import ConnectionSettings

COLOURS = (
    ("accent", "blue"),
    ("ok", "green"),
    ("slow", "amber"),
    ("failed", "red, for production"),
    ("held", "violet"),
)
SEE = "See: publishes nothing"
ASK = "Ask: may send DISCOVER once, unannounced"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form asks for: the connection, and the password that is kept apart from it."""

    connection: Connection
    password: str = ""
    keep_password: bool = False


class ConnectionForm(QFrame):
    """URL or its parts, kept in step; permission; namespaces; a test that tells one finding after the other."""

    connect_wanted = Signal(object)
    """A Wanted."""

    def __init__(self, check: Check, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._check = check
        self._run: CheckRun | None = None
        self._is_syncing = False
        self.url = self._line("URL", "redis://localhost:6379", "redis://host:6379")
        self.host = self._line("Host", "", "localhost")
        self.port = self._line("Port", "", "6379")
        self.user = self._line("User", "", "none")
        self.password = self._line("Password", "", "none")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.keep = QCheckBox("Keep the password in the system's key store")
        self.tls = QCheckBox("TLS")
        self.tls_ca = self._line("Certificate authority", "", "the system's authorities")
        self.namespaces = self._line("Namespaces", "", "all, each kept apart   ( - is the empty one )")
        self.name = self._line("Name", "", "the host")
        self.colour = QComboBox()
        self.colour.setAccessibleName("Colour of its chip")
        for value, text in COLOURS:
            self.colour.addItem(text, value)
        self.see, self.ask = QRadioButton(SEE), QRadioButton(ASK)
        self.see.setChecked(True)
        self.announce = QCheckBox("Announce: become a node in everybody's registry, to be sent breaker events")
        self._error = label("", wraps=True, tone="failed", name="What is wrong with the form")
        self._error.hide()
        self.results = CheckList()
        self.test = button("Test connection", self.start_test, icon="stethoscope")
        self.open = button("Connect", self._connect, role="primary")
        self._lay_out()
        self.url.textEdited.connect(self._url_to_parts)
        self.url.editingFinished.connect(self._hide_password)
        for part in (self.host, self.port, self.user):
            part.textEdited.connect(self._parts_to_url)
        self.tls.clicked.connect(self._parts_to_url)
        for part in (self.url, self.host, self.port, self.user, self.password, self.namespaces, self.name):
            part.returnPressed.connect(self._connect)
        self._url_to_parts()

    @staticmethod
    def _line(name: str, text: str, hint: str) -> QLineEdit:
        made = QLineEdit(text)
        made.setAccessibleName(name)
        made.setPlaceholderText(hint)
        return made

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        browse = button("Choose…", self._browse, name="Choose the authority's file")
        lines: tuple[tuple[str, QWidget | None, tuple[QWidget, ...]], ...] = (
            ("URL", self.url, (self.url,)),
            ("Host, port", self.host, (self.host, self.port)),
            ("User, password", self.user, (self.user, self.password)),
            ("", None, (self.keep,)),
            ("TLS", self.tls, (self.tls, self.tls_ca, browse)),
            ("Namespaces", self.namespaces, (self.namespaces,)),
            ("Name, colour", self.name, (self.name, self.colour)),
        )
        for number, (text, buddy, parts) in enumerate(lines):
            title = label(text, "dim")
            if buddy is not None:
                title.setBuddy(buddy)
            grid.addWidget(title, number, 0)
            beside = row(*parts)
            if len(parts) > 1:
                beside.setStretch(0 if parts[0] is not self.tls else 1, 2)
                beside.setStretch(1 if parts[0] is not self.tls else 2, 1 if parts[0] is not self.tls else 0)
            grid.addLayout(beside, number, 1)
        grid.setColumnStretch(1, 1)
        may = column(section("What it may do"), self.see, self.ask, self.announce, spacing=6)
        layout = column(
            label("Connect to a live mesh", "title"),
            grid,
            4,
            may,
            4,
            self._error,
            row(self.test, None, self.open),
            self.results,
            None,
            spacing=10,
        )
        layout.setContentsMargins(24, 20, 24, 20)
        self.setLayout(layout)

    # the form and its parts

    def fill(self, connection: Connection) -> None:
        """Put a connection in."""
        self.url.setText(connection.url)
        self._url_to_parts()
        self.password.clear()
        self.password.setPlaceholderText("kept in the key store" if connection.has_password else "none")
        self.keep.setChecked(connection.has_password)
        self.tls_ca.setText(connection.tls_ca)
        self.namespaces.setText(", ".join(name or "-" for name in connection.namespaces))
        self.name.setText(connection.name)
        self.colour.setCurrentIndex(max(0, self.colour.findData(connection.colour)))
        (self.ask if connection.may == "ask" else self.see).setChecked(True)
        self.announce.setChecked(connection.announce)
        self.results.empty()

    def wanted(self) -> Wanted:
        """What the form asks for.

        Raises:
            ValueError: Something in it makes no sense; the message says what.
        """
        settings = self.settings()
        public = replace(settings, password="")
        names = [part.strip() for part in self.namespaces.text().split(",") if part.strip()]
        connection = Connection(
            url=public.redacted,
            name=self.name.text().strip(),
            may="ask" if self.ask.isChecked() else "see",
            announce=self.announce.isChecked(),
            namespaces=["" if name == "-" else name for name in names],
            tls_ca=self.tls_ca.text().strip(),
            has_password=self.keep.isChecked(),
            colour=str(self.colour.currentData()),
        )
        return Wanted(connection, settings.password, self.keep.isChecked())

    def settings(self) -> ConnectionSettings:
        """How to connect, as the form says.

        Raises:
            ValueError: The URL makes no sense.
        """
        return ConnectionSettings.parse(
            self.url.text().strip(), password=self.password.text() or None, tls_ca=self.tls_ca.text().strip() or None
        )

    def _url_to_parts(self) -> None:
        try:
            settings = ConnectionSettings.parse(self.url.text().strip())
        except ValueError as error:
            self._say(str(error))
            return
        self._say("")
        is_one = len(settings.hosts) == 1
        for part in (self.host, self.port):
            part.setEnabled(is_one)
        self.host.setText(settings.host if is_one else "")
        self.port.setText(str(settings.port) if is_one else "")
        self.user.setText(settings.username)
        self.tls.setChecked(settings.is_tls)

    def _hide_password(self) -> None:
        """A password is not left standing in a line that everybody can read."""
        try:
            settings = ConnectionSettings.parse(self.url.text().strip())
        except ValueError:
            return
        if settings.password:
            self.password.setText(settings.password)
            self.url.setText(replace(settings, password="").redacted)

    def _parts_to_url(self) -> None:
        try:
            before = ConnectionSettings.parse(self.url.text().strip())
        except ValueError:
            before = ConnectionSettings("redis", (("localhost", 6379),))
        port = self.port.text().strip()
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            self._say(f"port is '{port}', expected a number from 1 to 65535")
            return
        scheme = before.scheme.replace("rediss", "redis")
        hosts = ((self.host.text().strip() or "localhost", int(port)),) if len(before.hosts) == 1 else before.hosts
        made = replace(
            before,
            scheme=scheme.replace("redis", "rediss") if self.tls.isChecked() else scheme,
            hosts=hosts,
            username=self.user.text().strip(),
            password="",
        )
        self.url.setText(made.redacted)
        self._say("")

    def _say(self, error: str) -> None:
        set_text(self._error, f"▲ {error}" if error else "")
        self._error.setVisible(bool(error))
        set_property(self.url, "state", "wrong" if error else "")
        self.open.setEnabled(not error)
        self.test.setEnabled(not error)

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Authority that signed the server's certificate", "", "*.pem *.crt"
        )
        if chosen:
            self.tls_ca.setText(chosen)

    def _connect(self) -> None:
        try:
            wanted = self.wanted()
        except ValueError as error:
            self._say(str(error))
            return
        self.cancel_test()
        self.connect_wanted.emit(wanted)

    # the test

    def start_test(self) -> None:
        """Check the connection, or end a check that runs."""
        if self._run is not None:
            self.cancel_test()
            return
        try:
            settings, namespaces = self.settings(), self.wanted().connection.namespaces
        except ValueError as error:
            self._say(str(error))
            return
        self.results.begin()
        set_text(self.test, "Cancel test")
        self._run = CheckRun(self._check, settings, namespaces or None, self)
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
