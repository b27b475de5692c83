"""The dialog that asks before it acts: what will be done, what it hits, and a step that nobody takes by accident."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QLabel, QLayout, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from app.widgets.controls import Role, Tone, button, column, label, row, set_property, set_text

WIDTH_PX = 520


class ConfirmDialog(QDialog):
    """Asks once more, and acts only on a second deliberate step.

    Cancel has the keyboard at first and is what Esc does. Enter never acts from a field: it leads
    on to the next one, and acts only on the button that says what will be done. That button stays
    disabled until the form is whole (`refuse`) and, where a name is to be typed, until it is typed
    letter by letter. It says beside itself what is still missing.

    How it is used; a form and a name are for those who need them::

        dialog = ConfirmDialog(self, title="Hold open: bank-1 : bank.transfer", act="Hold open", tone="held",
                               about="on caller pay-1 · 1 of 2 callers", type_name="bank.transfer")
        dialog.set_form(form)                     # a widget or a layout of yours
        dialog.say_hits("1,860 calls/min from payments.charge will fail at once with 404.")
        dialog.refuse("Give a reason.")           # while the form is not whole; refuse("") lets it go on
        dialog.confirmed.connect(self._hold)      # gets the name as it was typed; "" where none is asked for
        dialog.open()                             # does not wait; deletes itself when it is closed
    """

    confirmed = Signal(str)
    """The user took the second step. Carries the name that was typed; empty where none was asked for."""

    def __init__(
        self,
        parent: QWidget | None,
        *,
        title: str,
        act: str,
        tone: Tone = "failed",
        about: str = "",
        type_name: str = "",
        note: str = "",
    ) -> None:
        """
        Args:
            parent: Over whose window it stands.
            title: What will be done, to what.
            act: What its button says: the verb, never "OK".
            tone: Of its edge: held for what is held by hand, failed for what hits others.
            about: A dim line below the title: where, how many.
            type_name: What has to be typed; empty for nothing.
            note: Beside the buttons: how it is undone, for instance.
        """
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setFixedWidth(WIDTH_PX)
        self._why, self._type_name, self._note_text = "", "", note
        self._title = label(title, "title", wraps=True)
        self._about = label(about, "dim", wraps=True)
        self._about.setVisible(bool(about))
        self._form = QWidget()
        self._form.setLayout(column())
        self._form.hide()
        self._hits_title, self._hits_text = label("What it will hit", tone="slow"), label("", wraps=True)
        self._hits_title.setProperty("weight", "bold")
        self._hits = _card(self._hits_title, self._hits_text)
        self._hits.hide()
        self._ask = label("", "dim", wraps=True)
        self.name = QLineEdit()
        self.name.textChanged.connect(self._weigh)
        self._note = label(note, "small", wraps=True, name="What is missing, or how it is undone")
        role: Role = "danger" if tone == "failed" else "primary"
        self.cancel = button("Cancel", self.reject, name="Cancel: nothing is done")
        self.act = button(act, self._take, role=role)
        self.cancel.setDefault(True)
        for each in (self.cancel, self.act):
            each.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lay_out(tone)
        self.require_name(type_name)

    def _lay_out(self, tone: Tone) -> None:
        edge = QFrame()
        edge.setProperty("role", "confirm")
        edge.setProperty("tone", tone)
        foot = row(self._note, self.cancel, self.act)
        foot.setStretch(0, 1)
        inside = column(
            column(self._title, self._about, spacing=3),
            self._form,
            self._hits,
            column(self._ask, self.name, spacing=5),
            foot,
            spacing=14,
        )
        inside.setContentsMargins(22, 18, 22, 18)
        edge.setLayout(inside)
        layout = column(edge)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        self.setLayout(layout)

    # what it says

    def set_form(self, form: QWidget | QLayout) -> None:
        """Put a form between the title and what it will hit."""
        inside = self._form.layout()
        if isinstance(inside, QVBoxLayout):
            inside.addWidget(form) if isinstance(form, QWidget) else inside.addLayout(form)
        self._form.show()

    def set_title(self, title: str, about: str = "") -> None:
        """Another title, when the form changes what will be done."""
        set_text(self._title, title)
        set_text(self._about, about)
        self._about.setVisible(bool(about))
        self.setWindowTitle(title)
        self.setAccessibleName(title)

    def set_act(self, act: str) -> None:
        """Another verb on its button."""
        set_text(self.act, act)
        self.act.setAccessibleName(act)

    def say_hits(self, text: str, title: str = "What it will hit", tone: Tone = "slow") -> None:
        """Say what will be hit, as it is known now; empty hides it."""
        set_text(self._hits_text, text)
        set_text(self._hits_title, title)
        set_property(self._hits_title, "tone", tone)
        self._hits.setVisible(bool(text))
        self.setAccessibleDescription(f"{title}: {text}" if text else "")
        self._fit()

    def set_note(self, note: str) -> None:
        """What stands beside the buttons while nothing is missing."""
        self._note_text = note
        self._weigh()

    def refuse(self, why: str) -> None:
        """Say what is missing in the form, or why it is not allowed any more; empty for nothing."""
        self._why = why
        self._weigh()

    def require_name(self, type_name: str) -> None:
        """Ask for a name to be typed; empty for none. What was typed so far is forgotten if it is another one."""
        if type_name != self._type_name:
            self.name.clear()
        self._type_name = type_name
        set_text(self._ask, f"Production: type {type_name} to go on")
        self.name.setAccessibleName(f"Type {type_name} to go on")
        for part in (self._ask, self.name):
            part.setVisible(bool(type_name))
        self._weigh()

    @property
    def is_ready(self) -> bool:
        """Whether its button would act."""
        return not self._why and self.name.text() == self._type_name

    # what a user does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter acts on a button that has the keyboard, and leads on from everything else."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif event.isAutoRepeat():
            event.accept()  # a key that is held down is not a second step
        elif self.act.hasFocus():
            self._take()
        elif self.cancel.hasFocus():
            self.reject()
        elif self.name.hasFocus() and self.is_ready:
            self.act.setFocus()
        elif not self.name.hasFocus():
            self.focusNextChild()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """It is moved by its surface, so that what lies below can be read."""
        handle = self.windowHandle()
        if event.button() is Qt.MouseButton.LeftButton and handle is not None:
            handle.startSystemMove()

    def showEvent(self, event: QShowEvent) -> None:
        """In the middle of the window, with the keyboard where nothing can happen."""
        super().showEvent(event)
        self._fit()
        parent = self.parentWidget()
        if parent is not None:
            over = parent.window()
            middle = over.mapToGlobal(over.rect().center())
            self.move(middle - QPoint(self.width() // 2, self.height() // 2))
        fields = self._fields()
        for before, after in pairwise([*fields, self.name, self.cancel, self.act]):
            QWidget.setTabOrder(before, after)
        able = [field for field in fields if field.isVisibleTo(self) and field.isEnabled()]
        chosen = [field for field in able if isinstance(field, QRadioButton) and field.isChecked()]
        first = next(iter(chosen if able and isinstance(able[0], QRadioButton) else able), None)
        (first or (self.name if self._type_name else self.cancel)).setFocus()

    def _fields(self) -> list[QWidget]:
        """What takes the keyboard in the form, in the order of Tab."""
        found: list[QWidget] = []
        here = self._form.nextInFocusChain()
        while here is not None and here is not self._form:
            if self._form.isAncestorOf(here) and here.focusPolicy() & Qt.FocusPolicy.TabFocus:
                found.append(here)
            here = here.nextInFocusChain()
        return found

    def _weigh(self) -> None:
        """Enable the button or say what is missing."""
        is_typed = self.name.text() == self._type_name
        begins = self._type_name.startswith(self.name.text())
        set_property(self.name, "state", "" if begins and not is_typed else "right" if is_typed else "wrong")
        self.act.setEnabled(self.is_ready)
        set_property(self._note, "tone", "slow" if self._why else "")
        set_text(self._note, f"◷ {self._why}" if self._why else self._note_text)
        missing = self._why or ("" if is_typed else f"Type {self._type_name} first.")
        self.act.setToolTip(missing)
        self.act.setAccessibleDescription(missing)
        self._fit()

    def _fit(self) -> None:
        """As high as its texts need."""
        layout = self.layout()
        if self.isVisible() and layout is not None:
            layout.activate()
            self.resize(WIDTH_PX, layout.heightForWidth(WIDTH_PX))

    def _take(self) -> None:
        if self.is_ready:
            typed = self.name.text()
            self.accept()
            self.confirmed.emit(typed)


def _card(title: QLabel, text: QLabel) -> QFrame:
    made = QFrame()
    made.setProperty("role", "well")
    inside = column(title, text, spacing=4)
    inside.setContentsMargins(12, 10, 12, 10)
    made.setLayout(inside)
    return made
