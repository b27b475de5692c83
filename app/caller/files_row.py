"""Which file goes along as a stream, and into which a streamed answer goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget

from app.widgets.controls import button, row, set_text
from app.widgets.format import byte_size

Weigh = Callable[[Callable[[], str], Callable[[str], None]], None]
"""Given what looks at a file, in another thread, and who is told what it saw."""
UP, DOWN = "Send a file…", "Answer into a file…"


class FilesRow(QWidget):
    """Two buttons; each says the file that was chosen, and takes it back when it is pressed again."""

    changed = Signal()

    def __init__(self, weigh: Weigh, parent: QWidget | None = None) -> None:
        """
        Args:
            weigh: Has a file looked at.
            parent: Of the widget.
        """
        super().__init__(parent)
        self._weigh = weigh
        self.upload: Path | None = None
        self.download: Path | None = None
        self.up = button(UP, self._on_up, role="link", icon="upload", name="Send a file as stream")
        self.down = button(DOWN, self._on_down, role="link", icon="download", name="Write a streamed answer to a file")
        self.setLayout(row(self.up, self.down, None, spacing=6))

    def clear(self) -> None:
        """No files."""
        self.upload = self.download = None
        self._show()

    def choose(self, *, upload: Path | None = None, download: Path | None = None) -> None:
        """These files."""
        self.upload, self.download = upload, download
        self._show()
        self.changed.emit()

    def _on_up(self) -> None:
        if self.upload is not None:
            self.choose(download=self.download)
            return
        chosen, _ = QFileDialog.getOpenFileName(self, "Send a file as stream")
        if chosen:
            self.choose(upload=Path(chosen), download=self.download)

    def _on_down(self) -> None:
        if self.download is not None:
            self.choose(upload=self.upload)
            return
        chosen, _ = QFileDialog.getSaveFileName(self, "Write a streamed answer to a file")
        if chosen:
            self.choose(upload=self.upload, download=Path(chosen))

    def _show(self) -> None:
        _say(self.up, UP, self.upload, "")
        _say(self.down, DOWN, self.download, "")
        upload = self.upload
        if upload is not None:
            self._weigh(lambda: _size(upload), lambda size: self._show_size(upload, size))

    def _show_size(self, of: Path, size: str) -> None:
        if of == self.upload:
            _say(self.up, UP, of, f", {size}")


def _size(path: Path) -> str:
    try:
        return byte_size(path.stat().st_size)
    except OSError:
        return "not readable"


def _say(made: QPushButton, nothing: str, path: Path | None, more: str) -> None:
    set_text(made, nothing if path is None else f"✕ {path.name}{more}")
    made.setToolTip("" if path is None else f"{path}\nPress to take it back")
