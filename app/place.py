"""Where we are and what we may do; and which namespace is shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.desk import Desk
from app.shell_facts import ShellFacts
from app.widgets.controls import Tone
from app.widgets.format import count
from broker.operate.permissions import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """Where we are and what we may do, for the bar.

    Attributes:
        profile: Its name.
        tone: Its colour; "failed" for production.
        mode: What we may do, in words, as it was opened.
        url: Without secrets, or the name of a file.
        is_locked: Whether nothing can be published.
        is_file: Whether it is a capture and not a live mesh.
        is_production: Whether it is somebody's bread.
    """

    profile: str
    tone: Tone
    mode: str
    url: str
    is_locked: bool = True
    is_file: bool = False
    is_production: bool = False


MODES: Final[dict[Permission, str]] = {
    "see": "ghost: publishes nothing",
    "ask": "may ask: DISCOVER, $node.*",
    "call": "may call and emit",
    "act": "acting: asks twice",
}


def mode_text(may: Permission, is_announced: bool) -> str:
    """What we may do, in words."""
    return MODES[may] + (" · announced" if is_announced else "")


def place_text(place: Place, facts: ShellFacts | None, namespace: str | None) -> str:
    """Where we are, in a line: the URL, and the namespace on screen or how many there are.

    Args:
        place: Where we are.
        facts: What is known of namespaces; None before the first answer.
        namespace: The one chosen; None for all.
    """
    names = [name for name, _ in facts.namespaces] if facts is not None else []
    can_choose = " ▾" if len(names) > 1 else ""
    shown = names[0] if namespace is None and len(names) == 1 else namespace
    if shown is not None:
        where = f"namespace {shown or '(empty)'}{can_choose}"
    else:
        where = f"{len(names)} namespaces{can_choose}" if names else ""
    return " · ".join(part for part in (place.url, where) if part)


def namespace_menu(desk: Desk, facts: ShellFacts | None, parent: QWidget) -> QMenu:
    """Asks which namespace is to be shown, with how many nodes are known in each."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setAccessibleName("Which namespace is shown")
    menu.addSection("Show which namespace?")
    for namespace, nodes in facts.namespaces if facts is not None else ():
        title = f"{namespace or '(the empty one)'}    {count(nodes)} node{'' if nodes == 1 else 's'}"
        action = menu.addAction(title, partial(desk.set_namespace, namespace))
        action.setCheckable(True)
        action.setChecked(desk.namespace == namespace)
    every = menu.addAction("All, each kept apart", partial(desk.set_namespace, None))
    every.setCheckable(True)
    every.setChecked(desk.namespace is None)
    return menu
