"""The menu of a card, of a connection, and of the whole graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from app.graph.question import Focus
from app.widgets.canvas.canvas import GraphCanvas
from broker.mesh.subject import Subject


class Acts(Protocol):
    """What the view does when something is chosen from a menu."""

    canvas: GraphCanvas

    def set_focus(self, focus: Focus | None) -> None:
        """Show only what is near a card; everything for None."""

    def hide_card(self, key: str) -> None:
        """Take a card out."""

    def open_latency(self, key: str) -> None:
        """Lead to the latency of a card or connection."""

    def open_breakers(self, key: str) -> None:
        """Lead to the worst breaker on a connection."""

    def lay_out(self) -> None:
        """Lay out anew."""

    def toggle(self, key: str) -> None:
        """Open a closed group, or close the one that a card or frame is of."""

    def toggle_all(self, *, is_open: bool) -> None:
        """Open or close all groups."""

    def choose_other(self, key: str) -> None:
        """The other end of a way from the selected card."""


def menu_for(key: str, acts: Acts, parent: GraphCanvas, *, has_focus: bool, members: int, begin: str) -> QMenu:
    """What can be done.

    Args:
        key: Of a card or a connection; "" for the whole graph.
        acts: Who does it.
        parent: Whose menu it is.
        has_focus: Whether there is a focus to be ended.
        members: How many things are in this card; 0 where there is nothing to open.
        begin: Name of the card from which a way to this one can be shown; "" for none.
    """
    menu = QMenu(parent)
    scene = parent.scene
    if key in scene.cards:
        _card_acts(menu, key, acts, members, begin)
    elif key in scene.frames:
        _add(menu, "Close this group\tG", partial(acts.toggle, key))
        _add(menu, "Zoom to it", partial(parent.fit, scene.frames.cards_of(key)))
        _add(menu, "Copy name", partial(_copy, scene.frames[key].title))
    elif key in scene.wires:
        _add(menu, "Show latency", partial(acts.open_latency, key))
        _add(menu, "Show breakers", partial(acts.open_breakers, key))
        _add(menu, "Copy as text", partial(_copy, parent.words(key)))
    else:
        _add(menu, "See everything\tF", parent.fit)
        _add(menu, "Lay out again", acts.lay_out)
        menu.addSeparator()
        _add(menu, "Open all groups", partial(acts.toggle_all, is_open=True))
        _add(menu, "Close all groups", partial(acts.toggle_all, is_open=False))
        if has_focus:
            _add(menu, "End the focus", partial(acts.set_focus, None))
    return menu


def _card_acts(menu: QMenu, key: str, acts: Acts, members: int, begin: str) -> None:
    canvas = acts.canvas
    card = canvas.scene.cards[key]
    title = card.title
    if members:
        _add(menu, f"Open: show the {members} in it\tG", partial(acts.toggle, key))
    if card.frame in canvas.scene.frames:
        _add(menu, f"Close group {canvas.scene.frames[card.frame].title}\tG", partial(acts.toggle, key))
    if begin:
        _add(menu, f"Show path from {begin}\tP", partial(acts.choose_other, key))
    menu.addSeparator()
    _add(menu, "Focus here, 1 hop", partial(acts.set_focus, Focus(key, title, 1)))
    _add(menu, "Focus here, 2 hops", partial(acts.set_focus, Focus(key, title, 2)))
    _add(menu, "Find its callers", partial(acts.set_focus, Focus(key, title, 1, "callers")))
    _add(menu, "Find what it calls", partial(acts.set_focus, Focus(key, title, 1, "callees")))
    menu.addSeparator()
    _add(menu, "Show latency", partial(acts.open_latency, key))
    _add(menu, "Zoom to it\tZ", partial(canvas.fit, canvas.scene.neighbours(key) | {key}))
    _add(menu, "Hide this\tH", partial(acts.hide_card, key))
    _add(menu, "Copy name", partial(_copy, title))


def filter_for(subject: Subject) -> str:
    """A filter that means just this card."""
    if subject.kind == "service" and subject.other:
        return f"({filter_for(subject._replace(other=''))} and {filter_for(Subject('node', '', subject.other))})"
    field = subject.kind if subject.kind in ("service", "node") else "namespace"
    name = subject.name or subject.namespace
    return f"{field} = {name}" if name.isidentifier() else f'{field} = "{name}"'


def _add(menu: QMenu, text: str, do: Callable[[], object]) -> None:
    menu.addAction(text).triggered.connect(lambda _checked=False: do())


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
