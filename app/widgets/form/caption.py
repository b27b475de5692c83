"""What stands above and below a field: its name, what it may be, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.widgets.controls import column, label, set_text
from broker.operate.forms import Field, Problem

_SEVERAL = 3


class Caption(QWidget):
    """Name, a star where it must be there, constraints dim."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.line = layout
        named = label(name)
        layout.addWidget(named)
        if field.is_required and name:
            star = label("*", tone="failed", name="must be there")
            star.setToolTip("Must be there")
            layout.addWidget(star)
        said = f"“{field.label}”, {field.words}" if field.label not in ("", field.name) else field.words
        self.words = _Elided(said)
        layout.addWidget(self.words, 1)
        if field.help:
            self.setToolTip(field.help)
            named.setText(f"{name} ⓘ")


class _Elided(QLabel):
    """Dim words that give way when there is no room for them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setProperty("role", "small")
        self.setMinimumWidth(20)
        self.setToolTip(text)


class Remarks(QWidget):
    """Below a field: what is wrong, with a sign, and what only the service can check."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._problem = label("", wraps=True, tone="failed")
        self._hint = label("", "small", wraps=True)
        self._unsure = label("", "small", wraps=True)
        if field.unsure:
            self._unsure.setText(f"◌ checked by the service only: {'; '.join(field.unsure)}")
        layout = column(self._problem, self._hint, self._unsure, spacing=1)
        self.setLayout(layout)
        self._unsure.setVisible(bool(field.unsure))
        self.tell([])
        self.hint("")

    def tell(self, problems: Sequence[Problem], mistake: str = "") -> None:
        """What is wrong; nothing when nothing is."""
        said = [mistake] if mistake else [each.short for each in problems[:_SEVERAL]]
        unlike = list(dict.fromkeys(said))
        set_text(self._problem, "\n".join(f"▲ {each}" for each in unlike))
        self._problem.setVisible(bool(unlike))
        self._show()

    def hint(self, text: str) -> None:
        """What the value is taken for."""
        set_text(self._hint, text)
        self._hint.setVisible(bool(text))
        self._show()

    @property
    def text(self) -> str:
        """What it says is wrong."""
        return self._problem.text()

    def _show(self) -> None:
        texts = (self._problem, self._hint, self._unsure)
        self.setVisible(any(not each.isHidden() for each in texts))
