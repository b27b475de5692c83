"""Which views there are. A view registers itself as the last thing in its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from PySide6.QtWidgets import QWidget

from app.desk import Desk

MAIN: Final = "main"
"""The area in the middle, where views are tabs or stand beside each other."""


@dataclass(frozen=True, slots=True)
class View:
    """One view.

    Attributes:
        id: Its name in settings and in `Desk.show_view`.
        title: Its name on screen.
        area: Where it opens: MAIN.
        order: Its place in the rail; smaller is higher.
        icon: Its icon in the rail: a name that `app.theme.icon` knows.
        build: Makes its widget for a desk.
        is_whole: It is no table or picture of the span: side panel and filter give their room to it.
    """

    id: str
    title: str
    area: str
    order: int
    icon: str
    build: Callable[[Desk], QWidget]
    is_whole: bool = False


VIEWS: Final[dict[str, View]] = {}


def register(view: View) -> None:
    """Make a view known.

    Raises:
        ValueError: Its id is taken by another.
    """
    taken = VIEWS.get(view.id)
    if taken is not None and taken.title != view.title:
        raise ValueError(f"view id '{view.id}' is taken by '{taken.title}'")
    VIEWS[view.id] = view


def load_views() -> list[View]:
    """Import every file beside this one, so that each registers its view; in the order of the rail."""
    package = __name__.rpartition(".")[0]
    for module in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")
    return sorted(VIEWS.values(), key=lambda view: (view.order, view.id))
