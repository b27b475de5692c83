"""Controls that act: disabled while they may not, and then they say why, to the eye, the mouse and a reader."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton

from broker.operate.permissions import Permission

NEEDS: Final = "needs"
"""The property of a control that says which permission it takes."""


def allow(control: QAbstractButton | QAction, needs: Permission, why: str, tip: str = "") -> None:
    """Enable a control that acts, or disable it and say why.

    Args:
        control: A button, or an action of a menu.
        needs: The permission that it takes.
        why: Why it cannot be used now, as `Desk.may` or the view says; empty if it can.
        tip: What it says while it can.
    """
    control.setProperty(NEEDS, needs)
    control.setEnabled(not why)
    control.setToolTip(why or tip)
    if isinstance(control, QAbstractButton):
        control.setAccessibleDescription(why or tip)
