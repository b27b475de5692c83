"""A line over the views that says what is wrong with the connection, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.widgets.controls import Tone, button, label, set_property, set_text


class Banner(QFrame):
    """Reason, advice, when it is tried again. Hidden while all is well."""

    def __init__(self, name: str = "Trouble with the connection", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName(name)
        self._sign = label("▲", tone="failed")
        self._reason = label("", wraps=True, name="Reason")
        self._advice = label("", "dim", wraps=True, name="Advice")
        self._rows = label("", "small", wraps=True, name="Each target")
        self._close = button("", self.hide, icon="close", name="Hide this message", role="flat")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 10, 8)
        layout.setSpacing(10)
        layout.addWidget(self._sign)
        told = QVBoxLayout()
        told.setSpacing(1)
        told.addWidget(self._reason)
        told.addWidget(self._advice)
        told.addWidget(self._rows)
        layout.addLayout(told, 1)
        layout.addWidget(self._close)
        self._told = ""
        self.hide()

    def say(self, reason: str, advice: str, tone: Tone = "failed", rows: Sequence[str] = ()) -> None:
        """Show a reason with its advice. Hidden by its user, it comes back for another reason only.

        Args:
            reason: What is wrong, or what became of something.
            advice: What to do.
            tone: Of the banner.
            rows: A line for each of several things.
        """
        set_text(self._rows, "\n".join(rows))
        self._rows.setVisible(bool(rows))
        set_text(self._reason, reason)
        set_text(self._advice, advice)
        self._advice.setVisible(bool(advice))
        set_property(self, "tone", tone)
        set_text(self._sign, {"ok": "✓", "slow": "◷"}.get(tone, "▲"))
        set_property(self._sign, "tone", tone)
        self.setAccessibleDescription(" ".join((reason, advice, *rows)))
        if reason != self._told:
            self._told = reason
            self.show()

    def all_well(self) -> None:
        """Nothing is wrong any more."""
        self._told = ""
        self.hide()

    @property
    def text(self) -> str:
        """All it says; "" while hidden."""
        if self.isHidden():
            return ""
        rows = "" if self._rows.isHidden() else f"\n{self._rows.text()}"
        return f"{self._reason.text()} {self._advice.text()}{rows}"
