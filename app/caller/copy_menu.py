"""A request copied in the words of others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from app.caller.keeping import Keeping
from broker.operate.calling.copies import (
    NotCopiedError,
    as_command_line,
    as_console_line,
    as_javascript,
    as_python,
)
from broker.operate.calling.request import Request

URL_UNKNOWN = "URL"


def copy_menu(parent: QWidget, request: Request, keeping: Keeping, said: Callable[[str], None]) -> QMenu:
    """A menu of the ways to copy a request.

    Args:
        parent: Qt's.
        request: As it is written; variables stay, secrets are masked.
        keeping: What is secret, and where the mesh is.
        said: Told what was copied.
    """
    masks = keeping.masks
    ways: tuple[tuple[str, Callable[[], str]], ...] = (
        ("moleculer-repl line", lambda: as_console_line(request, masks)),
        ("JavaScript", lambda: as_javascript(request, masks)),
        ("Python", lambda: as_python(request, masks)),
        ("Command line", lambda: as_command_line(request, keeping.place or URL_UNKNOWN, masks)),
    )
    menu = QMenu(parent)
    menu.setAccessibleName("Copy as")
    menu.setToolTipsVisible(True)
    for title, make in ways:
        action = menu.addAction(title)
        try:
            text = make()
        except NotCopiedError as error:
            action.setEnabled(False)
            action.setText(f"{title}: {error}")
            continue
        action.setToolTip(text[:400])
        action.triggered.connect(partial(_copy, text, title, said))
    return menu


def _copy(text: str, title: str, said: Callable[[str], None], _checked: bool = False) -> None:
    QGuiApplication.clipboard().setText(text)
    said(f"Copied as {title}.")
