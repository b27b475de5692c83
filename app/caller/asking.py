"""The second step before something is sent, where the rules want one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.desk import Desk
from app.widgets.confirm import ConfirmDialog
from app.widgets.controls import Tone
from broker.operate.commands import Command
from broker.operate.operator import Confirmation

Go = Callable[[Confirmation], None]


def ask_before(
    parent: QWidget,
    desk: Desk,
    command: Command,
    go: Go,
    *,
    title: str,
    act: str,
    about: str = "",
    hits: str = "",
    note: str = "",
    asks_always: bool = False,
    tone: Tone = "slow",
) -> ConfirmDialog | None:
    """Go on at once, or after a dialog was confirmed; never when it is not allowed.

    Args:
        parent: Over what the dialog stands.
        desk: Tells whether the command may be sent, and what has to be confirmed.
        command: What would be sent, variables as they are written.
        go: Goes on, with what was confirmed.
        title: What will be done, to what.
        act: The verb.
        about: Where.
        hits: What it will hit.
        note: How it is undone.
        asks_always: Ask also where the rules do not want it.
        tone: Of the dialog.

    Returns:
        The dialog that was opened; None if there is none.
    """
    verdict = desk.may(command)
    if not verdict.allowed:
        return None
    if not verdict.confirm and not asks_always:
        go(Confirmation())
        return None
    type_name = verdict.name if verdict.confirm == "type" else ""
    dialog = ConfirmDialog(parent, title=title, act=act, about=about, type_name=type_name, note=note, tone=tone)
    dialog.say_hits(hits)
    dialog.confirmed.connect(lambda typed: go(Confirmation(given=True, typed=typed)))
    dialog.open()
    return dialog
