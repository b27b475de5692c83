"""How packets are written, what of them is kept, and where the probe and its secrets are: the rest of a profile."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from app.settings import Connection
from app.widgets.controls import button, field_line, label, row, set_text
from broker.operate.profiles import CIPHER_IV, CIPHER_KEY, HELPER_SECRET, Profile
from broker.protocol.compression import METHODS
from broker.protocol.encryption import DEFAULT_ALGORITHM
from broker.protocol.serializers import SERIALIZERS

POLICIES: Final = (
    ("masked", "kept, with secret values overwritten"),
    ("headers", "not kept: headers only"),
    ("everything", "kept as they are, secrets too"),
)
ALGORITHMS: Final = ("aes-256-cbc", "aes-192-cbc", "aes-128-cbc", "aes-256-ctr", "aes-192-ctr", "aes-128-ctr")


class Fields(QWidget):
    """Lines of a form: a dim title, and a field."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, 104)
        self._grid.setColumnStretch(1, 1)

    def _add(self, title: str, *parts: QWidget) -> None:
        number = self._grid.rowCount()
        head = label(title, "dim")
        head.setBuddy(parts[0])
        self._grid.addWidget(head, number, 0)
        self._grid.addLayout(row(*parts), number, 1)
        for part in parts:
            if isinstance(part, QLineEdit):
                part.textChanged.connect(lambda _text: self.edited.emit())
            elif isinstance(part, QComboBox):
                part.currentIndexChanged.connect(lambda _at: self.edited.emit())

    def _say(self, text: str) -> None:
        self._grid.addWidget(label(text, "small", wraps=True), self._grid.rowCount(), 1)


def _secret(name: str) -> QLineEdit:
    made = field_line(name, "none")
    made.setEchoMode(QLineEdit.EchoMode.Password)
    return made


def _choice(name: str, options: list[tuple[str, str]]) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    for value, text in options:
        made.addItem(text, value)
    return made


class PacketFields(Fields):
    """Serializer, compression, encryption, payloads, names that are masked."""

    def __init__(self) -> None:
        super().__init__()
        self.serializer = _choice("Serializer", [("", "that of the mesh"), *((name, name) for name in SERIALIZERS)])
        self.compression = _choice("Compression", [("", "found by itself"), *((name, name) for name in METHODS)])
        self.algorithm = _choice("Encryption", [(name, name) for name in ALGORITHMS])
        self.key, self.iv = _secret("Key of the encryption"), _secret("IV of the encryption")
        self.policy = _choice("Payloads on the disk", list(POLICIES))
        self.mask_names = field_line("Names whose values are masked", "none besides the usual ones")
        self._add("Serializer", self.serializer)
        self._add("Compression", self.compression)
        self._add("Encryption", self.algorithm)
        self._add("Key, IV", self.key, self.iv)
        self._say("Of Transmit.Encryption; leave the key empty where packets are not encrypted.")
        self._add("Payloads", self.policy)
        self._add("Mask also", self.mask_names)
        self._say("Names, with commas between them: customer number, iban. They are masked in this profile only.")

    def fill(self, connection: Connection) -> None:
        """Put a connection in."""
        for box, value in (
            (self.serializer, connection.serializer),
            (self.compression, connection.compression),
            (self.policy, connection.policy),
        ):
            box.setCurrentIndex(max(0, box.findData(value)))
        if self.algorithm.findData(connection.cipher_algorithm) < 0:
            self.algorithm.addItem(connection.cipher_algorithm, connection.cipher_algorithm)
        self.algorithm.setCurrentIndex(self.algorithm.findData(connection.cipher_algorithm or DEFAULT_ALGORITHM))
        self.mask_names.setText(", ".join(connection.mask_names))
        for edit in (self.key, self.iv):
            edit.clear()

    def say_kept(self, profile: Profile | None) -> None:
        """Say which secrets the key store holds."""
        for edit, what in ((self.key, CIPHER_KEY), (self.iv, CIPHER_IV)):
            is_kept = profile is not None and profile.has_secret(what)
            edit.setPlaceholderText("kept in the key store" if is_kept else "none")

    def read_into(self, connection: Connection) -> None:
        """Take what the fields say."""
        connection.serializer = str(self.serializer.currentData())
        connection.compression = str(self.compression.currentData())
        connection.cipher_algorithm = str(self.algorithm.currentData())
        connection.policy = str(self.policy.currentData())
        connection.mask_names = [name.strip() for name in self.mask_names.text().split(",") if name.strip()]

    def secrets(self) -> dict[str, str]:
        """Secrets that were typed, by their words."""
        typed = {CIPHER_KEY: self.key.text(), CIPHER_IV: self.iv.text()}
        return {what: secret for what, secret in typed.items() if secret}


class HelperFields(Fields):
    """The secret that helpers share, the machine on which the probe runs, what the key store holds."""

    def __init__(self) -> None:
        super().__init__()
        self.secret = _secret("Secret of the helper")
        self.ssh = field_line("Machine of the probe", "this machine, or user@host")
        self.kept = label("", "dim", name="What the key store holds", wraps=True)
        self.forget = button("Forget them", self._forget, name="Forget the secrets that are kept")
        self._forgets = False
        self._profile: Profile | None = None
        self._add("Helper secret", self.secret)
        self._say("MESHSCOPE_SECRET of the nodes. Commands for breakers are signed with it, on this machine only.")
        self._add("Probe over ssh", self.ssh)
        self._say(
            "Runs `meshscope probe` there through the system's ssh, which carries the bus's password; others stay here."
        )
        self._add("Key store", self.kept, self.forget)

    def fill(self, connection: Connection) -> None:
        """Put a connection in."""
        self.ssh.setText(connection.ssh)
        self.secret.clear()

    def say_kept(self, profile: Profile | None) -> None:
        """Say which secrets the key store holds."""
        self._profile, self._forgets = profile, False
        is_kept = profile is not None and profile.has_secret(HELPER_SECRET)
        self.secret.setPlaceholderText("kept in the key store" if is_kept else "none, or MESHSCOPE_SECRET")
        self._tell()

    def read_into(self, connection: Connection) -> None:
        """Take what the fields say."""
        connection.ssh = self.ssh.text().strip()

    def secrets(self) -> dict[str, str]:
        """Secrets that were typed, by their words."""
        return {HELPER_SECRET: self.secret.text()} if self.secret.text() else {}

    @property
    def forgets(self) -> bool:
        """Whether what is kept shall be taken out of the key store."""
        return self._forgets

    def _forget(self) -> None:
        self._forgets = not self._forgets
        self._tell()
        self.edited.emit()

    def _tell(self) -> None:
        names = self._profile.secret_names if self._profile else ()
        told = f"holds {', '.join(names)}" if names else "holds nothing of this profile"
        set_text(self.kept, f"will be emptied of {', '.join(names)} when saved" if self._forgets else told)
        set_text(self.forget, "Keep them" if self._forgets else "Forget them")
        self.forget.setVisible(bool(names))
