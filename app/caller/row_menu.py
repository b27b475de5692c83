"""The menu of a row that can be called or emitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QMenu, QWidget

from app.caller.templates import can_be_template, template_title, use_subject
from app.desk import Desk
from broker.mesh.subject import Subject

LEADS = (("Show its latency", "latency"), ("Show in the graph", "graph"))


def subject_menu(parent: QWidget, desk: Desk, subject: Subject) -> QMenu:
    """What can be done with something: send it, look at it elsewhere."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if can_be_template(subject):
        menu.addAction(template_title(subject), partial(use_subject, desk, subject))
        menu.addSeparator()
    if subject.kind in ("action", "endpoint", "call", "service", "node", "edge"):
        for title, view in LEADS:
            menu.addAction(title, partial(desk.show_view, view, subject))
    return menu


def offer_menu(table: QAbstractItemView, desk: Desk, subject_at: Callable[[int], Any]) -> None:
    """Give the rows of a table their menu, for the mouse and for the menu key.

    Args:
        table: Whose rows.
        desk: Leads the user on.
        subject_at: The Subject of a row; None for none.
    """

    def open_at(at: QPoint) -> None:
        index = table.indexAt(at)
        row = index.row() if index.isValid() else table.currentIndex().row()
        subject = subject_at(row)
        if not isinstance(subject, Subject):
            return
        menu = subject_menu(table, desk, subject)
        if menu.isEmpty():
            menu.deleteLater()
        else:
            menu.popup(table.viewport().mapToGlobal(at))

    table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    table.customContextMenuRequested.connect(open_at)
