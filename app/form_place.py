"""Where a mesh is: its URL and the parts of it, kept in step; user, password, TLS, namespaces."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QLineEdit, QWidget

from app.settings import Connection
from app.widgets.controls import button, field_line, label, row, set_property
from broker.transport.url import ConnectionSettings


class PlaceFields(QWidget):
    """Fields for where to connect. Never shows a password."""

    entered = Signal()
    """Enter was pressed in one of them."""
    edited = Signal()
    judged = Signal(str)
    """What is wrong with the URL; empty for nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.url = field_line("URL", "redis://host:6379", "redis://localhost:6379")
        self.host = field_line("Host", "localhost")
        self.port = field_line("Port", "6379")
        self.user = field_line("User", "none")
        self.password = field_line("Password", "none")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.keep = QCheckBox("Keep the password in the system's key store")
        self.tls = QCheckBox("TLS")
        self.tls_ca = field_line("Certificate authority", "the system's authorities")
        self.namespaces = field_line("Namespaces", "all, each kept apart   ( - is the empty one )")
        self._lay_out()
        self.url.textEdited.connect(self.url_to_parts)
        self.url.editingFinished.connect(self._hide_password)
        for part in (self.host, self.port, self.user):
            part.textEdited.connect(self._parts_to_url)
        self.tls.clicked.connect(self._parts_to_url)
        for part in (self.url, self.host, self.port, self.user, self.password, self.namespaces):
            part.returnPressed.connect(self.entered)
        for part in (self.url, self.host, self.port, self.user, self.password, self.namespaces, self.tls_ca):
            part.textChanged.connect(lambda _text: self.edited.emit())
        for box in (self.tls, self.keep):
            box.toggled.connect(lambda _on: self.edited.emit())

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
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
        grid.setColumnMinimumWidth(0, 104)

    def fill(self, connection: Connection) -> None:
        """Put a connection in."""
        self.url.setText(connection.url)
        self.url_to_parts()
        self.password.clear()
        self.password.setPlaceholderText("kept in the key store" if connection.has_password else "none")
        self.keep.setChecked(connection.has_password)
        self.tls_ca.setText(connection.tls_ca)
        self.namespaces.setText(", ".join(name or "-" for name in connection.namespaces))

    def names(self) -> list[str]:
        """The namespaces; none for all."""
        names = [part.strip() for part in self.namespaces.text().split(",") if part.strip()]
        return ["" if name == "-" else name for name in names]

    def settings(self) -> ConnectionSettings:
        """How to connect, as the fields say.

        Raises:
            ValueError: The URL makes no sense.
        """
        return ConnectionSettings.parse(
            self.url.text().strip(), password=self.password.text() or None, tls_ca=self.tls_ca.text().strip() or None
        )

    def url_to_parts(self) -> None:
        """Let the parts say what the URL says."""
        try:
            settings = ConnectionSettings.parse(self.url.text().strip())
        except ValueError as error:
            self._judge(str(error))
            return
        self._judge("")
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
            self._judge(f"port is '{port}', expected a number from 1 to 65535")
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
        self._judge("")

    def _judge(self, error: str) -> None:
        set_property(self.url, "state", "wrong" if error else "")
        self.judged.emit(error)

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Authority that signed the server's certificate", "", "*.pem *.crt"
        )
        if chosen:
            self.tls_ca.setText(chosen)
