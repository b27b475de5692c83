"""The place where views stand: one at a time in the middle, others detached beside it or in windows of their own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QStackedWidget, QWidget

from app.desk import Desk
from app.views.registry import View
from app.widgets.controls import button, column, label

LAYOUT_VERSION = 1


class ViewDock(QDockWidget):
    """A detached view. Closing it brings the view back to the middle."""

    closed = Signal(str)
    key_pressed = Signal(QKeyEvent)

    def __init__(self, view: View, widget: QWidget, parent: QWidget) -> None:
        super().__init__(view.title, parent)
        self.view_id = view.id
        self.setObjectName(f"dock-{view.id}")
        self.setAccessibleName(view.title)
        self.setWidget(widget)
        widget.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell who takes the view back."""
        super().closeEvent(event)
        self.closed.emit(self.view_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that nobody in the view wanted are the window's, also when the view floats."""
        event.ignore()
        if self.isFloating():
            self.key_pressed.emit(event)


class ViewArea(QMainWindow):
    """Builds views when they are first shown, and remembers where each stands.

    Attributes:
        before: The control from which Tab leads into the view in the middle.
    """

    changed = Signal()
    built = Signal(str, QWidget)
    """A view was built: its id and its widget. It was not shown yet."""
    key_pressed = Signal(QKeyEvent)

    def __init__(self, desk: Desk, views: Sequence[View]) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AnimatedDocks
        )
        self._desk = desk
        self._views = {view.id: view for view in views}
        self._widgets: dict[str, QWidget] = {}
        self._docks: dict[str, ViewDock] = {}
        self._stack = QStackedWidget()
        self._stack.setObjectName("page")
        self._away = self._away_page()
        self._stack.addWidget(self._away)
        self.setCentralWidget(self._stack)
        self._current = ""
        self.before: QWidget | None = None

    def _away_page(self) -> QWidget:
        page = QWidget()
        self._away_text = label("", "dim")
        bring = button("Bring it back", lambda: self.attach(self._current))
        layout = column(None, self._away_text, bring, None, spacing=10)
        layout.setAlignment(self._away_text, Qt.AlignmentFlag.AlignHCenter)
        layout.setAlignment(bring, Qt.AlignmentFlag.AlignHCenter)
        page.setLayout(layout)
        return page

    @property
    def current(self) -> str:
        """The view in the middle; "" before the first."""
        return self._current

    def widget(self, view_id: str) -> QWidget:
        """A view's widget, built now if it was not yet."""
        if view_id not in self._widgets:
            made = self._views[view_id].build(self._desk)
            made.setAccessibleName(self._views[view_id].title)
            self._widgets[view_id] = made
            self._stack.addWidget(made)
            self.built.emit(view_id, made)
        return self._widgets[view_id]

    def show_view(self, view_id: str) -> None:
        """Bring a view to the front: in the middle, or where it was detached to."""
        if view_id not in self._views:
            return
        widget = self.widget(view_id)
        dock = self._docks.get(view_id)
        if dock is not None:
            dock.show()
            dock.raise_()
            if dock.isFloating():
                dock.activateWindow()
            if not self._current:
                self._show_away(view_id)
            widget.setFocus()
            return
        self._current = view_id
        self._stack.setCurrentWidget(widget)
        widget.setFocus()
        if self.before is not None:
            put_behind(self.before, widget)
        self.changed.emit()

    def is_detached(self, view_id: str) -> bool:
        """Whether a view stands outside the middle."""
        return view_id in self._docks

    def detach(self, view_id: str, *, floats: bool) -> None:
        """Take a view out of the middle: beside it, or into a window of its own."""
        if view_id not in self._views:
            return
        dock = self._docks.get(view_id)
        if dock is None:
            widget = self.widget(view_id)
            self._stack.removeWidget(widget)
            dock = ViewDock(self._views[view_id], widget, self)
            dock.closed.connect(self.attach)
            dock.key_pressed.connect(self.key_pressed)
            self._docks[view_id] = dock
            self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        dock.setFloating(floats)
        if floats:
            dock.resize(max(640, self.width() * 2 // 3), max(420, self.height() * 2 // 3))
        dock.show()
        if self._current == view_id:
            others = [other for other in self._views if other not in self._docks]
            if others:
                self.show_view(others[0])
            else:
                self._show_away(view_id)
        self.changed.emit()

    def attach(self, view_id: str) -> None:
        """Bring a detached view back to the middle."""
        dock = self._docks.pop(view_id, None)
        if dock is None:
            return
        widget = self._widgets[view_id]
        dock.setWidget(QWidget())
        self._stack.addWidget(widget)
        self.removeDockWidget(dock)
        dock.deleteLater()
        self.show_view(view_id)

    def place_menu(self, view_id: str, parent: QWidget) -> QMenu:
        """Where a view may stand."""
        menu = QMenu(parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.is_detached(view_id):
            menu.addAction("Bring back to the middle", partial(self.attach, view_id))
        else:
            menu.addAction("Open beside", partial(self.detach, view_id, floats=False))
            menu.addAction("Open in a window of its own", partial(self.detach, view_id, floats=True))
        return menu

    def _show_away(self, view_id: str) -> None:
        self._current = view_id
        self._away_text.setText(f"{self._views[view_id].title} stands in a place of its own.")
        self._stack.setCurrentWidget(self._away)
        self.changed.emit()

    def detached(self) -> list[str]:
        """Ids of the views that stand outside the middle."""
        return list(self._docks)

    def layout_state(self) -> str:
        """Where detached views stand, to be kept."""
        return bytes(self.saveState(LAYOUT_VERSION).toBase64().data()).decode()

    def restore_layout(self, detached: Sequence[str], state: str) -> None:
        """Put views where they stood."""
        for view_id in detached:
            self.detach(view_id, floats=False)
        if state:
            self.restoreState(QByteArray.fromBase64(state.encode()), LAYOUT_VERSION)


def put_behind(before: QWidget, view: QWidget) -> None:
    """Let Tab lead from a control into a view, whenever that was built, and through it in its own order."""
    inside = [view, *view.findChildren(QWidget)]
    known = set(map(id, inside))
    chain: list[QWidget] = []
    here = view.nextInFocusChain()
    for _ in range(len(inside) * 4 + 500):
        if here is view or here is None:
            break
        if id(here) in known and here.focusPolicy() & Qt.FocusPolicy.TabFocus:
            chain.append(here)
        here = here.nextInFocusChain()
    for widget in chain:
        QWidget.setTabOrder(before, widget)
        before = widget
