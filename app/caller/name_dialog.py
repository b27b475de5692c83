"""Asks for a name under which a request is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from app.widgets.controls import button, column, label, row, set_text
from app.widgets.edged import EdgedDialog
from broker.operate.calling.collection import wrong_name

ADVICE = "A / makes groups, which are folders: on-call/order by id"


class NameDialog(EdgedDialog):
    """One line; says at once what is wrong with it."""

    named = Signal(str, bool)
    """The name, and whether it replaces what has it."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        name: str,
        *,
        taken: Collection[str] = (),
        groups: Collection[str] = (),
        may_replace: bool = True,
        wrong: Callable[[str], str] = wrong_name,
    ) -> None:
        """
        Args:
            parent: Over what it stands.
            title: What is named.
            name: What it is called now.
            taken: Names that others have.
            groups: Folders that are there.
            may_replace: Whether a taken name can be replaced.
            wrong: Why a name cannot be one.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(title)
        self.setMinimumWidth(420)
        self._taken = {other.casefold() for other in taken}
        self._may_replace, self._wrong = may_replace, wrong
        self.edit = QLineEdit(name)
        self.edit.setAccessibleName("Name")
        self.edit.selectAll()
        completer = QCompleter([f"{group}/" for group in groups], self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.edit.setCompleter(completer)
        self._told = label(ADVICE, "small", wraps=True, name="About the name")
        self.ok = button("Save", self._take, role="primary")
        self.ok.setDefault(True)
        layout = column(
            label(title, "title"), self.edit, self._told, row(None, button("Cancel", self.reject), self.ok), spacing=10
        )
        layout.setContentsMargins(20, 18, 20, 16)
        self.setLayout(layout)
        self.edit.textChanged.connect(lambda _text: self._judge())
        self._judge()

    def _judge(self) -> None:
        name = self.edit.text().strip()
        wrong = self._wrong(name)
        is_taken = name.casefold() in self._taken
        if not wrong and is_taken and not self._may_replace:
            wrong = f"'{name}' is taken"
        set_text(self._told, f"▲ {wrong}" if wrong else "◷ It replaces what has this name" if is_taken else ADVICE)
        set_text(self.ok, "Replace" if is_taken and not wrong else "Save")
        self.ok.setEnabled(not wrong)

    def _take(self) -> None:
        name = self.edit.text().strip()
        self.named.emit(name, name.casefold() in self._taken)
        self.accept()
