"""Variables of a profile: plain ones with their values, secret ones by name only."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.desk import Desk
from app.widgets.controls import button, clear, column, label, row, section, set_property, set_text
from app.widgets.edged import EdgedDialog
from broker.operate.calling.loose_json import VARIABLE

ABOUT = (
    'Write {{name}} or "{{name}}" where a value shall stand, and {{secret:name}} for a secret one. They are filled in '
    "at the moment of sending; copies, history and collections hold names only. A value that is JSON is sent as such."
)
NO_PROFILE = "No profile is open: they last as long as this session, and none of them can be secret."


class VariablesDialog(EdgedDialog):
    """Each change is kept at once."""

    changed = Signal()
    _secret_kept = Signal(str)

    def __init__(self, parent: QWidget, desk: Desk) -> None:
        super().__init__(parent)
        keeping = desk.keeping
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        title = f"Variables of {keeping.profile.name}" if keeping.profile else "Variables of this session"
        self.setWindowTitle(title)
        self.resize(560, 480)
        self._desk, self._keeping = desk, keeping
        self.rows = QGridLayout()
        self.rows.setColumnStretch(1, 1)
        self.name = QLineEdit()
        self.name.setPlaceholderText("name")
        self.name.setAccessibleName("Name of a new variable")
        self.value = QLineEdit()
        self.value.setPlaceholderText("value")
        self.value.setAccessibleName("Value of a new variable")
        self.add = button("Add", partial(self._add, is_secret=False), role="primary", name="Add a variable")
        self.add_secret = button("Add as secret", partial(self._add, is_secret=True), icon="key-outline")
        self.told = label("", "small", wraps=True, name="About variables")
        self.name.textChanged.connect(lambda _text: self._judge())
        self._secret_kept.connect(self._on_secret)
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(self.rows)
        inside.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(holder)
        where = "" if keeping.keeps_secrets else NO_PROFILE
        layout = column(
            label(title, "title"),
            label(ABOUT, "dim", wraps=True),
            label(where, "small", wraps=True),
            scroll,
            section("A new one"),
            row(self.name, self.value),
            row(self.add, self.add_secret, None, button("Close", self.accept)),
            self.told,
            spacing=8,
        )
        layout.setStretch(3, 1)
        layout.setContentsMargins(20, 18, 20, 16)
        self.setLayout(layout)
        self._fill()
        self._judge()
        before = keeping.profile
        desk.keep(self, keeping.reload, lambda _done: self._fill() if keeping.profile != before else None)

    def _fill(self) -> None:
        clear(self.rows)
        number = 0
        for name, value in sorted(self._keeping.plain.items()):
            edit = QLineEdit(value)
            edit.setAccessibleName(f"Value of {name}")
            edit.editingFinished.connect(partial(self._on_value, name, edit))
            self._row(number, f"{{{{{name}}}}}", edit, partial(self._remove, name))
            number += 1
        for name in sorted(self._keeping.secret_names):
            edit = QLineEdit()
            edit.setEchoMode(QLineEdit.EchoMode.Password)
            edit.setPlaceholderText("•••• in the key store; write another to replace it")
            edit.setAccessibleName(f"New value of secret {name}")
            edit.editingFinished.connect(partial(self._on_secret_value, name, edit))
            self._row(number, f"{{{{secret:{name}}}}}", edit, partial(self._keep_secret, name, ""))
            number += 1
        if not number:
            self.rows.addWidget(label("None yet.", "dim"), 0, 0)

    def _row(self, number: int, name: str, edit: QLineEdit, remove: object) -> None:
        made = label(name, "dim")
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.rows.addWidget(made, number, 0)
        self.rows.addWidget(edit, number, 1)
        gone = button("", remove if callable(remove) else None, icon="close", role="flat", name=f"Remove {name}")
        self.rows.addWidget(gone, number, 2)

    def _judge(self) -> None:
        name = self.name.text().strip()
        is_right = VARIABLE.fullmatch(f"{{{{{name}}}}}") is not None and ":" not in name
        self.add.setEnabled(is_right)
        self.add_secret.setEnabled(is_right and self._keeping.keeps_secrets)
        why = "" if self._keeping.keeps_secrets else "Secret variables belong to a profile"
        self.add_secret.setToolTip(why)
        if name and not is_right:
            self._say("A name is made of letters, digits, _ . and -, and begins with a letter or digit.", "failed")
        else:
            self._say("")

    def _say(self, text: str, tone: str = "") -> None:
        set_text(self.told, f"▲ {text}" if text and tone == "failed" else text)
        set_property(self.told, "tone", tone)

    def _add(self, *, is_secret: bool) -> None:
        name, value = self.name.text().strip(), self.value.text()
        if is_secret:
            self._keep_secret(name, value)
        else:
            self._keep(self._keeping.plain | {name: value})
        self.name.clear()
        self.value.clear()

    def _on_value(self, name: str, edit: QLineEdit) -> None:
        if self._keeping.plain.get(name) != edit.text():
            self._keep(self._keeping.plain | {name: edit.text()}, fills=False)

    def _on_secret_value(self, name: str, edit: QLineEdit) -> None:
        if edit.text():
            self._keep_secret(name, edit.text())

    def _remove(self, name: str) -> None:
        self._keep({other: value for other, value in self._keeping.plain.items() if other != name})

    def _keep(self, variables: dict[str, str], *, fills: bool = True) -> None:
        if self._keeping.profile is None:  # nothing to wait for
            self._on_kept(self._keeping.set_plain(variables), fills=fills)
        else:
            work = partial(self._keeping.set_plain, variables)
            self._desk.keep(self._desk, work, partial(self._on_kept, fills=fills))

    def _on_kept(self, wrong: str, *, fills: bool) -> None:
        if not isValid(self):  # closed before the disk had answered
            if wrong and self._desk.disk.tell is not None:
                self._desk.disk.tell(wrong, "")
            return
        self._say(wrong, "failed")
        if fills:
            self._fill()
        self.changed.emit()

    def _keep_secret(self, name: str, value: str) -> None:
        self._say("Asking the key store…")

        def work() -> None:
            self._secret_kept.emit(self._keeping.set_secret(name, value))

        self._keeping.in_background(work)

    def _on_secret(self, wrong: str) -> None:
        self._say(wrong or "Kept in the key store.", "failed" if wrong else "")
        self._fill()
        self.changed.emit()
