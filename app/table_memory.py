"""Columns and sorting of tables stay as their user set them, from session to session."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from app.settings import Settings
from app.widgets.table import RecordTable


def keep_tables(settings: Settings, view_id: str, view: QWidget) -> None:
    """Give every table of a view what was kept of it, and keep what its user changes.

    Args:
        settings: Where it is kept; saved with everything else.
        view_id: Of the view.
        view: Its widget, as it was built.
    """
    for table in view.findChildren(RecordTable):
        name = f"{view_id}: {table.accessibleName()}"
        kept = settings.tables.get(name)
        if isinstance(kept, dict):
            table.restore(kept)
        table.set_by_user.connect(partial(_keep, settings, name, table))


def _keep(settings: Settings, name: str, table: RecordTable) -> None:
    state = table.memory()
    if state:
        settings.tables[name] = state
    else:
        settings.tables.pop(name, None)
