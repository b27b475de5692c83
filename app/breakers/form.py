"""The form of the dialog: scope, how long, why, and a second yes where everybody is stopped."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QSizePolicy, QWidget

from app.breakers.wishes import DURATIONS, Act, ScopeWord, read_duration_s, scope_of, scopes_of
from app.widgets.controls import column, field_line, label, row
from broker.mesh.breaker_states import BreakerKey
from broker.operate.breaking.wish import LONGEST_REASON, Scope

FIELD_PX, ROW_PX = 32, 22


class BreakerForm(QWidget):
    """Says what is wanted of one breaker, or of those around it."""

    changed = Signal()

    def __init__(self, act: Act, key: BreakerKey) -> None:
        super().__init__()
        self._act, self._key = act, key
        self.duration = QComboBox()
        self.duration.setEditable(True)
        self.duration.addItems(list(DURATIONS))
        self.duration.setCurrentText(DURATIONS[1])
        self.duration.setAccessibleName("For how long")
        self.scope = QComboBox()
        self.scope.setAccessibleName("Scope")
        for word, text in scopes_of(key).items():
            self.scope.addItem(text, word)
        self.with_callee = QCheckBox("Also the endpoint's own breaker, which turns everybody away")
        self.reason = field_line("Reason", "For others and for the audit: bank maintenance window")
        self.reason.setMaxLength(LONGEST_REASON)
        self.understood = QCheckBox("Yes: everybody is turned away, callers without a helper too")
        self._duration_part = QWidget()
        self._duration_part.setLayout(column(label("For", "dim"), self.duration, spacing=4))
        scope_part = column(label("Scope", "dim"), self.scope, spacing=4)
        top = row(self._duration_part, spacing=12)
        top.addLayout(scope_part, 1)
        layout = column(top, self.with_callee, column(label("Reason", "dim"), self.reason, spacing=4), spacing=10)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for field in (self.duration, self.scope, self.reason):
            field.setMinimumHeight(FIELD_PX)
        for box in (self.with_callee, self.understood):
            box.setMinimumHeight(ROW_PX)
        self.duration.setMinimumWidth(110)
        self.scope.setMinimumWidth(40)
        self.scope.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for box in (self.with_callee, self.understood):
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            box.toggled.connect(lambda _on: self.changed.emit())
        self.duration.currentTextChanged.connect(lambda _text: self.changed.emit())
        self.scope.currentIndexChanged.connect(lambda _index: self._on_scope())
        self.reason.textChanged.connect(lambda _text: self.changed.emit())
        self.set_act(act)
        self._show_callee()

    def set_act(self, act: Act) -> None:
        """Another act; a hold alone lasts."""
        self._act = act
        self._duration_part.setVisible(act in ("hold open", "hold closed"))

    @property
    def act(self) -> Act:
        """What is wanted."""
        return self._act

    def wanted_scope(self) -> Scope:
        """To which breakers."""
        word: ScopeWord = self.scope.currentData()
        return scope_of(self._key, word, with_callee=self.with_callee.isChecked() and not self.with_callee.isHidden())

    def for_s(self) -> float:
        """How long a hold lasts, in seconds; 0 for the other acts. ValueError where it cannot be read."""
        return read_duration_s(self.duration.currentText()) if self._act in ("hold open", "hold closed") else 0.0

    def _on_scope(self) -> None:
        self._show_callee()
        self.changed.emit()

    def _show_callee(self) -> None:
        self.with_callee.setVisible(self.scope.currentData() not in ("caller", "own"))
