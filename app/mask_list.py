"""The list of names whose values are masked: those that always are, and the user's own."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.widgets.controls import column, label, section, set_property, set_text
from broker.capture.secret_names import DEFAULT_NAMES, SecretNames

REST_MS = 400
"""After the last letter: half a word is no name."""


class MaskList(QWidget):
    """One name a line. A name that cannot be masked is said to be one, and nothing is kept until it is mended."""

    changed = Signal(object)
    """The names, as a tuple of texts."""

    def __init__(self, names: Sequence[str], can_keep: bool) -> None:
        """
        Args:
            names: The user's own, as they are now.
            can_keep: Whether there is a place to keep them.
        """
        super().__init__()
        self._kept = tuple(names)
        self.own = QPlainTextEdit("\n".join(names))
        self.own.setAccessibleName("Names of your own, one a line")
        self.own.setPlaceholderText("customer number\niban")
        self.own.setTabChangesFocus(True)
        self.own.setFixedHeight(110)
        self.own.setReadOnly(not can_keep)
        self._told = label("", "small", wraps=True, name="What becomes of the list")
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.keep)
        self.own.textChanged.connect(self._rest.start)
        always = label(", ".join(DEFAULT_NAMES), wraps=True, name="Names that are always masked")
        self.setLayout(
            column(
                section("Values that are masked"),
                label(
                    "Values under these names are replaced in every view, copy, export, log and in the audit, and "
                    "overwritten in captures that begin from now on. A name fits whatever ends with it: token also "
                    "means accessToken, access_token and x-token.",
                    "small",
                    wraps=True,
                ),
                label("Always", "dim"),
                always,
                label("And yours, one a line", "dim"),
                self.own,
                self._told,
                spacing=6,
            )
        )
        self._tell("" if can_keep else "Nothing is kept in this window.")

    def names(self) -> tuple[str, ...]:
        """What is written, without blanks and doubles."""
        lines = (line.strip() for line in self.own.toPlainText().splitlines())
        return tuple(dict.fromkeys(line for line in lines if line))

    def keep(self) -> None:
        """Take the list into use, if it can be used."""
        self._rest.stop()
        names = self.names()
        try:
            SecretNames((*DEFAULT_NAMES, *names))
        except ValueError as error:
            self._tell(f"▲ {error}. The list is kept as it was.")
            return
        if names != self._kept:
            self._kept = names
            self._tell("✓ In use now; in captures with the next session.", is_wrong=False)
            self.changed.emit(names)
        else:
            self._tell("")

    def say(self, problem: str) -> None:
        """Say why it could not be kept."""
        self._tell(f"▲ {problem}")

    def _tell(self, text: str, *, is_wrong: bool = True) -> None:
        set_text(self._told, text)
        set_property(self._told, "tone", "failed" if text.startswith("▲") and is_wrong else "")
        self._told.setVisible(bool(text))
