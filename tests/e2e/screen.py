"""The real window on a real bus, and what is to be read in it; tests compare that with what callers logged."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings
from app.profile_keeper import ProfileKeeper
from app.record_view import RecordView
from app.settings import Connection
from app.shell import Shell
from app.sittings import Sittings, opening
from app.views.graph import GraphView
from app.views.latency import LatencyView
from app.views.registry import load_views
from app.wanted import Wanted
from app.widgets.table import RecordTable
from app.window import Window
from broker.operate.profiles import ProfileStore
from broker.transport import check

LISTENING_MS = 20_000
SHOWN_MS = 20_000
SIGNS = "▲◷✓●? "
CALLS = re.compile(r"([\d,]+) calls")
FAILED = re.compile(
    r"([\d,]+) of ([\d,]+) calls failed: ([\d,]+) error answers, ([\d,]+) timed out, ([\d,]+) without answer"
)


class Counts(NamedTuple):
    """How the calls of an action ended."""

    calls: int = 0
    errors: int = 0
    timeouts: int = 0
    no_answer: int = 0

    @property
    def failed_percent(self) -> float:
        """Share of all calls that failed."""
        return 100.0 * (self.errors + self.timeouts + self.no_answer) / self.calls if self.calls else 0.0


class Cell(NamedTuple):
    """What a cell of a table says, and what it says to a mouse that rests on it."""

    text: str
    note: str


class Screen:
    """A window as the program builds it, and what stands in it."""

    def __init__(self, qtbot: QtBot, *, keeps: bool = False) -> None:
        """Show the window with its start page.

        Args:
            qtbot: Lets it live.
            keeps: Whether profiles and preferences are read and kept where the program keeps them.
        """
        self._qtbot = qtbot
        kept = settings.load(settings.default_path() if keeps else None)
        keeper = ProfileKeeper(ProfileStore(), kept.path) if keeps else None
        sittings = Sittings(keeper=keeper)
        self.window = Window(kept, load_views(), check, opening(sittings), keeper)
        sittings.window = self.window
        self._sittings = sittings
        self.window.resize(1440, 900)
        self.window.show()

    def open(self, url: str, *, may: str = "see", namespace: str = "", password: str = "", machine: str = "") -> None:
        """Open a mesh, seeing only if nothing else is said; waits until the probe listens."""
        connection = Connection(url, may=may, namespaces=[namespace] if namespace else [], ssh=machine)
        self._sittings.open_live(Wanted(connection, password))
        self.wait_for(lambda: self.window.shell is not None, SHOWN_MS)
        self.wait_for(self._is_listening_or_lost, LISTENING_MS)
        assert self.window.shell is not None, f"the session ended: {self.window.start.banner.text}"

    def _is_listening_or_lost(self) -> bool:
        status = self.window.shell.desk.status if self.window.shell is not None else None
        return self.window.shell is None or (status is not None and status.state == "listening")

    def close(self) -> None:
        """Close the window, and wait until it is gone."""
        window = self.window
        window.close()
        self._qtbot.waitUntil(lambda: not isValid(window), timeout=5000)

    def wait_for(self, is_so: Callable[[], bool], timeout_ms: int = SHOWN_MS) -> None:
        """Let the window live until something is so."""
        self._qtbot.waitUntil(is_so, timeout=timeout_ms)

    def wait_to_read(self, read: Callable[[], object], expected: object, timeout_ms: int = SHOWN_MS) -> None:
        """Let the window live until it shows what is expected; what it shows instead is in the failure."""

        def shows_it() -> None:
            found = read()
            assert found == expected, f"shows {found}, expected {expected}"

        self._qtbot.waitUntil(shows_it, timeout=timeout_ms)

    @property
    def shell(self) -> Shell:
        """The sitting on screen."""
        assert self.window.shell is not None, f"the session ended: {self.window.start.banner.text}"
        return self.window.shell

    # what a user does

    def press(self, key: Qt.Key) -> None:
        """Press a key where the keyboard is, or on the view if it is nowhere."""
        target = QApplication.focusWidget() or self.view(self.shell.area.current)
        self._qtbot.keyClick(target, key)

    def choose(self, view_id: str) -> None:
        """Choose a view at the rail."""
        self._qtbot.mouseClick(self.shell.rail.buttons[view_id], Qt.MouseButton.LeftButton)
        self.wait_for(self.view(view_id).isVisible)

    def view(self, view_id: str) -> QWidget:
        """The view itself."""
        return self.shell.area.widget(view_id)

    def click_row(self, view_id: str, name: str) -> None:
        """Select the row that begins with a name."""
        table = self._table(view_id)
        row = next(row for row in range(table.records.rowCount()) if _name(table, row) == name)
        table.scrollTo(table.records.index(row, 0))
        at = table.visualRect(table.records.index(row, 0)).center()
        self._qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)

    # what is to be read

    def rows(self, view_id: str) -> dict[str, dict[str, Cell]]:
        """The table of a view: name of a row, heading of a column, cell. Without what is internal."""
        return {name: row for name, row in _read(self._table(view_id)).items() if not name.startswith("$")}

    def _table(self, view_id: str) -> RecordTable:
        view = self.view(view_id)
        assert isinstance(view, RecordView | LatencyView)
        return view.table

    def counts(self, view_id: str) -> dict[str, Counts]:
        """How often each row's calls ended how; rows without calls left out."""
        counted = {name: _counts(row) for name, row in self.rows(view_id).items()}
        return {name: counts for name, counts in counted.items() if counts.calls}

    def states(self) -> dict[str, str]:
        """The state of each node: "online", "offline", ..."""
        return {name: row["state"].text.lstrip(SIGNS) for name, row in self.rows("nodes").items()}

    def changes(self) -> list[tuple[str, str]]:
        """What appeared and vanished below the nodes, the oldest first: what, change."""
        view = self.view("nodes")
        assert isinstance(view, RecordView)
        rows = [(str(row[1]), str(row[2])) for row in view.comings.texts()]
        return rows[::-1]

    def wires(self) -> dict[tuple[str, str], int]:
        """How many calls go along each wire of the graph, by the titles of its ends; as its words say."""
        view = self.view("graph")
        assert isinstance(view, GraphView)
        scene = view.canvas.scene
        found = {}
        for key, wire in scene.wires.items():
            calls = CALLS.search(view.canvas.words(key))
            if calls is not None:
                found[scene.cards[wire.source].title, scene.cards[wire.target].title] = _number(calls[1])
        return found

    def is_painted(self) -> bool:
        """Whether the graph has a place for each card and a sharp picture of them."""
        view = self.view("graph")
        assert isinstance(view, GraphView)
        scene = view.canvas.scene
        return bool(scene.cards) and scene.cards.keys() <= scene.at.keys() and view.canvas.has_sharp_picture

    def side_counts(self) -> tuple[str, Counts]:
        """What the side panel is about, and the counts that its figures say to a mouse that rests on them."""
        side = self.shell.side
        calls, errors, *_ = side.figures.cards
        return side._title.text(), _said(calls.toolTip(), errors.toolTip())


def _read(table: RecordTable) -> dict[str, dict[str, Cell]]:
    model = table.records
    heads = [
        str(model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole))
        for number in range(model.columnCount())
    ]
    return {
        _name(table, row): {
            head: Cell(
                str(model.index(row, number).data(Qt.ItemDataRole.DisplayRole)),
                str(model.index(row, number).data(Qt.ItemDataRole.ToolTipRole)),
            )
            for number, head in enumerate(heads)
        }
        for row in range(model.rowCount())
    }


def _name(table: RecordTable, row: int) -> str:
    return str(table.records.index(row, 0).data(Qt.ItemDataRole.DisplayRole)).lstrip(SIGNS)


def _counts(row: dict[str, Cell]) -> Counts:
    return _said(row["calls"].note, row["failed"].note)


def _said(calls_note: str, failed_note: str) -> Counts:
    calls, failed = CALLS.search(calls_note), FAILED.search(failed_note)
    if calls is None or failed is None:
        return Counts()
    _all_failed, all_calls, errors, timeouts, no_answer = map(_number, failed.groups())
    assert _number(calls[1]) == all_calls, f"{calls_note!r} beside {failed_note!r}"
    return Counts(all_calls, errors, timeouts, no_answer)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
